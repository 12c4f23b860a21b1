"""How much a series usually moves: the yardstick of errors, targets and features."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

MEMORY: Final = 0.7
SHARE_OF_LEVEL: Final = 0.03
REACH: Final = 12
# Yardstick of a history of nothing but zeros, told apart from all others by its size.
ONLY_ZEROS: Final = 1e-6


def usual_change(bridged: Dense) -> Float:
    """Exponentially weighted absolute change plus 3% of the level, in tCO2e. (B,), above zero.

    Changes are over one season where the cadence has one and the series is longer than that. The
    share of level keeps a plant that stood still from looking certain. Which memory and share: chosen
    on EU ETS plants before 2018 (``benchmarks/``).

    Args:
        bridged: histories with scope breaks bridged.
    """
    season = bridged.cadence.season
    change = _weighted_change(bridged, 1)
    if season > 1:
        yearly = _weighted_change(bridged, season)
        change = np.where(np.isfinite(yearly), yearly, change)
    usual = np.nan_to_num(change) + SHARE_OF_LEVEL * _level(bridged)
    return np.where(usual > 0, usual, ONLY_ZEROS)


def _weighted_change(bridged: Dense, lag: int) -> Float:
    """(B,) weighted mean of |y_t − y_(t−lag)| over the last periods; NaN where there is none."""
    reach = max(REACH, 2 * lag)
    memory = MEMORY if lag == 1 else 0.5 ** (1 / lag)
    total, weights = np.zeros(len(bridged.ids)), np.zeros(len(bridged.ids))
    for back in range(reach):
        change = np.abs(back_from_end(bridged, back) - back_from_end(bridged, back + lag))
        held = np.isfinite(change)
        weight = memory**back
        total += np.where(held, change, 0.0) * weight
        weights += held * weight
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(weights > 0, total / weights, np.nan))


def _level(bridged: Dense) -> Float:
    """(B,) the larger of the newest absolute figure and a fifth of the mean absolute figure."""
    size = np.abs(bridged.y)
    held = np.isfinite(size)
    mean = np.where(held, size, 0.0).sum(axis=1) / np.maximum(held.sum(axis=1), 1)
    newest, _ = last_seen(size)
    return np.asarray(np.maximum(newest, 0.2 * mean))


def last_seen(y: Float) -> tuple[Float, Int]:
    """Last finite value of each row (0 where there is none) and its column (-1 where none). (B,), (B,)."""
    finite = np.isfinite(y)
    column = np.where(finite.any(axis=1), y.shape[1] - 1 - finite[:, ::-1].argmax(axis=1), -1)
    value = np.where(column >= 0, y[np.arange(len(y)), np.maximum(column, 0)], 0.0)
    return value, column.astype(np.int64)


def back_from_end(history: Dense, back: int) -> Float:
    """(B,) the figure ``back`` periods before the last one; NaN where there is none."""
    column = history.lengths - 1 - back
    inside = column >= 0
    values = history.y[np.arange(len(history.ids)), np.maximum(column, 0)]
    return np.asarray(np.where(inside, values, np.nan))
