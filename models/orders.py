"""Which ARIMA: d by KPSS, orders, constant and grid point by AICc, for a panel and many origins at once.

The dictionary's whitening matrices are lower triangular, so the innovations of a series up to an
earlier origin are the first innovations of the whole: one product serves every expanding origin, and
prefix sums of e² are their likelihoods. Inside one count of parameters the likeliest point is the one
with the smallest Σe² · exp(2 log det / n), so logarithms are taken of the winners only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from models import whitening

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

CHUNK = 256
# Innovations held at a time: what fits the second cache of a small machine.
HELD = 300_000
KPSS_5_PERCENT = 0.463
LEAST = 4
TINY = 1e-300


@dataclass(frozen=True)
class Choice:
    """Orders and parameters of b series.

    Attributes:
        d, p, q: (b,) orders.
        constant: (b,) True where a mean is estimated.
        point: (b,) row of the dictionary.
        aicc: (b,) corrected Akaike criterion of the choice.
    """

    d: Int
    p: Int
    q: Int
    constant: Bool
    point: Int
    aicc: Float


def kpss_rejects(x: Float) -> Bool:
    """(b,) True where level-stationarity is rejected at 5% (Kwiatkowski et al. 1992, lag rule of
    Hyndman & Khandakar 2008: floor(3 sqrt(n) / 13))."""
    n = x.shape[1]
    e = x - x.mean(axis=1, keepdims=True)
    spread = (e**2).sum(axis=1)
    long_run = spread.copy()
    lags = int(np.floor(3 * np.sqrt(n) / 13))
    for i in range(1, lags + 1):
        long_run += 2 * (1 - i / (lags + 1)) * (e[:, i:] * e[:, :-i]).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = (np.cumsum(e, axis=1) ** 2).sum(axis=1) / (n * long_run)
    return np.asarray((spread > 1e-12) & (statistic > KPSS_5_PERCENT))


def penalty(parameters: int, n: Int) -> Float:
    """AICc's price of ``parameters`` estimated from n figures; infinite where none are left. Shape of n."""
    room = n - parameters - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        correction = 2 * parameters * (parameters + 1) / np.where(room > 0, room, 1)
    return np.where(room > 0, 2 * parameters + correction, np.inf)


def choose(values: Float, *, words: whitening.Dictionary, drift: bool) -> Choice:
    """Orders and grid parameters of complete rows (b, n) of one length."""
    return choose_origins(values, [values.shape[1]], words=words, drift=drift)[0]


def choose_origins(
    values: Float, ends: Sequence[int], *, words: whitening.Dictionary, drift: bool
) -> list[Choice]:
    """What ``choose`` would say of the first ``end`` columns of complete rows (b, n), for each end.

    Args:
        values: rows of one length.
        ends: increasing prefix lengths, at most n.
        words: a dictionary at least as long.
        drift: whether a constant may enter at d = 1.
    """
    d = np.stack([_degree(values[:, :end]) for end in ends])
    best = _Best(np.full(d.shape, np.inf), np.zeros(d.shape, dtype=np.int64), np.zeros(d.shape, dtype=bool))
    for degree in (0, 1):
        lengths = np.asarray(ends, dtype=np.int64) - degree
        asked = d == degree
        rows = np.flatnonzero(asked.any(axis=0))
        if len(rows) == 0 or lengths.max() < 2:
            continue
        search = _Search.of(words, lengths, constants=(False, True) if drift or degree == 0 else (False,))
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            w = np.diff(values[part, : ends[-1]], n=degree, axis=1)
            search.run(w, part, asked[:, part], best)
    return [_choice(d[k], best, k, words) for k in range(len(ends))]


def _degree(values: Float) -> Int:
    if values.shape[1] <= LEAST:
        return np.ones(len(values), dtype=np.int64)
    return kpss_rejects(values).astype(np.int64)


@dataclass(frozen=True)
class _Best:
    """The best so far of K origins and b rows, written into as the search goes on. Each (K, b)."""

    aicc: Float
    point: Int
    constant: Bool


