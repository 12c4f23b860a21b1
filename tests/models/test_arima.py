"""ARIMA's edges: gaps, long silences, and the polish by statsmodels."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from models.arima import LONGEST, Arima, Final
from models.complete import blocks
from tests.models.panels import NAN, dense_of, walks


def test_a_drift_free_walk_is_continued_where_it_stands() -> None:
    y = 100 + np.cumsum(np.random.default_rng(1).normal(0, 1, (1, 60)), axis=1)
    ahead = Arima().forecast(dense_of(y), 5)
    assert np.abs(ahead - y[0, -1]).max() < 3


def test_a_stationary_series_returns_to_its_mean() -> None:
    draw = np.random.default_rng(3)
    y = np.zeros(80)
    for t in range(1, 80):
        y[t] = 0.5 * y[t - 1] + draw.normal()
    ahead = Arima().forecast(dense_of([y + 50]), 30)[0]
    assert ahead[-1] == pytest.approx((y + 50).mean(), abs=0.5)


@pytest.mark.parametrize("final", get_args(Final))
def test_the_three_last_words_agree_closely(final: Final) -> None:
    history = dense_of(walks(6, 30, seed=4))
    grid = Arima(final="grid").forecast(history, 4)
    other = Arima(final=final).forecast(history, 4)
    tolerance = 1e-6 if final != "mle" else 0.1
    np.testing.assert_allclose(other, grid, rtol=tolerance)


def test_the_polish_is_heard() -> None:
    """``mle`` moves off the grid: it is not the grid under another name."""
    history = dense_of(walks(12, 40, seed=4))
    grid, polished = Arima(final="grid").forecast(history, 2), Arima(final="mle").forecast(history, 2)
    assert not np.allclose(grid, polished, rtol=1e-9)


def test_gaps_are_filtered_and_not_taken_for_figures() -> None:
    y = walks(1, 24, seed=5)[0]
    holes = y.copy()
    holes[[5, 6, 15]] = NAN
    whole, gappy = (Arima().forecast(dense_of([v]), 3)[0] for v in (y, holes))
    np.testing.assert_allclose(gappy, whole, rtol=0.2)


def test_one_figure_and_then_gaps_stands_still() -> None:
    for y in ([5.0, NAN, NAN, NAN, NAN, NAN], [NAN, 5.0, NAN], [4.0, NAN, NAN, 5.0, NAN]):
        ahead = Arima().forecast(dense_of([y]), 2)
        assert (np.abs(ahead - 5.0) < 1.0).all()


def test_figures_all_further_back_than_the_window_stand_still() -> None:
    y = np.full(LONGEST + 20, NAN)
    y[:4] = [5.0, 6.0, 7.0, 8.0]
    history = dense_of([y])
    assert Arima().forecast(history, 3).tolist() == [[8.0, 8.0, 8.0]]
    (block,) = blocks(history, LONGEST)
    assert not block.gaps.any()


def test_only_the_window_is_read() -> None:
    y = walks(1, LONGEST + 30, seed=6)[0]
    a = Arima().forecast(dense_of([y]), 3)
    b = Arima().forecast(dense_of([y[-LONGEST:]]), 3)
    np.testing.assert_allclose(a, b, rtol=1e-9)


def test_many_series_are_answered_as_one_by_one() -> None:
    """Chunks of rows do not leak into one another."""
    series = walks(150, 9, seed=7)
    together = Arima().forecast(dense_of(series), 3)
    for b in (0, 127, 128, 149):
        np.testing.assert_allclose(Arima().forecast(dense_of([series[b]]), 3)[0], together[b], rtol=1e-9)
