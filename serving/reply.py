"""What goes back over the wire: whole and streamed replies, and refusals as problem documents (RFC 9457)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.types import Send

from features.errors import ForecarbonError
from serving.errors import body_of, retry_after, status_of, title_of
from serving.wire import write_json_bytes

JSON: Final = b"application/json"
PROBLEM: Final = b"application/problem+json"
TEXT: Final = b"text/plain; charset=utf-8"
HTML: Final = b"text/html; charset=utf-8"
URN: Final = "urn:forecarbon:refusal:"

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply.

    Attributes:
        extra: headers beside content-type, content-length and those every reply has.
        parts: chunks that are sent instead of ``body``, drawn off the event loop.
    """

    body: bytes
    status: int = 200
    kind: bytes = JSON
    extra: tuple[Header, ...] = ()
    parts: Iterator[bytes] | None = field(default=None, compare=False)


def of_record(record: Any, status: int = 200, extra: tuple[Header, ...] = ()) -> Reply:
    """A JSON reply."""
    return Reply(write_json_bytes(record), status, JSON, extra)


def problem_of(error: ForecarbonError, *, path: str, request_id: str) -> Reply:
    """A refusal as a problem document; the house's own fields are members of it."""
    status = status_of(error)
    record = {
        "type": URN + error.code,
        "title": title_of(error.code),
        "status": status,
        "detail": error.message,
        "instance": path,
        **body_of(error, request_id),
    }
    extra: list[Header] = []
    if wait := retry_after(error, status):
        extra.append((b"retry-after", str(wait).encode()))
    if status == 401:
        extra.append((b"www-authenticate", b'Bearer realm="forecarbon"'))
    if "allow" in error.facts:
        extra.append((b"allow", str(error.facts["allow"]).encode("latin-1")))
    return Reply(write_json_bytes(record), status, PROBLEM, tuple(extra))


async def send_reply(reply: Reply, send: Send, usual: tuple[Header, ...], *, bodyless: bool) -> None:
    """Send it; ``usual`` are the headers every reply has, ``bodyless`` a reply to HEAD."""
    headers = [(b"content-type", reply.kind), *reply.extra, *usual]
    if reply.status in (204, 304):
        del headers[0]
    elif reply.parts is None:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.parts is not None and not bodyless:
        await _stream(reply.parts, send)
        return
    await send({"type": "http.response.body", "body": b"" if bodyless else reply.body})


async def _stream(parts: Iterator[bytes], send: Send) -> None:
    """Chunk by chunk as the caller takes them; each is made in a thread, for it may take long."""
    while (part := await asyncio.to_thread(next, parts, None)) is not None:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
