"""Schemas of questions, forecasts and problems."""

from __future__ import annotations

from typing import Any, Final

from serving.actuals import LARGEST
from serving.batch_ask import BatchAsk
from serving.feedback import ISO_DAY, MOST_ACTUALS
from serving.openapi_parts import (
    COUNT,
    NUMBER,
    NUMBER_OR_NULL,
    OPEN,
    REF,
    TEXT,
    TEXTS,
    fields,
    listed,
    nullable,
    ref,
)
from serving.wire import MAX_ROWS, ForecastAsk

MOST_PATHS: Final = 200
_INTEGER: Final = {"type": "integer"}
_DAY: Final = {"type": ["string", "integer"]}
_OWN_DAY: Final = {
    "anyOf": [
        {"type": "string", "pattern": "^(17|18|19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$"},
        {"type": "integer", "minimum": 1700, "maximum": 2199},
    ],
    "description": "First day of the period, or its year; also 2024-03, 2024Q1 and instants, all rows alike.",
}
_MARKS: Final = (*("model_version", "recipe", "issued_at", "as_of", "request_id", "forecast_id", "degraded"),)


def ask_schemas() -> dict[str, Any]:
    """What may be asked, from the models that check it."""
    ask = ForecastAsk.model_json_schema(ref_template=REF + "{model}")
    batch = BatchAsk.model_json_schema(ref_template=REF + "{model}")
    parts = {**ask.pop("$defs", {}), **batch.pop("$defs", {})}
    for name, schema in _pinned().items():
        ask["properties"][name] = schema
    # A row without a figure is read, so that the refusal can name it.
    parts["HistoryRow"]["properties"] |= {"ds": _OWN_DAY, "y": {"type": "number"}}
    parts |= {"RegistryAsk": _registry_ask(ask), "OwnAsk": _own_ask(ask), "NamedBatch": _named_batch(batch)}
    parts |= {"WholeBatch": _whole_batch(batch)}
    either = {"ForecastAsk": ("RegistryAsk", "OwnAsk"), "BatchAsk": ("NamedBatch", "WholeBatch")}
    told = {name: {"title": name, "anyOf": [ref(part) for part in some]} for name, some in either.items()}
    return {**parts, **told, "ActualsAsk": _actuals()}


def _shape(
    ask: dict[str, Any], title: str, without: tuple[str, ...], **needed: dict[str, Any]
) -> dict[str, Any]:
    """One of the questions a model takes: without fields of the other, and with those it needs."""
    kept = {name: schema for name, schema in ask["properties"].items() if name not in without}
    return {"title": title, "type": "object", "additionalProperties": False, "properties": {**kept, **needed}}


def _registry_ask(ask: dict[str, Any]) -> dict[str, Any]:
    shape = _shape(ask, "RegistryAsk", ("history", "cadence"))
    return {**shape, "anyOf": [_filled("clusters"), _filled("series")]}


def _own_ask(ask: dict[str, Any]) -> dict[str, Any]:
    others = ("clusters", "series", "include_sectors", "scope", "paths", "as_of", "model_version")
    rows = {"type": "array", "minItems": 1, "maxItems": MAX_ROWS, "items": ref("HistoryRow")}
    return {**_shape(ask, "OwnAsk", others, history=rows), "required": ["history"]}


def _named_batch(batch: dict[str, Any]) -> dict[str, Any]:
    shape = _shape(batch, "NamedBatch", ("kinds", "cluster_id"), all={"const": False})
    return {**shape, "anyOf": [_filled("clusters"), _filled("series")]}


def _whole_batch(batch: dict[str, Any]) -> dict[str, Any]:
    shape = _shape(batch, "WholeBatch", ("clusters", "series"), all={"const": True})
    return {**shape, "required": ["all"]}


def _filled(name: str) -> dict[str, Any]:
    """The list of that name is there, and not empty."""
    return {"required": [name], "properties": {name: {"minItems": 1}}}


def _pinned() -> dict[str, Any]:
    """Fields of ``ForecastAsk`` that choose paths and the pack that answers."""
    text = {"type": "string", "minLength": 1, "maxLength": 40}
    return {
        "paths": {
            "type": "integer",
            "minimum": 0,
            "maximum": MOST_PATHS,
            "default": 0,
            "description": "How many joint sample paths to send with each forecast that has them.",
        },
        "as_of": {
            "anyOf": [
                {"type": "string", "format": "date"},
                {"type": "string", "format": "date-time"},
                {"type": "null"},
            ],
            "default": None,
            "description": "A date or instant: the figures known then, of the champion or a kept pack.",
        },
        "model_version": {
            **nullable({**text, "maxLength": 200}),
            "default": None,
            "description": "Answer by this version or not at all.",
        },
    }


