from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from features.errors import AskError
from serving import call as module
from serving.call import DRAINED, MAX_QUERY, Call
from serving.wire import MAX_BODY_BYTES

KIND = (b"content-type", b"application/json")


def call_of(*heads: tuple[bytes, bytes], query: bytes = b"", parts: list[Any] | None = None) -> Call:
    """A call whose body comes in ``parts``: bytes, None for a caller who hangs up, "…" for one who waits."""
    left = list(parts or [b"{}"])

    async def receive() -> dict[str, Any]:
        part = left.pop(0)
        if part == "…":
            await asyncio.sleep(60)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(left)}

    scope = {"type": "http", "path": "/", "method": "POST", "headers": list(heads), "query_string": query}
    return Call.of(scope, receive)


def body_of(call: Call) -> bytes:
    return asyncio.run(call.body())


def code_of(call: Call) -> str:
    with pytest.raises(AskError) as refused:
        body_of(call)
    return refused.value.code


@pytest.mark.parametrize("given", [b"mine", b"a" * 64, b"A-b_c.9"])
def test_a_plain_request_id_is_kept(given: bytes) -> None:
    assert call_of((b"x-request-id", given)).request_id == given.decode()


@pytest.mark.parametrize("given", [b"", b"a" * 65, b"a b", b"a\n", b"\xff", b"<b>"])
def test_any_other_is_replaced(given: bytes) -> None:
    fresh = call_of((b"x-request-id", given)).request_id
    assert len(fresh) == 32
    assert fresh != call_of().request_id


def test_of_a_header_sent_twice_the_last_counts_and_others_are_not_kept() -> None:
    call = call_of((b"accept", b"a"), (b"accept", b"b"), (b"cookie", b"c"))
    assert call.heads == {b"accept": b"b"}
    assert (call.head(b"accept"), call.head(b"cookie")) == ("b", "")


def test_a_query_is_read_with_every_value() -> None:
    assert call_of(query=b"a=1&b=%C3%BC&a=2&c=").query("a", "b", "c") == {
        "a": ["1", "2"],
        "b": ["ü"],
        "c": [""],
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (b"x=1", "unknown-field"),
        (b"a=%ff", "malformed-query"),
        (b"a=1&" * (MAX_QUERY + 1), "malformed-query"),
        (b"\xff=1", "unknown-field"),
    ],
)
def test_a_query_with_something_else_is_refused(query: bytes, code: str) -> None:
    with pytest.raises(AskError) as refused:
        call_of(query=query).query("a")
    assert refused.value.code == code


def test_a_body_comes_in_parts() -> None:
    assert body_of(call_of(KIND, parts=[b'{"a"', b"", b": 1}"])) == b'{"a": 1}'
    assert body_of(call_of((b"content-type", b"Application/JSON ; charset=utf-8"))) == b"{}"
    assert body_of(call_of(KIND, (b"content-encoding", b"Identity"))) == b"{}"
    assert len(body_of(call_of(KIND, parts=[b" " * MAX_BODY_BYTES]))) == MAX_BODY_BYTES


@pytest.mark.parametrize(
    "heads",
    [
        (),
        ((b"content-type", b"text/plain"),),
        ((b"content-type", b"application/jsonx"),),
        ((b"content-type", b"\xff"),),
        (KIND, (b"content-encoding", b"gzip")),
        (KIND, (b"content-encoding", b"identity, gzip")),
    ],
)
def test_what_is_no_plain_json_is_not_read(heads: tuple[tuple[bytes, bytes], ...]) -> None:
    assert code_of(call_of(*heads, parts=["…"])) == "wrong-content-type"


def test_a_large_body_is_refused_however_it_comes() -> None:
    half = b" " * (MAX_BODY_BYTES // 2 + 1)
    assert code_of(call_of(KIND, parts=[half, half])) == "body-too-large"
    assert code_of(call_of(KIND, parts=[half] * 40)) == "body-too-large"
    for length in (b"%d" % (DRAINED + 1), b"9" * 5_000):
        # A length alone is enough: nothing is awaited.
        assert code_of(call_of(KIND, (b"content-length", length), parts=["…"])) == "body-too-large"
    assert body_of(call_of(KIND, (b"content-length", b"-1"))) == b"{}"


def test_a_slow_body_and_one_whose_caller_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.02)
    assert code_of(call_of(KIND, parts=[b"{", "…"])) == "body-too-slow"
    with pytest.raises(ClientDisconnect):
        body_of(call_of(KIND, parts=[b"{", None]))
