"""The plan finder: the cheapest set and timing of options that meets a target as surely as was asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from insights import plan_milp
from insights.options import Choice, Question, chance_of, starts_of
from insights.plan_search import Search

SECONDS: Final = 20.0
_SAME: Final = 1e-9


@dataclass(frozen=True)
class Nearest:
    """What can be had where what was asked cannot.

    Attributes:
        likeliest: the highest chance within the budget and the rules, and the cheapest plan of it.
        without_budget: the cheapest plan of the chance asked for, no budget counted; None where none has it.
        binds: which of "budget", "yearly", "exclusions", "requires" stands in the way by itself: without
            it the chance can be had. Several together where no single one does; "options" where even all of
            them, begun as early as can be and without any rule, are too little.
    """

    likeliest: Choice | None
    without_budget: Choice | None
    binds: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """The answer of the plan finder.

    Attributes:
        status: "met"; "infeasible", with the nearest that can be had; "undecided" where the solver
            stopped at its limit before a plan was found or ruled out.
        choice: the plan; None unless met.
        nearest: None where met.
        without: chance of meeting the target if nothing is done.
    """

    status: str
    choice: Choice | None
    nearest: Nearest | None
    without: float


def find_plan(
    asked: Question, *, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
) -> Plan:
    """The cheapest plan that meets the target with at least the probability asked for.

    Where every option delivers the same on every path it is a mixed-integer programme on a quantile, else a
    branch and bound on the paths; both are exact unless ``seconds`` run out, which the answer then says.
    """
    until = clock() + seconds

    def left(share: float = 1.0) -> float:
        return max(0.05, share * (until - clock()))

    without = chance_of(asked.aim, {})
    choice = cheapest(asked, asked.aim.probability, left(0.7), clock)
    if choice is not None and choice.chance >= asked.aim.probability - _SAME:
        return Plan("met", choice, None, without)
    if choice is not None:
        return Plan("undecided", None, None, without)
    return Plan("infeasible", None, _nearest(asked, left, clock), without)


def cheapest(
    asked: Question, probability: float, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Choice | None:
    """The cheapest plan of a probability; None where there is none."""
    if plan_milp.is_even(asked):
        told = plan_milp.cheapest(asked, probability, seconds)
        # The solver's tolerance may pass a plan that is a hair short: then it is searched for on the paths.
        if told is None or not told.proven or told.chance >= probability - _SAME:
            return None if told is None else _bounded(told, told.cost)
    found = Search(asked, seconds, clock).cheapest(probability)
    return None if found is None else _bounded(found, found.cost)


def likeliest(asked: Question, seconds: float, clock: Callable[[], float] = time.monotonic) -> Choice | None:
    """The plan of the highest chance within budget and rules, and of those the cheapest; its bound is a
    chance."""
    half = seconds / 2
    if plan_milp.is_even(asked):
        best = plan_milp.likeliest(asked, half)
        top = 1.0
    else:
        best = Search(asked, half, clock).likeliest()
        top = 1.0 if best is None else -best.bound
    if best is None:
        return None
    cheap = cheapest(asked, best.chance, half, clock) if best.chance > 0 else None
    told = cheap if cheap is not None and cheap.chance >= best.chance - _SAME else best
    return replace(told, proven=best.proven, bound=told.chance if best.proven else min(1.0, top))


def _bounded(choice: Choice, value: float) -> Choice:
    return replace(choice, bound=value) if choice.proven else replace(choice, bound=min(choice.bound, value))


def _nearest(asked: Question, left: Callable[[float], float], clock: Callable[[], float]) -> Nearest:
    free = asked.without("budget", "yearly")
    within = likeliest(asked, left(0.4), clock)
    probability = asked.aim.probability
    without = cheapest(free, probability, left(0.4), clock)
    if without is not None and without.chance < probability - _SAME:
        without = None
    return Nearest(within, without, _binding(asked, left, clock))


def _binding(asked: Question, left: Callable[[float], float], clock: Callable[[], float]) -> tuple[str, ...]:
    """Which rules stand in the way."""
    rules = asked.rules
    present = {
        "budget": np.isfinite(rules.budget),
        "yearly": rules.yearly is not None,
        "exclusions": bool(rules.exclusions),
        "requires": bool(rules.requires),
    }
    if not _enough(asked.without(*present)):
        return ("options",)
    held = [name for name, there in present.items() if there]
    alone = tuple(name for name in held if _can(asked.without(name), left(0.25), clock))
    return alone or tuple(held)


def _enough(asked: Question) -> bool:
    """Whether all options at their largest, without any rule, meet the target as surely as asked."""
    most = np.zeros(len(asked.aim.weights))
    for option in asked.options:
        told = [np.asarray(start.abates) for start in starts_of(option, asked)]
        most = most + np.max([np.broadcast_to(t, most.shape) for t in told] or [most * 0], axis=0).clip(0.0)
    share = float(asked.aim.weights[most >= asked.aim.needs - 1e-3].sum())
    return share >= asked.aim.probability - _SAME


def _can(asked: Question, seconds: float, clock: Callable[[], float]) -> bool:
    told = cheapest(asked, asked.aim.probability, seconds, clock)
    return told is not None and told.chance >= asked.aim.probability - _SAME
