"""Periods in which a panel's boundary seems to have moved although nobody declared it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

LEAST_SERIES: Final = 30
REACH: Final = 60
# A jump: a figure this many times the one before it, in a series that seldom changes by a tenth as much.
JUMP: Final = 1.35
BEYOND_USUAL: Final = 4.0
LEAST_SHARE: Final = 0.12
ONE_WAY: Final = 0.8
BEYOND_OTHERS: Final = 3.0


def moved_boundaries(history: Dense) -> Int:
    """Columns, counted from the end of each row (0 = newest), into which many series jumped one way.

    A crisis moves many series too, but few of them beyond four times their usual change, and most of
    those come back; a boundary that takes in new activities lifts a good part of a panel for good. A
    period is named where at least 12% of the series with figures on both sides jump one way, four fifths
    of all that jump, at least three times as many as that way in any other period, counting jumps of
    which half or more still stands in the newest figure. The newest period is never named. Thresholds
    were chosen on the EU ETS of 2008 to 2017, whose scope grew in 2013. Panels under 30 series, with
    seasons or with declared breaks name none.

    Args:
        history: the panel as far as it is known.
    """
    none = np.zeros(0, dtype=np.int64)
    if history.cadence.season > 1 or history.breaks.any() or len(history.ids) < LEAST_SERIES:
        return none
    logs = _end_aligned_logs(history)
    if logs.shape[1] < 4:
        return none
    change = np.diff(logs, axis=1)
    known = np.isfinite(change)
    usual = _median_of_known(np.abs(change))
    jumped = known & (np.abs(change) > np.maximum(np.log(JUMP), BEYOND_USUAL * usual[:, None]))
    jumped &= _stands(logs, logs[:, :-1], change) & _stands(logs, _medians_so_far(logs), change)
    count = known.sum(axis=0)
    named = np.zeros(change.shape[1], dtype=bool)
    for one_way in (jumped & (change > 0), jumped & (change < 0)):
        share = one_way.sum(axis=0) / np.maximum(count, 1)
        others = np.array([np.delete(share, k).max() for k in range(len(share))])
        alike = one_way.sum(axis=0) >= ONE_WAY * jumped.sum(axis=0)
        named |= (count >= LEAST_SERIES) & (share >= LEAST_SHARE) & alike & (share >= BEYOND_OTHERS * others)
    # Of a jump in the newest period nobody can say yet whether it stands.
    named[-1] = False
    return np.asarray(logs.shape[1] - 1 - (np.flatnonzero(named) + 1), dtype=np.int64)


def with_breaks(history: Dense, from_end: Int) -> Dense:
    """The panel with a scope break into each column named, counted from the end of each row."""
    if len(from_end) == 0:
        return history
    breaks = history.breaks.copy()
    for back in from_end:
        column = history.lengths - 1 - back
        rows = np.flatnonzero(column > 0)
        breaks[rows, column[rows]] = True
    return replace(history, breaks=breaks)


def _stands(logs: Float, before: Float, change: Float) -> Bool:
    """(B, T - 1) True where the newest figure lies beyond ``before`` by half the change or more."""
    with np.errstate(invalid="ignore"):
        return np.asarray((logs[:, -1:] - before) * np.sign(change) >= np.abs(change) / 2)


def _medians_so_far(logs: Float) -> Float:
    """(B, T - 1) median of the figures before each change: a recovery is no move beyond it."""
    return np.stack([_median_of_known(logs[:, :k]) for k in range(1, logs.shape[1])], axis=1)


def _end_aligned_logs(history: Dense) -> Float:
    """(B, T) logarithms of the last figures above zero, newest in the last column; NaN elsewhere."""
    width = min(int(history.lengths.max()), REACH)
    column = history.lengths[:, None] - width + np.arange(width)[None, :]
    values = np.take_along_axis(history.y, np.maximum(column, 0), axis=1)
    lawful = (column >= 0) & (values > 0)
    return np.asarray(
        np.log(np.where(lawful, values, np.nan), where=lawful, out=np.full(values.shape, np.nan))
    )


def _median_of_known(values: Float) -> Float:
    """(B,) median of the finite values of each row; 0 where there is none."""
    some = np.isfinite(values).any(axis=1)
    out = np.zeros(len(values))
    out[some] = np.nanmedian(values[some], axis=1)
    return out
