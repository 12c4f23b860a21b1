from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.findings import append_new, read_findings
from serving.desk import Desk
from serving.edge import Edge
from serving.guard import Guard, Rules
from serving.journal import Journal, read_entries
from serving.keys import Keyring
from serving.launch import serve_command
from serving.meters import Meters
from serving.openapi import document
from serving.own_history import Kitchen
from serving.pages.assets import charts_address, held
from serving.pages.charts import charts_of
from serving.routes import GETS, NAMED, POSTS, ROUTES
from serving.shelf import Shelf
from serving.state import state_of
from tests.features.test_findings import ONE
from tests.serving.test_own_history import fake_engine

NOW = "2026-11-24T08:00:00.000Z"
Call = Callable[..., httpx.Response]


@pytest.fixture
def edge(store: Path) -> Iterator[Edge]:
    made = Edge()
    shelf = Shelf(store)
    shelf.refresh()
    journal = Journal(store)
    state = state_of(store)
    keyring = Keyring(state)
    made.desk = Desk(
        store=store, shelf=shelf, journal=journal, kitchen=Kitchen(fake_engine), state=state,
        keyring=keyring, guard=Guard(Rules(), keyring), meters=Meters(ROUTES), clock=lambda: NOW,
        ticks=time.perf_counter, new_id=lambda: "j1",
    )  # fmt: skip
    yield made
    made.desk.kitchen.close()
    journal.close()


