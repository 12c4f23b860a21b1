"""A scenario on the joint paths of one scope: emissions beside the baseline, tonnes by lever and project.

Sums and shares are of paths, never of quantiles; means add up, so tonnes by lever are told as means with the
band of their own draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from insights.figures import Future, weighted_quantiles
from insights.levers import Applied, Float, Measure, applied, ordered, ramped
from insights.plan import Plan
from insights.projects import Common, Draws, drawn
from insights.scenario import Scenario
from insights.tolls import Factors

LEVELS: Final = (0.1, 0.5, 0.9)
COSTS: Final = ("in_year", "up_to_year", "present_value", "per_tonne", "per_tonne_avoided")


@dataclass(frozen=True)
class Bench:
    """A scenario with its draws, ready to be laid over paths.

    Attributes:
        draws: project name -> what befalls it on each path.
        factors: the reference factors.
    """

    scenario: Scenario
    draws: Mapping[str, Draws]
    factors: Factors

    @staticmethod
    def of(
        scenario: Scenario, count: int, factors: Factors, *, seed: int | None = None, correlation: float = 0.0
    ) -> Bench:
        """With the draws of ``count`` paths.

        Args:
            seed: instead of the scenario's own, where several scenarios are drawn together.
            correlation: of the luck of projects of one kind.
        """
        dice = scenario.seed if seed is None else seed
        draws = {
            plan.name: drawn(
                plan.risk, plan.project_id, dice, count, scenario.counts, Common(plan.kind, correlation)
            )
            for plan in scenario.projects
        }
        return Bench(scenario, draws, factors)

    def changed(self, name: str, draws: Draws) -> Bench:
        """The same but for what befalls one project."""
        return replace(self, draws={**self.draws, name: draws})

    def laid(self, future: Future) -> Applied:
        """Levers and projects on the paths, in the order of the scenario."""
        measures = [self._measure(plan, future) for plan in self.scenario.plans]
        return applied(future.paths, ordered(measures, self.scenario.order))

    def _measure(self, plan: Plan, future: Future) -> Measure:
        draws = self.draws.get(plan.name)
        if draws is None:
            strength = ramped(future.years, plan.start, plan.ramp_years, plan.end)
        else:
            start = plan.start + plan.delay_years
            strength = draws.strength(future.years, start, plan.ramp_years, plan.end)
        strength = strength * plan.additional
        capacity, toll = plan.gross_capacity(self.factors), plan.toll(self.factors)
        return Measure(plan.name, plan.kind, capacity, plan.reach, strength, toll, plan.cost)


def under(future: Future, laid: Applied) -> Future:
    """The future with the measures: the same years, weights and ratios, other paths."""
    return replace(future, paths=laid.paths)


def emissions_of(baseline: Future, planned: Future) -> list[dict[str, Any]]:
    """Quantiles by year of both, side by side, tCO2e."""
    return [
        {"year": int(year), "baseline": _bands(baseline, k), "scenario": _bands(planned, k)}
        for k, year in enumerate(baseline.years)
    ]


def _bands(future: Future, k: int) -> dict[str, float]:
    return _quantiles(future.paths[k], future.weights)


def _quantiles(values: Float, weights: Float) -> dict[str, float]:
    found = weighted_quantiles(values, weights, np.asarray(LEVELS))
    return {f"q{level}": float(value) for level, value in zip(LEVELS, found, strict=True)}


def contributions(bench: Bench, laid: Applied, future: Future, year: int) -> list[dict[str, Any]]:
    """What each lever and project does, in the order applied: in ``year``, by year, and up to ``year``."""
    plans = {plan.name: plan for plan in bench.scenario.plans}
    return [_contribution(bench, plans[m.name], laid, k, future, year) for k, m in enumerate(laid.measures)]


def _contribution(
    bench: Bench, plan: Plan, laid: Applied, k: int, future: Future, year: int
) -> dict[str, Any]:
    measure, weights = laid.measures[k], future.weights
    at, upto = int(np.searchsorted(future.years, year)), future.years <= year
    direct = laid.direct(k)
    told: dict[str, Any] = {
        "name": plan.name,
        "what": "project" if plan.project_id else "lever",
        "project_id": plan.project_id or None,
        "kind": plan.kind,
        "planned_start": plan.start + plan.delay_years,
        "flags": list(measure.flags),
        "grid": plan.grid,
        "break_even_grid": measure.toll.break_even,
        "in_year": {**_tonnes(laid, k, weights, at, at + 1), "band": _quantiles(direct[at], weights)},
        "up_to_year": _tonnes(laid, k, weights, 0, int(upto.sum())),
        "by_year": [
            {"year": int(y), "direct": float(direct[row] @ weights)} for row, y in enumerate(future.years)
        ],
        "cost": _cost(laid, k, future, year, bench.scenario.rate),
    }
    if plan.project_id:
        told["risk"] = {"from": plan.risk.sources(), **bench.draws[plan.name].as_record(weights)}
    return told


def _tonnes(laid: Applied, k: int, weights: Float, start: int, stop: int) -> dict[str, float | None]:
    """Mean tonnes of rows ``start`` to ``stop``: captured, off the path, brought back, avoided in all."""

    def mean(rows: Float | None) -> float | None:
        return None if rows is None else float(rows[start:stop].sum(axis=0) @ weights)

    direct, elsewhere = mean(laid.direct(k)), mean(laid.elsewhere(k))
    return {
        "gross": mean(laid.gross[k]),
        "captured": mean(laid.captured(k)),
        "direct": direct,
        "elsewhere": elsewhere,
        "avoided": None if direct is None or elsewhere is None else direct - elsewhere,
    }


def _cost(laid: Applied, k: int, future: Future, year: int, rate: float) -> dict[str, float | None]:
    """Mean cost in ``year`` and up to it, plain and as the present value in the first year; a tonne avoided
    costs more than a tonne captured."""
    cost = laid.measures[k].cost
    if cost is None:
        return dict.fromkeys(COSTS)
    avoided = laid.measures[k].toll.avoided
    yearly = laid.gross[k] @ future.weights * cost
    ahead = np.asarray(future.years <= year)
    factors = (1.0 + rate) ** -(future.years - future.years[0]).astype(np.float64)
    return {
        "in_year": float(yearly[np.searchsorted(future.years, year)]),
        "up_to_year": float(yearly[ahead].sum()),
        "present_value": float((yearly * factors)[ahead].sum()),
        "per_tonne": cost,
        "per_tonne_avoided": cost / avoided if avoided is not None and avoided > 0 else None,
    }


def totals(rows: list[dict[str, Any]], laid: Applied, future: Future, year: int) -> dict[str, Any]:
    """Sums over levers and projects in ``year`` and up to it; null where a part is not known."""
    at, stop, weights = (
        int(np.searchsorted(future.years, year)),
        int((future.years <= year).sum()),
        future.weights,
    )
    names = ("captured", "direct", "elsewhere", "avoided")
    spans = {
        span: {name: _sum([row[span][name] for row in rows]) for name in names}
        for span in ("in_year", "up_to_year")
    }
    met = laid.interaction
    for span, rows_of in (("in_year", met[at : at + 1]), ("up_to_year", met[:stop])):
        lost = float(rows_of.sum(axis=0) @ weights)
        joint = spans[span]["direct"] or 0.0
        spans[span] |= {"alone": joint + lost, "interaction": lost}
    unknown = [row["name"] for row in rows if row["cost"]["in_year"] is None]
    cost = {
        span: _sum([row["cost"][span] for row in rows]) for span in ("in_year", "up_to_year", "present_value")
    }
    return {"year": year, **spans, "cost": {**cost, "not_known_of": unknown}}


def _sum(values: list[float | None]) -> float | None:
    return None if any(value is None for value in values) else float(sum(v for v in values if v is not None))
