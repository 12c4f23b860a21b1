"""Killed at any moment; a clock that jumps; an hour that comes twice."""

from __future__ import annotations

import random
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from serving.journal import read_entries
from tests.faults.jobs import JOBS, Place, Told, at_time, ended, killed, promoted, run, started, whole

NOW: Final = datetime.now(UTC)
# 02:30 in Amsterdam, the first time and the second.
TWICE: Final = (datetime(2027, 10, 31, 0, 30, tzinfo=UTC), datetime(2027, 10, 31, 1, 30, tzinfo=UTC))


@pytest.mark.parametrize("job", JOBS)
def test_killed(place: Place, job: str) -> None:
    before, draw = promoted(place), random.Random(job)
    moments = (draw.uniform(0.02, 0.5), 0.02, 0.005)
    # A job that was done by the first moment is killed at an earlier one.
    assert any(killed(job, place, seconds).status == -signal.SIGKILL for seconds in moments), moments
    told = run(job, place)
    assert (told.status, told.plain) == (0, True), told
    whole(place, before)


@pytest.mark.parametrize("job", JOBS)
def test_clock_jump(place: Place, job: str) -> None:
    before = promoted(place)
    for moment in (NOW + timedelta(days=3 * 365), NOW - timedelta(days=3 * 365)):
        told = run(job, place, at_time(moment))
        assert told.plain, told
        assert told.status == 0 or told.refused, told
        if job == "serve":
            assert _issued(told) == f"{moment:%Y-%m-%dT%H:%M}"
        whole(place, before)


@pytest.mark.parametrize("job", JOBS)
def test_the_hour_that_comes_twice(place: Place, job: str) -> None:
    before = promoted(place)
    for moment in TWICE:
        told = run(job, place, at_time(moment, "Europe/Amsterdam"))
        assert (told.status, told.plain) == (0, True), told
        if job == "serve":
            assert _issued(told) == f"{moment:%Y-%m-%dT%H:%M}"
    whole(place, before)
    if job == "forecast":
        told_at = [str(entry["issued_at"])[:16] for entry in read_entries(place.store)]
        assert told_at[-2:] == ["2027-10-31T00:30", "2027-10-31T01:30"]
    if job == "promote":
        assert promoted(place)[-1]["at"] == "2027-10-31T00:30:00Z"


def test_a_job_that_hangs_is_killed_and_told(place: Place) -> None:
    begun = time.monotonic()
    with pytest.raises(AssertionError, match="a job hung"):
        ended(started("keys", place, lambda: time.sleep(60)), seconds=0.3)
    assert time.monotonic() - begun < 10


def _issued(told: Told) -> str:
    """The minute that an answer says it was issued in."""
    return told.out.partition("issued_at ")[2][:16]
