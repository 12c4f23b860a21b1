"""A backup put back: read through first, unpacked beside, then moved in with the pointer last.

A restore may be killed and run again: a mark in ``.restoring`` in the store says of which backup one was
begun. The same one may then go on; the mark goes as soon as everything is in.
"""

from __future__ import annotations

import hashlib
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
from serving.carried import carry, refuse_rows
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
        room, mark = store / SCRATCH, hashlib.sha256(manifest.as_bytes()).hexdigest().encode()
        before = _mark(room)
        begun = before == mark
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
            outside = _outside(new, store)
            if outside and not (replace or begun):
                _refuse_full(outside)
            # Before the first thing that cannot be taken back, so that whoever is killed after it may go on.
            write_bytes(room / BEGUN, mark)
            if outside:
                _into_server(new, outside, replace=replace or begun)
        except BaseException:
            _leave(room, new, before)
            raise
        _swap(store, room, new)
    return manifest


def _held(store: Path) -> list[Path]:
    """What a store holds, but for what every process may leave in an empty one."""
    return [path for path in sorted(store.iterdir()) if path.name == "cache" or kept(path.name)]


def _mark(room: Path) -> bytes | None:
    """Digest of the backup whose restore was begun here; None if none was."""
    try:
        return (room / BEGUN).read_bytes()
    except FileNotFoundError:
        return None


def _leave(room: Path, new: Path, before: bytes | None) -> None:
    """Clear up after a failure; the mark of a restore that was begun earlier stays, or comes back."""
    if before is None:
        shutil.rmtree(room, ignore_errors=True)
        return
    shutil.rmtree(new, ignore_errors=True)
    if _mark(room) != before:
        write_bytes(room / BEGUN, before)


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
    # From here on the store is served: the mark must allow nothing any more, even if what follows is cut off.
    (room / BEGUN).unlink()
    fsync_folder(room)
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


def _outside(new: Path, store: Path) -> str:
    """Address of the database that FORECARBON_STATE_URL names, if the state goes there; "" otherwise."""
    url = state_url(store)
    return url if url != state_url_of_store(store) and (new / STATE_FILE).exists() else ""


def _refuse_full(url: str) -> None:
    """Raises AskError if the database holds rows, before anything says that a restore was begun."""
    target = State(url)
    try:
        refuse_rows(target)
    finally:
        target.close()


def _into_server(new: Path, url: str, *, replace: bool) -> None:
    """Carry the state into the database at ``url``; the unpacked folder then has none."""
    source, target = State(f"sqlite:///{new / STATE_FILE}"), State(url)
    try:
        carry(source, target, replace=replace)
    finally:
        source.close()
        target.close()
    for path in new.glob(f"{STATE_FILE}*"):
        path.unlink()
