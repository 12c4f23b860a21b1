"""Who may ask, how often, and how much at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, Literal

from features.errors import AskError
from serving.call import Call
from serving.keys import Key, Keyring

Mode = Literal["open", "auto", "keys"]
MODES: Final[tuple[Mode, ...]] = ("open", "auto", "keys")
# Requests of a worker that are begun and not ended; an answer from the pack takes well under a millisecond.
AT_ONCE: Final = 128
_METHODS: Final = b"GET, HEAD, POST, OPTIONS"
_ASKED: Final = b"authorization, content-type, if-none-match, x-api-key, x-request-id"
_SHOWN: Final = b"etag, retry-after, x-request-id, x-forecarbon-refusals"


@dataclass(frozen=True)
class Rules:
    """How a service is guarded.

    Attributes:
        mode: "open" asks nobody for a key; "keys" everybody; "auto" everybody but callers on this machine
            whom no proxy brought.
        origins: of pages that may read answers (CORS); "*" for all.
        workers: processes that share a key's rate.
    """

    mode: Mode = "auto"
    origins: frozenset[str] = frozenset()
    workers: int = 1


class Guard:
    """The guard of one worker. Used on the event loop alone, so that it needs no lock."""

    def __init__(self, rules: Rules, keyring: Keyring) -> None:
        self._rules = rules
        self._keyring = keyring
        self._buckets: dict[str, _Bucket] = {}
        self.at_once = 0

    def enter(self) -> None:
        """Count a request in; whoever calls this calls ``leave`` in the end, refused or not.

        Raises:
            AskError: too many at once.
        """
        self.at_once += 1
        if self.at_once > AT_ONCE:
            raise AskError(
                "too-busy",
                found=f"more than {AT_ONCE} requests at once",
                expected="fewer",
                remedy="try again in a second, with fewer connections",
                facts={"retry_after": 1},
            )

    def leave(self) -> None:
        """Count a request out."""
        self.at_once -= 1

    def admit(self, call: Call, scope: str, now: str, clock: float) -> str:
        """The key_id that asks, "" for nobody's.

        Args:
            scope: of ``serving.keys.SCOPES``; "" for what is open to all.
            now: as ``stamp_of`` writes it.
            clock: seconds that only grow.

        Raises:
            AskError: no key where one is asked for, one that may not, or one that asks too often.
        """
        token = _token(call)
        if not scope or (not token and self._free(call)) or self._rules.mode == "open":
            return ""
        key = self._keyring.admit(token, scope, now)
        if key.per_second is not None:
            self._spend(key, key.per_second / self._rules.workers, clock)
        return key.key_id

    def also(self, key_id: str, scope: str) -> None:
        """Let a key that was let in do something more.

        Raises:
            AskError: it may not (``key-unscoped``).
        """
        if key_id and not self._keyring.may(key_id, scope):
            raise AskError(
                "key-unscoped",
                found=f"key {key_id}, not for {scope}",
                expected=f"a key for {scope}",
                remedy="ask the operator for a key (forecarbon keys add)",
                facts={"scope": scope},
            )

    def _free(self, call: Call) -> bool:
        if self._rules.mode != "auto":
            return False
        client = call.scope.get("client")
        brought = b"x-forwarded-for" in call.heads or b"forwarded" in call.heads
        return client is not None and on_this_machine(str(client[0])) and not brought

    def _spend(self, key: Key, rate: float, clock: float) -> None:
        bucket = self._buckets.get(key.key_id)
        if bucket is None or bucket.rate != rate:
            bucket = self._buckets[key.key_id] = _Bucket(rate, max(1.0, key.per_second or rate), clock)
        wait = bucket.spend(clock)
        if wait > 0:
            raise AskError(
                "too-many-requests",
                found=f"more than the {key.per_second:g} requests a second of key {key.key_id}",
                expected="fewer",
                remedy="wait as long as Retry-After says; ask for several series in one request",
                facts={"retry_after": max(1, math.ceil(wait))},
            )

    def origin_of(self, call: Call) -> Mapping[bytes, bytes]:
        """CORS headers of the reply to a page; none for other callers or pages that are not let in."""
        origin = call.head(b"origin")
        if not origin or not self._rules.origins:
            return {}
        if "*" not in self._rules.origins and origin not in self._rules.origins:
            return {b"vary": b"origin"}
        return {
            b"access-control-allow-origin": origin.encode("latin-1"),
            b"access-control-expose-headers": _SHOWN,
            b"vary": b"origin",
        }

    def preflight(self, call: Call) -> Mapping[bytes, bytes]:
        """CORS headers of the reply to a page that asks whether it may ask."""
        told = self.origin_of(call)
        if b"access-control-allow-origin" not in told:
            return told
        return {
            **told,
            b"access-control-allow-methods": _METHODS,
            b"access-control-allow-headers": _ASKED,
            b"access-control-max-age": b"600",
        }


@lru_cache(maxsize=1024)
def on_this_machine(address: str) -> bool:
    """Whether an IP address is one of this machine's own loopback."""
    try:
        place = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(place, "ipv4_mapped", None)
    return bool((mapped or place).is_loopback)


class _Bucket:
    """A bucket of requests that fills at a rate, up to a burst of one second's worth."""

    __slots__ = ("_burst", "_left", "_seen", "rate")

    def __init__(self, rate: float, burst: float, clock: float) -> None:
        self.rate, self._burst, self._left, self._seen = rate, burst, burst, clock

    def spend(self, clock: float) -> float:
        """Take one; the seconds to wait where there is none, else 0."""
        self._left = min(self._burst, self._left + (clock - self._seen) * self.rate)
        self._seen = clock
        if self._left >= 1.0:
            self._left -= 1.0
            return 0.0
        return (1.0 - self._left) / self.rate


def _token(call: Call) -> str:
    held = call.heads.get(b"authorization")
    if held is None:
        return call.head(b"x-api-key")
    kind, _, token = held.decode("latin-1").partition(" ")
    # Whatever else is sent there is no key of ours, and is not taken for none.
    return token.strip() if kind.lower() == "bearer" else held.decode("latin-1")
