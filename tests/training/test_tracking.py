from __future__ import annotations

import shutil
import sqlite3
import subprocess
import warnings
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.errors import LawBroken, ModelError
from training.facts import DatasetFacts, RunFacts
from training.fans import Fan, fan_charts
from training.tracking import Tracker, answering, client_of, close_orphans, log_run, open_tracker
from training.ui import ui_command, ui_environment


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Tracker:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        return open_tracker(store=tmp_path_factory.mktemp("store"), experiment="forecarbon")


@pytest.fixture
def facts(tmp_path: Path) -> RunFacts:
    years = pd.to_datetime(["2020-01-01", "2021-01-01"])
    figures = pd.DataFrame({"unique_id": "a", "ds": years, "y": [1.0, 2.0], "installations": [1, 2]})
    ahead = pd.DataFrame({"ds": years[1:] + pd.DateOffset(years=1), "quantile": 0.5, "yhat": 2.0})
    fan_charts([Fan("a", figures, ahead)], title="blend", path=tmp_path / "fan.png")
    (tmp_path / "plan.toml").write_text("steps = 8\n")
    return RunFacts(
        name="blend",
        forecaster="blend",
        params={f"setting {i}": str(i) for i in range(120)},
        tags={"retrain": "one"},
        metrics={"mase": 0.9, "coverage 80%": 0.8, "wape": float("nan")},
        step_metrics={"mase_by_step": {step: step / 10 for step in range(1, 9)}},
        tables={"series": figures, "long": pd.concat([figures] * 3000)},
        datasets=[
            DatasetFacts("figures", figures, "features/reference/figures.csv", "f" * 64, "training"),
            DatasetFacts("web", figures, "https://example.org/figures.csv", "e" * 64, "training"),
        ],
        pictures={"fan": tmp_path / "fan.png"},
        files={"plan/plan.toml": tmp_path / "plan.toml"},
        started=datetime(2026, 1, 1, tzinfo=UTC),
        ended=datetime(2026, 1, 1, 0, 1, tzinfo=UTC),
    )


def test_a_run_holds_all_that_was_told(tracker: Tracker, facts: RunFacts) -> None:
    run_id = log_run(tracker, facts)
    client = client_of(tracker)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.info.end_time - run.info.start_time == 60_000
    assert len(run.data.params) == 120
    assert run.data.metrics["mase"] == 0.9
    assert run.data.metrics["coverage 80_"] == 0.8
    assert "wape" not in run.data.metrics
    assert run.data.tags["missing_metrics"] == "wape"
    assert run.data.tags["forecaster"] == "blend"
    history = client.get_metric_history(run_id, "mase_by_step")
    assert {m.step: m.value for m in history} == {step: step / 10 for step in range(1, 9)}
    assert run.inputs is not None
    inputs = {item.dataset.name: item.dataset for item in run.inputs.dataset_inputs}
    assert inputs["figures"].source == '{"uri": "features/reference/figures.csv"}'
    assert inputs["web"].source_type == "http"
    assert inputs["figures"].digest == "f" * 36


def test_files_of_a_run_lie_in_the_stores_artifacts(tracker: Tracker, facts: RunFacts) -> None:
    run_id = log_run(tracker, facts)
    folder = tracker.store / "artifacts" / run_id / "artifacts"
    found = {str(item.relative_to(folder)) for item in folder.rglob("*") if item.is_file()}
    wanted = {"tables/series.parquet", "tables/series.csv", "tables/long.parquet", "plan/plan.toml"}
    assert wanted | {"pictures/fan.png"} <= found
    assert "tables/long.csv" not in found
    assert any(name.startswith("images/fan") for name in found)
    assert pd.read_parquet(folder / "tables" / "series.parquet")["y"].tolist() == [1.0, 2.0]


def test_a_failed_run_is_marked_and_raised(tracker: Tracker, facts: RunFacts, tmp_path: Path) -> None:
    broken = RunFacts(name="broken", forecaster="blend", files={"x": tmp_path / "absent"})
    with pytest.raises(FileNotFoundError):
        log_run(tracker, broken)
    runs = client_of(tracker).search_runs([tracker.experiment_id], "attributes.run_name = 'broken'")
    assert [run.info.status for run in runs] == ["FAILED"]


