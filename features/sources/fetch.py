"""Fetching a source's file over HTTP: tried again, gone on with, bounded, checked; whole or not at all."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from features.errors import DataError
from features.files import one_at_a_time
from features.sources.connection import GuardedTransport, lawful
from features.sources.partial import Partial, Told, digest_of, name_in
from features.sources.reply import (
    REDIRECTS,
    Again,
    Bounds,
    Progress,
    body_into,
    encoded,
    failed,
    length_continued,
    refused,
    told_by,
)

DEFAULT: Final = Bounds()
_ASIDE: Final = {"accept-encoding": "identity", "connection": "close", "user-agent": "forecarbon"}


@dataclass(frozen=True)
class Fetched:
    """A file that came whole.

    Attributes:
        path: where it lies; None where the server says it has not changed (status 304).
        url: as asked; final_url: after redirects.
        sha256: of its bytes, hexadecimal ("" where unchanged).
        size: bytes.
        told: ETag and date of the last change, to ask by next time.
        tries: requests it took.
    """

    path: Path | None
    url: str
    final_url: str
    sha256: str
    size: int
    told: Told
    tries: int


def fetch(
    url: str,
    folder: Path,
    *,
    known: Told | None = None,
    bounds: Bounds = DEFAULT,
    allow_local: bool = False,
    sha256: str | None = None,
    told: Progress | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Fetch ``url`` into a place of its own under ``folder``; an earlier, broken-off fetch is gone on with.

    Args:
        url: http or https, without a user or password in it.
        known: what was told of the file when it was last kept; unchanged, it is not fetched again.
        allow_local: private and loopback addresses are allowed.
        sha256: what the file must have.
        told: called with the bytes so far and the bytes in all, if known.
        wait: sleeps for so many seconds.

    Raises:
        AskError: the address is not one to fetch from, or another process is fetching it.
        DataError: it could not be had whole within the bounds.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole addresses
    lawful(url)
    place = folder / hashlib.sha256(url.encode()).hexdigest()[:16]
    partial = Partial(place)
    deadline = time.monotonic() + bounds.seconds
    with (
        one_at_a_time(place.with_suffix(".lock"), "fetch of this address"),
        _client(deadline, bounds, allow_local=allow_local) as client,
    ):
        for tried in range(1, bounds.tries + 1):
            try:
                final, now = _attempt(client, url, partial, known, bounds, told)
            except Again as again:
                _pause(again, url, tried, bounds, deadline, wait)
                continue
            if final is None:
                return Fetched(None, url, url, "", 0, known or Told(), tried)
            return _kept(partial, url, final, now, tried, sha256)
    raise failed("source-refused", url, found="no try allowed", expected="at least one try")


def _attempt(
    client: httpx.Client,
    url: str,
    partial: Partial,
    known: Told | None,
    bounds: Bounds,
    told: Progress | None,
) -> tuple[str | None, Told]:
    """One try: the address it came from (None where unchanged) and what the server says of the file."""
    offset, before = partial.resumable()
    headers = dict(_ASIDE)
    if offset:
        headers |= {"range": f"bytes={offset}-", "if-range": before.validator}
    elif known is not None and known.etag:
        headers["if-none-match"] = known.etag
    elif known is not None and known.last_modified:
        headers["if-modified-since"] = known.last_modified
    try:
        reply = _reached(client, url, headers, bounds)
        try:
            return _taken(reply, url, partial, (offset, before), bounds, told)
        finally:
            reply.close()
    except (httpx.TransportError, httpx.DecodingError) as fault:
        raise Again(_broken(url, fault)) from None


def _taken(
    reply: httpx.Response,
    url: str,
    partial: Partial,
    had: tuple[int, Told],
    bounds: Bounds,
    told: Progress | None,
) -> tuple[str | None, Told]:
    """Read one reply that is no redirect."""
    offset, before = had
    asked = reply.request.headers
    if reply.status_code == 304 and ("if-none-match" in asked or "if-modified-since" in asked):
        return None, Told()
    whole = length_continued(reply, offset, before) if reply.status_code == 206 and offset else None
    if whole is not None:
        body_into(partial, reply, url, bounds, told, whole)
        return str(reply.url), before
    if reply.status_code in (206, 416):
        partial.forget()
        found = f"status {reply.status_code} and another part"
        rest = "the rest of the file that was begun"
        raise Again(failed("source-changed-while-fetched", url, found=found, expected=rest), 0.0)
    if reply.status_code != 200:
        raise refused(reply, url)
    now = told_by(reply)
    partial.begin(now if not encoded(reply) else Told())
    body_into(partial, reply, url, bounds, told, now.length)
    return str(reply.url), now


def _reached(client: httpx.Client, url: str, headers: dict[str, str], bounds: Bounds) -> httpx.Response:
    """The first reply that is no redirect, its body unread."""
    at = url
    for _ in range(bounds.redirects + 1):
        try:
            reply = client.send(client.build_request("GET", at, headers=headers), stream=True)
        except httpx.InvalidURL as fault:
            raise failed(
                "source-refused", url, found=f"a redirect to {at}: {fault}", expected="an address"
            ) from None
        if reply.status_code not in REDIRECTS or "location" not in reply.headers:
            return reply
        reply.close()
        try:
            target = reply.url.join(reply.headers["location"])
        except httpx.InvalidURL as fault:
            raise failed(
                "source-refused", url, found=f"a redirect nowhere: {fault}", expected="an address"
            ) from None
        if reply.url.scheme == "https" and target.scheme == "http":
            raise failed("source-refused", url, found=f"a redirect out of https to {target.host}",
                         expected="https all the way")  # fmt: skip
        at = str(target)
        lawful(at)
    raise failed("source-redirects-on", url, found=f"more than {bounds.redirects} redirects",
                 expected="the file", remedy="correct the address")  # fmt: skip


def _kept(partial: Partial, url: str, final: str, now: Told, tried: int, sha256: str | None) -> Fetched:
    digest = digest_of(partial.body)
    if sha256 is not None and digest != sha256.lower():
        partial.forget()
        raise failed("source-checksum-differs", url, found=f"sha256 {digest}", expected=f"sha256 {sha256}",
                     remedy="ask the publisher for the right checksum, or fetch the file again")  # fmt: skip
    path = partial.finish(name_in(final))
    return Fetched(path, url, final, digest, path.stat().st_size, now, tried)


def _pause(
    again: Again, url: str, tried: int, bounds: Bounds, deadline: float, wait: Callable[[float], None]
) -> None:
    """Wait before the next try, or raise where there is none."""
    left = deadline - time.monotonic()
    if left <= 0:
        late = f"no whole file in time; at last: {again.fault.found}"
        raise failed("source-too-slow", url, found=late, expected=f"the file within {bounds.seconds:g} s")
    own = min(bounds.pause * 2.0 ** (tried - 1), bounds.longest_pause)
    pause = own if again.after is None else again.after
    if tried >= bounds.tries or pause >= left:
        raise again.fault from None
    wait(pause)


def _client(deadline: float, bounds: Bounds, *, allow_local: bool) -> httpx.Client:
    return httpx.Client(
        transport=GuardedTransport(deadline=deadline, allow_local=allow_local),
        timeout=httpx.Timeout(bounds.stall, connect=bounds.connect),
        follow_redirects=False,
        trust_env=False,
    )


def _broken(url: str, fault: Exception) -> DataError:
    return failed(
        "source-cut-short", url, found=f"{type(fault).__name__}: {fault}", expected="the whole file"
    )
