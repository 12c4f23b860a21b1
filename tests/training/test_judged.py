"""What a retrain keeps of its backtests, held against plain loops over the backtests themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.errors import ModelError
from features.spread import Here
from models.forecast import STANDARD_QUANTILES
from models.past_fans import FAN_QUANTILES, fans_of
from models.track_record import TrackRecord
from tests.training.small import NOW, small_plan
from training.backtest import Backtest
from training.gate import Verdict
from training.job import Job
from training.judged import past_fans, track_record
from training.judging import CHAMPION, Heard, folds_of, heard, stand
from training.plan import Plan
from training.resume import _made
from training.scores import scores_frame

VERDICT = Verdict("v1", "promote", "blend", "naive", (), "because")
Case = tuple[Job, Heard]
LOW, MIDDLE, HIGH = (STANDARD_QUANTILES.index(q) for q in (0.1, 0.5, 0.9))


@pytest.fixture(scope="module")
def case() -> Case:
    plan = small_plan()
    ground = stand(NOW, plan.figures)
    job = Job(plan, ground, folds_of(ground, plan, NOW), NOW, "c" * 40, "me")
    return job, heard(ground, plan, None, job.folds, lambda stage, done, total: None)


@pytest.fixture(scope="module")
def record(case: Case) -> TrackRecord:
    return track_record(*case, VERDICT, scores_frame(case[1].tests))


def slowly(test: Backtest, name: str) -> tuple[int, int, float, float]:
    """n, folds, mase and coverage of the 80% band of one series, forecast by forecast."""
    row = test.ids.index(name)
    errors, hits, folds = [], [], 0
    for f in range(test.values.shape[0]):
        known = 0
        for h in range(test.values.shape[2]):
            y, values = test.actual[f, row, h], test.values[f, row, h]
            if not test.asked[f, row] or not np.isfinite(y):
                continue
            known += 1
            errors.append(abs(values[MIDDLE] - y) / test.step_size[f, row])
            hits.append(values[LOW] <= y <= values[HIGH])
        folds += known > 0
    return len(errors), folds, float(np.mean(errors)), float(np.mean(hits))


@pytest.mark.parametrize("role", ["challenger", "baseline"])
def test_scores_are_those_of_single_forecasts(case: Case, record: TrackRecord, role: str) -> None:
    test = case[1].tests["blend" if role == "challenger" else "naive"]
    for name in ("nl-rotterdam/refining", "nl-rotterdam", "gb-humber/steel"):
        told = record.of_series(role, name)
        if name not in test.ids:
            assert told is None
            continue
        assert told is not None
        mine = (told["n"], told["folds"], told["mase"], told["coverage_80"])
        assert mine == pytest.approx(slowly(test, name))


def test_both_were_judged_on_the_same(record: TrackRecord) -> None:
    wide = record.series.pivot_table(index="unique_id", columns="role", values="n")
    assert (wide["challenger"] == wide["baseline"]).all()
    assert set(record.series["kind"]) == {"sector", "context", "cluster"}


def test_by_step_and_kind_it_is_the_scores_frame(case: Case, record: TrackRecord) -> None:
    scores = scores_frame(case[1].tests)
    mine = scores[(scores["forecaster"] == "blend") & (scores["kind"] == "cluster") & (scores["step"] == 2)]
    told = next(row for row in record.of_kind("challenger", "cluster") if row["step"] == 2)
    for column, metric, param in (
        ("mase", "mase", ""),
        ("sql", "sql", ""),
        ("coverage_95", "coverage", "95"),
    ):
        row = mine[(mine["metric"] == metric) & (mine["param"] == param)]
        assert told[column] == pytest.approx(float(row["value"].iloc[0]))
    assert [row["step"] for row in record.of_kind("baseline", "sector")] == [0, 1, 2]


def test_facts_name_who_was_judged_on_what(case: Case, record: TrackRecord) -> None:
    facts = record.facts
    assert facts["names"] == {"challenger": "blend", "baseline": "naive"}
    assert facts["issued"] == ["2018-06-15", "2019-06-15", "2020-06-15"]
    assert (facts["plan"], facts["plan_fingerprint"]) == ("small", case[0].plan.fingerprint())
    assert (facts["verdict_id"], facts["steps"]) == ("v1", 2)


def test_a_baseline_that_was_not_judged_is_left_out(case: Case) -> None:
    job, told = case
    alone = replace(told, tests={"blend": told.tests["blend"]})
    record = track_record(job, alone, VERDICT, scores_frame(alone.tests))
    assert set(record.series["role"]) == {"challenger"}
    assert record.of_kind("baseline", "sector") == []
    plan: Plan = job.plan
    assert plan.gate.baseline not in record.facts["names"].values()


def test_fans_of_sectors_and_clusters_are_kept_forecast_by_forecast(case: Case, tmp_path: Path) -> None:
    job, told = case
    fans, test = past_fans(job, told), told.tests["blend"]
    fans.write(tmp_path)
    assert set(fans.rows["unique_id"]) <= {
        name for name, kind in zip(test.ids, test.groups, strict=True) if kind in ("sector", "cluster")
    }
    issued = [t for t, hit in zip(told.folds.issued, told.folds.scored, strict=True) if hit]
    for name in ("nl-rotterdam/refining", "nl-rotterdam"):
        row = test.ids.index(name)
        found = fans_of(tmp_path / "past_fans.parquet", name)
        assert len(found) == int(test.asked[:, row].sum()) > 1
        for fan, f in zip(found, np.flatnonzero(test.asked[:, row]), strict=True):
            assert pd.Timestamp(fan["issued"]) == issued[f].normalize()
            year = 1970 + int(test.cutoffs[f, row])
            assert [line["ds"] for line in fan["rows"]] == [
                f"{year + k}-01-01" for k in range(1, test.values.shape[2] + 1)
            ]
            for h, line in enumerate(fan["rows"]):
                for q in FAN_QUANTILES:
                    assert line["quantiles"][str(q)] == test.values[f, row, h, STANDARD_QUANTILES.index(q)]
                y = test.actual[f, row, h]
                assert line["y"] == y if np.isfinite(y) else line["y"] is None


class Losing(Here):
    """An engine that fails over the champion's members, and only there."""

    def __init__(self, code: str) -> None:
        self.code = code

    def over(self, work: Any, shared: Any, items: Any) -> Any:
        if work is _made and shared[2].name == CHAMPION:
            raise ModelError(self.code, found="a", expected="b", remedy="c")
        return super().over(work, shared, items)


def test_only_a_champion_whose_members_failed_is_left_out() -> None:
    """An engine that loses its workers over the champion says nothing of the champion."""
    plan = small_plan()
    ground, recipe = stand(NOW), plan.recipe.recipe()
    folds, champion = folds_of(ground, plan, NOW), replace(recipe, members=("drift",))

    def judged(code: str) -> Heard:
        return heard(ground, plan, champion, folds, lambda stage, done, total: None, spread=Losing(code))

    assert CHAMPION not in judged("no-member-left").tests
    with pytest.raises(ModelError, match="block-kills-workers"):
        judged("block-kills-workers")
