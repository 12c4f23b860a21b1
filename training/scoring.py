"""Scores on arrays: each a few lines, each counting what it could not judge.

Definitions stand in docs/glossary.md: bias = yhat − y, pinball without factor 2, errors scaled by the
mean absolute change inside the history (MASE; Hyndman & Koehler 2006), interval score after Gneiting &
Raftery (2007), scaled likewise.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

LEAST_SHARE_OF_LEVEL = 1e-3


def usual_step(bridged: Float, season: int) -> tuple[Float, Float]:
    """Mean absolute and root mean square change of each row inside its history. (B,), (B,).

    NaN where there is no change, or one so small beside the level (under 0.1%) that dividing by it
    says nothing.
    """
    change = np.abs(bridged[:, season:] - bridged[:, :-season])
    held = np.isfinite(change)
    n = np.maximum(held.sum(axis=1), 1)
    mean = np.where(held, change, 0.0).sum(axis=1) / n
    square = np.sqrt((np.where(held, change, 0.0) ** 2).sum(axis=1) / n)
    figures = np.isfinite(bridged)
    level = np.where(figures, np.abs(bridged), 0.0).sum(axis=1) / np.maximum(figures.sum(axis=1), 1)
    useful = held.any(axis=1) & (mean > LEAST_SHARE_OF_LEVEL * level)
    return np.where(useful, mean, np.nan), np.where(useful, square, np.nan)


def absolute_error(yhat: Float, y: Float) -> Float:
    """|yhat − y|, tCO2e."""
    return np.abs(yhat - y)


def pinball(values: Float, y: Float, levels: Float) -> Float:
    """(…,) pinball loss averaged over levels; ``values`` (…, Q) at ``levels`` (Q,), ``y`` (…,)."""
    total = np.zeros(np.broadcast_shapes(y.shape, values.shape[:-1]))
    for q, level in enumerate(levels.tolist()):
        short = y - values[..., q]
        total += np.maximum(level * short, (level - 1) * short)
    return total / len(levels)


def inside(low: Float, high: Float, y: Float) -> Float:
    """1 where low ≤ y ≤ high, 0 where not, NaN where y is unknown."""
    hit = ((low <= y) & (y <= high)).astype(float)
    return np.where(np.isfinite(y), hit, np.nan)


def interval_score(low: Float, high: Float, y: Float, level: float) -> Float:
    """Width plus 2/alpha times how far y lies outside; alpha = 1 − level/100."""
    alpha = 1 - level / 100
    outside = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    return np.asarray(high - low + 2 / alpha * outside)


def mean_of(values: Float) -> tuple[float, int, int]:
    """Mean of the finite values, how many there are, how many are not. NaN over nothing."""
    held = np.isfinite(values)
    n = int(held.sum())
    return (float(values[held].mean()) if n else float("nan")), n, int(values.size - n)
