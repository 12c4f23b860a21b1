"""Maximum likelihood of small ARMA models for many rows at once.

The innovations algorithm for ARMA processes (Brockwell & Davis, Time Series: Theory and Methods,
5.3.3-5.3.9) with m = 2 needs two lags of innovations for every order with p, q ≤ 2, so one pass over
time serves all rows and all trial parameters together. Newton's method from the dictionary's point
climbs to the maximum in Fisher's z of the partial autocorrelations, where every point is stationary
and invertible. statsmodels is the oracle (``tests/oracles``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.whitening import Dictionary

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

# Partial autocorrelations stay inside tanh(EDGE) = 0.9999: an MA root on the circle has no maximum inside.
EDGE = 4.95
ROUNDS = 25
STEP = 1e-3
LONGEST_MOVE = 1.0
SHARES = (1.0, 0.25, 0.05)
ENOUGH = 1e-10
TINY = 1e-300


@dataclass(frozen=True)
class Arma:
    """Parameters of b rows.

    Attributes:
        ar: (b, 2) autoregressive coefficients, zero beyond p.
        ma: (b, 2) moving-average coefficients, zero beyond q.
        mean: (b,) mean of the (differenced) series; zero where none is estimated.
        log_likelihood: (b,) exact Gaussian, variance concentrated out.
    """

    ar: Float
    ma: Float
    mean: Float
    log_likelihood: Float

    def take(self, rows: Int) -> Arma:
        """The parameters of these rows."""
        return Arma(self.ar[rows], self.ma[rows], self.mean[rows], self.log_likelihood[rows])


def fit(words: Dictionary, point: Int, constant: Bool, w: Float) -> Arma:
    """The likeliest parameters of complete rows ``w`` (b, n), orders and start from the dictionary.

    Args:
        words: where the search starts.
        point: (b,) row of the dictionary.
        constant: (b,) True where a mean is estimated.
        w: figures, differenced already.
    """
    p = words.orders[point, 0]
    free = words.parameters[point]
    z = np.where(np.arange(2) < free[:, None], np.arctanh(_partials(words, point, p)), 0.0)
    climbing = np.flatnonzero(free > 0)
    for _ in range(ROUNDS):
        if len(climbing) == 0:
            break
        moved, gain = _climb(z[climbing], p[climbing], free[climbing], constant[climbing], w[climbing])
        z[climbing] = moved
        climbing = climbing[gain > ENOUGH]
    ar, ma = coefficients(z, p, free)
    value, mean = likelihood(ar[None], ma[None], constant, w)
    return Arma(ar=ar, ma=ma, mean=mean[0], log_likelihood=value[0])


def at_grid(words: Dictionary, point: Int, constant: Bool, w: Float) -> Arma:
    """The parameters of the dictionary's own points for complete rows ``w`` (b, n)."""
    ar, ma = words.ar[point], words.ma[point]
    value, mean = likelihood(ar[None], ma[None], constant, w)
    return Arma(ar=ar, ma=ma, mean=mean[0], log_likelihood=value[0])


def coefficients(z: Float, p: Int, free: Int) -> tuple[Float, Float]:
    """(…, b, 2) autoregressive and moving-average coefficients of Fisher's z of the partials (…, b, 2).

    The first p partials are the autoregression's, the rest up to ``free`` the moving average's.
    """
    r = np.tanh(z)
    first = np.where(free == 2, r[..., 0] * (1 - r[..., 1]), r[..., 0])
    pair = np.stack([first, np.where(free == 2, r[..., 1], 0.0)], axis=-1)
    none = np.zeros_like(pair)
    own = np.stack([r[..., 0], np.zeros_like(first)], axis=-1)
    other = np.stack([-r[..., 1], np.zeros_like(first)], axis=-1)
    mixed = ((p == 1) & (free == 2))[:, None]
    autoregressive = ((p > 0) & (p == free))[:, None]
    ar = np.where(mixed, own, np.where(autoregressive, pair, none))
    ma = np.where(mixed, other, np.where(autoregressive, none, -pair))
    return ar, np.where((free > 0)[:, None], ma, 0.0)


