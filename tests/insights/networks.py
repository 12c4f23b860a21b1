"""Random CO2 networks, and what in an allocation breaks a law."""

from __future__ import annotations

import numpy as np

from insights.network import Allocation, Link, Network, Party, emitter

# Tonnes and shares that the solver's own tolerance may pass a limit by.
NEAR = 0.5
SHARE = 1e-6


def random_network(seed: int) -> Network:
    """One to four emitters, some of one site, one or two stores and up to four links; t."""
    dice = np.random.default_rng(seed)
    years = int(dice.integers(1, 4))
    nodes = ["a", "b", "c"][: int(dice.integers(2, 4))]
    links = []
    for k in range(int(dice.integers(1, 5))):
        start, end = dice.choice(nodes, 2, replace=False).tolist()
        loss = float(dice.choice([0.0, 0.0, 0.02]))
        capacity = dice.uniform(0, 3e6, years) * (dice.random(years) < 0.9)
        links.append(Link(f"l{k}", start, end, capacity, float(dice.uniform(0, 20)), loss, -loss))
    used = sorted({node for link in links for node in (link.start, link.end)})
    sites = [dice.uniform(0, 2e6, years) for _ in range(3)]
    sources = []
    for k in range(int(dice.integers(1, 5))):
        site = int(dice.integers(0, 3))
        rate, cost, penalty = dice.uniform(0.3, 1), dice.uniform(20, 100), dice.uniform(0, 0.2)
        node = str(dice.choice(used))
        sources.append(
            emitter(
                f"e{k}", f"c{k % 2}", node, sites[site],
                rate=float(rate), cost=float(cost), penalty=float(penalty), site=f"site{site}",
            )
        )  # fmt: skip
    sinks = tuple(
        Party(
            f"s{k}",
            "",
            str(dice.choice(used)),
            dice.uniform(0, 4e6, years),
            float(dice.choice([np.inf, 3e6])),
        )
        for k in range(int(dice.integers(1, 3)))
    )
    return Network("co2", 2026 + np.arange(years), tuple(sources), sinks, tuple(links))


def faults_of(told: Allocation) -> list[str]:
    """What passes emissions, a capacity or a store, or does not balance; worked out by plain loops."""
    network = told.network
    found = [fault for t in range(len(network.years)) for fault in (*_of_sites(told, t), *_of_nodes(told, t))]
    for sink, taken in zip(network.sinks, told.taken[:, :, 0].sum(axis=1).tolist(), strict=True):
        if taken > sink.total + NEAR:
            found.append(f"{sink.name} holds {taken} of {sink.total}")
    return found


def _of_sites(told: Allocation, t: int) -> list[str]:
    network = told.network
    captured: dict[str, float] = {}
    for source, given in zip(network.sources, told.given[:, t, 0].tolist(), strict=True):
        captured[source.site] = captured.get(source.site, 0.0) + given
    emitted = {s.site: float(s.emissions[t]) for s in network.sources if s.emissions is not None}
    sites = [
        f"{site} captures {tonnes} of {emitted[site]}"
        for site, tonnes in captured.items()
        if site in emitted and tonnes > emitted[site] + NEAR
    ]
    abated, most = float(told.abated[t, 0]), sum(emitted.values())
    return [*sites, *([f"{abated} abated of {most}"] if emitted and abated > most + NEAR else [])]


def _of_nodes(told: Allocation, t: int) -> list[str]:
    network, found = told.network, []
    held = dict.fromkeys(network.nodes, 0.0)
    for source, given in zip(network.sources, told.given[:, t, 0].tolist(), strict=True):
        held[source.node] += given
    for sink, taken in zip(network.sinks, told.taken[:, t, 0].tolist(), strict=True):
        held[sink.node] -= taken
        if taken > sink.limit[t] + NEAR:
            found.append(f"{sink.name} takes {taken} of {sink.limit[t]}")
    for link, flow in zip(network.links, told.flows[:, t, 0].tolist(), strict=True):
        held[link.start] -= flow
        held[link.end] += flow * (1 - link.loss)
        if flow > link.capacity[t] * (1 + SHARE) + NEAR:
            found.append(f"{link.name} carries {flow} of {link.capacity[t]}")
    return [*found, *(f"{node} is off by {rest}" for node, rest in held.items() if abs(rest) > NEAR)]
