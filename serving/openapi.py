"""The OpenAPI 3.1 document of the service, built from the same models that check requests."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from serving.wire import ForecastAsk

VERSION: Final = "1.0.0"
_REF: Final = "#/components/schemas/"
_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_OPEN: Final = {"type": "object", "additionalProperties": True}

_ERRORS: Final = {
    400: "The question is malformed or outside its bounds.",
    404: "Nothing of that name.",
    405: "The path does not take this method.",
    408: "The body came too slowly.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "The figures sent, or the series named, allow no forecast.",
    500: "A fault of ours.",
    503: "No usable champion, or no free place, for now.",
}


@cache
def document() -> dict[str, Any]:
    """The whole document; the same object each time, so do not change it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Forecarbon",
            "version": VERSION,
            "description": "Calibrated emissions forecasts of industrial clusters, in tonnes of CO2e.",
        },
        "paths": _paths(),
        "components": {"schemas": _schemas()},
    }


def _paths() -> dict[str, Any]:
    page = {"text/html": {"schema": _TEXT}}
    return {
        "/": {"get": _operation("home", "The clusters as a page", page, unavailable=page)},
        "/openapi.json": {"get": _operation("openapi", "This document", _json(_OPEN))},
        "/v1/clusters": {"get": _operation("clusters", "Every cluster", _json(_ref("Clusters")), 503)},
        "/v1/clusters/{cluster_id}": {
            "get": _operation("cluster", "One cluster", _json(_ref("Cluster")), 404, 503),
            "parameters": [{"name": "cluster_id", "in": "path", "required": True, "schema": _TEXT}],
        },
        "/v1/forecast": {"post": _forecast()},
        "/v1/models/current": {
            "get": _operation("currentModel", "Model card of the champion", _json(_ref("Model")), 503)
        },
        "/v1/findings": {
            "get": _operation("findings", "Where issued forecasts went wrong", _json(_ref("Findings")), 503)
        },
        "/v1/health": {"get": _operation("health", "Health of the service", _json(_ref("Health")), 503)},
    }


def _forecast() -> dict[str, Any]:
    example = {"clusters": ["nl-rotterdam"], "steps": 8, "levels": [80, 95]}
    return {
        **_operation(
            "forecast",
            "Forecast registry series or own history",
            _json(_ref("Answer")),
            *(400, 404, 408, 413, 415, 422, 503),
        ),
        "description": "Every name asked for is answered or listed in refusals, exactly once. If all "
        "are refused the status is 404 (none is known) or 422 (known, but without a forecast).",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref("ForecastAsk"), "example": example}},
        },
    }


def _operation(
    name: str, summary: str, content: dict[str, Any], *errors: int, unavailable: dict[str, Any] | None = None
) -> dict[str, Any]:
    failures = {str(code): _failure(code) for code in sorted({*errors, 405, 500})}
    if unavailable:
        failures["503"] = {"description": _ERRORS[503], "content": unavailable}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": summary, "content": content}, **failures},
    }


def _failure(code: int) -> dict[str, Any]:
    return {"description": _ERRORS[code], "content": _json(_ref("Error"))}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"{_REF}{name}"}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "required": sorted(required),
        "properties": {**required, **(optional or {})},
    }


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _schemas() -> dict[str, Any]:
    ask = ForecastAsk.model_json_schema(ref_template=_REF + "{model}")
    parts = ask.pop("$defs", {})
    fault = _object(
        {
            **dict.fromkeys(("code", "found", "expected", "remedy"), _TEXT),
            "offenders": _TEXTS,
            "more": {"type": "integer", "minimum": 0},
            "facts": _OPEN,
        }
    )
    return {
        **parts,
        "ForecastAsk": ask,
        **_answer_schemas(),
        **_view_schemas(),
        **_finding_schemas(),
        "Error": _object({"error": fault, "request_id": _TEXT}),
    }


