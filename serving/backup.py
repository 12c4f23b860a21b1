"""A backup of all that a store keeps, taken while it is used: one archive, and a state that fits together.

What leads to other things is read before them: the pointer, the records, what waits in the journal's spools,
the databases, then the folders they name, which are only ever written whole. So whatever is named is there.
"""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from features import archive
from features.errors import AskError, DataError
from features.files import fsync_folder, one_at_a_time, scratch_folder
from features.stores import expect_store
from serving.carried import carry
from serving.layout import CURRENT, PREVIOUS, Pointer, read_pointer
from serving.spool import FOLDER
from serving.state import State, state_url

UPKEEP_LOCK: Final = "upkeep.lock"
UPKEEP: Final = "backup, restore or vacuum"
STATE_FILE: Final = "state.db"
# Made again by whoever misses them, or of a running process only.
NOT_KEPT: Final = frozenset({"cache", "downloads", "meters", "bentoml", "test-cache", "lost+found"})
_BESIDE_SQLITE: Final = ("-wal", "-shm", "-journal")
_BUSY_SECONDS: Final = 30.0


@dataclass(frozen=True)
class BackedUp:
    """What was written: the file, its manifest, and what belongs to the store and is kept elsewhere."""

    file: Path
    manifest: archive.Manifest
    elsewhere: tuple[str, ...]


def back_up(store: Path, to: Path, *, now: datetime) -> BackedUp:
    """Write a backup of ``store`` to the file ``to``, or under a name of its own into the folder ``to``.

    Others may read, serve and retrain meanwhile.

    Raises:
        AskError: there is no store, the file is there already, or another backup, restore or vacuum runs.
        DataError: a database of the store cannot be read (``database-unreadable``).
        OSError: there is no room for it; nothing is left of it then.
    """
    expect_store(store, "to back up")
    # A name without an ending is that of a folder, whether it is there or not: files end in .tar or the like.
    inside = to.is_dir() or not (to.suffix or to.exists())
    target = _unused(to, now) if inside else to
    if target.exists():
        raise AskError(
            "backup-exists",
            found=f"a file at {target}",
            expected="a new one: a backup is never written over",
            remedy="name another file, or a folder, in which it gets a name of its own",
        )
    # A store that cannot be written to is not cleared up either: then there is nobody to shut out.
    locked = one_at_a_time(store / UPKEEP_LOCK, UPKEEP) if os.access(store, os.W_OK) else nullcontext()
    if inside:
        to.mkdir(parents=True, exist_ok=True)
    with locked, scratch_folder(target.parent, ".forecarbon-backup-") as scratch:
        pointer = _pointer(store)
        facts = {
            "made_at": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "release": version("forecarbon"),
            "python": platform.python_version(),
            "store": str(store.resolve()),
            "champion": pointer.model_version if pointer else "",
            "state": State(state_url(store)).backend,
        }
        manifest = archive.write(scratch / target.name, _members(store, scratch), facts)
        os.replace(scratch / target.name, target)
        fsync_folder(target.parent)
    return BackedUp(target, manifest, kept_elsewhere())


def _unused(folder: Path, now: datetime) -> Path:
    """A name of its own in the folder: two backups of one second are two files."""
    stem = f"forecarbon-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    names = (f"{stem}.tar", *(f"{stem}-{number}.tar" for number in range(2, 1000)))
    return next((folder / name for name in names if not (folder / name).exists()), folder / names[0])


def kept_elsewhere() -> tuple[str, ...]:
    """What belongs to the store by the environment and no backup of it holds, as sentences."""
    places = {
        "FORECARBON_LAKE": "the lake",
        "FORECARBON_TRACKING_URI": "the runs of the tracking server",
        "MLFLOW_TRACKING_URI": "the runs of the tracking server",
        "FORECARBON_SCHEDULE_DB": "when the schedule's jobs are due",
    }
    return tuple(f"{what} ({name})" for name, what in places.items() if os.environ.get(name))


def _pointer(store: Path) -> Pointer | None:
    try:
        return read_pointer(store / CURRENT)
    except Exception:  # noqa: BLE001 - a damaged pointer is backed up like any file, and told by no name
        return None


def _members(store: Path, scratch: Path) -> Iterator[tuple[str, Path]]:
    """Name and source of every file, in the order of the module's text."""
    for name in (CURRENT, PREVIOUS):
        yield name, store / name
    for path in sorted(store.glob("*.jsonl")):
        yield path.name, path
    for path in sorted((store / FOLDER).glob("*.jsonl")):
        yield f"{FOLDER}/{path.name}", path
    url = state_url(store)
    outside = url != state_url_of_store(store)
    if outside:
        yield STATE_FILE, _of_server(url, scratch / STATE_FILE)
    for path in sorted(store.glob("*.db")):
        if not (outside and path.name == STATE_FILE):
            yield path.name, copied(path, scratch / path.name)
    yield from _others(store)


def _others(store: Path) -> Iterator[tuple[str, Path]]:
    for top in sorted(store.iterdir()):
        if not kept(top.name) or top.suffix in (".db", ".jsonl") or top.name in (CURRENT, PREVIOUS, FOLDER):
            continue
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            inside = path.relative_to(store)
            if path.is_file() and not any(part.startswith(".") for part in inside.parts):
                yield inside.as_posix(), path


def kept(name: str) -> bool:
    """Whether a thing at the top of a store is part of its backup."""
    return not (name in NOT_KEPT or name.startswith(".") or name.endswith((".lock", *_BESIDE_SQLITE)))


def state_url_of_store(store: Path) -> str:
    """Address of the state where no other is named."""
    return f"sqlite:///{store.resolve() / STATE_FILE}"


def copied(database: Path, target: Path) -> Path:
    """A copy of a sqlite file as of one instant, whoever writes to it meanwhile.

    Raises:
        DataError: it is damaged, or somebody holds it for half a minute.
    """
    try:
        with closing(_read_only(database)) as old, closing(sqlite3.connect(target)) as new:
            # Left to itself the copy waits for a locked file for ever; a reader is told.
            old.execute("BEGIN")
            old.execute("SELECT count(*) FROM sqlite_master").fetchone()
            old.backup(new)
            told = new.execute("PRAGMA quick_check(1)").fetchone()[0]
            if told != "ok":
                raise sqlite3.DatabaseError(str(told).splitlines()[0])
    except sqlite3.Error as fault:
        raise DataError(
            "database-unreadable",
            found=f"{database.name}: {fault}",
            expected="a sqlite file that can be read whole",
            remedy="let go of it if another program holds it, or restore it, and run again",
        ) from None
    return target


def _read_only(database: Path) -> sqlite3.Connection:
    """On a file system that cannot be written to, a log of changes cannot be opened either."""
    address = f"{database.resolve().as_uri()}?mode=ro"
    if not os.access(database.parent, os.W_OK):
        address += "&immutable=1"
    return sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)


def _of_server(url: str, target: Path) -> Path:
    """The state at another address as a sqlite file, whatever database holds it."""
    source, copy = State(url), State(f"sqlite:///{target}")
    try:
        carry(source, copy)
    finally:
        source.close()
        copy.close()
    return copied(target, target.with_name("state-whole.db"))


def told(manifest: archive.Manifest) -> dict[str, Any]:
    """JSON-ready facts of a backup and its size."""
    return {**manifest.facts, "files": len(manifest.files), "bytes": manifest.size}
