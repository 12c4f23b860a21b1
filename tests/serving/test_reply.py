from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from features.errors import AskError, ForecarbonError, ModelError
from serving.reply import PROBLEM, Reply, of_record, problem_of, send_reply

USUAL = ((b"x-usual", b"1"),)


def sent(reply: Reply, *, bodyless: bool = False) -> tuple[dict[bytes, bytes], bytes]:
    """Headers and body as they go out."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(send_reply(reply, send, USUAL, bodyless=bodyless))
    start, *rest = messages
    assert start["type"] == "http.response.start"
    assert not rest[-1].get("more_body", False)
    assert all(message.get("more_body", False) for message in rest[:-1])
    headers = dict(start["headers"])
    assert len(headers) == len(start["headers"])
    return headers, b"".join(message["body"] for message in rest)


def test_a_whole_reply_and_its_head() -> None:
    reply = of_record({"a": 1}, 200, ((b"etag", b'"x"'),))
    headers, body = sent(reply)
    assert body == b'{"a":1}'
    assert headers == {
        b"content-type": b"application/json",
        b"etag": b'"x"',
        b"x-usual": b"1",
        b"content-length": b"7",
    }
    assert sent(reply, bodyless=True) == (headers, b"")


@pytest.mark.parametrize("status", [204, 304])
def test_a_reply_without_a_body_has_neither_kind_nor_length(status: int) -> None:
    headers, body = sent(Reply(b"", status))
    assert (set(headers), body) == ({b"x-usual"}, b"")


def test_a_stream_goes_out_part_by_part_and_not_at_all_for_a_head() -> None:
    headers, body = sent(Reply(b"", 200, b"text/csv", (), iter([b"a", b"bc", b"d"])))
    assert body == b"abcd"
    assert b"content-length" not in headers
    parts = iter([b"a"])
    assert sent(Reply(b"", 200, b"text/csv", (), parts), bodyless=True)[1] == b""
    assert next(parts) == b"a"


def problem(error: ForecarbonError) -> tuple[Reply, dict[str, Any], dict[bytes, bytes]]:
    reply = problem_of(error, path="/v1/x", request_id="r")
    return reply, json.loads(reply.body), dict(reply.extra)


def test_a_refusal_is_a_problem_document() -> None:
    fault = AskError("unknown-cluster", found="zz", expected="a cluster", remedy="see the list")
    reply, told, extra = problem(fault)
    assert (reply.status, reply.kind, extra) == (404, PROBLEM, {})
    assert (told["type"], told["title"]) == ("urn:forecarbon:refusal:unknown-cluster", "Unknown cluster")
    assert (told["status"], told["instance"], told["request_id"]) == (404, "/v1/x", "r")
    assert told["detail"] == fault.message


def test_a_refusal_says_how_to_go_on() -> None:
    words = {"found": "a", "expected": "b", "remedy": "c"}
    for code in ("key-missing", "key-unknown", "key-expired", "key-revoked"):
        reply, _, extra = problem(AskError(code, **words))  # type: ignore[arg-type]
        assert reply.status == 401
        assert extra[b"www-authenticate"].startswith(b"Bearer")
    unscoped = problem(AskError("key-unscoped", **words))  # type: ignore[arg-type]
    assert (unscoped[0].status, unscoped[2]) == (403, {})
    busy = problem(AskError("too-busy", facts={"retry_after": 7}, **words))
    assert (busy[0].status, busy[2]) == (429, {b"retry-after": b"7"})
    assert problem(ModelError("no-champion", **words))[2] == {b"retry-after": b"5"}  # type: ignore[arg-type]
    wrong = problem(AskError("method-not-allowed", facts={"allow": "GET, HEAD"}, **words))
    assert (wrong[0].status, wrong[2]) == (405, {b"allow": b"GET, HEAD"})
