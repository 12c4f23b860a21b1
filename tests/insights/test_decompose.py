"""Real cut or lost output: by hand, on paths, and under uncertainty."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import AskError, DataError
from insights.decompose import (
    activity_scenario,
    activity_split,
    forecast_split,
    real_or_lost_output,
    uncertain_totals,
)

Float = npt.NDArray[np.float64]
NAN = float("nan")
FROM = [[10.0, 5.0], [4.0, 2.0]]
FACTORS = ("activity", "mix", "intensity")


def test_only_output_moved() -> None:
    split = activity_split(
        np.array([[10.0, 5.0], [4.0, 2.0]]), np.array([[2.0, 1.0], [8.0, 4.0]]), ("a", "b")
    )
    np.testing.assert_allclose(split.totals[:, 0], [-7, 0, 0], atol=1e-12)


def test_only_intensity_moved() -> None:
    split = activity_split(
        np.array([[10.0, 5.0], [4.0, 2.0]]), np.array([[2.0, 2.0], [8.0, 8.0]]), ("a", "b")
    )
    np.testing.assert_allclose(split.totals[:, 0], [0, 0, -7], atol=1e-12)


def test_only_the_mix_moved() -> None:
    split = activity_split(
        np.array([[10.0, 5.0], [1.0, 2.0]]), np.array([[2.0, 1.0], [1.0, 2.0]]), ("a", "b")
    )
    np.testing.assert_allclose(split.totals[[0, 2], 0], [0, 0], atol=1e-12)
    np.testing.assert_allclose(split.totals[1, 0], -4)


def test_a_part_that_comes_or_goes_does_so_through_the_mix() -> None:
    emissions = np.array([[10.0, 12.0], [NAN, 3.0], [5.0, NAN]])
    activity = np.array([[2.0, 2.0], [NAN, 1.0], [1.0, NAN]])
    split = activity_split(emissions, activity, ("stays", "comes", "goes"))
    np.testing.assert_allclose(split.effects[:, 1, 0], [0, 3, 0])
    np.testing.assert_allclose(split.effects[:, 2, 0], [0, -5, 0])
    np.testing.assert_allclose(split.totals.sum(), 0, atol=1e-12)


def test_a_standstill_of_all_is_lost_output_and_emissions_that_vanish_are_intensity() -> None:
    stopped = activity_split(np.array([[10.0, 0.0]]), np.array([[2.0, 0.0]]), ("a",))
    np.testing.assert_allclose(stopped.totals[:, 0], [-10, 0, 0])
    cleaned = activity_split(np.array([[10.0, 0.0]]), np.array([[2.0, 3.0]]), ("a",))
    np.testing.assert_allclose(cleaned.totals[:, 0], [0, 0, -10])


def test_a_part_that_turns_into_a_sink_is_intensity() -> None:
    split = activity_split(np.array([[10.0, -2.0]]), np.array([[2.0, 2.0]]), ("a",))
    np.testing.assert_allclose(split.totals[:, 0], [0, 0, -12])


def test_unlike_units_are_split_without_a_mix() -> None:
    emissions, activity = np.array([[10.0, 5.0], [4.0, 6.0]]), np.array([[2.0, 1.0], [800.0, 1200.0]])
    split = activity_split(emissions, activity, ("a", "b"), mix=False)
    assert split.factors == ("activity", "intensity")
    np.testing.assert_allclose(split.effects[:, :, 0], [[-5, 2], [0, 0]], atol=1e-12)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_no_residual_whatever_comes_goes_or_turns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 8)), int(rng.integers(2, 7)))
    activity = rng.lognormal(0, 3, shape)
    emissions = activity * rng.lognormal(0, 1, shape) * rng.choice([1, 1, 1, 0, -1], shape)
    gone = rng.random(shape) < 0.2
    emissions[gone], activity[gone] = NAN, NAN
    parts = tuple(map(str, range(shape[0])))
    size = np.nansum(np.abs(emissions)) + 1e-300
    for mix in (True, False):
        chained = activity_split(emissions, activity, parts, mix=mix)
        ends = activity_split(emissions, activity, parts, mix=mix, chained=False)
        assert np.abs(chained.residual).max() <= 1e-12 * size
        assert np.abs(ends.residual) <= 1e-12 * size
        np.testing.assert_allclose(chained.whole().totals.sum(), ends.totals.sum(), atol=1e-9 * size)


@pytest.mark.parametrize(
    ("emissions", "activity", "code"),
    [
        (5.0, -1.0, "activity-negative"),
        (5.0, NAN, "activity-missing"),
        (NAN, 5.0, "emissions-missing"),
        (5.0, 0.0, "emissions-without-activity"),
        (np.inf, 5.0, "figure-not-finite"),
    ],
)
def test_what_cannot_be_split_is_refused(emissions: float, activity: float, code: str) -> None:
    with pytest.raises(DataError) as told:
        activity_split(
            np.array([[1.0, 1.0], [4.0, emissions]]), np.array([[1.0, 1.0], [2.0, activity]]), ("a", "b")
        )
    assert told.value.code == code
    assert told.value.offenders == ("b",)


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(DataError, match="shapes-differ"):
        activity_split(np.ones((2, 2)), np.ones((2, 3)), ("a", "b"))


def paths(count: int = 300) -> Float:
    rng = np.random.default_rng(5)
    return np.asarray(np.array([8.0, 3.0])[:, None, None] * rng.lognormal(-0.05, 0.2, (2, 4, count)))


def test_a_forecast_is_split_on_every_path() -> None:
    drawn, ahead = paths(), activity_scenario(np.array([2.0, 5.0]), np.array([0.02, -0.1]), 4)
    split = forecast_split(np.array([8.0, 3.0]), np.array([2.0, 5.0]), drawn, ahead, ("a", "b"))
    np.testing.assert_allclose(split.samples.sum(axis=0), drawn.sum(axis=0) - 11.0, atol=1e-12)
    np.testing.assert_allclose(split.mean.sum(axis=0), split.change_mean, atol=1e-12)
    assert split.quantiles.shape == (3, 4, 3)
    assert (np.diff(split.quantiles, axis=2) >= 0).all()
    assert split.change_quantiles.shape == (4, 3)
    assert ((split.below_zero >= 0) & (split.below_zero <= 1)).all()


def test_one_path_of_a_forecast_is_split_as_if_it_were_the_past() -> None:
    drawn, rng = paths(), np.random.default_rng(8)
    ahead = np.array([2.0, 5.0])[:, None, None] * rng.lognormal(0, 0.1, drawn.shape)
    split = forecast_split(np.array([8.0, 3.0]), np.array([2.0, 5.0]), drawn, ahead, ("a", "b"))
    emissions = np.column_stack([[8.0, 3.0], drawn[:, 2, 17]])
    activity = np.column_stack([[2.0, 5.0], ahead[:, 2, 17]])
    one = activity_split(emissions, activity, ("a", "b"), chained=False)
    np.testing.assert_allclose(split.samples[:, 2, 17], one.totals, rtol=1e-10)


def test_a_scenario_without_output_for_paths_with_emissions_is_refused() -> None:
    with pytest.raises(DataError, match="emissions-without-activity"):
        forecast_split(np.array([8.0, 3.0]), np.array([2.0, 5.0]), paths(), np.zeros((2, 4)), ("a", "b"))


@pytest.mark.parametrize(
    ("totals", "code"),
    [
        ((-1.0, 0.0, -9.0), "real-cut"),
        ((-9.0, 1.0, -2.0), "lost-output"),
        ((0.0, -9.0, -2.0), "shifted-mix"),
        ((-4.0, -4.0, -4.0), "several-causes"),
        ((9.0, 0.0, -2.0), "more-output"),
        ((1.0, 0.0, 8.0), "dirtier-output"),
        ((10.0, 0.0, -10.0), "no-change"),
    ],
)
def test_the_plain_answer(totals: tuple[float, ...], code: str) -> None:
    answer = real_or_lost_output(FACTORS, np.array(totals), 100.0)
    assert answer["code"] == code
    assert answer["change"] == pytest.approx(sum(totals))
    assert answer["sure"] is None
    if answer["change"]:
        assert sum(answer["shares"].values()) == pytest.approx(1)


def test_an_uncertain_answer_says_how_sure_it_is() -> None:
    emissions, activity = np.array([[100.0, 80.0]]), np.array([[10.0, 9.9]])
    told = activity_split(emissions, activity, ("a",), chained=False)
    for spread, sure in ((0.01, True), (0.6, False)):
        draws = uncertain_totals(emissions, activity, ("a",), emissions_spread=spread, activity_spread=spread)
        answer = real_or_lost_output(told.factors, told.totals, 100.0, draws)
        assert answer["code"] == "real-cut"
        assert answer["sure"] is sure
        low, middle, high = answer["quantiles"]["intensity"]
        assert low < middle < high
    assert answer["below_zero"]["mix"] == 0.0


def test_equal_seeds_draw_alike_and_no_spread_draws_the_figures() -> None:
    emissions, activity = np.array([[100.0, 80.0], [5.0, 6.0]]), np.array([[10.0, 9.0], [1.0, 2.0]])
    one, two = (
        uncertain_totals(emissions, activity, ("a", "b"), emissions_spread=0.1, activity_spread=0.1, seed=4)
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)
    none = uncertain_totals(emissions, activity, ("a", "b"), emissions_spread=0, activity_spread=0, draws=2)
    told = activity_split(emissions, activity, ("a", "b"), chained=False).totals
    np.testing.assert_allclose(none, np.column_stack([told, told]))
    with pytest.raises(AskError, match="spread-out-of-range"):
        uncertain_totals(emissions, activity, ("a", "b"), emissions_spread=5, activity_spread=0)
