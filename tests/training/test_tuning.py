"""Tuning: bounded, on inner folds only, and never worse there than the settings it began with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.series.panel import Dense
from models.kinds import MEMBERS
from models.naive import Naive
from models.recipe import Recipe
from tests.training.panels import random_walks
from tests.training.small import NOW, small_plan
from training import tuning
from training.folds import Folds
from training.pieces import Cache
from training.plan import TuningPlan
from training.retrain import retrain
from training.tracking import client_of, open_tracker
from training.tuning import inner, tuned

RECIPE = Recipe(name="blend", members=("naive", "trend"), reach=3, anchor=0.9, pull=0.9)
PLAN = TuningPlan(trials=6, seconds=600.0, folds=3, settings={"anchor": [0.0, 1.0], "pull": [0.001, 1.0]})


def folds_of(history: Dense) -> Folds:
    backs = np.arange(10, 0, -1)
    return Folds(
        issued=tuple(pd.Timestamp(2022 - int(back), 6, 15) for back in backs),
        lengths=np.maximum(history.lengths[None, :] - backs[:, None], 0),
        scored=backs <= 4,
    )


@pytest.fixture(scope="module")
def history() -> Dense:
    return random_walks(30, seed=4, drift=25.0)


def test_nothing_after_the_first_scored_issue_is_seen(history: Dense) -> None:
    folds = folds_of(history)
    first = int(np.flatnonzero(folds.scored)[0])
    ground = inner(history, folds, 3)
    assert ground.folds.issued == folds.issued[:first]
    assert ground.folds.scored.tolist() == [False] * 3 + [True] * 3
    assert (ground.history.lengths == folds.lengths[first]).all()
    after = np.arange(history.y.shape[1])[None, :] >= folds.lengths[first][:, None]
    other = replace(history, y=np.where(after, history.y * 9 + 1e6, history.y))
    told = [tuned(inner(figures, folds, 3), RECIPE, PLAN, "sql", Cache()) for figures in (history, other)]
    assert told[0] == told[1]


def test_it_begins_with_the_plans_settings_and_ends_no_worse(history: Dense, tmp_path: Path) -> None:
    ground = inner(history, folds_of(history), 3)
    found, trials = tuned(ground, RECIPE, PLAN, "sql", Cache(tmp_path))
    assert len(trials) == PLAN.trials
    assert dict(trials[0].settings) == {"anchor": 0.9, "pull": 0.9}
    best = min(trials, key=lambda trial: trial.score)
    # The walks drift and naive is anchored too firmly: there is something to find.
    assert best.score < trials[0].score
    assert found == replace(RECIPE, anchor=float(best.settings["anchor"]), pull=float(best.settings["pull"]))
    assert tuned(ground, RECIPE, PLAN, "sql", Cache(tmp_path)) == (found, trials)


def test_no_trial_begins_after_its_time(history: Dense, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 100))
    monkeypatch.setattr("training.tuning.time.perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr(tuning, "_score", lambda *_: 1.0)
    plan = PLAN.model_copy(update={"seconds": 250.0})
    assert len(tuned(inner(history, folds_of(history), 3), RECIPE, plan, "sql", Cache())[1]) == 3


def test_settings_under_which_a_member_fails_are_no_candidates(
    history: Dense, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fails(Naive):
        def fit(self, history: Dense) -> Naive:
            raise ValueError("too many")

    monkeypatch.setitem(MEMBERS, "naive", lambda recipe: Fails() if recipe.trees > 60 else Naive())
    plan = TuningPlan(trials=5, seconds=600.0, folds=3, settings={"trees": [60, 400]})
    found, trials = tuned(inner(history, folds_of(history), 3), RECIPE, plan, "sql", Cache())
    assert any(np.isnan(trial.score) for trial in trials)
    assert found.trees == 60


@pytest.mark.usefixtures("short")
def test_a_tuned_retrain_judges_what_was_found_and_logs_every_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    tables = {"trials": 3, "seconds": 600.0, "folds": 2, "settings": {"pull": [0.001, 0.1]}}
    result = retrain(plan=small_plan(tuning=tables), store=tmp_path, now=NOW)
    assert result.promoted
    tracker = open_tracker(store=tmp_path, experiment="small")
    runs = client_of(tracker).search_runs([tracker.experiment_id])
    trials = [run for run in runs if run.data.tags["role"] == "tuning"]
    assert len(trials) == 3
    best = min(trials, key=lambda run: run.data.metrics["inner_sql"])
    challenger = next(run for run in runs if run.data.tags["role"] == "challenger")
    assert challenger.data.params["pull"] == best.data.params["pull"]
    whole = next(run for run in runs if run.data.tags["role"] == "retrain")
    assert {run.data.tags["mlflow.parentRunId"] for run in trials} == {whole.info.run_id}