def _answer_schemas() -> dict[str, Any]:
    quantiles = {"type": "object", "additionalProperties": _NUMBER}
    row = {"ds": {"type": ["string", "integer"]}, "step": {"type": "integer", "minimum": 1}}
    texts = ("unique_id", "kind", "unit", "scope", "cadence", "made_by")
    count: dict[str, Any] = {"type": "integer"}
    number, whole = {"type": ["number", "null"]}, {"type": ["integer", "null"]}
    marks = ("model_version", "recipe", "issued_at", "as_of", "request_id", "forecast_id", "degraded")
    return {
        "Row": _object({**row, "mean": _NUMBER, "quantiles": quantiles}),
        "Forecast": _object(
            {
                **dict.fromkeys(texts, _TEXT),
                "cutoff": {"type": ["string", "integer"]},
                "bridge": _nullable(_ref("Bridge")),
                "quality": _nullable(_ref("Quality")),
                "rows": {"type": "array", "items": _ref("Row")},
            }
        ),
        "Bridge": _object(
            {
                **dict.fromkeys(("cluster_id", "from_scope", "to_scope", "gas_scope"), _TEXT),
                **dict.fromkeys(("ratio", "level"), _NUMBER),
                **dict.fromkeys(("ratio_low", "ratio_high", "spread"), number),
                "years": {"type": "array", "items": {"type": "integer"}},
                "evidence": _TEXTS,
            }
        ),
        "Quality": _object(
            {
                **dict.fromkeys(("source", "source_grade", "agreement_with"), _TEXT),
                **dict.fromkeys(("periods", "agreement_years"), count),
                **dict.fromkeys(("age_days", "breaks", "contributors"), whole),
                **dict.fromkeys(("completeness", "share_imputed", "agreement"), number),
            }
        ),
        "Refusal": _object(dict.fromkeys(("unique_id", "code", "found", "expected", "remedy"), _TEXT)),
        "Answer": _object(
            {
                "forecasts": {"type": "array", "items": _ref("Forecast")},
                "refusals": {"type": "array", "items": _ref("Refusal")},
                **dict.fromkeys(marks, _TEXT),
                "sources": _TEXTS,
                "journal": {"enum": ["ok", "degraded"]},
            }
        ),
    }


def _finding_schemas() -> dict[str, Any]:
    texts = ("finding_id", "at", "plan", "kind", "model_version", "series_kind", "sentence")
    count = {"type": "integer", "minimum": 0}
    finding = {
        **dict.fromkeys(texts, _TEXT),
        "kind": {"enum": ["bias", "error", "coverage-80", "coverage-95"]},
        **dict.fromkeys(("value", "expected", "p_value", "threshold"), _NUMBER),
        "n": count,
        "years": {"type": "array", "items": {"type": "integer"}},
        "serving": {"type": "boolean"},
    }
    told = dict.fromkeys(("model_version", "as_of", "degraded"), _TEXT)
    listed = {"type": "array", "items": _ref("Finding")}
    return {
        "Finding": _object(finding),
        "Findings": _object({"findings": listed, "count": count, **told}),
    }


def _view_schemas() -> dict[str, Any]:
    told = dict.fromkeys(("model_version", "as_of", "degraded"), _TEXT)
    number = {"type": ["number", "null"]}
    latest = _nullable(_object({"ds": _TEXT, "y": _NUMBER}))
    band = dict.fromkeys(("median", "low", "high", "level"), _NUMBER)
    standing = {
        **dict.fromkeys(("scope", "cutoff", "made_by", "reason", "remedy"), _TEXT),
        "quality": _nullable(_ref("Quality")),
        "latest": latest,
        "outlook": _nullable(_object({"ds": _TEXT, **band})),
    }
    status = {"status": {"enum": ["served", "absent"]}, "unit": _TEXT}
    name = {"cluster_id": _TEXT}
    line = {**name, "name": _TEXT, "country": _TEXT, "lat": number, "lon": number, **status}
    records = {"type": "array", "items": _OPEN}
    own = ("targets", "projects", "bridges", "series", "plants", "absent_series", "history")
    lists = dict.fromkeys(own, records)
    counts = {"type": "object", "additionalProperties": {"type": "integer"}}
    return {
        "ClusterLine": _object(line, standing),
        "Clusters": _object(
            {
                "clusters": {"type": "array", "items": _ref("ClusterLine")},
                "initiative": _object(status, standing),
                **told,
            }
        ),
        "Cluster": _object({**name, "facts": _OPEN, **lists, **status, **told}, standing),
        "Model": _object(
            {
                **dict.fromkeys(("recipe", "created_at", "data_hash", "git_commit", "pack"), _TEXT),
                **dict.fromkeys(("unit", "cadence"), _TEXT),
                **told,
                "steps": {"type": "integer"},
                "paths": {"type": "integer"},
                "recipe_record": _OPEN,
                "scores": records,
                "verdict": _OPEN,
                "series": counts,
            }
        ),
        "Health": _object(
            {
                "status": {"enum": ["ok", "degraded"]},
                "pack": _TEXT,
                "refused": _nullable(_OPEN),
                "journal": {"enum": ["ok", "degraded"]},
                "rungs": counts,
                **told,
            }
        ),
    }
