"""API keys: shown once, kept as a digest, scoped, with an end, revocable.

A key reads ``fc_KEYID_SECRET``. The secret has 256 random bits, so a plain SHA-256 of it can be neither
turned round nor guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from features.errors import AskError
from serving.entries import stamp_of
from serving.errors import shown
from serving.state import DOWN, Deed, State, note_deed
from serving.tables import KEYS

SCOPES: Final = ("read", "forecast", "own-history", "feedback", "operate")
LONGEST_DAYS: Final = 3660
LONGEST_NAME: Final = 100
_SECRET_BYTES: Final = 32
_TOKEN: Final = re.compile(r"fc_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_LONGEST: Final = 128
# What no secret has the digest of; compared with where there is no key, so that it takes as long.
_NOBODYS: Final = bytes(32)
_AGAIN: Final = "ask the operator for a key (forecarbon keys add)"


@dataclass(frozen=True)
class Key:
    """What is known of a key; never its secret.

    Attributes:
        key_id: 12 hexadecimal digits, part of the key itself.
        name: whose it is, in the operator's words.
        scopes: what it may do, of ``SCOPES``.
        created_at, expires_at: UTC instants as ``stamp_of`` writes them.
        revoked_at: likewise; "" while it is not.
        per_second: requests it may make; None for the service's own bound.
    """

    key_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: str
    expires_at: str
    revoked_at: str
    per_second: float | None

    def state_at(self, now: str) -> str:
        """One of "revoked", "expired" and "valid"."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at <= now else "valid"

    def as_record(self, now: str) -> dict[str, Any]:
        """JSON-ready fields and the state at ``now``."""
        names = ("key_id", "name", "created_at", "expires_at", "revoked_at", "per_second")
        return {
            **{n: getattr(self, n) for n in names},
            "scopes": list(self.scopes),
            "state": self.state_at(now),
        }


