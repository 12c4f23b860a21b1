"""Pseudo-targets: dated targets as they could have been set at a past cutoff, of which the outcome is known.

Real targets ask for a cut by a share of the figure of a base year. So do these: each cut of ``CUTS`` below
the figure of each base of ``BASES``, due after each step of ``STEPS``. The grid was fixed before any score
was seen, and is the same for every kind of series. Only figures visible at the cutoff make a level; a base
year in an older scope is read over the declared bridge (``features.series.scopes.bridge``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

CUTS: Final = (0.10, 0.25, 0.40, 0.55)
# The first year of the series, and the years so many before the cutoff.
FIRST: Final = "first"
BACKS: Final = (10, 5)
BASES: Final = (FIRST, *map(str, BACKS))
STEPS: Final = (1, 2, 3, 5, 8)
# A first year nearer to the cutoff is no base year.
LEAST_BACK: Final = 2


@dataclass(frozen=True)
class PastTargets:
    """The pseudo-targets of one cutoff.

    Attributes:
        rows: (N,) which series.
        steps: (N,) periods from the cutoff to the date of the target.
        bases, cuts: (N,) which of ``BASES`` and ``CUTS``.
        levels: (N,) tCO2e, above zero.
        met: (N,) 1 where the figure came out at or below the level, 0 where above; NaN where it is unknown
            or beyond a scope break.
    """

    rows: Int
    steps: Int
    bases: Int
    cuts: Int
    levels: Float
    met: Float


def past_targets(seen: Float, actual: Float) -> PastTargets:
    """The pseudo-targets of one cutoff.

    Args:
        seen: (B, T) figures visible at the cutoff in its scope, tCO2e; the last column is the cutoff. NaN
            throughout for a series that is not asked.
        actual: (B, H) figures after it in the same scope; NaN where unknown.
    """
    base = base_figures(seen)
    level = base[:, :, None] * (1 - np.array(CUTS))
    ahead = np.array([step for step in STEPS if step <= actual.shape[1]], dtype=np.int64)
    real = np.broadcast_to(np.isfinite(level)[:, None], (len(level), len(ahead), *level.shape[1:]))
    rows, step, bases, cuts = np.nonzero(real)
    levels, came = level[rows, bases, cuts], actual[rows, ahead[step] - 1]
    met = np.where(np.isfinite(came), came <= levels, np.nan)
    return PastTargets(rows, ahead[step], bases, cuts, levels, met)


def base_figures(seen: Float) -> Float:
    """(B, 3) figures of ``BASES``, tCO2e; NaN where there is none above zero, or it is the first year's."""
    width = seen.shape[1]
    first = np.isfinite(seen).argmax(axis=1)
    back = width - 1 - first
    figures = [np.where(back >= LEAST_BACK, seen[np.arange(len(seen)), first], np.nan)]
    for years in BACKS:
        figure = seen[:, width - 1 - years] if years < width else np.full(len(seen), np.nan)
        figures.append(np.where(back == years, np.nan, figure))
    out = np.stack(figures, axis=1)
    return np.where(out > 0, out, np.nan)


def told() -> dict[str, Any]:
    """How the pseudo-targets are made, JSON-ready."""
    return {"cuts": list(CUTS), "bases": list(BASES), "steps": list(STEPS)}
