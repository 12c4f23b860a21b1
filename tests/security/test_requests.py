"""Attacks over HTTP: paths, headers, logs, SQL, depth. Each is sent as a caller would send it."""

from __future__ import annotations

import json
import logging
import time
from typing import Any
from urllib.parse import quote

import pytest

from serving.edge import Edge
from serving.routes import FILES, GETS, NAMED, PAGES, POSTS
from tests.security.conftest import CANARY
from tests.serving.desks import asked

UP = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "....//", "%252e%252e%252f", "/", "%00/../")
TARGETS = ("secret.txt", "secret.json", "store/secret.txt", "etc/passwd", "state.db", "packs/current.json")
SQL = ("' OR '1'='1", '" OR 1=1 --', "x'; DROP TABLE keys; --", "%' UNION SELECT secret_sha256 FROM keys --")


@pytest.mark.parametrize("start", sorted({*NAMED, *FILES, *(path for path in PAGES if path.endswith("/"))}))
def test_no_name_in_a_path_leads_to_a_file(edge: Edge, start: str) -> None:
    for up in UP:
        for depth in (1, 2, 5):
            for target in TARGETS:
                reply = asked(edge, "GET", f"{start}{up * depth}{target}")
                # Of a page of clusters any name is one that no cluster has.
                assert reply.status_code in (400, 404, 422), (reply.status_code, reply.url)
                assert CANARY not in reply.text
                assert "root:" not in reply.text
                assert "SQLite format" not in reply.text


@pytest.mark.parametrize("start", sorted({*NAMED, *FILES, *(path for path in PAGES if path.endswith("/"))}))
@pytest.mark.parametrize("name", SQL)
def test_no_name_in_a_path_is_sql(edge: Edge, start: str, name: str) -> None:
    reply = asked(edge, "GET", start + quote(name))
    assert reply.status_code in (400, 404, 422)
    assert "sqlite" not in reply.text.lower()
    assert "pk_" not in reply.text
    assert asked(edge, "GET", "/v1/health").json()["status"] in ("ok", "degraded")


@pytest.mark.parametrize("path", sorted(set(GETS) - {"/"}))
def test_no_field_of_a_query_is_sql(edge: Edge, path: str) -> None:
    for text in SQL:
        for field in ("cursor", "limit", "cluster", "series", "unique_id", "since", "owner"):
            reply = asked(edge, "GET", path, params={field: text})
            assert reply.status_code < 500, (path, field, reply.text)


CRLF = ("a\r\nset-cookie: stolen=1", "a\nx-evil: 1", "a\r\n\r\n<script>", "a\u2028b", "=cmd\r\nx: y")


@pytest.mark.parametrize("text", CRLF)
def test_no_word_of_a_caller_makes_a_header(edge: Edge, text: str) -> None:
    body = {"series": [text, "aa-north/total"], "clusters": [text], "steps": 2}
    sent: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/v1/forecast", {"json": body, "headers": {"accept": "text/csv"}}),
        ("POST", "/v1/forecast", {"json": body}),
        ("GET", "/v1/forecast", {"params": {"series": text}, "headers": {"accept": "text/csv"}}),
        ("GET", "/clusters/" + quote(text), {}),
        ("GET", "/v1/clusters/" + quote(text), {}),
        ("POST", "/v1/inventories/check",
         {"content": b"facility_id,year,emissions\n", "params": {"name": text},
          "headers": {"content-type": "text/csv"}}),
    ]  # fmt: skip
    for method, path, more in sent:
        reply = asked(edge, method, path, **more)
        assert reply.status_code < 500
        assert "set-cookie" not in reply.headers
        for name, value in reply.headers.raw:
            assert not set(name + value) & {10, 13, 0}, (name, value)


@pytest.mark.parametrize("given", [b"a\r\nx-evil: 1", b"a b", b"<script>", b"\xff\xfe", b"x" * 65, b""])
def test_a_request_id_that_is_none_is_not_sent_back(edge: Edge, given: bytes) -> None:
    reply = asked(edge, "GET", "/v1/health", headers={b"x-request-id": given})
    assert len(reply.headers["x-request-id"]) == 32


def test_a_caller_writes_no_line_of_the_log(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    edge.access_log = True
    forged = '/v1/clusters/x\n{"event": "denied", "client": "forged"}\x1b[31m\r\n'
    with caplog.at_level(logging.INFO, logger="bentoml.forecarbon"):
        asked(edge, "GET", forged.replace("\n", "%0a").replace("\r", "%0d").replace("\x1b", "%1b"))
    lines = [record.getMessage() for record in caplog.records]
    (line,) = lines
    assert not set(line) & {"\n", "\r", "\x1b"}
    assert json.loads(line)["event"] == "request"


@pytest.mark.parametrize("path", sorted(POSTS))
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"series":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b"9" * 900_000,
    ],
    ids=["lists", "objects", "closed", "digits"],
)
def test_depth_and_digits_are_refused_at_once(edge: Edge, path: str, body: bytes) -> None:
    begun = time.process_time()
    reply = asked(edge, "POST", path, content=body, headers={"content-type": "application/json"})
    assert 400 <= reply.status_code < 500, reply.text[:300]
    assert time.process_time() - begun < 3.0
    assert len(reply.content) < 10_000


SLOW = (
    "a" * 60_000 + "!", "1" * 60_000 + "x", " " * 60_000 + "x", "2.5 " * 15_000, "9**9**9**9 t/year",
    "1e999999999 Mt/year", "a/" * 30_000, "2020-" * 12_000, "=" * 60_000, "(((((" * 10_000,
)  # fmt: skip


@pytest.mark.parametrize("text", SLOW, ids=range(len(SLOW)))
def test_no_text_keeps_a_pattern_busy(edge: Edge, text: str) -> None:
    lever = {"name": text, "kind": "efficiency", "capacity": text, "start": 2028, "cost": text}
    sent: list[tuple[str, dict[str, Any]]] = [
        ("/v1/scenarios", {"series": "aa-north", "levers": [lever], "grid": text}),
        ("/v1/forecast", {"series": [text], "steps": 2}),
        ("/v1/forecast", {"history": [{"unique_id": text, "ds": text, "y": 1.0}], "steps": 2}),
    ]
    for path, body in sent:
        begun = time.process_time()
        assert 400 <= asked(edge, "POST", path, json=body).status_code < 500
        assert time.process_time() - begun < 2.0, path


def test_what_a_page_shows_is_text_and_its_scripts_are_ours(edge: Edge) -> None:
    evil = "</title><script>alert(1)</script>{{7*7}}${7*7}"
    reply = asked(edge, "GET", f"/clusters/{evil}", params={"q": evil})
    assert "<script>alert" not in reply.text
    assert "49" not in reply.text.replace("charset", "")
    policy = reply.headers["content-security-policy"]
    for must in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert must in policy
    assert "unsafe-" not in policy


@pytest.mark.parametrize("path", ["/", "/v1/health", "/v1/nowhere", "/v1/clusters", "/assets/x.js"])
def test_every_reply_has_the_usual_headers(edge: Edge, path: str) -> None:
    heads = asked(edge, "GET", path).headers
    assert heads["x-content-type-options"] == "nosniff"
    assert heads["x-frame-options"] == "DENY"
    assert heads["referrer-policy"] == "no-referrer"
    assert heads["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in heads
    assert "server" not in heads


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
def test_no_page_of_another_origin_may_read_an_answer(edge: Edge, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        heads = asked(edge, method, "/v1/clusters", headers={"origin": origin}).headers
        assert "access-control-allow-origin" not in heads
        assert "access-control-allow-credentials" not in heads
