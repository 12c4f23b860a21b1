"""Inventories, retrains, reliability and sources in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from features.series.words import MAX_STEPS
from serving.inventory_handlers import KINDS, WORDS
from serving.listing import MOST, USUAL
from serving.openapi_parts import (
    COUNT,
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
    nullable,
    operation,
    posted,
    query,
    ref,
    view_of,
)
from serving.saved_handlers import LONGEST_ID

_WORD: Final = {"type": "string", "minLength": 1, "maxLength": 100}
_ID: Final = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}
_FLAG: Final = {"enum": ["true", "false"]}
_TOLD: Final = dict.fromkeys(("model_version", "as_of", "degraded"), TEXT)
_ABOUT: Final = {
    "unit": "Of all figures: kg, t, kt, Mt, or ktCO2e …",
    "gas": "Of all figures: CO2, CO2e, CH4, N2O …",
    "gwp": "Set of warming potentials: AR5 or AR6.",
    "decimal": "Decimal mark of the figures.",
    "cadence": "year, quarter, month, week, day or hour.",
    "sheet": "Of a workbook, if several hold figures.",
    "encoding": "Of a CSV, if not UTF-8.",
}


def record_paths() -> dict[str, Any]:
    """Paths of inventories, and of what the store keeps of its work."""
    told = [query(name, _WORD, _ABOUT[name]) for name in WORDS]
    told += [
        query("name", _WORD, "Of the inventory, part of its sites' ids."),
        query("empty_gas_is_zero", _FLAG, "An empty gas beside others: none was emitted."),
    ]
    more = [
        query(
            "steps", {"type": "integer", "minimum": 1, "maximum": MAX_STEPS, "default": 8}, "Periods ahead."
        ),
        query("keep_good", _FLAG, "Leave bad rows out instead of refusing the file."),
    ]
    limit = query(
        "limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, "Lines in a page."
    )
    cursor = query("cursor", {"type": "string", "maxLength": 200}, "The text of next in the page before.")
    one = in_path("inventory_id", "From the answer that kept it.")
    return {
        "/v1/inventories/check": {
            "post": _sent("checkInventory", "What a file would give, row by row", "InventoryCheck", told)
        },
        "/v1/inventories": {
            "get": operation("inventories", "Your inventories", json_of(ref("Inventories")), 400, 503),
            "post": _sent("keepInventory", "Keep a file and forecast it", "InventoryKept", [*told, *more]),
        },
        "/v1/inventories/removed": {
            "post": posted("removeInventory", "Delete one of your inventories, figures and all",
                           "RemoveInventoryAsk", {"id": "0123456789abcdef0123"}, "InventoryHead")
        },
        "/v1/inventories/{inventory_id}": {
            "get": operation("inventory", "One of them", json_of(ref("InventoryRows")), 400, 404, 503,
                             parameters=[one])
        },
        "/v1/models/reliability": {
            "get": view_of("reliability", "How often bands held in the backtest", "Reliability")
        },
        "/v1/retrains": {
            "get": operation("retrains", "Every retrain, with the gate's rules", json_of(ref("RetrainsPage")),
                             400, 404, 503, parameters=[limit, cursor])
        },
        "/v1/sources": {"get": view_of("sources", "Sources, vintages and restatements", "Sources")},
    }  # fmt: skip


def _sent(name: str, summary: str, schema: str, asked: list[dict[str, Any]]) -> dict[str, Any]:
    told = operation(
        name, summary, json_of(ref(schema)), *OF_BODIES, *(404, 422, 503), parameters=asked
    )  # fmt: skip
    content: dict[str, Any] = {kind: {} for kind in KINDS}
    return {**told, "requestBody": {"required": True, "content": content}}


def record_schemas() -> dict[str, Any]:
    """Answers."""
    return {**_inventories(), **_work(), "Sources": _sources()}


def _inventories() -> dict[str, Any]:
    complaint = fields({"row": COUNT, "code": TEXT, "text": TEXT})
    complaints = {"type": "array", "items": complaint}
    point = fields({"ds": TEXT, "y": NUMBER_OR_NULL})
    series = fields(
        {
            **dict.fromkeys(("unique_id", "first", "last"), TEXT),
            "figures": COUNT,
            "newest": NUMBER_OR_NULL,
            "history": {"type": "array", "items": point},
        }
    )
    file = {**dict.fromkeys(("name", "kind", "digest", "unit", "scope"), TEXT), "cadence": TEXT_OR_NULL,
            "bytes": COUNT, "rows_read": COUNT}  # fmt: skip
    checked = fields(
        {
            **file,
            "good": {"type": "boolean"},
            **dict.fromkeys(("rows_bad", "more_complaints", "more_series"), COUNT),
            "row_word": TEXT,
            "complaints": complaints,
            "notes": complaints,
            "series": {"type": "array", "items": series},
        }
    )
    head = {**file, **dict.fromkeys(("id", "owner", "at"), TEXT), "figures": COUNT}
    kept = {"inventory": ref("InventoryHead"), "checked": ref("InventoryCheck"), "forecasts": RECORDS,
            "refusals": RECORDS, **_TOLD}  # fmt: skip
    return {
        "InventoryCheck": checked,
        "InventoryHead": fields(head),
        "RemoveInventoryAsk": {**fields({"id": _ID}), "additionalProperties": False},
        "InventoryKept": fields(kept),
        "InventoryRows": fields({**head, "rows": RECORDS}),
        "Inventories": fields({"inventories": {"type": "array", "items": fields(head)}, "count": COUNT}),
    }


def _work() -> dict[str, Any]:
    texts = ("at", "who", "plan", "action", "decision", "verdict_id", "model_version", "data_hash", "commit")
    retrain = fields({**dict.fromkeys(texts, TEXT_OR_NULL), "verdict": nullable(OPEN)})
    scores = dict.fromkeys(("mase", "sql", "coverage_80", "coverage_95"), NUMBER_OR_NULL)
    row = fields({"role": TEXT, "kind": TEXT, "step": COUNT, "n": COUNT, **scores})
    return {
        "RetrainsPage": fields(
            {
                "retrains": {"type": "array", "items": retrain},
                "count": COUNT,
                "next": TEXT_OR_NULL,
                "tracking": fields({"url": TEXT_OR_NULL, "command": TEXT}),
            }
        ),
        "Reliability": fields(
            {"rows": {"type": "array", "items": row}, **dict.fromkeys(("forecasters", "nominal"), OPEN),
             "issued": TEXTS, **_TOLD}
        ),
    }  # fmt: skip


def _sources() -> dict[str, Any]:
    texts = ("title", "publisher", "url", "licence", "evidence", "scope")
    days = ("source_id", "grade", "first", "last", "first_known_at", "last_known_at")
    source = fields({**dict.fromkeys(texts, TEXT_OR_NULL), **dict.fromkeys(days, TEXT),
                     "series": COUNT, "figures": COUNT})  # fmt: skip
    vintage = fields({"known_at": TEXT, "source_id": TEXT, "figures": COUNT, "newest": TEXT})
    changed = fields({**dict.fromkeys(("unique_id", "ds", "known_at", "source_id"), TEXT),
                      "before": NUMBER_OR_NULL, "value": NUMBER_OR_NULL})  # fmt: skip
    return fields(
        {
            "sources": {"type": "array", "items": source},
            "vintages": {"type": "array", "items": vintage},
            "restated": fields({"count": COUNT, "rows": {"type": "array", "items": changed}}),
            "origin": OPEN,
            "published": RECORDS,
            **_TOLD,
        }
    )
