"""The marginal abatement cost curve beside a plan, and why the two differ.

DOMAIN C13: MAC = (annuity(capex) + opex - savings) / abated tonnes a year, annuity r / (1 - (1 + r)^-n).
The curve ranks options one by one in full operation. It knows neither when they can start, nor which of them
go together, nor how surely they deliver, nor that an option is taken whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insights.options import Choice, Option, Question, Start, chance_of, starts_of
from insights.tolls import annuity

Float = npt.NDArray[np.float64]
# Codes of why a plan differs from the curve.
LATE: Final = "lead-time"
UNSURE: Final = "uncertainty"
RULES: Final = "rules"
BUDGET: Final = "budget"
WHOLE: Final = "whole-options"
HORIZON: Final = "horizon"


def marginal_cost(option: Option, rate: float) -> float | None:
    """EUR a tonne in full operation, the mean over paths; None where nothing is abated."""
    abated = float(np.mean(option.after(len(option.tonnes) - 1)))
    if abated <= 0:
        return None
    return (annuity(rate, option.life) * option.capex + option.opex - option.savings) / abated


@dataclass(frozen=True)
class Curve:
    """The curve, and what comes of following it.

    Attributes:
        steps: options in the order of the curve: name, EUR a tonne, tCO2e a year, and whether it is
            followed up to there.
        starts: what is taken by following it until the mean abatement in full operation closes the mean
            gap, each begun as early as can be.
        chance, cost: of that, in the target year; EUR present value.
        reasons: codes of why the plan is another one.
    """

    steps: tuple[dict[str, Any], ...]
    starts: dict[str, Start]
    chance: float
    cost: float
    reasons: tuple[str, ...]


def curve(asked: Question, choice: Choice | None) -> Curve:
    """The curve of the options of a question, held beside the plan that was found."""
    rate = asked.rules.rate
    told = [(marginal_cost(option, rate), option) for option in asked.options]
    ranked = sorted(((m, o) for m, o in told if m is not None), key=lambda pair: (pair[0], pair[1].name))
    gap = float(asked.aim.needs @ asked.aim.weights)
    steps, starts, reached = [], {}, 0.0
    for cost, option in ranked:
        size = float(np.mean(option.after(len(option.tonnes) - 1)))
        followed = reached < gap
        steps.append({"option": option.name, "cost_per_tonne": cost, "tonnes": size, "followed": followed})
        reached += size if followed else 0.0
        held = starts_of(option, asked)
        if followed and held:
            starts[option.name] = held[0]
    chance = chance_of(asked.aim, starts)
    cost_of = float(sum(start.cost for start in starts.values()))
    reasons = _reasons(
        asked,
        choice,
        [o for (_, o), s in zip(ranked, steps, strict=True) if s["followed"]],
        starts,
        chance,
        cost_of,
    )
    return Curve(tuple(steps), starts, chance, cost_of, reasons)


def _reasons(
    asked: Question,
    choice: Choice | None,
    followed: list[Option],
    starts: dict[str, Start],
    chance: float,
    cost: float,
) -> tuple[str, ...]:
    if choice is not None and set(choice.starts) == set(starts):
        return ()
    told = []
    full = {option.name: float(np.mean(option.after(len(option.tonnes) - 1))) for option in followed}
    if any(name not in starts or float(np.mean(starts[name].abates)) < full[name] * 0.999 for name in full):
        told.append(LATE)
    if chance < asked.aim.probability:
        told.append(UNSURE)
    if _breaks_rules(asked, starts):
        told.append(RULES)
    if cost > asked.rules.budget or _over_a_year(asked, starts):
        told.append(BUDGET)
    if choice is not None and chance >= asked.aim.probability and cost > choice.cost:
        told.append(WHOLE)
    if choice is not None and _ranks_unlike(asked, choice):
        told.append(HORIZON)
    return tuple(told)


def _breaks_rules(asked: Question, starts: dict[str, Start]) -> bool:
    both = any(len(set(group) & set(starts)) > 1 for group in asked.rules.exclusions)
    alone = any(
        one in starts and (other not in starts or starts[other].year > starts[one].year)
        for one, other in asked.rules.requires
    )
    return both or alone


def _over_a_year(asked: Question, starts: dict[str, Start]) -> bool:
    if asked.rules.yearly is None or not starts:
        return False
    spent = np.sum([start.spends for start in starts.values()], axis=0)
    return bool((spent > asked.rules.yearly * (1 + 1e-9)).any())


def _ranks_unlike(asked: Question, choice: Choice) -> bool:
    """Whether the chosen options rank otherwise by what they cost to the target year a tonne abated then."""
    rate, held = asked.rules.rate, []
    for option in asked.options:
        start, mac = choice.starts.get(option.name), marginal_cost(option, rate)
        abated = 0.0 if start is None else float(np.mean(start.abates))
        if start is not None and mac is not None and abated > 0:
            held.append((mac, start.cost / abated))
    ranks = [later for _, later in sorted(held)]
    return ranks != sorted(ranks)
