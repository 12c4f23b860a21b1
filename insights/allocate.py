"""Allocation of a shared network by linear programme (HiGHS).

Variables are what each source gives, each sink takes and each link carries in each year. Constraints: what
enters a node leaves it, no capacity is passed on the way, no store is overfilled, and what a site's parties
abate together is no more than the site emits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from insights.linear import BEST, TIME, Solved, least
from insights.network import Allocation, Link, Network, Party, refused

Float = npt.NDArray[np.float64]
OBJECTIVES: Final = ("abatement", "cost")
# Of equally cheap ways the earliest is taken: what a year's wait costs, as a share of the highest cost.
_EARLIER: Final = 1e-7


@dataclass(frozen=True)
class Wish:
    """What is asked of an allocation.

    Attributes:
        objective: "abatement": as much as can be, of all ways to it the cheapest, and of those the
            earliest; "cost": the cheapest way to ``asked``.
        asked: (H,) tCO2e a year at least, for "cost".
        price: (H,) EUR a tonne that abatement is worth, for "cost"; zeros without it.
        seconds: of all programmes together.
    """

    objective: str = "abatement"
    asked: Float | None = None
    price: Float | None = None
    seconds: float = 60.0


@dataclass(frozen=True)
class _Programme:
    """One network as matrices in scaled units; rows and columns do not depend on the path."""

    balance: sparse.csr_array
    shared: sparse.csr_array
    cost: Float
    abates: sparse.csr_array
    scale: float


def allocate(
    network: Network, wish: Wish | None = None, clock: Callable[[], float] = time.monotonic
) -> Allocation:
    """The best allocation, path by path; of the paths that were done where time runs out.

    Raises:
        AskError: ``network-implausible``: an unknown objective, or a cost without anything asked for.
    """
    wish = wish or Wish()
    _check(network, wish)
    programme, until = _programme(network), clock() + wish.seconds
    size, draws = len(programme.cost), network.draws
    moved, reached = np.zeros((size, draws)), np.zeros(draws, dtype=bool)
    done = draws
    for k in range(draws):
        left = until - clock()
        told = None if left <= 0 else _solved(network, programme, wish, k, left)
        if told is None:
            done = k
            break
        moved[:, k], reached[k] = told
    years, counts = len(network.years), (len(network.sources), len(network.sinks), len(network.links))
    ends = np.cumsum(counts[:2]) * years
    parts = np.split(moved[:, :done] * programme.scale, ends)
    given, taken, flows = (
        part.reshape(count, years, done) for part, count in zip(parts, counts, strict=True)
    )
    return Allocation(network, given, taken, flows, reached[:done], done < draws)


def _check(network: Network, wish: Wish) -> None:
    if wish.objective not in OBJECTIVES:
        raise refused("objective", repr(wish.objective), "one of " + ", ".join(OBJECTIVES))
    if wish.objective == "cost" and wish.asked is None and wish.price is None:
        raise refused("asked", "nothing", "tonnes a year to be reached, or a price of a tonne")
    for name, values in (("asked", wish.asked), ("price", wish.price)):
        if values is not None and len(values) != len(network.years):
            raise refused(name, f"{len(values)} years", f"{len(network.years)} years")


def _programme(network: Network) -> _Programme:
    """The matrices of a network; columns are sources, sinks and links, year by year within each."""
    years = len(network.years)
    node = {name: k for k, name in enumerate(network.nodes)}
    things: list[Party | Link] = [*network.parties, *network.links]
    joins = np.zeros((len(node), len(things)))
    for k, party in enumerate(network.parties):
        joins[node[party.node], k] = 1.0 if k < len(network.sources) else -1.0
    for k, link in enumerate(network.links, start=len(network.parties)):
        joins[node[link.start], k] -= 1.0
        joins[node[link.end], k] += 1.0 - link.loss
    each = sparse.eye_array(years)
    abates = np.array([[thing.abates for thing in things]])
    stores = _rows_of_totals(network, len(things))
    sites = sparse.kron(_rows_of_sites(network, len(things)), each)
    whole = sparse.kron(sparse.coo_array(stores), np.ones((1, years)))
    largest = max([1.0, *(float(np.max(p.limit, initial=0.0)) for p in network.parties)])
    return _Programme(
        balance=sparse.csr_array(sparse.kron(joins, each)),
        shared=sparse.csr_array(sparse.vstack([sites, whole])),
        cost=np.repeat([thing.cost for thing in things], years),
        abates=sparse.csr_array(sparse.kron(abates, each)),
        scale=largest,
    )


def _sites(network: Network) -> list[str]:
    return sorted({party.site for party in network.parties if party.emissions is not None})


def _capped(network: Network) -> list[int]:
    return [k for k, party in enumerate(network.parties) if np.isfinite(party.total)]


def _rows_of_sites(network: Network, width: int) -> Float:
    """A row a site: captured tonnes, not avoided ones, may not pass emissions, so what counts is at least one
    tonne a unit where a source captures."""
    sites = _sites(network)
    rows = np.zeros((len(sites), width))
    for k, party in enumerate(network.parties):
        if party.emissions is not None:
            captures = network.commodity == "co2" and k < len(network.sources)
            rows[sites.index(party.site), k] = 1.0 if captures else max(party.abates, 0.0)
    return rows


def _rows_of_totals(network: Network, width: int) -> Float:
    places = _capped(network)
    rows = np.zeros((len(places), width))
    rows[np.arange(len(places)), places] = 1.0
    return rows


def _of_path(values: Float, k: int) -> Float:
    return values if values.ndim == 1 else values[:, k]


def _emitted(network: Network, site: str, k: int) -> Float:
    """(H,) tCO2e of a site: the largest any of its parties tells, which should be the same."""
    held: list[Party] = [p for p in network.parties if p.site == site and p.emissions is not None]
    return np.asarray(np.max([_of_path(p.emissions, k) for p in held if p.emissions is not None], axis=0))


def _bounds(network: Network, programme: _Programme, k: int) -> tuple[Float, Float]:
    """Upper bounds of the columns, and of the shared rows, on one path; scaled."""
    tops = [_of_path(party.limit, k) for party in network.parties]
    tops += [link.capacity for link in network.links]
    limits = [_emitted(network, site, k) for site in _sites(network)]
    totals = np.array([network.parties[place].total for place in _capped(network)])
    return np.concatenate(tops) / programme.scale, np.concatenate([*limits, totals]) / programme.scale


def _solved(
    network: Network, programme: _Programme, wish: Wish, k: int, seconds: float
) -> tuple[Float, bool] | None:
    """Columns of one path, scaled, and whether what was asked was reached; None when time ran out.

    Where the asked abatement cannot be reached, the most that can be is given instead.
    """
    top, limits = _bounds(network, programme, k)
    each = _Solver(programme, top, limits, seconds)
    if wish.objective == "cost":
        worth = np.zeros(len(network.years)) if wish.price is None else wish.price
        asked = None if wish.asked is None else wish.asked / programme.scale
        told = each.best(programme.cost - programme.abates.T @ worth, asked)
        if told.status == TIME:
            return None
        if told.status == BEST:
            return told.x, True
    most = each.best(-(programme.abates.T @ np.ones(len(network.years))), None)
    if most.status != BEST:
        return None
    cheapest = each.best(programme.cost + _later(network, programme), None, whole=-most.value)
    if cheapest.status == TIME:
        return None
    return (cheapest if cheapest.status == BEST else most).x, wish.objective == "abatement"


def _later(network: Network, programme: _Programme) -> Float:
    """What a unit costs more in a later year: so little that it decides between like ways alone."""
    years = len(network.years)
    step = _EARLIER * max(1.0, float(np.max(programme.cost, initial=0.0)))
    told = np.zeros_like(programme.cost)
    told[: years * len(network.sources)] = np.tile(step * np.arange(years), len(network.sources))
    return told


@dataclass(frozen=True)
class _Solver:
    """The constraints of one path."""

    programme: _Programme
    top: Float
    limits: Float
    seconds: float

    def best(self, cost: Float, asked: Float | None, whole: float | None = None) -> Solved:
        """The least ``cost``; ``asked``: abatement by year at least, ``whole``: in all."""
        rows, ends = [self.programme.shared], [self.limits]
        if asked is not None:
            rows, ends = [*rows, -self.programme.abates], [*ends, -asked]
        if whole is not None:
            total = sparse.csr_array(-self.programme.abates.sum(axis=0)[None, :])
            rows, ends = [*rows, total], [*ends, np.array([-whole])]
        return least(
            cost,
            self.top,
            equal=(self.programme.balance, np.zeros(self.programme.balance.shape[0])),
            below=(sparse.vstack(rows), np.concatenate(ends)),
            seconds=self.seconds,
        )
