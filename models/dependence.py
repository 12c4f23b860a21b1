"""Joint sample paths: bands stay as calibrated, and errors move together over steps and series.

A Gaussian copula with a common factor, a factor per area and the rest each series' own. Along the
steps the correlation of steps h and k is (min/max)^kappa, that of a random walk at kappa = 1/2. Every
path value is read off the calibrated quantiles of its own series and step, so single series keep their
bands exactly, and a total is the sum path by path. Quantiles are never added.
"""

from __future__ import annotations

from collections.abc import Sequence
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
# Values read at once: so many stay in the processor's cache, and millions take eight times as long.
TOGETHER = 16_384


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
    rows = summed_up(past.groups)
    scores = normal_scores(past, blended, lengths, calibration, rows)
    # Series outermost in memory: their order there is the order in which floats are summed below.
    scores = scores.swapaxes(0, 1).copy().swapaxes(0, 1)
    areas = tuple(np.asarray(areas, dtype=object)[rows])
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


def normal_scores(past: Replay, blended: Float, lengths: Int, calibration: Calibration, rows: Int) -> Float:
    """(O, b, H) standard normal scores of past errors of the series ``rows`` within their calibrated bands;
    NaN if unknown."""
    steps = blended.shape[2]
    with np.errstate(invalid="ignore"):
        z = (past.actual[:, rows] - blended[:, rows]) / past.scale[:, rows, None]
    z = np.where(past.known_by(lengths)[:, rows], z, np.nan)
    below = np.full(z.shape, np.nan)
    pools = np.asarray(past.pools)[rows]
    for pool in sorted(set(pools.tolist())):
        mine = np.flatnonzero(pools == pool)
        table = calibration.of((pool,), steps)[0]
        for h in range(steps):
            below[:, mine, h] = np.searchsorted(table[h], z[:, mine, h]) / len(GRID)
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
    shared = np.sqrt(dependence.common) * walk(1)
    shared = shared + np.sqrt(dependence.area) * walk(len(names))
    scores = walk(len(areas))
    scores *= np.sqrt(own)
    scores += shared[code]
    even = np.broadcast_to((np.arange(count) + 0.5) / count, scores.shape)
    ranks = np.empty(scores.shape)
    np.put_along_axis(ranks, scores.argsort(axis=2), even, axis=2)
    return ranks


def read_quantiles(values: Float, ranks: Float) -> Float:
    """Values (B, H, P) at ``ranks`` of quantile curves (B, H, 199) given at ``GRID``.

    Beyond the outermost grid points the curve goes on along its last slope.
    """
    curves, asked = values.reshape(-1, len(GRID)), ranks.reshape(-1, ranks.shape[2])
    out = np.empty(asked.shape)
    some = max(1, TOGETHER // max(asked.shape[1], 1))
    for first in range(0, len(asked), some):
        mine = curves[first : first + some]
        left, share = _placed(asked[first : first + some])
        at = left + np.arange(len(mine))[:, None] * len(GRID)
        low, high = mine.take(at), mine.take(at + 1)
        out[first : first + some] = low + share * (high - low)
    return out.reshape(ranks.shape)


@dataclass(frozen=True)
class Levels:
    """Levels in (0, 1) that many curves are read at, as ``read_quantiles`` reads them.

    Attributes:
        columns: (2 Q,) points of ``GRID`` that are read: those from which, then those towards which.
        share: (Q,) how many widths beyond the first the level lies.
    """

    columns: Int
    share: Float

    @staticmethod
    def of(levels: Sequence[float]) -> Levels:
        """Where these levels are read."""
        left, share = _placed(np.asarray(levels, dtype=float))
        return Levels(np.concatenate([left, left + 1]), share)

    def off(self, values: Float) -> Float:
        """(…, Q) values at the levels, of curves (…, 2 Q) given at ``columns`` alone."""
        low, high = values[..., : len(self.share)], values[..., len(self.share) :]
        return np.asarray(low + self.share * (high - low))


def _placed(ranks: Float) -> tuple[Int, Float]:
    """The point of ``GRID`` each rank is read from, and how many widths beyond it the rank lies."""
    place = (ranks - GRID[0]) / float(GRID[1] - GRID[0])
    left = np.clip(np.floor(place).astype(np.int64), 0, len(GRID) - 2)
    return left, place - left
