"""Seasonal ARIMA for whole panels, from conditional sums of squares; statsmodels may have the last word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense
from models.arima import POLISH_STEPS, Arima
from models.complete import blocks, bounded, lawful
from models.conditional import DEGREES, Chosen, Model, choose, innovations

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Last = Literal["css", "filter", "mle"]

LONGEST_SEASONS: Final = 30
LEAST_SEASONS: Final = 3


def predict(values: Float, chosen: Chosen, m: int, steps: int) -> Float:
    """(b, steps) best linear predictions of complete rows (b, n)."""
    levels = [values]
    if chosen.seasonal_d:
        levels.append(values[:, m:] - values[:, :-m])
    w = np.diff(levels[-1], n=chosen.d, axis=1)
    ahead = _continued(w.T - chosen.model.mean, chosen.model, m, steps).T + chosen.model.mean[:, None]
    if chosen.d:
        ahead = levels[-1][:, -1:] + np.cumsum(ahead, axis=1)
    if chosen.seasonal_d:
        ahead = ahead.copy()
        for h in range(steps):
            ahead[:, h] += values[:, h - m] if h < m else ahead[:, h - m]
    return np.asarray(ahead)


def _continued(w: Float, model: Model, m: int, steps: int) -> Float:
    """(steps, b) the series (n, b) goes on with innovations of zero."""
    n, count = w.shape
    room = np.zeros((m + 2, count))
    e = np.vstack([room, innovations(w, model.ar, model.ma, model.seasonal_ar, model.seasonal_ma, m)])
    e = np.vstack([e, np.zeros((steps, count))])
    v = e.copy()
    for lag in (1, 2):
        v[lag:] += model.ma[:, lag - 1] * e[:-lag]
    u = v.copy()
    u[m:] += model.seasonal_ma * v[:-m]
    full = np.vstack([room, w, np.zeros((steps, count))])
    plain = full.copy()
    for lag in (1, 2):
        plain[lag:] -= model.ar[:, lag - 1] * full[:-lag]
    for t in range(len(room) + n, len(full)):
        plain[t] = u[t] + model.seasonal_ar * plain[t - m]
        full[t] = plain[t] + model.ar[:, 0] * full[t - 1] + model.ar[:, 1] * full[t - 2]
    return full[-steps:]


def last_word(values: Float, chosen: Chosen, row: int, m: int, *, final: Last, steps: int) -> Float:
    """(steps,) statsmodels' forecast of one row at, or with "mle" polished from, its parameters.

    Args:
        values: (n,) the row's figures, NaN where missing.
    """
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    p, q, seasonal_p, seasonal_q = (int(k) for k in chosen.orders[row])
    held, constant = chosen.model, bool(chosen.constant[row])
    n = len(values)
    slope = m if chosen.seasonal_d else 1
    axis = np.arange(n + steps, dtype=float) / slope if chosen.seasonal_d + chosen.d else np.ones(n + steps)
    model = SARIMAX(
        values, order=(p, chosen.d, q), seasonal_order=(seasonal_p, chosen.seasonal_d, seasonal_q, m),
        exog=axis[:n, None] if constant else None, concentrate_scale=True,
    )  # fmt: skip
    start = np.array([
        *([held.mean[row]] if constant else []), *held.ar[row, :p], *held.ma[row, :q],
        *([held.seasonal_ar[row]] * seasonal_p), *([held.seasonal_ma[row]] * seasonal_q),
    ])  # fmt: skip
    result = model.filter(start, cov_type="none")
    if final == "mle" and len(start):
        polished = model.fit(
            start, disp=False, maxiter=POLISH_STEPS, method="lbfgs", cov_type="none", warn_convergence=False
        )
        result = polished if polished.llf > result.llf else result
    return np.asarray(result.forecast(steps, exog=axis[n:, None] if constant else None))


@dataclass(frozen=True)
class Sarima:
    """Seasonal ARIMA, the mean of d = 0 and d = 1; without a season, or with fewer than three, ``Arima``.

    Attributes:
        final: who has the last word: the conditional sum of squares ("css"), or statsmodels at its
            parameters ("filter") or polished from them ("mle"). Rows with gaps go to statsmodels always.
    """

    final: Last = "css"
    name: str = "sarima"

    def fit(self, history: Dense) -> Sarima:
        """Orders are chosen from the history given to ``forecast``: nothing to keep."""
        return self

    def forecast(self, history: Dense, steps: int) -> Float:
        """(B, steps) tCO2e; rows without a figure get 0."""
        m = history.cadence.season
        out = Arima().forecast(history, steps)
        if m == 1:
            return out
        for block in blocks(history, LONGEST_SEASONS * m):
            if block.values.shape[1] < LEAST_SEASONS * m:
                continue
            told = self._mean(block.values, block.gaps, m, steps) * block.scale[:, None]
            out[block.rows] = np.where(np.isfinite(told), told, out[block.rows])
        return lawful(history, out)

    def _mean(self, values: Float, gaps: Bool, m: int, steps: int) -> Float:
        """(b, steps) mean of what the models of each row say."""
        total = np.zeros((len(values), steps))
        for rows, chosen in choose(values, m):
            ahead = self._ahead(values[rows], gaps[rows], chosen, m, steps)
            total[rows] += bounded(values[rows], ahead) / len(DEGREES)
        return total

    def _ahead(self, values: Float, gaps: Bool, chosen: Chosen, m: int, steps: int) -> Float:
        ahead = predict(values, chosen, m, steps)
        for row in np.flatnonzero(gaps.any(axis=1) | (self.final != "css")):
            figures = np.where(gaps[row], np.nan, values[row])
            told = last_word(figures, chosen, int(row), m, final=self.final, steps=steps)
            if np.isfinite(told).all():
                ahead[row] = told
        return ahead
