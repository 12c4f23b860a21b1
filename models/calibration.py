"""Conformal bands: the quantiles of past scaled errors, by pool of series and step.

Errors are pooled over series and past cutoffs, recent cutoffs weighing more, each in units of the
series' usual change (scaled split conformal: Papadopoulos et al. 2002; Barber et al. 2023 for weights).
With few errors the empirical quantiles are mixed with those of a random walk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.isotonic import isotonic_regression

from features.matrix.scale import ONLY_ZEROS
from models.recipe import Recipe
from models.replay import Replay

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

GRID: Final = np.round(np.arange(0.005, 0.9951, 0.005), 6)
POOL_PRIOR = 25.0
PRIOR_ERRORS = 20.0
# Errors of one year have a cause in common (a crisis, a boundary moved): two cutoffs of a thousand series
# know the errors of two years and little of other years'. This many cutoffs' worth of the prior is mixed in.
PRIOR_CUTOFFS = 4.0
# For the same reason the middle of a few cutoffs' errors says less of the next years than that there is no
# bias: it counts as this many cutoffs without one.
UNBIASED_CUTOFFS = 10.0
WIDEST_ERROR = 20.0
# The prior: a random walk whose steps have the heavy tails of emission changes (Student's t), its 80% band as
# wide as this share of a Gaussian walk's with the same mean absolute change. The yardstick leans towards the
# recent past and holds a share of level, so most yearly changes are smaller than it says. Chosen, as the
# cutoffs above and below, on origins that the benchmark of skill does not score as untouched.
TAILS: Final = 3
SHARE_OF_WALK: Final = 0.55
SHARE_OF_SEASONAL_WALK: Final = 0.9
MIDDLE = slice(19, 180)


@dataclass(frozen=True)
class Calibration:
    """Quantiles of scaled errors (actual − forecast).

    Attributes:
        groups: (G,) pools of series; the last one, "", serves pools never seen.
        z: (G, H, 199) quantiles at ``GRID``, non-decreasing along the last axis.
        counts: (G, H) errors behind them.
        growth: exponent by which bands widen beyond step H.
        season: periods in a season of the cadence (1 = none).
    """

    groups: tuple[str, ...]
    z: Float
    counts: Float
    growth: float
    season: int

    def of(self, groups: tuple[str, ...], steps: int) -> Float:
        """(B, steps, 199) scaled error quantiles for series of these pools."""
        place = {name: i for i, name in enumerate(self.groups)}
        rows = np.array([place.get(name, place[""]) for name in groups], dtype=np.int64)
        reach = self.z.shape[1]
        out: Float = self.z[rows[:, None], np.minimum(np.arange(steps), reach - 1)]
        if steps > reach:
            beyond = np.arange(1, steps + 1) / reach
            out *= np.where(beyond > 1, beyond**self.growth, 1.0)[None, :, None]
        return out

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "groups": list(self.groups),
            "z": self.z.tolist(),
            "counts": self.counts.tolist(),
            "growth": self.growth,
            "season": self.season,
        }

    @staticmethod
    def of_record(record: dict[str, Any]) -> Calibration:
        """Inverse of ``as_record``."""
        return Calibration(
            groups=tuple(record["groups"]),
            z=np.asarray(record["z"], dtype=float),
            counts=np.asarray(record["counts"], dtype=float),
            growth=float(record["growth"]),
            season=int(record["season"]),
        )


def random_walk(steps: int, season: int) -> Float:
    """(steps, 199) scaled error quantiles of a heavy-tailed random walk.

    With a season the walk is from season to season.
    """
    share = SHARE_OF_WALK if season == 1 else SHARE_OF_SEASONAL_WALK
    gaussian = float(np.sqrt(np.pi / 2) * norm.ppf(0.9))
    shape = student.ppf(GRID, TAILS) / student.ppf(0.9, TAILS)
    walked = 1 + (np.arange(steps) // season)
    return np.asarray(share * gaussian * np.sqrt(walked)[:, None] * shape[None, :])


def calibrate(past: Replay, blended: Float, lengths: Int, recipe: Recipe, *, season: int) -> Calibration:
    """Learn the error quantiles of ``blended`` (O, B, H) from what is known within ``lengths`` (B,).

    Errors of histories of nothing but zeros have no yardstick and are left out. Errors beyond
    ``WIDEST_ERROR`` usual changes count as that: a plant back from standstill must not widen the
    bands of all others without end.
    """
    usable = past.known_by(lengths) & np.isfinite(blended) & (past.scale != ONLY_ZEROS)[:, :, None]
    z = np.clip((past.actual - blended) / past.scale[:, :, None], -WIDEST_ERROR, WIDEST_ERROR)
    origins, _, steps = z.shape
    age = recipe.memory ** np.arange(origins)[::-1]
    weight = np.where(usable, age[:, None, None], 0.0)
    groups = (*sorted(set(past.pools)), "")
    kinds = np.asarray(past.pools)
    prior = random_walk(steps, season)
    cutoffs = usable.any(axis=1).sum(axis=0)
    table, counts = np.empty((len(groups), steps, len(GRID))), np.zeros((len(groups), steps))
    for g in range(len(groups) - 1, -1, -1):
        name = groups[g]
        inside = np.ones(len(kinds), dtype=bool) if name == "" else kinds == name
        fallback, strength = (prior, PRIOR_ERRORS) if name == "" else (table[-1], POOL_PRIOR)
        counts[g] = usable[:, inside].sum(axis=(0, 1))
        own = _own_quantiles(z[:, inside], usable[:, inside], weight[:, inside], fallback)
        share = (counts[g] / (counts[g] + strength))[:, None]
        table[g] = share * own + (1 - share) * fallback
    believed = (cutoffs / (cutoffs + PRIOR_CUTOFFS))[None, :, None]
    mixed = believed * table + (1 - believed) * prior
    widened = np.stack([_widening(z, n, season) for z, n in zip(mixed, counts, strict=True)])
    table = _centred(widened, cutoffs)
    return Calibration(groups, table, counts, _growth(table[-1], season), season)


def _centred(table: Float, cutoffs: Int) -> Float:
    """The quantiles (G, H, 199) moved towards a median of zero, the fewer ``cutoffs`` (H,) the further."""
    unknown = UNBIASED_CUTOFFS / (cutoffs + UNBIASED_CUTOFFS)
    middle = table[:, :, len(GRID) // 2]
    return np.asarray(table - (unknown[None, :] * middle)[:, :, None])


def _own_quantiles(z: Float, usable: Bool, weight: Float, fallback: Float) -> Float:
    """(H, 199) quantiles of the usable errors (O, b, H) of each step; ``fallback`` where there are none."""
    out = fallback.copy()
    for h in range(len(out)):
        chosen = usable[:, :, h]
        own = weighted_quantiles(z[:, :, h][chosen], weight[:, :, h][chosen])
        out[h] = fallback[h] if own is None else own
    return out


def weighted_quantiles(values: Float, weights: Float) -> Float | None:
    """(199,) quantiles at ``GRID`` of weighted values; None where there are none."""
    if len(values) == 0:
        return None
    order = np.argsort(values, kind="stable")
    held = weights[order]
    middle = (np.cumsum(held) - 0.5 * held) / held.sum()
    return np.asarray(np.interp(GRID, middle, values[order]))


def _widening(z: Float, counts: Float, season: int) -> Float:
    """Spread must not shrink with the step: later steps have fewer past cutoffs, not more certainty."""
    spread = z[:, MIDDLE.stop - 1] - z[:, MIDDLE.start]
    if season > 1 or len(z) < 2 or (spread <= 0).any():
        return z
    monotone = isotonic_regression(spread, sample_weight=counts + 1.0, increasing=True)
    centre = z[:, len(GRID) // 2][:, None]
    return np.asarray(centre + (z - centre) * (monotone / spread)[:, None])


def _growth(z: Float, season: int) -> float:
    """Exponent of the spread against the step, between a standstill and a straight line."""
    spread = z[:, MIDDLE.stop - 1] - z[:, MIDDLE.start]
    if len(z) < 3 or spread[0] <= 0 or season > 1:
        return 0.5
    slope = np.polyfit(np.log(np.arange(1, len(z) + 1)), np.log(np.maximum(spread, 1e-9)), 1)[0]
    return float(np.clip(slope, 0.2, 1.0))