def call(edge: Edge, method: str, path: str, **more: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=edge, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
            return await client.request(method, path, **more)

    return asyncio.run(once())


def test_an_issued_forecast_is_in_the_journal(edge: Edge, store: Path) -> None:
    reply = call(
        edge, "POST", "/v1/forecast", json={"clusters": ["aa-north"]}, headers={"x-request-id": "mine"}
    )
    told = reply.json()
    assert reply.status_code == 200
    assert reply.headers["x-request-id"] == told["request_id"] == "mine"
    assert (told["issued_at"], told["forecast_id"], told["journal"]) == (NOW, "20261124-j1", "ok")
    assert edge.desk is not None
    edge.desk.journal.close()
    (kept,) = read_entries(store)
    assert kept["request_id"] == "mine"


def test_a_failing_journal_never_blocks_an_answer(edge: Edge, store: Path) -> None:
    assert edge.desk is not None
    edge.desk.journal.close()
    (store / "state.db").mkdir()
    edge.desk = replace(edge.desk, journal=Journal(store))
    ask = {"clusters": ["aa-north"]}
    assert call(edge, "POST", "/v1/forecast", json=ask).status_code == 200
    for _ in range(100):
        if edge.desk.journal.state == "degraded":
            break
        asyncio.run(asyncio.sleep(0.01))
    reply = call(edge, "POST", "/v1/forecast", json=ask)
    assert (reply.status_code, reply.json()["journal"]) == (200, "degraded")
    assert call(edge, "GET", "/v1/health").json()["status"] == "degraded"
    edge.desk.journal.close()


def test_own_history_is_answered(edge: Edge) -> None:
    rows = [{"unique_id": "p", "ds": year, "y": 1.0 * year} for year in range(2015, 2023)]
    told = call(edge, "POST", "/v1/forecast", json={"history": rows, "steps": 3}).json()
    assert [row["ds"] for row in told["forecasts"][0]["rows"]] == [2023, 2024, 2025]
    assert told["as_of"] == NOW
    assert told["sources"] == ["rows sent by the caller"]


def test_a_bug_is_one_log_line_and_tells_the_caller_nothing_of_its_inside(
    edge: Edge, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("serving.desk.answer", broken)
    with caplog.at_level(logging.INFO, logger="bentoml.forecarbon"):
        reply = call(edge, "POST", "/v1/forecast", json={"clusters": ["aa-north"]})
    assert reply.status_code == 500
    assert reply.json()["error"]["code"] == "internal-error"
    assert "secret" not in reply.text
    (record,) = caplog.records
    assert record.exc_info is None
    said = json.loads(record.getMessage())
    assert said["event"] == "bug"
    assert said["said"] == "secret inside"
    assert said["places"][-1].startswith("broken:")


def test_a_value_that_is_not_finite_is_a_bug_and_never_goes_out(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.handlers.clusters_view", lambda standing: {"y": float("nan")})
    assert call(edge, "GET", "/v1/clusters").status_code == 500


def test_a_worker_that_is_starting_says_so() -> None:
    reply = call(Edge(), "GET", "/v1/clusters")
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "starting")
    assert reply.headers["retry-after"]


def test_a_strange_request_id_is_replaced(edge: Edge) -> None:
    reply = call(edge, "GET", "/v1/clusters", headers={"x-request-id": "a b<script>"})
    assert len(reply.headers["x-request-id"]) == 32


def test_a_page_escapes_what_the_registry_says(edge: Edge) -> None:
    page = call(edge, "GET", "/clusters/aa-north").text
    assert "North &lt;Port&gt;" in page
    assert "North <Port>" not in page
    assert "http" not in page.replace("<!doctype html>", "")


def test_a_page_of_no_cluster_is_a_page_all_the_same(edge: Edge) -> None:
    reply = call(edge, "GET", "/clusters/nowhere")
    assert (reply.status_code, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert call(edge, "GET", "/clusters/").json()["error"]["code"] == "unknown-path"


def test_pages_do_not_need_a_champion(edge: Edge, tmp_path: Path) -> None:
    """What is missing the API says, and the page shows it."""
    assert edge.desk is not None
    edge.desk = replace(edge.desk, shelf=Shelf(tmp_path / "empty"))
    for path in ("/", "/clusters/aa-north"):
        assert call(edge, "GET", path).status_code == 200


def test_pages_run_no_script_but_their_own(edge: Edge) -> None:
    reply = call(edge, "GET", "/?anything=goes")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in reply.text
    assert " style=" not in reply.text
    again = call(edge, "GET", "/", headers={"if-none-match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_files_of_the_pages_are_kept_by_browsers_and_sent_compressed(edge: Edge) -> None:
    for path in held():
        reply = call(edge, "GET", path, headers={"accept-encoding": "gzip"})
        assert reply.status_code == 200
        assert reply.headers["content-encoding"] == "gzip"
        assert "immutable" in reply.headers["cache-control"]
        for coding in ("identity", "br", "gzip;q=0"):
            plain = call(edge, "GET", path, headers={"accept-encoding": coding})
            assert "content-encoding" not in plain.headers
            assert plain.content == reply.content
    assert call(edge, "GET", "/assets/0/style.css").json()["error"]["code"] == "unknown-path"
    assert call(edge, "GET", "/assets/../shells.py").status_code == 404


def test_the_chart_library_is_made_once_and_kept_in_the_store(edge: Edge, store: Path) -> None:
    first = call(edge, "GET", charts_address())
    assert first.status_code == 200
    assert b"vegaEmbed" in first.content
    kept = store / "pages" / charts_address().rsplit("/", 1)[1]
    made = kept.stat().st_mtime_ns
    charts_of.cache_clear()
    assert call(edge, "GET", charts_address()).content == first.content == kept.read_bytes()
    assert kept.stat().st_mtime_ns == made


def test_a_chart_library_that_cannot_be_made_is_refused(edge: Edge, store: Path) -> None:
    charts_of.cache_clear()
    (store / "pages").write_text("in the way")
    reply = call(edge, "GET", charts_address())
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "charts-unmade")


def test_a_cluster_shows_facts_targets_series_and_what_ended(edge: Edge) -> None:
    told = call(edge, "GET", "/v1/clusters/aa-north").json()
    assert told["facts"]["name"] == "North <Port>"
    assert told["targets"][0]["value"] == 55.0
    assert [item["unique_id"] for item in told["series"]] == ["aa-north/power", "aa-north/steel"]
    assert [item["unique_id"] for item in told["absent_series"]] == ["aa-north/glass"]
    assert told["latest"] == told["history"][-1]
    assert told["outlook"]["low"] < told["outlook"]["median"] < told["outlook"]["high"]
    absent = call(edge, "GET", "/v1/clusters/cc-east").json()
    assert (absent["status"], absent["reason"]) == ("absent", "no public record")


@pytest.mark.parametrize(
    "path",
    ["/v1/clusters", "/v1/clusters/aa-north", "/v1/clusters/cc-east", "/v1/models/current", "/v1/health"],
)
def test_answers_hold_what_the_document_promises(edge: Edge, path: str) -> None:
    template = "/v1/clusters/{cluster_id}" if path.count("/") == 3 and "clusters" in path else path
    operation = document()["paths"][template]["get"]
    check(
        operation["responses"]["200"]["content"]["application/json"]["schema"], call(edge, "GET", path).json()
    )


def test_a_forecast_holds_what_the_document_promises(edge: Edge) -> None:
    ask = {"clusters": ["aa-north", "cc-east"], "steps": 2}
    schemas = document()["components"]["schemas"]
    check(schemas["Answer"], call(edge, "POST", "/v1/forecast", json=ask).json())
    check(schemas["Error"], call(edge, "POST", "/v1/forecast", json={}).json())


def check(schema: dict[str, Any], value: Any) -> None:
    """The part of JSON Schema that the document uses, in the plain and slow way."""
    if "$ref" in schema:
        check(document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], value)
    elif "anyOf" in schema:
        if value is not None:
            check(schema["anyOf"][0], value)
    elif "enum" in schema:
        assert value in schema["enum"]
    else:
        check_type(schema, value)


def check_type(schema: dict[str, Any], value: Any) -> None:
    wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    types: dict[str, Any] = {
        "object": dict, "array": list, "string": str, "number": (int, float), "integer": int,
    }  # fmt: skip
    assert any(value is None if name == "null" else isinstance(value, types[name]) for name in wanted), value
    if isinstance(value, dict):
        assert set(schema.get("required", ())) <= set(value)
        for name, part in schema.get("properties", {}).items():
            if name in value:
                check(part, value[name])
    if isinstance(value, list):
        for item in value:
            check(schema["items"], item)


def test_the_document_tells_of_every_path_and_of_no_other() -> None:
    served = {(path, "GET") for path in GETS} | {(path, "POST") for path in POSTS}
    endings = {
        "/v1/clusters/": "{cluster_id}",
        "/v1/forecasts/": "{forecast_id}",
        "/v1/inventories/": "{inventory_id}",
        "/v1/provenance/": "{answer_id}",
        "/v1/scenarios/saved/": "{scenario_id}",
        "/v1/reports/": "{cluster_id}",
    }
    served |= {(start + endings[start], "GET") for start in NAMED}
    told = {
        (path, method.upper())
        for path, item in document()["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert served == told
    json.dumps(document(), allow_nan=False)


def printed(root: Path, code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_nothing_on_the_request_path_imports_mlflow_or_training(root: Path) -> None:
    code = (
        "import sys, serving.service, models.engine\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('mlflow', 'training')))"
    )
    assert printed(root, code) == "[]"


def test_the_launcher_needs_nothing_heavy(root: Path) -> None:
    code = (
        "import sys, serving.launch\n"
        "print([m for m in ('bentoml', 'pandas', 'numpy', 'mlflow') if m in sys.modules])"
    )
    assert printed(root, code) == "[]"


def test_the_command_serves_in_production_mode_on_an_address(tmp_path: Path) -> None:
    argv, env = serve_command(host="localhost", port=3000, workers=2, store=tmp_path, base_env={})
    assert argv[argv.index("--host") + 1] == "127.0.0.1"
    assert "--development" not in argv
    assert "--reload" not in argv
    assert env["FORECARBON_STORE"] == str(tmp_path)
    assert env["BENTOML_DO_NOT_TRACK"] == "True"
    assert json.loads(env["BENTOML_CONFIG_OVERRIDES"]) == {"services": {"forecarbon": {"workers": 2}}}


def test_findings_are_told_newest_first_and_whose_they_are(edge: Edge, store: Path) -> None:
    assert edge.desk is not None
    assert call(edge, "GET", "/v1/findings").json()["findings"] == []
    version = edge.desk.shelf.standing.pack.model_version
    kept = [replace(ONE, model_version=name, finding_id=name) for name in ("gone", version)]
    append_new(store, kept)
    edge.desk = replace(edge.desk, read_findings=lambda: read_findings(store))
    told = call(edge, "GET", "/v1/findings").json()
    assert [(item["finding_id"], item["serving"]) for item in told["findings"]] == [
        (version, True), ("gone", False),
    ]  # fmt: skip
    assert told["count"] == 2
    schema = document()["components"]["schemas"]["Finding"]
    assert set(told["findings"][0]) == set(schema["properties"]) == set(schema["required"])
