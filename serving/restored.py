"""A backup put back: read through first, unpacked beside, then moved in with the pointer last.

A restore may be killed and run again: ``.restoring`` in the store says that one was begun, and until it is
gone nobody finds a champion there.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from features import archive
from features.errors import AskError
from features.files import fsync_folder, one_at_a_time, write_bytes
from serving.backup import STATE_FILE, UPKEEP, UPKEEP_LOCK, kept, state_url_of_store
from serving.carried import carry
from serving.layout import CURRENT
from serving.state import State, state_url

SCRATCH: Final = ".restoring"
BEGUN: Final = "begun"
LAST: Final = ("promotions.jsonl", CURRENT)
Moved = Callable[[Path, Path, Path], object]


def restore(source: Path, store: Path, *, replace: bool, moved: Moved) -> archive.Manifest:
    """Put the backup ``source`` into ``store``, which must be empty or absent.

    Args:
        replace: what the store holds goes, once the backup is unpacked beside it.
        moved: called with (the unpacked folder, the store it was taken of, ``store``) before it is moved in.

    Raises:
        AskError: the store is not empty (``store-not-empty``) or in use, or there is no room.
        DataError: the backup is damaged. Nothing was changed in any of these cases.
    """
    manifest = archive.checked(source)
    store.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(store / "retrain.lock", "retrain"), one_at_a_time(store / UPKEEP_LOCK, UPKEEP):
        room = store / SCRATCH
        begun = (room / BEGUN).exists()
        if _held(store) and not (replace or begun):
            raise AskError(
                "store-not-empty",
                found=f"{len(_held(store))} things in {store}",
                expected="an empty store, or none",
                offenders=[path.name for path in _held(store)],
                remedy="name another with --store, or say --replace to give up what is there",
            )
        _unused(store)
        new = room / "new"
        shutil.rmtree(new, ignore_errors=True)
        try:
            archive.unpack(source, new, manifest)
            moved(new, Path(str(manifest.facts["store"])), store)
            _into_server(new, store, replace=replace or begun)
            write_bytes(room / BEGUN, b"")
        except BaseException:
            shutil.rmtree(new if begun else room, ignore_errors=True)
            raise
        _swap(store, room, new)
    return manifest


def _held(store: Path) -> list[Path]:
    """What a store holds, but for what every process may leave in an empty one."""
    return [path for path in sorted(store.iterdir()) if path.name == "cache" or kept(path.name)]


def _swap(store: Path, room: Path, new: Path) -> None:
    """Out with the old, the pointer first; in with the new, the pointer last."""
    old = room / "old"
    shutil.rmtree(old, ignore_errors=True)
    old.mkdir()
    standing = [*_held(store), *store.glob("*.db-*")]
    for path in sorted(standing, key=lambda path: path.name != CURRENT):
        os.replace(path, old / path.name)
    for path in sorted(new.iterdir(), key=lambda path: LAST.index(path.name) if path.name in LAST else -1):
        os.replace(path, store / path.name)
    fsync_folder(store)
    shutil.rmtree(room)


def _unused(store: Path) -> None:
    """Raises AskError if another process has the state of the store open: what it notes would be lost."""
    database = store / STATE_FILE
    if not database.exists():
        return
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(database, timeout=0)) as line:
        try:
            mode = line.execute("PRAGMA journal_mode").fetchone()[0]
            # Leaving the log behind takes the file for oneself, which fails while anybody else has it.
            line.execute("PRAGMA journal_mode=DELETE")
            line.execute(f"PRAGMA journal_mode={mode}")
        except sqlite3.OperationalError as fault:
            if "locked" not in str(fault):
                return  # damaged, which is why it is restored
            raise AskError(
                "store-in-use",
                found=f"another process with {STATE_FILE} of {store} open",
                expected="a store that nobody serves from",
                remedy="stop the service and the scheduler, restore, and start them again",
            ) from None


def _into_server(new: Path, store: Path, *, replace: bool) -> None:
    """Carry the state into the database that FORECARBON_STATE_URL names, if it names one."""
    url = state_url(store)
    if url == state_url_of_store(store) or not (new / STATE_FILE).exists():
        return
    source, target = State(f"sqlite:///{new / STATE_FILE}"), State(url)
    try:
        carry(source, target, replace=replace)
    finally:
        source.close()
        target.close()
    for path in new.glob(f"{STATE_FILE}*"):
        path.unlink()
