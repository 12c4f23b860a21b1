"""Scenarios in the OpenAPI document: the path, and schemas made of the fields that check bodies."""

from __future__ import annotations

from typing import Any, Final

from insights.fields import Field, Fields
from insights.scenario_fields import SCENARIO
from serving.openapi_parts import (
    COUNT,
    NUMBER,
    NUMBER_OR_NULL,
    OPEN,
    RECORDS,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    fields,
    nullable,
    posted,
    ref,
)

_BANDS: Final = fields(dict.fromkeys(("q0.1", "q0.5", "q0.9"), NUMBER))
_EXAMPLE: Final = {
    "version": 1,
    "name": "Porthos two years late",
    "series": "nl-rotterdam",
    "target": "nl-rotterdam-2030-percent",
    "grid": "0.159 t/MWh",
    "projects": [{"project_id": "nl-rotterdam-porthos", "delay_years": 2, "ramp_years": 1}],
}


def scenario_paths() -> dict[str, Any]:
    """POST /v1/scenarios."""
    told = posted(
        "scenario", "Levers and projects laid over the forecast", "ScenarioAsk", _EXAMPLE, "ScenarioOutlook"
    )
    return {"/v1/scenarios": {"post": told}}


def scenario_schemas() -> dict[str, Any]:
    """The question, from the fields themselves, and its answer."""
    return {"ScenarioAsk": table_schema(SCENARIO), "ScenarioOutlook": _outlook()}


def table_schema(table: Fields) -> dict[str, Any]:
    """A closed table of fields as JSON Schema."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": sorted(name for name, field in table.items() if field.required),
        "properties": {name: field_schema(field) for name, field in table.items()},
    }


def field_schema(field: Field) -> dict[str, Any]:
    """One field as JSON Schema."""
    about = {"description": field.about} if field.about else {}
    return {**_shape(field), **about}


def _shape(field: Field) -> dict[str, Any]:
    if field.kind == "table":
        return table_schema(field.rows or {})
    if field.kind == "list":
        items = {} if field.item is None else {"items": field_schema(field.item)}
        return {"type": "array", "minItems": int(field.low), "maxItems": int(field.high), **items}
    if field.kind == "text":
        return {"type": "string", "minLength": int(field.low), "maxLength": int(field.high)}
    if field.kind == "choice":
        return {"enum": list(field.choices)}
    if field.kind == "flag":
        return {"type": "boolean"}
    kind = "integer" if field.kind == "whole" else "number"
    return {"type": kind, "minimum": field.low, "maximum": field.high}


def _outlook() -> dict[str, Any]:
    year = fields({"year": COUNT, "baseline": _BANDS, "scenario": _BANDS})
    always = {
        **dict.fromkeys(
            ("unique_id", "series_name", "unit", "name", "fingerprint", "scope", "cutoff", "made_by"), TEXT
        ),
        "version": COUNT,
        "year": {
            **COUNT,
            "description": "The year the tonnes are told of: of the first target, or the last.",
        },
        "emissions": {"type": "array", "items": year},
        "targets": {"type": "array", "items": _target()},
        "measures": {"type": "array", "items": _measure()},
        "totals": _totals(),
        "currency": TEXT_OR_NULL,
        "discount": fields({"rate": NUMBER, "from": {"enum": ["own", "usual"]}, "year": COUNT}),
        "sensitivity": {"type": "array", "items": _sensitivity()},
        "priors": OPEN,
        "assumed": RECORDS,
        "notes": TEXTS,
        **dict.fromkeys(("model_version", "as_of", "degraded"), TEXT),
        "answer_id": TEXT_OR_NULL,
    }
    return fields(always)


def _change() -> dict[str, Any]:
    return fields(dict.fromkeys(("p", "p_low", "p_high", "share_of_paths"), NUMBER))


def _target() -> dict[str, Any]:
    return fields(
        {"target": OPEN, "status": {"enum": ["measured", "refused"]}, "refusal": nullable(OPEN)},
        {
            "scope": TEXT,
            "level": NUMBER,
            "notes": TEXTS,
            "baseline": ref("Chance"),
            "scenario": ref("Chance"),
            "change": nullable(_change()),
            "expected_shortfall": nullable(fields(dict.fromkeys(("baseline", "scenario"), NUMBER))),
        },
    )


def _tonnes(*names: str) -> dict[str, Any]:
    return fields(dict.fromkeys(names, NUMBER_OR_NULL))


def _measure() -> dict[str, Any]:
    told = ("gross", "captured", "direct", "elsewhere", "avoided")
    return fields(
        {
            **dict.fromkeys(("name", "what", "kind"), TEXT),
            "project_id": TEXT_OR_NULL,
            "planned_start": COUNT,
            "flags": TEXTS,
            **dict.fromkeys(("grid", "break_even_grid"), NUMBER_OR_NULL),
            **dict.fromkeys(("in_year", "up_to_year"), _tonnes(*told)),
            "by_year": {"type": "array", "items": fields({"year": COUNT, "direct": NUMBER})},
            "cost": _tonnes("in_year", "up_to_year", "present_value", "per_tonne", "per_tonne_avoided"),
        },
        {"risk": OPEN},
    )


def _totals() -> dict[str, Any]:
    sums = _tonnes("captured", "direct", "elsewhere", "avoided", "alone", "interaction")
    told = dict.fromkeys(("in_year", "up_to_year", "present_value"), NUMBER_OR_NULL)
    cost = fields({**told, "not_known_of": TEXTS})
    return fields({"year": COUNT, "in_year": sums, "up_to_year": sums, "cost": cost})


def _sensitivity() -> dict[str, Any]:
    tonnes = dict.fromkeys(("shortfall", "more_in_year", "more_up_to_year"), NUMBER)
    what_if = {"chance": OPEN, "change": _change(), **tonnes}
    return fields(
        {
            **dict.fromkeys(("name", "project_id"), TEXT),
            "year": COUNT,
            "adds": _change(),
            **dict.fromkeys(("direct_in_year", "direct_up_to_year", "shortfall"), NUMBER),
            "delay": nullable(OPEN),
            "if_lost": fields(what_if),
            "if_late": fields({"years": COUNT, **what_if}),
        }
    )
