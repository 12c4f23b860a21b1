"""A single plant's own target: paths from its bands, and what still asks for its cluster."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from features.errors import AskError
from insights.goals import Goal
from models.dated import chance_at_most
from serving.alone import PATHS, alone_paths
from serving.ground import ground_of
from serving.progress import progress_view
from serving.shelf import Standing

PLANT = "aa-north/steel/mill"


def goal(level: float, year: int) -> Goal:
    return Goal(
        target_id="own-1",
        cluster_id=PLANT,
        kind="level",
        value=level / 1e6,
        base_year=None,
        base_mt=None,
        target_year=year,
    )


def test_paths_are_the_served_bands_and_the_same_again(whole: Standing) -> None:
    rung = whole.rungs[PLANT]
    paths = alone_paths(rung)
    assert paths.shape == (len(rung.grid), PATHS)
    np.testing.assert_array_equal(paths, alone_paths(rung))
    for line, drawn in zip(rung.grid, paths, strict=True):
        below = (drawn[None, :] <= line[:, None]).mean(axis=1)
        levels, emits = np.array(rung.levels), line > 0
        np.testing.assert_allclose(below[emits], levels[emits], atol=1.5 / PATHS)
        # Quantiles that are zero share what lies at zero.
        assert (below[~emits] >= levels[~emits] - 1.5 / PATHS).all()
    # A year ahead and two years ahead are not two throws of the dice.
    assert np.corrcoef(paths[0], paths[1])[0, 1] > 0.4


def test_the_chance_of_a_plants_own_target_is_that_of_its_bands(whole: Standing) -> None:
    rung = whole.rungs[PLANT]
    year = int(rung.entry.ds[2][:4])
    level = float(rung.grid[2][rung.levels.index(0.3)])
    told = progress_view(PLANT, whole, own=[goal(level, year)])
    assert told["paths_from"] == "own bands"
    assert told["kind"] == "plant"
    chance: dict[str, Any] = told["targets"][0]["chance"]
    assert chance["share_of_paths"] == pytest.approx(0.3, abs=0.01)
    assert chance["share_of_paths"] == pytest.approx(
        float(chance_at_most(rung.grid[2], rung.levels, level)), abs=0.01
    )
    assert told["targets"][0]["crossing"]


def test_sums_go_on_being_joint(whole: Standing) -> None:
    assert progress_view("aa-north/steel", whole)["paths_from"] == "joint"


def test_what_lays_several_series_over_one_another_refuses_a_plant(whole: Standing) -> None:
    with pytest.raises(AskError) as caught:
        ground_of(PLANT, whole)
    assert caught.value.code == "no-paths"
