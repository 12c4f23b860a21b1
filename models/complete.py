"""Histories without gaps: what members that need every period are given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.matrix.scale import last_seen
from features.series.panel import Dense
from features.series.scopes import bridge

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

FURTHEST = 3.0


@dataclass(frozen=True)
class Block:
    """Rows of one length, end-aligned, complete and scaled to a mean absolute value of one.

    Attributes:
        rows: (b,) row numbers in the panel.
        values: (b, n) scaled values, gaps filled.
        gaps: (b, n) True where a value was filled in.
        scale: (b,) tCO2e that make one unit.
    """

    rows: Int
    values: Float
    gaps: Bool
    scale: Float


def blocks(history: Dense, longest: int) -> Iterator[Block]:
    """The panel in blocks of equal length, scope breaks bridged, at most the ``longest`` last periods.

    Gaps inside are filled along a straight line, gaps at the end by the last figure. Rows without any
    figure are left out; rows whose figures all lie further back than ``longest`` stand still at the last.
    """
    y = bridge(history).y
    newest, _ = last_seen(y)
    finite = np.isfinite(y)
    some = finite.any(axis=1)
    first = finite.argmax(axis=1)
    lengths = np.where(some, history.lengths - first, 0)
    lengths = np.minimum(lengths, longest)
    for n in np.unique(lengths[lengths > 0]):
        rows = np.flatnonzero(lengths == n)
        columns = history.lengths[rows][:, None] - n + np.arange(n)[None, :]
        values = y[rows[:, None], columns]
        hollow = ~np.isfinite(values).any(axis=1)
        values[hollow] = newest[rows[hollow], None]
        gaps = ~np.isfinite(values)
        values = _fill(values, gaps)
        scale = np.abs(values).mean(axis=1)
        scale = np.where(scale > 0, scale, 1.0)
        yield Block(rows=rows, values=values / scale[:, None], gaps=gaps, scale=scale)


def bounded(values: Float, ahead: Float) -> Float:
    """Forecasts (b, steps) kept within three times the largest figure of their rows (b, n)."""
    # A wild extrapolation (near-unit roots on six figures) stays within reach of the history.
    top = FURTHEST * np.abs(values).max(axis=1)[:, None]
    return np.clip(ahead, -top, top)


def lawful(history: Dense, ahead: Float) -> Float:
    """Forecasts (B, steps) not below zero where the series never was."""
    return np.asarray(np.where(history.non_negative[:, None], np.maximum(ahead, 0.0), ahead))


def _fill(values: Float, gaps: Bool) -> Float:
    out = values.copy()
    axis = np.arange(values.shape[1])
    for row in np.flatnonzero(gaps.any(axis=1)):
        held = ~gaps[row]
        out[row] = np.interp(axis, axis[held], values[row, held])
    return out
