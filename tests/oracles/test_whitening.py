"""The whitening dictionary, the order search and the climb against statsmodels' Kalman filter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.tsa.arima_process import arma_acovf
from statsmodels.tsa.statespace.sarimax import SARIMAX, SARIMAXResults

from models import likeliest, whitening
from models.arima import last_word, parameters, predict
from models.diagnostics import ljung_box
from models.orders import Choice, choose, choose_origins, penalty

Float = npt.NDArray[np.float64]
# As many as issue 4 asks for; a likelihood by statsmodels takes two milliseconds.
CASES = 1000


@pytest.fixture(scope="module")
def words() -> whitening.Dictionary:
    return whitening.dictionary(60)


def _orders(words: whitening.Dictionary, point: int) -> tuple[int, int]:
    return int(words.orders[point, 0]), int(words.orders[point, 1])


def _model(w: Float, p: int, q: int, constant: bool) -> SARIMAX:
    exog = np.ones((len(w), 1)) if constant else None
    model = SARIMAX(w, order=(p, 0, q), exog=exog, concentrate_scale=True)
    # By default its filter stops following the variance once it hardly moves: near a root on the unit
    # circle its likelihood is then off by 2e-7 (60-digit arithmetic agrees with ours to 1e-12).
    model.ssm.tolerance = 0
    return model


def _filtered(words: whitening.Dictionary, point: int, w: Float, mean: float | None) -> SARIMAXResults:
    p, q = _orders(words, point)
    start = [*words.ar[point, :p], *words.ma[point, :q]]
    return _model(w, p, q, mean is not None).filter(np.asarray(start if mean is None else [mean, *start]))


def _grid(words: whitening.Dictionary, point: int, w: Float, *, constant: bool) -> likeliest.Arma:
    return likeliest.at_grid(words, np.array([point]), np.array([constant]), w[None])


def _draws(words: whitening.Dictionary, count: int) -> list[tuple[int, Float]]:
    draw = np.random.default_rng(20)
    points = draw.integers(0, len(words.orders), count)
    return [
        (int(g), draw.normal(0, 1, n) + draw.normal() * 3)
        for g, n in zip(points, draw.integers(5, 61, count), strict=True)
    ]


def test_autocovariance_is_statsmodels(words: whitening.Dictionary) -> None:
    for point in range(0, len(words.orders), 5):
        p, q = _orders(words, point)
        ar, ma = words.ar[point, :p], words.ma[point, :q]
        theirs = arma_acovf(np.r_[1.0, -ar], np.r_[1.0, ma], nobs=40)
        np.testing.assert_allclose(whitening.autocovariance(ar, ma, 40), theirs, rtol=1e-9, atol=1e-9)


def test_likelihood_without_mean_is_statsmodels(words: whitening.Dictionary) -> None:
    for point, w in _draws(words, CASES):
        theirs = _filtered(words, point, w, None).llf
        of_product = whitening.log_likelihood(words, w[None], False)[point, 0]
        of_recursion = _grid(words, point, w, constant=False).log_likelihood[0]
        for ours in (of_product, of_recursion):
            assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9), (_orders(words, point), len(w))


def test_likelihood_with_mean_is_statsmodels_at_our_mean(words: whitening.Dictionary) -> None:
    for point, w in _draws(words, CASES // 4):
        found = _grid(words, point, w, constant=True)
        theirs = _filtered(words, point, w, float(found.mean[0])).llf
        of_product = whitening.log_likelihood(words, w[None], True)[point, 0]
        for ours in (of_product, found.log_likelihood[0]):
            assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)


def test_our_mean_is_the_likeliest(words: whitening.Dictionary) -> None:
    for point, w in _draws(words, 20):
        mean = float(_grid(words, point, w, constant=True).mean[0])
        best = _filtered(words, point, w, mean).llf
        assert all(_filtered(words, point, w, mean + move).llf < best for move in (-0.05, 0.05))


def test_predictions_and_residuals_are_statsmodels(words: whitening.Dictionary) -> None:
    for point, w in _draws(words, 120):
        found = _grid(words, point, w, constant=False)
        theirs = _filtered(words, point, w, None)
        ours = likeliest.predict(found, w[None], 6)[0]
        np.testing.assert_allclose(ours, theirs.forecast(6), rtol=1e-7, atol=1e-8)
        e = likeliest.residuals(found, w[None])[0]
        np.testing.assert_allclose(e**2 / (e**2).mean(), theirs.standardized_forecasts_error[0] ** 2)


def test_grid_is_stationary_and_invertible(words: whitening.Dictionary) -> None:
    for point in range(len(words.orders)):
        ar, ma = words.ar[point], words.ma[point]
        assert np.abs(np.roots([1.0, -ar[0], -ar[1]])).max() < 1
        assert np.abs(np.roots([1.0, ma[0], ma[1]])).max() < 1


@pytest.mark.parametrize("drift", [False, True])
def test_the_choice_is_the_best_of_a_slow_search(drift: bool, words: whitening.Dictionary) -> None:
    draw = np.random.default_rng(3)
    w = np.r_[draw.normal(0, 1, (4, 24)), np.cumsum(draw.normal(0.5, 1, (4, 24)), axis=1)]
    choice = choose(w, words=words, drift=drift)
    assert set(choice.d) == {0, 1}
    for b in range(len(w)):
        n = 24 - int(choice.d[b])
        x = np.diff(w[b : b + 1], n=int(choice.d[b]), axis=1)
        scores = {}
        for constant in (False, True) if choice.d[b] == 0 or drift else (False,):
            fit = whitening.log_likelihood(words, x, constant)[:, 0]
            for g in range(len(fit)):
                k = int(words.orders[g].sum()) + 1 + constant
                scores[g, constant] = -2 * fit[g] + 2 * k + 2 * k * (k + 1) / (n - k - 1)
        assert scores[int(choice.point[b]), bool(choice.constant[b])] == pytest.approx(min(scores.values()))
        assert choice.aicc[b] == pytest.approx(min(scores.values()))


def test_every_origin_of_one_product_is_that_origin_alone(words: whitening.Dictionary) -> None:
    draw = np.random.default_rng(6)
    x = np.cumsum(draw.normal(0, 1, (300, 18)), axis=1) * draw.integers(0, 2, (300, 1)) + draw.normal(
        2, 1, (300, 18)
    )
    ends = [3, 4, 5, 9, 13, 18]
    together = choose_origins(x, ends, words=words, drift=True)
    for end, ours in zip(ends, together, strict=True):
        alone = choose(x[:, :end], words=words, drift=True)
        for name in ("d", "p", "q", "constant", "point"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(alone, name))
        np.testing.assert_allclose(ours.aicc, alone.aicc, rtol=1e-9)


def test_aicc_without_room_is_never_chosen() -> None:
    assert np.isinf(penalty(4, np.array([5]))).all()


def _chosen(count: int, n: int, level: float, words: whitening.Dictionary) -> tuple[Float, Choice]:
    """Stationary rows whose choice has p + q > 0."""
    noise = np.random.default_rng(9).normal(0, 1, (count, n + 1))
    x = level + noise[:, 1:] + 0.7 * noise[:, :-1]
    choice = choose(x, words=words, drift=False)
    kept = np.flatnonzero((choice.d == 0) & (choice.p + choice.q > 0))
    return x[kept], choose(x[kept], words=words, drift=False)


@pytest.mark.parametrize("level", [0.0, 5.0])
def test_the_dictionary_and_the_filter_say_the_same(level: float, words: whitening.Dictionary) -> None:
    """``predict`` (recursion) and ``last_word`` (Kalman filter, gaps allowed) at one grid point."""
    x, choice = _chosen(60, 30, level, words)
    assert len(x) > 10
    found = parameters(x, choice, words, "grid")
    ours = predict(x, choice, found, 5)
    for row in range(10):
        theirs = last_word(x[row], choice, found, row, final="filter", steps=5)
        np.testing.assert_allclose(ours[row], theirs, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("n", "level"), [(12, 0.0), (30, 5.0)])
def test_the_climb_ends_no_lower_than_statsmodels(n: int, level: float, words: whitening.Dictionary) -> None:
    x, choice = _chosen(250, n, level, words)
    grid, found = (parameters(x, choice, words, final) for final in ("grid", "mle"))
    assert len(x) > 60
    assert (found.log_likelihood >= grid.log_likelihood - 1e-9).all()
    for b in range(60):
        p, q = int(choice.p[b]), int(choice.q[b])
        mean = [float(found.mean[b])] if choice.constant[b] else []
        model = _model(x[b], p, q, bool(mean))
        ours = model.loglike(np.array([*mean, *found.ar[b, :p], *found.ma[b, :q]]))
        assert ours == pytest.approx(found.log_likelihood[b], rel=1e-9, abs=1e-9)
        start = [*mean, *grid.ar[b, :p], *grid.ma[b, :q]]
        theirs = model.fit(start_params=start, disp=False, maxiter=200, warn_convergence=False).llf
        assert ours > theirs - 1e-5


def test_ljung_box_is_statsmodels() -> None:
    e = np.random.default_rng(4).normal(0, 1, (40, 47))
    e[:, 1:] += 0.4 * e[:, :-1]
    used = np.arange(40) % 3
    ours = ljung_box(e, used, season=1)
    for b in range(40):
        lags = max(min(10, round(47 / 5)), int(used[b]) + 3)
        theirs = acorr_ljungbox(e[b], lags=[lags], model_df=int(used[b]))["lb_pvalue"].iloc[0]
        assert ours[b] == pytest.approx(theirs, rel=1e-9)


def test_ljung_box_of_too_few_figures_says_nothing() -> None:
    assert np.isnan(ljung_box(np.ones((2, 0)), np.array([0, 1]), season=1)).all()
    assert np.isnan(ljung_box(np.array([[1.0, 2.0, 1.5]]), np.array([0]), season=1)).all()
    assert np.isnan(ljung_box(np.ones((1, 20)), np.array([0]), season=1)).all()
