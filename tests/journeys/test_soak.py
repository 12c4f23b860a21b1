"""A few cycles of the soak of record: every job, under load, with a retention that bites."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.soak.run import soak
from serving.layout import CURRENT, read_pointer
from serving.opened import open_pack
from training import orphans, promotions
from training.database import known
from training.retention import Retention, saved_versions


@pytest.mark.usefixtures("short")
def test_a_few_cycles(tmp_path: Path) -> None:
    made, load, errors = soak(tmp_path, 2, kept=Retention(models=1, days=25), workers=1, rate=20)
    assert len(made.rows) == 2
    assert errors == 0
    statuses: dict[str, int] = json.loads(json.dumps(load["statuses"]))
    assert {name.split()[0] for name in statuses} == {"200"}
    assert sum(statuses.values()) > 30
    store = made.store
    lines = promotions.read(store)
    assert len(lines) == 3
    # The first is beyond the retention; what serves and the one before it stay, with their runs.
    assert saved_versions(store) == [line.to_version for line in lines[1:]]
    with closing(sqlite3.connect(store / "mlflow.db")) as line:
        tagged = line.execute("select value from tags where key = 'model_version'").fetchall()
    assert {lines[1].to_version, lines[2].to_version} <= {value for (value,) in tagged}
    assert lines[0].to_version not in {value for (value,) in tagged}
    runs, models = known(store / "mlflow.db")
    assert orphans.clear(f"sqlite:///{store / 'mlflow.db'}", dry=True) == 0
    kept = {path.name for path in (store / "artifacts").iterdir()}
    assert kept - {"models"} <= runs
    assert {path.name for path in (store / "artifacts" / "models").iterdir()} <= models
    pointer = read_pointer(store / CURRENT)
    assert pointer is not None
    assert open_pack(store, pointer).model_version == lines[-1].to_version
    handles = [row["worker 1 handles"] for row in made.rows]
    # Connections of callers come and go: a handle a file read would be hundreds.
    assert max(handles) - min(handles) <= 12
