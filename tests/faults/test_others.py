"""Damaged files, databases that are locked or lost, and two processes that do the same at once."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from features.files import one_at_a_time
from serving.spool import waiting
from tests.faults.jobs import JOBS, Place, Told, ended, run, started
from tests.faults.promises import PROMISED, held
from tests.faults.seen import Seen, did, whole
from tests.faults.ways import finds, patient


def _flipped(path: Path) -> None:
    """Spoil a file; it is written anew, for others may hold the same one."""
    if path.suffix == ".db":  # what stands in its log would stand in for it
        with closing(sqlite3.connect(path)) as line:
            line.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    told = bytearray(path.read_bytes())
    first = 0 if path.suffix in (".db", ".csv", ".json") else len(told) // 3
    for at in range(first, len(told), max(len(told) // 7, 1)):
        told[at] ^= 255
    path.unlink()
    path.write_bytes(told)


def _pack(place: Place) -> Path:
    (found,) = (place.store / "packs").iterdir()
    return found


# What each job reads, to be damaged.
READ: Final[dict[str, Callable[[Place], Path]]] = {
    "ingest": lambda place: place.folder / "eutl" / "operators_yearly_activity_daily.csv",
    "forecast": lambda place: _pack(place) / "paths.npy",
    "serve": lambda place: place.store / "current.json",
    "schedule": lambda place: place.folder / "schedule.toml",
    "watch": lambda place: place.store / "state.db",
    "promote": lambda place: place.store / "models" / "second" / "model.json",
    "keys": lambda place: place.store / "state.db",
    "reproduce": lambda place: _pack(place) / "paths.npy",
    "backup": lambda place: place.store / "state.db",
    "restore": lambda place: place.folder / "kept.tar",
    "vacuum": lambda place: place.store / "current.json",
}


@pytest.mark.parametrize("job", READ)
def test_corrupt_file(place: Place, job: str) -> None:
    before, path = Seen.of(place), READ[job](place)
    shutil.copy(path, place.folder / "sound")
    if job == "serve":  # what served before stands in at the start
        shutil.copy(path, place.store / "previous.json")
    _flipped(path)
    told = run(job, place)
    path.unlink()
    shutil.copy(place.folder / "sound", path)
    now = held("Corrupt file", job, place, before, told)
    if job == "serve":
        assert '"code": "pointer-unreadable"' in told.out, "health says why"
    did(job, place, now, run(job, place))


def test_forecasts_of_a_lost_pack_are_passed_over(place: Place) -> None:
    before = Seen.of(place)
    path = _pack(place) / "paths.npy"
    shutil.copy(path, place.folder / "sound")
    _flipped(path)
    told = run("watch", place)
    path.unlink()
    shutil.copy(place.folder / "sound", path)
    did("watch", place, before, told)


# The database a job needs.
NEEDED: Final = {
    **dict.fromkeys(("forecast", "serve", "watch", "keys", "reproduce", "vacuum"), "state.db"),
    "schedule": "schedule.db", "backup": "mlflow.db", "promote": "mlflow.db",
}  # fmt: skip
CELL: Final = "Locked or lost database"


@pytest.mark.parametrize("job", [job for job in NEEDED if job != "schedule"])
def test_locked_database(place: Place, job: str) -> None:
    """Another process writes to it, and does not let go."""
    before, name = Seen.of(place), NEEDED[job]
    with closing(sqlite3.connect(place.store / name, isolation_level=None)) as line:
        if name == "state.db":  # with a log beside it, readers would not notice
            line.execute("PRAGMA journal_mode=DELETE")
        line.execute("BEGIN EXCLUSIVE")
        told = run(job, place, patient)
    _as_promised(place, job, before, told)


@pytest.mark.parametrize("job", NEEDED)
def test_lost_database(place: Place, job: str) -> None:
    """A folder stands where the file should be: it can be neither opened nor made."""
    before, name = Seen.of(place), NEEDED[job]
    for path in place.store.glob(f"{name}*"):
        path.rename(place.folder / path.name)
    (place.store / name).mkdir()
    told = run(job, place, patient)
    (place.store / name).rmdir()
    for path in place.folder.glob(f"{name}*"):
        path.rename(place.store / path.name)
    _as_promised(place, job, before, told)


def _as_promised(place: Place, job: str, before: Seen, told: Told) -> None:
    now = held(CELL, job, place, before, told)
    if job == "forecast":
        assert len(list(waiting(place.store))) == 1, "its entry waits in a spool"
    if job == "serve":
        assert len(now.issued) == len(before.issued) + 2, "nothing is lost"
    if job == "promote":
        assert now.pointer is not None
        assert now.pointer.model_version == now.promoted[-1]["to_version"] == "second"
    again = run(job, place)
    did(job, place, now, again)
    assert "not followed" not in again.out, "the registry is settled by the next"


def test_what_waits_in_a_spool_is_made_again_while_the_database_is_away(place: Place) -> None:
    (place.store / "state.db").rename(place.folder / "state.db")
    (place.store / "state.db").mkdir()
    issued = run("forecast", place, patient).out.partition("forecast_id ")[2].split()[0]
    told = run("reproduce", place, patient, ["reproduce", issued])
    assert (told.status, told.plain) == (0, True), told
    assert json.loads(told.out)["identical"]


# What a job holds while it works.
HOLDS: Final = {
    "retrain": ("retrain.lock",), "promote": ("retrain.lock",), "backup": ("upkeep.lock",),
    "restore": ("retrain.lock", "upkeep.lock"), "vacuum": ("retrain.lock", "upkeep.lock"),
}  # fmt: skip


@pytest.mark.parametrize("job", JOBS)
def test_two_writers(place: Place, job: str) -> None:
    before = Seen.of(place)
    for name in HOLDS.get(job, ()):
        with one_at_a_time(place.store / name, "job of somebody else"):
            held("Two writers", job, place, before, run(job, place))
    both = [started(job, place, finds) for _ in range(2)]
    told = [ended(one) for one in both]
    well = [one for one in told if one.status == 0]
    assert well, told
    for one in told:
        assert one.plain, told
        if one not in well:
            assert one.code in PROMISED["Two writers"][job].codes, told
    _written_once(job, before, whole(place, before), well)
    again = run(job, place)
    assert (again.status, again.plain) == (0, True), again


def _written_once(job: str, before: Seen, now: Seen, well: list[Told]) -> None:
    """What two that did the same at once have written, ``well`` being those that were not refused."""
    grown = {
        name: len(getattr(now, name)) - len(getattr(before, name))
        for name in ("promoted", "retrains", "findings", "issued", "keys", "runs", "lake", "out")
    }
    each = {"retrain": "retrains", "forecast": "issued", "keys": "keys", "backup": "out"}
    once = {"ingest": "lake", "watch": "findings", "promote": "promoted", "schedule": "runs"}
    wanted = {each[job]: len(well)} if job in each else {once[job]: 1} if job in once else {}
    if job == "serve":
        wanted = {"issued": 2 * len(well)}
    if job == "schedule":  # which watches
        wanted["findings"] = 1
        assert sum("look: done. " in one.out for one in well) == 1
    assert {name: number for name, number in grown.items() if number} == wanted
    assert len(well) == 2 or PROMISED["Two writers"][job].codes
