"""Shrunk drifts: what a smooth total did over the last years goes on at part of its strength.

The mean of four: log growth over 15 and 8 periods, median change over 15 and 5 periods. Spans and
strengths were chosen on country totals of the Global Carbon Budget up to 2017 (``benchmarks/skill``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense
from models.complete import blocks, lawful
from models.seasonal import estimate

Float = npt.NDArray[np.float64]

# Spans in periods, and the share of the past slope that is carried on.
GROWTHS: Final = ((15, 0.5), (8, 0.6))
CHANGES: Final = ((15, 0.75), (5, 0.6))
# Log growth of a plant that starts up or winds down says nothing of the years to come.
STEEPEST: Final = 0.1


@dataclass(frozen=True)
class Trend:
    """Mean of four shrunk drifts, on seasonally adjusted figures."""

    name: str = "trend"

    def fit(self, history: Dense) -> Trend:
        """Nothing to learn: the drifts are read from the history given to ``forecast``."""
        return self

    def forecast(self, history: Dense, steps: int) -> Float:
        """(B, steps) tCO2e; rows without a figure get 0; never below zero where the history never was."""
        out = np.zeros((len(history.ids), steps))
        longest = 1 + max(span for span, _ in (*GROWTHS, *CHANGES)) * history.cadence.season
        for block in blocks(history, longest):
            season = estimate(block.values, history.cadence.season)
            plain = season.strip(block.values)
            ahead = season.restore(extended(plain, steps, history.cadence.season))
            out[block.rows] = ahead * block.scale[:, None]
        return lawful(history, out)


def extended(values: Float, steps: int, season: int = 1) -> Float:
    """(b, steps) mean of the shrunk drifts of complete rows (b, n), on their own scale.

    Args:
        values: oldest first; with one column there is no slope and the last value stays.
        steps: periods ahead.
        season: periods in a season; spans are counted in seasons.
    """
    last = values[:, -1:]
    n = values.shape[1]
    ahead = np.arange(1, steps + 1)[None, :]
    if n < 2:
        return np.repeat(last, steps, axis=1)
    lines = []
    for span, strength in CHANGES:
        change = np.diff(values[:, -min(span * season, n - 1) - 1 :], axis=1)
        lines.append(last + strength * np.median(change, axis=1)[:, None] * ahead)
    for span, strength in GROWTHS:
        lines.append(_grown(values, min(span * season, n - 1), strength, ahead, season))
    return np.asarray(np.mean(lines, axis=0))


def _grown(values: Float, span: int, strength: float, ahead: npt.NDArray[np.int64], season: int) -> Float:
    """Growth by a constant ratio where both ends are above zero, by a constant change elsewhere."""
    last, first = values[:, -1:], values[:, -1 - span :][:, :1]
    lawful = (last > 0) & (first > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.where(lawful, np.log(last / first), 0.0) / span
    growth = np.clip(growth, -STEEPEST / season, STEEPEST / season) * strength
    line = last + strength * (last - first) / span * ahead
    return np.asarray(np.where(lawful, last * np.exp(growth * ahead), line))
