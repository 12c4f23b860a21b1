"""The gate's rules, each with its value and its threshold: what must be shown, and the guard rails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from training.backtest import Backtest
from training.compare import compare
from training.plan import GatePlan
from training.scores import judge, pairs, rows_of
from training.scoring import mean_of

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Occasion = Literal["first", "refit", "rival"]

REFIT_SLACK: Final = 1e-9
SCORES: Final = {"sql": "scaled quantile loss", "mase": "MASE", "rmsse": "RMSSE", "wape": "wAPE"}


@dataclass(frozen=True)
class Rule:
    """One thing the gate looked at; ``value`` is None where there was nothing to look at."""

    name: str
    value: float | None
    threshold: float
    passed: bool
    why: str


@dataclass(frozen=True)
class Conduct:
    """How a recipe behaved while it was replayed.

    Attributes:
        seconds: of computing for its members over all folds, wherever it was done; None if not known.
        refused: members that failed, with the reason; the recipe was judged without them.
    """

    seconds: float | None = 0.0
    refused: tuple[str, ...] = ()


def countable(ours: Backtest, theirs: Backtest, plan: GatePlan) -> tuple[Rule, ...]:
    """Whether there is enough to judge at all; one that fails means cannot-judge."""
    difference = pairs(ours, plan.primary) - pairs(theirs, plan.primary)
    held = np.isfinite(difference)
    n, folds = int(held.sum()), int(held.any(axis=1).sum())
    silent = int((_answered(theirs) & ~_answered(ours)).sum())
    said = f"{silent} forecasts that the other made and this one did not" if silent else "nothing left out"
    return (
        Rule("answered", float(silent), 0.0, silent == 0, said),
        Rule("pairs", float(n), float(plan.least_pairs), n >= plan.least_pairs, f"{n:,} pairs"),
        Rule("folds", float(folds), float(plan.least_folds), folds >= plan.least_folds, f"{folds} folds"),
    )


def _answered(test: Backtest) -> Bool:
    """(F, B, H) True where there is an actual and every quantile is a finite number."""
    return np.asarray(np.isfinite(test.values).all(axis=3) & np.isfinite(test.actual))


def better(ours: Backtest, theirs: Backtest, plan: GatePlan, occasion: Occasion) -> Rule:
    """The primary score, as a share of the other's; below zero is better.

    Against a rival the upper confidence bound of the mean difference must lie below the tolerance. A refit
    of the same recipe need only be no worse, and so need the first recipe, against the baseline: nobody
    is displaced.
    """
    theirs_by_pair = pairs(theirs, plan.primary)
    difference = pairs(ours, plan.primary) - theirs_by_pair
    base = mean_of(theirs_by_pair)[0]
    by_fold = np.array([mean_of(row)[0] for row in difference])
    by_fold = by_fold[np.isfinite(by_fold)]
    if len(by_fold) < 2 or not np.isfinite(base) or base <= 0:
        return Rule(plan.primary, None, plan.tolerance, False, "no score to compare")
    found = compare(by_fold / base, ours.values.shape[2])
    size = f"{SCORES[plan.primary]} {100 * found.mean:+.2f}% of {base:.4f} over {found.cutoffs} cutoffs"
    if occasion == "refit":
        passed = found.mean <= REFIT_SLACK
        return Rule(plan.primary, found.mean, REFIT_SLACK, passed, f"{size}: the same recipe, newer figures")
    if occasion == "first":
        passed = found.mean <= plan.tolerance
        why = f"{size}: no champion to compare with, no worse is enough"
        return Rule(plan.primary, found.mean, plan.tolerance, passed, why)
    bound = found.bound(plan.confidence)
    why = (
        f"{size}, {100 * plan.confidence:g}% sure to be below {100 * bound:+.2f}% "
        f"(p = {found.p_value():.3g}, {found.lags} lags)"
    )
    return Rule(plan.primary, bound, plan.tolerance, bound < plan.tolerance, why)


def guard_rails(ours: Backtest, theirs: Backtest, plan: GatePlan, conduct: Conduct) -> tuple[Rule, ...]:
    """What a better score may not be paid with."""
    return (
        *_coverage(ours, plan),
        _worst_kind(ours, theirs, plan),
        _bias(ours, theirs, plan),
        _runtime(conduct, plan),
        _members(conduct, plan),
    )


def _coverage(ours: Backtest, plan: GatePlan) -> list[Rule]:
    rules = []
    for name, values in judge(ours).covered.items():
        share, n, _ = mean_of(values[ours.asked])
        gap = abs(share - float(name) / 100)
        said = f"{100 * share:.1f}% of {n:,} actuals inside the {name}% band" if n else "no actuals"
        passed = bool(n) and gap <= plan.coverage_gap
        rules.append(Rule(f"coverage-{name}", gap if n else None, plan.coverage_gap, passed, said))
    return rules


def _worst_kind(ours: Backtest, theirs: Backtest, plan: GatePlan) -> Rule:
    worst, named = -np.inf, "none"
    mine, other = pairs(ours, plan.primary), pairs(theirs, plan.primary)
    for kind in sorted(set(ours.groups)):
        chosen = rows_of(ours, kind)
        both = np.isfinite(mine[:, chosen]) & np.isfinite(other[:, chosen])
        if not both.any():
            continue
        ratio = mine[:, chosen][both].mean() / max(other[:, chosen][both].mean(), 1e-12) - 1
        if ratio > worst:
            worst, named = float(ratio), kind
    value = worst if np.isfinite(worst) else None
    said = f"worst kind of series: {named}, {100 * worst:+.2f}%" if value is not None else "no kind scored"
    return Rule("worst-kind", value, plan.worst_kind, value is not None and value <= plan.worst_kind, said)


def _bias(ours: Backtest, theirs: Backtest, plan: GatePlan) -> Rule:
    """How much farther from zero the bias is than the other's, both as a share of the actual tonnes."""
    mine, other = _bias_of(ours), _bias_of(theirs)
    if not np.isfinite(mine) or not np.isfinite(other):
        return Rule("bias", None, plan.bias_gap, False, "no bias to compare")
    farther = abs(mine) - abs(other)
    said = f"forecasts {100 * mine:+.1f}% of the actual tonnes, the other's {100 * other:+.1f}%"
    return Rule("bias", farther, plan.bias_gap, farther <= plan.bias_gap, said)


def _bias_of(test: Backtest) -> float:
    judged, chosen = judge(test), rows_of(test, "all")
    signed, actual = judged.signed[:, chosen], judged.actual[:, chosen]
    held = np.isfinite(signed) & np.isfinite(actual)
    total = float(actual[held].sum())
    return float(signed[held].sum()) / total if total > 0 else float("nan")


def _runtime(conduct: Conduct, plan: GatePlan) -> Rule:
    seconds = conduct.seconds
    if seconds is None or not np.isfinite(seconds):
        return Rule("runtime", None, plan.slowest, False, "seconds not known")
    return Rule("runtime", seconds, plan.slowest, seconds <= plan.slowest, f"{seconds:.1f} s over all folds")


def _members(conduct: Conduct, plan: GatePlan) -> Rule:
    failed = len(conduct.refused)
    said = "judged without " + "; ".join(conduct.refused) if failed else "every member forecast"
    threshold = float(plan.refused_members)
    return Rule("members", float(failed), threshold, failed <= plan.refused_members, said)
