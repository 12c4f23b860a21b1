"""Exponential smoothing for a whole panel: simple, and with a damped trend, over a grid of parameters.

With its parameters fixed, additive exponential smoothing is linear in the figures and in the first
level and slope (Hyndman, Koehler, Ord & Snyder, Forecasting with Exponential Smoothing, ch. 5). The
likeliest first state is a least-squares fit, so one matrix a grid point turns a series into the
errors left after it, another into its last level and slope: the panel is two matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense
from models.orders import penalty
from models.seasonal import ahead_of_blocks

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

LONGEST: Final = 80
CHUNK: Final = 256
TINY: Final = 1e-300
# The first point, alpha = 1, is the naive forecast: what is said where nothing can be told apart.
ALPHAS: Final = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
SHARES: Final = (0.02, 0.1, 0.3, 0.6)
PHIS: Final = (0.8, 0.9, 0.95, 0.98)
# Estimated: alpha, first level and variance; with a trend also beta, phi and first slope.
PARAMETERS_SIMPLE: Final = 3
PARAMETERS_DAMPED: Final = 6


@dataclass(frozen=True)
class Filters:
    """Matrices of G grid points for series of n figures, simple smoothing first.

    Attributes:
        alpha, beta, phi: (G,) of the level, of the slope (beta ≤ alpha) and of the damping; beta and
            phi are 0 where there is no trend.
        simple: how many points have no trend.
        errors: (G, n, n) figures to one-step errors, the first state being the likeliest.
        states: (G, 2, n) figures to the last level and slope.
    """

    alpha: Float
    beta: Float
    phi: Float
    simple: int
    errors: Float
    states: Float

    def reach(self, point: Int, steps: int) -> Float:
        """(b, steps) how many last slopes the forecast lies above the last level: phi + phi² + …"""
        return np.cumsum(self.phi[point][:, None] ** np.arange(1, steps + 1)[None, :], axis=1)


@lru_cache(maxsize=32)
def filters(n: int) -> Filters:
    """The matrices for series of ``n`` figures (cached)."""
    damped = [(a, a * share, phi) for a, share, phi in product(ALPHAS, SHARES, PHIS)]
    grid = np.array([(a, 0.0, 0.0) for a in ALPHAS] + damped)
    raw, last = run(grid, np.eye(n))
    figures, first = raw[:, :, :n], -raw[:, :, n:]
    first[: len(ALPHAS), :, 1] = 0.0
    likeliest = np.linalg.pinv(first) @ figures
    return Filters(
        alpha=grid[:, 0],
        beta=grid[:, 1],
        phi=grid[:, 2],
        simple=len(ALPHAS),
        errors=figures - first @ likeliest,
        states=last[:, :, :n] + last[:, :, n:] @ likeliest,
    )


def run(grid: Float, figures: Float) -> tuple[Float, Float]:
    """The smoothing recursion at G grid points on k columns of n figures, from a first state of zero.

    Two columns are added: what a first level of one, and a first slope of one, would do alone.

    Args:
        grid: (G, 3) alpha, beta and phi.
        figures: (n, k).

    Returns:
        One-step errors (G, n, k + 2), and last level and slope (G, 2, k + 2).
    """
    n, k = figures.shape
    alpha, beta, phi = grid[:, 0], grid[:, 1], grid[:, 2]
    seen = np.hstack([figures, np.zeros((n, 2))])
    level, slope = np.zeros((len(alpha), k + 2)), np.zeros((len(alpha), k + 2))
    level[:, k], slope[:, k + 1] = 1.0, 1.0
    errors = np.empty((len(alpha), n, k + 2))
    for t in range(n):
        slope = phi[:, None] * slope
        expected = level + slope
        errors[:, t] = seen[t] - expected
        level = expected + alpha[:, None] * errors[:, t]
        slope = slope + beta[:, None] * errors[:, t]
    return errors, np.stack([level, slope], axis=1)


def choose(values: Float, made: Filters) -> Int:
    """(b,) grid point of smallest AICc for complete rows (b, n)."""
    count, n = values.shape
    best, point = np.full(count, np.inf), np.zeros(count, dtype=np.int64)
    kinds = (
        (slice(0, made.simple), PARAMETERS_SIMPLE),
        (slice(made.simple, len(made.alpha)), PARAMETERS_DAMPED),
    )
    for piece, parameters in kinds:
        price = float(penalty(parameters, np.array(n)))
        if not np.isfinite(price):
            continue
        matrix = made.errors[piece].reshape(-1, n)
        for start in range(0, count, CHUNK):
            rows = slice(start, start + CHUNK)
            e = (matrix @ values[rows].T).reshape(-1, n, len(values[rows]))
            square = np.einsum("gnb,gnb->gb", e, e)
            found = square.argmin(axis=0)
            value = n * np.log(np.maximum(square.min(axis=0) / n, TINY)) + price
            better = value < best[rows]
            best[rows] = np.where(better, value, best[rows])
            point[rows] = np.where(better, piece.start + found, point[rows])
    return point


def predict(values: Float, made: Filters, point: Int, steps: int) -> Float:
    """(b, steps) forecasts of complete rows (b, n) at their grid points."""
    states = np.einsum("bsn,bn->bs", made.states[point], values)
    return np.asarray(states[:, :1] + made.reach(point, steps) * states[:, 1:])


def extended(values: Float, steps: int) -> Float:
    """(b, steps) forecasts of complete rows (b, n) at the grid points chosen for them."""
    made = filters(values.shape[1])
    return predict(values, made, choose(values, made), steps)


@dataclass(frozen=True)
class Damped:
    """Simple or damped-trend exponential smoothing by AICc, on seasonally adjusted figures."""

    name: str = "damped"

    def fit(self, history: Dense) -> Damped:
        """The parameters are chosen from the history given to ``forecast``: nothing to keep."""
        return self

    def forecast(self, history: Dense, steps: int) -> Float:
        """(B, steps) tCO2e; rows without a figure get 0."""
        return ahead_of_blocks(history, steps, LONGEST, lambda block, plain: extended(plain, steps))
