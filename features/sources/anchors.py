"""Where inside its period each series puts its stamp: first day, last day, every Friday, 30 June at noon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.series.cadence import Cadence

Stamps = npt.NDArray[np.datetime64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_LAST_DAY = 31


@dataclass(frozen=True)
class Anchors:
    """The place of the stamp inside its period, one a series.

    Attributes:
        months: (S,) whole months after the first of the period (0 where periods are weeks or shorter).
        day: (S,) day of that month, 31 for the last one (1 where periods are weeks or shorter).
        rest: (S,) timedelta64[ns] after that day's first instant, or after the period's.
    """

    months: Int
    day: Int
    rest: npt.NDArray[np.timedelta64]

    def place(self, begin: Stamps, rows: Int, cadence: Cadence) -> Stamps:
        """The stamp of each period that begins at ``begin`` (N,), of series ``rows`` (N,)."""
        if not _of_months(cadence):
            return begin + self.rest[rows]
        month = (begin.astype("datetime64[M]").astype(np.int64) + self.months[rows]).astype("datetime64[M]")
        day = np.minimum(self.day[rows], _days_in(month)) - 1
        first = month.astype("datetime64[D]").astype("datetime64[ns]")
        return np.asarray(first + _days(day) + self.rest[rows], dtype="datetime64[ns]")


def find(stamps: Stamps, rows: Int, cadence: Cadence) -> tuple[Anchors, Bool]:
    """The anchors of the series, and (N,) True for stamps that are elsewhere in their period.

    ``stamps`` (N,) of series ``rows`` (N,), numbered 0…S-1, each with a row at least. A series whose
    stamps are all last days of a month keeps to last days; the 30th of every month falls back to the
    28th or 29th in February.
    """
    _, first = np.unique(rows, return_index=True)
    begin = cadence.instant(cadence.ordinal(stamps))
    if not _of_months(cadence):
        rest = stamps - begin
        count = len(first)
        anchors = Anchors(np.zeros(count, np.int64), np.ones(count, np.int64), rest[first])
    else:
        month = stamps.astype("datetime64[M]")
        day = (stamps.astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64) + 1
        latest = np.zeros(len(first), dtype=np.int64)
        np.maximum.at(latest, rows, day)
        last_days = np.ones(len(first), dtype=bool)
        np.logical_and.at(last_days, rows, day == _days_in(month))
        steady = np.ones(len(first), dtype=bool)
        np.logical_and.at(steady, rows, day == np.minimum(latest[rows], _days_in(month)))
        latest = np.where(steady, latest, day[first])
        months = (month - begin.astype("datetime64[M]")).astype(np.int64)
        rest = stamps - stamps.astype("datetime64[D]").astype("datetime64[ns]")
        anchors = Anchors(months[first], np.where(last_days, _LAST_DAY, latest), rest[first])
    return anchors, anchors.place(begin, rows, cadence) != stamps


def _of_months(cadence: Cadence) -> bool:
    return cadence.unit in ("Y", "M")


def _days_in(month: npt.NDArray[np.datetime64]) -> Int:
    length = (month + np.timedelta64(1, "M")).astype("datetime64[D]") - month.astype("datetime64[D]")
    return np.asarray(length.astype(np.int64), dtype=np.int64)


def _days(count: Int) -> npt.NDArray[np.timedelta64]:
    return count.astype("timedelta64[D]").astype("timedelta64[ns]")
