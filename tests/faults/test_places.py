"""Disk full, read-only, wrong permissions, no network: each job ends as is promised of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Final

import pytest

from tests.faults.jobs import JOBS, Place, run
from tests.faults.promises import PROMISED, held, kept
from tests.faults.seen import Seen, did
from tests.faults.ways import both, finds, let_in, no_network, no_room, of_a_stranger, read_only

READERS: Final = ("watch", "reproduce")


@pytest.mark.parametrize("job", JOBS)
def test_disk_full(place: Place, job: str) -> None:
    before = Seen.of(place)
    told = run(job, place, both(no_room, finds))
    now = held("Disk full", job, place, before, told)
    if job in ("forecast", "serve"):
        assert now.issued == before.issued
    if job == "vacuum":
        assert now.downloads == [], "what needs no database goes first"
    again = did(job, place, now, run(job, place, finds))
    if job == "watch":
        assert len(again.findings) == 1, "no finding is lost"


@pytest.mark.parametrize("job", JOBS)
def test_read_only(place: Place, job: str) -> None:
    before = Seen.of(place)
    told = run(job, place, both(read_only(place.store), finds))
    let_in(place.store)
    now = held("Read-only", job, place, before, told)
    if job in ("forecast", "serve"):
        assert now.issued == before.issued
    if job in READERS:
        assert told.code == "state-database", "with a log of changes it cannot be opened for reading alone"
        without_a_log(place)
        told = run(job, place, both(read_only(place.store), finds))
        let_in(place.store)
        if job == "watch":  # it scores, and cannot record what it finds
            assert told.code in ("read-only", "no-permission"), told
            kept(PROMISED["Read-only"][job], job, place, now, told)
        else:
            did(job, place, now, told)


def without_a_log(place: Place) -> None:
    """A state that can be opened for reading alone."""
    with closing(sqlite3.connect(place.store / "state.db")) as line:
        line.execute("PRAGMA journal_mode=DELETE")


@pytest.mark.parametrize("job", JOBS)
def test_permissions(place: Place, job: str) -> None:
    before = Seen.of(place)
    (place.store / "lake").mkdir()
    told = run(job, place, of_a_stranger(place.store))
    let_in(place.store)
    held("Wrong permissions", job, place, before, told)


@pytest.mark.parametrize("job", JOBS)
def test_no_network(place: Place, job: str) -> None:
    before = Seen.of(place)
    held("Network", job, place, before, run(job, place, no_network))
