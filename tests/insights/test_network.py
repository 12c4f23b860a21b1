"""Shared networks: optimal against brute force, never beyond emissions or capacity, nothing counted twice."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from features.errors import AskError
from insights.allocate import Wish, allocate
from insights.network import Link, Network, Party, emitter
from tests.insights.networks import faults_of, random_network

YEARS = np.array([2030])
# Mt; the second cluster shares the trunk and the store with the Humber.
SITES = {
    "humber-a": ("gb-humber", 3, 30.0),
    "humber-b": ("gb-humber", 2, 60.0),
    "teesside": ("teesside", 4, 45.0),
}


def row(*values: float) -> Any:
    return np.array(values, dtype=np.float64)


def shared(trunk: float, store: float, humber: float = 9, **more: Any) -> Network:
    """Humber's pipe and Teesside's lead to a hub, one trunk from there to the store; Mt."""
    sources = tuple(
        emitter(name, cluster, cluster, row(size), rate=1.0, cost=cost)
        for name, (cluster, size, cost) in SITES.items()
    )
    links = (
        Link("humber-pipe", "gb-humber", "hub", row(humber), cost=2.0),
        Link("tees-pipe", "teesside", "hub", row(9), cost=1.0),
        Link("trunk", "hub", "sea", row(trunk), cost=3.0),
    )
    return Network(
        "co2", YEARS, sources, (Party("endurance", "", "sea", row(store), cost=4.0),), links, **more
    )


def brute(network: Network) -> tuple[float, float]:
    """Most abatement and its least cost over whole Mt; whole numbers are enough, for the matrix of a network
    is totally unimodular."""
    best = (0.0, 0.0)
    costs = [site[2] + (2.0 if site[0] == "gb-humber" else 1.0) + 7.0 for site in SITES.values()]
    limits = {link.name: float(link.capacity[0]) for link in network.links}
    for given in itertools.product(*(range(size + 1) for _, size, _ in SITES.values())):
        fits = given[0] + given[1] <= limits["humber-pipe"] and given[2] <= limits["tees-pipe"]
        if fits and sum(given) <= min(limits["trunk"], float(network.sinks[0].limit[0])):
            cost = float(np.dot(given, costs))
            if (-sum(given), cost) < (-best[0], best[1]):
                best = (float(sum(given)), cost)
    return best


@pytest.mark.parametrize("trunk", [0, 2, 5, 7, 20])
@pytest.mark.parametrize(("store", "humber"), [(3, 9), (6, 1), (20, 4)])
def test_the_humber_and_a_second_cluster_share_a_network_as_brute_force_would(
    trunk: int, store: int, humber: int
) -> None:
    network = shared(trunk, store, humber)
    told = allocate(network)
    abated, cost = brute(network)
    assert float(told.abated.sum()) == pytest.approx(abated, abs=1e-6)
    assert float(told.cost.sum()) == pytest.approx(cost, abs=1e-5)
    assert faults_of(told) == []


def test_the_least_cost_of_what_is_asked_and_the_most_where_it_cannot_be_had() -> None:
    wish = Wish("cost", asked=row(5))
    told = allocate(shared(20, 20), wish)
    # The three of humber-a at 39, two of teesside at 53, none at 69.
    assert float(told.cost.sum()) == pytest.approx(3 * 39 + 2 * 53)
    assert told.reached.all()
    short = allocate(shared(4, 20), wish)
    assert not short.reached.any()
    assert float(short.abated.sum()) == pytest.approx(4)


def test_a_carbon_price_buys_what_is_cheaper_than_it() -> None:
    told = allocate(shared(20, 20), Wish("cost", price=row(60)))
    assert told.given[:, 0, 0].tolist() == pytest.approx([3, 0, 4])


def test_links_that_run_full_are_told() -> None:
    told = allocate(shared(5, 20))
    assert told.full() == {"trunk": [2030]}
    assert told.utilisation()[:, 0, 0].tolist() == pytest.approx([3 / 9, 2 / 9, 1])


def test_a_store_is_not_overfilled_over_the_years_and_early_tonnes_come_first() -> None:
    years = np.array([2030, 2031, 2032])
    source = emitter("a", "c", "x", np.full(3, 4.0), rate=0.5)
    store = Party("s", "", "y", np.full(3, 9.0), total=5.0)
    told = allocate(Network("co2", years, (source,), (store,), (Link("l", "x", "y", np.full(3, 9.0)),)))
    assert told.taken[0, :, 0].tolist() == pytest.approx([2, 2, 1])


def test_parties_of_one_site_share_its_emissions() -> None:
    both = [emitter(name, "c", "x", row(4), rate=0.9, site="works") for name in ("one", "other")]
    network = Network("co2", YEARS, tuple(both), (Party("s", "", "x", row(99)),))
    told = allocate(network)
    assert float(told.abated.sum()) == pytest.approx(4)
    assert faults_of(told) == []


def test_what_leaks_and_what_capture_costs_is_not_avoided() -> None:
    source = emitter("a", "c", "x", row(10), rate=0.9, penalty=0.1)
    link = Link("ship", "x", "y", row(99), loss=0.05, abates=-0.05)
    told = allocate(Network("co2", YEARS, (source,), (Party("s", "", "y", row(99)),), (link,)))
    assert float(told.given.sum()) == pytest.approx(9)
    assert float(told.taken.sum()) == pytest.approx(9 * 0.95)
    assert float(told.abated.sum()) == pytest.approx(9 * 0.9 - 9 * 0.05)


def test_hydrogen_abates_where_it_is_burnt_and_only_where_that_cuts() -> None:
    plant = Party("smr", "c", "x", row(10), abates=-0.5)
    users = (
        Party("steel", "c", "x", row(3), abates=2.0, site="steel", emissions=row(4)),
        Party("boiler", "c", "x", row(9), abates=0.2, site="boiler", emissions=row(99)),
    )
    told = allocate(Network("hydrogen", YEARS, (plant,), users))
    # Steel's emissions allow two units; the boiler would add emissions, for the plant emits 0.5 a unit.
    assert told.taken[:, 0, 0].tolist() == pytest.approx([2, 0])
    assert float(told.abated.sum()) == pytest.approx(3)


def test_every_path_is_allocated_for_itself() -> None:
    paths = np.array([[1.0, 4.0, 9.0]])
    network = replace(shared(20, 6), sources=(emitter("a", "gb-humber", "gb-humber", paths, rate=1.0),))
    told = allocate(network)
    assert told.abated[0].tolist() == pytest.approx([1, 4, 6])
    alone = allocate(replace(network, sources=(emitter("a", "gb-humber", "gb-humber", row(4), rate=1.0),)))
    assert alone.abated[0].tolist() == pytest.approx([4])


def test_nothing_random_passes_emissions_or_capacity() -> None:
    """Ten thousand are asked in benchmarks/plan_finder."""
    assert [fault for seed in range(300) for fault in faults_of(allocate(random_network(seed)))] == []


def test_time_that_runs_out_is_told() -> None:
    ticks = itertools.count()
    told = allocate(shared(5, 5), Wish(seconds=1.0), clock=lambda: float(next(ticks)))
    assert told.out_of_time


@pytest.mark.parametrize(
    ("made", "place"),
    [
        (lambda: emitter("a", "c", "x", row(1), rate=1.2), "a.rate"),
        (lambda: shared(-1, 5), "trunk.capacity"),
        (lambda: replace(shared(1, 5), years=np.array([2030, 2031])), "humber-a.limit"),
        (lambda: replace(shared(1, 5), sinks=()), ""),
        (lambda: replace(shared(1, 5), sinks=(Party("trunk", "", "sea", row(1)),)), "name"),
        (lambda: replace(shared(1, 5), sinks=(Party("s", "", "moon", row(1)),)), "s.node"),
        (lambda: replace(shared(1, 5), links=(Link("l", "hub", "hub", row(1)),)), "l.end"),
        (lambda: replace(shared(1, 5), links=(Link("l", "hub", "sea", row(1), loss=1.0),)), "l.loss"),
    ],
)
def test_what_cannot_be_is_refused(made: Any, place: str) -> None:
    if not place:
        assert float(allocate(made()).abated.sum()) == 0
        return
    with pytest.raises(AskError) as refusal:
        made()
    assert refusal.value.code == "network-implausible"
    assert refusal.value.facts == {"field": place}


@pytest.mark.parametrize("wish", [Wish("most"), Wish("cost"), Wish("cost", asked=row(1, 2))])
def test_what_cannot_be_asked_is_refused(wish: Wish) -> None:
    with pytest.raises(AskError, match="network-implausible"):
        allocate(shared(1, 1), wish)