def _choice(d: Int, best: _Best, k: int, words: whitening.Dictionary) -> Choice:
    orders = words.orders[best.point[k]]
    return Choice(
        d=d,
        p=orders[:, 0],
        q=orders[:, 1],
        constant=best.constant[k],
        point=best.point[k],
        aicc=best.aicc[k],
    )


@dataclass(frozen=True)
class _Search:
    """What the grid search needs of a dictionary for prefixes of K lengths, the longest n.

    Attributes:
        lengths: (K,) differenced figures in each prefix.
        white: (G, n, n) whitening matrices.
        shrink: (G, K) exp(2 log det / length).
        mean_of: (G, K, n) rows that give z'e of each prefix; z are the whitened ones.
        mean_size: (G, K) z'z of each prefix.
        pieces: points handled together, and how many parameters they have.
        constants: whether a mean is tried.
    """

    lengths: Int
    white: Float
    shrink: Float
    mean_of: Float
    mean_size: Float
    pieces: tuple[tuple[slice, int], ...]
    constants: tuple[bool, ...]

    @staticmethod
    def of(words: whitening.Dictionary, lengths: Int, constants: tuple[bool, ...]) -> _Search:
        n = int(lengths.max())
        white = np.ascontiguousarray(words.white[:, :n, :n])
        last = np.maximum(lengths, 1) - 1
        ones = words.ones[:, :n]
        inside = np.arange(n)[None, :] <= last[:, None]
        return _Search(
            lengths=lengths,
            white=white,
            shrink=np.exp(2 * words.log_det[:, last] / np.maximum(lengths, 1)),
            mean_of=(ones[:, None, :] * inside) @ white,
            mean_size=np.cumsum(ones**2, axis=1)[:, last],
            pieces=_pieces(words.parameters, max(1, HELD // (n * CHUNK))),
            constants=constants,
        )

    def run(self, w: Float, rows: Int, asked: Bool, best: _Best) -> None:
        """Better the ``best`` of ``rows`` with what their differences (b, n) say, where ``asked`` (K, b)."""
        n = w.shape[1]
        turned = np.ascontiguousarray(w.T)
        prefix = (np.arange(n)[None, :] < self.lengths[:, None]).astype(float)
        for piece, parameters in self.pieces:
            e = (self.white[piece].reshape(-1, n) @ turned).reshape(-1, n, len(w))
            square = prefix @ np.multiply(e, e, out=e)
            for constant in self.constants:
                if constant:
                    cross = (self.mean_of[piece].reshape(-1, n) @ turned).reshape(square.shape)
                    square = square - cross**2 / self.mean_size[piece][:, :, None]
                self._keep(square, piece, parameters, constant, rows, asked, best)

    def _keep(
        self, square: Float, piece: slice, parameters: int, constant: bool, rows: Int, asked: Bool,
        best: _Best,
    ) -> None:  # fmt: skip
        size = square * self.shrink[piece][:, :, None]
        n = self.lengths[:, None]
        price = np.where(n >= 2, penalty(parameters + 1 + int(constant), n), np.inf)
        least = np.maximum(size.min(axis=0) / np.maximum(n, 1), TINY)
        value = n * (np.log(2 * np.pi * least) + 1.0) + price
        better = asked & (value < best.aicc[:, rows])
        k, b = np.nonzero(better)
        if len(k) == 0:
            return
        best.aicc[k, rows[b]] = value[k, b]
        best.point[k, rows[b]] = piece.start + size[:, k, b].argmin(axis=0)
        best.constant[k, rows[b]] = constant


def _pieces(parameters: Int, size: int) -> tuple[tuple[slice, int], ...]:
    """Runs of grid points with the same number of parameters, at most ``size`` long."""
    edges = [0, *(np.flatnonzero(np.diff(parameters)) + 1).tolist(), len(parameters)]
    return tuple(
        (slice(at, min(at + size, stop)), int(parameters[start]))
        for start, stop in pairwise(edges)
        for at in range(start, stop, size)
    )
