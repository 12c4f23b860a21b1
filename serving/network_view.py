"""A shared network as a caller told it: who captures, who carries, who stores, and who pays what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError, DataError
from features.series.words import UNIT
from insights.allocate import Wish, allocate
from insights.chance import LEVELS
from insights.cost_split import Scale, Split, by_peak, by_volume, shapley
from insights.network import Allocation, Link, Network, Party, emitter, refused
from serving.ground import ground_of
from serving.plan_ask import NetworkAsk, ScaleAsk, SinkAsk, SourceAsk, yearly
from serving.shelf import Standing
from serving.views import told_of
from serving.wire import number_or_null

Float = npt.NDArray[np.float64]
SECONDS: Final = 8.0
# Units below which there is nothing to share out.
NOTHING: Final = 1e-3


def network_view(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    """The best allocation of a network, on joint sample paths where emitters are series of the pack.

    Raises:
        AskError: ``network-implausible``, ``years-unlike``, ``emissions-counted-twice``,
            ``year-not-forecast``, or no such series.
        DataError: the series has no forecast, or numbers too far apart to be told from one another.
    """
    ask = NetworkAsk.model_validate(dict(question))
    network = network_of(ask, standing)
    wish = Wish(
        ask.objective,
        None if ask.asked is None else yearly(ask.asked, ask.years, "asked"),
        None if ask.price is None else yearly(ask.price, ask.years, "price"),
        SECONDS,
    )
    told = allocate(network, wish)
    if told.given.shape[-1] == 0:
        raise out_of_time(SECONDS)
    return {**printed(told, ask), **told_of(standing)}


def out_of_time(seconds: float) -> DataError:
    """A question that is too large for the time an answer may take."""
    return DataError(
        "out-of-time",
        found=f"no answer within {seconds:g} seconds",
        expected="a smaller question",
        remedy="ask for fewer parties, routes, paths or years at once",
    )


def network_of(ask: NetworkAsk, standing: Standing) -> Network:
    """The network a question tells of."""
    years = ask.start_year + np.arange(ask.years)
    _counted_once(ask)
    drawn = {s.series: _paths_of(s.series, years, ask.paths, standing) for s in ask.sources if s.series}
    sources = tuple(_source(each, ask, drawn) for each in ask.sources)
    leaks = ask.commodity == "co2"
    links = tuple(
        Link(
            each.name, each.start, each.end, yearly(each.capacity, ask.years, f"{each.name}.capacity"),
            each.cost, each.loss, -each.loss if leaks else 0.0,
        )
        for each in ask.links
    )  # fmt: skip
    return Network(ask.commodity, years, sources, tuple(_sink(each, ask) for each in ask.sinks), links)


def _counted_once(ask: NetworkAsk) -> None:
    """Refuse a series beside its own part, or more than the whole of one."""
    named = sorted({each.series for each in ask.sources if each.series})
    for name in named:
        shares = sum(each.share for each in ask.sources if each.series == name)
        whole = next(
            (o for o in named if name.startswith(f"{o}/") or (o == "initiative" and o != name)), None
        )
        if whole is not None or shares > 1 + 1e-9:
            raise AskError(
                "emissions-counted-twice",
                found=f"{name} beside {whole}, which it is part of" if whole else f"{shares:g} times {name}",
                expected="each emission in one source",
                remedy="name a cluster or its sectors, with shares that add up to 1 at most",
                facts={"field": "sources"},
            )


def _paths_of(name: str, years: npt.NDArray[np.int64], count: int, standing: Standing) -> Float:
    """(H, count) tCO2e of joint paths, every so many; the same ones for every series."""
    ground = ground_of(name, standing)
    future = ground.futures[ground.own]
    places = {int(year): k for k, year in enumerate(future.years)}
    missing = [int(year) for year in years if int(year) not in places]
    if missing:
        raise AskError(
            "year-not-forecast",
            found=f"{name}: year {missing[0]}",
            expected=f"years from {int(future.years[0])} to {future.horizon}",
            remedy="ask for years within the forecast, or send emissions of your own",
            facts={"field": "start_year"},
        )
    every = np.linspace(0, future.paths.shape[1] - 1, min(count, future.paths.shape[1])).astype(int)
    rows = np.array([places[int(year)] for year in years])
    return np.asarray(np.maximum(future.paths[rows][:, every], 0.0))


def _source(each: SourceAsk, ask: NetworkAsk, drawn: Mapping[str, Float]) -> Party:
    if ask.commodity == "hydrogen":
        if each.limit is None:
            raise refused(f"{each.name}.limit", "nothing", "units of hydrogen a year at most")
        limit = yearly(each.limit, ask.years, f"{each.name}.limit")
        return Party(each.name, each.cluster, each.node, limit, abates=-each.intensity, cost=each.cost)
    if (each.emissions is None) == (not each.series):
        raise refused(f"{each.name}.emissions", "both or neither of emissions and series", "one of them")
    if each.emissions is not None:
        emissions = yearly(each.emissions, ask.years, f"{each.name}.emissions")
        site = each.site
    else:
        emissions, site = each.share * drawn[each.series], each.name
    made = emitter(
        each.name, each.cluster, each.node, emissions,
        rate=each.rate, cost=each.cost, penalty=each.penalty, site=site,
    )  # fmt: skip
    if each.limit is None:
        return made
    most = yearly(each.limit, ask.years, f"{each.name}.limit")
    capped = np.minimum(made.limit, most if made.limit.ndim == 1 else most[:, None])
    return Party(
        made.name, made.cluster, made.node, capped, made.total, made.abates, made.cost, made.site, emissions
    )  # fmt: skip


def _sink(each: SinkAsk, ask: NetworkAsk) -> Party:
    emissions = (
        None if each.emissions is None else yearly(each.emissions, ask.years, f"{each.name}.emissions")
    )
    if each.saved > 0 and emissions is None:
        raise refused(f"{each.name}.emissions", "nothing", "what the site emits, of which saved is a part")
    if ask.commodity == "co2" and each.saved > 0:
        raise refused(f"{each.name}.saved", f"{each.saved:g}", "0 for a store: emitters abate")
    return Party(
        each.name,
        each.cluster,
        each.node,
        yearly(each.limit, ask.years, f"{each.name}.limit"),
        np.inf if each.total is None else each.total,
        each.saved,
        each.cost,
        each.site or each.name,
        emissions,
    )


def printed(told: Allocation, ask: NetworkAsk) -> dict[str, Any]:
    """An allocation, JSON-ready: means over the paths, and quantiles of the whole."""
    network = told.network
    bands = np.quantile(told.abated, LEVELS, axis=1)
    use = told.utilisation()
    full = told.full()
    return {
        "commodity": network.commodity,
        "unit": UNIT,
        "objective": ask.objective,
        "status": "out-of-time" if told.out_of_time else "allocated",
        "reached": float(told.reached.mean()),
        "paths": int(told.given.shape[-1]),
        "years": [
            {
                "year": int(year),
                "abated": {"mean": float(told.abated[t].mean()), **_band(bands[:, t])},
                "cost": float(told.cost[t].mean()),
            }
            for t, year in enumerate(network.years)
        ],
        "sources": _parties(network.sources, told.given, told.by_source),
        "sinks": _parties(network.sinks, told.taken, told.by_sink),
        "links": [
            {
                "name": link.name,
                "capacity": link.capacity.tolist(),
                "flow": told.flows[k].mean(axis=1).tolist(),
                "utilisation": [number_or_null(each) for each in use[k].mean(axis=1)],
                "full_years": full.get(link.name, []),
            }
            for k, link in enumerate(network.links)
        ],
        "clusters": _by_cluster(told),
        "split": None if ask.split is None else _splits(told, ask.split),
    }


def _band(values: Float) -> dict[str, float]:
    return {f"q{level:g}": float(value) for level, value in zip(LEVELS, values, strict=True)}


def _parties(parties: tuple[Party, ...], moved: Float, abated: Float) -> list[dict[str, Any]]:
    return [
        {
            "name": party.name,
            "cluster": party.cluster,
            "node": party.node,
            "moved": moved[k].mean(axis=1).tolist(),
            "abated": abated[k].mean(axis=1).tolist(),
            "in_all": float(moved[k].sum(axis=0).mean()),
            "total": number_or_null(party.total),
        }
        for k, party in enumerate(parties)
    ]


def _by_cluster(told: Allocation) -> dict[str, list[float]]:
    """tCO2e a year by the cluster whose site abates; what links leak is in the whole alone."""
    rows: dict[str, Float] = {}
    for parties, abated in ((told.network.sources, told.by_source), (told.network.sinks, told.by_sink)):
        for k, party in enumerate(parties):
            if party.cluster:
                rows[party.cluster] = rows.get(party.cluster, 0.0) + abated[k].mean(axis=1)
    return {name: np.asarray(row).tolist() for name, row in sorted(rows.items())}


def _splits(told: Allocation, scale: ScaleAsk) -> dict[str, Any]:
    """What each cluster (each source where it names none) pays of a network of such a scale, three ways."""
    volumes: dict[str, Float] = {}
    for k, party in enumerate(told.network.sources):
        key = party.cluster or party.name
        volumes[key] = volumes.get(key, 0.0) + told.given[k].mean(axis=1)
    names, rows = list(volumes), np.array(list(volumes.values()))
    mean = rows.mean(axis=1)
    cost = Scale(scale.cost, scale.volume, scale.exponent)
    fair = shapley(cost.of_coalition(mean), len(names))
    if mean.sum() < NOTHING:
        return {"members": [], "total": 0.0, "saved": 0.0, "method": fair.method}
    return {
        "total": fair.total,
        "saved": fair.saved,
        "method": fair.method,
        "members": members(names, fair, by_volume(fair.total, rows), by_peak(fair.total, rows)),
    }


def members(names: list[str], fair: Split, volume: Split, peak: Split) -> list[dict[str, Any]]:
    """What each member pays, EUR a year."""
    return [
        {
            "name": name,
            "alone": float(fair.alone[k]),
            "shapley": float(fair.shares[k]),
            "shapley_error": float(fair.errors[k]),
            "volume": float(volume.shares[k]),
            "peak": float(peak.shares[k]),
        }
        for k, name in enumerate(names)
    ]
