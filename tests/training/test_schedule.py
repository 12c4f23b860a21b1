from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.errors import AskError, ModelError
from training.schedule import Scheduler
from training.schedule_file import JobPlan, SchedulePlan
from training.timetable import Timetable, default_database

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
CLOCKWORK = Path(__file__).with_name("clockwork.py")


@dataclass
class World:
    """A clock that is told the time, and what was run when."""

    table: Timetable
    now: datetime = BEGIN
    ran: list[tuple[str, datetime]] = field(default_factory=list)
    fault: Exception | None = None

    def scheduler(self, *jobs: JobPlan, **settings: Any) -> Scheduler:
        def run(job: JobPlan, now: datetime) -> str:
            self.ran.append((job.name, now))
            if self.fault is not None:
                raise self.fault
            return f"did {job.name}"

        return Scheduler(SchedulePlan(job=list(jobs), **settings), self.table, run, lambda: self.now)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    table = Timetable(default_database(tmp_path))
    yield World(table)
    table.close()


def job(name: str = "a", cron: str = "0 3 2 * *", since: datetime | None = None) -> JobPlan:
    return JobPlan(name=name, plan="p.toml", cron=cron, since=since)


def test_nothing_runs_before_it_is_due_and_each_time_once(world: World) -> None:
    scheduler = world.scheduler(job())
    assert scheduler.run_due() == []
    for month in (1, 2, 3):
        world.now = scheduler.next_due()
        assert world.now == datetime(2024, month, 2, 3, tzinfo=UTC)
        assert [(ran.state, ran.told) for ran in scheduler.run_due()] == [("done", "did a")]
        assert scheduler.run_due() == []
    assert len(world.ran) == 3


def test_missed_times_count_as_one_run(world: World) -> None:
    scheduler = world.scheduler(job())
    world.now = datetime(2024, 6, 15, tzinfo=UTC)
    assert len(scheduler.run_due()) == 1
    assert scheduler.run_due() == []
    (run,) = world.table.runs()
    assert (run.due[:10], run.missed) == ("2024-01-02", 5)
    assert scheduler.next_due() == datetime(2024, 7, 2, 3, tzinfo=UTC)


def test_a_new_job_with_a_past_is_due_at_once(world: World) -> None:
    scheduler = world.scheduler(job(since=datetime(2020, 1, 1, tzinfo=UTC)))
    assert len(scheduler.run_due()) == 1


def test_a_schedule_outlives_its_scheduler(world: World) -> None:
    world.scheduler(job())
    world.now += timedelta(days=40)
    assert len(world.scheduler(job()).run_due()) == 1


def test_jobs_run_in_the_order_they_fell_due(world: World) -> None:
    scheduler = world.scheduler(job("late", "0 5 2 * *"), job("soon", "0 4 2 * *"))
    world.now += timedelta(days=3)
    scheduler.run_due()
    assert [name for name, _ in world.ran] == ["soon", "late"]


def test_lines_are_read_in_the_time_zone_over_a_change_of_its_clock(world: World) -> None:
    scheduler = world.scheduler(job(cron="30 6 * * *"), time_zone="Europe/Amsterdam")
    hours = []
    for day in (datetime(2024, 3, 30, tzinfo=UTC), datetime(2024, 3, 31, tzinfo=UTC)):
        world.now = day
        scheduler.run_due()
        hours.append(scheduler.next_due())
    assert hours == [datetime(2024, 3, 30, 5, 30, tzinfo=UTC), datetime(2024, 3, 31, 4, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("cron", "after", "hours"),
    [
        ("30 2 * * *", datetime(2027, 10, 30, 12, tzinfo=UTC), ["31 00:30", "01 01:30"]),
        ("*/30 2 * * *", datetime(2027, 10, 30, 12, tzinfo=UTC), ["31 00:00", "31 00:30", "01 01:00"]),
        ("30 * * * *", datetime(2027, 10, 31, tzinfo=UTC), ["31 00:30", "31 01:30", "31 02:30"]),
        ("30 2 * * *", datetime(2027, 3, 27, 12, tzinfo=UTC), ["28 01:30", "29 00:30"]),
    ],
)
def test_a_time_that_comes_twice_counts_once_and_one_that_is_skipped_comes_after_it(
    world: World, cron: str, after: datetime, hours: list[str]
) -> None:
    scheduler, found = world.scheduler(job(cron=cron, since=after), time_zone="Europe/Amsterdam"), []
    for _ in hours:
        world.now = scheduler.next_due()
        found.append(f"{world.now:%d %H:%M}")
        scheduler.run_due()
    assert found == hours


def test_jitter_is_bounded_steady_and_differs(world: World) -> None:
    jobs = [job(f"j{k}") for k in range(20)]
    scheduler = world.scheduler(*jobs, jitter_seconds=600)
    plain = datetime(2024, 1, 2, 3, tzinfo=UTC)
    late = [(due - plain).total_seconds() for due in world.table.due(scheduler.names).values()]
    assert min(late) >= 0
    assert max(late) <= 600
    assert len(set(late)) > 10
    again = world.scheduler(*[replace_cron(one) for one in jobs], jitter_seconds=600)
    assert [(due - plain).total_seconds() for due in world.table.due(again.names).values()] == late


def replace_cron(one: JobPlan) -> JobPlan:
    """The same times in other words, so that they are reckoned anew."""
    return one.model_copy(update={"cron": "00 3 2 * *"})


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (ModelError("no-champion", found="f", expected="e", remedy="r"), "no-champion"),
        (RuntimeError("broken"), "RuntimeError: broken"),
    ],
)
def test_a_job_that_fails_is_told_and_tried_again_sooner(world: World, fault: Exception, said: str) -> None:
    scheduler = world.scheduler(job("bad", "0 3 2 1 *"), job("good", "0 4 2 1 *"), retry_minutes=30)
    world.now, world.fault = datetime(2024, 1, 3, tzinfo=UTC), fault
    ran = scheduler.run_due()
    assert [(one.job, one.state) for one in ran] == [("bad", "failed"), ("good", "failed")]
    assert said in ran[0].told
    assert scheduler.next_due() == world.now + timedelta(minutes=30)
    world.now, world.fault = scheduler.next_due(), None
    assert [one.state for one in scheduler.run_due()] == ["done", "done"]
    assert scheduler.next_due().year == 2025


