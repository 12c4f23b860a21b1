"""Drivers add up to what the forecaster says, and every feature has its group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from features.errors import LawBroken
from features.matrix.recipe import GROUPS, FeatureRecipe
from features.series.panel import Dense
from insights.drivers import BASE, FLOOR, blend_members, boosted_drivers
from models.boosted import Boosted, BoostedFit
from models.engine import fit_panel
from models.fitted import FittedRecipe
from models.recipe import champion_recipe
from models.replay import groups_of
from tests.models.panels import dense_of, ragged, walks

RECIPE = champion_recipe(seasonal=False, reach=3, origins=5, trees=12)


@pytest.fixture(scope="module")
def history() -> Dense:
    return ragged(60, seed=12, longest=18)


@pytest.fixture(scope="module")
def fitted(history: Dense) -> FittedRecipe:
    return fit_panel(history, RECIPE)


def booster_of(fitted: FittedRecipe) -> BoostedFit:
    member = next(member for member in fitted.members if isinstance(member, BoostedFit))
    assert member.booster is not None
    return member


def test_groups_base_and_anchor_add_up_to_the_forecast(fitted: FittedRecipe, history: Dense) -> None:
    told = boosted_drivers(booster_of(fitted), history, 5)
    whole = told.anchor + told.contributions.sum(axis=2)
    np.testing.assert_allclose(whole, told.forecast, rtol=1e-9, atol=1e-9 * np.nanmax(np.abs(history.y)))
    np.testing.assert_array_equal(told.forecast, booster_of(fitted).forecast(history, 5))


def test_contributions_are_the_boosters_own_prediction(fitted: FittedRecipe, history: Dense) -> None:
    columns, base = booster_of(fitted).contributions(history, 2)
    told = boosted_drivers(booster_of(fitted), history, 2)
    changes = columns.sum(axis=2) + base
    raw = told.anchor + changes
    inside = told.forecast > 0
    assert inside.mean() > 0.8
    np.testing.assert_allclose(raw[inside], told.forecast[inside], rtol=1e-9)
    assert np.abs(columns).sum() > 0


def test_what_keeps_a_forecast_from_going_below_zero_is_told_apart() -> None:
    falling = [1e5 * np.maximum(1 - 0.12 * np.arange(12) * k, 0.001) for k in np.linspace(0.3, 1.1, 40)]
    panel = dense_of([*falling, *walks(40, 12, seed=2)])
    member = Boosted(reach=4, trees=40).fit(panel)
    told = boosted_drivers(member, panel, 4)
    floor = told.contributions[:, :, told.groups.index(FLOOR)]
    assert (floor[told.forecast > 0] == 0).all()
    np.testing.assert_allclose(
        told.anchor + told.contributions.sum(axis=2), told.forecast, atol=1e-9 * np.nanmax(panel.y)
    )


def test_one_series_alone_has_the_same_drivers(fitted: FittedRecipe, history: Dense) -> None:
    member = booster_of(fitted)
    whole, one = boosted_drivers(member, history, 3), boosted_drivers(member, history.take([7]), 3)
    np.testing.assert_array_equal(one.contributions[0], whole.contributions[7])


def test_steps_beyond_the_reach_repeat_the_last(fitted: FittedRecipe, history: Dense) -> None:
    told = boosted_drivers(booster_of(fitted), history, 6)
    np.testing.assert_array_equal(told.contributions[:, 3:], told.contributions[:, 2:3].repeat(3, axis=1))


def test_an_untrained_booster_drives_nothing() -> None:
    few = dense_of(walks(3, 6, seed=1))
    told = boosted_drivers(Boosted(reach=3).fit(few), few, 2)
    assert (told.contributions == 0).all()
    np.testing.assert_array_equal(told.forecast, told.anchor)


def test_members_add_up_to_the_centre_of_the_blend(fitted: FittedRecipe, history: Dense) -> None:
    told = blend_members(fitted, history, 4)
    np.testing.assert_allclose(told.weights.sum(axis=2), 1)
    np.testing.assert_allclose(told.anchor + told.contributions.sum(axis=2), told.centre, rtol=1e-12)
    assert (told.contributions[:, :, 0] == 0).all()
    assert told.members[0] == "naive"
    shares = fitted.weights.of(groups_of(history), 4)
    again = sum(shares[:, :, k] * m.forecast(history, 4) for k, m in enumerate(fitted.members))
    np.testing.assert_allclose(told.centre, again, rtol=1e-12)


@pytest.mark.parametrize("seasonal", [True, False])
def test_every_feature_has_a_group_and_one_only(seasonal: bool) -> None:
    recipe = FeatureRecipe(("sector", "colour"), (("a", "b"), ("c", "d")), seasonal=seasonal, level=1.0)
    assert len(recipe.groups) == len(recipe.columns)
    of = dict(zip(recipe.columns, recipe.groups, strict=True))
    assert (of["trait_1"], of["trait_2"]) == ("sector", "other-traits")
    named = [column for columns in GROUPS.values() for column in columns]
    assert len(named) == len(set(named))
    assert {BASE, FLOOR}.isdisjoint(GROUPS)


def test_every_named_feature_exists() -> None:
    recipe = FeatureRecipe((), (), seasonal=True, level=1.0)
    named = {column for columns in GROUPS.values() for column in columns}
    assert named == set(recipe.columns)


@dataclass(frozen=True)
class Wider(FeatureRecipe):
    """A recipe with a feature nobody gave a group."""

    @property
    def columns(self) -> tuple[str, ...]:
        return (*super().columns, "weather")


def test_a_new_feature_without_a_group_is_refused() -> None:
    with pytest.raises(LawBroken) as told:
        _ = Wider((), (), seasonal=False, level=1.0).groups
    assert told.value.offenders == ("weather",)
