"""The figures of a funding pack: ten years of avoidance, cost, risks, and the chance of the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from insights.assess import Scales
from insights.avoidance import (
    Tonnes,
    Window,
    by_year,
    chance_of_promise,
    held_share,
    summed,
    tonnes_of,
)
from insights.figures import Float, Future
from insights.fund_costs import Terms, costs_of
from insights.goals import Telling
from insights.laid import Bench
from insights.outlook import outlook
from insights.projects import Risk, drawn
from insights.refusals import refused
from insights.resolve import Ground
from insights.scenario import Scenario

HELD: Final = "held-after-the-forecast"
LATER: Final = "years-before-these-not-counted"
ELSEWHERE_UNKNOWN: Final = "elsewhere-not-known"
FORMULAS: Final = {
    "absolute": "sum over ten years of (reference - project), path by path",
    "relative": "absolute / sum over ten years of the reference, path by path",
    "source": "EU Innovation Fund, how avoidance of greenhouse gases is counted; not opened here",
    "evidence": "recalled",
}


def funding(
    scenario: Scenario, ground: Ground, scales: Scales, tellings: Sequence[Telling], terms: Terms
) -> dict[str, Any]:
    """Everything that a pack computes, JSON-ready; ``outlook`` is what ``POST /v1/scenarios`` answers.

    Raises:
        AskError: an empty plan (``plan-empty``), or one that begins after the forecast.
        AskError, DataError: as ``outlook`` and ``costs_of``.
    """
    if not scenario.plans:
        raise refused("plan-empty", "scenario", "no lever and no project", "at least one to be funded")
    told = outlook(scenario, ground, scales, tellings)
    scope = told["scope"]
    future = ground.futures[scope].after(ground.records[scope].year)
    planned = min(plan.start + plan.delay_years for plan in scenario.plans)
    window = Window.of(terms.first_year or planned, future)
    bench = Bench.of(scenario, future.paths.shape[1], scales.factors)
    seen = window.over(future)
    tonnes = tonnes_of(bench, seen)
    promised, of_caller = _promised(terms, bench, seen)
    return {
        "outlook": told,
        "window": {
            "first_year": window.first,
            "last_year": window.last,
            "planned_start": planned,
            "last_forecast_year": window.horizon,
            "held_years": window.held,
            "held_share": held_share(tonnes, window, seen.weights),
        },
        "formulas": FORMULAS,
        "avoidance": summed(tonnes, seen.weights),
        "promise": {
            "tonnes": promised,
            "told_by": "the applicant" if of_caller else "the plan, in full and on time",
            "chance": _chance(tonnes, promised, seen),
        },
        "by_year": by_year(tonnes, window, seen.weights),
        "costs": costs_of(terms, scenario, tonnes, window, seen.weights),
        "tornado": tornado(bench, seen, promised),
        "notes": _notes(tonnes, window, planned),
    }


def _promised(terms: Terms, bench: Bench, seen: Future) -> tuple[float | None, bool]:
    """What the applicant promises; else the plan in full and on time, on the mean of the same paths."""
    if terms.promised is not None:
        return terms.promised, True
    whole = _total(tonnes_of(_certain(bench, seen), seen))
    return (None if whole is None else float(whole @ seen.weights)), False


def _chance(tonnes: Tonnes, promised: float | None, seen: Future) -> float | None:
    avoided = _total(tonnes)
    if avoided is None or promised is None:
        return None
    return chance_of_promise(avoided, promised, seen.weights)


def _total(tonnes: Tonnes) -> Float | None:
    """(P,) ten-year sum."""
    return None if tonnes.avoided is None else np.asarray(tonnes.avoided.sum(axis=0))


def _certain(bench: Bench, seen: Future, only: str = "") -> Bench:
    """The same with every project, or one, built in time and in full."""
    scenario = bench.scenario
    sure = {
        plan.name: drawn(
            Risk(certain=True), plan.project_id, scenario.seed, seen.paths.shape[1], scenario.counts
        )
        for plan in scenario.projects
        if only in ("", plan.name)
    }
    return replace(bench, draws={**bench.draws, **sure})


def tornado(bench: Bench, seen: Future, promised: float | None) -> list[dict[str, Any]]:
    """How each thing that may come otherwise moves the ten-year tonnes, the widest first; [] where unknown.

    Of each project: lost, late by its own years, and in time and in full; of all: the fifth of the paths with
    the lowest and the one with the highest reference.
    """
    usual = _total(tonnes_of(bench, seen))
    if usual is None:
        return []
    mean = float(usual @ seen.weights)
    rows = []
    for plan in bench.scenario.projects:
        draws = bench.draws[plan.name]
        cases = {
            "lost": bench.changed(plan.name, draws.lost()),
            "late": bench.changed(plan.name, draws.later(plan.late_years)),
            "in-full-and-on-time": _certain(bench, seen, plan.name),
        }
        for case, other in cases.items():
            totals = _total(tonnes_of(other, seen))
            if totals is None:
                continue
            row = _row(plan.name, case, float(totals @ seen.weights), mean)
            chance = None if promised is None else chance_of_promise(totals, promised, seen.weights)
            years = plan.late_years if case == "late" else None
            rows.append({**row, "project_id": plan.project_id, "years": years, "chance_of_promise": chance})
    rows += _by_reference(usual, seen, mean, promised)
    return sorted(rows, key=lambda row: -abs(row["change"]))


def _by_reference(usual: Float, seen: Future, mean: float, promised: float | None) -> list[dict[str, Any]]:
    """The tonnes where emissions without the plan are low, and where they are high: a fifth of the weight."""
    reference = seen.paths.sum(axis=0)
    order = np.argsort(reference, kind="stable")
    place = np.cumsum(seen.weights[order]) - seen.weights[order] / 2
    rows = []
    for case, chosen in (("low-reference", order[place <= 0.2]), ("high-reference", order[place >= 0.8])):
        weights = seen.weights[chosen]
        if not len(chosen) or weights.sum() <= 0:
            continue
        share = weights / weights.sum()
        chance = None if promised is None else chance_of_promise(usual[chosen], promised, share)
        row = _row("emissions without the plan", case, float(usual[chosen] @ share), mean)
        rows.append({**row, "project_id": None, "years": None, "chance_of_promise": chance})
    return rows


def _row(name: str, case: str, value: float, mean: float) -> dict[str, Any]:
    return {"name": name, "case": case, "tonnes": value, "change": value - mean}


def _notes(tonnes: Tonnes, window: Window, planned: int) -> list[str]:
    told = [HELD] if window.held else []
    told += [LATER] if window.first > planned else []
    return [*told, ELSEWHERE_UNKNOWN] if tonnes.elsewhere is None else told
