"""Clearing up what serving keeps: packs of models that are gone, left-overs, old entries of the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Set
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from features.files import read_json
from features.removal import Sweep, left_over, weigh
from serving import made
from serving.aged import answered, cannot_be_made_again, forget, older, waiting_versions
from serving.journal import enter
from serving.layout import CARD, CURRENT, PACKS, PREVIOUS, Pointer, read_pointer
from serving.packs import KeptPack, packs_in
from serving.spool import Spool
from serving.state import State, state_of

_PATIENCE_SECONDS: Final = 5.0


def pointers(store: Path) -> list[Pointer]:
    """What is served and what was served before it.

    Raises:
        ModelError: a pointer cannot be read: nobody may then say what is needed.
    """
    found = [read_pointer(store / name) for name in (CURRENT, PREVIOUS)]
    return [pointer for pointer in found if pointer is not None]


def used_versions(store: Path, since: str) -> set[str]:
    """Model versions pointed to, or that answered since then.

    Raises:
        AskError: the database of the journal does not answer: nobody may then say what is needed.
    """
    used = {pointer.model_version for pointer in pointers(store)} | waiting_versions(store)
    state = state_of(store)
    try:
        return used | (answered(state, since) if state.exists else set())
    finally:
        state.close()


def sweep_packs(store: Path, kept: Set[str], sweep: Sweep, since: str, now: datetime) -> None:
    """Remove the packs of models that do not stay; of those that stay, older ones that nothing points to.

    A pack of a model that stays can be built again from it.
    """
    pointed = {pointer.pack.rpartition("/")[2] for pointer in pointers(store)}
    packs = sorted(packs_in(store), key=lambda pack: (pack.as_of, pack.name))
    newest = {pack.model_version: pack.name for pack in packs}
    for pack in packs:
        if not _stays(pack, kept, newest, since) and pack.name not in pointed:
            sweep.remove("packs", store / PACKS / pack.name, first=CARD)
    for folder in (store / PACKS, store / made.FOLDER, store):
        for path in left_over(folder, now.timestamp()):
            if path.name != ".restoring":
                sweep.remove("left-overs of killed jobs", path)
    for note in sorted((store / made.FOLDER).glob("*.json")):
        if not _leads_to_a_pack(store, note):
            sweep.remove("notes of packs that are gone", note)


def _stays(pack: KeptPack, kept: Set[str], newest: dict[str, str], since: str) -> bool:
    fresh = pack.as_of >= since or newest[pack.model_version] == pack.name
    return pack.model_version in kept and fresh


def _leads_to_a_pack(store: Path, note: Path) -> bool:
    try:
        return (store / PACKS / str(read_json(note)["pack"]) / CARD).exists()
    except (OSError, ValueError, KeyError):
        return False


def sweep_journal(
    store: Path, versions: Set[str], sweep: Sweep, *, before: str, journal_before: str | None
) -> None:
    """Enter what killed processes left in spools, and remove entries issued before ``journal_before``.

    What can no longer be made again is told.

    Raises:
        AskError: the database does not answer.
    """
    state = state_of(store)
    try:
        if not sweep.dry:
            _drain(store, state)
        if not state.exists:
            return
        if journal_before is not None:
            number, size = older(state, journal_before)
            if not sweep.dry:
                forget(state, journal_before)
            sweep.count("entries of the journal", number, size)
            if number:
                sweep.told.append(
                    f"{number:,} forecasts issued before {journal_before[:10]} are forgotten: `reproduce` "
                    "no longer finds them, and the watch no longer scores them."
                )
        lost = cannot_be_made_again(state, versions, journal_before or "")
        if lost:
            sweep.told.append(
                f"{lost:,} issued forecasts before {before[:10]} are on record without their model: "
                "`reproduce` refuses them."
            )
    finally:
        state.close()


def watched_versions(store: Path, journal_before: str | None) -> frozenset[str]:
    """Model versions with a forecast that is on record after entries before ``journal_before`` went.

    Raises:
        AskError: the database of the journal does not answer.
    """
    state = state_of(store)
    try:
        entered = answered(state, journal_before or "") if state.exists else set()
        return frozenset(entered | waiting_versions(store))
    finally:
        state.close()


def _drain(store: Path, state: State) -> None:
    spool = Spool(store)
    try:
        for entries in spool.backlog():
            enter(state, entries)
    finally:
        spool.close()


def sweep_downloads(store: Path, sweep: Sweep, days: int, now: datetime) -> None:
    """Remove parts of downloads that nobody went on with within the days."""
    for path in sorted((store / "downloads").rglob("*")):
        if path.is_file() and now.timestamp() - path.stat().st_mtime > days * 86400:
            sweep.remove("downloads", path)


def shrink(store: Path, sweep: Sweep) -> None:
    """Have the sqlite files of the store give back what they no longer need; one in use is left as it is."""
    for path in sorted(store.glob("*.db")):
        before = weigh(path)
        try:
            with closing(sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)) as line:
                pages = [
                    line.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size")
                ]
                if sweep.dry:
                    sweep.count("room in databases", int(pages[0] > 0), pages[0] * pages[1])
                    continue
                if pages[0]:
                    line.execute("VACUUM")
                    line.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as fault:
            sweep.told.append(f"{path.name} was left as it is: {fault}.")
            continue
        sweep.count("room in databases", int(weigh(path) < before), before - weigh(path))


def days_before(now: datetime, days: int) -> str:
    """That many days before ``now``, as records write instants."""
    return f"{(now - timedelta(days=days)).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
