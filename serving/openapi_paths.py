"""The paths of the OpenAPI document: what can be asked, and every status an answer can have."""

from __future__ import annotations

from typing import Any, Final, get_args

from features.series.words import MAX_STEPS
from serving.batch_ask import Kind
from serving.csv_answer import CSV
from serving.listing import MOST, USUAL
from serving.openapi_insights import insight_paths
from serving.openapi_parts import (
    JSON,
    OF_BODIES,
    OPEN,
    TEXT,
    in_path,
    json_of,
    operation,
    query,
    ref,
)
from serving.openapi_records import record_paths
from serving.openapi_reports import report_paths
from serving.openapi_saved import saved_paths
from serving.openapi_scenarios import scenario_paths
from serving.streams import ARROW, NDJSON, PARQUET
from serving.wire import HIGHEST_LEVEL, MAX_IDS, MAX_QUANTILES

_HTML: Final = {"text/html": {"schema": TEXT}}
_CURSOR: Final = query("cursor", {"type": "string", "maxLength": 200}, "The text of next in the page before.")
_LIMIT: Final = query(
    "limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, "Lines in a page."
)
_NAMES: Final = {
    "type": "array",
    "maxItems": MAX_IDS,
    "items": {"type": "string", "minLength": 1, "maxLength": 200},
}
_IN_CSV: Final = {
    "x-forecarbon-refusals": {
        "description": "Of a CSV answer: the refusals, as a JSON list, shortened where it is long.",
        "schema": TEXT,
    },
}
_EXAMPLE: Final = {"clusters": ["nl-rotterdam"], "steps": 8, "levels": [80, 95]}
_ALL_PLANTS: Final = {"all": True, "kinds": ["plant"], "steps": 8}


def paths() -> dict[str, Any]:
    """Every path."""
    views = {
        **insight_paths(),
        **scenario_paths(),
        **saved_paths(),
        **record_paths(),
        **report_paths(),
    }
    return {**_pages(), **_forecasts(), **_reads(), **views, **_feedback(), **_operations()}


def _pages() -> dict[str, Any]:
    home = operation("home", "The clusters as a page", _HTML, open_to_all=True, unavailable=_HTML)
    told = operation("openapi", "This document", json_of(OPEN), open_to_all=True)
    return {"/": {"get": home}, "/openapi.json": {"get": told}}


def _forecasts() -> dict[str, Any]:
    issued = operation(
        "issuedForecast",
        "What the journal keeps of an issued forecast",
        json_of(ref("Issued")),
        *(400, 404, 503),
        parameters=[in_path("forecast_id", "From the answer.")],
    )
    return {
        "/v1/forecast": {"get": _forecast_by_query(), "post": _forecast_by_body()},
        "/v1/forecasts/batch": {"post": _batch()},
        "/v1/forecasts/{forecast_id}": {"get": issued},
    }


def _forecast_by_query() -> dict[str, Any]:
    level = {"type": "number", "exclusiveMinimum": 0, "maximum": HIGHEST_LEVEL}
    levels = {"type": "array", "minItems": 1, "maxItems": MAX_QUANTILES // 2, "items": level}
    return operation(
        "forecastByQuery",
        "Forecast registry series",
        _answer(),
        *(400, 404, 406, 422, 503),
        tagged=True,
        headers=_IN_CSV,
        parameters=[
            query("clusters", _NAMES, "Clusters; repeat for several."),
            query("series", _NAMES, "Series; repeat for several."),
            query("steps", _steps(), "Periods ahead."),
            query("levels", levels, "Central bands in percent; repeat for several."),
        ],
    )


def _steps() -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "maximum": MAX_STEPS, "default": 8}


def _forecast_by_body() -> dict[str, Any]:
    return {
        **operation(
            "forecast",
            "Forecast registry series or own history",
            _answer(),
            *OF_BODIES,
            *(404, 406, 422, 503),
            headers=_IN_CSV,
        ),
        "description": "Every name asked for is answered or listed in refusals, exactly once. If all "
        "are refused the status is 404 (none is known) or 422 (known, but without a forecast).",
        "requestBody": _body("ForecastAsk", _EXAMPLE),
    }


