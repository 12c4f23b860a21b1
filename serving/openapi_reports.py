"""Funding packs and reports in the OpenAPI document: paths and schemas."""

from __future__ import annotations

from typing import Any, Final

from insights.scenario_fields import SCENARIO
from serving.fund_ask import FundAsk, ReportAsk
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
    nullable,
    operation,
    posted,
    query,
    ref,
)
from serving.openapi_scenarios import table_schema
from serving.report.printing import FORMATS, KINDS

_BAND: Final = fields(dict.fromkeys(("mean", "q0.1", "q0.5", "q0.9"), NUMBER))
_DOCUMENTS: Final[dict[str, Any]] = {
    "text/html": {"schema": TEXT},
    "application/pdf": {"schema": {"type": "string", "format": "binary"}},
}
_SAVED: Final = {
    "content-disposition": {"description": "The name the document is saved under.", "schema": TEXT},
}
_EXAMPLE: Final = {"cluster_id": "nl-rotterdam", "grant": 1e8, "capex": 1e9, "opex": 4e7, "rate": 0.07}


def report_paths() -> dict[str, Any]:
    """POST /v1/insights/funding, GET /v1/reports/{cluster_id}, POST /v1/reports."""
    figures = posted("funding", "The figures of a funding pack", "FundAsk", _EXAMPLE, "FundingPack")
    asked = [
        in_path("cluster_id", "A cluster of the registry."),
        query("kind", {"enum": list(KINDS)}, "What to print; the report without it."),
        query("format", {"enum": list(FORMATS)}, "How to print it; html without it."),
    ]
    report = operation(
        "report", "The report or the funding pack of a cluster", _DOCUMENTS, 400, 404, 422, 503,
        tagged=True, parameters=asked, headers=_SAVED,
    )  # fmt: skip
    body = {"required": True, "content": {JSON: {"schema": ref("ReportAsk"), "example": _EXAMPLE}}}
    own = operation(
        "ownReport", "The funding pack of a scenario of yours", _DOCUMENTS, *OF_BODIES, 404, 422, 503,
        headers=_SAVED,
    )  # fmt: skip
    return {
        "/v1/insights/funding": {"post": figures},
        "/v1/reports": {"post": {**own, "requestBody": body}},
        "/v1/reports/{cluster_id}": {"get": report},
    }


def report_schemas() -> dict[str, Any]:
    """The questions, from the models that check them, and the figures."""
    return {
        "FundAsk": _asked(FundAsk),
        "ReportAsk": _asked(ReportAsk),
        "FundingPack": _pack(),
    }


def _asked(model: type[FundAsk]) -> dict[str, Any]:
    """One of a cluster and a scenario, with the same terms."""
    told = model.model_json_schema()
    terms = {
        name: _shown(schema)
        for name, schema in told["properties"].items()
        if name not in ("cluster_id", "scenario")
    }
    about = {
        "cluster_id": told["properties"]["cluster_id"]["anyOf"][0],
        "scenario": table_schema(SCENARIO),
    }
    shapes = [
        {"type": "object", "additionalProperties": False, "required": [name],
         "properties": {name: schema, **terms}}
        for name, schema in about.items()
    ]  # fmt: skip
    return {"description": told["description"], "oneOf": shapes}


def _shown(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name not in ("title", "default")}


def _pack() -> dict[str, Any]:
    window = ("first_year", "last_year", "planned_start", "last_forecast_year", "held_years")
    parts = ("reference", "captured", "gross", "energy_penalty", "direct")
    unknown = ("absolute", "relative", "elsewhere")
    year = fields(
        {
            "year": COUNT,
            "held": {"type": "boolean"},
            "reference": _BAND,
            "project": _BAND,
            "captured": NUMBER,
            "direct": NUMBER,
            "elsewhere": NUMBER_OR_NULL,
            "avoided": nullable(_BAND),
        }
    )
    case = fields(
        {
            **dict.fromkeys(("name", "case"), TEXT),
            **dict.fromkeys(("tonnes", "change"), NUMBER),
            "project_id": TEXT_OR_NULL,
            **dict.fromkeys(("years", "chance_of_promise"), NUMBER_OR_NULL),
        }
    )
    return fields(
        {
            **dict.fromkeys(("unique_id", "name", "unit", "cutoff", "made_by"), TEXT),
            **dict.fromkeys(("cluster", "plan", "terms", "formulas", "confidence", "indicators"), OPEN),
            "outlook": OPEN,
            "window": fields({**dict.fromkeys(window, COUNT), "held_share": NUMBER}),
            "avoidance": fields(
                {
                    **dict.fromkeys(parts, _BAND),
                    **dict.fromkeys(unknown, nullable(_BAND)),
                    "of_gross": NUMBER_OR_NULL,
                }
            ),
            "promise": fields({"tonnes": NUMBER_OR_NULL, "told_by": TEXT, "chance": NUMBER_OR_NULL}),
            "by_year": {"type": "array", "items": year},
            "costs": _costs(),
            "tornado": {"type": "array", "items": case},
            "notes": TEXTS,
            **dict.fromkeys(("maturity", "figures", "published", "missing"), RECORDS),
            "quality": nullable(OPEN),
            "sources": TEXTS,
            **dict.fromkeys(("model_version", "as_of", "degraded"), TEXT),
            "answer_id": TEXT_OR_NULL,
        }
    )


def _costs() -> dict[str, Any]:
    ends = fields(dict.fromkeys(("mean", "low", "median", "high"), NUMBER_OR_NULL))
    return fields(
        {
            "currency": TEXT,
            "known": TEXTS,
            "left_out": TEXTS,
            "reason": TEXT_OR_NULL,
            **dict.fromkeys(
                ("money_of", "rate", "total", "per_tonne", "per_tonne_discounted", "grant"), NUMBER_OR_NULL
            ),
            "grant_per_tonne": nullable(ends),
            "break_even": fields({"support": NUMBER_OR_NULL, "missing": TEXTS}),
        }
    )
