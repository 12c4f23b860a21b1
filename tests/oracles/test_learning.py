"""What is learnt from numbers (KPSS, season, conformal quantiles, weights) against plain loops."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.blend import SMALL, _least_absolute
from models.calibration import GRID, weighted_quantiles
from models.dependence import Dependence, Levels, _mean_pair, read_quantiles, sample_ranks
from models.orders import KPSS_5_PERCENT, kpss_rejects
from models.seasonal import estimate

Float = npt.NDArray[np.float64]
SEEDS = st.integers(0, 10_000)


def slow_kpss(x: list[float]) -> float:
    n = len(x)
    mean = sum(x) / n
    e = [v - mean for v in x]
    partial, squares = 0.0, 0.0
    for v in e:
        partial += v
        squares += partial**2
    lags = math.floor(3 * math.sqrt(n) / 13)
    variance = sum(v * v for v in e) / n
    for i in range(1, lags + 1):
        variance += 2 / n * (1 - i / (lags + 1)) * sum(e[t] * e[t - i] for t in range(i, n))
    return squares / n**2 / variance


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(5, 80), st.floats(0, 1))
def test_kpss(seed: int, n: int, memory: float) -> None:
    noise = np.random.default_rng(seed).normal(0, 1, (5, n))
    x = np.cumsum(noise, axis=1) * memory + noise
    expected = [slow_kpss(row.tolist()) > KPSS_5_PERCENT for row in x]
    assert kpss_rejects(x).tolist() == expected


def test_kpss_of_a_constant_is_not_rejected() -> None:
    assert kpss_rejects(np.full((1, 12), 3.7)).tolist() == [False]


def slow_season(y: list[float], m: int) -> tuple[list[float], bool]:
    """Figure of each phase (0 = the period after the last), and whether it multiplies."""
    n, times = len(y), all(v > 0 for v in y)
    neutral = 1.0 if times else 0.0
    if n < 2 * m + 1:
        return [neutral] * m, times
    half = m // 2
    apart: dict[int, float] = {}
    for t in range(half, n - half):
        window = y[t - half : t + half + 1]
        ends = 0.0 if m % 2 else 0.5 * (window[0] + window[-1])
        centre = (sum(window if m % 2 else window[1:-1]) + ends) / m
        apart[t] = y[t] / centre if times else y[t] - centre
    figures = []
    for k in range(m):
        mine = [t for t in apart if (t - n) % m == k]
        weights = [0.75 ** ((n - 1 - t) // m) for t in mine]
        figures.append(sum(apart[t] * w for t, w in zip(mine, weights, strict=True)) / sum(weights))
    level = sum(figures) / m
    figures = [max(f / level, 0.02) if times else f - level for f in figures]
    move = [v - neutral for v in apart.values()]
    rest = [v - figures[(t - n) % m] for t, v in apart.items()]
    strength = min(max(1 - float(np.var(rest)) / float(np.var(move)), 0.0), 1.0)
    return [neutral + (f - neutral) * strength for f in figures], times


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from([4, 5, 7, 12]), st.integers(4, 60), st.booleans())
def test_season(seed: int, m: int, n: int, above: bool) -> None:
    draw = np.random.default_rng(seed)
    y = draw.normal(0, 0.3, (3, n)) + np.sin(2 * np.pi * np.arange(n) / m)
    y = np.exp(y) if above else y
    season = estimate(y, m)
    for b in range(3):
        figures, times = slow_season(y[b].tolist(), m)
        assert season.multiplicative[b] == times
        np.testing.assert_allclose(season.figures[b], figures, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(season.restore(season.strip(y)[:, -(n // m) * m :]), y[:, -(n // m) * m :])


def test_no_season_leaves_values_alone() -> None:
    y = np.random.default_rng(1).lognormal(0, 1, (2, 9))
    season = estimate(y, 1)
    np.testing.assert_array_equal(season.strip(y), y)
    np.testing.assert_array_equal(season.restore(y), y)


def slow_quantile(values: list[float], weights: list[float], level: float) -> float:
    pairs = sorted(zip(values, weights, strict=True), key=lambda pair: pair[0])
    whole, below, places = sum(weights), 0.0, []
    for value, weight in pairs:
        places.append(((below + weight / 2) / whole, value))
        below += weight
    if level <= places[0][0]:
        return places[0][1]
    for (a, low), (b, high) in pairwise(places):
        if level <= b:
            return low + (high - low) * (level - a) / (b - a)
    return places[-1][1]


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(1, 60))
def test_weighted_quantiles(seed: int, n: int) -> None:
    draw = np.random.default_rng(seed)
    values, weights = draw.normal(0, 1, n), draw.uniform(0.1, 1, n)
    ours = weighted_quantiles(values, weights)
    assert ours is not None
    theirs = [slow_quantile(values.tolist(), weights.tolist(), float(level)) for level in GRID]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_quantiles_of_nothing() -> None:
    assert weighted_quantiles(np.zeros(0), np.zeros(0)) is None


def test_read_quantiles_interpolates_and_goes_on_beyond_the_grid() -> None:
    curve = np.cumsum(np.random.default_rng(2).uniform(0, 1, len(GRID)))
    ranks = np.array([0.0025, 0.005, 0.0123, 0.5, 0.77, 0.995, 0.9975])
    ours = read_quantiles(curve[None, None], ranks[None, None])[0, 0]
    np.testing.assert_allclose(ours[1:6], np.interp(ranks[1:6], GRID, curve), rtol=1e-9)
    assert ours[0] == pytest.approx(curve[0] - 0.5 * (curve[1] - curve[0]))
    assert ours[-1] == pytest.approx(curve[-1] + 0.5 * (curve[-1] - curve[-2]))


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(0, 40), st.integers(1, 9), st.integers(1, 60))
def test_read_quantiles_is_the_plain_gather_bit_for_bit(seed: int, rows: int, steps: int, asked: int) -> None:
    draw = np.random.default_rng(seed)
    curves = np.sort(draw.normal(0, 1e5, (rows, steps, len(GRID))), axis=2)
    curves[draw.uniform(size=rows) < 0.1] = np.nan
    ranks = draw.uniform(0, 1, (rows, steps, asked))
    place = (ranks - GRID[0]) / float(GRID[1] - GRID[0])
    left = np.clip(np.floor(place).astype(np.int64), 0, len(GRID) - 2)
    low, high = (np.take_along_axis(curves, left + k, axis=2) for k in (0, 1))
    np.testing.assert_array_equal(read_quantiles(curves, ranks), low + (place - left) * (high - low))


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.lists(st.floats(0.001, 0.999), min_size=1, max_size=15))
def test_levels_read_what_read_quantiles_reads_bit_for_bit(seed: int, levels: list[float]) -> None:
    curves = np.sort(np.random.default_rng(seed).normal(0, 1e5, (7, 3, len(GRID))), axis=2)
    ranks = np.broadcast_to(np.asarray(levels), (7, 3, len(levels)))
    read = Levels.of(levels)
    np.testing.assert_array_equal(read.off(curves[..., read.columns]), read_quantiles(curves, ranks))


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(1, 8), st.integers(1, 6), st.integers(1, 50), st.floats(0, 0.5), st.floats(0, 0.5))
def test_ranks_are_those_of_factors_added_one_by_one(
    seed: int, rows: int, steps: int, count: int, common: float, area: float
) -> None:
    areas = tuple("abc"[row % 3] for row in range(rows))
    draw = np.random.default_rng(seed)
    ahead = np.arange(1, steps + 1)
    ratio = np.minimum.outer(ahead, ahead) / np.maximum.outer(ahead, ahead)
    root = np.linalg.cholesky(ratio**0.7 + 1e-10 * np.eye(steps))
    names, code = np.unique(np.asarray(areas), return_inverse=True)
    shared, near, own = (root @ draw.standard_normal((n, steps, count)) for n in (1, len(names), rows))
    scores = np.sqrt(common) * shared
    scores = scores + np.sqrt(area) * near[code]
    scores = scores + np.sqrt(max(1.0 - common - area, 0.0)) * own
    slow = (scores.argsort(axis=2).argsort(axis=2) + 0.5) / count
    np.testing.assert_array_equal(
        sample_ranks(Dependence(common, area, 0.7), areas, steps, count, seed), slow
    )


def _objective(errors: Float, shares: Float, prior: Float, pull: float) -> float:
    size = np.abs(errors @ prior).mean()
    return float(np.abs(errors @ shares).mean() + pull * size * ((shares - prior) ** 2).sum())


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.sampled_from([0.0, 0.01, 0.5]))
def test_weights_are_as_good_as_a_search_of_the_simplex(seed: int, pull: float) -> None:
    draw = np.random.default_rng(seed)
    own = draw.uniform(0.5, 3, 3)
    errors = draw.normal(0, 1, (150, 1)) + draw.normal(0, own, (150, 3)) + draw.normal(0, 0.5, 3)
    prior = np.array([0.4, 0.3, 0.3])
    ours = _least_absolute(errors, prior, pull)
    assert ours.sum() == pytest.approx(1.0)
    assert (ours >= 0).all()
    axis = np.linspace(0, 1, 51)
    grid = [np.array([a, b, 1 - a - b]) for a in axis for b in axis if a + b <= 1 + 1e-9]
    best = min(_objective(errors, shares, prior, pull) for shares in grid)
    # Errors below SMALL count as squares, so the last half per cent is not looked for.
    assert _objective(errors, ours, prior, pull) <= best * (1 + SMALL / 10)


def test_too_few_errors_leave_the_prior() -> None:
    prior = np.array([0.4, 0.6])
    few = np.random.default_rng(0).normal(0, 1, (5, 2))
    assert _least_absolute(few, prior, 0.0) is prior


def test_few_errors_are_held_closer_to_the_prior_than_many() -> None:
    prior = np.array([0.5, 0.5])
    errors = np.random.default_rng(0).normal(0, 1, (600, 2)) * np.array([1.0, 1.6])
    few, many = (_least_absolute(errors[:count], prior, 0.01) for count in (12, 600))
    assert many[0] > 0.6
    assert abs(few - prior).max() < abs(many - prior).max()


def test_wild_errors_do_not_decide() -> None:
    draw = np.random.default_rng(0)
    errors = np.stack([draw.normal(0, 0.2, 300), draw.normal(0, 2.0, 300)], axis=1)
    errors[0] = [5000.0, 0.0]
    assert _least_absolute(errors, np.array([0.5, 0.5]), 0.0)[0] > 0.8


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_mean_pair(seed: int) -> None:
    draw = np.random.default_rng(seed)
    scores = np.where(draw.random((4, 7, 3)) < 0.2, np.nan, draw.normal(0, 1, (4, 7, 3)))
    code = draw.integers(0, 3, 7)
    top, pairs = 0.0, 0
    for o in range(4):
        for h in range(3):
            for a in range(7):
                for b in range(7):
                    if a != b and code[a] == code[b] and np.isfinite(scores[o, [a, b], h]).all():
                        top += scores[o, a, h] * scores[o, b, h]
                        pairs += 1
    expected = top / pairs if pairs >= 3 else 0.0
    assert _mean_pair(scores, code) == pytest.approx(expected, rel=1e-9, abs=1e-12)
