"""Model rows: named, in order, bounded by what the panel declares."""

from __future__ import annotations

import numpy as np
import pytest

from features.matrix.build import MOST_VALUES, build, recipe_for
from features.matrix.recipe import FeatureRecipe
from features.matrix.scale import ONLY_ZEROS, back_from_end, last_seen, usual_change
from tests.models.panels import NAN, dense_of, ragged, walks


def test_recipe_round_trip() -> None:
    recipe = recipe_for(ragged(12, seed=1))
    assert FeatureRecipe.of_record(recipe.as_record()) == recipe


@pytest.mark.parametrize("cadence", ["year", "month"])
def test_rows_have_a_column_a_name(cadence: str) -> None:
    history = ragged(12, seed=1, cadence=cadence)
    recipe = recipe_for(history)
    made = build(history, recipe, 3)
    assert made.x.shape == (12, len(recipe.columns) - 1)
    assert len(set(recipe.columns)) == len(recipe.columns)
    assert recipe.columns[-1] == "step"
    assert ("phase" in recipe.columns) == (cadence == "month")


def test_only_traits_that_tell_series_apart_enter() -> None:
    count = MOST_VALUES + 1
    traits = {
        "same": ["x"] * count,
        "own": [f"n{i}" for i in range(count)],
        "kind": ["a"] * 40 + ["b"] * (count - 40),
        "area": ["a"] * 40 + ["b"] * (count - 40),
    }
    recipe = recipe_for(dense_of([[1.0, 2.0]] * count, traits=traits))
    assert recipe.traits == ("kind",)
    assert recipe.codes == (("a", "b"),)


def test_values_never_seen_and_traits_never_given_are_unknown() -> None:
    recipe = recipe_for(dense_of([[1.0, 2.0]] * 2, traits={"kind": ["a", "b"]}))
    place = recipe.columns.index("trait_1")
    seen = build(dense_of([[1.0, 2.0]] * 2, traits={"kind": ["b", "c"]}), recipe, 1)
    assert seen.x[:, place].tolist() == [1.0, -1.0]
    assert build(dense_of([[1.0, 2.0]]), recipe, 1).x[:, place].tolist() == [-1.0]


def test_a_name_of_ours_may_be_a_trait_of_theirs() -> None:
    recipe = recipe_for(dense_of([[1.0, 2.0]] * 2, traits={"step": ["a", "b"], "age": ["c", "d"]}))
    assert recipe.traits == ("step", "age")
    assert recipe.columns[-3:] == ("trait_1", "trait_2", "step")


def test_rows_of_nothing_but_gaps_say_so() -> None:
    history = dense_of([[1.0, 2.0, 3.0], [NAN, NAN, NAN]])
    made = build(history, recipe_for(history), 2)
    assert made.anchor.tolist() == [[3.0, 3.0], [0.0, 0.0]]
    assert np.isnan(made.x[1, :9]).all()
    assert (made.scale > 0).all()


def test_usual_change_by_hand() -> None:
    # Changes 1 (newest) and 3: (1 + 0.7 * 3) / 1.7, and 3% of the level 14.
    history = dense_of([[10.0, 13.0, 14.0]])
    assert usual_change(history)[0] == pytest.approx((1 + 0.7 * 3) / 1.7 + 0.03 * 14)


def test_usual_change_of_a_standstill_is_not_zero() -> None:
    still = usual_change(dense_of([[0.0] * 5, [100.0] * 5, [100.0] * 10 + [0.0] * 30]))
    assert still[0] == ONLY_ZEROS
    assert still[1] == pytest.approx(3.0)
    assert still[2] == pytest.approx(0.03 * 0.2 * 25)


def test_the_newest_figure_counts_though_gaps_follow_it() -> None:
    history = dense_of([[10.0, 100.0, NAN, NAN]])
    assert last_seen(history.y)[0].tolist() == [100.0]
    assert usual_change(history)[0] > 0.03 * 100
    assert np.isnan(back_from_end(history, 0)).all()


def test_small_and_large_plants_have_the_same_rows() -> None:
    y = walks(1, 12, seed=1)[0]
    history = dense_of([y, y * 1000])
    recipe = recipe_for(history)
    x = build(history, recipe, 1).x
    level = recipe.columns.index("log_level")
    same = [k for k in range(x.shape[1]) if k != level]
    np.testing.assert_array_equal(x[0, same], x[1, same])
    assert x[1, level] > x[0, level]
