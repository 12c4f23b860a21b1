"""Saved scenarios, comparisons and the portfolio in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from insights.goals import FIRST_YEAR, LAST_YEAR
from insights.scenario_fields import SCENARIO
from serving.coalition_view import MOST_SCENARIOS
from serving.openapi_parts import (
    COUNT,
    JSON,
    NUMBER,
    NUMBER_OR_NULL,
    OF_BODIES,
    OPEN,
    RECORDS,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    fields,
    in_path,
    json_of,
    listed,
    nullable,
    operation,
    posted,
    query,
    ref,
    view_of,
)
from serving.openapi_scenarios import scenario_schemas, table_schema
from serving.saved_handlers import LONGEST_ID
from serving.scenario_view import MOST_COMPARED

_NUMBER: Final = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
_YEAR: Final = {"type": "integer", "minimum": FIRST_YEAR, "maximum": LAST_YEAR}
_ID: Final = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}
_LATE: Final = {
    "version": 1,
    "name": "Porthos two years late",
    "series": "nl-rotterdam",
    "projects": [{"project_id": "nl-rotterdam-porthos", "delay_years": 2}],
}
_IN_TIME: Final = {**_LATE, "name": "Porthos in time", "projects": [{"project_id": "nl-rotterdam-porthos"}]}
_TOLD: Final = {**dict.fromkeys(("model_version", "as_of", "degraded"), TEXT), "answer_id": TEXT_OR_NULL}
_BANDS: Final = dict.fromkeys(("q0.1", "q0.5", "q0.9"), NUMBER)


def saved_paths() -> dict[str, Any]:
    """Paths below /v1/scenarios, and the portfolio."""
    one = in_path("scenario_id", "From the answer that saved it.")
    asked = query("version", _NUMBER, "One of its versions; the newest without it.")
    mine = operation(
        "savedScenarios", "Your saved scenarios, newest first", json_of(ref("SavedList")), 400, 503
    )
    kept = operation(
        "savedScenario", "A saved scenario with its history", json_of(ref("SavedScenario")), 400, 404, 503,
        parameters=[one, asked],
    )  # fmt: skip
    return {
        "/v1/scenarios/saved": {
            "get": mine,
            "post": _changing("saveScenario", "Save a scenario", "SaveAsk", {"scenario": _LATE}),
        },
        "/v1/scenarios/saved/{scenario_id}": {"get": kept},
        "/v1/scenarios/removed": {
            "post": _changing("removeScenario", "Remove a scenario; its history stays", "RemoveAsk",
                              {"id": "0123456789abcdef0123", "builds_on": 1})
        },
        "/v1/scenarios/compare": {
            "post": posted("compareScenarios", "Up to four scenarios side by side", "CompareScenariosAsk",
                           {"scenarios": [_IN_TIME, _LATE]}, "ScenarioComparison")
        },
        "/v1/insights/portfolio": {
            "get": view_of("registeredPortfolio", "The coalition under the registry's projects", "Portfolio",
                           [query("year", _YEAR, "The year that parts are told of; 2035 without it.")]),
            "post": posted("portfolio", "The coalition under all plans", "PortfolioAsk",
                           {"correlation": 0.5, "scenarios": [_LATE]}, "Portfolio")
        },
    }  # fmt: skip


def _changing(name: str, summary: str, ask: str, example: Mapping[str, Any]) -> dict[str, Any]:
    body = {"required": True, "content": {JSON: {"schema": ref(ask), "example": example}}}
    told = operation(name, summary, json_of(ref("SavedScenario")), *OF_BODIES, *(404, 409, 422, 503))
    return {**told, "requestBody": body}


def saved_schemas() -> dict[str, Any]:
    """Questions and answers."""
    outlook = scenario_schemas()["ScenarioOutlook"]
    side = {**outlook, "required": [name for name in outlook["required"] if name != "answer_id"]}
    return {
        **_asks(),
        **_kept(),
        "ScenarioSide": side,
        "ScenarioComparison": _comparison(),
        "Portfolio": _portfolio(),
    }


def _asks() -> dict[str, Any]:
    saved = _closed({"saved": _ID}, {"version": nullable(_NUMBER)})
    either = {"anyOf": [ref("ScenarioAsk"), saved]}
    pair = {"dependentRequired": {"id": ["builds_on"], "builds_on": ["id"]}}
    told = {"id": {**nullable(_ID), "description": "Of the scenario this is a further version of."},
            "builds_on": {**nullable(_NUMBER), "description": "The version read before it was changed."},
            "shared": {"type": ["boolean", "null"], "description": "Whoever knows the id may read it."},
            }  # fmt: skip
    return {
        "SaveAsk": {**_closed({"scenario": table_schema(SCENARIO)}, told), **pair},
        "RemoveAsk": _closed({"id": _ID, "builds_on": _NUMBER}),
        "CompareScenariosAsk": _closed(
            {"scenarios": {"type": "array", "minItems": 1, "maxItems": MOST_COMPARED, "items": either}}
        ),
        "PortfolioAsk": _closed(
            {},
            {
                "scenarios": {"type": "array", "maxItems": MOST_SCENARIOS, "items": either},
                "correlation": {"type": ["number", "null"], "minimum": 0, "maximum": 1,
                                "description": "Of the luck of projects of one kind; 0.3 without it."},
                "seed": {"type": ["integer", "null"], "minimum": 0, "maximum": 2**31 - 1},
                "year": {**nullable(_YEAR), "description": "The year that parts are told of."},
                "registered": {"type": "boolean",
                               "description": "Whether registered projects stand in for what is not sent."},
            },
        ),
    }  # fmt: skip


def _closed(required: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {**fields(required, more), "additionalProperties": False}


def _kept() -> dict[str, Any]:
    head = {
        **dict.fromkeys(("id", "name", "series", "owner", "fingerprint", "changed_at"), TEXT),
        "shared": {"type": "boolean"},
        "newest": COUNT,
        "removed_at": TEXT_OR_NULL,
    }
    place = fields({"place": TEXT, "one": {}, "other": {}})
    version = fields(
        {
            **dict.fromkeys(("at", "who", "fingerprint", "name"), TEXT),
            "version": COUNT,
            "differences": nullable({"type": "array", "items": place}),
        }
    )
    whole = {
        **head,
        "version": COUNT,
        "fingerprint_now": TEXT_OR_NULL,
        "refusal": nullable(OPEN),
        "scenario": OPEN,
        "turns": {
            "type": "array",
            "description": "When it was removed and brought back.",
            "items": fields({"at": TEXT, "what": {"enum": ["removed", "restored"]}, "who": TEXT}),
        },
        "versions": {"type": "array", "items": version},
    }
    return {
        "SavedHead": fields(head),
        "SavedList": fields({"scenarios": listed("SavedHead"), "count": COUNT}),
        "SavedScenario": fields(whole),
    }


def _comparison() -> dict[str, Any]:
    step = fields({"from": TEXT, "to": TEXT, "places": RECORDS})
    return fields(
        {"scenarios": listed("ScenarioSide"), "differences": {"type": "array", "items": step}, **_TOLD}
    )


def _portfolio() -> dict[str, Any]:
    bands = fields(_BANDS)
    with_mean = fields({**_BANDS, "mean": NUMBER})
    year = fields({"year": COUNT, "baseline": bands, "planned": bands, "fall": bands,
                   "abated": with_mean, "share_of_claim": with_mean})  # fmt: skip
    chance = {"type": "number", "minimum": 0, "maximum": 1}
    passes = fields({
        "share": NUMBER, "tonnes": NUMBER,
        "by_year": {"type": "array", "items": fields({"year": COUNT, "plans": chance, "fall": chance})},
    })  # fmt: skip
    claim = fields(
        {"reduction_potential_mt": NUMBER, "counts": TEXT, "passes": {"type": "array", "items": passes}}
    )
    measure = fields({
        **dict.fromkeys(("cluster_id", "name", "kind"), TEXT), "project_id": TEXT_OR_NULL,
            "planned_start": COUNT,
        "store": TEXT_OR_NULL, "direct": fields({**_BANDS, "mean": NUMBER}), "elsewhere": NUMBER_OR_NULL,
        "flags": TEXTS, "risk": nullable(OPEN),
    })  # fmt: skip
    return fields(
        {
            "unit": TEXT,
            **dict.fromkeys(("year", "seed"), COUNT),
            "correlation": fields({"value": chance, "from": TEXT, "of": TEXT}),
            "now": NUMBER,
            "years": {"type": "array", "items": year},
            "claim": claim,
            "measures": {"type": "array", "items": measure},
            **dict.fromkeys(("clusters", "stores", "left_out", "without_paths"), RECORDS),
            "priors": OPEN,
            "notes": TEXTS,
            **_TOLD,
        }
    )
