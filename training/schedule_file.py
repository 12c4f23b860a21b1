"""The schedule: which jobs run when, in one closed TOML file."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from training.closed import Closed, read_closed

FIELDS: Final = 5
_WEEKDAY: Final = re.compile(r"[a-z*,/-]+|\*/\d+")


class JobPlan(Closed):
    """One job.

    Attributes:
        name: of the job, by which its runs are kept.
        run: "retrain" or "watch".
        plan: TOML file of the plan, named from the schedule's own folder.
        cron: minute, hour, day, month, weekday (mon to sun) in the schedule's time zone.
        since: first instant that counts for a job never seen before; the moment of the first look when
            left out. An instant in the past makes a new job due at once.
    """

    name: str = Field(pattern="^[a-z0-9-]+$", max_length=60)
    run: str = Field(default="retrain", pattern="^(retrain|watch)$")
    plan: str = Field(min_length=1)
    cron: str
    since: datetime | None = None

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, cron: str) -> str:
        fields = cron.split()
        if len(fields) != FIELDS:
            raise ValueError("needs five fields: minute, hour, day, month, weekday")
        if not _WEEKDAY.fullmatch(fields[4].lower()):
            # Cron counts weekdays from Sunday, the library from Monday: a number would be read wrongly.
            raise ValueError("names the weekday by letters: mon, tue, wed, thu, fri, sat, sun")
        return cron

    @field_validator("since")
    @classmethod
    def _with_zone(cls, since: datetime | None) -> datetime | None:
        if since is not None and since.tzinfo is None:
            raise ValueError("needs a zone, as in 2026-01-01T00:00:00Z")
        return since


class SchedulePlan(Closed):
    """All jobs of one scheduler; they run one at a time.

    Attributes:
        time_zone: in which ``cron`` is read, by its IANA name.
        jitter_seconds: a job starts up to so much later, by an amount that its name and time decide.
        lease_seconds: a scheduler unheard of for so long has lost its turn.
        poll_seconds: how often it is looked whether a job is due.
        retry_minutes: a job that failed is tried again after this.
        webhook: http(s) address that findings are posted to; it may hold a secret and is never logged.
    """

    time_zone: str = "UTC"
    jitter_seconds: int = Field(default=0, ge=0, le=3600)
    lease_seconds: int = Field(default=60, ge=2, le=3600)
    poll_seconds: int = Field(default=20, ge=1, le=3600)
    retry_minutes: int = Field(default=60, ge=1, le=10_080)
    webhook: str = Field(default="", pattern="^(https?://.+)?$", repr=False)
    job: list[JobPlan] = Field(min_length=1)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no IANA time zone, such as Europe/Amsterdam") from None
        return name

    @model_validator(mode="after")
    def _one_name_each(self) -> SchedulePlan:
        names = [job.name for job in self.job]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"names these jobs twice: {twice}")
        return self


def read_schedule(path: Path) -> SchedulePlan:
    """The schedule in a TOML file.

    Raises:
        AskError: no such file, not TOML, an unknown key (naming the nearest known one), a value out of
            range.
    """
    return read_closed(path, SchedulePlan, "schedule")
