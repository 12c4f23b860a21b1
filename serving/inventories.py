"""Inventories that callers keep: their claims, apart from public records, whole or not at all, only once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from features.errors import AskError, DataError
from serving.errors import shown
from serving.saved import owner_of
from serving.state import Deed, State, note_deed
from serving.tables import INVENTORIES

MOST: Final = 100
_ID: Final = 20


@dataclass(frozen=True)
class Kept:
    """A kept inventory.

    Attributes:
        about: what the file was, and what is said of it.
        rows: unique_id, ds, y (tCO2e).
    """

    inventory_id: str
    owner: str
    at: str
    digest: str
    about: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]

    def as_record(self) -> dict[str, Any]:
        """JSON-ready, without the rows."""
        told = {"id": self.inventory_id, "owner": self.owner, "at": self.at, "digest": self.digest}
        return {**told, **self.about, "figures": len(self.rows)}


def id_of(digest: str, key_id: str) -> str:
    """The id of an inventory: the same file of the same owner is the same inventory."""
    return hashlib.sha256(f"{owner_of(key_id)}:{digest}".encode()).hexdigest()[:_ID]


def refuse_full(state: State, digest: str, key_id: str) -> None:
    """Raises DataError if one more has no place (``too-many-saved``); one that is kept already has."""
    if state.exists:
        with state.reading() as line:
            if _standing(line, id_of(digest, key_id)) is None:
                _refuse_full(line, owner_of(key_id))


def keep(
    state: State, digest: str, about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], *, key_id: str,
    at: str,
) -> Kept:  # fmt: skip
    """Keep an inventory; one that is kept already stays as it is.

    Raises:
        DataError: its owner has too many (``too-many-saved``).
    """
    owner, name = owner_of(key_id), id_of(digest, key_id)
    with state.writing() as line:
        stands = _standing(line, name)
        if stands is not None:
            return _kept(stands)
        _refuse_full(line, owner)
        facts = {"about": json.dumps(dict(about)), "rows": json.dumps(list(rows), separators=(",", ":"))}
        told = {"inventory_id": name, "owner": owner, "at": at, "digest": digest, **facts}
        line.execute(sa.insert(INVENTORIES).values(**told))
        note_deed(line, Deed(at, key_id, owner, "inventory-keep", name, f"{len(rows)} figures"))
    return Kept(name, owner, at, digest, about, rows)


def remove(state: State, inventory_id: str, *, key_id: str, at: str) -> Kept:
    """Delete one of the caller's own with its figures; that it was there stays in the audit. What it was.

    Raises:
        AskError: there is none for this caller (``unknown-inventory``).
    """
    gone = read(state, inventory_id, key_id)
    with state.writing() as line:
        done = line.execute(sa.delete(INVENTORIES).where(_own(inventory_id, key_id)))
        if not done.rowcount:
            raise _unknown(inventory_id)  # another request was quicker
        said = f"{len(gone.rows)} figures"
        note_deed(line, Deed(at, key_id, gone.owner, "inventory-remove", inventory_id, said))
    return gone


def read(state: State, inventory_id: str, key_id: str) -> Kept:
    """One of the caller's own.

    Raises:
        AskError: there is none for this caller (``unknown-inventory``).
    """
    plain = inventory_id.isascii() and inventory_id.isprintable()
    found = None
    if plain and state.exists:
        with state.reading() as line:
            found = line.execute(sa.select(INVENTORIES).where(_own(inventory_id, key_id))).first()
    if found is None:
        raise _unknown(inventory_id)
    return _kept(found)


def listed(state: State, key_id: str) -> list[Kept]:
    """The caller's own, newest first."""
    if not state.exists:
        return []
    asked = sa.select(INVENTORIES).where(INVENTORIES.c.owner == owner_of(key_id))
    with state.reading() as line:
        found = line.execute(asked.order_by(INVENTORIES.c.at.desc(), INVENTORIES.c.inventory_id)).all()
    return [_kept(row) for row in found]


def _own(inventory_id: str, key_id: str) -> sa.ColumnElement[bool]:
    return (INVENTORIES.c.inventory_id == inventory_id) & (INVENTORIES.c.owner == owner_of(key_id))


def _standing(line: sa.Connection, name: str) -> Any:
    return line.execute(sa.select(INVENTORIES).where(INVENTORIES.c.inventory_id == name)).first()


def _refuse_full(line: sa.Connection, owner: str) -> None:
    mine = sa.select(sa.func.count()).select_from(INVENTORIES).where(INVENTORIES.c.owner == owner)
    count = line.scalar(mine) or 0
    if count >= MOST:
        raise DataError(
            "too-many-saved",
            found=f"{count} inventories of {owner}",
            expected=f"at most {MOST}",
            remedy="remove some with POST /v1/inventories/removed, or only check: that keeps nothing",
        )


def _unknown(inventory_id: str) -> AskError:
    return AskError(
        "unknown-inventory",
        found=f"inventory {shown(inventory_id)!r}",
        expected="one of your own",
        remedy="see GET /v1/inventories",
    )


def _kept(row: Any) -> Kept:
    facts = (row.inventory_id, row.owner, row.at, row.digest)
    return Kept(*facts, json.loads(row.about), json.loads(row.rows))
