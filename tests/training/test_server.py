"""The same retrain with a tracking server on PostgreSQL: no change but its address."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import create_engine, text

from features.errors import ModelError
from features.removal import Sweep
from tests.cheaper import short_retrains
from tests.training.postgres import TrackingServer, database, programs
from tests.training.small import NOW, small_plan
from tests.training.test_orphans import forget, naming, rows, written
from training import orphans, promotions, registry
from training.retention import Retention, sweep_runs
from training.retrain import retrain
from training.tracking import client_of, open_tracker, quiet_mlflow


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Address of an empty PostgreSQL database."""
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL here: install Debian's package postgresql")
    with database(found) as made:
        yield made


@pytest.fixture(scope="module")
def server(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingServer]:
    room = tmp_path_factory.mktemp("server")
    made = TrackingServer(address, room / "artifacts", room / "log.txt")
    try:
        made.start()
        yield made
    finally:
        made.stop()


def test_the_life_of_a_champion_on_a_server(
    server: TrackingServer,
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """One story, for every step stands on the one before."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("FORECARBON_TRACKING_URI", server.address)
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    assert retrain(plan=small_plan(), store=tmp_path, now=NOW).promoted
    assert capfd.readouterr() == ("", "")
    assert not (tmp_path / "mlflow.db").exists()
    assert not (tmp_path / "artifacts").exists()

    # The runs are in PostgreSQL, nested; the files went through the server to its own root.
    engine = create_engine(address)
    with engine.connect() as asked:
        names = {row[0].split(" ")[0] for row in asked.execute(text("select name from runs"))}
        roots = {row[0] for row in asked.execute(text("select artifact_uri from runs"))}
    engine.dispose()
    assert names == {"small", "naive", "drift", "blend"}
    assert {urllib.parse.urlsplit(root).scheme for root in roots} == {"mlflow-artifacts"}

    # The champion opens by its alias through the server, and says why it won.
    tracker = open_tracker(store=tmp_path, experiment="small")
    client = client_of(tracker)
    version = client.get_model_version_by_alias("forecarbon", "champion")
    assert version.description == promotions.read(tmp_path)[0].sentence
    mlflow = quiet_mlflow()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
    model = mlflow.pyfunc.load_model("models:/forecarbon@champion")
    example = pd.DataFrame({"unique_id": ["nl-rotterdam/refining"], "steps": [2]})
    assert model.predict(example)["step"].max() == 2
    monkeypatch.delenv("MLFLOW_TRACKING_URI")

    # Down before it begins, and down in the middle: a refusal by name, and nothing is promoted.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    first, before = registry.champion(tmp_path), (tmp_path / promotions.FILE).read_bytes()

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "backtest" and done == total:
            server.stop()

    other, later = small_plan(seed=2), NOW + timedelta(hours=1)
    for _ in range(2):
        with pytest.raises(ModelError, match="tracking-unavailable"), short_retrains():
            retrain(plan=other, store=tmp_path, now=later, told=stop)
    assert registry.champion(tmp_path) == first
    assert (tmp_path / promotions.FILE).read_bytes() == before

    # Back again: the next retrain is promoted, and what was left open is closed.
    server.start()
    with short_retrains():
        assert retrain(plan=other, store=tmp_path, now=later + timedelta(hours=1)).promoted
    found = client.search_runs([tracker.experiment_id])
    assert {run.info.status for run in found} <= {"FINISHED", "FAILED", "KILLED"}
    assert client.get_model_version_by_alias("forecarbon", "champion").tags["model_version"] == (
        promotions.read(tmp_path)[-1].to_version
    )


def test_the_database_itself_may_be_the_address(
    address: str, server: TrackingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server made the tables; files then go to the root that is named."""
    monkeypatch.setenv("FORECARBON_ARTIFACT_ROOT", (tmp_path / "files").as_uri())
    tracker = open_tracker(store=tmp_path, experiment="straight", uri=address)
    assert client_of(tracker).get_experiment(tracker.experiment_id).artifact_location == (
        (tmp_path / "files").as_uri()
    )


def test_what_gc_leaves_goes_from_postgresql_too(
    address: str, server: TrackingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECARBON_TRACKING_URI", address)
    tracker = open_tracker(store=tmp_path, experiment="left", artifact_root=tmp_path.as_uri(), uri=address)
    gone, stays = written(tracker, "a", "b"), written(tracker, "b", "c")
    forget(tracker, gone)
    assert naming(address, gone) == {"inputs"}
    before, engine = rows(address), create_engine(address)
    with engine.connect() as other, monkeypatch.context() as patch:
        # Somebody who looks for a data set there already may be about to name it: he comes first.
        other.execute(text("select * from datasets"))
        patch.setattr(orphans, "_PATIENCE", "50ms")
        with pytest.raises(ModelError, match="tracking-unavailable"):
            sweep_runs(tmp_path, set(), Sweep(), Retention(), NOW)
    engine.dispose()
    for dry in (True, False):
        assert rows(address) == before
        done = Sweep(dry)
        sweep_runs(tmp_path, set(), done, Retention(), NOW)
        assert list(done.counts.values()) == [2 + 2 + 1]
    assert naming(address, gone) == set()
    run = client_of(tracker).get_run(stays)
    assert run.inputs is not None
    assert {item.dataset.digest[0] for item in run.inputs.dataset_inputs} == {"b", "c"}
