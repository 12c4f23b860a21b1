"""Synthetic backtests of realistic shape with planted differences, for the trials of the gate.

Eight folds a year apart, eight steps, three hundred series in three kinds and sixteen totals. Series are
random walks with common year shocks, which folds that look at the same year share. Each of two recipes errs
on its own as well: part of its error is common to all series of a fold, and a fold's own errors hang together
with those of the fold before, since both are fitted on nearly the same years. The differences between two
equal recipes then scatter over folds by 1.9% of the score with a lag-one correlation of 0.05, as those
between the members of the annual plan do on the embedded figures (0.7 to 2.6%, and 0.0 on average).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from models.forecast import STANDARD_QUANTILES
from models.recipe import Recipe
from training.backtest import Backtest
from training.gate import Verdict, judge_challenger
from training.plan import GatePlan

Float = npt.NDArray[np.float64]

FOLDS: Final = 8
STEPS: Final = 8
SERIES: Final = 300
TOTALS: Final = 16
OWN: Final = 0.35  # variance of a recipe's own error beside the series' innovations, per step
SHARED: Final = 0.005  # share of the own error that is common to all series of a fold
ALIKE: Final = 0.75  # share of the own error that both recipes make, being fitted on the same history
MEMORY: Final = 0.4  # correlation of a fold's own errors with those of the fold before
SWING: Final = 0.25  # share of the series' innovations that is common to all series of a year
PLAN: Final = GatePlan(
    baseline="champion",
    primary="sql",
    tolerance=0.0,
    least_pairs=200,
    least_folds=4,
    coverage_gap=0.08,
    worst_kind=0.05,
)


@dataclass(frozen=True)
class World:
    """What came true, and from where it is forecast: actual and last figure (F, B, H), spread (B,), and
    the own errors (F, B) that all recipes make, in standard deviations."""

    actual: Float
    last: Float
    spread: Float
    alike: Float
    draw: np.random.Generator


def world(seed: int) -> World:
    """One history of all series; the newest folds have few actuals."""
    draw = np.random.default_rng(seed)
    count, years = SERIES + TOTALS, FOLDS + STEPS
    spread = np.exp(draw.normal(0, 0.5, count))
    common = draw.normal(0, 1, years)
    own = draw.normal(0, 1, (count, years))
    change = np.sqrt(SWING) * common + np.sqrt(1 - SWING) * own
    level = 100 * spread[:, None] + np.cumsum(spread[:, None] * change, axis=1)
    actual = np.full((FOLDS, count, STEPS), np.nan)
    last = np.zeros((FOLDS, count, STEPS))
    for fold in range(FOLDS):
        known = min(STEPS, FOLDS + 1 - fold)
        actual[fold, :, :known] = level[:, fold + 1 : fold + 1 + known]
        last[fold] = level[:, fold, None]
    return World(actual, last, spread, _own_errors(draw), draw)


def recipe_in(world: World, name: str, *, error: float = 1.0) -> Backtest:
    """A recipe whose expected error is ``error`` times that of one with 1.0; bands are right for it."""
    total = error**2 * (1 + OWN)
    count = SERIES + TOTALS
    own = np.sqrt(ALIKE) * world.alike + np.sqrt(1 - ALIKE) * _own_errors(world.draw)
    root = np.sqrt(np.arange(1, STEPS + 1)) * world.spread[:, None]
    median = world.last + np.sqrt(max(total - 1, 0.0)) * root * own[:, :, None]
    width = np.sqrt(total) * root
    values = median[..., None] + width[None, :, :, None] * norm.ppf(STANDARD_QUANTILES)
    kinds = ["plant"] * 100 + ["sector"] * 100 + ["context"] * 100 + ["cluster"] * TOTALS
    step = np.tile(world.spread, (FOLDS, 1))
    return Backtest(
        forecaster=name,
        ids=tuple(f"s{b:03d}" for b in range(count)),
        groups=tuple(kinds),
        values=values,
        actual=world.actual,
        step_size=step,
        step_square=step,
        cutoffs=np.tile(np.arange(FOLDS)[:, None], (1, count)),
    )


def _own_errors(draw: np.random.Generator) -> Float:
    """(F, B) standard normal, alike in a fold and from fold to fold as ``SHARED`` and ``MEMORY`` say."""
    fold_wide, alone = (_remembering(draw.normal(0, 1, (FOLDS, n))) for n in (1, SERIES + TOTALS))
    return np.asarray(np.sqrt(SHARED) * fold_wide + np.sqrt(1 - SHARED) * alone)


def _remembering(fresh: Float) -> Float:
    """Rows that each keep ``MEMORY`` of the row before, with the variance of fresh ones."""
    out = fresh.copy()
    for fold in range(1, len(out)):
        out[fold] = MEMORY * out[fold - 1] + np.sqrt(1 - MEMORY**2) * fresh[fold]
    return out


def trial(seed: int, *, error: float = 1.0, spoil: str = "") -> Verdict:
    """The gate's verdict on one challenger; ``spoil`` plants what must never be promoted.

    "nan" makes a whole fold's forecasts NaN, "infinite" one quantile of one series, "silent" leaves out
    the series with the largest errors.
    """
    ground = world(seed)
    champion = recipe_in(ground, "champion")
    challenger = recipe_in(ground, "challenger", error=error)
    if spoil:
        values = challenger.values.copy()
        if spoil == "nan":
            values[3] = np.nan
        elif spoil == "infinite":
            values[2, 5, :, -1] = np.inf
        else:
            miss = np.nanmean(np.abs(challenger.median - challenger.actual), axis=(0, 2))
            values[:, np.argsort(miss)[-30:]] = np.nan
        challenger = replace(challenger, values=values)
    tests = {"champion": champion, "challenger": challenger}
    recipe = Recipe(name="challenger", members=("naive",))
    return judge_challenger(recipe, tests, "champion", PLAN, stamp=str(seed))
