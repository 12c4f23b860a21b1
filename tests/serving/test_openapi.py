from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from features.errors import AskError
from features.files import append_record
from serving.answer import answer, provenance
from serving.batch_ask import BatchAsk
from serving.errors import body_of
from serving.evidence import evidence_view
from serving.lineage import lineage_view
from serving.listing import PROMOTIONS, promotions_page, series_page
from serving.openapi import document
from serving.portfolio import portfolio
from serving.shelf import Standing
from serving.streams import WRITERS, summary
from serving.wire import ForecastAsk

MARKS = {"issued_at": "2026-11-24T08:00:00.000Z", "request_id": "r", "forecast_id": "f"}
# The contract: what is wired, and what clients are generated from.
OPERATIONS: Final = {
    ("get", "/"): "home", ("get", "/openapi.json"): "openapi", ("get", "/metrics"): "metrics",
    ("get", "/v1/clusters"): "clusters", ("get", "/v1/clusters/{cluster_id}"): "cluster",
    ("get", "/v1/series"): "series", ("get", "/v1/forecast"): "forecastByQuery",
    ("post", "/v1/forecast"): "forecast", ("post", "/v1/forecasts/batch"): "forecastBatch",
    ("get", "/v1/forecasts/{forecast_id}"): "issuedForecast", ("get", "/v1/evidence"): "evidence",
    ("get", "/v1/lineage"): "lineage", ("get", "/v1/models/current"): "currentModel",
    ("get", "/v1/promotions"): "promotions", ("post", "/v1/actuals"): "sendActuals",
    ("get", "/v1/findings"): "findings", ("get", "/v1/health"): "health",
    ("get", "/v1/insights/progress"): "progress", ("post", "/v1/insights/progress"): "ownProgress",
    ("get", "/v1/insights/compare"): "compare", ("post", "/v1/insights/compare"): "ownCompare",
    ("get", "/v1/insights/initiative"): "initiative", ("get", "/v1/insights/standings"): "standings",
    ("get", "/v1/insights/why"): "why",
    ("get", "/v1/insights/drivers"): "drivers", ("get", "/v1/insights/calibration"): "calibration",
    ("post", "/v1/insights/decomposition"): "decomposition",
    ("post", "/v1/insights/forecast-split"): "forecastSplit",
    ("post", "/v1/insights/network"): "network", ("post", "/v1/insights/plan"): "plan",
    ("post", "/v1/insights/corridors"): "corridors", ("post", "/v1/insights/contract"): "contract",
    ("get", "/v1/provenance/{answer_id}"): "provenance", ("post", "/v1/scenarios"): "scenario",
    ("get", "/v1/scenarios/saved"): "savedScenarios", ("post", "/v1/scenarios/saved"): "saveScenario",
    ("get", "/v1/scenarios/saved/{scenario_id}"): "savedScenario",
    ("post", "/v1/scenarios/removed"): "removeScenario",
    ("post", "/v1/scenarios/compare"): "compareScenarios",
    ("post", "/v1/insights/portfolio"): "portfolio",
    ("get", "/v1/insights/portfolio"): "registeredPortfolio",
    ("post", "/v1/inventories/check"): "checkInventory", ("post", "/v1/inventories"): "keepInventory",
    ("get", "/v1/inventories"): "inventories", ("get", "/v1/inventories/{inventory_id}"): "inventory",
    ("post", "/v1/inventories/removed"): "removeInventory",
    ("get", "/v1/models/reliability"): "reliability", ("get", "/v1/retrains"): "retrains",
    ("get", "/v1/sources"): "sources",
    ("post", "/v1/insights/funding"): "funding", ("post", "/v1/reports"): "ownReport",
    ("get", "/v1/reports/{cluster_id}"): "report",
}  # fmt: skip
PYTHON: Final[dict[str, Any]] = {
    "object": dict, "array": list, "string": str, "number": (int, float), "integer": int, "boolean": bool,
    "null": type(None),
}  # fmt: skip


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document()["paths"].items():
        for method, told in item.items():
            yield method, path, told


def schema_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = document()["components"]["schemas"][name]
    return found


def faults(schema: dict[str, Any], value: Any, place: str = "") -> list[str]:
    """What in ``value`` breaks ``schema``: the part of JSON Schema that the document uses."""
    if "$ref" in schema:
        return faults(schema_of(schema["$ref"].rsplit("/", 1)[1]), value, place)
    if "anyOf" in schema:
        tried = [faults(one, value, place) for one in schema["anyOf"]]
        return [] if [] in tried else tried[0]
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{place} = {value!r}"]
    kinds = schema.get("type", [])
    named = [kinds] if isinstance(kinds, str) else kinds
    if named and not any(isinstance(value, PYTHON[kind]) for kind in named):
        return [f"{place} is {type(value).__name__}, not {named}"]
    found = [f"{place} lacks {name}" for name in schema.get("required", ()) if name not in value]
    if isinstance(value, dict):
        known = schema.get("properties", {})
        more = schema.get("additionalProperties", {})
        for name, item in value.items():
            part = known.get(name, more if isinstance(more, dict) else {})
            found += faults(part, item, f"{place}.{name}")
    if isinstance(value, list) and "items" in schema:
        found += [
            fault for k, item in enumerate(value) for fault in faults(schema["items"], item, f"{place}[{k}]")
        ]
    return found


def test_the_operations_are_those_agreed() -> None:
    assert {(method, path): told["operationId"] for method, path, told in operations()} == OPERATIONS
    json.dumps(document(), allow_nan=False)


