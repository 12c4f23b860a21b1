"""The coalition under all plans: what every cluster's plans take off its emissions, path by path, together.

Each cluster's plans are laid over its own joint paths; sums are sums of paths, and a project has one draw
wherever it stands. Stores that several clusters fill have one capacity. What plans abate is held against the
claimed potential, and claims are never added to inventories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from insights.figures import Float, Future, Int, weighted_quantiles
from insights.laid import Bench
from insights.lever_kinds import LEVERS
from insights.levers import Applied
from insights.scenario import Scenario
from insights.tolls import Factors

LEVELS: Final = (0.1, 0.5, 0.9)
# Of the claimed potential.
SHARES: Final = (0.1, 0.25, 0.5, 1.0)
# Ours, and weak: nothing that was read tells how much the luck of projects of one kind goes together.
CORRELATION: Final = 0.3
SEED: Final = 20


@dataclass(frozen=True)
class Side:
    """One cluster of the portfolio.

    Attributes:
        value: its newest figure, tCO2e.
        future: its joint paths, in its own scope.
        scenario: what is planned there.
        own: whether the caller sent the plan; else it is the registry's projects.
    """

    cluster_id: str
    value: float
    future: Future
    scenario: Scenario
    own: bool


@dataclass(frozen=True)
class Laid:
    """A cluster's plans on its paths, over the years of the portfolio.

    Attributes:
        applied: measures in order, their gross tonnes cut to what the shared stores can take.
        baseline: (H, P) before them.
    """

    side: Side
    bench: Bench
    applied: Applied
    baseline: Float

    @property
    def abated(self) -> Float:
        """(H, P) off the paths."""
        return self.baseline - self.applied.paths


@dataclass(frozen=True)
class Coalition:
    """All clusters over one span of years.

    Attributes:
        stores: name -> (H, P) t into a shared store, before its capacity binds.
        capacities: name -> t/year of each store.
    """

    years: Int
    members: tuple[Laid, ...]
    stores: Mapping[str, Float]
    capacities: Mapping[str, float]

    @property
    def baseline(self) -> Float:
        """(H, P) of all clusters together."""
        return np.asarray(sum(member.baseline for member in self.members))

    @property
    def abated(self) -> Float:
        """(H, P) off the paths by all plans together."""
        return np.asarray(sum(member.abated for member in self.members))


def span_of(sides: Sequence[Side]) -> Int:
    """(H,) years that every cluster's paths have.

    Raises:
        ValueError: there are none.
    """
    first = max(int(side.future.years[0]) for side in sides)
    last = min(side.future.horizon for side in sides)
    if last < first:
        raise ValueError("no year that all clusters are forecast in")
    return np.arange(first, last + 1)


def coalition(
    sides: Sequence[Side], factors: Factors, *, stores: Mapping[str, float], correlation: float = CORRELATION,
    seed: int = SEED,
) -> Coalition:  # fmt: skip
    """Every cluster's plans laid over its paths, and shared stores kept to their capacity.

    Args:
        stores: t/year of stores that several clusters fill, by the name their scenarios call them.
        correlation: of the luck of projects of one kind, from 0 to 1.
    """
    years = span_of(sides)
    members = tuple(_laid(side, years, factors, correlation, seed) for side in sides)
    filled = {
        name: np.asarray(sum((_into(member, name) for member in members), np.zeros_like(members[0].baseline)))
        for name in stores
    }
    room = {
        name: np.where(flow > stores[name], stores[name] / np.maximum(flow, 1e-9), 1.0)
        for name, flow in filled.items()
    }
    return Coalition(years, tuple(_kept_to(member, room) for member in members), filled, dict(stores))


def _laid(side: Side, years: Int, factors: Factors, correlation: float, seed: int) -> Laid:
    rows = np.isin(side.future.years, years)
    future = replace(side.future, years=years, paths=side.future.paths[rows], own=side.future.own[rows])
    bench = Bench.of(side.scenario, future.paths.shape[1], factors, seed=seed, correlation=correlation)
    return Laid(side, bench, bench.laid(future), future.paths)


def _into(member: Laid, store: str) -> Float:
    """(H, P) tonnes that a cluster captures into a store."""
    into = np.zeros_like(member.baseline)
    for k, name in _stored(member):
        if name == store:
            into = into + member.applied.captured(k)
    return into


def _stored(member: Laid) -> list[tuple[int, str]]:
    """(place among the measures, store) of every capture that names one."""
    stores = {plan.name: plan.store for plan in member.side.scenario.plans}
    return [
        (k, stores[m.name])
        for k, m in enumerate(member.applied.measures)
        if LEVERS[m.kind].captures and stores[m.name]
    ]


def _kept_to(member: Laid, room: Mapping[str, Float]) -> Laid:
    """Captures cut in the ratio of what their store can take; nothing else moves up into the gap."""
    laid = member.applied
    gross, paths = list(laid.gross), laid.paths
    for k, store in _stored(member):
        if store in room:
            kept = gross[k] * room[store]
            paths = paths + (gross[k] - kept) * (1.0 - laid.measures[k].toll.inside)
            gross[k] = kept
    return replace(member, applied=replace(laid, gross=tuple(gross), paths=paths))


def years_of(found: Coalition, claim: float) -> list[dict[str, Any]]:
    """By year, tCO2e: what all clusters emit without and with the plans, what plans take off, and how far the
    total is below the newest figures; and what plans take off as a share of a claim.

    Args:
        claim: tCO2e a year.
    """
    baseline, abated = found.baseline, found.abated
    now = newest(found)
    return [
        {
            "year": int(year),
            "baseline": _bands(baseline[k]),
            "planned": _bands(baseline[k] - abated[k]),
            "abated": {**_bands(abated[k]), "mean": float(abated[k].mean())},
            "share_of_claim": {**_bands(abated[k] / claim), "mean": float(abated[k].mean()) / claim},
            "fall": _bands(now - (baseline[k] - abated[k])),
        }
        for k, year in enumerate(found.years)
    ]


def newest(found: Coalition) -> float:
    """tCO2e: the sum of the clusters' newest figures."""
    return sum(member.side.value for member in found.members)


