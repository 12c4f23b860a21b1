"""Damaged files, databases that are locked or lost, and two processes that do the same at once."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from serving import backup, state
from serving.journal import read_entries
from serving.state import state_of
from tests.faults.jobs import JOBS, Place, ended, promoted, run, started, whole


def _flipped(path: Path) -> None:
    if path.suffix == ".db":  # what stands in its log would stand in for it
        with closing(sqlite3.connect(path)) as line:
            line.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    held = bytearray(path.read_bytes())
    for at in range(
        0 if path.suffix in (".db", ".csv", ".json") else len(held) // 3, len(held), max(len(held) // 7, 1)
    ):
        held[at] ^= 255
    path.write_bytes(held)


def _pack(place: Place) -> Path:
    (found,) = (place.store / "packs").iterdir()
    return found


# What each job reads, to be damaged; and whether it can go on all the same.
READ: Final[dict[str, tuple[Callable[[Place], Path], bool]]] = {
    "ingest": (lambda place: place.folder / "eutl" / "operators_yearly_activity_daily.csv", False),
    "forecast": (lambda place: _pack(place) / "paths.npy", False),
    "serve": (lambda place: place.store / "current.json", False),
    "schedule": (lambda place: place.folder / "schedule.toml", False),
    "watch": (lambda place: place.store / "state.db", False),
    "promote": (lambda place: place.store / "models" / "second" / "model.json", False),
    "keys": (lambda place: place.store / "state.db", False),
    "reproduce": (lambda place: _pack(place) / "paths.npy", True),
    "backup": (lambda place: place.store / "state.db", False),
    "restore": (lambda place: place.folder / "kept.tar", False),
    "vacuum": (lambda place: place.store / "current.json", False),
}


@pytest.mark.parametrize("job", READ)
def test_corrupt_file(place: Place, job: str) -> None:
    before = promoted(place)
    if job == "restore":
        run("restore", place)
    path, goes_on = READ[job][0](place), READ[job][1]
    shutil.copy(path, place.folder / "sound")
    _flipped(path)
    told = run(job, place)
    assert told.plain, told
    assert told.refused or (goes_on and told.status == 0), told
    shutil.copy(place.folder / "sound", path)
    again = run(job, place)
    assert again.status == 0, again
    whole(place, before)


# The database a job needs, and whether it goes on without: what it has to note waits in a spool then.
NEEDED: Final = {
    "forecast": ("state.db", True), "serve": ("state.db", True), "watch": ("state.db", False),
    "keys": ("state.db", False), "reproduce": ("state.db", False), "vacuum": ("state.db", False),
    "schedule": ("schedule.db", False), "backup": ("mlflow.db", False), "promote": ("mlflow.db", True),
}  # fmt: skip


def _patient() -> None:
    """Nobody has all day."""
    backup._BUSY_SECONDS = 0.2  # type: ignore[misc]
    state.PATIENCE_SECONDS = 1  # type: ignore[misc]


@pytest.mark.parametrize("job", [job for job in NEEDED if job != "schedule"])
def test_locked_database(place: Place, job: str) -> None:
    """Another process writes to it, and does not let go."""
    before, (name, goes_on) = promoted(place), NEEDED[job]
    with closing(sqlite3.connect(place.store / name, isolation_level=None)) as line:
        if name == "state.db":  # with a log beside it, readers would not notice
            line.execute("PRAGMA journal_mode=DELETE")
        line.execute("BEGIN EXCLUSIVE")
        told = run(job, place, _patient)
    assert told.plain, told
    assert told.refused or (goes_on and told.status == 0), told
    again = run(job, place)
    assert again.status == 0, again
    whole(place, before)


@pytest.mark.parametrize("job", NEEDED)
def test_lost_database(place: Place, job: str) -> None:
    """A folder stands where the file should be: it can be neither opened nor made."""
    before, (name, goes_on) = promoted(place), NEEDED[job]
    for path in place.store.glob(f"{name}*"):
        path.unlink()
    (place.store / name).mkdir()
    told = run(job, place, _patient)
    assert told.plain, told
    assert told.refused or (goes_on and told.status == 0), told
    (place.store / name).rmdir()
    if job != "reproduce":  # what the lost one held is gone
        again = run(job, place)
        assert again.status == 0, again
    whole(place, before)


@pytest.mark.parametrize("job", JOBS)
def test_two_writers(place: Place, job: str) -> None:
    before, issued = promoted(place), len(list(read_entries(place.store)))
    both = [started(job, place) for _ in range(2)]
    told = [ended(one) for one in both]
    assert all(one.plain and (one.status == 0 or one.refused) for one in told), told
    assert any(one.status == 0 for one in told), told
    whole(place, before)
    assert len(promoted(place)) - len(before) == (job == "promote")
    if job == "forecast":
        assert len(list(read_entries(place.store))) == issued + 2
    if job == "keys":
        kept = state_of(place.store)
        with kept.reading() as line:
            assert line.exec_driver_sql("SELECT count(*) FROM keys WHERE name = 'acme'").scalar() == 2
        kept.close()
    assert run(job, place).status == 0