def _actuals() -> dict[str, Any]:
    name = {"type": "string", "minLength": 1, "maxLength": 200}
    row = {
        "type": "object",
        "additionalProperties": False,
        "required": ["ds", "source", "unique_id", "y"],
        "properties": {
            "unique_id": name,
            "ds": {"type": "string", "format": "date", "pattern": ISO_DAY},
            "y": {"type": "number", "minimum": 0, "maximum": LARGEST, "description": "Tonnes of CO2e."},
            "source": {**name, "description": "Where the figure is from, in words of yours."},
        },
    }
    rows = {"type": "array", "minItems": 1, "maxItems": MOST_ACTUALS, "items": row}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["rows"],
        "properties": {"rows": rows},
    }


def forecast_schemas() -> dict[str, Any]:
    """A forecast, what travels beside it, and the answers that hold it."""
    answer = {
        "forecasts": listed("Forecast"),
        "refusals": listed("Refusal"),
        **dict.fromkeys(_MARKS, TEXT),
        "sources": TEXTS,
        "journal": {"enum": ["ok", "degraded"]},
    }
    return {
        "Row": _row(),
        "Forecast": _forecast(),
        "Bridge": _bridge(),
        "Quality": _quality(),
        "Refusal": fields(dict.fromkeys(("unique_id", "code", "found", "expected", "remedy"), TEXT)),
        "Answer": fields(answer),
        "BatchSummary": _summary(),
        "Issued": fields(
            dict.fromkeys(("forecast_id", "issued_at", "as_of", "model_version", "request_id"), TEXT),
            {"request": OPEN, "answered": COUNT, "refused": COUNT, "digest": TEXT, "pack": nullable(OPEN)},
        ),
    }


def _row() -> dict[str, Any]:
    quantiles = {"type": "object", "additionalProperties": NUMBER}
    step = {"type": "integer", "minimum": 1}
    return fields({"ds": _DAY, "step": step, "mean": NUMBER, "quantiles": quantiles})


def _forecast() -> dict[str, Any]:
    texts = ("unique_id", "kind", "unit", "scope", "cadence", "made_by")
    path = {"type": "array", "items": NUMBER}
    return fields(
        {
            **dict.fromkeys(texts, TEXT),
            "cutoff": _DAY,
            "bridge": nullable(ref("Bridge")),
            "quality": nullable(ref("Quality")),
            "rows": {"type": "array", "items": ref("Row")},
        },
        {
            "paths": {
                **nullable({"type": "array", "items": path}),
                "description": "Joint sample paths if asked for: one list a path, one number a step. Paths "
                "of one answer belong together: add series path by path.",
            }
        },
    )


def _bridge() -> dict[str, Any]:
    return fields(
        {
            **dict.fromkeys(("cluster_id", "from_scope", "to_scope", "gas_scope"), TEXT),
            **dict.fromkeys(("ratio", "level"), NUMBER),
            **dict.fromkeys(("ratio_low", "ratio_high", "spread"), NUMBER_OR_NULL),
            "years": {"type": "array", "items": _INTEGER},
            "evidence": TEXTS,
            "informed_by": {
                "type": "array",
                "items": _INTEGER,
                "description": "Years whose published totals weigh the paths: those that missed them count "
                "less. Empty where none was published since, or where the totals contradict the forecast.",
            },
        }
    )


def _quality() -> dict[str, Any]:
    whole = {"type": ["integer", "null"]}
    return fields(
        {
            **dict.fromkeys(("source", "source_grade", "agreement_with"), TEXT),
            **dict.fromkeys(("periods", "agreement_years"), _INTEGER),
            **dict.fromkeys(("age_days", "breaks", "contributors"), whole),
            **dict.fromkeys(("completeness", "share_imputed", "agreement"), NUMBER_OR_NULL),
        }
    )


def _summary() -> dict[str, Any]:
    return fields(
        {
            **dict.fromkeys((*_MARKS, "unit"), TEXT),
            "steps": COUNT,
            "quantiles": {"type": "array", "items": NUMBER},
            "answered": COUNT,
            "refused": COUNT,
            "refusals": listed("Refusal"),
            "sources": TEXTS,
        }
    )


def error_schemas() -> dict[str, Any]:
    """A refusal: in our own words under ``error``, and as RFC 9457 would have it around them."""
    texts = dict.fromkeys(("code", "found", "expected", "remedy"), TEXT)
    fault = fields({**texts, "offenders": TEXTS, "more": COUNT, "facts": OPEN})
    own = {"error": ref("Fault"), "request_id": TEXT}
    link = {"type": "string", "format": "uri-reference"}
    status = {"type": "integer", "minimum": 400, "maximum": 599}
    outer = {"type": link, "title": TEXT, "status": status, "detail": TEXT, "instance": link}
    return {"Fault": fault, "Error": fields(own), "Problem": fields({**outer, **own})}
