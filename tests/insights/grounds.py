"""Small grounds that are easy to check by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.errors import DataError
from insights.figures import Future, Record
from insights.goals import Goal
from insights.resolve import Ground

# DOMAIN, part A: registered CO2 of the port, Mt; the series has another boundary and its own figures.
REGISTERED = {1990: 20.6, 2016: 30.9, 2018: 26.7, 2020: 22.5, 2022: 22.5, 2023: 20.3, 2024: 18.33}
ALL_GHG = {2023: 20.9, 2024: 19.2}
OWN = {year: 20.0 + year - 2010 for year in range(2010, 2023)}


def record(figures: dict[int, float], scope: str, **more: Any) -> Record:
    years = np.array(sorted(figures))
    return Record(scope, years, np.array([figures[y] * 1e6 for y in years.tolist()]), **more)


def future(rows: dict[int, list[float]], scope: str = "own") -> Future:
    """Paths in Mt by year."""
    years = np.array(sorted(rows))
    return Future.plain(scope, years, np.array([rows[y] for y in years.tolist()]) * 1e6)


def goal(kind: str = "percent", value: float = 55.0, year: int = 2030, **more: Any) -> Goal:
    told: dict[str, Any] = {"target_id": "t", "cluster_id": "c", "base_year": None, "base_mt": None}
    return Goal(kind=kind, value=value, target_year=year, **{**told, **more})


def port() -> Ground:
    """Rotterdam as DOMAIN tells it, with a series of another boundary and two published totals."""
    spread = np.linspace(0.5, 1.2, 101)
    own = {year: [22.0 * float(f) for f in spread] for year in range(2023, 2041)}
    ahead = future(own, "eu-ets")
    registered = Future("co2", ahead.years, ahead.paths * 1.1, ahead.weights, ahead.paths, np.full(101, 1.1))
    thin = DataError("bridge-without-overlap", found="f", expected="e", remedy="r")
    return Ground(
        name="port",
        own="eu-ets",
        records={
            "eu-ets": record(OWN, "eu-ets"),
            "co2": record(REGISTERED, "co2", published=True),
            "ghg": record(ALL_GHG, "ghg", published=True),
        },
        futures={"eu-ets": ahead, "co2": registered},
        refusals={"ghg": thin},
    )
