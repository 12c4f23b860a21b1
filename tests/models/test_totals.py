"""Totals say something by themselves; their parts follow, add up, and see nothing early."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.series.panel import Dense
from models.calibration import GRID
from models.engine import fit_panel
from models.fitted import FittedRecipe
from models.recipe import Recipe, champion_recipe
from models.totals import PastTotals, moved, parts_by_total, replay_totals, summed
from tests.models.panels import NAN, dense_of, walks

Float = npt.NDArray[np.float64]
RECIPE = champion_recipe(seasonal=False, reach=3, origins=6, trees=10)
CUTOFFS = np.repeat(np.arange(8, 15)[:, None], 12, axis=1)


@pytest.fixture(scope="module")
def panel() -> Dense:
    traits = {"kind": ["sector"] * 12, "area": [f"c{i % 3}" for i in range(12)]}
    return dense_of(walks(12, 16, seed=2), traits=traits)


@pytest.fixture(scope="module")
def model(panel: Dense) -> FittedRecipe:
    return fit_panel(panel, RECIPE)


def _replayed(panel: Dense, cutoffs: npt.NDArray[np.int64], recipe: Recipe = RECIPE) -> PastTotals:
    made = replay_totals(panel, cutoffs, recipe)
    assert made is not None
    return made


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 4), drawn=st.integers(1, 30))
def test_the_total_lies_midway_and_nothing_is_negative(seed: int, steps: int, drawn: int) -> None:
    draw = np.random.default_rng(seed)
    paths = np.maximum(draw.normal(1, 1, (6, steps, drawn)), 0.0) * 10 ** draw.uniform(-3, 6)
    parts = (np.array([0, 1, 2]), np.array([3, 4]))
    curves = np.sort(draw.uniform(0, 2 * paths.max() + 1, (2, steps, len(GRID))), axis=2)
    out = moved(paths.copy(), curves, parts, np.ones(6, dtype=bool))
    assert (out >= 0).all()
    np.testing.assert_array_equal(out[5], paths[5])
    for rows, curve in zip(parts, curves, strict=True):
        total, made = paths[rows].sum(axis=0), out[rows].sum(axis=0)
        rank = (total.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") + 0.5) / drawn
        for h in range(steps):
            # Outside the grid the curve goes on along its last slope.
            slope = (curve[h, 1] - curve[h, 0], curve[h, -1] - curve[h, -2])
            own = np.interp(rank[h], GRID, curve[h])
            own += np.minimum(rank[h] - GRID[0], 0) / 0.005 * slope[0]
            own += np.maximum(rank[h] - GRID[-1], 0) / 0.005 * slope[1]
            wanted = 0.5 * total[h] + 0.5 * np.maximum(own, 0)
            np.testing.assert_allclose(made[h], wanted, rtol=1e-6, atol=1e-6 * paths.max())


def test_a_total_without_a_curve_a_part_or_of_negative_parts_stays(panel: Dense) -> None:
    parts = parts_by_total(panel)
    paths = np.random.default_rng(1).uniform(1, 2, (12, 2, 5))
    curves = np.zeros((3, 2, len(GRID)))
    none = np.full(curves.shape, np.nan)
    np.testing.assert_array_equal(moved(paths.copy(), none, parts, panel.non_negative), paths)
    np.testing.assert_array_equal(moved(paths.copy(), curves, parts, ~panel.non_negative), paths)
    paths[0] = np.nan
    out = moved(paths.copy(), curves, parts, panel.non_negative)
    np.testing.assert_array_equal(out[parts[0]], paths[parts[0]])
    assert not np.array_equal(out[parts[1]], paths[parts[1]])


def test_totals_are_sums_and_break_where_their_parts_change() -> None:
    series = [[1.0, 2, 3, 4], [NAN, 10, 20, 30], [5.0, 5, 5, 5]]
    panel = dense_of(series, breaks=[(0, 3)], traits={"area": ["a", "a", "b"]})
    totals = summed(panel, panel.lengths, parts_by_total(panel))
    np.testing.assert_array_equal(totals.y[:, :4], [[1, 12, 23, 34]])
    np.testing.assert_array_equal(totals.breaks[:, :4], [[False, True, False, True]])


def test_series_that_begin_apart_are_summed_by_period() -> None:
    panel = dense_of([[1.0, 2, 3, 4], [20.0, 30]], starts=[40, 41], traits={"area": ["a", "a"]})
    totals = summed(panel, np.array([3, 2]), parts_by_total(panel))
    np.testing.assert_array_equal(totals.y[0, :3], [1, 22, 33])
    assert (totals.starts[0], totals.lengths[0]) == (40, 3)


def test_plants_lone_series_and_seasons_have_no_totals() -> None:
    figures = walks(4, 30, seed=1)
    assert parts_by_total(dense_of(figures)) == ()
    assert parts_by_total(dense_of(figures, traits={"area": list("abcd")})) == ()
    assert parts_by_total(dense_of(figures, traits={"area": ["a"] * 4, "kind": ["plant"] * 4})) == ()
    assert parts_by_total(dense_of(figures, cadence="month", traits={"area": ["a"] * 4})) == ()


@pytest.mark.parametrize(
    ("lengths", "told"), [((5, 5), 5), ((5, 4), 0), ((5, 0), 0), ((0, 0), 0), ((8, 8), 8), ((3, 3), 0)]
)
def test_a_total_is_told_only_where_its_parts_end_together(lengths: tuple[int, int], told: int) -> None:
    series = walks(2, 8, seed=1)
    series[1][2] = NAN
    panel = dense_of(series, traits={"area": ["a", "a"]})
    assert summed(panel, np.array(lengths), parts_by_total(panel)).lengths.tolist() == [told]


def test_nobody_speaks_for_totals_of_a_recipe_without_them(panel: Dense) -> None:
    assert replay_totals(panel, CUTOFFS, RECIPE.alone("arima")) is None
    assert replay_totals(panel, CUTOFFS, replace(RECIPE, totals=())) is None
    assert _replayed(panel, CUTOFFS, RECIPE.alone("naive")).past.members == ("naive",)


def test_paths_of_a_model_follow_the_totals(panel: Dense, model: FittedRecipe) -> None:
    assert model.totals is not None
    assert model.totals.weights.members == ("naive", "trend")
    with_totals = model.paths(panel, 5, 300, seed=3)
    without = replace(model, totals=None).paths(panel, 5, 300, seed=3)
    assert (with_totals >= 0).all()
    assert not np.allclose(with_totals, without)
    # Which path is high and which is low is not changed by it.
    for rows in parts_by_total(panel):
        before, after = without[rows].sum(axis=0), with_totals[rows].sum(axis=0)
        for h in range(5):
            # Up to the share of spread a total gives way by.
            climbed = np.diff(after[h][np.argsort(before[h])])
            assert climbed.min() > -1e-6 * after[h].mean()


def test_series_by_themselves_say_the_same(panel: Dense, model: FittedRecipe) -> None:
    np.testing.assert_array_equal(replace(model, totals=None).curves(panel, 4), model.curves(panel, 4))


def test_what_is_backtested_is_what_would_have_been_served(panel: Dense) -> None:
    """At a cutoff at which one series has ended, and another was not there yet when others were."""
    panel = replace(panel, starts=panel.starts + np.where(np.arange(12) == 4, 2, 0))
    cutoffs = CUTOFFS - np.where(np.arange(12) == 4, 2, 0)
    cutoffs[4:, 7] = 0
    past, fold = _replayed(panel, cutoffs), 5
    asked = np.flatnonzero(cutoffs[fold] > 0)
    seen = panel.until(cutoffs[fold]).take(asked)
    paths = np.random.default_rng(1).uniform(1e4, 2e5, (12, 3, 40))
    said = np.where((cutoffs[fold] > 0)[:, None, None], paths, np.nan)
    told = past.agreed(said.copy(), np.arange(12), panel, fold)
    served = past.learnt(cutoffs[: fold + 1].max(axis=0)).agreed(paths[asked], seen, RECIPE)
    np.testing.assert_array_equal(told[asked], served)
    assert not np.array_equal(served, paths[asked])
    # A part that is not among the series drawn: its total stays.
    inner = np.flatnonzero(np.arange(12) % 3 != 0)[1:]
    some = past.agreed(said[inner], inner, panel, fold)
    np.testing.assert_array_equal(some[1::2], said[inner][1::2])
    np.testing.assert_array_equal(some[::2], told[inner][::2])


def test_figures_after_a_cutoff_change_nothing_known_then(panel: Dense) -> None:
    later = panel.y.copy()
    later[:, 13:] *= -3
    paths = np.random.default_rng(1).uniform(1e4, 2e5, (12, 3, 40))
    told = [
        _replayed(figures, CUTOFFS).agreed(paths.copy(), np.arange(12), figures, 5)
        for figures in (panel, replace(panel, y=later))
    ]
    np.testing.assert_array_equal(told[0], told[1])
    assert not np.array_equal(told[0], paths)


def test_an_error_counts_once_every_part_was_published(panel: Dense) -> None:
    """Of two parts the second is published a year later: totals are known as far as that."""
    past = _replayed(panel, CUTOFFS)
    late = np.full(12, 14)
    late[3] = 12
    spoilt = replace(past, past=replace(past.past, actual=past.past.actual.copy()))
    known = past.cutoffs[:, :1, None] + np.arange(3) < 12
    spoilt.past.actual[:, :1][~known] *= 100
    one, other = past.learnt(late), spoilt.learnt(late)
    np.testing.assert_array_equal(one.calibration.z, other.calibration.z)
    np.testing.assert_array_equal(one.weights.shares, other.weights.shares)
    assert not np.array_equal(one.calibration.z, past.learnt(np.full(12, 14)).calibration.z)
