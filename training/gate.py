"""The gate: may the challenger serve? ``promote``, ``keep`` or ``cannot-judge``, never by default.

Challenger and champion are recipes refitted alike on the same folds. The series of one fold share its
shocks, so the fold is the unit: the difference of the primary score is averaged within each, and
``training.compare`` says how surely it is below zero. ``training.rails`` holds the rules.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np

from models.recipe import Recipe
from training.backtest import Backtest
from training.plan import GatePlan
from training.rails import Conduct, Occasion, Rule, better, countable, guard_rails

Decision = Literal["promote", "keep", "cannot-judge"]
WON: Final[dict[Occasion, str]] = {
    "first": "{ours} is the first to serve, no worse than {theirs} on the same folds",
    "refit": "{ours} is fitted again, no worse than {theirs} on the same folds",
    "rival": "{ours} won over {theirs} on the same folds",
}


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
    stamp: str,
    occasion: Occasion = "rival",
    conduct: Conduct | None = None,
) -> Verdict:
    """Decide whether the challenger may serve.

    Args:
        challenger: its recipe; ``tests`` holds its backtest by name.
        against: name of what it is compared with: the champion's recipe, or the baseline before there is
            a champion.
        stamp: goes into the verdict's id (data hash, plan fingerprint).
        occasion: "first" if nothing serves yet, "refit" if the champion is this very recipe, to be fitted
            on newer figures; else "rival".
        conduct: seconds its replay took and members that failed.
    """
    absent = [name for name in (challenger.name, against) if name not in tests]
    if absent:
        rule = Rule("scored", None, 1.0, False, "no backtest of " + " and ".join(absent))
        return settled("cannot-judge", challenger.name, against, (rule,), stamp)
    ours, theirs = tests[challenger.name], tests[against]
    if not _same_folds(ours, theirs):
        rule = Rule("same-folds", None, 1.0, False, "the two were not scored on the same folds")
        return settled("cannot-judge", challenger.name, against, (rule,), stamp)
    counts = countable(ours, theirs, plan)
    main = better(ours, theirs, plan, occasion)
    rules = (*counts, main, *guard_rails(ours, theirs, plan, conduct or Conduct()))
    if any(rule.value is None for rule in rules) or not all(rule.passed for rule in counts):
        decision: Decision = "cannot-judge"
    else:
        decision = "promote" if all(rule.passed for rule in rules) else "keep"
    return settled(decision, challenger.name, against, rules, stamp, occasion)


def _same_folds(ours: Backtest, theirs: Backtest) -> bool:
    return (
        ours.ids == theirs.ids
        and np.array_equal(ours.cutoffs, theirs.cutoffs)
        and np.array_equal(ours.actual, theirs.actual, equal_nan=True)
    )


def settled(
    decision: Decision,
    challenger: str,
    against: str,
    rules: tuple[Rule, ...],
    stamp: str,
    occasion: Occasion = "rival",
) -> Verdict:
    """The verdict with its id and its sentence, the words that stand on the champion's version."""
    return Verdict(
        verdict_id=_identity(decision, challenger, against, rules, stamp),
        decision=decision,
        challenger=challenger,
        against=against,
        rules=rules,
        sentence=_sentence(decision, challenger, against, rules, occasion),
    )


def _identity(decision: str, challenger: str, against: str, rules: tuple[Rule, ...], stamp: str) -> str:
    """Equal figures give an equal id; seconds are never equal, so only whether they were too many counts."""
    told = [
        {"name": rule.name, "passed": rule.passed} if rule.name == "runtime" else asdict(rule)
        for rule in rules
    ]
    text = json.dumps([decision, challenger, against, told, stamp])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _sentence(
    decision: Decision, challenger: str, against: str, rules: tuple[Rule, ...], occasion: Occasion
) -> str:
    failed = [f"{rule.name}: {rule.why}" for rule in rules if not rule.passed]
    if decision != "promote":
        return f"{challenger} does not replace what serves ({decision}): {'; '.join(failed)}."
    told = {rule.name: rule for rule in rules}
    shown = [told[name].why for name in ("coverage-80", "coverage-95", "worst-kind") if name in told]
    refused = [told["members"].why] if "members" in told and told["members"].value else []
    main = rules[3].why
    return f"{WON[occasion].format(ours=challenger, theirs=against)}: {'; '.join([main, *shown, *refused])}."
