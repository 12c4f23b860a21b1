"""Boundaries that moved without a declaration."""

from __future__ import annotations

import numpy as np
import pytest

from features.series.moved import moved_boundaries, with_breaks
from models.engine import forecast_panel
from tests.models.panels import dense_of, panel_of, walks

COUNT, LENGTH, MOVED = 60, 14, 7


def _lifted(share: float, factor: float, *, back_after: int | None = None) -> list[np.ndarray]:
    series = walks(COUNT, LENGTH, seed=3)
    end = LENGTH if back_after is None else MOVED + back_after
    for row in series[: int(share * COUNT)]:
        row[MOVED:end] *= factor
    return series


@pytest.mark.parametrize("factor", [2.5, 0.4])
def test_many_jumps_one_way_that_stand_name_the_period(factor: float) -> None:
    assert moved_boundaries(dense_of(_lifted(0.3, factor))).tolist() == [LENGTH - 1 - MOVED]


@pytest.mark.parametrize(
    "series",
    [walks(COUNT, LENGTH, seed=3), _lifted(0.05, 2.5), _lifted(0.5, 0.5, back_after=2), _lifted(0.3, 1.1)],
    ids=["nothing", "few", "a crisis that passed", "small"],
)
def test_other_restlessness_names_none(series: list[np.ndarray]) -> None:
    assert moved_boundaries(dense_of(series)).tolist() == []


def test_the_newest_period_is_never_named() -> None:
    cut = [row[: MOVED + 1] for row in _lifted(0.5, 3.0)]
    assert moved_boundaries(dense_of(cut)).tolist() == []


def test_thin_panels_and_declared_breaks_name_none() -> None:
    moved = dense_of(_lifted(0.5, 3.0))
    assert moved_boundaries(moved.take(np.arange(29))).tolist() == []
    declared = with_breaks(moved, moved_boundaries(moved))
    assert declared.breaks[:, MOVED].all()
    assert moved_boundaries(declared).tolist() == []


def test_bands_do_not_read_the_move_as_error() -> None:
    levels = (0.025, 0.5, 0.975)
    moved = forecast_panel(panel_of(_lifted(0.3, 3.0)), steps=3, levels=levels, model="naive")
    still = forecast_panel(panel_of(_lifted(0.3, 1.0)), steps=3, levels=levels, model="naive")
    width = (moved.values[..., 2] - moved.values[..., 0]) / moved.values[..., 1]
    usual = (still.values[..., 2] - still.values[..., 0]) / still.values[..., 1]
    assert np.median(width) < 1.3 * np.median(usual)
