"""The production server, started once as anyone would start it, on a small champion without training."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.files import read_json
from serving.journal import find
from serving.launch import serve_command
from serving.layout import CURRENT
from tests.serving.synthetic import VERSION, Fake, Kit

READY_SECONDS = 90.0
SWAP_SECONDS = 15.0
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        client: speaks to it.
        store: what it serves.
        log: everything it printed.
    """

    client: httpx.Client
    store: Path
    log: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("api")
    store, log = place / "store", place / "server.log"
    store.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    argv, env = serve_command(host="localhost", port=port, workers=1, store=store)
    with log.open("wb") as stream:
        env["PYTHONFAULTHANDLER"] = "1"
        process = subprocess.Popen(argv, env=env, stdout=stream, stderr=stream, start_new_session=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            try:
                wait_until(lambda: answers(client), READY_SECONDS, log)
            except AssertionError:
                process.send_signal(signal.SIGABRT)  # has it print where it hangs
                process.wait(timeout=10)
                raise AssertionError(log.read_text()) from None
            # The store is empty so far: whatever else this server does, it starts without a champion.
            first = client.get("/v1/models/current")
            assert first.status_code == 503, first.text
            assert first.json()["error"]["code"] == "no-champion"
            assert "forecarbon retrain" in first.json()["error"]["remedy"]
            Kit().publish(store)
            wait_until(lambda: version(client) == VERSION, SWAP_SECONDS, log)
            yield Server(client, store, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert "Traceback" not in log.read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/livez").status_code == 200
    except httpx.TransportError:
        return False


def version(client: httpx.Client) -> str:
    return str(client.get("/v1/health").json().get("model_version", ""))


def wait_until(what: Callable[[], bool], seconds: float, log: Path) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def forecast(server: Server, **question: Any) -> dict[str, Any]:
    reply = server.client.post("/v1/forecast", json=question)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


def test_a_cluster_is_forecast(server: Server) -> None:
    told = forecast(server, clusters=["aa-north"], steps=8, levels=[80, 95])
    (item,) = told["forecasts"]
    assert [row["step"] for row in item["rows"]] == list(range(1, 9))
    assert list(item["rows"][0]["quantiles"]) == ["0.025", "0.1", "0.5", "0.9", "0.975"]
    values = list(item["rows"][7]["quantiles"].values())
    assert values == sorted(values)
    assert told["model_version"] == VERSION
    assert told["issued_at"].endswith("Z")


def test_own_history_is_forecast_by_the_engine(server: Server) -> None:
    rows = [{"unique_id": f"plant-{k}", "ds": str(year), "y": 1000.0 * (k + 1) + (year * 7919 + k) % 50}
            for k in range(3) for year in range(2005, 2023)]  # fmt: skip
    told = forecast(server, history=rows, steps=4, quantiles=[0.1, 0.9])
    assert [item["unique_id"] for item in told["forecasts"]] == ["plant-0", "plant-1", "plant-2"]
    first = told["forecasts"][0]
    assert [row["ds"] for row in first["rows"]] == ["2023", "2024", "2025", "2026"]
    assert all(row["quantiles"]["0.1"] <= row["quantiles"]["0.9"] for row in first["rows"])
    assert first["made_by"]


def test_every_view_answers(server: Server) -> None:
    listed = server.client.get("/v1/clusters").json()
    assert [line["status"] for line in listed["clusters"]] == ["served", "served", "absent"]
    assert server.client.get("/v1/clusters/aa-north").json()["series"]
    card = server.client.get("/v1/models/current").json()
    assert (card["verdict"]["decision"], card["git_commit"]) == ("promote", "0" * 40)
    assert server.client.get("/v1/health").json()["status"] == "ok"
    assert server.client.get("/v1/findings").json()["findings"] == []
    assert server.client.get("/openapi.json").json()["openapi"] == "3.1.0"
    for probe in ("/livez", "/readyz"):
        assert server.client.get(probe).status_code == 200


def test_the_first_page_is_our_own_and_asks_nobody_else(server: Server) -> None:
    reply = server.client.get("/")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/html")
    assert "Forecarbon" in reply.text
    assert "<script>" not in reply.text
    assert "://" not in reply.text
    assert "default-src 'self'" in reply.headers["content-security-policy"]


def ask(**question: Any) -> bytes:
    return json.dumps(question).encode()


def own(*values: str) -> bytes:
    """A history of one series, every row in the same year, with its values as JSON text."""
    rows = ", ".join(f'{{"unique_id": "a", "ds": "2019", "y": {value}}}' for value in values)
    return f'{{"history": [{rows}]}}'.encode()


# What is posted to /v1/forecast as application/json, and how it is refused.
BAD_QUESTIONS: dict[str, tuple[bytes, int, str]] = {
    "unknown cluster": (ask(clusters=["zz"]), 404, "unknown-cluster"),
    "unknown series": (ask(series=["zz/y"]), 404, "unknown-series"),
    "absent cluster": (ask(clusters=["cc-east"]), 422, "series-absent"),
    "steps 0": (ask(clusters=["aa-north"], steps=0), 400, "steps-out-of-range"),
    "level 101": (ask(clusters=["aa-north"], levels=[101]), 400, "level-out-of-range"),
    "unknown field": (ask(clusters=["aa-north"], colour=1), 400, "unknown-field"),
    "malformed": (b'{"clusters": [', 400, "malformed-json"),
    "no utf-8": (b'{"clusters": ["\xff"]}', 400, "malformed-json"),
    "deep": (b"[" * 500_000, 400, "malformed-json"),
    "lone surrogate": (b'{"clusters": ["\\ud800"]}', 400, "invalid-value"),
    "no object": (b"[1]", 400, "invalid-value"),
    "nothing asked": (b"{}", 400, "nothing-asked"),
    "NaN": (own("1", "NaN"), 422, "value-missing"),
    "null": (own("null"), 422, "value-missing"),
    "duplicates": (own("1", "2"), 422, "duplicate-rows"),
    "infinite": (own("1e999"), 422, "value-not-finite"),
    "huge": (b" " * 3_000_000, 413, "body-too-large"),
}

# Method, path, headers; an empty object is sent where a body is due.
BAD_REQUESTS: dict[str, tuple[str, str, dict[str, str], int, str]] = {
    "content type": ("POST", "/v1/forecast", {"content-type": "text/plain"}, 415, "wrong-content-type"),
    "strange header": ("POST", "/v1/forecast", {"content-type": "\xff"}, 415, "wrong-content-type"),
    "compressed": ("POST", "/v1/forecast", {**JSON, "content-encoding": "gzip"}, 415, "wrong-content-type"),
    "no content type": ("POST", "/v1/forecast", {}, 415, "wrong-content-type"),
    "method": ("DELETE", "/v1/forecast", {}, 405, "method-not-allowed"),
    "probe by post": ("POST", "/livez", {}, 404, "unknown-path"),
    "unknown path": ("GET", "/v2/forecast", {}, 404, "unknown-path"),
    "unknown cluster page": ("GET", "/v1/clusters/zz", {}, 404, "unknown-cluster"),
    "path of strange bytes": ("GET", "/v1/clusters/%ff%00", {}, 404, "unknown-cluster"),
    "BentoML's own pages": ("GET", "/docs.json", {}, 404, "unknown-path"),
}


@pytest.mark.parametrize("name", BAD_QUESTIONS)
def test_a_bad_question_is_refused_in_our_form(server: Server, name: str) -> None:
    body, status, code = BAD_QUESTIONS[name]
    refused(server, server.client.post("/v1/forecast", content=body, headers=JSON), status, code)


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_bad_request_is_refused_in_our_form(server: Server, name: str) -> None:
    method, path, headers, status, code = BAD_REQUESTS[name]
    raw = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]
    body = b"{}" if method == "POST" else None
    refused(server, server.client.request(method, path, content=body, headers=raw), status, code)


def refused(server: Server, reply: httpx.Response, status: int, code: str) -> None:
    told = reply.json()
    assert (reply.status_code, told["error"]["code"]) == (status, code), reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert set(told) == {"type", "title", "status", "detail", "instance", "error", "request_id"}
    assert (told["status"], told["type"]) == (status, f"urn:forecarbon:refusal:{code}")
    assert set(told["error"]) == {"code", "found", "expected", "offenders", "more", "remedy", "facts"}
    assert all(told["error"][name] for name in ("found", "expected", "remedy"))
    assert told["request_id"] == reply.headers["x-request-id"]
    assert "Traceback" not in server.log.read_text()


def test_a_caller_who_hangs_up_leaves_no_trace(server: Server) -> None:
    host, port = server.client.base_url.host, server.client.base_url.port
    for part in (
        b"POST /v1/for",
        b"POST /v1/forecast HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 90\r\n\r\n{",
    ):
        with socket.create_connection((host, int(port or 0))) as line:
            line.sendall(part)
    assert server.client.get("/v1/health").status_code == 200
    assert "Traceback" not in server.log.read_text()


def test_an_issued_forecast_is_journalled(server: Server) -> None:
    told = forecast(server, series=["initiative"], steps=1)

    def kept() -> bool:
        return find(server.store, told["forecast_id"]) is not None

    wait_until(kept, 5.0, server.log)


def test_champions_are_swapped_live_and_a_corrupt_one_is_refused(server: Server) -> None:
    before = forecast(server, clusters=["aa-north"], steps=1)["forecasts"][0]["rows"][0]["mean"]
    Kit(version="doubled", champion=Fake(scale=2.0)).publish(server.store)
    seen = set()

    def swapped() -> bool:
        told = forecast(server, clusters=["aa-north"], steps=1)
        mean = told["forecasts"][0]["rows"][0]["mean"]
        seen.add((told["model_version"], round(mean / before, 6)))
        return bool(told["model_version"] == "doubled")

    wait_until(swapped, SWAP_SECONDS, server.log)
    assert seen <= {(VERSION, 1.0), ("doubled", 2.0)}

    pack = Kit(version="spoilt").write(server.store)
    Kit(version="spoilt").publish(server.store)
    grid = pack / "grid.npy"
    raw = grid.read_bytes()
    replaced = pack / "spoilt.npy"
    replaced.write_bytes(raw[:-8] + b"\0" * 8)
    replaced.replace(grid)
    (server.store / CURRENT).write_bytes((server.store / CURRENT).read_bytes())

    def health() -> dict[str, Any]:
        told: dict[str, Any] = server.client.get("/v1/health").json()
        return told

    wait_until(lambda: health()["refused"] is not None, SWAP_SECONDS, server.log)
    assert health()["status"] == "degraded"
    assert health()["refused"]["code"] == "pack-corrupt"
    assert forecast(server, clusters=["aa-north"], steps=1)["forecasts"]
    assert read_json(server.store / CURRENT)["model_version"] == "spoilt"

    Kit().publish(server.store)
    wait_until(lambda: version(server.client) == VERSION, SWAP_SECONDS, server.log)
    assert health()["status"] == "ok"
