"""Schedules are closed: a typo or a value out of range is refused by name."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from features.errors import AskError
from training.closed import parse_closed
from training.plan import PLANS, read_plan
from training.schedule_file import SchedulePlan, read_schedule

JOB: dict[str, Any] = {"name": "a", "plan": "annual.toml", "cron": "15 3 2 * mon"}


def parsed(**changes: Any) -> SchedulePlan:
    return parse_closed({"job": [JOB], **changes}, SchedulePlan, "schedule")


def test_the_schedule_of_record_names_plans_that_read() -> None:
    schedule = read_schedule(PLANS / "schedule.toml")
    assert {job.run for job in schedule.job} == {"retrain", "watch"}
    for job in schedule.job:
        assert read_plan(PLANS / job.plan).name == "annual"


@pytest.mark.parametrize(
    ("changes", "nearest"),
    [({"time_zon": "UTC"}, "time_zone"), ({"job": [{**JOB, "corn": "* * * * *"}]}, "cron")],
)
def test_a_typo_names_the_nearest_key(changes: dict[str, Any], nearest: str) -> None:
    with pytest.raises(AskError, match="schedule-unknown-key") as refused:
        parsed(**changes)
    assert refused.value.expected == f"the key '{nearest}'"


@pytest.mark.parametrize(
    "changes",
    [
        {"time_zone": "Europe/Amsterdm"},
        {"time_zone": "../etc/passwd"},
        {"jitter_seconds": -1},
        {"lease_seconds": 0},
        {"webhook": "file:///etc/passwd"},
        {"job": []},
        {"job": [JOB, JOB]},
        {"job": [{**JOB, "cron": "15 3 * *"}]},
        {"job": [{**JOB, "cron": "15 3 * * 1"}]},
        {"job": [{**JOB, "run": "dance"}]},
        {"job": [{**JOB, "since": tomllib.loads("t = 2026-01-01T00:00:00")["t"]}]},
    ],
)
def test_values_out_of_range_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(AskError, match="schedule-value"):
        parsed(**changes)


def test_instants_of_toml_are_read() -> None:
    since = tomllib.loads("t = 2026-01-01T00:00:00+01:00")["t"]
    assert parsed(job=[{**JOB, "since": since}]).job[0].since == since


def test_a_webhook_is_not_shown() -> None:
    assert "secret" not in repr(parsed(webhook="https://example.org/secret"))
    with pytest.raises(AskError, match="schedule-value") as refused:
        parsed(webhook="example.org/secret")
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    "changes", [{"job": []}, {"job": [JOB, JOB]}, {"job": [{"name": "a"}]}, {"job": None}]
)
def test_what_is_wrong_elsewhere_does_not_show_the_webhook(changes: dict[str, Any]) -> None:
    record = {"job": [JOB], "webhook": "https://example.org/very-secret", **changes}
    with pytest.raises(AskError, match="schedule-value") as refused:
        parse_closed(
            {name: item for name, item in record.items() if item is not None}, SchedulePlan, "schedule"
        )
    assert "secret" not in refused.value.message


def test_a_missing_schedule_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AskError, match="schedule-missing"):
        read_schedule(tmp_path / "none.toml")
