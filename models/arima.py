"""ARIMA for a whole panel: differencing by KPSS, orders by AICc over a whitening dictionary.

``final`` says who has the last word where p + q > 0: "grid" (the dictionary point), "filter"
(statsmodels' Kalman filter at that point) or "mle" (statsmodels from that point to the maximum). Rows
with gaps always go to statsmodels, whose filter needs no filling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense
from models import whitening
from models.complete import Block, blocks
from models.seasonal import Season, estimate

if TYPE_CHECKING:
    from statsmodels.tsa.statespace.sarimax import SARIMAX, SARIMAXResults

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Final = Literal["grid", "filter", "mle"]

LONGEST = 80
SIZES = (24, 48, LONGEST)
CHUNK = 128
KPSS_5_PERCENT = 0.463
LEAST = 4
POLISH_STEPS = 20


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


def words_for(length: int) -> whitening.Dictionary:
    """The smallest dictionary that holds series of ``length`` figures and the two steps after them."""
    return whitening.dictionary(next(size for size in SIZES if size >= length) + 2)


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


def aicc(log_likelihood: Float, parameters: Int, n: int) -> Float:
    """Corrected Akaike criterion; infinite where the correction has no degrees of freedom left."""
    k = parameters.astype(float)
    room = n - k - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        correction = np.where(room > 0, 2 * k * (k + 1) / np.where(room > 0, room, 1.0), np.inf)
    return np.asarray(-2 * log_likelihood + (2 * k + correction)[:, None])


def choose(values: Float, *, words: whitening.Dictionary, drift: bool) -> Choice:
    """Orders and grid parameters of complete rows (b, n) of one length."""
    count, n = values.shape
    d = kpss_rejects(values).astype(np.int64) if n > LEAST else np.ones(count, dtype=np.int64)
    best = Choice(
        d=d,
        p=np.zeros(count, dtype=np.int64),
        q=np.zeros(count, dtype=np.int64),
        constant=np.zeros(count, dtype=bool),
        point=np.zeros(count, dtype=np.int64),
        aicc=np.full(count, np.inf),
    )
    for degree in (0, 1):
        rows = np.flatnonzero(d == degree)
        options = (False, True) if (degree == 0 or drift) else (False,)
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            w = np.diff(values[part], n=degree, axis=1)
            for constant in options:
                _keep_better(best, part, w, constant, words)
    return best


def _keep_better(best: Choice, rows: Int, w: Float, constant: bool, words: whitening.Dictionary) -> None:
    n = w.shape[1]
    if n < 2:
        return
    fit = whitening.log_likelihood(words, w, constant)
    criterion = aicc(fit, words.parameters + 1 + int(constant), n)
    point = criterion.argmin(axis=0)
    value = criterion[point, np.arange(len(rows))]
    better = value < best.aicc[rows]
    at = rows[better]
    best.aicc[at] = value[better]
    best.point[at] = point[better]
    best.constant[at] = constant
    best.p[at] = words.orders[point[better], 0]
    best.q[at] = words.orders[point[better], 1]


def predict(values: Float, choice: Choice, words: whitening.Dictionary, steps: int) -> Float:
    """(b, steps) best linear predictions of complete rows at their grid points, on their own scale."""
    out = np.empty((len(values), steps))
    for degree in (0, 1):
        rows = np.flatnonzero(choice.d == degree)
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            w = np.diff(values[part], n=degree, axis=1)
            ahead = _predict_differences(w, choice.point[part], choice.constant[part], words, steps)
            out[part] = values[part, -1:] + np.cumsum(ahead, axis=1) if degree else ahead
    return out


def _predict_differences(
    w: Float, point: Int, constant: Bool, words: whitening.Dictionary, steps: int
) -> Float:
    n = w.shape[1]
    if n == 0:
        return np.zeros((len(w), steps))
    mean = np.where(constant, whitening.constant_of(words, point, w), 0.0)
    return whitening.predict(words, point, w - mean[:, None], steps) + mean[:, None]


def last_word(block: Float, gaps: Bool, choice: Choice, row: int, *, final: Final, steps: int) -> Float:
    """(steps,) statsmodels' forecast of one row of ``block`` at, or polished from, its grid point."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    words = words_for(block.shape[1])
    p, d, q = int(choice.p[row]), int(choice.d[row]), int(choice.q[row])
    values = np.where(gaps[row], np.nan, block[row])
    constant = bool(choice.constant[row])
    model = SARIMAX(
        values,
        order=(p, d, q),
        # A constant in mean form, as the dictionary has it: an intercept would be mean * (1 - sum ar).
        exog=_mean_column(len(values), d, shift=0) if constant else None,
        concentrate_scale=True,
        enforce_stationarity=True,
        enforce_invertibility=True,
    )
    point = choice.point[row]
    start = [*words.ar[point, :p], *words.ma[point, :q]]
    if constant:
        w = np.diff(block[row : row + 1], n=d, axis=1)
        start = [float(whitening.constant_of(words, choice.point[row : row + 1], w)[0]), *start]
    # With one figure among gaps there is no variance to concentrate out: what comes of it is not finite.
    with np.errstate(divide="ignore", invalid="ignore"):
        result = _polished(model, start) if final == "mle" and start else model.filter(np.asarray(start))
        ahead = _mean_column(steps, d, shift=len(values)) if constant else None
        return np.asarray(result.forecast(steps, exog=ahead))


