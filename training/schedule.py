"""The scheduler: one process that runs what is due, one job at a time over all schedulers of a database.

What is due and who may run it stands in the database (``training.timetable``); APScheduler only reads
cron lines and wakes this up. The clock is an argument, so that years can be stepped through in minutes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import socket
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from features.errors import AskError, ForecarbonError, of_system
from features.logins import without_logins
from training.schedule_file import JobPlan, SchedulePlan
from training.timetable import Timetable, text_of

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

Job = Callable[[JobPlan, datetime], str]
MOST_MISSED: Final = 1000
_LOG: Final = logging.getLogger("forecarbon.schedule")


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def new_holder() -> str:
    """A name that no other scheduler has: machine, process, and a part drawn anew."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True)
class Ran:
    """What became of one job: its state is done, failed or lost."""

    job: str
    state: str
    told: str


@dataclass(frozen=True)
class Scheduler:
    """Runs the jobs of a schedule as they fall due.

    Attributes:
        plan: the schedule.
        table: the database.
        run: does a job at an instant and says in a sentence what came of it.
        clock: tells the time, aware.
        holder: name under which it takes its turn.
    """

    plan: SchedulePlan
    table: Timetable
    run: Job
    clock: Callable[[], datetime] = utc_now
    holder: str = field(default_factory=new_holder)

    def __post_init__(self) -> None:
        """Enter the schedule's jobs in the timetable.

        Raises:
            AskError: a cron line that cannot be read.
        """
        now = self.clock()
        zone = self.plan.time_zone
        crons = {job.name: f"{job.cron} {zone}" for job in self.plan.job}
        first = {job.name: self._after(job, job.since or now) for job in self.plan.job}
        self.table.settle(crons, first)

    @property
    def names(self) -> list[str]:
        """Names of the jobs."""
        return [job.name for job in self.plan.job]

    def next_due(self) -> datetime:
        """When the next job is due."""
        return next(iter(self.table.due(self.names).values()))

    def run_due(self) -> list[Ran]:
        """Run every job that is due, soonest first; none if another scheduler has the turn.

        Due times missed meanwhile count as one run.
        """
        if not self._due():
            return []
        if not self.table.take(self.holder, now=self.clock(), until=self._lease_end()):
            _tell("turn-taken", holder=self.holder)
            return []
        try:
            with self._heartbeat():
                # Asked again: another may have run them just before its turn ended.
                return [self._run_one(job, due) for job, due in self._due()]
        finally:
            self.table.release(self.holder)

    def _due(self) -> list[tuple[JobPlan, datetime]]:
        now, jobs = self.clock(), {job.name: job for job in self.plan.job}
        return [(jobs[name], due) for name, due in self.table.due(self.names).items() if due <= now]

    def _run_one(self, job: JobPlan, due: datetime) -> Ran:
        now = self.clock()
        run = self.table.begin(
            job.name, due=due, missed=self._missed(job, due, now), holder=self.holder, now=now
        )
        _tell("job-begins", job=job.name, due=text_of(due))
        state, told = self._done(job, now)
        end = self.clock()
        following = self._after(job, end)
        if state == "failed":
            following = min(following, end + timedelta(minutes=self.plan.retry_minutes))
        if not self.table.end(run, job=job.name, state=state, told=told, now=end, due=following):
            state = "lost"
        _tell(f"job-{state}", job=job.name, told=told, due_next=text_of(following))
        return Ran(job.name, state, told)

    def _done(self, job: JobPlan, now: datetime) -> tuple[str, str]:
        try:
            return "done", self.run(job, now)
        except ForecarbonError as fault:
            return "failed", fault.message
        except OSError as fault:
            return "failed", of_system(fault).message
        except Exception as fault:  # noqa: BLE001 - whatever a job dies of, the next ones must run
            return "failed", without_logins(f"{type(fault).__name__}: {fault}")

    def _after(self, job: JobPlan, moment: datetime) -> datetime:
        """The job's first due time after ``moment``, its jitter added."""
        fire = next(_fires(job, self.plan.time_zone, moment))
        key = hashlib.sha256(f"{job.name} {text_of(fire)}".encode()).digest()
        late = int.from_bytes(key[:4]) % (self.plan.jitter_seconds + 1)
        return fire + timedelta(seconds=late)

    def _missed(self, job: JobPlan, due: datetime, now: datetime) -> int:
        """Due times after ``due`` up to ``now``, counted up to ``MOST_MISSED``."""
        fires = islice(_fires(job, self.plan.time_zone, due), MOST_MISSED)
        return sum(1 for fire in fires if fire <= now)

    def _lease_end(self) -> datetime:
        return self.clock() + timedelta(seconds=self.plan.lease_seconds)

    @contextmanager
    def _heartbeat(self) -> Iterator[None]:
        """Renew the lease while a job runs; a process that is killed beats no more."""
        stop = threading.Event()

        def beat() -> None:
            while not stop.wait(self.plan.lease_seconds / 3):
                try:
                    if not self.table.renew(self.holder, until=self._lease_end()):
                        _tell("turn-lost", holder=self.holder)
                        return
                except AskError as fault:
                    _tell("heartbeat-failed", said=fault.code)

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def run_forever(scheduler: Scheduler) -> None:
    """Look every ``poll_seconds`` whether a job is due, until SIGTERM or SIGINT; a job at hand is ended."""
    from apscheduler.schedulers.blocking import BlockingScheduler
    from apscheduler.triggers.interval import IntervalTrigger

    def look() -> None:
        try:
            scheduler.run_due()
        except ForecarbonError as fault:
            _tell("look-failed", said=fault.message)

    # It would warn at every look during a long job that the last look is not over yet.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    clockwork = BlockingScheduler(timezone=UTC)
    every = IntervalTrigger(seconds=scheduler.plan.poll_seconds, timezone=UTC)
    clockwork.add_job(
        look, every, next_run_time=utc_now(), max_instances=1, coalesce=True, misfire_grace_time=None
    )
    try:
        clockwork.start()
    except (KeyboardInterrupt, SystemExit):
        clockwork.shutdown(wait=True)


def _fires(job: JobPlan, zone: str, after: datetime) -> Iterator[datetime]:
    """The instants of a cron line after ``after``, without end.

    An hour that the clock shows twice counts once, but for a line of every hour.
    """
    trigger, moment = _trigger(job, zone), after
    place, hourly = ZoneInfo(zone), job.cron.split()[1].startswith("*")
    while True:
        fire = trigger.get_next_fire_time(None, moment + timedelta(seconds=1))
        if fire is None:
            raise _unreadable(job, "a day that no year has")
        moment = fire.astimezone(UTC)
        if hourly or not moment.astimezone(place).fold:
            yield moment


def _trigger(job: JobPlan, zone: str) -> CronTrigger:
    from apscheduler.triggers.cron import CronTrigger

    try:
        return CronTrigger.from_crontab(job.cron, timezone=zone)
    except ValueError as fault:
        raise _unreadable(job, str(fault)) from None


def _unreadable(job: JobPlan, why: str) -> AskError:
    return AskError(
        "schedule-value",
        found=f"cron {job.cron!r} of job {job.name}: {why}",
        expected="minute, hour, day, month, weekday, such as 15 3 * * mon",
        remedy="correct the schedule and run it again",
    )


def _tell(event: str, **facts: Any) -> None:
    _LOG.info(json.dumps({"event": event, **facts}))
