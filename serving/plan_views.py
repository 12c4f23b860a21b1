"""The plan finder on a served forecast: the cheapest options that meet a target as surely as was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError
from features.reference.tables import load
from features.series.words import UNIQUE_ID, UNIT
from insights.assess import Scales, probability
from insights.chance import LEVELS
from insights.figures import Future, weighted_quantiles
from insights.goals import Goal, gathered
from insights.macc import Curve, curve
from insights.options import Aim, Choice, Question, Rules
from insights.planner import Plan, find_plan
from insights.resolve import Resolved, resolve
from serving.deal_views import contract_view, corridors_view
from serving.errors import shown
from serving.ground import ground_of
from serving.insight_ask import ProgressAsk, goals_of_ask
from serving.network_view import network_view
from serving.plan_ask import PlanAsk, yearly
from serving.plan_options import option_of, risks_of
from serving.progress import factors_of, goals_of, recalibration_of
from serving.provenance import Look
from serving.shelf import Standing
from serving.views import told_of

Float = npt.NDArray[np.float64]
SECONDS: Final = 8.0
_HALVINGS: Final = 40


def plan_view(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    """The cheapest plan for a target of a series, the cost curve beside it, or the nearest that can be had.

    Raises:
        AskError: no such series or target, a target that cannot be measured, ``year-not-forecast``,
            ``plan-implausible``, ``years-unlike``.
        DataError: there is no forecast in the target's scope.
    """
    ask = PlanAsk.model_validate(dict(question))
    ground = ground_of(ask.series, standing)
    resolved = resolve(_goal_of(ask, standing), ground, base_year=ask.base_year, assume=ask.scope)
    future = ground.futures[resolved.scope].after(ground.records[resolved.scope].year)
    scales = Scales(factors_of(load()), recalibration_of(standing), standing.rungs[ask.series].entry.kind)
    asked = question_of(ask, resolved, future, share_for(ask.probability, scales))
    plan = find_plan(asked, seconds=SECONDS)
    return {
        UNIQUE_ID: ask.series,
        "unit": UNIT,
        "currency": "EUR",
        "target": resolved.goal.as_record(),
        "scope": resolved.scope,
        "notes": list(resolved.notes),
        "level": resolved.level,
        "asked": {"probability": ask.probability, "share_of_paths": asked.aim.probability},
        "risks": risks_of(ask.options),
        "without": probability(plan.without, future, scales),
        **_told(plan, asked, future, scales),
        "curve": _curve(curve(asked, plan.choice)),
        **told_of(standing),
    }


def _goal_of(ask: PlanAsk, standing: Standing) -> Goal:
    """The caller's target, or the registry's by id, or its nearest one in force."""
    registry = goals_of(ask.series, standing)
    if ask.target is not None:
        told = {"series": ask.series, "targets": [ask.target.model_dump(exclude_unset=True)]}
        return goals_of_ask(ProgressAsk.model_validate(told), registry)[0]
    named = [goal for goal in registry if goal.target_id == ask.target_id]
    found = named or ([] if ask.target_id else [telling.goal for telling in gathered(registry)])
    if not found:
        raise AskError(
            "unknown-target",
            found=f"target {shown(ask.target_id)!r} of {ask.series}",
            expected="one of " + ", ".join(goal.target_id for goal in registry) if registry else "a target",
            remedy="name a target of the list, or send one of your own as target",
        )
    return found[0]


def share_for(asked: float, scales: Scales) -> float:
    """The smallest share of paths that past targets say is as likely as was asked.

    The recalibration is monotone, so it is found by halving. Without one a share is told as it is.

    Raises:
        AskError: ``plan-implausible``: no share is as likely as that.
    """
    if scales.recalibration is None or not scales.recalibration.believed(scales.kind):
        return asked
    said = scales.recalibration.apply
    highest = float(said(1.0, scales.kind))
    if highest < asked:
        raise AskError(
            "plan-implausible",
            found=f"probability: {asked:g}",
            expected=f"at most {highest:.4g}, which is how often targets came true that every path met",
            remedy="ask for less certainty",
            facts={"field": "probability"},
        )
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = float(said(middle, scales.kind)) >= asked
        low, high = (low, middle) if enough else (middle, high)
    return high


def question_of(ask: PlanAsk, resolved: Resolved, future: Future, share: float) -> Question:
    """What the finder is asked."""
    year = resolved.goal.target_year
    if year not in future.years:
        raise AskError(
            "year-not-forecast",
            found=f"target year {year}",
            expected=f"a year from {int(future.years[0])} to {future.horizon}",
            remedy="ask for a target within the forecast",
            facts={"field": "target_year"},
        )
    ahead = future.years <= year
    aim = Aim(future.years[ahead], future.paths[ahead], future.weights, year, resolved.levels, share)
    spend = None
    if ask.yearly_budget is not None:
        spend = yearly(ask.yearly_budget, len(aim.years), "yearly_budget")
    rules = Rules(
        budget=np.inf if ask.budget is None else ask.budget,
        yearly=spend,
        exclusions=tuple(tuple(group) for group in ask.exclusions),
        requires=tuple((each.option, each.needs) for each in ask.requires),
        rate=ask.discount_rate,
    )
    count = future.paths.shape[1]
    return Question(aim, tuple(option_of(each, ask.series, count) for each in ask.options), rules)


def _told(plan: Plan, asked: Question, future: Future, scales: Scales) -> dict[str, Any]:
    told: dict[str, Any] = {"status": plan.status, "plan": None, "nearest": None}
    if plan.choice is not None:
        told["plan"] = _choice(plan.choice, asked, future, scales, "cost")
    if plan.nearest is not None:
        near = plan.nearest
        told["nearest"] = {
            "likeliest": near.likeliest and _choice(near.likeliest, asked, future, scales, "chance"),
            "without_budget": near.without_budget
            and _choice(near.without_budget, asked, future, scales, "cost"),
            "binds": list(near.binds),
        }
    return told


def _choice(choice: Choice, asked: Question, future: Future, scales: Scales, bound: str) -> dict[str, Any]:
    """A plan, JSON-ready; ``bound``: what the solver's bound is of."""
    aim = asked.aim
    abated = sum((np.asarray(s.abates) for s in choice.starts.values()), np.zeros(len(aim.weights)))
    left = weighted_quantiles(aim.emissions[aim.place] - abated, aim.weights, np.asarray(LEVELS))
    taken = {option.name: option for option in asked.options}
    return {
        "options": [
            {
                "option": name,
                "start": start.year,
                "tonnes": float(np.broadcast_to(start.abates, aim.weights.shape) @ aim.weights),
                "cost": start.cost,
                "capex": taken[name].capex,
            }
            for name, start in sorted(choice.starts.items(), key=lambda pair: (pair[1].year, pair[0]))
        ],
        "cost": choice.cost,
        "chance": probability(choice.chance, future, scales),
        "emissions": {f"q{level:g}": float(v) for level, v in zip(LEVELS, left, strict=True)},
        "proven": choice.proven,
        "bound": {"of": bound, "value": float(choice.bound) if np.isfinite(choice.bound) else None},
        "method": choice.method,
    }


def _curve(told: Curve) -> dict[str, Any]:
    return {
        "steps": [dict(step) for step in told.steps],
        "starts": {name: start.year for name, start in sorted(told.starts.items())},
        "share_of_paths": told.chance,
        "cost": told.cost,
        "differs": list(told.reasons),
    }


# Views that an answer_id can name.
PLAN_VIEWS: Final[dict[str, Look]] = {
    "network": network_view,
    "plan": plan_view,
    "corridors": corridors_view,
    "contract": contract_view,
}
