"""The Theta method for a whole panel (Assimakopoulos & Nikolopoulos 2000; Hyndman & Billah 2003).

Simple exponential smoothing from the first figure, plus half the slope of a straight line through the
figures; alpha is the one of a grid that makes the smallest one-step errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense
from models.seasonal import ahead_of_blocks

Float = npt.NDArray[np.float64]

LONGEST: Final = 80
CHUNK: Final = 4096
SHARE_OF_SLOPE: Final = 0.5
# Falling, so that alpha = 1, the last figure, is taken where none is better.
ALPHAS: Final = tuple(round(1.0 - 0.02 * k, 2) for k in range(50))


def smoothed(values: Float, alpha: Float) -> tuple[Float, Float]:
    """Sum of squared one-step errors and last level, from a first level of the first figure.

    Args:
        values: (b, n) complete rows.
        alpha: (b,), or (A, 1) for every row at A values.

    Returns:
        (b,) or (A, b) each.
    """
    level = values[:, 0] + 0.0 * alpha
    square = np.zeros_like(level)
    for t in range(1, values.shape[1]):
        error = values[:, t] - level
        square += error**2
        level = level + alpha * error
    return square, level


def best_alpha(values: Float) -> Float:
    """(b,) the alpha of the grid with the smallest one-step errors."""
    grid = np.asarray(ALPHAS)[:, None]
    parts = [values[start : start + CHUNK] for start in range(0, len(values), CHUNK)]
    return np.concatenate([grid[smoothed(part, grid)[0].argmin(axis=0), 0] for part in parts])


def extended(values: Float, alpha: Float, steps: int) -> Float:
    """(b, steps) Theta forecasts of complete rows (b, n) at ``alpha`` (b,)."""
    n = values.shape[1]
    _, level = smoothed(values, alpha)
    axis = np.arange(n) - (n - 1) / 2
    slope = values @ axis / max(float(axis @ axis), 1.0)
    # Smoothing lags behind a line by (1 - (1 - alpha)^n) / alpha periods of its slope.
    lag = (1 - (1 - alpha) ** n) / alpha
    ahead = np.arange(steps)[None, :] + lag[:, None]
    return np.asarray(level[:, None] + SHARE_OF_SLOPE * slope[:, None] * ahead)


@dataclass(frozen=True)
class Theta:
    """The standard Theta method, on seasonally adjusted figures."""

    name: str = "theta"

    def fit(self, history: Dense) -> Theta:
        """Everything is read from the history given to ``forecast``: nothing to keep."""
        return self

    def forecast(self, history: Dense, steps: int) -> Float:
        """(B, steps) tCO2e; rows without a figure get 0."""
        return ahead_of_blocks(
            history, steps, LONGEST, lambda block, plain: extended(plain, best_alpha(plain), steps)
        )