def _batch() -> dict[str, Any]:
    content = {NDJSON: {"schema": {"type": "string"}}, ARROW: {}, PARQUET: {}}
    return {
        **operation(
            "forecastBatch",
            "Forecasts of a whole portfolio, streamed",
            content,
            *OF_BODIES,
            *(404, 406, 422, 503),
        ),
        "description": "Accept decides the form; NDJSON without one. NDJSON: one Forecast a line, "
        'and as the last line {"summary": BatchSummary}: an answer without it was cut short. Arrow and '
        "Parquet: a long table (unique_id, kind, cluster_id, sector, scope, cutoff, made_by, ds, step, mean, "
        "q0.025 …) with BatchSummary as JSON in the schema's metadata under forecarbon.",
        "requestBody": _body("BatchAsk", _ALL_PLANTS),
    }


def _answer() -> dict[str, Any]:
    return {**json_of(ref("Answer")), CSV: {"schema": TEXT}}


def _body(name: str, example: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {JSON: {"schema": ref(name), "example": example}}}


def _reads() -> dict[str, Any]:
    series = query("series", {"type": "string", "minLength": 1}, "A unique_id.", required=True)
    day = {"type": "string", "format": "date"}
    ds = query("ds", day, "Any day of the period, such as 2024-01-01.", required=True)
    one = in_path("cluster_id", "A cluster of GET /v1/clusters.")
    kind = query("kind", {"enum": list(get_args(Kind))}, "Only series of this kind.")
    inside = query("cluster_id", TEXT, "Only series of this cluster.")
    current = "Model card of the champion"
    wrong = "Where issued forecasts went wrong"
    good, whence = "How good the forecasts of a series were", "Where a number comes from"
    return {
        "/v1/clusters": {"get": _pack_view("clusters", "Every cluster", "Clusters")},
        "/v1/clusters/{cluster_id}": {"get": _pack_view("cluster", "One cluster", "Cluster", 404, ask=[one])},
        "/v1/series": {
            "get": _pack_view(
                *("series", "The served series, in pages", "SeriesPage", 400, 404),
                ask=[kind, inside, _LIMIT, _CURSOR],
            )
        },
        "/v1/evidence": {"get": _pack_view("evidence", good, "Evidence", 400, 404, ask=[series])},
        "/v1/lineage": {"get": _pack_view("lineage", whence, "Lineage", 400, 404, ask=[series, ds])},
        "/v1/models/current": {"get": _pack_view("currentModel", current, "Model")},
        "/v1/findings": {"get": operation("findings", wrong, json_of(ref("Findings")), 503)},
        "/v1/promotions": {
            "get": operation(
                "promotions",
                "Who became champion when, and why",
                json_of(ref("PromotionsPage")),
                *(400, 404, 503),
                parameters=[_LIMIT, _CURSOR],
            )
        },
    }


def _pack_view(
    name: str, summary: str, schema: str, *errors: int, ask: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """A view of what is served; it changes only with the served model or its figures."""
    return operation(name, summary, json_of(ref(schema)), *errors, 503, tagged=True, parameters=ask or ())


def _feedback() -> dict[str, Any]:
    rows = [{"unique_id": "nl-rotterdam", "ds": "2025-01-01", "y": 18.9e6, "source": "own metering"}]
    return {
        "/v1/actuals": {
            "post": {
                **operation(
                    "sendActuals",
                    "Tell what came true",
                    json_of(ref("ActualsAccepted")),
                    *OF_BODIES,
                    *(404, 422, 503),
                ),
                "requestBody": _body("ActualsAsk", {"rows": rows}),
            }
        }
    }


def _operations() -> dict[str, Any]:
    health = operation("health", "Health of the service", json_of(ref("Health")), 503, open_to_all=True)
    metrics = operation("metrics", "Counters for Prometheus", {"text/plain": {"schema": TEXT}}, 503)
    return {"/v1/health": {"get": health}, "/metrics": {"get": metrics}}
