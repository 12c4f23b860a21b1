"""One reply of a server read to its end: whole, within bounds, and as long as it said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from features.errors import DataError
from features.logins import shown_address
from features.sources.connection import CountedStream
from features.sources.partial import Partial, Told

AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Bounds:
    """How far a fetch may go.

    Attributes:
        size: bytes, of the file as it is kept.
        seconds: all tries and waits together.
        stall: seconds without a byte after which a try is given up.
        connect: seconds to make a connection.
        tries: requests for the file, redirects not counted.
        redirects: hops of one try.
        pause: seconds before the second try; doubled before each further one.
        longest_pause: no wait is longer, unless the server asks for it within ``seconds``.
    """

    size: int = 2 << 30
    seconds: float = 1800.0
    stall: float = 30.0
    connect: float = 15.0
    tries: int = 6
    redirects: int = 5
    pause: float = 0.5
    longest_pause: float = 30.0


class Again(Exception):
    """This try failed, the next may not: ``fault`` is raised if it was the last, ``after`` is in seconds."""

    def __init__(self, fault: DataError, after: float | None = None) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.after = after


def failed(code: str, url: str, *, found: str, expected: str, remedy: str = "") -> DataError:
    """The refusal of a fetch."""
    return DataError(
        code,
        found=f"{shown_address(url)}: {found}",
        expected=expected,
        remedy=remedy or "try later, or fetch the file yourself and give it with --file",
        facts={"url": url},
    )


def refused(reply: httpx.Response, url: str) -> DataError | Again:
    """What a status that brings no file means: worth another try, or not."""
    fault = failed(
        "source-refused", url, found=f"status {reply.status_code}", expected="status 200 and the file",
        remedy="correct the address if the file has moved; otherwise try later or give the file with --file",
    )  # fmt: skip
    return Again(fault, _after(reply)) if reply.status_code in AGAIN else fault


def told_by(reply: httpx.Response) -> Told:
    """What a whole reply says of the file."""
    headers = reply.headers
    length = headers.get("content-length", "") if not encoded(reply) else ""
    return Told(
        etag=headers.get("etag", ""),
        last_modified=headers.get("last-modified", ""),
        length=int(length) if length.isdecimal() else None,
    )


def encoded(reply: httpx.Response) -> bool:
    """True where the server packed the body for the way, though it was asked not to."""
    return reply.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")


def length_continued(reply: httpx.Response, offset: int, told: Told) -> int | None:
    """Length of the whole file if a partial reply goes on exactly where it stopped and it is still that file.

    None where the reply is of another part, or of a file that has changed since.
    """
    found = _RANGE.fullmatch(reply.headers.get("content-range", "").strip())
    if found is None or encoded(reply):
        return None
    whole = int(found[3])
    now = told_by(reply)
    same = (
        int(found[1]) == offset
        and int(found[2]) == whole - 1
        and told.length in (None, whole)
        and (not now.etag or not told.etag or now.etag == told.etag)
        and (not now.last_modified or not told.last_modified or now.last_modified == told.last_modified)
    )
    return whole if same else None


def body_into(
    partial: Partial,
    reply: httpx.Response,
    url: str,
    bounds: Bounds,
    told: Progress | None,
    whole: int | None,
) -> None:
    """Append the body of ``reply`` to the partial file.

    Args:
        whole: length of the finished file where it is known.

    Raises:
        Again: the body ends early, stalls, or is longer than was told.
        DataError: it is larger than the bounds, or nothing says how long it should be.
    """
    length = reply.headers.get("content-length", "")
    chunked = "chunked" in reply.headers.get("transfer-encoding", "").lower()
    if not chunked and not length.isdecimal():
        raise failed(
            "source-length-untold", url, found="a body of no told length",
            expected="Content-Length or chunks, so that a file cut short can be told from a whole one",
        )  # fmt: skip
    _within(whole, bounds, url)
    size = partial.body.stat().st_size
    line = reply.extensions.get("network_stream")
    if isinstance(line, CountedStream):
        line.lingers = True
    with partial.body.open("ab") as stream:
        for chunk in reply.iter_bytes() if encoded(reply) else reply.iter_raw():
            size += len(chunk)
            _within(size, bounds, url)
            stream.write(chunk)
            if told is not None:
                told(size, whole)
    # The client stops reading at the length told: what the server sent beyond it is seen on the line alone.
    if not chunked and isinstance(line, CountedStream) and line.surplus(int(length)):
        partial.forget()
        raise Again(_untrue(url, int(length)))
    if whole is not None and size != whole:
        partial.forget()
        raise Again(_untrue(url, whole))


def _within(size: int | None, bounds: Bounds, url: str) -> None:
    if size is not None and size > bounds.size:
        raise failed(
            "source-too-large", url, found=f"{size:,} bytes or more", expected=f"at most {bounds.size:,}",
            remedy="check the address; if the file is meant, fetch it yourself and give it with --file",
        )  # fmt: skip


def _untrue(url: str, length: int) -> DataError:
    return failed(
        "source-length-untrue", url, found=f"a body that is not the {length:,} bytes told",
        expected="as many bytes as Content-Length says",
    )  # fmt: skip


def _after(reply: httpx.Response) -> float | None:
    """Seconds that Retry-After asks for; a date is read against the server's own clock."""
    text = reply.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        asked = parsedate_to_datetime(text) - parsedate_to_datetime(reply.headers["date"])
    except (KeyError, TypeError, ValueError):
        return None
    return max(0.0, asked.total_seconds())
