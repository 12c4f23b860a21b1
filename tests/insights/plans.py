"""Scenarios that are easy to check by hand: a small registry, reference factors and even paths."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from features.reference.tables import load
from insights.assess import Scales
from insights.figures import Future
from insights.goals import Goal, gathered
from insights.resolve import Ground
from insights.scenario import Scenario, scenario_of
from insights.tolls import Factors
from tests.insights.grounds import goal, record

REFERENCE = load()
FACTORS: Factors = {
    str(key): (float(value), float(low), float(high))
    for key, value, low, high in REFERENCE.factors[["key", "value", "low", "high"]].itertuples(index=False)
}
SCALES = Scales(FACTORS, None, "cluster")
PORTHOS = {"project_id": "nl-rotterdam-porthos"}
CCS = {"name": "catch", "kind": "ccus", "capacity": "2 Mt/year", "start": 2028}
SURE = {"certain": True}


def table(**more: Any) -> dict[str, Any]:
    return {"version": 1, "name": "n", "series": "port", **copy.deepcopy(more)}


def scenario(**more: Any) -> Scenario:
    return scenario_of(table(**more), REFERENCE.projects, FACTORS)


def paths(count: int = 400) -> Future:
    """Twenty years of even paths between 8 and 24 Mt that fan out."""
    years = np.arange(2025, 2045)
    spread = np.random.default_rng(3).permutation(np.linspace(-1, 1, count))
    fan = 16 + spread[None, :] * np.linspace(1, 8, len(years))[:, None]
    return Future.plain("own", years, fan * 1e6)


def ground(count: int = 400) -> Ground:
    return Ground("port", "own", {"own": record({2023: 17.0, 2024: 16.5}, "own")}, {"own": paths(count)}, {})


GOAL: Goal = goal("level", 14.0, 2035)
TELLINGS = gathered([GOAL])
