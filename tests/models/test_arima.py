"""ARIMA's edges: gaps, long silences, and the polish by statsmodels."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from models.arima import LONGEST, Arima, Final
from models.complete import blocks
from tests.models.panels import NAN, dense_of, ragged, walks


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


@pytest.mark.parametrize("final", get_args(Final))
def test_many_origins_are_each_origin_alone(final: Final) -> None:
    """Ragged series with gaps, breaks, zeros; origins that are not asked stay unanswered."""
    history = ragged(60, seed=11, longest=20)
    backs = np.arange(5, 0, -1)[:, None]
    origins = np.where(history.lengths - backs >= 3, history.lengths - backs, 0)
    arima = Arima(final=final)
    together = arima.forecast_origins(history, origins, 4)
    assert np.isnan(together[origins == 0]).all()
    for o, lengths in enumerate(origins):
        rows = np.flatnonzero(lengths)
        alone = arima.forecast(history.take(rows).until(lengths[rows]), 4)
        np.testing.assert_allclose(together[o, rows], alone, rtol=1e-6, atol=1e-6 * np.abs(alone).max())


def test_many_origins_do_not_peek() -> None:
    history = dense_of(walks(20, 18, seed=12))
    origins = np.repeat(np.arange(9, 14)[:, None], 20, axis=1)
    y = history.y.copy()
    y[:, 12:] *= 50
    told = [Arima().forecast_origins(h, origins, 5) for h in (history, replace(history, y=y))]
    np.testing.assert_array_equal(told[0][:4], told[1][:4])
    assert not np.array_equal(told[0][4], told[1][4])


def test_every_series_is_diagnosed() -> None:
    draw = np.random.default_rng(2)
    noise = draw.normal(0, 1, 71)
    moving = 50 + noise[1:] + 0.9 * noise[:-1]
    gappy = walks(1, 30, seed=3)[0]
    gappy[[4, 5]] = NAN
    history = dense_of([moving, np.cumsum(draw.normal(1, 1, 60)) + 90, gappy, [5.0], [NAN, NAN]])
    told = Arima().diagnose(history)
    frame = told.frame()
    assert frame["unique_id"].tolist() == list(history.ids)
    assert frame["d"].tolist()[:2] == [0, 1]
    assert frame["filled"].tolist() == [0, 0, 2, 0, 0]
    assert frame["p"].tolist()[3:] == [0, -1]
    assert told.p[0] + told.q[0] > 0
    assert told.constant[0]
    assert (told.ljung_box_p[:3] > 0.001).all()
    assert np.isfinite(told.aicc[:3]).all()
    assert np.isnan(told.aicc[3:]).all()
    assert np.isnan(told.ljung_box_p[3:]).all()


def test_what_arima_could_not_learn_shows_in_its_residuals() -> None:
    """A wave of seven periods is nothing that p + q ≤ 2 and no season can follow."""
    wave = np.tile([9.0, 0, 0, 0, 0, 0, 0], 11) + np.random.default_rng(1).normal(20, 0.1, 77)
    assert Arima().diagnose(dense_of([wave])).ljung_box_p[0] < 0.01