def _polished(model: SARIMAX, start: list[float]) -> SARIMAXResults:
    """The maximum found from ``start``, or ``start`` itself where the search ends worse."""
    result = model.filter(np.asarray(start))
    found = model.fit(
        start_params=start,
        disp=False,
        maxiter=POLISH_STEPS,
        method="lbfgs",
        cov_type="none",
        warn_convergence=False,
    )
    return found if found.llf > result.llf else result


def _mean_column(count: int, d: int, *, shift: int) -> Float:
    """Regressor whose coefficient is the mean of the d times differenced series. (count, 1)."""
    axis = np.arange(shift, shift + count, dtype=float)
    return (axis if d else np.ones(count))[:, None]


@dataclass(frozen=True)
class Arima:
    """ARIMA(p, d, q) with p + q ≤ 2, d by KPSS, on seasonally adjusted figures.

    Attributes:
        final: who has the last word where p + q > 0.
        drift: whether a constant may enter at d = 1.
    """

    final: Final = "grid"
    drift: bool = False
    name: str = "arima"

    def fit(self, history: Dense) -> Arima:
        """Orders are chosen from the history given to ``forecast``: nothing to keep."""
        return self

    def forecast(self, history: Dense, steps: int) -> Float:
        """(B, steps) tCO2e; rows without a figure get 0."""
        out = np.zeros((len(history.ids), steps))
        for block in blocks(history, LONGEST):
            season = estimate(block.values, history.cadence.season)
            plain = season.strip(block.values)
            ahead = self._forecast_block(block, plain, steps)
            out[block.rows] = self._bounded(block, season, ahead) * block.scale[:, None]
        return np.asarray(np.where(history.non_negative[:, None], np.maximum(out, 0.0), out))

    def _forecast_block(self, block: Block, plain: Float, steps: int) -> Float:
        words = words_for(plain.shape[1])
        choice = choose(plain, words=words, drift=self.drift)
        ahead = predict(plain, choice, words, steps)
        spoken_for = (choice.p + choice.q > 0) & (self.final != "grid")
        for row in np.flatnonzero(spoken_for | block.gaps.any(axis=1)):
            polished = last_word(plain, block.gaps, choice, int(row), final=self.final, steps=steps)
            if np.isfinite(polished).all():
                ahead[row] = polished
        return ahead

    def _bounded(self, block: Block, season: Season, ahead: Float) -> Float:
        # A wild extrapolation (near-unit roots on six figures) stays within reach of the history.
        top = 3 * np.abs(block.values).max(axis=1)[:, None]
        return np.clip(season.restore(ahead), -top, top)