def _partials(words: Dictionary, point: Int, p: Int) -> Float:
    """(b, 2) partial autocorrelations of grid points, the autoregression's first."""
    ar, ma = words.ar[point], -words.ma[point]
    both = np.where((p == 0)[:, None], ma, ar)
    pair = np.stack([both[:, 0] / (1 - both[:, 1]), both[:, 1]], axis=1)
    mixed = (p == 1) & (words.parameters[point] == 2)
    return np.where(mixed[:, None], np.stack([ar[:, 0], ma[:, 0]], axis=1), pair)


def _climb(z: Float, p: Int, free: Int, constant: Bool, w: Float) -> tuple[Float, Float]:
    """One damped Newton step of (b, 2) parameters: where it leads and by how much the likelihood grows."""
    value, slope, bend = _derivatives(z, p, free, constant, w)
    low, turn = np.linalg.eigh(-bend)
    # A direction in which the likelihood bends upwards is climbed by its slope alone.
    length = np.einsum("bji,bj->bi", turn, slope) / np.maximum(np.abs(low), 1e-6)
    move = np.einsum("bij,bj->bi", turn, np.clip(length, -LONGEST_MOVE, LONGEST_MOVE))
    move = np.where(np.arange(2) < free[:, None], move, 0.0)
    trials = np.stack([np.clip(z + share * move, -EDGE, EDGE) for share in SHARES])
    reached, _ = likelihood(*coefficients(trials, p, free), constant, w)
    best = reached.argmax(axis=0)
    rows = np.arange(len(z))
    gain = reached[best, rows] - value
    return np.where((gain > 0)[:, None], trials[best, rows], z), gain


def _derivatives(z: Float, p: Int, free: Int, constant: Bool, w: Float) -> tuple[Float, Float, Float]:
    """Log-likelihood (b,), its gradient (b, 2) and Hessian (b, 2, 2), by central differences."""
    pattern = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1)])
    stencil = z[None] + STEP * pattern[:, None, :]
    f, _ = likelihood(*coefficients(stencil, p, free), constant, w)
    slope = np.stack([f[1] - f[2], f[3] - f[4]], axis=1) / (2 * STEP)
    across = (f[5] + f[6] - f[7] - f[8]) / (4 * STEP**2)
    along = np.stack([f[1] + f[2] - 2 * f[0], f[3] + f[4] - 2 * f[0]], axis=1) / STEP**2
    bend = np.stack([np.stack([along[:, 0], across], 1), np.stack([across, along[:, 1]], 1)], axis=1)
    single = (free < 2)[:, None, None]
    return f[0], slope, np.where(single, bend * np.array([[1, 0], [0, 0]]) - np.diag([0, 1]), bend)


def likelihood(ar: Float, ma: Float, constant: Bool, w: Float) -> tuple[Float, Float]:
    """(S, b) exact log-likelihoods of S trials of b rows, and their means (S, b), zero without constant.

    Args:
        ar, ma: (S, b, 2) coefficients.
        constant: (b,) True where a mean is concentrated out.
        w: (b, n) complete figures.
    """
    n = w.shape[1]
    run = _Innovations.start(ar, ma)
    squares = np.zeros((3, *ar.shape[:2]))
    log_det = np.zeros(ar.shape[:2])
    for t in range(n):
        v, e, one = run.step(w[:, t])
        squares += np.stack([e * e, e * one, one * one]) / v
        log_det += np.log(v)
    mean = np.where(constant, squares[1] / squares[2], 0.0)
    variance = np.maximum((squares[0] - mean * squares[1]) / n, TINY)
    return -0.5 * (n * (np.log(2 * np.pi * variance) + 1.0) + log_det), mean


def predict(parameters: Arma, w: Float, steps: int) -> Float:
    """(b, steps) best linear predictions of complete rows ``w`` (b, n)."""
    run = _Innovations.start(parameters.ar[None], parameters.ma[None])
    centred = w - parameters.mean[:, None]
    for t in range(w.shape[1]):
        run.step(centred[:, t])
    ahead = np.stack([run.step(None)[1][0] for _ in range(steps)], axis=1)
    return np.asarray(ahead + parameters.mean[:, None])


