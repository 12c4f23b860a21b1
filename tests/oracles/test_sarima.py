"""Seasonal ARIMA beside slow loops and statsmodels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from statsmodels.tsa.statespace.sarimax import SARIMAX

from models import sarima
from models.conditional import ORDERS, choose, coefficients, innovations
from models.sarima import Sarima, predict
from models.seasonal import strength
from tests.models.panels import NAN, dense_of

Float = npt.NDArray[np.float64]
M = 12


def simulated(count: int, n: int, seed: int, *, phi: float, theta: float, seasonal: float) -> Float:
    """(count, n) a season and (1 - B12) y = ARMA noise with a seasonal moving average."""
    draw = np.random.default_rng(seed)
    e = draw.normal(0, 1, (count, n + 60))
    u = e.copy()
    u[:, 1:] += theta * e[:, :-1]
    v = u.copy()
    v[:, M:] += seasonal * u[:, :-M]
    w = np.zeros_like(v)
    for t in range(1, w.shape[1]):
        w[:, t] = phi * w[:, t - 1] + v[:, t]
    y = np.cumsum(w[:, 60:].reshape(count, n // M, M), axis=1).reshape(count, n)
    return np.asarray(200 + 30 * np.sin(2 * np.pi * np.arange(n) / M) + y)


def test_innovations_are_those_of_the_multiplied_polynomials() -> None:
    draw = np.random.default_rng(1)
    count, n, m = 7, 40, 4
    w = draw.normal(size=(n, count))
    ar, ma = (coefficients(draw.normal(size=(count, 2))) for _ in range(2))
    seasonal_ar, seasonal_ma = draw.uniform(-0.8, 0.8, (2, count))
    made = innovations(w, ar, ma, seasonal_ar, seasonal_ma, m)
    for b in range(count):
        left = np.polymul([-seasonal_ar[b], *[0.0] * (m - 1), 1.0], [-ar[b, 1], -ar[b, 0], 1.0])[::-1]
        right = np.polymul([seasonal_ma[b], *[0.0] * (m - 1), 1.0], [ma[b, 1], ma[b, 0], 1.0])[::-1]
        e: list[float] = []
        for t in range(n):
            known = sum(left[k] * w[t - k, b] for k in range(len(left)) if t >= k)
            e.append(known - sum(right[k] * e[t - k] for k in range(1, len(right)) if t >= k))
        np.testing.assert_allclose(made[:, b], e, rtol=1e-9, atol=1e-9)


def test_points_are_stationary() -> None:
    z = np.random.default_rng(2).normal(0, 2, (200, 2))
    for a in coefficients(z):
        assert (np.abs(np.roots([-a[1], -a[0], 1.0])) > 1).all()


@pytest.mark.parametrize("kind", [(0.5, 0.0, -0.4), (0.0, 0.4, -0.6), (0.6, 0.3, 0.0)])
def test_the_climb_ends_near_the_exact_maximum(kind: tuple[float, float, float]) -> None:
    phi, theta, seasonal = kind
    y = simulated(6, 240, seed=5, phi=phi, theta=theta, seasonal=seasonal)
    below = []
    for rows, chosen in choose(y, M):
        for i, row in enumerate(rows):
            told = _exact(y[row], chosen, i)
            best = told.model.fit(told.params, disp=False, cov_type="none", maxiter=200).llf
            below.append(best - told.llf)
    assert len(below) == 2 * 6
    assert np.median(below) < 0.6
    assert max(below) < 3.0


def test_predictions_are_those_of_the_kalman_filter() -> None:
    y = simulated(8, 360, seed=7, phi=0.5, theta=0.3, seasonal=-0.4)
    compared = 0
    for rows, chosen in choose(y, M):
        made = predict(y[rows], chosen, M, 18)
        for i, row in enumerate(rows):
            told = sarima.last_word(y[row], chosen, i, M, final="filter", steps=18)
            np.testing.assert_allclose(made[i], told, atol=0.05 * y[row].std())
            compared += 1
    assert compared == 2 * 8


def test_no_order_beats_a_seasonal_walk_on_a_seasonal_walk() -> None:
    y = simulated(60, 180, seed=3, phi=0.0, theta=0.0, seasonal=0.0)
    assert (strength(y, M) > 0.5).all()
    held = [chosen.orders.sum(axis=1) for _, chosen in choose(y, M) if chosen.d == 0]
    assert np.mean(np.concatenate(held) == 0) > 0.5


def test_every_order_is_tried() -> None:
    assert len(set(ORDERS)) == 18


def test_gaps_go_to_the_kalman_filter_and_short_rows_to_arima() -> None:
    y = simulated(3, 120, seed=9, phi=0.5, theta=0.0, seasonal=-0.5)
    whole = Sarima().forecast(dense_of(list(y), cadence="month"), 12)
    y[0, 40:44] = NAN
    gappy = Sarima().forecast(dense_of(list(y), cadence="month"), 12)
    np.testing.assert_array_equal(gappy[1:], whole[1:])
    assert 0 < np.abs(gappy[0] - whole[0]).max() < 3 * np.nanstd(np.diff(y[0]))
    short = Sarima().forecast(dense_of([y[1, :20]], cadence="month"), 4)
    assert np.isfinite(short).all()


def test_statsmodels_may_have_the_last_word() -> None:
    y = simulated(2, 120, seed=11, phi=0.5, theta=0.0, seasonal=-0.5)
    history = dense_of(list(y), cadence="month")
    told = [Sarima(final=final).forecast(history, 6) for final in ("css", "filter", "mle")]
    for other in told[1:]:
        assert 0 < np.abs(other - told[0]).max() < y.std()


def _exact(y: Float, chosen: Any, i: int) -> Any:
    """statsmodels' exact likelihood at the parameters of row ``i``."""
    p, q, seasonal_p, seasonal_q = (int(k) for k in chosen.orders[i])
    constant = bool(chosen.constant[i])
    axis = np.arange(len(y), dtype=float)[:, None] / (M if chosen.seasonal_d else 1)
    model = SARIMAX(
        y, order=(p, chosen.d, q), seasonal_order=(seasonal_p, chosen.seasonal_d, seasonal_q, M),
        exog=axis if constant else None, concentrate_scale=True,
    )  # fmt: skip
    held = chosen.model
    start = [
        *([held.mean[i]] if constant else []), *held.ar[i, :p], *held.ma[i, :q],
        *([held.seasonal_ar[i]] * seasonal_p), *([held.seasonal_ma[i]] * seasonal_q),
    ]  # fmt: skip
    return model.filter(start, cov_type="none")
