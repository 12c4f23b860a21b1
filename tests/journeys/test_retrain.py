"""Retrains as an operator meets them: what is printed, what is kept, and what a kill leaves behind."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pytest

from features.files import read_json, read_records
from serving.batch import forecast_file
from serving.layout import read_pointer
from serving.opened import open_pack
from tests import warm
from tests.conftest import run_in

KILLS: Final = 1
SMALL: Final = """
name = "small"
experiment = "small"
[folds]
issue_month = 6
issue_day = 15
first_year = 2012
last_year = 2020
scored = 5
[recipe]
name = "blend"
members = ["naive", "drift"]
reach = 4
memory = 0.9
anchor = 0.4
pull = 0.01
arima_final = "grid"
seed = {seed}
[gate]
baseline = "naive"
primary = "sql"
tolerance = 1.0
least_pairs = 200
least_folds = 3
coverage_gap = 0.2
worst_kind = 1.0
"""


def test_prints_what_a_newcomer_needs(trained_store: Path) -> None:
    printed = (trained_store.parent / "retrain.out").read_text()
    for words in ("Rows read:", "Folds:", "naive", "blend", "Verdict:", "2030", "80% band", "95% band"):
        assert words in printed


def test_printed_numbers_are_the_packs(trained_store: Path) -> None:
    printed = (trained_store.parent / "retrain.out").read_text()
    pointer = read_pointer(trained_store / "current.json")
    assert pointer is not None
    pack = open_pack(trained_store, pointer)
    entry = pack.series["nl-rotterdam"]
    step = next(k for k, day in enumerate(entry.ds) if day.startswith("2030"))
    line = next(line for line in printed.splitlines() if "2030" in line and "to" in line)
    assert f"{float(pack.mean[entry.row, step]) / 1e6:.2f}" in line


def test_the_record_the_registry_and_the_pointer_agree(trained_store: Path) -> None:
    last = read_records(trained_store / "promotions.jsonl")[-1]
    assert last["decision"] == "promote"
    assert read_json(trained_store / "current.json")["model_version"] == last["to_version"]
    assert (trained_store / "models" / last["to_version"] / "model.json").exists()


def test_the_champion_opens_from_the_registry_without_pickles(
    trained_store: Path, shell_env: dict[str, str]
) -> None:
    code = (
        "import mlflow, pandas as pd\n"
        f"mlflow.set_tracking_uri('sqlite:///{trained_store}/mlflow.db')\n"
        "model = mlflow.pyfunc.load_model('models:/forecarbon@champion')\n"
        "frame = pd.DataFrame({'unique_id': ['nl-rotterdam/refining'], 'steps': [3]})\n"
        "print(model.predict(frame).groupby('step').yhat.count().tolist())\n"
    )
    env = {**shell_env, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    done = warm.run(["python", "-c", code], env=env)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip().splitlines()[-1].strip("[]").split(",")) == 3


def test_killed_at_any_moment_the_champion_answers_and_the_next_retrain_succeeds(
    trained_store: Path, tmp_path: Path, shell_env: dict[str, str]
) -> None:
    store = tmp_path / "store"
    shutil.copytree(trained_store, store)
    plan = tmp_path / "small.toml"
    draw = random.Random(20261123)
    for kill in range(KILLS):
        before = served(store)
        plan.write_text(SMALL.format(seed=2 + kill))
        killed_retrain(store, plan, shell_env, after=draw.uniform(1.0, 9.0))
        # Either what served before, or the whole new one; never something in between.
        now = served(store)
        assert now == before or now[0] != before[0]
    plan.write_text(SMALL.format(seed=99))
    run_in(store, ["forecarbon", "retrain", "--plan", str(plan)], shell_env)
    record = read_records(store / "promotions.jsonl")
    assert served(store)[0] == record[-1]["to_version"]
    pointer = (store / "current.json").read_bytes()
    assert "keep" in run_in(store, ["forecarbon", "retrain", "--plan", str(plan)], shell_env)
    assert read_records(store / "promotions.jsonl") == record
    assert (store / "current.json").read_bytes() == pointer


def served(store: Path) -> tuple[str, list[float]]:
    """Version and Rotterdam's medians as the pack the pointer names holds them."""
    pointer = read_pointer(store / "current.json")
    assert pointer is not None
    pack = open_pack(store, pointer)
    entry = pack.series["nl-rotterdam"]
    return pointer.model_version, np.median(pack.paths[entry.row], axis=1).tolist()


def killed_retrain(store: Path, plan: Path, env: dict[str, str], *, after: float) -> None:
    """Start a retrain and kill its whole process group after some seconds."""
    run = subprocess.Popen(
        ["forecarbon", "retrain", "--plan", str(plan)],
        env={**env, "FORECARBON_STORE": str(store)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(after)
    if run.poll() is None:
        os.killpg(run.pid, signal.SIGKILL)
    run.wait(timeout=60)


@pytest.mark.parametrize("cadence", ["YS", "QS", "MS", "W", "D", "h"])
def test_any_cadence_is_answered_whole(cadence: str, tmp_path: Path) -> None:
    draw = np.random.default_rng(4)
    when = pd.date_range("2001-01-01", periods=20 if cadence == "YS" else 90, freq=cadence)
    rows = [
        pd.DataFrame({"unique_id": f"p{i}", "ds": when, "y": 100 + draw.normal(0, 5, len(when)).cumsum()})
        for i in range(3)
    ]
    (tmp_path / "in.csv").write_text(pd.concat(rows).to_csv(index=False))
    forecast_file(tmp_path / "in.csv", steps=4, out=tmp_path / "out.csv")
    out = pd.read_csv(tmp_path / "out.csv")
    assert len(out) == 12
    quantiles = out.filter(regex=r"^q0\.").to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (quantiles >= 0).all()
    expected = pd.date_range(when[-1], periods=5, freq=cadence)[1:]
    assert pd.to_datetime(out[out["unique_id"] == "p0"]["ds"]).tolist() == expected.tolist()
