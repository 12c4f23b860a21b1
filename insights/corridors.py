"""Corridors of hydrogen or CO2 between clusters: who supplies whom, year by year, and what that saves.

A transport problem (Hitchcock 1941) over years, solved as one linear programme (HiGHS). Every place has a
supply and a demand. What is demanded and not brought is bought elsewhere at the price of the shortage (for
hydrogen, of the fuel that is burnt instead); what is supplied and not placed costs the price of the rest (for
CO2, of emitting it).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from features.errors import AskError
from insights.linear import BEST, least

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Place:
    """A cluster at one end of corridors.

    Attributes:
        supply, demand: (H,) units a year.
        cost: (H,) EUR a unit supplied.
        short: (H,) EUR a unit demanded that is not brought.
        rest: (H,) EUR a unit supplied that is not placed.
    """

    name: str
    supply: Float
    demand: Float
    cost: Float
    short: Float
    rest: Float


@dataclass(frozen=True)
class Route:
    """A way from one place to another.

    Attributes:
        mode: "pipe", "ship", "road", "rail": told, not reckoned with.
        distance: km.
        capacity: (H,) units a year that can be sent off.
        per_km, fixed: EUR a unit and km, and EUR a unit whatever the way.
        loss: share that does not arrive, 0 to below 1.
    """

    start: str
    end: str
    mode: str
    distance: float
    capacity: Float
    per_km: float
    fixed: float
    loss: float

    @property
    def cost(self) -> float:
        """EUR a unit sent off."""
        return self.fixed + self.per_km * self.distance


@dataclass(frozen=True)
class Map:
    """Places and routes, built = checked.

    Raises:
        AskError: ``corridor-implausible``: a name twice or unknown, an amount below 0, a loss of all.
    """

    years: Int
    places: tuple[Place, ...]
    routes: tuple[Route, ...]

    def __post_init__(self) -> None:
        names = [place.name for place in self.places]
        for name in names:
            if names.count(name) > 1:
                raise _refused("places", f"{name!r} twice", "a name for each place, used once")
        for place in self.places:
            for what in ("supply", "demand", "cost", "short", "rest"):
                self._check(f"{place.name}.{what}", getattr(place, what))
        for k, route in enumerate(self.routes):
            self._check(f"routes[{k}].capacity", route.capacity)
            self._check_route(f"routes[{k}]", route, names)

    def _check_route(self, place: str, route: Route, names: list[str]) -> None:
        for what, name in (("start", route.start), ("end", route.end)):
            if name not in names:
                raise _refused(f"{place}.{what}", repr(name), "the name of a place")
        if route.start == route.end:
            raise _refused(f"{place}.end", repr(route.end), "another place than its start")
        if not 0 <= route.loss < 1:
            raise _refused(f"{place}.loss", f"{route.loss:g}", "a share from 0 to below 1")
        if min(route.distance, route.per_km, route.fixed) < 0:
            raise _refused(place, "a distance or cost below 0", "not below 0")

    def _check(self, what: str, values: Float) -> None:
        if len(values) != len(self.years):
            raise _refused(what, f"{len(values)} years", f"{len(self.years)} years")
        if not np.isfinite(values).all() or (values < 0).any():
            raise _refused(what, f"{values.tolist()}"[:60], "finite and not below 0")


def _refused(place: str, found: str, expected: str) -> AskError:
    return AskError(
        "corridor-implausible",
        found=f"{place}: {found}",
        expected=expected,
        remedy=f"mend {place}",
        facts={"field": place},
    )


@dataclass(frozen=True)
class Trade:
    """Who supplies whom.

    Attributes:
        sent: (R, H) units that leave on each route.
        own: (N, H) units of its own supply that each place uses.
        short: (N, H) demanded and not brought; rest: (N, H) supplied and not placed.
        cost: EUR over all years, not discounted; alone: the same without any route; saved: the difference.
    """

    map: Map
    sent: Float
    own: Float
    short: Float
    rest: Float
    cost: float
    alone: float

    @property
    def saved(self) -> float:
        """EUR that the corridors save over all years; never below 0, for nobody need use them."""
        return max(self.alone - self.cost, 0.0)

    @property
    def arrived(self) -> Float:
        """(R, H) units that arrive."""
        keeps = np.array([1.0 - route.loss for route in self.map.routes])
        return np.asarray(self.sent * keeps.reshape(-1, 1))


def trade(asked: Map, seconds: float = 30.0) -> Trade | None:
    """The cheapest way to serve everybody; None where the solver ran out of time."""
    found = _solved(asked, seconds)
    alone = _solved(replace(asked, routes=()), seconds)
    if found is None or alone is None:
        return None
    count, years = len(asked.places), len(asked.years)
    ends = np.cumsum([len(asked.routes), count, count]) * years
    parts = [part.reshape(-1, years) for part in np.split(found[0], ends)]
    return Trade(asked, parts[0], parts[1], parts[2], parts[3], found[1], alone[1])


def _solved(asked: Map, seconds: float) -> tuple[Float, float] | None:
    """(R + 3 N) x H columns: sent, own use, short, rest; and their cost, EUR."""
    years, count = len(asked.years), len(asked.places)
    place = {each.name: k for k, each in enumerate(asked.places)}
    out, into = np.zeros((count, len(asked.routes))), np.zeros((count, len(asked.routes)))
    for k, route in enumerate(asked.routes):
        out[place[route.start], k] = 1.0
        into[place[route.end], k] = 1.0 - route.loss
    one, none = np.eye(count), np.zeros((count, count))
    # Supplied: used at home, sent off, or left over. Demanded: used at home, brought, or short.
    rows = np.vstack([np.hstack([out, one, none, one]), np.hstack([into, one, one, none])])
    supply, demand = (np.array([getattr(p, n) for p in asked.places]) for n in ("supply", "demand"))
    scale = max(1.0, float(supply.max(initial=0.0)), float(demand.max(initial=0.0)))
    cost, most = _costs(asked), np.full((len(asked.routes) + 3 * count, years), np.inf)
    for k, route in enumerate(asked.routes):
        most[k] = route.capacity / scale
    equal = (
        sparse.csr_array(sparse.kron(rows, sparse.eye_array(years))),
        np.concatenate([supply.ravel(), demand.ravel()]) / scale,
    )
    told = least(cost.ravel(), most.ravel(), equal=equal, seconds=seconds)
    if told.status != BEST:
        return None
    moved = told.x * scale
    return moved, float(cost.ravel() @ moved)


def _costs(asked: Map) -> Float:
    """(R + 3 N, H) EUR a unit: what is lost on a CO2 route is emitted, at the price of the rest."""
    place = {each.name: each for each in asked.places}
    sent = [place[r.start].cost + r.cost + r.loss * place[r.start].rest for r in asked.routes]
    own = [each.cost for each in asked.places]
    short = [each.short for each in asked.places]
    return np.array([*sent, *own, *short, *(each.rest for each in asked.places)])
