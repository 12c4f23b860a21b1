"""Cadence: how often a series is measured, and integer calendar arithmetic on its periods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import AskError

Int = npt.NDArray[np.int64]
Stamps = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Cadence:
    """One of the six cadences.

    Attributes:
        name: the word users say ("year", "month", …).
        period: numpy datetime unit that counts it, or "" where periods are counted by ``stride``.
        stride: how many numpy units make one period.
        season: periods in the natural season (1 = none).
    """

    name: str
    unit: str
    stride: int
    season: int

    def ordinal(self, ds: Stamps) -> Int:
        """Number of the period that holds each instant, counted from 1970. Shape as ``ds``."""
        counted = ds.astype(f"datetime64[{self.unit}]").astype(np.int64)
        if self.name == "week":
            # 1970-01-01 was a Thursday; weeks here start on Monday.
            counted = counted + 3
        return np.asarray(np.floor_divide(counted, self.stride), dtype=np.int64)

    def instant(self, ordinal: Int) -> Stamps:
        """First instant of each numbered period, datetime64[ns]. Inverse of ``ordinal``."""
        counted = np.asarray(ordinal, dtype=np.int64) * self.stride
        if self.name == "week":
            counted = counted - 3
        return counted.astype(f"datetime64[{self.unit}]").astype("datetime64[ns]")


YEAR: Final = Cadence("year", "Y", 1, 1)
QUARTER: Final = Cadence("quarter", "M", 3, 4)
MONTH: Final = Cadence("month", "M", 1, 12)
WEEK: Final = Cadence("week", "D", 7, 52)
DAY: Final = Cadence("day", "D", 1, 7)
HOUR: Final = Cadence("hour", "h", 1, 24)
CADENCES: Final = {c.name: c for c in (YEAR, QUARTER, MONTH, WEEK, DAY, HOUR)}

_LONGEST_GAP: Final = {"hour": 0.9, "day": 6.5, "week": 27.0, "month": 80.0, "quarter": 300.0}


def named(name: str) -> Cadence:
    """The cadence called ``name``.

    Raises:
        AskError: no such cadence.
    """
    if name not in CADENCES:
        raise AskError(
            "unknown-cadence",
            found=f"cadence {name!r}",
            expected="one of " + ", ".join(CADENCES),
            remedy="name a cadence from the list, or leave it out to have it recognised from ds",
        )
    return CADENCES[name]


def recognise(frame: pd.DataFrame) -> Cadence:
    """The cadence of a long frame (``unique_id``, ``ds``), from the usual step inside a series.

    The most frequent spacing decides, so that gaps do not matter. One-point series say nothing; a
    frame of nothing else is taken as annual.
    """
    ordered = frame.sort_values(["unique_id", "ds"])
    same = ordered["unique_id"].to_numpy()[1:] == ordered["unique_id"].to_numpy()[:-1]
    stamps = ordered["ds"].to_numpy().astype("datetime64[s]").astype(np.int64)
    days = np.diff(stamps)[same] / 86400.0
    days = days[days > 0]
    if len(days) == 0:
        return YEAR
    values, counts = np.unique(np.round(days, 3), return_counts=True)
    usual = float(values[counts == counts.max()].min())
    for name, longest in _LONGEST_GAP.items():
        if usual <= longest:
            return CADENCES[name]
    return YEAR
