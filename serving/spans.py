"""Spans of years of served series, their parts and their scope breaks, as arrays that insights read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from features.errors import AskError
from features.series.cadence import YEAR
from features.series.panel import Dense
from features.series.words import DS, INITIATIVE, UNIQUE_ID, Y
from serving.errors import shown
from serving.evidence import no_series
from serving.opened import OpenedPack
from serving.origin import Told
from serving.shelf import Standing

# Years looked back where the caller names no first one.
USUAL_SPAN: Final = 5
EPOCH: Final = 1970


def breaks_of(name: str, pack: OpenedPack, told: Told) -> dict[int, set[str]]:
    """Years in which the scope of a series, or of any sector it sums, changes, with the ids of the breaks."""
    found: dict[int, set[str]] = {}
    for _, year, break_id in _breaks([name, *sectors_of(name, pack, told)], told):
        found.setdefault(year, set()).add(break_id)
    return found


def _breaks(names: Sequence[str], told: Told) -> list[tuple[str, int, str]]:
    """(series, year, break_id) of the declared breaks of the series themselves."""
    if told.figures is None:
        return []
    frame = told.figures.breaks
    mine = frame[frame[UNIQUE_ID].isin(names)]
    return [
        (str(name), pd.Timestamp(ds).year, str(break_id))
        for name, ds, break_id in zip(mine[UNIQUE_ID], mine[DS], mine["break_id"], strict=True)
    ]


def sectors_of(name: str, pack: OpenedPack, told: Told) -> list[str]:
    """The sectors that a cluster or the initiative sums, those that ended included; empty for others."""
    kind = pack.series[name].kind if name in pack.series else None
    clusters = [e.unique_id for e in pack.series.values() if e.kind == "cluster"]
    wanted = clusters if kind == INITIATIVE else [name] if kind == "cluster" else []
    known = {part for cluster in wanted for part in told.inside(cluster)}
    served = {e.unique_id for e in pack.series.values() if e.kind == "sector" and e.cluster_id in wanted}
    return sorted(known | served)


def plants_of(name: str, pack: OpenedPack, told: Told) -> list[str]:
    """The plants of a cluster or a sector that have a series of their own; empty for others."""
    if told.figures is None or name not in pack.series or name == INITIATIVE:
        return []
    entry, traits = pack.series[name], told.figures.traits
    mine = (traits["kind"] == "plant") & (traits["cluster_id"] == entry.cluster_id)
    if entry.kind == "sector":
        mine &= traits["sector"] == entry.sector
    elif entry.kind != "cluster":
        return []
    return sorted(map(str, traits.index[mine]))


def window(names: Sequence[str], first: int, last: int, pack: OpenedPack, told: Told) -> Dense:
    """``names`` from year ``first`` to ``last`` on one calendar, (N, years), NaN where missing.

    Breaks are those of the series themselves, so name the sectors of a sum and not the sum.
    """
    y = np.full((len(names), last - first + 1), np.nan)
    place = {name: row for row, name in enumerate(names)}
    for name, year, value in _figures(names, pack, told):
        if first <= year <= last:
            y[place[name], year - first] = value
    breaks = np.zeros(y.shape, dtype=bool)
    for name, year, _ in _breaks(names, told):
        if first < year <= last:
            breaks[place[name], year - first] = True
    return Dense(
        ids=tuple(names),
        y=y,
        lengths=np.full(len(names), y.shape[1], dtype=np.int64),
        starts=np.full(len(names), first - EPOCH, dtype=np.int64),
        breaks=breaks,
        cadence=YEAR,
        traits=pd.DataFrame(index=range(len(names))),
    )


def _figures(names: Sequence[str], pack: OpenedPack, told: Told) -> list[tuple[str, int, float]]:
    """(series, year, tCO2e): of the history that is served, else of the newest vintages."""
    found = [
        (name, int(day[:4]), float(value))
        for name in names
        for day, value in zip(*pack.history.get(name, ((), ())), strict=True)
    ]
    rest = [name for name in names if name not in pack.history]
    if told.figures is None or not rest:
        return found
    rows = told.figures.of(rest, told.known_by).drop_duplicates([UNIQUE_ID, DS], keep="last")
    years = rows[DS].dt.year.tolist()
    return [*found, *zip(rows[UNIQUE_ID].astype(str), years, rows[Y].tolist(), strict=True)]


def span_of(name: str, standing: Standing, start: int | None, end: int | None) -> tuple[int, int]:
    """The first and the last year of the question; without them the newest year and five before it.

    Raises:
        AskError: no such series, one without figures, years in the wrong order, or years without a figure.
    """
    pack = standing.pack
    if name not in pack.series:
        raise no_series(name, standing)
    days, values = pack.history.get(name, ((), np.array([])))
    years = [int(day[:4]) for day, value in zip(days, values, strict=True) if np.isfinite(value)]
    if len(years) < 2:
        raise AskError(
            "too-few-years", found=f"{shown(name)}: {len(years)} years with a figure", expected="two or more",
            remedy="send a table of your own, or wait for the next figure",
        )  # fmt: skip
    last = years[-1] if end is None else end
    first = max(years[0], last - USUAL_SPAN) if start is None else start
    for year in (first, last):
        if year not in years:
            raise AskError(
                "year-without-figure",
                found=f"{shown(name)} in {year}",
                expected=f"a year with a figure, from {years[0]} to {years[-1]}",
                remedy="name years of GET /v1/history/{unique_id}",
                facts={"first": years[0], "last": years[-1]},
            )
    if first >= last:
        raise AskError(
            "span-empty", found=f"from {first} to {last}", expected="a first year before the last",
            remedy="name start_year below end_year",
        )  # fmt: skip
    return first, last
