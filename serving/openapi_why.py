"""Why emissions moved, in the OpenAPI document: paths and schemas."""

from __future__ import annotations

from typing import Any, Final

from insights.brief import languages
from insights.goals import FIRST_YEAR, LAST_YEAR
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
    query,
    view_of,
)
from serving.own_split import LARGEST, LONGEST_NAME, MOST_PARTS, MOST_PERIODS
from serving.split_ahead import FASTEST

_YEAR: Final = {"type": "integer", "minimum": FIRST_YEAR, "maximum": LAST_YEAR}
_TOLD: Final = {**dict.fromkeys(("model_version", "as_of", "degraded"), TEXT), "answer_id": TEXT_OR_NULL}
_TABLE: Final = {
    "periods": [2019, 2024],
    "parts": ["steel", "cement"],
    "emissions": [[10e6, 8e6], [4e6, 4.2e6]],
    "activity": [[5e6, 4.4e6], [6e6, 6.5e6]],
}
_SCENARIO: Final = {
    "series": "gb-humber/combustion",
    "activity": {"gb-humber/combustion": 1e7},
    "yearly": 0.01,
}
_NUMBERS: Final = {"type": "object", "additionalProperties": NUMBER}


def why_paths() -> dict[str, Any]:
    """Paths below /v1/insights about why."""
    about = query(
        "series", {"type": "string", "minLength": 1}, "Cluster, sector or initiative.", required=True
    )
    span = [
        about,
        query("start_year", _YEAR, "First year; five before the last without it."),
        query("end_year", _YEAR, "Last year; the newest without it."),
        query("language", {"enum": list(languages())}, "Of the brief."),
    ]
    step = query("step", {"type": "integer", "minimum": 1, "maximum": 30, "default": 1}, "Period ahead.")
    ahead = "A forecast split into activity, mix and intensity"
    return {
        "/v1/insights/why": {"get": view_of("why", "Why emissions moved between two years", "Why", span)},
        "/v1/insights/drivers": {
            "get": view_of("drivers", "How the model came to its forecast", "Drivers", [about, step])
        },
        "/v1/insights/calibration": {
            "get": view_of("calibration", "How well chances of targets came true", "Calibration", [])
        },
        "/v1/insights/decomposition": {
            "post": posted(
                "decomposition", "Your own table split (LMDI)", "TableAsk", _TABLE, "Decomposition"
            )
        },
        "/v1/insights/forecast-split": {
            "post": posted("forecastSplit", ahead, "ForecastSplitAsk", _SCENARIO, "ForecastSplit")
        },
    }


def why_schemas() -> dict[str, Any]:
    """Questions and answers about why."""
    return {**_asks(), **_why(), **_splits()}


def _asks() -> dict[str, Any]:
    label = {"anyOf": [{"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}, {"type": "integer"}]}
    cell = {"anyOf": [{"type": "number", "minimum": -LARGEST, "maximum": LARGEST}, {"type": "null"}]}
    row = {"type": "array", "minItems": 2, "maxItems": MOST_PERIODS, "items": cell}
    rows = {"type": "array", "minItems": 1, "maxItems": MOST_PARTS, "items": row}
    spread = {"type": "number", "minimum": 0, "maximum": 1}
    output = {"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST}
    rate = {"type": "number", "minimum": -FASTEST, "maximum": FASTEST}
    table = {
        "periods": {"type": "array", "minItems": 2, "maxItems": MOST_PERIODS, "items": label},
        "parts": {"type": "array", "minItems": 1, "maxItems": MOST_PARTS, "items": label},
        "emissions": {**rows, "description": "tCO2e: a row a part, a cell a period; null where it was not."},
        "activity": {**rows, "description": "Output in one unit, null where the part was not there."},
    }
    may = {
        "mix": {"type": "boolean", "description": "False where activities have unlike units."},
        "activity_unit": {"anyOf": [label["anyOf"][0], {"type": "null"}]},
        **dict.fromkeys(("emissions_spread", "activity_spread"), spread),
    }
    scenario = {
        "series": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME},
        "activity": {"type": "object", "additionalProperties": output},
    }
    either = {
        "yearly": {"anyOf": [rate, {"type": "object", "additionalProperties": rate}]},
        "ahead": {"type": "object", "additionalProperties": {"type": "array", "items": output}},
        "steps": {"type": "integer", "minimum": 1, "maximum": 30},
        "mix": {"type": "boolean"},
    }
    return {
        "TableAsk": {**fields(table, may), "additionalProperties": False},
        "ForecastSplitAsk": {**fields(scenario, either), "additionalProperties": False},
    }


def _why() -> dict[str, Any]:
    part = fields(
        {"unique_id": TEXT, "kind": TEXT, "change": NUMBER, "scope_change": NUMBER},
        dict.fromkeys(("start", "end", "share"), NUMBER_OR_NULL),
    )
    event = {
        "year": COUNT,
        "kind": TEXT,
        **dict.fromkeys(("change", "percent"), NUMBER_OR_NULL),
        "codes": TEXTS,
        "evidence": OPEN,
    }
    said = fields({"key": TEXT, "text": TEXT, "values": RECORDS})
    told = {
        **dict.fromkeys(("unique_id", "name", "kind", "unit"), TEXT),
        **dict.fromkeys(("start_year", "end_year"), COUNT),
        **dict.fromkeys(("start", "end", "change"), NUMBER),
        "percent": NUMBER_OR_NULL,
        **dict.fromkeys(("like_for_like", "scope", "plants", "split"), OPEN),
        "contributions": {"type": "array", "items": part},
        "events": {"type": "array", "items": fields({"unique_id": TEXT, **event, "cause": nullable(OPEN)})},
        "shocks": {"type": "array", "items": fields({**event, "same_way": {"type": ["boolean", "null"]}})},
        "brief": {"type": "array", "items": said},
    }
    drivers = {
        **dict.fromkeys(("unique_id", "kind", "unit", "ds", "cutoff", "says", "made_by"), TEXT),
        "step": COUNT,
        "summed": TEXTS,
        **dict.fromkeys(("anchor", "centre", "served_mean", "after_centre"), NUMBER),
        "members": RECORDS,
        "booster": nullable(OPEN),
    }
    marks = {name: schema for name, schema in _TOLD.items() if name != "answer_id"}
    scores = dict.fromkeys(("scores", "undecided"), RECORDS)
    return {
        "Why": fields({**told, **_TOLD}),
        "Drivers": fields({**drivers, **_TOLD}),
        "Calibration": fields({**scores, "targets": OPEN, "issued": TEXTS, **marks}),
    }


def _splits() -> dict[str, Any]:
    table = {
        **dict.fromkeys(("unit", "formula", "start_period", "end_period"), TEXT),
        "activity_unit": TEXT_OR_NULL,
        **dict.fromkeys(("start", "end", "change", "residual"), NUMBER),
        "percent": NUMBER_OR_NULL,
        **dict.fromkeys(("effects", "chained"), _NUMBERS),
        **dict.fromkeys(("ratios", "spreads"), nullable(OPEN)),
        "parts": RECORDS,
        "steps": RECORDS,
        "answer": OPEN,
    }
    ahead = {
        **dict.fromkeys(("unique_id", "kind", "unit", "cutoff", "activity"), TEXT),
        "summed": TEXTS,
        "start": NUMBER,
        "levels": {"type": "array", "items": NUMBER},
        "steps": RECORDS,
    }
    return {"Decomposition": fields({**table, **_TOLD}), "ForecastSplit": fields({**ahead, **_TOLD})}
