"""The peers every other forecaster has to beat: last value, last season, straight line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.matrix.scale import last_seen
from features.series.panel import Dense
from features.series.scopes import bridge

Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Naive:
    """Every step equals the last figure."""

    name: str = "naive"

    def fit(self, history: Dense) -> Naive:
        """Nothing to learn."""
        return self

    def forecast(self, history: Dense, steps: int) -> Float:
        """(B, steps) tCO2e."""
        value, _ = last_seen(history.y)
        return np.repeat(value[:, None], steps, axis=1)


@dataclass(frozen=True)
class SeasonalNaive:
    """Every step equals the figure one season earlier, or two where that one is a gap."""

    name: str = "seasonal-naive"

    def fit(self, history: Dense) -> SeasonalNaive:
        """Nothing to learn."""
        return self

    def forecast(self, history: Dense, steps: int) -> Float:
        """(B, steps) tCO2e; series shorter than a season repeat their last figure."""
        season = history.cadence.season
        y = bridge(history).y
        last, _ = last_seen(y)
        out = np.repeat(last[:, None], steps, axis=1)
        rows = np.arange(len(out))
        for h in range(steps):
            # Two seasons back at most: a gap one season ago falls to the season before it.
            for seasons in (2, 1):
                column = history.lengths + h - season * (h // season + seasons)
                held = y[rows, np.clip(column, 0, y.shape[1] - 1)]
                usable = (column >= 0) & np.isfinite(held)
                out[usable, h] = held[usable]
        return out


@dataclass(frozen=True)
class Drift:
    """Straight line through the first and the last figure; scope breaks are bridged first."""

    name: str = "drift"

    def fit(self, history: Dense) -> Drift:
        """Nothing to learn."""
        return self

    def forecast(self, history: Dense, steps: int) -> Float:
        """(B, steps) tCO2e; never below zero where the history never was."""
        y = bridge(history).y
        value, column = last_seen(y)
        finite = np.isfinite(y)
        first = finite.argmax(axis=1)
        begin = np.where(finite.any(axis=1), y[np.arange(len(y)), first], 0.0)
        slope = (value - begin) / np.maximum(column - first, 1)
        line = value[:, None] + slope[:, None] * np.arange(1, steps + 1)[None, :]
        return np.asarray(np.where(history.non_negative[:, None], np.maximum(line, 0.0), line))
