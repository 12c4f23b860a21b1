"""Exact Gaussian ARMA likelihoods of a whole panel as matrix products.

For one ARMA(p, q) point the inverse Cholesky factor W of the unit-innovation autocovariance turns a
series w into its innovations e = W w; the exact log-likelihood depends on sum(e²) and log det alone
(Brockwell & Davis, Time Series: Theory and Methods, ch. 8). A dictionary holds W over a grid of
stationary, invertible points; because W is lower triangular its leading n x n block serves every
shorter series.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.linalg import toeplitz

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

REACH = 0.97
RESOLUTION = {1: 25, 2: 15}
ORDERS = ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2))


def ar_of_partial(partial: Float) -> Float:
    """Autoregressive coefficients of partial autocorrelations in (-1, 1) (Durbin-Levinson)."""
    ar = np.zeros(0)
    for r in partial:
        ar = np.concatenate([ar - r * ar[::-1], [r]])
    return ar


def autocovariance(ar: Float, ma: Float, count: int) -> Float:
    """First ``count`` autocovariances of a unit-innovation ARMA (Brockwell & Davis, eq. 3.3.8)."""
    p, q = len(ar), len(ma)
    width = max(p, q) + 1
    theta = np.concatenate([[1.0], ma])
    psi = psi_weights(ar, ma, width)
    right = np.zeros(width)
    for k in range(q + 1):
        right[k] = theta[k:] @ psi[: q + 1 - k]
    left = np.zeros((width, width))
    for k in range(width):
        for j, c in enumerate(np.concatenate([[1.0], -ar])):
            left[k, abs(k - j)] += c
    gamma = np.zeros(max(count, width))
    gamma[:width] = np.linalg.solve(left, right)
    for k in range(width, len(gamma)):
        gamma[k] = ar @ gamma[k - p : k][::-1] if p else 0.0
    return gamma[:count]


def psi_weights(ar: Float, ma: Float, count: int) -> Float:
    """First ``count`` coefficients of the infinite moving average: psi_0 = 1. (count,)."""
    psi = np.zeros(count)
    for k in range(count):
        value = 1.0 if k == 0 else (ma[k - 1] if k <= len(ma) else 0.0)
        for j in range(min(k, len(ar))):
            value += ar[j] * psi[k - 1 - j]
        psi[k] = value
    return psi


@dataclass(frozen=True)
class Dictionary:
    """Whitening matrices of G grid points for series of up to n differenced figures.

    Attributes:
        orders: (G, 2) p and q of each point.
        ar: (G, 2) autoregressive coefficients, zero beyond p.
        ma: (G, 2) moving-average coefficients, zero beyond q.
        white: (G, n, n) inverse Cholesky factor W of the unit-innovation covariance, lower triangular.
        log_det: (G, n) half log-determinant of the covariance of the first k+1 figures.
        ones: (G, n) W applied to a constant series.
    """

    orders: Int
    ar: Float
    ma: Float
    white: Float
    log_det: Float
    ones: Float

    @property
    def parameters(self) -> Int:
        """(G,) p + q."""
        return np.asarray(self.orders.sum(axis=1), dtype=np.int64)


def grid_points(orders: tuple[tuple[int, int], ...]) -> list[tuple[Float, Float]]:
    """(ar, ma) of every grid point, dense towards the edge of stationarity (Fisher z spacing)."""
    points = []
    for p, q in orders:
        if p + q == 0:
            points.append((np.zeros(0), np.zeros(0)))
            continue
        edge = np.arctanh(REACH)
        axis = np.tanh(np.linspace(-edge, edge, RESOLUTION[p + q]))
        mesh = np.stack(np.meshgrid(*[axis] * (p + q), indexing="ij"), axis=-1)
        points += [(ar_of_partial(z[:p]), -ar_of_partial(z[p:])) for z in mesh.reshape(-1, p + q)]
    return points


@lru_cache(maxsize=8)
def dictionary(length: int) -> Dictionary:
    """The dictionary for series of up to ``length`` differenced figures (cached)."""
    points = grid_points(ORDERS)
    sizes = np.array([(len(ar), len(ma)) for ar, ma in points], dtype=np.int64)
    gammas = np.stack([autocovariance(ar, ma, length) for ar, ma in points])
    index = toeplitz(np.arange(length))
    lower = np.asarray(np.linalg.cholesky(gammas[:, index]), dtype=np.float64)
    # inv leaves rounding dust above the diagonal; leading blocks rely on it being lower triangular.
    white = np.asarray(np.tril(np.linalg.inv(lower)), dtype=np.float64)
    log_diagonal = np.log(np.diagonal(lower, axis1=1, axis2=2))
    return Dictionary(
        orders=sizes,
        ar=_padded([ar for ar, _ in points]),
        ma=_padded([ma for _, ma in points]),
        white=white,
        log_det=np.cumsum(log_diagonal, axis=1),
        ones=white.sum(axis=2),
    )


def _padded(rows: list[Float]) -> Float:
    out = np.zeros((len(rows), 2))
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def innovations(words: Dictionary, w: Float) -> Float:
    """(G, n, B) innovations of complete series ``w`` (B, n) at every grid point."""
    n = w.shape[1]
    block = words.white[:, :n, :n]
    return np.asarray((block.reshape(-1, n) @ w.T).reshape(len(block), n, len(w)))


def log_likelihood(words: Dictionary, w: Float, constant: bool) -> Float:
    """(G, B) exact Gaussian log-likelihood, variance (and mean, if ``constant``) concentrated out."""
    n = w.shape[1]
    e = innovations(words, w)
    square = np.einsum("gnb,gnb->gb", e, e)
    if constant:
        z = words.ones[:, :n]
        cross = np.einsum("gn,gnb->gb", z, e)
        square = square - cross**2 / np.einsum("gn,gn->g", z, z)[:, None]
    variance = np.maximum(square / n, 1e-300)
    log_likelihood = -0.5 * n * (np.log(2 * np.pi * variance) + 1.0) - words.log_det[:, n - 1][:, None]
    return np.asarray(log_likelihood)
