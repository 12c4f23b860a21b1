"""Scheduled work as it runs in production, and years of it under a clock of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from benchmarks.replayed_years.run import Replayed, replay
from features.findings import read_findings
from models.engine import forecast_panel
from serving.journal import read_entries
from serving.layout import read_pointer
from serving.opened import open_pack
from serving.reproduce import reproduce
from tests import warm
from tests.cheaper import short_retrains
from tests.conftest import run_in
from tests.journeys.test_retrain import SMALL
from training import promotions
from training.timetable import Timetable, default_database

SCHEDULE: Final = """
[[job]]
name = "small"
plan = "small.toml"
cron = "0 3 1 1 *"
since = 2020-01-01T00:00:00Z
"""
# Finds something in any figures: what follows a finding is what is looked at here.
NERVOUS: Final = """
[watch]
alarm = 0.49
shared_errors = 0.0
shared_hits = 0.0
least_rows = 5
retrain_on_drift = true
"""


def test_two_schedulers_on_one_database_do_one_retrain(tmp_path: Path, shell_env: dict[str, str]) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (tmp_path / "small.toml").write_text(SMALL.format(seed=1))
    (tmp_path / "schedule.toml").write_text(SCHEDULE)
    argv = [
        "forecarbon",
        "schedule",
        "--once",
        "--file",
        str(tmp_path / "schedule.toml"),
        "--store",
        str(store),
    ]
    both = [warm.begun(argv, env={**shell_env, warm.SHORT: "yes"}) for _ in range(2)]
    said = [one.ended(300) for one in both]
    assert [one.returncode for one in said] == [0, 0], said
    printed = "".join(one.stdout for one in said)
    assert printed.count("small: done. promote:") == 1
    assert printed.count("Next: ") == 2
    table = Timetable(default_database(store))
    (run,) = table.runs()
    table.close()
    assert run.state == "done"
    assert run.missed >= 6
    assert len(promotions.read(store)) == 1
    assert read_pointer(store / "current.json") is not None
    again = run_in(store, argv[:-2], shell_env)
    assert again.startswith("Next: ")
    run_in(store, ["forecarbon", "forecast", "nl-rotterdam"], shell_env)
    seen = run_in(store, ["forecarbon", "watch", "--plan", str(tmp_path / "small.toml")], shell_env)
    assert "Issued forecasts with an actual: 0" in seen


def test_a_job_that_fails_is_told_by_the_status(tmp_path: Path, shell_env: dict[str, str]) -> None:
    (tmp_path / "schedule.toml").write_text(SCHEDULE.replace("small.toml", "gone.toml"))
    file = str(tmp_path / "schedule.toml")
    (tmp_path / "store").mkdir()
    words = ["forecarbon", "schedule", "--once", "--file", file, "--store", str(tmp_path / "store")]
    done = warm.run(words, env=shell_env)
    assert done.returncode == 1
    assert "small: failed. plan-missing" in done.stdout
    assert "Traceback" not in done.stderr


@dataclass(frozen=True)
class Past:
    """A replayed half year."""

    store: Path
    seen: Replayed


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    """February and May 2022: EU figures of 2021 come in between."""
    place = tmp_path_factory.mktemp("replay")
    with pytest.MonkeyPatch.context() as patch, short_retrains():
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        seen = replay(
            place / "store", place / "plans", old=SMALL.format(seed=7), new=SMALL.format(seed=1) + NERVOUS,
            begin=datetime(2022, 2, 1, tzinfo=UTC), end=datetime(2022, 6, 1, tzinfo=UTC), months="2,5",
        )  # fmt: skip
    return Past(place / "store", seen)


def test_jobs_run_on_their_days_and_none_fails(past: Past) -> None:
    done = [(day, name, state) for day, name, state, _, _ in past.seen.lines]
    assert done == [
        ("2022-02-01", "begin", "done"),
        ("2022-02-01", "watch", "done"),
        ("2022-02-02", "retrain", "done"),
        ("2022-05-01", "watch", "done"),
        ("2022-05-02", "retrain", "done"),
    ]


def test_champions_follow_the_figures_as_they_were_published(past: Past) -> None:
    lines = [line for line in promotions.read(past.store) if line.changes]
    assert len({line.data_hash for line in lines}) == 2
    cutoffs = {}
    for line in lines:
        (folder,) = (past.store / "packs").glob(f"{line.to_version}-*")
        card = json.loads((folder / "pack.json").read_text())
        cutoffs[line.at[:10]] = next(
            item["cutoff"] for item in card["series"] if item["unique_id"] == "nl-rotterdam"
        )
    assert cutoffs["2022-02-01"] == "2020-01-01"
    assert cutoffs["2022-05-01"] == "2021-01-01"


def test_actuals_that_land_are_scored_and_a_finding_starts_a_retrain(past: Past) -> None:
    told = {(day, name): said for day, name, _, said, _ in past.seen.lines}
    assert "no issued forecast has met its actual" in told["2022-02-01", "watch"]
    found = read_findings(past.store)
    first = [item for item in found if item["at"].startswith("2022-05-01")]
    assert any(item["serving"] for item in first)
    assert all(item["years"] == [2021] for item in found)
    assert "Retrained: promote" in told["2022-05-01", "watch"]
    assert told["2022-05-02", "retrain"].startswith("keep")
    assert len({item["finding_id"] for item in found}) == len(found)


def test_every_forecast_of_the_past_can_be_made_again(past: Past) -> None:
    entries = list(read_entries(past.store))
    assert len(entries) == 3
    for entry in (entries[0], entries[-1]):
        for from_model in (False, True):
            again = reproduce(past.store, entry["forecast_id"], engine=forecast_panel, from_model=from_model)
            assert again.identical
    pointer = read_pointer(past.store / "current.json")
    assert pointer is not None
    assert open_pack(past.store, pointer).model_version == entries[-1]["model_version"]
