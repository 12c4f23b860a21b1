"""A scheduler as its own process, with a job that takes long: python clockwork.py DATABASE LOG SECONDS LEASE.

It looks once and ends. The job writes its process's number to LOG when it begins and when it ends.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from training.schedule import Scheduler
from training.schedule_file import JobPlan, SchedulePlan
from training.timetable import Timetable

SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def main(database: str, log: str, seconds: str, lease: str) -> None:
    """Run what is due."""

    def run(job: JobPlan, now: datetime) -> str:
        for word in ("begins", "ends"):
            with Path(log).open("a") as stream:
                stream.write(f"{word} {os.getpid()}\n")
            if word == "begins":
                time.sleep(float(seconds))
        return "slept"

    jobs = [JobPlan(name="a", plan="none.toml", cron="0 0 1 1 *", since=SINCE)]
    plan = SchedulePlan(job=jobs, lease_seconds=int(lease))
    ran = Scheduler(plan, Timetable(database), run).run_due()
    print(len(ran))  # noqa: T201  # what the test reads


if __name__ == "__main__":
    main(*sys.argv[1:])
