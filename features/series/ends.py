"""How far each series had been published at any instant, without building its panel again for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.instants import naive_utc
from features.series.build import SeriesSet
from features.series.words import DS, KNOWN_AT, UNIQUE_ID, Y

Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Ends:
    """Figures as numbers, in the order of the vintages (series, period, instant).

    Attributes:
        names: (S,) the series.
        area: (S,) number of each one's area; -1 where none is declared.
        series, period, known_at: (R,) row of ``names``, ordinal, and instant of each figure.
        told: (R,) False where the figure was withdrawn.
    """

    names: tuple[str, ...]
    area: Int
    series: Int
    period: Int
    known_at: npt.NDArray[np.datetime64]
    told: Bool

    @staticmethod
    def of(figures: SeriesSet) -> Ends:
        """Of all vintages of ``figures``."""
        frame = figures.vintages.frame
        series, names = pd.factorize(frame[UNIQUE_ID])
        area, _ = pd.factorize(figures.traits["area"].reindex(pd.Index(names)))
        return Ends(
            names=tuple(map(str, names)),
            area=np.asarray(area, dtype=np.int64),
            series=np.asarray(series, dtype=np.int64),
            period=figures.vintages.cadence.ordinal(frame[DS].to_numpy()),
            known_at=frame[KNOWN_AT].to_numpy(dtype="datetime64[ns]"),
            told=frame[Y].notna().to_numpy(),
        )

    def at(self, t: pd.Timestamp) -> tuple[Int, Bool]:
        """(S,) ordinal of the last period of each series in ``SeriesSet.as_of(t)``, ``NEVER`` where it has
        none; (S,) True where ``SeriesSet.ended(t)`` names it."""
        rows = np.flatnonzero(self.known_at <= naive_utc(t).to_datetime64())
        series, period = self.series[rows], self.period[rows]
        published = self._newest(series, period)
        # Of the rows of one series and period the last is the newest known: only it says what stands.
        stands = np.ones(len(rows), dtype=bool)
        stands[:-1] = (series[1:] != series[:-1]) | (period[1:] != period[:-1])
        stands &= self.told[rows]
        last = self._newest(series[stands], period[stands])
        known = (last > NEVER) & (self.area >= 0)
        newest = np.full(self.area.max(initial=-1) + 1, NEVER)
        np.maximum.at(newest, self.area[known], last[known])
        ended = np.zeros(len(self.names), dtype=bool)
        ended[known] = last[known] < newest[self.area[known]]
        return published, ended

    def _newest(self, series: Int, period: Int) -> Int:
        out = np.full(len(self.names), NEVER)
        np.maximum.at(out, series, period)
        return out
