"""One request as the edge sees it: a few headers, the query, and a body bounded in size and in time."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl
from uuid import uuid4

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from features.errors import AskError
from serving.errors import shown
from serving.wire import MAX_BODY_BYTES

SECONDS: Final = 5.0
# What is moderately too long is read to its end and thrown away: a caller still sending would miss
# the answer.
DRAINED: Final = 8 * MAX_BODY_BYTES
JSON: Final = "application/json"
MAX_QUERY: Final = 2_000
_READ: Final = frozenset(
    {
        *(b"accept", b"accept-encoding", b"authorization"),
        *(b"content-encoding", b"content-length", b"content-type"),
        *(b"forwarded", b"host", b"if-none-match", b"origin", b"access-control-request-method"),
        *(b"x-api-key", b"x-forwarded-for", b"x-request-id"),
    }
)
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        scope, receive: of ASGI.
        heads: the headers that are read here, by name in lower case; of one sent twice the last.
        request_id: the caller's, if it is one, else a fresh one.
    """

    scope: Scope
    receive: Receive
    heads: dict[bytes, bytes]
    request_id: str

    @staticmethod
    def of(scope: Scope, receive: Receive) -> Call:
        """The request of an ASGI scope."""
        heads = {name: value for name, value in scope["headers"] if name in _READ}
        given = heads.get(b"x-request-id")
        if given is not None and _REQUEST_ID.fullmatch(given):
            return Call(scope, receive, heads, given.decode("ascii"))
        return Call(scope, receive, heads, uuid4().hex)

    def head(self, name: bytes) -> str:
        """A header as text, "" without it."""
        return self.heads.get(name, b"").decode("latin-1")

    def query(self, *allowed: str) -> dict[str, list[str]]:
        """The query's fields, each with all its values.

        Raises:
            AskError: a field that is not allowed here, or too many.
        """
        raw = self.scope["query_string"].decode("latin-1")
        try:
            pairs = parse_qsl(raw, keep_blank_values=True, max_num_fields=MAX_QUERY, errors="strict")
        except (ValueError, UnicodeDecodeError) as fault:
            raise AskError(
                "malformed-query",
                found=f"a query that cannot be read: {shown(str(fault))}",
                expected=f"at most {MAX_QUERY} fields in UTF-8",
                remedy="see /openapi.json for every field",
            ) from None
        told: dict[str, list[str]] = {}
        for name, value in pairs:
            told.setdefault(name, []).append(value)
        odd = [shown(name) for name in told if name not in allowed]
        if odd:
            raise AskError(
                "unknown-field",
                found=f"a field {odd[0]} in the query",
                expected="only " + (", ".join(allowed) or "a path without a query"),
                offenders=odd,
                remedy=f"leave {odd[0]} out; see /openapi.json for every field",
            )
        return told

    @property
    def media(self) -> str:
        """The media type of the body, in lower case and without parameters."""
        return self.head(b"content-type").split(";")[0].strip().lower()

    async def body(self, kinds: tuple[str, ...] = (JSON,)) -> bytes:
        """The body, of one of the media types ``kinds``.

        Raises:
            AskError: another content type, too many bytes, or bytes that come too slowly.
            ClientDisconnect: the caller is gone.
        """
        self._check_headers(kinds)
        try:
            async with asyncio.timeout(SECONDS):
                return await self._bounded()
        except TimeoutError:
            raise AskError(
                "body-too-slow",
                found=f"a body that had not arrived after {SECONDS:g} s",
                expected="the whole body within that time",
                remedy="send the request again over a better line",
            ) from None

    async def _bounded(self) -> bytes:
        chunks, size, more = [], 0, True
        while more and size <= DRAINED:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunk = message.get("body", b"")
            size += len(chunk)
            if size <= MAX_BODY_BYTES:
                chunks.append(chunk)
            more = message.get("more_body", False)
        if size > MAX_BODY_BYTES:
            raise _too_large(f"{size} bytes" if size <= DRAINED else f"more than {DRAINED} bytes")
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _check_headers(self, kinds: tuple[str, ...]) -> None:
        heads = self.heads
        kind = heads.get(b"content-type", b"")
        if kind != b"application/json" or JSON not in kinds or b"content-encoding" in heads:
            self._check_kind(kinds)
        length = heads.get(b"content-length", b"")
        if length.isdigit() and int(length[:18]) > DRAINED:
            raise _too_large(f"{length[:18].decode()} bytes")

    def _check_kind(self, kinds: tuple[str, ...]) -> None:
        kind, coding = self.head(b"content-type"), self.head(b"content-encoding") or "identity"
        if self.media in kinds and coding.strip().lower() == "identity":
            return
        found = f"content-type {shown(kind)!r}" if kind else "no content-type"
        raise AskError(
            "wrong-content-type",
            found=found if coding == "identity" else f"content-encoding {shown(coding)!r}",
            expected=" or ".join(kinds) + ", not compressed",
            remedy=f"send the header content-type: {kinds[0]}, and the body as it is",
        )


def _too_large(found: str) -> AskError:
    return AskError(
        "body-too-large",
        found=found,
        expected=f"at most {MAX_BODY_BYTES} bytes",
        remedy="split the request, or use `forecarbon forecast --history`",
    )
