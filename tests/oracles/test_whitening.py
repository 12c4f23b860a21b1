"""The whitening dictionary against statsmodels' Kalman filter and autocovariances."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from statsmodels.tsa.arima_process import arma_acovf
from statsmodels.tsa.statespace.sarimax import SARIMAX, SARIMAXResults

from models import whitening
from models.arima import aicc, choose, last_word, predict

Float = npt.NDArray[np.float64]
CASES = 120


@pytest.fixture(scope="module")
def words() -> whitening.Dictionary:
    return whitening.dictionary(62)


def _orders(words: whitening.Dictionary, point: int) -> tuple[int, int]:
    return int(words.orders[point, 0]), int(words.orders[point, 1])


def _filtered(words: whitening.Dictionary, point: int, w: Float, mean: float | None) -> SARIMAXResults:
    p, q = _orders(words, point)
    exog = None if mean is None else np.ones((len(w), 1))
    model = SARIMAX(w, order=(p, 0, q), exog=exog, concentrate_scale=True)
    start = [*words.ar[point, :p], *words.ma[point, :q]]
    return model.filter(np.asarray(start if mean is None else [mean, *start]))


def _draws(words: whitening.Dictionary) -> list[tuple[int, Float]]:
    draw = np.random.default_rng(20)
    points = draw.integers(0, len(words.orders), CASES)
    return [
        (int(g), draw.normal(0, 1, n) + draw.normal() * 3)
        for g, n in zip(points, draw.integers(5, 61, CASES), strict=True)
    ]


def test_autocovariance_is_statsmodels(words: whitening.Dictionary) -> None:
    for point in range(0, len(words.orders), 5):
        p, q = _orders(words, point)
        ar, ma = words.ar[point, :p], words.ma[point, :q]
        theirs = arma_acovf(np.r_[1.0, -ar], np.r_[1.0, ma], nobs=40)
        np.testing.assert_allclose(whitening.autocovariance(ar, ma, 40), theirs, rtol=1e-9, atol=1e-9)


def test_likelihood_without_mean_is_statsmodels(words: whitening.Dictionary) -> None:
    for point, w in _draws(words):
        ours = whitening.log_likelihood(words, w[None], False)[point, 0]
        theirs = _filtered(words, point, w, None).llf
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9), (_orders(words, point), len(w))


def test_likelihood_with_mean_is_statsmodels_at_our_mean(words: whitening.Dictionary) -> None:
    for point, w in _draws(words):
        mean = float(whitening.constant_of(words, np.array([point]), w[None])[0])
        ours = whitening.log_likelihood(words, w[None], True)[point, 0]
        assert ours == pytest.approx(_filtered(words, point, w, mean).llf, rel=1e-9, abs=1e-9)


def test_our_mean_is_the_likeliest(words: whitening.Dictionary) -> None:
    for point, w in _draws(words)[:20]:
        mean = float(whitening.constant_of(words, np.array([point]), w[None])[0])
        best = _filtered(words, point, w, mean).llf
        assert all(_filtered(words, point, w, mean + move).llf < best for move in (-0.05, 0.05))


def test_predictions_are_statsmodels(words: whitening.Dictionary) -> None:
    for point, w in _draws(words):
        ours = whitening.predict(words, np.array([point]), w[None], 6)[0]
        theirs = _filtered(words, point, w, None).forecast(6)
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-8)


def test_grid_is_stationary_and_invertible(words: whitening.Dictionary) -> None:
    for point in range(len(words.orders)):
        ar, ma = words.ar[point], words.ma[point]
        assert np.abs(np.roots([1.0, -ar[0], -ar[1]])).max() < 1
        assert np.abs(np.roots([1.0, ma[0], ma[1]])).max() < 1


def test_the_choice_is_the_best_of_a_slow_search(words: whitening.Dictionary) -> None:
    draw = np.random.default_rng(3)
    w = draw.normal(0, 1, (4, 24))
    choice = choose(w, words=words, drift=False)
    for b in range(4):
        n = 24 - int(choice.d[b])
        x = np.diff(w[b : b + 1], n=int(choice.d[b]), axis=1)
        scores = {}
        for constant in (False, True) if choice.d[b] == 0 else (False,):
            fit = whitening.log_likelihood(words, x, constant)[:, 0]
            for g in range(len(fit)):
                k = int(words.orders[g].sum()) + 1 + constant
                scores[g, constant] = -2 * fit[g] + 2 * k + 2 * k * (k + 1) / (n - k - 1)
        assert scores[int(choice.point[b]), bool(choice.constant[b])] == pytest.approx(min(scores.values()))


def test_aicc_without_room_is_never_chosen() -> None:
    assert np.isinf(aicc(np.zeros((1, 1)), np.array([4]), 5)).all()


@pytest.mark.parametrize("level", [0.0, 5.0])
def test_the_dictionary_and_the_filter_say_the_same(level: float) -> None:
    """``predict`` (matrix) and ``last_word`` (Kalman filter, gaps allowed) at one grid point."""
    words = whitening.dictionary(82)
    draw = np.random.default_rng(9)
    noise = draw.normal(0, 1, (60, 31))
    x = level + noise[:, 1:] + 0.7 * noise[:, :-1]
    choice = choose(x, words=words, drift=False)
    plain = np.zeros(x.shape, dtype=bool)
    ours = predict(x, choice, words, 5)
    rows = np.flatnonzero((choice.d == 0) & (choice.p + choice.q > 0))
    assert len(rows) > 10
    for row in rows[:10]:
        theirs = last_word(x, plain, choice, int(row), final="filter", steps=5)
        np.testing.assert_allclose(ours[row], theirs, rtol=1e-7, atol=1e-8)
