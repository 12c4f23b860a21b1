"""Requests of the Python client: sent, patiently tried again where the service asks for it, or refused."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from serving.replies import Refused

# The two statuses that say nothing was done yet and that asking again may help.
AGAIN: Final = (429, 503)
TRIES: Final = 4
LONGEST_WAIT: Final = 30.0
_FIRST_WAIT: Final = 1.0


@dataclass(frozen=True)
class Calls:
    """Sends requests of one client.

    Attributes:
        http: speaks to the service.
        tries: how often a request is sent at most.
        longest_wait: seconds; a service that asks for more is not waited for.
        sleep: waits so many seconds.
    """

    http: httpx.Client
    tries: int = TRIES
    longest_wait: float = LONGEST_WAIT
    sleep: Callable[[float], None] = time.sleep

    def json(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """The JSON object of an answer.

        Raises:
            Refused: the service refused, or answered what is no JSON object.
        """
        with self.opened(method, path, **more) as reply:
            body = reply.read()
        try:
            loaded = json.loads(body)
        except ValueError:
            loaded = None
        if not isinstance(loaded, dict):
            raise _odd(reply, "a body that is no JSON object")
        return loaded

    @contextmanager
    def opened(self, method: str, path: str, **more: Any) -> Iterator[httpx.Response]:
        """The open answer of a request, its body still to be read.

        Raises:
            Refused: the service refused, for good or once too often.
        """
        for turn in range(1, self.tries + 1):
            with self.http.stream(method, path, **more) as reply:
                if reply.is_success:
                    yield reply
                    return
                reply.read()
                refused = refused_of(reply)
                wait = wait_of(reply, turn)
                if reply.status_code not in AGAIN or turn == self.tries or wait > self.longest_wait:
                    raise refused
            self.sleep(wait)


def wait_of(reply: httpx.Response, turn: int) -> float:
    """Seconds to wait before the next try: as told, or twice as long each turn."""
    told = reply.headers.get("retry-after", "")
    return float(told) if told.isascii() and told.isdigit() else _FIRST_WAIT * float(2 ** (turn - 1))


def refused_of(reply: httpx.Response) -> Refused:
    """The refusal in a problem document (RFC 9457), or in whatever else came with its status."""
    try:
        record = json.loads(reply.content)
        error: Mapping[str, Any] = record["error"]
        texts = [str(error[name]) for name in ("code", "found", "expected", "remedy")]
    except (ValueError, KeyError, TypeError):
        return _odd(reply, f"status {reply.status_code} without a reason")
    code, found, expected, remedy = texts
    return Refused(
        code,
        found=found,
        expected=expected,
        remedy=remedy,
        request_id=str(record.get("request_id", "")),
        status=reply.status_code,
        facts=dict(error.get("facts") or {}),
    )


def _odd(reply: httpx.Response, found: str) -> Refused:
    return Refused(
        "answer-unreadable",
        found=found,
        expected="an answer of the Forecarbon API",
        remedy="check the address, and what stands between here and the service",
        request_id=reply.headers.get("x-request-id", ""),
        status=reply.status_code,
    )
