"""What `mlflow gc` leaves in MLflow's database, and that it goes: on real MLflow."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest
import sqlalchemy as sa

from training import orphans
from training.facts import DatasetFacts, RunFacts
from training.registry import NAME, collect
from training.tracking import Tracker, client_of, log_run, open_tracker

FRAME: Final = pd.DataFrame({"y": [1.0, 2.0]})
BEGUN: Final = datetime(2026, 1, 1, tzinfo=UTC)


def given(*digests: str) -> list[DatasetFacts]:
    return [DatasetFacts("figures", FRAME, "figures.csv", digest * 64, "training") for digest in digests]


def written(tracker: Tracker, *digests: str) -> str:
    """A run that was given data sets of these digests."""
    facts = RunFacts(
        name="blend", forecaster="blend", params={"a": "1"}, metrics={"mase": 0.9},
        step_metrics={"mase_by_step": {1: 0.1}}, datasets=given(*digests), started=BEGUN, ended=BEGUN,
    )  # fmt: skip
    return log_run(tracker, facts)


def versions(tracker: Tracker, run: str, count: int) -> None:
    """So many versions of our model, each with tags of its own."""
    client = client_of(tracker)
    client.create_registered_model(NAME)
    for number in range(count):
        client.create_model_version(NAME, source=f"runs:/{run}/model", run_id=run, tags={"n": str(number)})


def forget(tracker: Tracker, run: str) -> None:
    """Delete a run for good."""
    client_of(tracker).delete_run(run)
    collect(tracker)


def rows(uri: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    engine, tables = sa.create_engine(uri), sa.MetaData()
    with engine.connect() as line:
        tables.reflect(line)
        held = {name: [tuple(row) for row in line.execute(sa.select(table))]
                for name, table in tables.tables.items()}  # fmt: skip
    engine.dispose()
    return held


def naming(uri: str, word: str) -> set[str]:
    """Tables with a row that has a word anywhere."""
    return {
        name for name, lines in rows(uri).items() if any(word in str(cell) for row in lines for cell in row)
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tracker, str, str]:
    """A database in which one run is gone and one stays; they shared a data set, and had one each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        tracker = open_tracker(store=tmp_path_factory.mktemp("store"), experiment="forecarbon")
    gone, stays = written(tracker, "a", "b"), written(tracker, "b", "c")
    versions(tracker, stays, 4)
    for number in ("1", "2", "4"):
        client_of(tracker).delete_model_version(NAME, number)
    forget(tracker, gone)
    return tracker, gone, stays


@pytest.fixture
def address(made: tuple[Tracker, str, str], tmp_path: Path) -> str:
    """A copy of that database, to be cleared."""
    shutil.copyfile(made[0].uri.removeprefix("sqlite:///"), tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def test_what_leads_to_nothing_goes_and_nothing_else(made: tuple[Tracker, str, str], address: str) -> None:
    _, gone, stays = made
    before = rows(address)
    # This is what gc leaves: should a release of MLflow leave less, the module may go.
    assert naming(address, gone) == {"inputs"}
    # Two inputs with a tag each, a data set, two versions with a tag each; the newest version stays.
    assert orphans.clear(address, dry=True) == orphans.clear(address) == 2 + 2 + 1 + 2 + 2
    after = rows(address)
    assert naming(address, gone) == set()
    assert {name for name in before if after[name] != before[name]} == {
        "inputs", "input_tags", "datasets", "model_versions", "model_version_tags",
    }  # fmt: skip
    assert all(set(after[name]) <= set(before[name]) for name in before)
    assert sorted(row for row in after["model_versions"] if NAME in row) == sorted(
        row for row in before["model_versions"] if 3 in row or 4 in row
    )
    with closing(sqlite3.connect(address.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # somebody writes: where nothing is to go, nobody waits for him
        assert orphans.clear(address) == 0

    store = made[0].store
    run = client_of(Tracker(store, address, "", "")).get_run(stays)
    assert run.inputs is not None
    assert {item.dataset.digest[0] for item in run.inputs.dataset_inputs} == {"b", "c"}
    assert all(item.tags[0].value == "training" for item in run.inputs.dataset_inputs)


def test_the_next_version_gets_the_next_number(made: tuple[Tracker, str, str], address: str) -> None:
    orphans.clear(address)
    client = client_of(Tracker(made[0].store, address, "", ""))
    next_one = client.create_model_version(NAME, source=f"runs:/{made[2]}/model", run_id=made[2])
    assert int(next_one.version) == 5
    assert orphans.clear(address) == 2  # now the deleted version 4 is not the newest: it goes with its tag


def test_a_dry_look_takes_for_gone_what_would_be(made: tuple[Tracker, str, str], address: str) -> None:
    before = rows(address)
    # The other run too, and version 3: all inputs, all data sets, all versions but the newest.
    assert orphans.clear(address, gone={made[2]}, dropped={"3"}, dry=True) == 4 + 4 + 3 + 3 + 3
    assert rows(address) == before


def test_tables_that_are_not_there_are_not_missed(address: str, made: tuple[Tracker, str, str]) -> None:
    """A database of an earlier or a later MLflow."""
    with closing(sqlite3.connect(address.removeprefix("sqlite:///"))) as line, line:
        for name in ("entity_associations", "logged_model_metrics", "model_version_tags", "input_tags"):
            line.execute(f"drop table {name}")
    assert orphans.clear(address) == 2 + 1 + 2
    assert naming(address, made[1]) == set()
    with closing(sqlite3.connect(address.removeprefix("sqlite:///"))) as line, line:
        for name in ("runs", "model_versions"):
            line.execute(f"drop table {name}")
    assert orphans.clear(address) == 0


def test_gc_prints_nothing_and_leaves_no_address(
    made: tuple[Tracker, str, str], address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = dict(os.environ)
    tracker = Tracker(made[0].store, address, "", "")
    forget(tracker, made[2])
    assert capfd.readouterr() == ("", "")
    assert dict(os.environ) == before
    assert orphans.clear(address) == 4 + 4 + 3 + 2 + 2
    assert naming(address, made[2]) == {"model_versions"}  # of the version that is there still


@pytest.mark.parametrize(("uri", "is_one"), [
    ("sqlite:////a/mlflow.db", True), ("postgresql://u@h/d", True), ("postgresql+psycopg2://u@h/d", True),
    ("http://localhost:5000", False), ("mysql://u@h/d", False), ("mlruns", False), ("", False),
])  # fmt: skip
def test_which_addresses_are_databases(uri: str, is_one: bool) -> None:
    assert orphans.is_database(uri) is is_one
