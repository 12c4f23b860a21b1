"""Killed at any moment; a clock that jumps; an hour that comes twice."""

from __future__ import annotations

import json
import random
import re
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import pandas as pd
import pytest

from features.series.lake import Lake
from serving.guard import Rules
from serving.journal import find
from serving.keys import create
from serving.state import state_of
from tests.faults.jobs import JOBS, Place, Told, ended, killed, run, started
from tests.faults.promises import held
from tests.faults.seen import Seen, did, whole
from tests.faults.store import OLD, copied
from tests.faults.ways import at_time, both, finds
from tests.serving.desks import asked, bearer, code_of, desk_of

NOW: Final = datetime.now(UTC)
AHEAD, BEHIND = NOW + timedelta(days=3 * 365), NOW - timedelta(days=3 * 365)
# So long ago that figures have come since for what was forecast then.
EARLY: Final = NOW - timedelta(days=5 * 365)
# 02:30 in Amsterdam, the first time and the second.
TWICE: Final = (datetime(2027, 10, 31, 0, 30, tzinfo=UTC), datetime(2027, 10, 31, 1, 30, tzinfo=UTC))
STAMPS: Final = ["2027-10-31T00:30", "2027-10-31T01:30"]


@pytest.mark.parametrize("job", JOBS)
def test_killed(place: Place, job: str) -> None:
    before, draw = Seen.of(place), random.Random(job)
    moments = (draw.uniform(0.02, 0.5), 0.02, 0.005)
    # A job that was done by the first moment is killed at an earlier one.
    assert any(killed(job, place, seconds).status == -signal.SIGKILL for seconds in moments), moments
    left = whole(place, before)
    # Whoever was killed at work still has the turn of the schedule, until its lease runs out.
    later = at_time(datetime.now(UTC) + timedelta(minutes=2)) if job == "schedule" else lambda: None
    now = did(job, place, left, run(job, place, later))
    if job == "ingest":
        Lake(place.store / "lake").as_of(pd.Timestamp(NOW))
    if job == "schedule":
        assert {state for _, state, _ in now.runs} <= {"done", "lost"}


@pytest.fixture(scope="module")
def earlier(used: Place, tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Seen, Told]:
    """A retrain with the clock set back five years, what was there before it, and what it said."""
    place = copied(used, tmp_path_factory.mktemp("earlier") / "place")
    before = Seen.of(place)
    return place, before, run("retrain", place, at_time(EARLY))


def _retrain_jumps(place: Place, earlier: tuple[Place, Seen, Told]) -> None:
    before = Seen.of(place)
    now = did("retrain", place, before, run("retrain", place, at_time(AHEAD)))
    assert now.retrains[-1]["action"] == "unchanged", "nothing is judged twice"
    then, before, told = earlier
    now = did("retrain", then, before, told)
    first, last = now.retrains[0], now.retrains[-1]
    assert last["at"][:16] == f"{EARLY:%Y-%m-%dT%H:%M}"
    assert (last["action"], last["data_hash"] != first["data_hash"]) == ("judged", True)
    again = did("retrain", then, now, run("retrain", then, at_time(EARLY)))
    assert again.retrains[-1]["action"] == "unchanged"


def _watch_jumps(place: Place, earlier: tuple[Place, Seen, Told]) -> None:
    then = copied(earlier[0], place.folder / "then")
    before = Seen.of(then)
    assert before.pointer is not None
    did("forecast", then, before, run("forecast", then, at_time(EARLY)))
    scored = []
    for moment in (EARLY, NOW):
        before = Seen.of(then)
        told = run("watch", then, at_time(moment))
        did("watch", then, before, told)
        found = re.search(r"with an actual: (\d+)", told.out)
        assert found is not None, told
        scored.append(int(found[1]))
    assert scored[0] == 0 < scored[1], "what was not known then is not scored"


def _ingest_jumps(place: Place) -> None:
    before = Seen.of(place)
    stated = datetime(2023, 5, 1, tzinfo=UTC)
    told = run("ingest", place, at_time(stated - timedelta(days=1)))
    now = held("Clock jump", "ingest", place, before, told)
    did("ingest", place, now, run("ingest", place, at_time(AHEAD)))
    lake = Lake(place.store / "lake")
    sizes = [len(lake.as_of(pd.Timestamp(stated) + pd.Timedelta(days=day)).records) for day in (-1, 1)]
    assert sizes[0] == 0 < sizes[1], "what becomes known later is not read earlier"


