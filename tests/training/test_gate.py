"""The gate can refuse: worse is kept out, unlike or unscored is not judged, better gets in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.recipe import Recipe
from models.replay import replay
from tests.training.panels import random_walks, shifted
from tests.training.test_backtest import RECIPE, _folds, _hierarchy
from training.backtest import Backtest, backtest
from training.gate import Verdict, judge_challenger
from training.plan import GatePlan

PLAN = GatePlan(
    baseline="naive",
    primary="sql",
    tolerance=0.0,
    least_pairs=50,
    least_folds=3,
    coverage_gap=0.15,
    worst_kind=0.05,
)


@pytest.fixture(scope="module")
def base() -> Backtest:
    history = random_walks(60, seed=5)
    folds = _folds(history)
    past = replay(history, folds.lengths, RECIPE, ("naive",))
    return backtest(history, past, folds, [RECIPE.alone("naive")], _hierarchy(history))["naive"]


def _judge(ours: Backtest, base: Backtest, plan: GatePlan = PLAN, *, refit: bool = False) -> Verdict:
    challenger = Recipe(name="new", members=("naive",))
    return judge_challenger(
        challenger, {"naive": base, "new": ours}, "naive", plan, refit=refit, stamp="test"
    )


def test_a_better_challenger_is_promoted(base: Backtest) -> None:
    verdict = _judge(shifted(base, "new", error=0.9), base)
    assert verdict.decision == "promote", verdict.sentence


def test_a_worse_challenger_is_kept_out(base: Backtest) -> None:
    verdict = _judge(shifted(base, "new", error=1.1), base)
    assert verdict.decision == "keep"
    assert any(rule.name == "sql" and not rule.passed for rule in verdict.rules)


def test_an_equal_challenger_is_kept_out_but_a_refit_of_the_same_recipe_is_let_in(base: Backtest) -> None:
    equal = shifted(base, "new", error=1.0)
    assert _judge(equal, base).decision == "keep"
    assert _judge(equal, base, refit=True).decision == "promote"


@pytest.mark.parametrize("what", ["scores", "folds", "thin"])
def test_what_cannot_be_compared_is_never_promoted(base: Backtest, what: str) -> None:
    better, plan = shifted(base, "new", error=0.5), PLAN
    if what == "scores":
        better = replace(better, step_size=np.full_like(base.step_size, np.nan))
    elif what == "folds":
        better = replace(better, cutoffs=base.cutoffs + 1)
    else:
        plan = PLAN.model_copy(update={"least_pairs": 10_000})
    assert _judge(better, base, plan).decision == "cannot-judge"


def test_too_sure_a_challenger_is_kept_out(base: Backtest) -> None:
    narrow = shifted(base, "new", error=0.9)
    median = narrow.median[..., None]
    narrow = replace(narrow, values=median + 0.2 * (narrow.values - median))
    verdict = _judge(narrow, base)
    assert verdict.decision == "keep"
    assert any(rule.name == "coverage-80" and not rule.passed for rule in verdict.rules)


def test_one_kind_of_series_may_not_pay_for_the_others(base: Backtest) -> None:
    better = shifted(base, "new", error=0.8)
    clusters = np.asarray(base.groups) == "cluster"
    values = better.values.copy()
    worse = shifted(base, "new", error=1.5).values
    values[:, clusters] = worse[:, clusters]
    verdict = _judge(replace(better, values=values), base)
    assert verdict.decision == "keep"
    assert any(rule.name == "worst-kind" and not rule.passed for rule in verdict.rules)