def test_only_older_running_runs_are_closed(tracker: Tracker) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    client = client_of(tracker)
    made = {
        age: client.create_run(
            tracker.experiment_id, start_time=int((now - timedelta(hours=age)).timestamp() * 1000)
        ).info.run_id
        for age in (5, -5)
    }
    assert close_orphans(tracker, older_than=now) == [made[5]]
    assert client.get_run(made[5]).info.status == "KILLED"
    assert client.get_run(made[-5]).info.status == "RUNNING"
    assert close_orphans(tracker, older_than=now) == []


def test_opening_again_finds_the_same_experiment(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert open_tracker(store=tracker.store, experiment="forecarbon") == tracker
    names = {item.name for item in tracker.store.iterdir()}
    assert not {name for name in names if name.startswith(".mlflow.")}


def test_the_environments_address_is_honoured(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.uri)
    opened = open_tracker(store=tmp_path, experiment="forecarbon")
    assert (opened.uri, opened.experiment_id) == (tracker.uri, tracker.experiment_id)
    assert not (tmp_path / "mlflow.db").exists()


def test_the_database_is_whole_with_a_killed_makers_leftovers_swept(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tracker.store / ".mlflow.killed"
    left.mkdir()
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    open_tracker(store=tracker.store, experiment="forecarbon")
    assert not left.exists()
    with closing(sqlite3.connect(tracker.store / "mlflow.db")) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)


def test_an_older_database_is_migrated_with_its_runs(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_run(tracker, RunFacts(name="kept", forecaster="naive"))
    shutil.copyfile(tracker.store / "mlflow.db", tmp_path / "mlflow.db")
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        newest = connection.execute("select version_num from alembic_version").fetchone()[0]
        connection.execute("update alembic_version set version_num = 'older'")
        connection.commit()
    asked: list[str] = []

    def upgrade(command: list[str], **_: object) -> None:
        asked.append(command[-1])
        with closing(sqlite3.connect(command[-1].removeprefix("sqlite:///"))) as scratch:
            scratch.execute("update alembic_version set version_num = ?", [newest])
            scratch.commit()

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(subprocess, "run", upgrade)
    opened = open_tracker(store=tmp_path, experiment="forecarbon")
    assert len(asked) == 1
    assert not asked[0].endswith(f"{tmp_path}/mlflow.db")
    runs = client_of(opened).search_runs([opened.experiment_id], "attributes.run_name = 'kept'")
    assert len(runs) == 1


def test_a_name_cannot_be_a_single_value_and_a_series() -> None:
    with pytest.raises(LawBroken, match="metric-twice"):
        RunFacts(name="x", forecaster="x", metrics={"mase": 1.0}, step_metrics={"mase": {1: 1.0}})


def test_nothing_is_said_while_logging(
    tracker: Tracker, facts: RunFacts, capfd: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        log_run(tracker, facts)
    assert capfd.readouterr() == ("", "")


def test_the_ui_serves_this_store_to_this_machine_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ui_command(tmp_path, 5055)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--workers") + 1] == "1"
    assert command[command.index("--backend-store-uri") + 1] == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere")
    environment = ui_environment()
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert "MLFLOW_TRACKING_URI" not in environment


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (lambda client: client.get_run("0" * 32), "RESOURCE_DOES_NOT_EXIST"),
        (lambda client: client.create_experiment("forecarbon"), "RESOURCE_ALREADY_EXISTS"),
        (lambda client: client.search_runs(["0"], "no filter"), "INVALID_PARAMETER_VALUE"),
    ],
)
def test_a_tracker_that_answers_and_refuses_is_told_apart_from_one_that_is_down(
    tracker: Tracker, asked: Callable[[Any], object], code: str
) -> None:
    with pytest.raises(ModelError) as caught, answering(tracker.uri):
        asked(client_of(tracker))
    assert caught.value.code == "tracking-declined"
    assert caught.value.found.startswith(f"{code}: ")
    assert "what serves is untouched" in caught.value.remedy


def test_a_database_in_trouble_is_unavailable(tmp_path: Path) -> None:
    tracker = open_tracker(store=tmp_path, experiment="one")
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as line:
        line.execute("drop table runs")
        line.commit()
    with pytest.raises(ModelError) as caught, answering(tracker.uri):
        client_of(tracker).search_runs([tracker.experiment_id])
    assert caught.value.code == "tracking-unavailable"
