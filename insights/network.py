"""Shared networks of CO2 or hydrogen: several parties, one capacity, allocated by linear programme.

A network carries one commodity from sources to sinks over links. Of CO2 the sources are emitters that capture
and the sinks are stores; of hydrogen the sources are plants and the sinks users who burn it instead of
something else. What is abated is counted once, where it happens, and never beyond what a site emits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
SHARE_LEFT: Final = 1e-6


@dataclass(frozen=True)
class Party:
    """Who puts something into the network (a source) or takes it out (a sink).

    Attributes:
        name: unique among the parties of a network.
        cluster: whose it is.
        node: where it joins.
        limit: (H,) or (H, P) units a year at most.
        total: units over all years at most; infinite without a limit.
        abates: tCO2e abated a unit: what the site no longer emits; below zero where it adds emissions.
        cost: EUR a unit.
        site: what emits; parties of one site share its emissions, so that nothing is abated twice.
        emissions: (H,) or (H, P) tCO2e a year of the site; None where nothing is abated there.
    """

    name: str
    cluster: str
    node: str
    limit: Float
    total: float = np.inf
    abates: float = 0.0
    cost: float = 0.0
    site: str = ""
    emissions: Float | None = None


def emitter(
    name: str,
    cluster: str,
    node: str,
    emissions: Float,
    *,
    rate: float,
    cost: float = 0.0,
    penalty: float = 0.0,
    site: str = "",
) -> Party:
    """An emitter that captures: a source of CO2.

    Args:
        emissions: (H,) or (H, P) tCO2e a year.
        rate: share of them that can be captured, 0 to 1.
        cost: EUR a tonne captured.
        penalty: share of what is captured that the capture itself emits: avoided = captured - penalty
            (DOMAIN C14).
        site: shared with other parties; the emitter's own name without it.

    Raises:
        AskError: ``network-implausible``: a share outside 0 to 1.
    """
    for what, share in (("rate", rate), ("penalty", penalty)):
        if not 0 <= share <= 1:
            raise refused(f"{name}.{what}", f"{share:g}", "a share from 0 to 1")
    return Party(
        name, cluster, node, rate * emissions, np.inf, 1.0 - penalty, cost, site or name, emissions
    )  # fmt: skip


@dataclass(frozen=True)
class Link:
    """A way from one node to another: a pipe, a ship, a cavern's shaft.

    Attributes:
        capacity: (H,) units a year at most, at its start.
        cost: EUR a unit.
        loss: share of what enters that does not arrive, 0 to below 1.
        abates: tCO2e a unit that enters: minus the loss for CO2, which is emitted again.
    """

    name: str
    start: str
    end: str
    capacity: Float
    cost: float = 0.0
    loss: float = 0.0
    abates: float = 0.0


@dataclass(frozen=True)
class Network:
    """One shared network, built = checked.

    Attributes:
        commodity: "co2" or "hydrogen".
        years: (H,) consecutive years.
        sources, sinks: parties; links: ways between their nodes.

    Raises:
        AskError: ``network-implausible``: a name twice, a limit below zero or of another length, a node no
            link leads to.
    """

    commodity: str
    years: Int
    sources: tuple[Party, ...]
    sinks: tuple[Party, ...]
    links: tuple[Link, ...] = field(default=())

    def __post_init__(self) -> None:
        _named_once([*self.parties, *self.links])
        for party in self.parties:
            self._check_limit(f"{party.name}.limit", party.limit)
            if party.emissions is not None:
                self._check_limit(f"{party.name}.emissions", party.emissions)
        for link in self.links:
            self._check_limit(f"{link.name}.capacity", link.capacity)
            if not 0 <= link.loss < 1:
                raise refused(f"{link.name}.loss", f"{link.loss:g}", "a share from 0 to below 1")
            if link.start == link.end:
                raise refused(f"{link.name}.end", link.end, "another node than its start")
        ends = {link.start for link in self.links} | {link.end for link in self.links}
        both = {p.node for p in self.sources} & {p.node for p in self.sinks}
        for party in self.parties:
            if party.node not in ends | both:
                raise refused(f"{party.name}.node", party.node, "a node that a link joins to others")

    @property
    def parties(self) -> tuple[Party, ...]:
        """Sources, then sinks."""
        return (*self.sources, *self.sinks)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node, by name."""
        links = {node for link in self.links for node in (link.start, link.end)}
        return tuple(sorted(links | {party.node for party in self.parties}))

    @property
    def draws(self) -> int:
        """How many sample paths the limits and emissions have; 1 where they have none."""
        held = [a for p in self.parties for a in (p.limit, p.emissions) if a is not None and a.ndim == 2]
        counts = {int(a.shape[1]) for a in held}
        if len(counts) > 1:
            raise refused("limit", f"{sorted(counts)} paths", "as many paths for every party")
        return counts.pop() if counts else 1

    def _check_limit(self, place: str, values: Float) -> None:
        if len(values) != len(self.years):
            raise refused(place, f"{len(values)} years", f"{len(self.years)} years")
        if not np.isfinite(values).all() or (values < 0).any():
            worst = float(values[~np.isfinite(values) | (values < 0)].ravel()[0])
            raise refused(place, f"{worst:g}", "finite and not below 0")