def residuals(parameters: Arma, w: Float) -> Float:
    """(b, n) innovations of complete rows ``w``, each divided by its own standard deviation ratio."""
    run = _Innovations.start(parameters.ar[None], parameters.ma[None])
    centred = w - parameters.mean[:, None]
    out = np.empty(w.shape)
    for t in range(w.shape[1]):
        v, e, _ = run.step(centred[:, t])
        out[:, t] = (e / np.sqrt(v))[0]
    return out


class _Innovations:
    """The innovations algorithm under way: what two periods back it remembers, for (S, b) series."""

    def __init__(self, ar: Float, ma: Float, gamma: tuple[Float, Float, Float]) -> None:
        self.ar, self.ma, self.gamma = ar, ma, gamma
        self.t = 0
        shape = ar.shape[:2]
        # Newest first: variances, loadings on the last innovation, innovations and figures of the
        # series, and the same of a series of ones.
        self.v = [np.ones(shape), np.ones(shape)]
        self.theta = np.zeros(shape)
        self.e = [np.zeros(shape), np.zeros(shape)]
        self.x = [np.zeros(shape), np.zeros(shape)]
        self.one = [np.zeros(shape), np.zeros(shape)]

    @staticmethod
    def start(ar: Float, ma: Float) -> _Innovations:
        """Before the first figure."""
        return _Innovations(ar, ma, _autocovariances(ar, ma))

    def step(self, figure: Float | None) -> tuple[Float, Float, Float]:
        """Variance ratio, innovation of ``figure`` (b,), and innovation of a one; each (S, b).

        Without a figure the prediction itself is returned as the innovation and taken for the figure.
        """
        same, one_back, two_back = self._kappa()
        second = two_back / self.v[1]
        first = (one_back - self.theta * second * self.v[1]) / self.v[0]
        v = same - first**2 * self.v[0] - second**2 * self.v[1]
        expected = first * self.e[0] + second * self.e[1]
        expected_one = first * self.one[0] + second * self.one[1]
        if self.t >= 2:
            expected = expected + self.ar[..., 0] * self.x[0] + self.ar[..., 1] * self.x[1]
            expected_one = expected_one + self.ar[..., 0] + self.ar[..., 1]
        x = expected if figure is None else np.broadcast_to(figure, expected.shape)
        e, one = x - expected, 1.0 - expected_one
        self.v, self.e, self.one = [v, self.v[0]], [e, self.e[0]], [one, self.one[0]]
        self.x, self.theta, self.t = [x, self.x[0]], first, self.t + 1
        return v, expected if figure is None else e, one

    def _kappa(self) -> tuple[Float, Float, Float]:
        """Covariances of the next figure of the transformed process with itself and the two before."""
        g, ar, ma = self.gamma, self.ar, self.ma
        if self.t < 2:
            return g[0], g[1] if self.t == 1 else np.zeros_like(g[0]), np.zeros_like(g[0])
        same = 1 + ma[..., 0] ** 2 + ma[..., 1] ** 2
        across_one = g[1] - ar[..., 0] * g[0] - ar[..., 1] * g[1]
        across_two = g[2] - ar[..., 0] * g[1] - ar[..., 1] * g[0]
        inside_one, inside_two = ma[..., 0] * (1 + ma[..., 1]), ma[..., 1]
        if self.t == 2:
            return same, across_one, across_two
        return same, inside_one, across_two if self.t == 3 else inside_two


def _autocovariances(ar: Float, ma: Float) -> tuple[Float, Float, Float]:
    """First three autocovariances of unit-innovation ARMA(2, 2) (Brockwell & Davis, eq. 3.3.8)."""
    a, b = ar[..., 0], ar[..., 1]
    c, d = ma[..., 0], ma[..., 1]
    psi_1 = a + c
    psi_2 = a * psi_1 + b + d
    right = 1 + c * psi_1 + d * psi_2, c + d * psi_1, d
    # gamma_1 (1 - b) = a gamma_0 + right_1, and gamma_2 = a gamma_1 + b gamma_0 + right_2.
    room = 1 - b
    top = right[0] + (a * right[1] * (1 + b)) / room + b * right[2]
    zero = top / (1 - b**2 - a**2 * (1 + b) / room)
    one = (a * zero + right[1]) / room
    return zero, one, a * one + b * zero + right[2]