def _forecast_jumps(place: Place) -> None:
    for moment in (AHEAD, BEHIND):
        before = Seen.of(place)
        now = did("forecast", place, before, run("forecast", place, at_time(moment)))
        ((made, at),) = set(now.issued) - set(before.issued)
        assert at[:16] == f"{moment:%Y-%m-%dT%H:%M}"
        entry = find(place.store, made)
        assert entry is not None
        assert entry["issued_at"] == at


def _serve_jumps(place: Place) -> None:
    for moment in (AHEAD, BEHIND):
        before = Seen.of(place)
        told = run("serve", place, at_time(moment))
        did("serve", place, before, told)
        assert f"issued_at {moment:%Y-%m-%dT%H:%M}" in told.out
    state, times = state_of(place.store), iter([NOW, AHEAD, AHEAD, AHEAD])
    _, token = create(state, "slow", scopes=["read"], days=3650, at=NOW, who="ada", per_second=0.01)
    state.close()
    with desk_of(place.store, Rules("keys"), clock=lambda: f"{next(times):%Y-%m-%dT%H:%M:%S.000Z}") as edge:
        replies = [asked(edge, "GET", "/v1/clusters", headers=bearer(token)) for _ in range(2)]
    assert replies[0].status_code == 200
    assert code_of(replies[1]) == (429, "too-many-requests"), (
        "rates are counted by a clock that does not jump"
    )


def _schedule_jumps(place: Place) -> None:
    now = did("schedule", place, Seen.of(place), run("schedule", place, at_time(AHEAD)))
    ((_, _, missed),) = now.runs
    assert missed == AHEAD.year - 2020, "the times missed since 2020 are one run"
    told = run("schedule", place, at_time(BEHIND))
    assert (told.status, told.plain, "look" in told.out) == (0, True, False), told
    assert whole(place, now).runs == now.runs, "nothing runs twice"


def _promote_jumps(place: Place) -> None:
    before = Seen.of(place)
    now = did("promote", place, before, run("promote", place, at_time(AHEAD)))
    first = before.promoted[0]["to_version"]
    told = run("promote", place, at_time(BEHIND), ["rollback", "--who", "ada"])
    assert told.status == 0, told
    last = whole(place, now)
    assert last.promoted[-1]["at"] < last.promoted[-2]["at"]
    assert last.pointer is not None
    assert last.pointer.model_version == last.promoted[-1]["to_version"] == first


def _keys_jump(place: Place) -> None:
    before = Seen.of(place)
    states = []
    for moment in (AHEAD, NOW):
        told = run("keys", place, at_time(moment), ["keys", "list", "--json"])
        assert (told.status, told.plain) == (0, True), told
        states += [line["state"] for line in json.loads(told.out)]
    assert states == ["expired", "valid"]
    now = did("keys", place, before, run("keys", place, at_time(BEHIND)))
    assert ("acme", f"{BEHIND:%Y-%m-%dT%H:%M}") in [(name, at[:16]) for name, at in now.keys]


def _reproduce_jumps(place: Place) -> None:
    before = Seen.of(place)
    for moment in (AHEAD, BEHIND):
        told = run("reproduce", place, at_time(moment))
        did("reproduce", place, before, told)
        assert json.loads(told.out)["issued_at"] == before.issued[0][1]


def _backup_jumps(place: Place) -> None:
    now = Seen.of(place)
    for _ in range(2):  # a second that comes twice is two names
        now = did("backup", place, now, run("backup", place, at_time(BEHIND)))
    assert now.out == sorted(f"forecarbon-{BEHIND:%Y%m%dT%H%M%SZ}{more}.tar" for more in ("", "-2"))
    there = place.folder / "out" / now.out[0]
    was = there.read_bytes()
    told = run("backup", place, at_time(AHEAD), ["backup", "--to", str(there)])
    held("Clock jump", "backup", place, now, told)
    assert there.read_bytes() == was


def _restore_jumps(place: Place) -> None:
    for moment in (AHEAD, BEHIND):
        did("restore", place, Seen.of(place), run("restore", place, at_time(moment)))


def _vacuum_jumps(place: Place) -> None:
    before = Seen.of(place)
    assert before.pointer is not None
    told = run("vacuum", place, at_time(BEHIND), ["vacuum", "--keep-models", "3"])
    assert (told.status, told.plain) == (0, True), told
    behind = whole(place, before)
    assert behind.unlike(before) <= {"downloads"}, "of what may serve again nothing goes"
    now = did("vacuum", place, behind, run("vacuum", place, at_time(AHEAD)))
    assert set(now.models) == set(before.models) - {OLD}
    assert now.packs == before.packs


