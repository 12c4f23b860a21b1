"""LMDI-I: exact on anything, equal to published figures, and right at the limits."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import DataError
from insights.lmdi import effects, log_mean, log_ratio, product_split

Float = npt.NDArray[np.float64]

# Published: the example of the R package LMDIR, which implements Ang (2005): tests/testthat/test_lmdi.R
# of https://github.com/MatthewHeun/LMDIR (its spreadsheet: data-raw/LMDI_testing.xlsx). Two parts, three
# factors, four years.
YEARS: Final = np.array(
    [
        [[1, 10, 2], [4, 5, 3]],
        [[4, 5, 3], [5, 6, 4]],
        [[8, 2, 4], [5, 7, 5]],
        [[10, 1, 5], [6, 8, 6]],
    ],
    dtype=float,
)  # year, part, factor
PUBLISHED_PARTS: Final = (
    ((50.47438029, -25.23719014, 14.76280986), (19.31568569, 15.78206435, 24.90224996)),
    ((42.96021467, -56.79031473, 17.83010006), (0.0, 22.47128816, 32.52871184)),
    ((12.6549815, -39.30996299, 12.6549815), (41.35566084, 30.28867832, 41.35566084)),
)
PUBLISHED_EFFECTS: Final = (
    (69.79006598, -9.455125793, 39.66505981),
    (42.96021467, -34.31902656, 50.3588119),
    (54.01064234, -9.021284671, 54.01064234),
)
PUBLISHED_RATIOS: Final = (
    (1.761117821, 0.926191306, 1.379410116),
    (1.229284572, 0.847970248, 1.273773912),
    (1.208140223, 0.968911503, 1.208140223),
)
FACTORS: Final = np.moveaxis(YEARS, (0, 1, 2), (2, 1, 0))
NAMES: Final = ("one", "two", "three")


def named(factors: Float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(f"f{k}" for k in range(factors.shape[0])), tuple(f"p{i}" for i in range(factors.shape[1]))


def test_the_published_example_part_by_part() -> None:
    split = product_split(FACTORS, NAMES, ("a", "b"))
    for t, year in enumerate(PUBLISHED_PARTS):
        np.testing.assert_allclose(split.effects[:, :, t].T, year, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(split.change, [100, 59, 99])


def test_the_published_example_in_all_additive_and_multiplicative() -> None:
    split = product_split(FACTORS, NAMES, ("a", "b"))
    np.testing.assert_allclose(split.totals.T, PUBLISHED_EFFECTS, rtol=1e-8)
    np.testing.assert_allclose(split.ratios.T, PUBLISHED_RATIOS, rtol=1e-8)
    np.testing.assert_allclose(split.whole().totals, np.sum(PUBLISHED_EFFECTS, axis=0), rtol=1e-8)
    np.testing.assert_allclose(split.whole().change, 258)


def test_the_published_example_with_a_zero_at_either_end() -> None:
    """The same file: a zero takes the whole change of its part."""
    begin = YEARS[:2].copy()
    begin[0, 0, 0] = 0
    split = product_split(np.moveaxis(begin, (0, 1, 2), (2, 1, 0)), NAMES, ("a", "b"))
    np.testing.assert_allclose(split.effects[:, 0, 0], [60, 0, 0])
    np.testing.assert_allclose(split.effects[:, 1, 0], PUBLISHED_PARTS[0][1], rtol=1e-8)
    end = YEARS[:2].copy()
    end[1, 1, 2] = 0
    split = product_split(np.moveaxis(end, (0, 1, 2), (2, 1, 0)), NAMES, ("a", "b"))
    np.testing.assert_allclose(split.effects[:, 1, 0], [0, 0, -60])


# The eight cases of Ang, Zhang and Choi 1998, table 2, as the same test file has them:
# value before, value after, factor before, factor after, effect of the factor.
CASES: Final = (
    (0.0, 42.0, 0.0, 9999.0, 42.0),
    (42.0, 0.0, 9999.0, 0.0, -42.0),
    (0.0, 9999.0, 9999.0, 9999.0, 0.0),
    (9999.0, 0.0, 9999.0, 9999.0, 0.0),
    (0.0, 0.0, 9999.0, 9999.0, 0.0),
    (0.0, 0.0, 0.0, 0.0, 0.0),
    (0.0, 0.0, 9999.0, 0.0, 0.0),
    (0.0, 0.0, 0.0, 9999.0, 0.0),
)


@pytest.mark.parametrize(("v0", "vt", "x0", "xt", "expected"), CASES)
def test_the_eight_limits(v0: float, vt: float, x0: float, xt: float, expected: float) -> None:
    other0 = 0.0 if v0 == 0 and x0 != 0 else (v0 / x0 if x0 else 3.0)
    othert = 0.0 if vt == 0 and xt != 0 else (vt / xt if xt else 3.0)
    before, after = np.array([[x0], [other0]]), np.array([[xt], [othert]])
    told = effects(before, after, np.array([v0]), np.array([vt]))
    assert told[0, 0] == pytest.approx(expected)
    assert told.sum() == pytest.approx(vt - v0)


@pytest.mark.parametrize("zeros", [1, 2, 3])
def test_a_small_number_in_place_of_a_zero_converges_to_the_limit(zeros: int) -> None:
    exact = np.array([[0.0], [0.0], [0.0]])
    exact[zeros:, 0] = 2.0
    after = np.array([[3.0], [5.0], [7.0]])
    limit = effects(exact, after, exact.prod(axis=0), after.prod(axis=0))
    assert limit.sum() == pytest.approx(105)
    errors = []
    for small in (1e-3, 1e-20, 1e-100):
        before = np.where(exact == 0, small, exact)
        told = effects(before, after, before.prod(axis=0), after.prod(axis=0))
        errors.append(float(np.abs(told - limit).max()))
    assert errors[0] > errors[1] > errors[2]
    # The error falls as 1 / ln(small): that is why the limit is used and not a small number.
    assert errors[2] < 105 * 5 / np.log(1e100)


def test_log_mean_and_its_limits() -> None:
    assert log_mean(np.array(2.0), np.array(2.0)) == 2.0
    assert log_mean(np.array(0.0), np.array(5.0)) == 0.0
    assert np.isnan(log_mean(np.array(-1.0), np.array(5.0)))
    assert log_mean(np.array(-4.0), np.array(-1.0)) == pytest.approx(-3 / np.log(4))
    near = log_mean(np.array(1e9 + 1e-6), np.array(1e9))
    assert near == pytest.approx(1e9, rel=1e-15)
    assert log_ratio(np.array(1 + 1e-14), np.array(1.0)) == pytest.approx(1e-14, rel=1e-2)


@given(st.floats(1e-9, 1e15), st.floats(1e-9, 1e15))
@settings(max_examples=200, deadline=None)
def test_log_mean_lies_between_the_geometric_and_the_arithmetic(a: float, b: float) -> None:
    mean = float(log_mean(np.array(a), np.array(b)))
    assert mean == pytest.approx(float(log_mean(np.array(b), np.array(a))), rel=1e-9)
    assert np.sqrt(a) * np.sqrt(b) * (1 - 1e-9) <= mean <= (a + b) / 2 * (1 + 1e-9)


def random_case(rng: np.random.Generator) -> Float:
    """(K, N, 2) factors over many sizes, with zeros and negative numbers."""
    shape = (int(rng.integers(2, 6)), int(rng.integers(1, 7)), 2)
    factors = np.exp(rng.normal(0, 3, shape)) * np.where(rng.random(shape) < 0.2, -1, 1)
    factors[rng.random(shape) < rng.choice([0.0, 0.1, 0.4])] = 0.0
    return np.asarray(factors)


def test_no_residual_on_ten_thousand_random_cases() -> None:
    rng = np.random.default_rng(20261128)
    zeros = turned = 0
    worst = 0.0
    for _ in range(10_000):
        factors = random_case(rng)
        split = product_split(factors, *named(factors), chained=False)
        change = float(split.end.sum() - split.start.sum())
        size = max(float(np.abs(split.start).sum() + np.abs(split.end).sum()), 1e-300)
        assert np.isfinite(split.effects).all()
        worst = max(worst, abs(float(split.effects.sum()) - change) / (abs(change) or size))
        assert abs(float(split.effects.sum()) - change) <= 1e-12 * size
        zeros += bool((factors == 0).any())
        turned += bool((np.sign(factors[..., 0]) * np.sign(factors[..., 1]) < 0).any())
    assert worst < 1e-9
    assert min(zeros, turned) > 3000


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_each_part_is_exact_and_time_reverses(seed: int) -> None:
    factors = random_case(np.random.default_rng(seed))
    split = product_split(factors, *named(factors), chained=False)
    size = np.abs(split.start) + np.abs(split.end) + 1e-300
    assert (np.abs(split.effects.sum(axis=0) - (split.end - split.start)) <= 1e-12 * size).all()
    back = product_split(factors[:, :, ::-1], *named(factors), chained=False)
    assert (np.abs(back.effects + split.effects) <= 1e-9 * size).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_ratios_multiply_to_the_ratio_of_the_sums(seed: int) -> None:
    factors = np.abs(random_case(np.random.default_rng(seed))) + 1e-3
    split = product_split(factors, *named(factors), chained=False)
    assert np.prod(split.ratios) == pytest.approx(split.end.sum() / split.start.sum(), rel=1e-9)


def test_a_factor_that_changes_sign_takes_the_change_of_its_part() -> None:
    factors = np.array([[[2.0, 3.0]], [[-5.0, 4.0]]])
    split = product_split(factors, ("plain", "turned"), ("a",), chained=False)
    np.testing.assert_allclose(split.effects[:, 0], [0, 22])


def test_two_factors_that_change_sign_share_it_and_a_negative_part_is_plain() -> None:
    turned = product_split(np.array([[[2.0, -3.0]], [[-5.0, 4.0]]]), ("x", "y"), ("a",), chained=False)
    np.testing.assert_allclose(turned.effects[:, 0], [-1, -1])
    sink = product_split(np.array([[[2.0, 4.0]], [[-5.0, -5.0]]]), ("x", "y"), ("a",), chained=False)
    np.testing.assert_allclose(sink.effects[:, 0], [-10, 0], atol=1e-12)


def test_paths_are_split_at_once_as_one_by_one() -> None:
    rng = np.random.default_rng(3)
    factors = rng.lognormal(size=(3, 4, 5, 7))
    names = (("x", "y", "z"), tuple("abcd"))
    whole = product_split(factors, *names)
    for p in range(7):
        one = product_split(factors[..., p], *names)
        np.testing.assert_allclose(whole.effects[..., p], one.effects, rtol=1e-12)


def test_ratios_are_unknown_where_the_sum_is_zero() -> None:
    split = product_split(np.array([[[0.0, 3.0]], [[5.0, 4.0]]]), ("x", "y"), ("a",), chained=False)
    assert np.isnan(split.ratios).all()


def test_a_factor_that_is_no_number_is_refused() -> None:
    with pytest.raises(DataError) as told:
        product_split(np.array([[[1.0, np.nan]], [[1.0, 2.0]]]), ("x", "y"), ("kiln",))
    assert told.value.code == "factor-not-finite"
    assert told.value.offenders == ("kiln",)
