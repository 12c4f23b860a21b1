"""Anybody's panel: who answers, for how far, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from features.errors import AskError, DataError
from models.engine import forecast_panel, recipe_for_panel, without_figures
from models.kinds import BLENDS, MEMBERS
from models.replay import past_origins
from tests.models.panels import NAN, dense_of, panel_of, walks

LEVELS = (0.1, 0.5, 0.9)


def test_unknown_forecaster_is_refused() -> None:
    with pytest.raises(AskError) as refused:
        forecast_panel(panel_of(walks(1, 9, seed=1)), steps=2, levels=LEVELS, model="oracle")
    assert refused.value.code == "unknown-forecaster"
    assert all(name in str(refused.value) for name in [*BLENDS, *MEMBERS])


def test_nothing_but_gaps_is_refused() -> None:
    with pytest.raises(DataError) as refused:
        forecast_panel(panel_of([[NAN, NAN, NAN]]), steps=2, levels=LEVELS)
    assert refused.value.code == "no-figures"


def test_series_without_figures_are_named_and_the_others_answered() -> None:
    panel = panel_of([walks(1, 9, seed=1)[0], np.full(5, NAN)])
    outlook = forecast_panel(panel, steps=2, levels=LEVELS)
    assert outlook.ids == ("s000",)
    assert without_figures(panel) == ("s001",)


def test_short_series_say_that_naive_spoke() -> None:
    panel = panel_of([*walks(3, 12, seed=1), np.array([5.0, 6.0])])
    outlook = forecast_panel(panel, steps=2, levels=LEVELS)
    assert outlook.made_by[:3] == ("blend",) * 3
    assert outlook.made_by[3] == "naive: 2 figures, too few for blend"
    assert 5.0 < outlook.values[3, 0, 1] < 7.0


def test_traits_may_be_called_anything() -> None:
    count = 40
    traits = {name: ["a", "b"] * (count // 2) for name in ('Plant: {"type"}', "step", "age", "kind", "ü ,")}
    outlook = forecast_panel(panel_of(walks(count, 15, seed=2), traits=traits), steps=2, levels=LEVELS)
    assert len(outlook.ids) == count


def test_progress_is_told_once_a_member_and_cutoff() -> None:
    panel = panel_of(walks(4, 14, seed=1))
    heard: list[tuple[str, int]] = []
    forecast_panel(panel, steps=3, levels=LEVELS, told=lambda member, origin: heard.append((member, origin)))
    recipe = recipe_for_panel(panel.dense, steps=3, model="blend")
    assert len(heard) == len(set(heard)) == len(past_origins(panel.dense, recipe)) * len(recipe.members)


@pytest.mark.parametrize("cadence", ["year", "month"])
@pytest.mark.parametrize("length", [1, 2, 3, 4, 7, 30, 90])
def test_reach_fits_the_panel(cadence: str, length: int) -> None:
    history = dense_of(walks(2, length, seed=1), cadence=cadence)
    recipe = recipe_for_panel(history, steps=200, model="blend")
    assert 1 <= recipe.reach <= max(1, length)
    lengths = past_origins(history, recipe)
    assert ((lengths == 0) | (lengths >= 3)).all()
    assert (lengths < history.lengths).all()
    assert (np.diff(lengths, axis=0) >= 0).all()


@pytest.mark.parametrize("steps", [1, 3, 120])
def test_a_planted_season_is_found(steps: int) -> None:
    t = np.arange(84)
    draw = np.random.default_rng(1)
    noise = np.exp(draw.normal(0, 0.01, (12, 84)))
    noisy = [1e4 * (1 + 0.5 * np.sin(2 * np.pi * (t + k) / 12)) * noise[k] for k in range(12)]
    outlook = forecast_panel(panel_of(noisy, cadence="month"), steps=steps, levels=LEVELS)
    for k in range(12):
        ahead = 1e4 * (1 + 0.5 * np.sin(2 * np.pi * (84 + np.arange(steps) + k) / 12))
        assert np.abs(outlook.values[k, :, 1] / ahead - 1).max() < 0.12


def test_a_straight_line_goes_on() -> None:
    line = np.arange(1000.0, 2000.0, 50.0)
    outlook = forecast_panel(panel_of([line] * 12), steps=3, levels=LEVELS)
    assert (outlook.values[:, :, 1] > line[-1] + 20).all()


def test_many_steps_ahead_keep_widening() -> None:
    outlook = forecast_panel(panel_of(walks(20, 20, seed=3, spread=0.03)), steps=60, levels=LEVELS)
    width = outlook.values[..., 2] - outlook.values[..., 0]
    assert (width[:, -1] > width[:, 8]).all()