class Keyring:
    """The keys as one worker knows them; read from the database off the path of requests."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: Mapping[str, tuple[Key, bytes]] = {}
        # By the digest of the secret: how near a wrong one is cannot be told from how long it is looked for.
        self._by_digest: Mapping[bytes, tuple[Key, bytes]] = {}
        self._read = False
        self._stale = False

    @property
    def keys(self) -> tuple[Key, ...]:
        """Every key known, oldest first."""
        return tuple(key for key, _ in self._known.values())

    def may(self, key_id: str, scope: str) -> bool:
        """Whether a key that was let in may do something more."""
        known = self._known.get(key_id)
        return known is not None and scope in known[0].scopes

    @property
    def stale(self) -> bool:
        """Whether the last look failed: the keys known before it still hold."""
        return self._stale

    def refresh(self) -> bool:
        """Read all keys anew; False if the database is away. Blocks: call it off the event loop."""
        try:
            known = _read(self._state)
        except AskError as fault:
            if fault.code != DOWN:
                raise
            self._stale = True
            return False
        self._by_digest = {digest: (key, digest) for key, digest in known.values()}
        self._known, self._read, self._stale = known, True, False
        return True

    def admit(self, token: str | None, scope: str, now: str) -> Key:
        """The key that ``token`` is, if it may do ``scope`` at ``now`` (as ``stamp_of`` writes it).

        A wrong secret, an unknown key and a text that is no key take the same work and the same words.

        Raises:
            AskError: ``key-missing``, ``key-unknown``, ``key-revoked``, ``key-expired``;
                ``key-unscoped`` for a valid key; ``keys-unread`` before the first successful ``refresh``.
        """
        if not token:
            raise _refused("key-missing", "no key", "a key: Authorization: Bearer fc_…")
        if not self._read:
            told = "keys that could not be read yet"
            raise _refused("keys-unread", told, "their database to answer", "try again in a few seconds")
        matched = _TOKEN.fullmatch(token[:_LONGEST])
        key_id, secret = matched.groups() if matched else ("", token[:_LONGEST])
        asked = _digest(secret)
        key, digest = self._by_digest.get(asked, (None, _NOBODYS))
        right = hmac.compare_digest(asked, digest)
        if not right or key is None or key.key_id != key_id:
            raise _refused("key-unknown", "a key that is none of ours", "a key of this service")
        if (state := key.state_at(now)) != "valid":
            raise _refused(f"key-{state}", f"key {key.key_id}, {state}", "a key that is valid")
        if scope not in key.scopes:
            told = f"key {key.key_id} for {', '.join(key.scopes)}"
            facts = {"scope": scope, "scopes": list(key.scopes)}
            raise _refused("key-unscoped", told, f"a key for {scope}", facts=facts)
        return key


def create(
    state: State,
    name: str,
    *,
    scopes: Sequence[str],
    days: int,
    at: datetime,
    who: str,
    per_second: float | None = None,
) -> tuple[Key, str]:
    """Make a key that ends ``days`` after ``at``; it and its text, which is told here and nowhere else.

    Raises:
        AskError: unknown scope, or a name, length of life or rate out of range.
    """
    _check(name, scopes, days, per_second)
    key = Key(
        key_id=secrets.token_hex(6),
        name=name,
        scopes=tuple(scope for scope in SCOPES if scope in scopes),
        created_at=stamp_of(at),
        expires_at=stamp_of(at + timedelta(days=days)),
        revoked_at="",
        per_second=per_second,
    )
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    row = {**vars(key), "scopes": " ".join(key.scopes), "secret_sha256": _digest(secret).hex()}
    with state.writing() as line:
        line.execute(sa.insert(KEYS).values(**row))
        note_deed(line, Deed(key.created_at, key.key_id, who, "keys add", name, "done"))
    return key, f"fc_{key.key_id}_{secret}"


def listed(state: State) -> list[Key]:
    """Every key, oldest first, those too that have ended."""
    return [key for key, _ in _read(state).values()]


def revoke(state: State, key_id: str, *, at: datetime, who: str) -> Key:
    """End a key now; one that is revoked already stays as it is.

    Raises:
        AskError: no such key (``unknown-key``).
    """
    with state.writing() as line:
        mine = sa.update(KEYS).where(KEYS.c.key_id == key_id, KEYS.c.revoked_at == "")
        changed = line.execute(mine.values(revoked_at=stamp_of(at))).rowcount
        row = line.execute(sa.select(KEYS).where(KEYS.c.key_id == key_id)).first()
        if row is not None:
            outcome = "done" if changed else "revoked before"
            note_deed(line, Deed(stamp_of(at), key_id, who, "keys revoke", str(row.name), outcome))
            return _key(row)
    raise AskError(
        "unknown-key",
        found=f"key {shown(key_id)!r}",
        expected="the 12 digits of a key's id",
        remedy="see forecarbon keys list",
    )


def _read(state: State) -> dict[str, tuple[Key, bytes]]:
    if not state.exists:
        return {}
    with state.reading() as line:
        rows = line.execute(sa.select(KEYS).order_by(KEYS.c.created_at, KEYS.c.key_id)).all()
    return {str(row.key_id): (_key(row), bytes.fromhex(row.secret_sha256)) for row in rows}


def _key(row: sa.Row[Any]) -> Key:
    return Key(
        row.key_id, row.name, tuple(row.scopes.split()), row.created_at, row.expires_at, row.revoked_at,
        row.per_second,
    )  # fmt: skip


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _refused(
    code: str, found: str, expected: str, remedy: str = _AGAIN, facts: Mapping[str, Any] | None = None
) -> AskError:
    return AskError(code, found=found, expected=expected, remedy=remedy, facts=facts)


def _check(name: str, scopes: Sequence[str], days: int, per_second: float | None) -> None:
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise AskError(
            "unknown-scope",
            found=f"scopes {', '.join(map(shown, scopes)) or 'left out'}",
            expected=f"some of {', '.join(SCOPES)}",
            offenders=unknown,
            remedy="give --scope once for each",
        )
    told = {"name": 1 <= len(name) <= LONGEST_NAME and name.isprintable()}
    told |= {"days": 1 <= days <= LONGEST_DAYS, "rate": per_second is None or 0 < per_second <= 1e6}
    wrong = [word for word, good in told.items() if not good]
    if wrong:
        raise AskError(
            "key-out-of-range",
            found=f"{wrong[0]} {shown(str({'name': name, 'days': days, 'rate': per_second}[wrong[0]]))}",
            expected=f"a name of 1 to {LONGEST_NAME} characters, 1 to {LONGEST_DAYS} days, a rate above 0",
            offenders=wrong,
            remedy="choose another",
        )
