"""Disk full, read-only, wrong permissions, no network: each job ends well or is refused."""

from __future__ import annotations

from typing import Final

import pytest

from tests.faults.jobs import (
    JOBS,
    Place,
    Told,
    let_in,
    no_network,
    no_room,
    of_a_stranger,
    promoted,
    read_only,
    run,
    whole,
)

# What docs/faults.md promises of each job: refused with one of these codes, or done.
DONE: Final = "done"
STATE: Final = ("state-database",)
# Permissions stand in for a mount where root is not to be had.
MOUNT: Final = ("read-only", "no-permission")
FULL: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("ingest", "retrain", "promote", "backup", "restore"), ("disk-full",)),
    **dict.fromkeys(("forecast", "serve"), (DONE,)),
    **dict.fromkeys(("watch", "keys", "reproduce", "vacuum"), STATE),
    "schedule": ("schedule-database",),
}
READ_ONLY: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("ingest", "retrain", "promote", "restore", "vacuum"), MOUNT),
    **dict.fromkeys(("forecast", "serve", "backup"), (DONE,)),
    "keys": STATE,
    # Both read; whether a state can be opened for reading alone is its database's to say.
    **dict.fromkeys(("watch", "reproduce"), (DONE, *STATE)),
    "schedule": ("schedule-database",),
}


def as_promised(told: Told, outcomes: tuple[str, ...]) -> None:
    """A job ended in one of the outcomes that are promised of it."""
    assert told.plain, told
    if told.status == 0:
        assert DONE in outcomes, told
    else:
        assert told.refused, told
        assert any(f"forecarbon: {code}: " in told.err for code in outcomes), told


@pytest.mark.parametrize("job", JOBS)
def test_disk_full(place: Place, job: str) -> None:
    before = promoted(place)
    told = run(job, place, no_room)
    as_promised(told, FULL[job])
    whole(place, before)
    again = run(job, place)
    assert again.status == 0, again
    whole(place, before)


@pytest.mark.parametrize("job", JOBS)
def test_read_only(place: Place, job: str) -> None:
    before = promoted(place)
    told = run(job, place, read_only(place.store))
    let_in(place.store)
    as_promised(told, READ_ONLY[job])
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
