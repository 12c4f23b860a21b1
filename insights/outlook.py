"""A scenario on a ground: baseline and plan side by side, JSON-ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from features.errors import ForecarbonError
from insights.assess import Scales, chance_of
from insights.figures import Future
from insights.goals import Telling
from insights.laid import Bench, contributions, emissions_of, totals, under
from insights.refusals import refused
from insights.resolve import Ground, Resolved, resolve
from insights.scenario import Scenario
from insights.sensitivity import change_of, mark_of, sensitivity

# Codes of what the reading rests on.
TREND: Final = "the-trend-may-hold-plans"
NOT_REPLAYED: Final = "recalibrated-on-forecasts-without-plans"
PRIORS_WEAK: Final = "weak-priors"
ELSEWHERE: Final = "project-of-another-cluster"
NOT_DISCOUNTED: Final = "costs-not-discounted"
TAKEN_FROM_REFERENCE: Final = "reference-factors-stand-in"


def outlook(
    scenario: Scenario, ground: Ground, scales: Scales, tellings: Sequence[Telling]
) -> dict[str, Any]:
    """Emissions by year, chances of targets before and after, tonnes and cost by lever and project.

    Args:
        tellings: the targets measured; with one asked for by name, why it cannot be measured is raised.

    Raises:
        AskError, DataError: the scope asked for, or the one target, cannot be read.
    """
    resolved, refusals = _resolved(scenario, ground, tellings)
    scope = resolved[0].scope if resolved else _scope_of(scenario, ground)
    future = _ahead(ground, scope)
    bench = Bench.of(scenario, future.paths.shape[1], scales.factors)
    laid = bench.laid(future)
    mark = next((found for each in resolved[:1] if (found := mark_of(each, future))), None)
    year = future.horizon if mark is None else mark.year
    rows = contributions(bench, laid, future, year)
    return {
        "name": scenario.name,
        "fingerprint": scenario.fingerprint,
        "scope": scope,
        "year": year,
        "emissions": emissions_of(future, under(future, laid)),
        "targets": [*(_target(each, bench, ground, scales) for each in resolved), *refusals],
        "measures": rows,
        "totals": totals(rows, laid, future, year),
        "currency": scenario.currency or None,
        "discount": {
            "rate": scenario.rate,
            "from": "usual" if scenario.discount_rate is None else "own",
            "year": int(future.years[0]),
        },
        "sensitivity": [] if mark is None else sensitivity(bench, future, mark, scales),
        "priors": scenario.counts.as_record(),
        "assumed": [row for plan in scenario.plans for row in plan.assumed(scales.factors)],
        "notes": _notes(scenario, scales),
    }


def _resolved(
    scenario: Scenario, ground: Ground, tellings: Sequence[Telling]
) -> tuple[list[Resolved], list[dict[str, Any]]]:
    found, refusals = [], []
    for telling in tellings:
        try:
            found.append(resolve(telling.goal, ground, base_year=scenario.base_year, assume=scenario.scope))
        except ForecarbonError as why:
            if scenario.target:
                raise
            refusals.append(
                {"target": telling.goal.as_record(), "status": "refused", "refusal": why.as_record()}
            )
    return found, refusals


def _scope_of(scenario: Scenario, ground: Ground) -> str:
    """The scope of a plan without a target that can be measured: the one asked for, or the series' own.

    Raises:
        AskError: nothing is held of it (``scope-unknown``).
        DataError: why its forecast cannot be read.
    """
    scope = scenario.scope or ground.own
    if scope in ground.refusals:
        raise ground.refusals[scope]
    if scope not in ground.futures:
        known = ", ".join(sorted(ground.futures))
        raise refused("scope-unknown", "scope", scope, f"one of {known}", "ask for a scope from the list")
    return scope


def _ahead(ground: Ground, scope: str) -> Future:
    """The paths of a scope from the year after its newest figure on."""
    future = ground.futures[scope]
    return future.after(ground.records[scope].year)


def _target(resolved: Resolved, bench: Bench, ground: Ground, scales: Scales) -> dict[str, Any]:
    """The chance before and after, and how it moves: in the target's own scope."""
    future = _ahead(ground, resolved.scope)
    planned = under(future, bench.laid(future))
    mark = mark_of(resolved, future)
    change = None if mark is None else change_of(mark.met(future), mark.met(planned), future, scales)
    return {
        "target": resolved.goal.as_record(),
        "status": "measured",
        "refusal": None,
        "scope": resolved.scope,
        "level": resolved.level,
        "notes": list(resolved.notes),
        "baseline": chance_of(resolved, future, scales, ground.records[resolved.scope]),
        "scenario": chance_of(resolved, planned, scales, ground.records[resolved.scope]),
        "change": change,
        "expected_shortfall": None
        if mark is None
        else {"baseline": mark.shortfall(future), "scenario": mark.shortfall(planned)},
    }


def _notes(scenario: Scenario, scales: Scales) -> list[str]:
    told = [TREND, TAKEN_FROM_REFERENCE] if scenario.plans else []
    if scales.recalibration is not None and scenario.plans:
        told.append(NOT_REPLAYED)
    sources = {source for plan in scenario.projects for source in plan.risk.sources().values()}
    if "weak-prior" in sources:
        told.append(PRIORS_WEAK)
    homes = {plan.told.get("cluster_id") for plan in scenario.projects} - {None}
    if homes - {scenario.series.split("/")[0]}:
        told.append(ELSEWHERE)
    if scenario.currency:
        told.append(NOT_DISCOUNTED)
    return told
