"""Scenarios that callers keep: whose, with every version, and never overwritten unseen.

A scenario belongs to the key that saved it first ("local" where no key is asked for). Versions are added and
never changed; a removed scenario keeps them. What builds on a version that is not the newest is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from features.errors import AskError
from serving.errors import shown
from serving.saved_turns import REMOVE, RESTORE, Turn, turns_of
from serving.state import Deed, State, note_deed
from serving.tables import SCENARIO_VERSIONS, SCENARIOS

LOCAL: Final = "local"
MOST: Final = 500
MOST_VERSIONS: Final = 200
LARGEST: Final = 100_000


@dataclass(frozen=True)
class Version:
    """One version: its table as it was sent, and the fingerprint it had then.

    Attributes:
        at: UTC instant, as ``stamp_of`` writes it.
        who: the key_id that saved it; "local" for nobody's.
    """

    version: int
    at: str
    who: str
    fingerprint: str
    table: Mapping[str, Any]


@dataclass(frozen=True)
class Saved:
    """A scenario with its versions, oldest first.

    Attributes:
        shared: whether whoever knows its id may read it.
        removed_at: "" while it stands.
        turns: when it was removed and brought back.
    """

    scenario_id: str
    owner: str
    shared: bool
    changed_at: str
    removed_at: str
    versions: tuple[Version, ...]
    turns: tuple[Turn, ...] = ()

    @property
    def newest(self) -> Version:
        """The last version."""
        return self.versions[-1]

    def at(self, version: int | None) -> Version:
        """One version; the newest for None.

        Raises:
            AskError: there is none of that number (``unknown-scenario``).
        """
        if version is None:
            return self.newest
        found = next((each for each in self.versions if each.version == version), None)
        if found is None:
            raise AskError(
                "unknown-scenario",
                found=f"version {version} of scenario {self.scenario_id}",
                expected=f"1 to {self.newest.version}",
                remedy="ask for one of its versions",
            )
        return found


def owner_of(key_id: str) -> str:
    """Whose a thing of this key is."""
    return key_id or LOCAL


def create(
    state: State, scenario_id: str, table: Mapping[str, Any], fingerprint: str, *, key_id: str, at: str,
    shared: bool,
) -> Saved:  # fmt: skip
    """Save a new scenario as its version 1.

    Raises:
        AskError: it is too large (``scenario-too-large``), or its owner has too many, removed ones among
            them, whose versions are kept too (``too-many-saved``).
    """
    body, owner = _body(table), owner_of(key_id)
    with state.writing() as line:
        remedy = "save it as a further version of one of them; a removed one comes back by that"
        _refuse_many(line, owner, SCENARIOS.c.owner == owner, "scenarios, removed ones among them,", remedy)
        head = {"owner": owner, "newest": 1, "shared": shared, "changed_at": at, "removed_at": ""}
        line.execute(sa.insert(SCENARIOS).values(scenario_id=scenario_id, **head))
        _add(line, scenario_id, 1, at, owner, fingerprint, body)
        note_deed(line, Deed(at, key_id, owner, "scenario-save", scenario_id, "version 1"))
    version = Version(1, at, owner, fingerprint, table)
    return Saved(scenario_id, owner, shared, at, "", (version,))


def add_version(
    state: State, scenario_id: str, table: Mapping[str, Any], fingerprint: str, *, builds_on: int,
    key_id: str, at: str, shared: bool | None,
) -> Saved:  # fmt: skip
    """Add a version that builds on the newest, and bring a removed scenario back.

    The same table again adds none; if nothing else changes either, nothing is noted.

    Args:
        shared: None leaves it as it was.

    Raises:
        AskError: it is not the caller's (``unknown-scenario``), or a newer version stands
            (``scenario-moved-on``), or there are too many, of it or beside it (``too-many-saved``).
    """
    body = _body(table)
    with state.writing() as line:
        head = _head(line, scenario_id, key_id, mine=True)
        _refuse_stale(line, head, builds_on)
        stands = _bodies(line, scenario_id)[-1][-1]
        newest, owner = int(head.newest), owner_of(key_id)
        lent = bool(head.shared) if shared is None else shared
        if head.removed_at:
            _refuse_full_list(line, owner)
            note_deed(line, Deed(at, key_id, owner, RESTORE, scenario_id, "brought back"))
        if body != stands:
            _refuse_long(scenario_id, newest)
            newest += 1
            _add(line, scenario_id, newest, at, owner, fingerprint, body)
        changed = body != stands or lent != bool(head.shared)
        if changed or head.removed_at:
            told = {"newest": newest, "changed_at": at, "removed_at": "", "shared": lent}
            line.execute(sa.update(SCENARIOS).where(SCENARIOS.c.scenario_id == scenario_id).values(**told))
        if changed:
            said = f"version {newest}" + ("" if shared is None else f", shared {shared}")
            note_deed(line, Deed(at, key_id, owner, "scenario-save", scenario_id, said))
    return read(state, scenario_id, key_id)


def remove(state: State, scenario_id: str, *, builds_on: int, key_id: str, at: str) -> Saved:
    """Mark a scenario as removed; its versions stay, and a further version brings it back.

    Raises:
        AskError: as ``add_version``.
    """
    with state.writing() as line:
        head = _head(line, scenario_id, key_id, mine=True)
        _refuse_stale(line, head, builds_on)
        if not head.removed_at:
            told = sa.update(SCENARIOS).where(SCENARIOS.c.scenario_id == scenario_id)
            line.execute(told.values(removed_at=at, changed_at=at))
            note_deed(line, Deed(at, key_id, owner_of(key_id), REMOVE, scenario_id, "removed"))
    return read(state, scenario_id, key_id)


def read(state: State, scenario_id: str, key_id: str) -> Saved:
    """A scenario with all its versions: of the caller's own, or one that is shared and stands.

    Raises:
        AskError: there is none for this caller (``unknown-scenario``).
    """
    if not state.exists:
        raise _unknown(scenario_id)
    with state.reading() as line:
        head = _head(line, scenario_id, key_id, mine=False)
        versions = [_version(row) for row in _bodies(line, scenario_id)]
        turns = turns_of(line, scenario_id)
    return _saved(head, versions, turns)


def listed(state: State, key_id: str) -> list[Saved]:
    """The caller's scenarios that stand, each with its newest version alone; newest first."""
    if not state.exists:
        return []
    both = sa.and_(
        SCENARIO_VERSIONS.c.scenario_id == SCENARIOS.c.scenario_id,
        SCENARIO_VERSIONS.c.version == SCENARIOS.c.newest,
    )
    mine = (SCENARIOS.c.owner == owner_of(key_id)) & (SCENARIOS.c.removed_at == "")
    asked = (
        sa.select(SCENARIOS, *_COLUMNS)
        .join(SCENARIO_VERSIONS, both)
        .where(mine)
        .order_by(SCENARIOS.c.changed_at.desc(), SCENARIOS.c.scenario_id)
        .limit(MOST)
    )
    with state.reading() as line:
        found = line.execute(asked).all()
    return [_saved(row, [_version(row[-len(_COLUMNS) :])]) for row in found]


