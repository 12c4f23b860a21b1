"""The gate can refuse: worse is kept out, unlike or unscored is not judged, better gets in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.recipe import Recipe
from models.replay import replay
from tests.training.panels import random_walks, shifted
from tests.training.test_backtest import RECIPE, _folds, _hierarchy
from tests.training.trials import trial
from training.backtest import Backtest, backtest
from training.gate import Verdict, judge_challenger
from training.plan import GatePlan
from training.rails import Conduct, Occasion

TRIALS = 12

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


def _judge(
    ours: Backtest,
    base: Backtest,
    plan: GatePlan = PLAN,
    *,
    occasion: Occasion = "rival",
    conduct: Conduct | None = None,
) -> Verdict:
    challenger = Recipe(name="new", members=("naive",))
    tests = {"naive": base, "new": ours}
    return judge_challenger(
        challenger, tests, "naive", plan, occasion=occasion, stamp="test", conduct=conduct
    )


def _failed(verdict: Verdict) -> list[str]:
    return [rule.name for rule in verdict.rules if not rule.passed]


def test_a_better_challenger_is_promoted_and_told_why(base: Backtest) -> None:
    verdict = _judge(shifted(base, "new", error=0.9), base)
    assert verdict.decision == "promote", verdict.sentence
    assert "new won over naive on the same folds: scaled quantile loss -10.00%" in verdict.sentence
    assert "inside the 80% band" in verdict.sentence


def test_a_worse_challenger_is_kept_out(base: Backtest) -> None:
    verdict = _judge(shifted(base, "new", error=1.1), base)
    assert verdict.decision == "keep"
    assert "sql" in _failed(verdict)


def test_an_equal_challenger_gets_in_only_where_it_displaces_nobody_else(base: Backtest) -> None:
    equal, worse = (shifted(base, "new", error=error) for error in (1.0, 1.01))
    assert _judge(equal, base).decision == "keep"
    for occasion in ("refit", "first"):
        assert _judge(equal, base, occasion=occasion).decision == "promote"
        assert _judge(worse, base, occasion=occasion).decision == "keep"


def test_better_on_average_by_one_lucky_fold_is_not_enough(base: Backtest) -> None:
    values = shifted(base, "new", error=1.01).values.copy()
    values[1] = shifted(base, "new", error=0.7).values[1]
    verdict = _judge(replace(base, forecaster="new", values=values), base)
    assert verdict.decision == "keep"
    rule = next(rule for rule in verdict.rules if rule.name == "sql")
    assert rule.value is not None
    assert rule.value > 0
    assert "scaled quantile loss -" in rule.why


@pytest.mark.parametrize(("error", "promoted"), [(1.05, (0, 0)), (1.0, (0, 2)), (0.95, (8, 12))])
def test_trials_of_realistic_shape(error: float, promoted: tuple[int, int]) -> None:
    """The full two hundred are in benchmarks/gate_trials."""
    found = [trial(seed, error=error).decision for seed in range(TRIALS)]
    assert promoted[0] <= found.count("promote") <= promoted[1]
    assert "cannot-judge" not in found


@pytest.mark.parametrize("spoil", ["nan", "infinite", "silent"])
def test_what_was_not_answered_is_never_promoted(spoil: str) -> None:
    verdict = trial(3, error=0.8, spoil=spoil)
    assert verdict.decision == "cannot-judge"
    assert "answered" in _failed(verdict)


def test_without_a_backtest_there_is_no_judging(base: Backtest) -> None:
    recipe = Recipe(name="new", members=("naive",))
    assert judge_challenger(recipe, {"naive": base}, "naive", PLAN, stamp="").decision == "cannot-judge"


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


def test_a_bias_is_no_price_for_a_better_score(base: Backtest) -> None:
    better = shifted(base, "new", error=0.5)
    verdict = _judge(replace(better, values=better.values + 0.005 * better.actual[..., None]), base,
                     PLAN.model_copy(update={"bias_gap": 0.001}))  # fmt: skip
    assert verdict.decision == "keep"
    assert "bias" in _failed(verdict)


@pytest.mark.parametrize(
    ("conduct", "decision"),
    [
        (Conduct(seconds=3.0), "promote"),
        (Conduct(seconds=4000.0), "keep"),
        (Conduct(seconds=None), "cannot-judge"),
        (Conduct(refused=("boosted: ValueError",)), "promote"),
        (Conduct(refused=("boosted: ValueError", "arima: ValueError")), "keep"),
    ],
)
def test_time_and_failed_members_are_rules(base: Backtest, conduct: Conduct, decision: str) -> None:
    verdict = _judge(shifted(base, "new", error=0.9), base, conduct=conduct)
    assert verdict.decision == decision
    assert all(name.split(":")[0] in verdict.sentence for name in conduct.refused)


def test_seconds_do_not_tell_verdicts_apart(base: Backtest) -> None:
    better = shifted(base, "new", error=0.9)
    one, other = (_judge(better, base, conduct=Conduct(seconds=seconds)) for seconds in (1.0, 2.0))
    assert one.verdict_id == other.verdict_id
    assert one.rules != other.rules
