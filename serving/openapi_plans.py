"""Networks, plans, corridors and contracts in the OpenAPI document: paths and schemas."""

from __future__ import annotations

from typing import Any, Final

from serving.openapi_parts import (
    COUNT,
    JSON,
    NUMBER,
    NUMBER_OR_NULL,
    OF_BODIES,
    OPEN,
    RECORDS,
    REF,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    fields,
    json_of,
    nullable,
    operation,
    ref,
)
from serving.plan_ask import ASKS

_TOLD: Final = {**dict.fromkeys(("model_version", "as_of", "degraded"), TEXT), "answer_id": TEXT_OR_NULL}
_NUMBERS: Final = {"type": "array", "items": NUMBER}
_OR_NULL: Final = {"type": "array", "items": NUMBER_OR_NULL}
_YEARS: Final = {"type": "array", "items": COUNT}
_NETWORK: Final = {
    "start_year": 2030,
    "years": 2,
    "sources": [
        {"name": "Humber", "cluster": "gb-humber", "node": "humber", "series": "gb-humber", "share": 0.6},
        {"name": "Teesside", "cluster": "teesside", "node": "tees", "emissions": [4e6]},
    ],
    "links": [
        {"name": "Humber pipe", "start": "humber", "end": "hub", "capacity": [9e6]},
        {"name": "Tees pipe", "start": "tees", "end": "hub", "capacity": [9e6]},
        {"name": "trunk", "start": "hub", "end": "sea", "capacity": [4e6, 1e7]},
    ],
    "sinks": [{"name": "store", "node": "sea", "limit": [2e7]}],
}
_PLAN: Final = {
    "series": "gb-humber",
    "target": {"kind": "level", "value": 8, "target_year": 2032},
    "probability": 0.5,
    "options": [
        {"name": "capture", "tonnes": [1e6, 3e6], "earliest": 2029, "capex": 9e8, "built": 0.8},
        {"name": "heat pumps", "tonnes": [5e5], "earliest": 2027, "capex": 2e8},
    ],
    "discount_rate": 0.05,
}
_CORRIDORS: Final = {
    "commodity": "hydrogen",
    "start_year": 2030,
    "places": [
        {"name": "es-andalusia", "supply": [3e5], "cost": [3000]},
        {"name": "nl-rotterdam", "demand": [2e5], "short": [6000]},
    ],
    "routes": [
        {
            "start": "es-andalusia",
            "end": "nl-rotterdam",
            "mode": "ship",
            "distance_km": 2500,
            "capacity": [1e5],
            "fixed": 900,
        }
    ],
}
_CONTRACT: Final = {
    "start_year": 2028,
    "years": 3,
    "capex": [3e8, 0, 0],
    "volumes": [0, 1e6, 1e6],
    "booked": [0, 1e6, 1e6],
    "fee": [30],
    "price": [75],
    "discount_rate": 0.08,
    "take_or_pay": 0.7,
    "late_years": 1,
}


def plan_paths() -> dict[str, Any]:
    """Paths below /v1/insights about plans."""
    return {
        "/v1/insights/network": {
            "post": _posted(
                "network", "A shared CO2 or hydrogen network allocated", "SharedNetwork", _NETWORK
            )
        },
        "/v1/insights/plan": {
            "post": _posted("plan", "The cheapest plan that meets a target as surely as asked", "Plan", _PLAN)
        },
        "/v1/insights/corridors": {
            "post": _posted("corridors", "Who supplies whom between clusters", "Corridors", _CORRIDORS)
        },
        "/v1/insights/contract": {
            "post": _posted("contract", "A contract to capture as cash flows", "Contract", _CONTRACT)
        },
    }


def _posted(name: str, summary: str, schema: str, example: dict[str, Any]) -> dict[str, Any]:
    asked = ref(ASKS[name].__name__)
    body = {"required": True, "content": {JSON: {"schema": asked, "example": example}}}
    told = operation(name, summary, json_of(ref(schema)), *OF_BODIES, *(404, 422, 503))
    return {**told, "requestBody": body}


def plan_schemas() -> dict[str, Any]:
    """Questions and answers about plans."""
    asks = {model.__name__: model.model_json_schema(ref_template=REF + "{model}") for model in ASKS.values()}
    parts: dict[str, Any] = {}
    for schema in asks.values():
        parts |= schema.pop("$defs", {})
    answers = {
        "SharedNetwork": _network(),
        "Plan": _plan(),
        "Corridors": _corridors(),
        "Contract": _contract(),
    }
    return {**parts, **asks, **{name: fields({**told, **_TOLD}) for name, told in answers.items()}}


def _network() -> dict[str, Any]:
    year = fields({"year": COUNT, "abated": OPEN, "cost": NUMBER})
    party = fields(
        {
            **dict.fromkeys(("name", "cluster", "node"), TEXT),
            **dict.fromkeys(("moved", "abated"), _NUMBERS),
            "in_all": NUMBER,
            "total": NUMBER_OR_NULL,
        }
    )
    link = fields(
        {
            "name": TEXT,
            **dict.fromkeys(("capacity", "flow"), _NUMBERS),
            "utilisation": _OR_NULL,
            "full_years": _YEARS,
        }
    )
    return {
        **dict.fromkeys(("commodity", "unit", "objective"), TEXT),
        "status": {"enum": ["allocated", "out-of-time"]},
        "reached": {"type": "number", "minimum": 0, "maximum": 1},
        "paths": COUNT,
        "years": {"type": "array", "items": year},
        "sources": {"type": "array", "items": party},
        "sinks": {"type": "array", "items": party},
        "links": {"type": "array", "items": link},
        "clusters": {"type": "object", "additionalProperties": _NUMBERS},
        "split": nullable(OPEN),
    }


def _plan() -> dict[str, Any]:
    choice = fields(
        {
            "options": RECORDS,
            "cost": NUMBER,
            "chance": OPEN,
            "emissions": OPEN,
            "proven": {"type": "boolean", "description": "False where the solver stopped at its time limit."},
            "bound": OPEN,
            "method": TEXT,
        }
    )
    nearest = fields(
        {"likeliest": nullable(choice), "without_budget": nullable(choice), "binds": TEXTS}
    )  # fmt: skip
    return {
        **dict.fromkeys(("unique_id", "unit", "currency", "scope"), TEXT),
        "status": {"enum": ["met", "infeasible", "undecided"]},
        "target": OPEN,
        "notes": TEXTS,
        "level": NUMBER,
        **dict.fromkeys(("asked", "without", "curve"), OPEN),
        "risks": RECORDS,
        "plan": nullable(choice),
        "nearest": nullable(nearest),
    }


def _corridors() -> dict[str, Any]:
    return {
        **dict.fromkeys(("commodity", "unit"), TEXT),
        "years": _YEARS,
        **dict.fromkeys(("cost", "alone", "saved"), NUMBER),
        **dict.fromkeys(("routes", "places"), RECORDS),
    }


def _contract() -> dict[str, Any]:
    return {
        "unit": TEXT,
        "years": _YEARS,
        **dict.fromkeys(("npv", "break_even_support"), NUMBER),
        "volumes": _NUMBERS,
        "flows": {"type": "object", "additionalProperties": _NUMBERS},
        "late": OPEN,
        "together": nullable(OPEN),
    }
