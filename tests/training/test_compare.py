"""The comparison over cutoffs, against its formula written out and against many draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from features.errors import LawBroken
from training.compare import compare, lags_for


def test_without_lags_it_is_the_paired_t_test() -> None:
    d = np.random.default_rng(1).normal(-0.3, 1.0, 8)
    found = compare(d, steps=1)
    wanted = ttest_1samp(d, 0.0, alternative="less")
    assert found.lags == 0
    assert found.mean / found.error == pytest.approx(wanted.statistic)
    assert found.p_value() == pytest.approx(wanted.pvalue)
    assert found.bound(0.95) == pytest.approx(wanted.confidence_interval(0.95).high)


def test_with_lags_it_is_the_formula_written_out() -> None:
    d = [0.5, 0.7, 0.6, 0.1, -0.4, -0.5, -0.2, 0.3]
    n, lags = 8, 3
    mean = sum(d) / n
    gamma = [sum((d[i] - mean) * (d[i - j] - mean) for i in range(j, n)) / n for j in range(lags + 1)]
    variance = gamma[0] + 2 * sum((1 - j / (lags + 1)) * gamma[j] for j in range(1, lags + 1))
    assert variance > gamma[0]
    h = lags + 1
    correction = (n + 1 - 2 * h + h * (h - 1) / n) / n
    found = compare(np.array(d), steps=8)
    assert found.lags == lags
    assert found.error == pytest.approx(math.sqrt(variance / n / correction))


@pytest.mark.parametrize(
    ("cutoffs", "steps", "lags"), [(8, 8, 3), (8, 2, 1), (20, 8, 7), (4, 8, 1), (2, 8, 0)]
)
def test_lags_reach_as_far_as_the_steps_overlap_and_the_cutoffs_allow(
    cutoffs: int, steps: int, lags: int
) -> None:
    assert lags_for(cutoffs, steps) == lags


def test_luck_between_neighbours_does_not_make_it_surer() -> None:
    """A series that alternates has a tiny long-run variance; eight cutoffs cannot show that."""
    d = -0.1 + 0.2 * np.resize([1.0, -1.0], 8)
    plain = float(np.var(d)) / 8
    assert compare(d, steps=8).error ** 2 >= plain


def test_an_equal_recipe_rarely_looks_better_even_with_shared_years() -> None:
    draw = np.random.default_rng(7)
    shocks = draw.normal(size=(4000, 9))
    d = shocks[:, 1:] + 0.5 * shocks[:, :-1]
    passed = np.mean([compare(row, steps=8).bound(0.975) < 0 for row in d])
    plain = np.mean([compare(row, steps=1).bound(0.975) < 0 for row in d])
    assert passed < 0.025
    assert plain > 0.035


def test_equal_differences_are_certain() -> None:
    assert compare(np.full(5, -0.2), steps=8).bound(0.975) == pytest.approx(-0.2)
    assert compare(np.full(5, 0.0), steps=8).p_value() == 1.0


@pytest.mark.parametrize("values", [[0.1], [0.1, math.nan, 0.2], [0.1, math.inf]])
def test_too_few_or_not_finite_is_refused(values: list[float]) -> None:
    with pytest.raises(LawBroken, match="comparison-without-scores"):
        compare(np.array(values), steps=4)
