"""Corridors: who supplies whom, against enumeration in whole units and against doing nothing."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from features.errors import AskError
from insights.corridors import Map, Place, Route, trade

YEARS = np.array([2030, 2031])


def place(
    name: str, supply: float, demand: float, cost: float, short: float = 100.0, rest: float = 0.0
) -> Place:
    return Place(name, *(np.full(2, float(v)) for v in (supply, demand, cost, short, rest)))


def route(start: str, end: str, cost: float, capacity: float = 99.0, loss: float = 0.0) -> Route:
    return Route(start, end, "ship", 1000.0, np.full(2, capacity), cost / 1000, 0.0, loss)


def asked(**more: Any) -> Map:
    places = (place("south", 5, 1, 20), place("north", 0, 3, 0, 80.0), place("east", 1, 4, 50, 70.0))
    routes = (route("south", "north", 10), route("south", "east", 15), route("east", "north", 5, 1.0))
    return replace(Map(YEARS, places, routes), **more)


def brute(of: Map) -> float:
    """Least cost of one year over whole units; exact, for the matrix is totally unimodular."""
    best = np.inf
    most = [int(min(r.capacity[0], 6)) for r in of.routes]
    place_of = {p.name: p for p in of.places}
    for sent in itertools.product(*(range(m + 1) for m in most)):
        out = {
            p.name: sum(s for s, r in zip(sent, of.routes, strict=True) if r.start == p.name)
            for p in of.places
        }
        into = {
            p.name: sum(s for s, r in zip(sent, of.routes, strict=True) if r.end == p.name) for p in of.places
        }
        if any(out[n] > p.supply[0] or into[n] > p.demand[0] for n, p in place_of.items()):
            continue
        cost = sum(s * r.cost for s, r in zip(sent, of.routes, strict=True))
        for name, p in place_of.items():
            left, open_ = p.supply[0] - out[name], p.demand[0] - into[name]
            cost += min(
                (out[name] + own) * p.cost[0] + (open_ - own) * p.short[0] + (left - own) * p.rest[0]
                for own in range(int(min(left, open_)) + 1)
            )
        best = min(best, cost)
    return float(best)


@pytest.mark.parametrize("seed", range(8))
def test_it_is_as_cheap_as_enumeration_finds(seed: int) -> None:
    dice = np.random.default_rng(seed)
    names = ["a", "b", "c"]
    places = tuple(
        place(n, *dice.integers(0, 5, 2).tolist(), *dice.uniform(0, 90, 3).round(2).tolist()) for n in names
    )
    ways = [(one, other) for one in names for other in names if one != other]
    routes = tuple(route(*w, float(dice.uniform(1, 40)), float(dice.integers(0, 4))) for w in ways[:4])
    of = Map(YEARS, places, routes)
    told = trade(of)
    assert told is not None
    assert told.cost == pytest.approx(2 * brute(of), rel=1e-6, abs=1e-6)
    assert told.saved >= 0


def test_who_supplies_whom_and_what_it_saves() -> None:
    told = trade(asked())
    assert told is not None
    # South keeps one, sends three north (saves 50 each) and one east (35); east's own unit stays there.
    assert told.own[:, 0].tolist() == pytest.approx([1, 0, 1])
    assert told.sent[:, 0].tolist() == pytest.approx([3, 1, 0])
    assert told.short[:, 0].tolist() == pytest.approx([0, 0, 2])
    assert told.saved == pytest.approx(2 * (3 * 50 + 35))


def test_without_routes_nothing_is_saved() -> None:
    told = trade(asked(routes=()))
    assert told is not None
    assert told.saved == 0
    assert told.arrived.shape[0] == 0


def test_what_is_lost_does_not_arrive_and_lost_co2_is_paid_for() -> None:
    places = (place("works", 10, 0, 0, 0.0, 90.0), place("store", 0, 99, 0, 0.0))
    told = trade(Map(YEARS, places, (route("works", "store", 30, loss=0.1),)))
    assert told is not None
    assert told.arrived[0].tolist() == pytest.approx([9, 9])
    assert told.cost == pytest.approx(2 * 10 * (30 + 9))
    assert told.alone == pytest.approx(2 * 10 * 90)


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (lambda: asked(places=(place("a", 1, 1, 1), place("a", 1, 1, 1)), routes=()), "places"),
        (lambda: asked(routes=(route("south", "mars", 1),)), "routes[0].end"),
        (lambda: asked(routes=(route("south", "south", 1),)), "routes[0].end"),
        (lambda: asked(routes=(route("south", "north", 1, loss=1.0),)), "routes[0].loss"),
        (lambda: asked(routes=(route("south", "north", -1),)), "routes[0]"),
        (lambda: asked(years=np.array([2030])), "south.supply"),
        (lambda: asked(places=(place("a", -1, 1, 1),), routes=()), "a.supply"),
    ],
)
def test_what_cannot_be_is_refused(made: Any, field: str) -> None:
    with pytest.raises(AskError) as refusal:
        made()
    assert (refusal.value.code, refusal.value.facts) == ("corridor-implausible", {"field": field})