def _bands(values: Float) -> dict[str, float]:
    even = np.full(len(values), 1 / len(values))
    told = weighted_quantiles(values, even, np.asarray(LEVELS)).tolist()
    return {f"q{level}": value for level, value in zip(LEVELS, told, strict=True)}


def passes(found: Coalition, claim: float) -> list[dict[str, Any]]:
    """By share of a claim: the chance, by year, that the plans alone abate as much a year, and that emissions
    are as much below the newest figures.

    Args:
        claim: tCO2e a year.
    """
    abated = found.abated
    fall = newest(found) - (found.baseline - abated)
    return [
        {
            "share": share,
            "tonnes": share * claim,
            "by_year": [
                {
                    "year": int(year),
                    "plans": float((abated[k] >= share * claim).mean()),
                    "fall": float((fall[k] >= share * claim).mean()),
                }
                for k, year in enumerate(found.years)
            ],
        }
        for share in SHARES
    ]


def measures_of(found: Coalition, year: int) -> list[dict[str, Any]]:
    """Every lever and project of every cluster: mean tonnes off the path in ``year``, and what befalls it."""
    at = int(np.searchsorted(found.years, year))
    rows = []
    for member in found.members:
        plans = {plan.name: plan for plan in member.side.scenario.plans}
        for k, measure in enumerate(member.applied.measures):
            plan, direct = plans[measure.name], member.applied.direct(k)[at]
            elsewhere = member.applied.elsewhere(k)
            even = np.full(len(direct), 1 / len(direct))
            rows.append(
                {
                    "cluster_id": member.side.cluster_id,
                    "name": plan.name,
                    "project_id": plan.project_id or None,
                    "kind": plan.kind,
                    "planned_start": plan.start + plan.delay_years,
                    "store": plan.store or None,
                    "direct": {**_bands(direct), "mean": float(direct.mean())},
                    "elsewhere": None if elsewhere is None else float(elsewhere[at].mean()),
                    "flags": list(measure.flags),
                    "risk": {"from": plan.risk.sources(), **member.bench.draws[plan.name].as_record(even)}
                    if plan.project_id
                    else None,
                }
            )
    return rows


def stores_of(found: Coalition) -> list[dict[str, Any]]:
    """Shared stores by year: mean tonnes that clusters would hand over, and that fit."""
    return [
        {
            "name": name,
            "capacity": found.capacities[name],
            "by_year": [
                {
                    "year": int(year),
                    "asked": float(flow[k].mean()),
                    "stored": float(np.minimum(flow[k], found.capacities[name]).mean()),
                    "chance_full": float((flow[k] >= found.capacities[name]).mean()),
                }
                for k, year in enumerate(found.years)
            ],
        }
        for name, flow in found.stores.items()
    ]
