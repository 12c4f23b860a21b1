"""Joint sample paths: bands stay as calibrated, and errors move together over steps and series.

A Gaussian copula with a common factor, a factor per area and the rest each series' own. Along the
steps the correlation of steps h and k is (min/max)^kappa, that of a random walk at kappa = 1/2. Every
path value is read off the calibrated quantiles of its own series and step, so single series keep their
bands exactly, and a total is the sum path by path. Quantiles are never added.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from models.calibration import GRID, Calibration
from models.replay import Replay

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

LEAST_PAIRS = 3
PLANT = "plant"
DEFAULT_KAPPA = 0.5


@dataclass(frozen=True)
class Dependence:
    """How errors move together.

    Attributes:
        common: share of variance in the factor all series share.
        area: share of variance in the factor of one area.
        kappa: how quickly steps lose touch.
    """

    common: float
    area: float
    kappa: float

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)

    @staticmethod
    def of_record(record: dict[str, Any]) -> Dependence:
        """Inverse of ``as_record``."""
        return Dependence(**{name: float(value) for name, value in record.items()})


def learn_dependence(
    past: Replay, blended: Float, lengths: Int, calibration: Calibration, areas: tuple[str, ...]
) -> Dependence:
    """Estimate the shares from the normal scores of past errors.

    Args:
        past, blended, lengths: as in ``calibrate``.
        areas: (B,) area of each series.
    """
    scores = normal_scores(past, blended, lengths, calibration)
    rows = summed_up(past.groups)
    scores, areas = scores[:, rows], tuple(np.asarray(areas, dtype=object)[rows])
    everyone = _mean_pair(scores, np.zeros(len(areas), dtype=np.int64))
    _, code = np.unique(np.asarray(areas), return_inverse=True)
    near = _mean_pair(scores, code)
    common = float(np.clip(everyone, 0.0, 0.9))
    area = float(np.clip(near - common, 0.0, 0.95 - common))
    return Dependence(common=common, area=area, kappa=_kappa(scores))


def summed_up(groups: tuple[str, ...]) -> Int:
    """Rows whose errors say how totals err: sums where there are such, for plants alone err apart."""
    rows = np.flatnonzero(np.asarray(groups) != PLANT)
    return rows if len(rows) else np.arange(len(groups))


def normal_scores(past: Replay, blended: Float, lengths: Int, calibration: Calibration) -> Float:
    """(O, B, H) standard normal scores of past errors within their calibrated bands; NaN if unknown."""
    steps = blended.shape[2]
    with np.errstate(invalid="ignore"):
        z = (past.actual - blended) / past.scale[:, :, None]
    z = np.where(past.known_by(lengths), z, np.nan)
    below = np.full(z.shape, np.nan)
    pools = np.asarray(past.pools)
    for pool in sorted(set(past.pools)):
        rows = np.flatnonzero(pools == pool)
        table = calibration.of((pool,), steps)[0]
        for h in range(steps):
            below[:, rows, h] = np.searchsorted(table[h], z[:, rows, h]) / len(GRID)
    below = np.where(np.isfinite(z), below, np.nan)
    return np.asarray(norm.ppf(np.clip(below, 0.0025, 0.9975)))


def _mean_pair(scores: Float, code: Int) -> float:
    """Mean product of the scores of two different series of one group at one cutoff and step."""
    held = np.isfinite(scores)
    filled = np.where(held, scores, 0.0)
    products, pairs = 0.0, 0.0
    for group in np.unique(code):
        inside = code == group
        n = held[:, inside].sum(axis=1)
        total = filled[:, inside].sum(axis=1)
        square = (filled[:, inside] ** 2).sum(axis=1)
        products += float((total**2 - square).sum())
        pairs += float((n * (n - 1)).sum())
    return products / pairs if pairs >= LEAST_PAIRS else 0.0


def _kappa(scores: Float) -> float:
    """Least-squares fit of log correlation of steps on the log ratio of steps, through the origin."""
    steps = scores.shape[2]
    top, bottom = 0.0, 0.0
    for h in range(steps):
        for k in range(h + 1, steps):
            both = np.isfinite(scores[:, :, h]) & np.isfinite(scores[:, :, k])
            if both.sum() < 10 * LEAST_PAIRS:
                continue
            a, b = scores[:, :, h][both], scores[:, :, k][both]
            spread = np.sqrt((a**2).mean() * (b**2).mean())
            r = np.clip((a * b).mean() / max(spread, 1e-9), 0.05, 0.999)
            ratio = np.log((k + 1) / (h + 1))
            top += -np.log(r) * ratio
            bottom += ratio**2
    return float(np.clip(top / bottom, 0.05, 3.0)) if bottom > 0 else DEFAULT_KAPPA


def sample_ranks(dependence: Dependence, areas: tuple[str, ...], steps: int, count: int, seed: int) -> Float:
    """(B, steps, count) uniform ranks in (0, 1), jointly dependent; each (series, step) row is an
    exact, evenly spaced set of ranks."""
    draw = np.random.default_rng(seed)
    ahead = np.arange(1, steps + 1)
    ratio = np.minimum.outer(ahead, ahead) / np.maximum.outer(ahead, ahead)
    root = np.linalg.cholesky(ratio**dependence.kappa + 1e-10 * np.eye(steps))
    names, code = np.unique(np.asarray(areas), return_inverse=True)

    def walk(rows: int) -> Float:
        return np.asarray(root @ draw.standard_normal((rows, steps, count)))

    own = max(1.0 - dependence.common - dependence.area, 0.0)
    scores = np.sqrt(dependence.common) * walk(1)
    scores = scores + np.sqrt(dependence.area) * walk(len(names))[code]
    scores = scores + np.sqrt(own) * walk(len(areas))
    ranks: Float = np.empty_like(scores)
    np.put_along_axis(ranks, scores.argsort(axis=2), (np.arange(count) + 0.5) / count, axis=2)
    return ranks


def read_quantiles(values: Float, ranks: Float) -> Float:
    """Values (B, H, P) at ``ranks`` of quantile curves (B, H, 199) given at ``GRID``.

    Beyond the outermost grid points the curve goes on along its last slope.
    """
    width = float(GRID[1] - GRID[0])
    place = (ranks - GRID[0]) / width
    left = np.clip(np.floor(place).astype(np.int64), 0, len(GRID) - 2)
    low = np.take_along_axis(values, left, axis=2)
    high = np.take_along_axis(values, left + 1, axis=2)
    return np.asarray(low + (place - left) * (high - low))