def _named_once(things: Sequence[Party | Link]) -> None:
    seen: set[str] = set()
    for thing in things:
        if thing.name in seen:
            raise refused("name", repr(thing.name), "a name for each source, sink and link, used once")
        seen.add(thing.name)


def refused(place: str, found: str, expected: str) -> AskError:
    """A part of a network that cannot be."""
    return AskError(
        "network-implausible",
        found=f"{place}: {found}",
        expected=expected,
        remedy=f"mend {place}",
        facts={"field": place},
    )


@dataclass(frozen=True)
class Allocation:
    """What everybody moves; the last axis is the sample path.

    Attributes:
        given, taken: (S, H, P) and (K, H, P) units a year of each source and sink.
        flows: (L, H, P) units a year that enter each link.
        abated: (H, P) tCO2e a year; by_source, by_sink, by_link: the same by who does it.
        cost: (H, P) EUR a year.
        reached: (P,) whether the abatement asked for was reached: all true where none was asked.
        out_of_time: the solver stopped at its limit; paths that were not done are left out of P.
    """

    network: Network
    given: Float
    taken: Float
    flows: Float
    reached: npt.NDArray[np.bool_]
    out_of_time: bool = False

    @property
    def by_source(self) -> Float:
        """(S, H, P) tCO2e abated where something is put in."""
        return self.given * _column(self.network.sources)

    @property
    def by_sink(self) -> Float:
        """(K, H, P) tCO2e abated where something is taken out."""
        return self.taken * _column(self.network.sinks)

    @property
    def abated(self) -> Float:
        """(H, P) tCO2e."""
        leaks = np.array([link.abates for link in self.network.links])[:, None, None] * self.flows
        return np.asarray(self.by_source.sum(axis=0) + self.by_sink.sum(axis=0) + leaks.sum(axis=0))

    @property
    def cost(self) -> Float:
        """(H, P) EUR, not discounted."""
        own = self.network
        pairs = ((own.sources, self.given), (own.sinks, self.taken), (own.links, self.flows))
        return np.asarray(sum(np.tensordot(costs_of(things), moved, axes=1) for things, moved in pairs))

    def utilisation(self) -> Float:
        """(L, H, P) flow over capacity; NaN where there is no capacity."""
        capacity = np.array([link.capacity for link in self.network.links])
        if capacity.size == 0:
            return self.flows
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(capacity[:, :, None] > 0, self.flows / capacity[:, :, None], np.nan)

    def full(self) -> dict[str, list[int]]:
        """Links that run full in more than half of the paths, with the years: what binds."""
        share = np.nan_to_num(self.utilisation()) >= 1 - SHARE_LEFT
        often = share.mean(axis=2) > 0.5 if share.size else np.zeros((0, len(self.network.years)))
        told = zip(self.network.links, often, strict=True)
        return {link.name: self.network.years[row].tolist() for link, row in told if row.any()}


def costs_of(things: Sequence[Party] | Sequence[Link]) -> Float:
    """(n,) EUR a unit of each."""
    return np.array([thing.cost for thing in things], dtype=np.float64)


def _column(parties: Sequence[Party]) -> Float:
    return np.array([party.abates for party in parties])[:, None, None]