def test_every_reference_leads_somewhere() -> None:
    def refs(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"]
            for item in part.values():
                yield from refs(item)
        elif isinstance(part, list):
            for item in part:
                yield from refs(item)

    for ref in set(refs(document())):
        place: Any = document()
        for name in ref.removeprefix("#/").split("/"):
            place = place[name]


def test_parameters_of_paths_are_declared() -> None:
    for _, path, told in operations():
        named = {p["name"] for p in told.get("parameters", ()) if p.get("in") == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}, path


def test_every_refusal_is_a_problem_document_with_its_headers() -> None:
    for _, path, told in operations():
        replies = told["responses"]
        assert {"200", "405", "429", "500"} <= set(replies), path
        for code, reply in replies.items():
            assert "x-request-id" in reply["headers"]
            if int(code) >= 400 and not (path == "/" and code == "503"):
                assert list(reply["content"]) == ["application/problem+json"], (path, code)
            assert ("retry-after" in reply["headers"]) == (code in ("429", "503"))
        if "requestBody" in told:
            assert {"400", "408", "413", "415"} <= set(replies), path
        if path.startswith("/v1/") and path != "/v1/health":
            assert {"401", "403"} <= set(replies), path


def test_views_of_the_pack_can_be_asked_conditionally() -> None:
    tagged = {path for method, path, told in operations() if "304" in told["responses"]}
    assert tagged == {
        "/v1/clusters", "/v1/clusters/{cluster_id}", "/v1/series", "/v1/forecast", "/v1/evidence",
        "/v1/lineage", "/v1/models/current", "/v1/insights/progress", "/v1/insights/compare",
        "/v1/insights/initiative", "/v1/insights/why", "/v1/insights/drivers", "/v1/insights/calibration",
        "/v1/models/reliability", "/v1/sources",
        "/v1/reports/{cluster_id}", "/v1/insights/standings", "/v1/insights/portfolio",
    }  # fmt: skip
    for _, path, told in operations():
        if "304" in told["responses"]:
            assert "etag" in told["responses"]["200"]["headers"], path
            assert {"$ref": "#/components/parameters/IfNoneMatch"} in told["parameters"]


def test_forms_of_answers() -> None:
    paths = document()["paths"]
    for method in ("get", "post"):
        told = paths["/v1/forecast"][method]["responses"]
        assert set(told["200"]["content"]) == {"application/json", "text/csv"}
        assert "406" in told
    assert set(paths["/v1/forecasts/batch"]["post"]["responses"]["200"]["content"]) == set(WRITERS)
    for name, model in (("ForecastAsk", ForecastAsk), ("BatchAsk", BatchAsk)):
        shapes = [schema_of(part["$ref"].rsplit("/", 1)[1]) for part in schema_of(name)["anyOf"]]
        told = {field for shape in shapes for field in shape["properties"]}
        assert told == set(model.model_fields)


def test_keys_can_be_sent_two_ways_and_need_not_be() -> None:
    assert set(document()["components"]["securitySchemes"]) == {"bearer", "apiKey"}
    assert {} in document()["security"]


def test_the_new_views_are_what_the_document_promises(whole: Standing, tmp_path: Path) -> None:
    append_record(tmp_path / PROMOTIONS, {"at": "t"})
    named = ["aa-north/power", "bb-south/power", "aa-north/steel/mill", "initiative", "aa-north/glass"]
    for name in named:
        assert faults(schema_of("Evidence"), evidence_view(name, whole)) == []
    for name, ds in (
        ("aa-north/power", "2020"),
        ("aa-north", "2013"),
        ("initiative", "2020"),
        ("aa-north", "2030"),
    ):
        assert faults(schema_of("Lineage"), lineage_view(name, ds, whole)) == []
    assert faults(schema_of("SeriesPage"), series_page(whole, limit=2)) == []
    assert faults(schema_of("PromotionsPage"), promotions_page(tmp_path)) == []


def test_views_of_a_model_that_keeps_nothing_are_what_the_document_promises(standing: Standing) -> None:
    assert faults(schema_of("Evidence"), evidence_view("aa-north", standing)) == []
    assert faults(schema_of("Lineage"), lineage_view("aa-north", "2020", standing)) == []
    assert faults(schema_of("Lineage"), lineage_view("aa-north", "2030", standing)) == []


def test_batches_are_what_the_document_promises(whole: Standing) -> None:
    asked = portfolio(BatchAsk(all=True), whole)
    marks = provenance(whole, **MARKS)
    lines = [
        json.loads(line) for line in b"".join(WRITERS["application/x-ndjson"](asked, marks)).splitlines()
    ]
    assert [fault for line in lines[:-1] for fault in faults(schema_of("Forecast"), line)] == []
    assert faults(schema_of("BatchSummary"), summary(asked, marks)) == []
    assert (
        faults(
            schema_of("Answer"),
            {**answer(ForecastAsk(clusters=["aa-north"]), whole, **MARKS), "journal": "ok"},
        )
        == []
    )


def test_a_problem_document_is_what_the_document_promises() -> None:
    body = body_of(AskError("x", found="a", expected="b", remedy="c"), "r")
    outer = {"type": "about:blank", "title": "x", "status": 400, "detail": "d", "instance": "/v1/forecast"}
    assert faults(schema_of("Problem"), {**outer, **body}) == []
    assert faults(schema_of("Problem"), body) != []


@pytest.mark.parametrize("value", [{"unique_id": 1}, {}, [], None])
def test_the_check_of_these_tests_sees(value: Any) -> None:
    assert faults(schema_of("Forecast"), value) != []
