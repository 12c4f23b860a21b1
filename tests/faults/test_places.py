"""Disk full, read-only, wrong permissions, no network: each job ends well or is refused."""

from __future__ import annotations

import pytest

from tests.faults.jobs import (
    JOBS,
    Place,
    let_in,
    no_network,
    no_room,
    of_a_stranger,
    promoted,
    read_only,
    run,
    whole,
)


@pytest.mark.parametrize("job", JOBS)
def test_disk_full(place: Place, job: str) -> None:
    before = promoted(place)
    told = run(job, place, no_room)
    assert told.plain, told
    assert told.status == 0 or told.refused, told
    whole(place, before)
    again = run(job, place)
    assert again.status == 0, again
    whole(place, before)


@pytest.mark.parametrize("job", JOBS)
def test_read_only(place: Place, job: str) -> None:
    before = promoted(place)
    told = run(job, place, read_only(place.store))
    let_in(place.store)
    assert told.plain, told
    assert told.status == 0 or told.refused, told
    whole(place, before)


@pytest.mark.parametrize("job", JOBS)
def test_permissions(place: Place, job: str) -> None:
    before = promoted(place)
    (place.store / "lake").mkdir()
    told = run(job, place, of_a_stranger(place.store))
    let_in(place.store)
    assert told.plain, told
    assert told.refused, told
    whole(place, before)


@pytest.mark.parametrize("job", JOBS)
def test_no_network(place: Place, job: str) -> None:
    told = run(job, place, no_network)
    assert (told.status, told.plain) == (0, True), told
    whole(place, [])
