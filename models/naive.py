"""The peers every other forecaster has to beat: last value, last season, straight line, and recent level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.matrix.scale import back_from_end, last_seen
from features.series.panel import Dense
from features.series.scopes import bridge
from models.complete import lawful

Float = npt.NDArray[np.float64]

RECENT: Final = 3


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
class Level:
    """Every step equals the mean of the last three figures: part of what one year moved comes back."""

    name: str = "level"

    def fit(self, history: Dense) -> Level:
        """Nothing to learn."""
        return self

    def forecast(self, history: Dense, steps: int) -> Float:
        """(B, steps) tCO2e; scope breaks are bridged first, gaps left out, rows without a figure get 0."""
        known = bridge(history)
        recent = np.stack([back_from_end(known, back) for back in range(RECENT)])
        held = np.isfinite(recent)
        count = held.sum(axis=0)
        mean = np.where(held, recent, 0.0).sum(axis=0) / np.maximum(count, 1)
        newest, _ = last_seen(history.y)
        return np.repeat(np.where(count > 0, mean, newest)[:, None], steps, axis=1)


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
        return lawful(history, line)
