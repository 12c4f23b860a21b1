"""A scheduler as its own process, with a job that takes long.

python clockwork.py DATABASE LOG SECONDS LEASE once|forever

The job writes its process's number to LOG when it begins and when it ends.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from training.schedule import Scheduler, run_forever
from training.schedule_file import JobPlan, SchedulePlan
from training.timetable import Timetable

SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def main(database: str, log: str, seconds: str, lease: str, how: str) -> None:
    """Run what is due, once or until told to stop."""

    def run(job: JobPlan, now: datetime) -> str:
        for word in ("begins", "ends"):
            with Path(log).open("a") as stream:
                stream.write(f"{word} {os.getpid()}\n")
            if word == "begins":
                time.sleep(float(seconds))
        return "slept"

    jobs = [JobPlan(name="a", plan="none.toml", cron="0 0 1 1 *", since=SINCE)]
    plan = SchedulePlan(job=jobs, lease_seconds=int(lease), poll_seconds=1)
    scheduler = Scheduler(plan, Timetable(database), run)
    if how == "forever":
        run_forever(scheduler)
    else:
        print(len(scheduler.run_due()))  # noqa: T201  # what the test reads


if __name__ == "__main__":
    main(*sys.argv[1:])