def test_while_one_has_the_turn_another_runs_nothing(world: World) -> None:
    mine, theirs = world.scheduler(job()), world.scheduler(job())
    world.now += timedelta(days=2)
    world.table.take(theirs.holder, now=world.now, until=world.now + timedelta(seconds=60))
    assert mine.run_due() == []
    world.now += timedelta(seconds=61)
    assert len(mine.run_due()) == 1


def test_a_turn_lost_while_running_is_told_and_the_job_is_the_others(world: World) -> None:
    """As after a machine that slept: the run was given up for lost and done by another."""
    mine = world.scheduler(job())
    world.now += timedelta(days=2)

    def overtaken(one: JobPlan, now: datetime) -> str:
        world.now += timedelta(hours=1)
        other = world.scheduler(job())
        assert [ran.state for ran in other.run_due()] == ["done"]
        return "too late"

    assert [ran.state for ran in replace(mine, run=overtaken).run_due()] == ["lost"]
    assert [run.state for run in world.table.runs()] == ["lost", "done"]


@pytest.mark.parametrize("cron", ["61 3 2 * *", "0 3 2 * xyz", "0 0 30 2 *"])
def test_a_line_that_no_time_fits_is_refused(world: World, cron: str) -> None:
    with pytest.raises(AskError, match="schedule-value"):
        world.scheduler(job(cron=cron))


def process(
    database: str, log: Path, *, seconds: float, lease: int, how: str = "once"
) -> subprocess.Popen[str]:
    argv = [sys.executable, str(CLOCKWORK), database, str(log), str(seconds), str(lease), how]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_schedulers_on_one_database_run_one_job(tmp_path: Path) -> None:
    database, log = default_database(tmp_path), tmp_path / "log"
    both = [process(database, log, seconds=2.0, lease=60) for _ in range(2)]
    said = [one.communicate(timeout=60)[0].strip() for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert sorted(said) == ["0", "1"]
    words = [line.split()[0] for line in log.read_text().splitlines()]
    assert words == ["begins", "ends"]


def test_a_scheduler_killed_at_its_job_frees_the_turn_and_the_job_is_done_by_another(tmp_path: Path) -> None:
    database, log = default_database(tmp_path), tmp_path / "log"
    killed = process(database, log, seconds=60, lease=2)
    wait_for(lambda: log.exists() and "begins" in log.read_text())
    time.sleep(2.5)  # longer than the lease: only a beating heart holds it now
    waiting = process(database, log, seconds=0, lease=2)
    assert waiting.communicate(timeout=60)[0].strip() == "0"
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=10)
    time.sleep(2.2)
    following = process(database, log, seconds=0, lease=2)
    assert following.communicate(timeout=60)[0].strip() == "1"
    table = Timetable(database)
    assert [run.state for run in table.runs()] == ["lost", "done"]
    table.close()


def test_told_to_stop_it_ends_the_job_at_hand_first(tmp_path: Path) -> None:
    database, log = default_database(tmp_path), tmp_path / "log"
    running = process(database, log, seconds=4, lease=60, how="forever")
    wait_for(lambda: log.exists() and "begins" in log.read_text())
    time.sleep(2.5)  # looks go by while the job runs, and say nothing
    running.send_signal(signal.SIGTERM)
    assert running.communicate(timeout=60) == ("", "")
    assert running.returncode == 0
    assert [line.split()[0] for line in log.read_text().splitlines()] == ["begins", "ends"]
    table = Timetable(database)
    assert [run.state for run in table.runs()] == ["done"]
    assert table.take("another", now=BEGIN, until=BEGIN)
    table.close()


def wait_for(what: Any) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)
