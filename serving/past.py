"""The past of a pack's series, read once a pack: figures on one panel, one-step bands, common shocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import AskError
from features.series.cadence import YEAR
from features.series.panel import Dense, Panel
from features.series.words import DS, UNIQUE_ID, Y
from insights.bands import Bands, one_step_bands
from insights.events import Event, common_shocks, moved_together
from serving.opened import OpenedPack
from serving.origin import Told, figures_of
from serving.spans import EPOCH, breaks_of

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Past:
    """All that is known of the past of a pack's sectors and clusters.

    Attributes:
        dense: served sectors, clusters and the initiative, breaks of scope marked (those of its parts for a
            sum).
        kinds: (B,) of its rows.
        bands: one-step bands of the same rows.
        told: the figures behind them.
    """

    dense: Dense
    kinds: tuple[str, ...]
    bands: Bands
    told: Told

    def years(self, row: int) -> list[int]:
        """Years of the columns of one row, up to its last figure."""
        start = EPOCH + int(self.dense.starts[row])
        return list(range(start, start + int(self.dense.lengths[row])))

    @cached_property
    def shocks(self) -> tuple[Event, ...]:
        """Years in which most countries and states moved one way; most clusters where those are not held.

        The evidence says over which, and how many of the clusters moved that way.
        """
        clusters = self._clusters()
        areas = _areas(self.told)
        over, seen = ("clusters", clusters) if areas is None else ("countries-and-states", areas)
        return tuple(
            Event(
                event.year, event.kind, event.change, event.percent,
                {"over": over, **event.evidence, "clusters": moved_together(*clusters, event.year)},
                event.codes,
            )
            for event in common_shocks(*seen)
        )  # fmt: skip

    def _clusters(self) -> tuple[list[int], Float, Bool]:
        """Years, (C, T) totals and breaks of the clusters on one calendar."""
        rows = [row for row, kind in enumerate(self.kinds) if kind == "cluster"]
        if not rows:
            return [], np.zeros((0, 0)), np.zeros((0, 0), dtype=bool)
        begin = min(self.years(row)[0] for row in rows)
        end = max(self.years(row)[-1] for row in rows)
        totals = np.full((len(rows), end - begin + 1), np.nan)
        breaks = np.zeros(totals.shape, dtype=bool)
        for place, row in enumerate(rows):
            years = self.years(row)
            columns = slice(years[0] - begin, years[-1] - begin + 1)
            totals[place, columns] = self.dense.y[row, : len(years)]
            breaks[place, columns] = self.dense.breaks[row, : len(years)]
        return list(range(begin, end + 1)), totals, breaks


@dataclass(frozen=True)
class _Key:
    """A pack, told apart by its digest alone."""

    digest: str
    pack: OpenedPack = field(compare=False)


def past_of(pack: OpenedPack) -> Past:
    """The past of a pack, read once.

    Raises:
        AskError: the pack is not of years (``cadence-not-annual``).
        ModelError: what the pack keeps of the figures cannot be read.
    """
    if pack.cadence != YEAR.name:
        raise AskError(
            "cadence-not-annual",
            found=f"series of one {pack.cadence}",
            expected="annual series",
            remedy="ask a store whose plan is annual",
        )
    return _past(_Key(pack.digest, pack))


@lru_cache(maxsize=4)
def _past(key: _Key) -> Past:
    pack = key.pack
    told = figures_of(pack)
    rows = [
        (name, day, value)
        for name, (days, values) in pack.history.items()
        if name in pack.series and pack.series[name].kind != "plant"
        for day, value in zip(days, values, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=[UNIQUE_ID, DS, Y]).astype({DS: "datetime64[ns]"})
    dense = Panel.of(frame, YEAR).dense
    kinds = tuple(pack.series[name].kind for name in dense.ids)
    for row, name in enumerate(dense.ids):
        for year in breaks_of(name, pack, told):
            column = year - EPOCH - int(dense.starts[row])
            if 0 < column < int(dense.lengths[row]):
                dense.breaks[row, column] = True
    return Past(dense, kinds, one_step_bands(dense, kinds), told)


def _areas(told: Told) -> tuple[list[int], Float, Bool] | None:
    """Years, (A, T) sums and breaks of the countries and states beside the clusters; None where none is held.

    A sum of a year in which any of its sectors begins a new scope has a break.
    """
    if told.figures is None:
        return None
    traits = told.figures.traits
    names = sorted(map(str, traits.index[traits["kind"] == "context"]))
    if not names:
        return None
    rows = told.figures.of(names, told.known_by).drop_duplicates([UNIQUE_ID, DS], keep="last")
    sums = _table(rows, traits["area"], "sum")
    marks = told.figures.breaks[told.figures.breaks[UNIQUE_ID].isin(names)].assign(**{Y: 1.0})
    breaks = _table(marks, traits["area"], "size").reindex(index=sums.index, columns=sums.columns)
    return [int(year) for year in sums.columns], sums.to_numpy(dtype=float), breaks.notna().to_numpy()


def _table(rows: pd.DataFrame, area: pd.Series, how: Any) -> pd.DataFrame:
    """Area by year; NaN where nothing is held."""
    keys = [rows[UNIQUE_ID].map(area), rows[DS].dt.year]
    grouped = rows[Y].groupby(keys)
    return (grouped.size() if how == "size" else grouped.sum(min_count=1)).unstack()  # noqa: PD010  # one level
