"""The body of a request: JSON by its headers, bounded in size and in time."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request

from features.errors import AskError
from serving.errors import shown
from serving.wire import MAX_BODY_BYTES

SECONDS: Final = 5.0
# What is moderately too long is read to its end and thrown away: a caller still sending would miss
# the answer.
DRAINED: Final = 8 * MAX_BODY_BYTES
JSON: Final = "application/json"


async def read_body(request: Request) -> bytes:
    """The JSON body of a request.

    Raises:
        AskError: another content type, too many bytes, or bytes that come too slowly.
    """
    _check_headers(request)
    try:
        async with asyncio.timeout(SECONDS):
            return await _bounded(request)
    except TimeoutError:
        raise AskError(
            "body-too-slow",
            found=f"a body that had not arrived after {SECONDS:g} s",
            expected="the whole body within that time",
            remedy="send the request again over a better line",
        ) from None


async def _bounded(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > DRAINED:
            break
        if size <= MAX_BODY_BYTES:
            chunks.append(chunk)
    if size > MAX_BODY_BYTES:
        raise _too_large(f"{size} bytes" if size <= DRAINED else f"more than {DRAINED} bytes")
    return b"".join(chunks)


def _check_headers(request: Request) -> None:
    kind = request.headers.get("content-type", "")
    coding = request.headers.get("content-encoding", "identity")
    if kind.split(";")[0].strip().lower() != JSON or coding.strip().lower() != "identity":
        found = f"content-type {shown(kind)!r}" if kind else "no content-type"
        raise AskError(
            "wrong-content-type",
            found=found if coding == "identity" else f"content-encoding {shown(coding)!r}",
            expected=f"{JSON}, not compressed",
            remedy=f"send the header content-type: {JSON}, and the body as it is",
        )
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:18]) > DRAINED:
        raise _too_large(f"{length[:18]} bytes")


def _too_large(found: str) -> AskError:
    return AskError(
        "body-too-large",
        found=found,
        expected=f"at most {MAX_BODY_BYTES} bytes",
        remedy="split the request, or use `forecarbon forecast --history`",
    )
