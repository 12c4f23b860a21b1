"""The gate: may the challenger serve? ``promote``, ``keep`` or ``cannot-judge``, never by default.

Challenger and champion are recipes refitted alike on the same folds; the difference of the primary
score is paired by fold and series, and its standard error is taken over folds, because the series of
one fold share its shocks.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from models.recipe import Recipe
from training.backtest import Backtest
from training.plan import GatePlan
from training.scores import judge, pairs, rows_of
from training.scoring import mean_of

Float = npt.NDArray[np.float64]
Decision = Literal["promote", "keep", "cannot-judge"]

REFIT_SLACK = 1e-9
CERTAINTY = 1.0


@dataclass(frozen=True)
class Rule:
    """One thing the gate looked at."""

    name: str
    value: float | None
    threshold: float
    passed: bool
    why: str


@dataclass(frozen=True)
class Verdict:
    """What the gate decided and every rule behind it."""

    verdict_id: str
    decision: Decision
    challenger: str
    against: str
    rules: tuple[Rule, ...]
    sentence: str

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)


def judge_challenger(
    challenger: Recipe,
    tests: dict[str, Backtest],
    against: str,
    plan: GatePlan,
    *,
    refit: bool,
    stamp: str,
) -> Verdict:
    """Decide whether the challenger may serve.

    Args:
        challenger: its recipe; ``tests`` holds its backtest by name.
        against: name of what it must not be worse than: the champion's recipe, or the baseline before
            there is a champion.
        refit: the champion is this very recipe, to be fitted on newer figures: equal is good enough.
        stamp: goes into the verdict's id (data hash, plan fingerprint).
    """
    ours, theirs = tests[challenger.name], tests[against]
    if not _same_folds(ours, theirs):
        return _verdict("cannot-judge", challenger.name, against, (_unlike(),), stamp)
    difference = pairs(ours, plan.primary) - pairs(theirs, plan.primary)
    base = mean_of(pairs(theirs, plan.primary))[0]
    rules = (
        _enough(difference, plan),
        _better(difference, base, plan, refit=refit),
        *_coverage(ours, plan),
        _worst_kind(ours, theirs, plan),
    )
    if any(rule.value is None for rule in rules) or not rules[0].passed:
        decision: Decision = "cannot-judge"
    else:
        decision = "promote" if all(rule.passed for rule in rules) else "keep"
    return _verdict(decision, challenger.name, against, rules, stamp)


def _same_folds(ours: Backtest, theirs: Backtest) -> bool:
    return (
        ours.ids == theirs.ids
        and np.array_equal(ours.cutoffs, theirs.cutoffs)
        and np.array_equal(ours.actual, theirs.actual, equal_nan=True)
    )


def _unlike() -> Rule:
    return Rule("same-folds", None, 1.0, False, "the two were not scored on the same folds")


def _enough(difference: Float, plan: GatePlan) -> Rule:
    n = int(np.isfinite(difference).sum())
    folds = int(np.isfinite(difference).any(axis=1).sum())
    passed = n >= plan.least_pairs and folds >= plan.least_folds
    return Rule("pairs", float(n), float(plan.least_pairs), passed, f"{n} pairs in {folds} folds")


def _better(difference: Float, base: float, plan: GatePlan, *, refit: bool) -> Rule:
    """Relative difference of the primary score; below zero is better."""
    by_fold = np.array([mean_of(row)[0] for row in difference])
    by_fold = by_fold[np.isfinite(by_fold)]
    if len(by_fold) < 2 or not np.isfinite(base) or base <= 0:
        return Rule(plan.primary, None, 0.0, False, "no score to compare")
    mean = float(by_fold.mean()) / base
    error = float(by_fold.std(ddof=1) / np.sqrt(len(by_fold))) / base
    if refit:
        return Rule(plan.primary, mean, REFIT_SLACK, mean <= REFIT_SLACK, "the same recipe on newer figures")
    # Better by more than one standard error over folds: an equal challenger rarely passes.
    bound = mean + CERTAINTY * error
    why = f"{100 * mean:+.2f}% of {base:.4f}, standard error over folds {100 * error:.2f}%"
    return Rule(plan.primary, bound, plan.tolerance, bound < plan.tolerance, why)


def _coverage(ours: Backtest, plan: GatePlan) -> list[Rule]:
    rules = []
    covered = judge(ours).covered
    for name, values in covered.items():
        share, n, _ = mean_of(values[ours.asked])
        gap = abs(share - float(name) / 100)
        rules.append(
            Rule(
                f"coverage-{name}",
                gap if n else None,
                plan.coverage_gap,
                bool(n) and gap <= plan.coverage_gap,
                f"{100 * share:.1f}% of {n} actuals inside the {name}% band" if n else "no actuals",
            )
        )
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
    passed = value is not None and value <= plan.worst_kind
    return Rule("worst-kind", value, plan.worst_kind, passed, f"worst kind of series: {named}")


def _verdict(
    decision: Decision, challenger: str, against: str, rules: tuple[Rule, ...], stamp: str
) -> Verdict:
    text = json.dumps([decision, challenger, against, [asdict(rule) for rule in rules], stamp])
    failed = [rule for rule in rules if not rule.passed]
    if decision == "promote":
        why = "; ".join(f"{rule.name}: {rule.why}" for rule in rules[1:2])
        sentence = f"{challenger} may serve: against {against} {why}."
    else:
        why = "; ".join(f"{rule.name}: {rule.why}" for rule in failed)
        sentence = f"{challenger} does not replace what serves ({decision}): {why}."
    return Verdict(
        verdict_id=hashlib.sha256(text.encode()).hexdigest()[:12],
        decision=decision,
        challenger=challenger,
        against=against,
        rules=rules,
        sentence=sentence,
    )
