"""From what stands on the shelf to what insights are measured on: figures by scope, and joint paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import AskError, DataError, ForecarbonError
from features.reference.tables import Reference, load
from features.series.bridges import Bridge
from features.series.cadence import CADENCES
from features.series.panel import Dense
from features.series.quality import grade
from features.series.scopes import bridge
from features.series.words import CLUSTER_ID, DS, INITIATIVE, SCOPE, UNIQUE_ID
from insights.figures import Future, Record
from insights.resolve import Ground
from serving.alone import alone_paths
from serving.crossing import later_of, read_in
from serving.evidence import no_series
from serving.layout import PLANT
from serving.opened import OpenedPack
from serving.origin import figures_of
from serving.shelf import Standing

Float = npt.NDArray[np.float64]
YEAR: Final = "year"
_TONNES_PER_MT: Final = 1e6


def ground_of(name: str, standing: Standing, *, alone: bool = False) -> Ground:
    """The ground of a cluster, a sector or the initiative; of a plant where nothing else is asked.

    Args:
        alone: the question is of this series and no other: a plant may be asked, too.

    Raises:
        AskError: no such series, one without paths for the question (``no-paths``), or figures that are
            not yearly.
        DataError: it is known and has no series (``series-absent``).
        ModelError: what the pack keeps of the figures cannot be read.
    """
    pack = standing.pack
    rung = standing.rungs.get(name)
    if rung is None:
        raise no_series(name, standing)
    if pack.cadence != YEAR:
        raise AskError(
            "cadence-not-yearly",
            found=f"figures by {pack.cadence}",
            expected="yearly figures, which targets are made of",
            remedy="serve a champion of a yearly plan",
        )
    paths = alone_paths(rung) if alone and rung.entry.kind == PLANT else rung.paths
    if paths is None:
        what = "a single plant" if rung.entry.kind == PLANT else f"a series that {rung.made_by} forecasts"
        raise AskError(
            "no-paths",
            found=f"{name}, {what}: bands, and no joint paths",
            expected="a sector, a cluster or the initiative, forecast by paths",
            remedy="ask for its sector or cluster, or read the bands with POST /v1/forecast",
        )
    own = rung.entry.scope_id
    years = np.array([int(day[:4]) for day in rung.entry.ds])
    future = Future.plain(own, years, np.asarray(paths, dtype=np.float64))
    record = own_record(name, own, pack)
    published = {r.scope: r for r in published_records(name, load())}
    futures, refusals = read_over(name, future, published, rung.pack)
    return Ground(name, own, {own: record, **published}, {own: future, **futures}, refusals)


def own_record(name: str, scope: str, pack: OpenedPack) -> Record:
    """The series' figures in its newest scope: those of before a declared break are rescaled over it."""
    days, raw = pack.history[name]
    years = np.array([int(day[:4]) for day in days])
    values = np.array(raw, dtype=np.float64)
    told, newest = _bridged(name, pack), 0
    if told is not None:
        bridged, newest = told
        early = years < newest
        values[early] = [bridged.get(int(year), np.nan) for year in years[early]]
    held = np.isfinite(values)
    grades = grade(scope.split(" + ")[0])
    return Record(
        scope=scope,
        years=years[held],
        values=values[held],
        evidence=(grades,) * int(held.sum()),
        bridged_before=newest,
    )


def _bridged(name: str, pack: OpenedPack) -> tuple[dict[int, float], int] | None:
    """Figures by year rescaled over breaks, and the year of the newest break; None without one."""
    figures = figures_of(pack).figures
    parts = _parts(name, pack)
    if figures is None or not parts:
        return None
    mine = figures.breaks[figures.breaks[UNIQUE_ID].isin(parts)]
    if mine.empty:
        return None
    dense = _dense([part for part in parts if part in pack.history], mine, pack)
    over = bridge(dense)
    periods = over.starts[:, None] + np.arange(over.y.shape[1])[None, :]
    years = over.cadence.instant(periods.ravel()).astype("datetime64[Y]").astype(int) + 1970
    flat = over.y.ravel()
    held = np.isfinite(flat)
    total = {int(year): float(flat[held & (years == year)].sum()) for year in np.unique(years[held])}
    return total, int(mine[DS].dt.year.max())


def _parts(name: str, pack: OpenedPack) -> list[str]:
    """The sectors that a series is the sum of; itself for a sector."""
    entry = pack.series[name]
    if entry.kind not in ("cluster", INITIATIVE):
        return [name]
    every = (e for e in pack.series.values() if e.kind == "sector")
    return [e.unique_id for e in every if entry.kind == INITIATIVE or e.cluster_id == name]


def _dense(names: Sequence[str], breaks: pd.DataFrame, pack: OpenedPack) -> Dense:
    cadence = CADENCES[pack.cadence]
    rows = [pack.history[name] for name in names]
    width = max(len(days) for days, _ in rows)
    y, marks = np.full((len(rows), width), np.nan), np.zeros((len(rows), width), dtype=bool)
    starts = np.zeros(len(rows), dtype=np.int64)
    for k, (days, values) in enumerate(rows):
        y[k, : len(values)] = values
        starts[k] = int(cadence.ordinal(np.array([days[0]], dtype="datetime64[ns]"))[0])
        own = set(breaks.loc[breaks[UNIQUE_ID] == names[k], DS].dt.strftime("%Y-%m-%d"))
        marks[k, : len(days)] = [day in own for day in days]
    lengths = np.array([len(days) for days, _ in rows], dtype=np.int64)
    return Dense(tuple(names), y, lengths, starts, marks, cadence, pd.DataFrame(index=range(len(rows))))


def published_records(name: str, reference: Reference) -> list[Record]:
    """Every total that is published for a cluster, one record a scope."""
    table = reference.published_history
    mine = table[table[CLUSTER_ID] == name].sort_values("year")
    return [
        Record(
            scope=str(scope),
            years=rows["year"].to_numpy(dtype=np.int64),
            values=rows["value_mt"].to_numpy(dtype=np.float64) * _TONNES_PER_MT,
            published=True,
            evidence=tuple(map(str, rows["evidence"])),
        )
        for scope, rows in mine.groupby(SCOPE, sort=True)
    ]


def read_over(
    name: str, future: Future, published: Mapping[str, Record], pack: OpenedPack
) -> tuple[dict[str, Future], dict[str, ForecarbonError]]:
    """The paths in every published scope that a bridge leads to, and why not in the others."""
    futures: dict[str, Future] = {}
    refusals: dict[str, ForecarbonError] = {}
    for scope in published:
        told = pack.bridges.get((name, scope))
        if told is None or "code" in told:
            refusals[scope] = _no_bridge(name, scope, told)
            continue
        try:
            futures[scope] = read_in(future, Bridge.of_record(told), later_of(told))
        except ForecarbonError as why:
            refusals[scope] = why
    return futures, refusals


def _no_bridge(name: str, scope: str, told: Mapping[str, Any] | None) -> DataError:
    if told is None:
        return DataError(
            "bridge-missing",
            found=f"{name}: no bridge to {scope}",
            expected="years in which both the series and the published total have figures",
            remedy="ingest newer records, or add published totals of earlier years",
        )
    found, expected, remedy = (str(told[key]) for key in ("found", "expected", "remedy"))
    return DataError(str(told["code"]), found=found, expected=expected, remedy=remedy)
