"""Exponential smoothing and Theta against statsmodels at fixed parameters, and against slow searches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.forecasting.theta import ThetaModel

from models.orders import penalty
from models.smoothing import (
    PARAMETERS_DAMPED,
    PARAMETERS_SIMPLE,
    Damped,
    Filters,
    choose,
    filters,
    predict,
    run,
)
from models.theta import ALPHAS, Theta, best_alpha, extended, smoothed
from tests.models.panels import dense_of, walks

Float = npt.NDArray[np.float64]


def _walk(n: int, seed: int) -> Float:
    return 5 + np.cumsum(np.random.default_rng(seed).normal(0.1, 1, n))


def _grid(made: Filters, point: int) -> Float:
    return np.array([[made.alpha[point], made.beta[point], made.phi[point]]])


def _states(y: Float, point: int) -> tuple[float, float]:
    """Likeliest first level and slope by least squares on the plain recursion."""
    made = filters(len(y))
    errors, _ = run(_grid(made, point), y[:, None])
    free = 1 if point < made.simple else 2
    state, *_ = np.linalg.lstsq(-errors[0, :, 1 : 1 + free], errors[0, :, 0], rcond=None)
    return float(state[0]), float(state[1]) if free == 2 else 0.0


# Not those of alpha = 1: statsmodels answers them with NaN.
@pytest.mark.parametrize("point", [1, 4, 10, 30, 40, 100, 186])
@pytest.mark.parametrize("n", [9, 25])
def test_errors_and_forecasts_are_statsmodels(point: int, n: int) -> None:
    y = _walk(n, point)
    made = filters(n)
    damped = point >= made.simple
    level, slope = _states(y, point)
    trend = {"trend": "add", "damped_trend": True, "initial_trend": slope} if damped else {}
    model = ETSModel(y, error="add", initialization_method="known", initial_level=level, **trend)
    parts = [made.alpha[point], made.beta[point], made.phi[point]] if damped else [made.alpha[point]]
    theirs = model.smooth(np.array(parts))
    ours = made.errors[point] @ y
    np.testing.assert_allclose(ours, theirs.resid, rtol=1e-8, atol=1e-9)
    ahead = predict(y[None], made, np.array([point]), 6)[0]
    np.testing.assert_allclose(ahead, theirs.forecast(6), rtol=1e-8, atol=1e-9)


def test_no_other_first_state_is_likelier() -> None:
    y = _walk(18, 3)
    made = filters(18)
    for point in (5, 60, 150):
        level, slope = _states(y, point)
        best = ((made.errors[point] @ y) ** 2).sum()
        errors, _ = run(_grid(made, point), y[:, None])
        for more_level, more_slope in ((0.05, 0.0), (-0.05, 0.0), (0.0, 0.05), (0.0, -0.05)):
            if point < made.simple and more_slope:
                continue
            e = errors[0] @ np.array([1.0, level + more_level, slope + more_slope])
            assert (e**2).sum() > best


def test_the_choice_is_the_best_of_a_slow_search() -> None:
    rows = np.stack([_walk(20, seed) for seed in range(30)] + [np.arange(20.0) ** 1.2 for _ in range(2)])
    made = filters(20)
    found = choose(rows, made)
    for b, y in enumerate(rows):
        scores = []
        for point in range(len(made.alpha)):
            square = ((made.errors[point] @ y) ** 2).sum()
            k = PARAMETERS_SIMPLE if point < made.simple else PARAMETERS_DAMPED
            scores.append(20 * np.log(square / 20) + penalty(k, np.array(20)))
        assert scores[found[b]] == pytest.approx(min(scores))
    assert (found[-2:] >= made.simple).all()


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_too_few_figures_stand_still(n: int) -> None:
    y = walks(3, n, seed=2)
    np.testing.assert_allclose(Damped().forecast(dense_of(y), 3), np.array(y)[:, -1:].repeat(3, axis=1))


@pytest.mark.parametrize("n", [9, 30])
def test_theta_is_statsmodels_at_its_alpha(n: int) -> None:
    for seed in range(8):
        y = _walk(n, seed) + 20
        theirs = ThetaModel(y, period=1, deseasonalize=False).fit()
        alpha = np.array([theirs.params["alpha"]])
        ours = extended(y[None], alpha, 5)[0]
        np.testing.assert_allclose(ours, theirs.forecast(5, theta=2), rtol=1e-7)
        # Their search may end between our grid points, never far below.
        mine = smoothed(y[None], best_alpha(y[None]))[0][0]
        assert mine <= 1.01 * smoothed(y[None], alpha)[0][0]


def test_the_grid_of_theta_is_searched() -> None:
    rows = np.stack([_walk(15, seed) for seed in range(20)])
    for y, alpha in zip(rows, best_alpha(rows), strict=True):
        scores = {a: smoothed(y[None], np.array([a]))[0][0] for a in ALPHAS}
        assert scores[float(alpha)] == pytest.approx(min(scores.values()))


def test_theta_carries_half_the_slope_of_a_line() -> None:
    ahead = Theta().forecast(dense_of([np.arange(10.0, 30.0)]), 4)[0]
    np.testing.assert_allclose(np.diff(ahead), 0.5, rtol=1e-6)