_COLUMNS: Final = tuple(SCENARIO_VERSIONS.c[n] for n in ("version", "at", "who", "fingerprint", "body"))


def _body(table: Mapping[str, Any]) -> str:
    # Escaped, so that any database holds whatever JSON can tell.
    text = json.dumps(table, sort_keys=True, separators=(",", ":"), allow_nan=False)
    if len(text) > LARGEST:
        raise AskError(
            "scenario-too-large",
            found=f"a scenario of {len(text)} bytes",
            expected=f"at most {LARGEST}",
            remedy="leave out what is not needed",
        )
    return text


def _refuse_many(
    line: sa.Connection, owner: str, which: sa.ColumnElement[bool], what: str, remedy: str
) -> None:
    count = line.scalar(sa.select(sa.func.count()).select_from(SCENARIOS).where(which)) or 0
    if count >= MOST:
        found, expected = f"{count} {what} of {owner}", f"at most {MOST}"
        raise AskError("too-many-saved", found=found, expected=expected, remedy=remedy)


def _refuse_full_list(line: sa.Connection, owner: str) -> None:
    stand = (SCENARIOS.c.owner == owner) & (SCENARIOS.c.removed_at == "")
    _refuse_many(line, owner, stand, "scenarios", "remove some with POST /v1/scenarios/removed")


def _refuse_long(scenario_id: str, newest: int) -> None:
    if newest >= MOST_VERSIONS:
        found, expected = f"{newest} versions of scenario {scenario_id}", f"at most {MOST_VERSIONS}"
        raise AskError("too-many-saved", found=found, expected=expected, remedy="save it as a new scenario")


def _add(
    line: sa.Connection, scenario_id: str, version: int, at: str, who: str, fingerprint: str, body: str
) -> None:
    told = {"version": version, "at": at, "who": who, "fingerprint": fingerprint, "body": body}
    line.execute(sa.insert(SCENARIO_VERSIONS).values(scenario_id=scenario_id, **told))


def _head(line: sa.Connection, scenario_id: str, key_id: str, *, mine: bool) -> Any:
    # A caller's text may be one that the database cannot hold, and no id of ours is like it.
    plain = scenario_id.isascii() and scenario_id.isprintable()
    asked = sa.select(SCENARIOS).where(SCENARIOS.c.scenario_id == scenario_id)
    # Who means to write holds the row, so that the second of two writers sees what the first has written.
    held = asked.with_for_update() if mine else asked
    head = line.execute(held).first() if plain else None
    own = head is not None and head.owner == owner_of(key_id)
    lent = head is not None and not mine and head.shared and not head.removed_at
    if head is None or not (own or lent):
        raise _unknown(scenario_id)
    return head


def _refuse_stale(line: sa.Connection, head: Any, builds_on: int) -> None:
    if builds_on == head.newest:
        return
    last = _bodies(line, head.scenario_id)[-1]
    raise AskError(
        "scenario-moved-on",
        found=f"a change that builds on version {builds_on} of scenario {head.scenario_id}",
        expected=f"one that builds on version {head.newest}, saved by {last[2]} at {last[1]}",
        remedy=f"read it with GET /v1/scenarios/saved/{head.scenario_id}, bring both together, and send "
        f"builds_on {head.newest}",
        facts={"newest": int(head.newest), "builds_on": builds_on},
    )


def _bodies(line: sa.Connection, scenario_id: str) -> list[Any]:
    asked = sa.select(*_COLUMNS).where(SCENARIO_VERSIONS.c.scenario_id == scenario_id)
    return list(line.execute(asked.order_by(SCENARIO_VERSIONS.c.version)).all())


def _version(row: Any) -> Version:
    number, at, who, fingerprint, body = row
    return Version(int(number), at, who, fingerprint, json.loads(body))


def _saved(head: Any, versions: list[Version], turns: tuple[Turn, ...] = ()) -> Saved:
    facts = (head.scenario_id, head.owner, bool(head.shared), head.changed_at, head.removed_at)
    return Saved(*facts, tuple(versions), turns)


def _unknown(scenario_id: str) -> AskError:
    return AskError(
        "unknown-scenario",
        found=f"scenario {shown(scenario_id)!r}",
        expected="a saved scenario of yours, or one that is shared",
        remedy="see GET /v1/scenarios/saved for your own",
    )
