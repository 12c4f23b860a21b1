"""Seasonal adjustment of a whole panel: take the season out, forecast the rest, put it back.

Classical decomposition by ratio (or difference) to a centred moving average, with recent seasons
weighing more (Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 3.4), shrunk
by how much of the movement the season explains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense
from models.complete import Block, blocks, bounded, lawful

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

MEMORY = 0.75
LEAST_SEASONS = 2
LEAST_FACTOR = 0.02


@dataclass(frozen=True)
class Season:
    """The seasonal figure of each phase, counted from the period after the cutoff.

    Attributes:
        figures: (B, m) factor (multiplicative rows) or tonnes (additive rows).
        multiplicative: (B,).
    """

    figures: Float
    multiplicative: Bool

    def strip(self, filled: Float) -> Float:
        """Take the season out of end-aligned complete values (B, n)."""
        tiled = self._tiled(filled.shape[1], ahead=False)
        ratio = np.where(self.multiplicative[:, None], tiled, 1.0)
        return np.where(self.multiplicative[:, None], filled / ratio, filled - tiled)

    def restore(self, ahead: Float) -> Float:
        """Put the season back on forecasts (B, H) of the periods after the cutoff."""
        tiled = self._tiled(ahead.shape[1], ahead=True)
        return np.where(self.multiplicative[:, None], ahead * tiled, ahead + tiled)

    def _tiled(self, count: int, *, ahead: bool) -> Float:
        m = self.figures.shape[1]
        phase = np.arange(count) % m if ahead else (np.arange(count) - count) % m
        return self.figures[:, phase]


def estimate(filled: Float, m: int) -> Season:
    """Seasonal figures of complete, end-aligned rows.

    Args:
        filled: (B, n) values without gaps, the last column being the cutoff.
        m: periods a season. With fewer than two seasons of figures there is no season.
    """
    count, n = filled.shape
    multiplicative = np.asarray((filled > 0).all(axis=1))
    flat = np.where(multiplicative, 1.0, 0.0)[:, None] * np.ones((1, m))
    if m == 1 or n < LEAST_SEASONS * m + 1:
        return Season(flat, multiplicative)
    centre = _moving_average(filled, m)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.where(multiplicative[:, None], filled / centre, filled - centre)
    figures = np.full((count, m), np.nan)
    phase = (np.arange(n) - n) % m
    age = (n - 1 - np.arange(n)) // m
    for k in range(m):
        columns = (phase == k) & np.isfinite(centre[0])
        weight = MEMORY ** age[columns]
        figures[:, k] = (apart[:, columns] * weight).sum(axis=1) / weight.sum()
    level = figures.mean(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.maximum(figures / level, LEAST_FACTOR)
        figures = np.where(multiplicative[:, None], share, figures - level)
    figures = np.where(np.isfinite(figures), figures, flat)
    strength = _strength(apart, figures, phase, multiplicative, np.isfinite(centre[0]))
    return Season(flat + (figures - flat) * strength[:, None], multiplicative)


def strength(filled: Float, m: int) -> Float:
    """(b,) share of the detrended movement of complete rows (b, n) that the season explains, 0 to 1."""
    if m == 1 or filled.shape[1] < LEAST_SEASONS * m + 1:
        return np.zeros(len(filled))
    centre = _moving_average(filled, m)
    known, apart = np.isfinite(centre[0]), filled - centre
    phase = np.arange(filled.shape[1]) % m
    figures = np.stack([apart[:, known & (phase == k)].mean(axis=1) for k in range(m)], axis=1)
    return _strength(apart, figures, phase, np.zeros(len(filled), dtype=bool), known)


def _moving_average(filled: Float, m: int) -> Float:
    """Centred moving average over one season, NaN at the ends. (B, n)."""
    kernel = np.ones(m) / m if m % 2 else np.concatenate([[0.5], np.ones(m - 1), [0.5]]) / m
    half = len(kernel) // 2
    out = np.full(filled.shape, np.nan)
    sums = np.lib.stride_tricks.sliding_window_view(filled, len(kernel), axis=1) @ kernel
    out[:, half : half + sums.shape[1]] = sums
    return out


def _strength(apart: Float, figures: Float, phase: Int, multiplicative: Bool, known: Bool) -> Float:
    """Share of the detrended movement the season explains, 0 to 1 (FPP3 4.3), per row."""
    middle = np.where(multiplicative, 1.0, 0.0)[:, None]
    move = apart[:, known] - middle
    rest = apart[:, known] - figures[:, phase[known]]
    total = move.var(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = 1.0 - rest.var(axis=1) / total
    return np.where(total > 0, np.clip(np.nan_to_num(share), 0.0, 1.0), 0.0)


def ahead_of_blocks(
    history: Dense, steps: int, longest: int, ahead: Callable[[Block, Float], Float]
) -> Float:
    """(B, steps) tCO2e of a member that reads complete, seasonally adjusted rows; without a figure 0.

    Args:
        longest: how many of the newest periods are read.
        ahead: (b, steps) forecasts of a block's adjusted values (b, n).
    """
    out = np.zeros((len(history.ids), steps))
    for block in blocks(history, longest):
        season = estimate(block.values, history.cadence.season)
        told = season.restore(ahead(block, season.strip(block.values)))
        out[block.rows] = bounded(block.values, told) * block.scale[:, None]
    return lawful(history, out)
