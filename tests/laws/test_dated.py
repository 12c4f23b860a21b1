"""No peeking at outcomes: what comes after a cutoff changes no chance that was said at it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from models.past_targets import PastTargets
from models.recipe import Recipe
from models.replay import replay
from tests.training.plants import ground
from training.dated import Counts, served, walking
from training.folds import make_folds
from training.judging import Ground
from training.pieces import Cache
from training.plan import FoldPlan

Float = npt.NDArray[np.float64]
RECIPE = Recipe("blend", ("naive", "trend", "boosted"), reach=5, trees=10)
FOLDS = FoldPlan(issue_month=6, issue_day=15, first_year=2010, last_year=2021, scored=4)


def chances(place: Ground) -> list[tuple[PastTargets, dict[str, Float]]]:
    """The pseudo-targets of every fold, and what was said of them."""
    folds = make_folds(place.figures, place.history, FOLDS, pd.Timestamp("2026-01-01"))
    said = replay(place.history, folds.lengths, RECIPE, RECIPE.members)
    past, ours, naive = served(place, said, folds, RECIPE, "naive", Cache())
    return list(walking(past, ours.values, naive.values, Counts.none(len(folds.issued))))


@pytest.fixture(scope="module")
def true() -> list[tuple[PastTargets, dict[str, Float]]]:
    return chances(ground())


@pytest.mark.parametrize("after", [2012, 2016, 2019])
def test_what_comes_after_a_cutoff_changes_no_chance_at_it(
    true: list[tuple[PastTargets, dict[str, Float]]], after: int
) -> None:
    others = chances(ground(after=after))
    folds = after + 1 - FOLDS.first_year + 1
    assert folds < len(true)
    for (asked, said), (asked_too, said_too) in zip(true[:folds], others[:folds], strict=True):
        for name in ("rows", "steps", "bases", "cuts", "levels"):
            np.testing.assert_array_equal(getattr(asked, name), getattr(asked_too, name))
        for name in said:
            np.testing.assert_array_equal(said[name], said_too[name])
    # The figures that differ are read once they are out.
    assert not np.array_equal(true[folds][1]["raw"], others[folds][1]["raw"])


def test_chances_are_mended_once_outcomes_are_out(true: list[tuple[PastTargets, dict[str, Float]]]) -> None:
    moved = [not np.allclose(said["raw"], said["recalibrated"]) for _, said in true]
    assert moved[:3] == [False] * 3
    assert all(moved[4:])