JUMPS: Final[dict[str, Callable[[Place], None]]] = {
    "ingest": _ingest_jumps, "forecast": _forecast_jumps, "serve": _serve_jumps,
    "schedule": _schedule_jumps, "promote": _promote_jumps, "keys": _keys_jump,
    "reproduce": _reproduce_jumps, "backup": _backup_jumps, "restore": _restore_jumps,
    "vacuum": _vacuum_jumps,
}  # fmt: skip
EARLIER: Final = {"retrain": _retrain_jumps, "watch": _watch_jumps}


@pytest.mark.parametrize("job", JOBS)
def test_clock_jump(place: Place, job: str, request: pytest.FixtureRequest) -> None:
    if job in EARLIER:
        EARLIER[job](place, request.getfixturevalue("earlier"))
    else:
        JUMPS[job](place)


# Two runs, an hour apart, at one time of the clock on the wall; what tells them apart on record.
TWO: Final[dict[str, Callable[[Seen], list[str]]]] = {
    "retrain": lambda now: [line["at"] for line in now.retrains[-2:]],
    "forecast": lambda now: [at for _, at in now.issued[-2:]],
    "serve": lambda now: [at for _, at in now.issued[-4::2]],
    "keys": lambda now: [at for _, at in now.keys[-2:]],
    "backup": lambda now: [f"{name[11:15]}-{name[15:17]}-{name[17:22]}:{name[22:24]}" for name in now.out],
    "watch": lambda now: [str(line["at"]) for line in now.findings],
}


@pytest.mark.parametrize("job", TWO)
def test_the_hour_that_comes_twice(place: Place, job: str) -> None:
    now = Seen.of(place)
    for number, moment in enumerate(TWICE):
        seen = both(at_time(moment, "Europe/Amsterdam"), partial(finds, f"finding {number}"))
        now = did(job, place, now, run(job, place, seen))
    assert [at[:16] for at in TWO[job](now)] == STAMPS


def test_what_is_published_in_an_hour_that_comes_twice(place: Place) -> None:
    words = ["ingest", "eutl", "--file", str(place.folder / "eutl")]
    now = Seen.of(place)
    for moment in TWICE:
        now = did("ingest", place, now, run("ingest", place, at_time(moment, "Europe/Amsterdam"), words))
    (snapshot,) = Lake(place.store / "lake").snapshots()
    assert [str(at)[:16] for at in snapshot.seen] == ["2027-10-31 00:30"], "the second tells nothing new"


def test_a_promotion_in_an_hour_that_comes_twice(place: Place) -> None:
    now = did("promote", place, Seen.of(place), run("promote", place, at_time(TWICE[0], "Europe/Amsterdam")))
    told = run("promote", place, at_time(TWICE[1], "Europe/Amsterdam"), ["rollback", "--who", "ada"])
    assert (told.status, told.plain) == (0, True), told
    assert [line["at"][:16] for line in whole(place, now).promoted[-2:]] == STAMPS


def test_what_is_due_in_an_hour_that_comes_twice_is_done_once(place: Place) -> None:
    (place.folder / "schedule.toml").write_text(
        'time_zone = "Europe/Amsterdam"\n[[job]]\nname = "look"\nrun = "watch"\nplan = "small.toml"\n'
        'cron = "30 2 * * *"\nsince = 2027-10-30T12:00:00Z\n'
    )
    told = [run("schedule", place, at_time(moment, "Europe/Amsterdam")) for moment in TWICE]
    assert [(one.status, one.plain) for one in told] == [(0, True)] * 2, told
    assert Seen.of(place).runs == [("look", "done", 0)]
    assert sum("look: done. " in one.out for one in told) == 1


def test_a_day_is_kept_to_the_hour_that_comes_twice(place: Place) -> None:
    """An entry is a day old at the second of the two, not at the first."""
    run("forecast", place, at_time(TWICE[0] - timedelta(hours=23, minutes=30)))
    words = ["vacuum", "--journal-days", "1"]
    left = []
    for moment in TWICE:
        told = run("vacuum", place, at_time(moment, "Europe/Amsterdam"), words)
        assert (told.status, told.plain) == (0, True), told
        left.append(len(Seen.of(place).issued))
    assert left == [1, 0]


def test_a_job_that_hangs_is_killed_and_told(place: Place) -> None:
    begun = time.monotonic()
    with pytest.raises(AssertionError, match="a job hung"):
        ended(started("keys", place, lambda: time.sleep(60)), seconds=0.3)
    assert time.monotonic() - begun < 10
