"""Bands keep their promise on walks whose promise is known, and wild errors do not spread."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pytest

from models.calibration import (
    GRID,
    PRIOR_CUTOFFS,
    UNBIASED_CUTOFFS,
    WIDEST_ERROR,
    Calibration,
    calibrate,
    random_walk,
)
from models.engine import fit_panel, forecast_panel
from models.recipe import champion_recipe
from models.replay import Replay
from tests.models.panels import dense_of, panel_of, walks

Float = npt.NDArray[np.float64]
RECIPE: Final = champion_recipe(seasonal=False, reach=5)
STEPS: Final = 5


def _coverage(model: str, spread: float, seed: int) -> Float:
    """(steps, 2) share of actuals within the 80% and the 95% band, 80 walks."""
    whole = np.stack(walks(80, 25, seed=seed, spread=spread))
    outlook = forecast_panel(
        panel_of(whole[:, :20]), steps=STEPS, levels=(0.025, 0.1, 0.9, 0.975), model=model
    )
    actual = whole[:, 20:]
    inside = [
        (actual >= outlook.values[..., low]) & (actual <= outlook.values[..., high])
        for low, high in ((1, 2), (0, 3))
    ]
    return np.stack([band.mean(axis=0) for band in inside], axis=1)


@pytest.mark.parametrize("model", ["naive", "champion-recipe"])
@pytest.mark.parametrize("spread", [0.03, 0.15])
def test_bands_cover_random_walks(model: str, spread: float) -> None:
    found = np.mean([_coverage(model, spread, seed) for seed in (1, 2)], axis=0)
    # 160 walks: two standard errors of 80% are 0.06.
    assert found[:, 0] == pytest.approx(np.full(STEPS, 0.8), abs=0.09)
    assert found[:, 1] == pytest.approx(np.full(STEPS, 0.95), abs=0.06)


def test_bands_widen_as_a_walk_does() -> None:
    outlook = forecast_panel(panel_of(walks(60, 20, seed=3)), steps=9, levels=(0.1, 0.9), model="naive")
    width = (outlook.values[..., 1] - outlook.values[..., 0]).mean(axis=0)
    assert (np.diff(width) > 0).all()
    # sqrt(9) = 3, plus what the drift of the level adds.
    assert 1.8 < width[8] / width[0] < 4.5


def test_livelier_series_have_wider_bands() -> None:
    calm, lively = walks(30, 20, seed=5, spread=0.02), walks(30, 20, seed=5, spread=0.2)
    outlook = forecast_panel(panel_of([*calm, *lively]), steps=3, levels=(0.1, 0.5, 0.9), model="naive")
    width = (outlook.values[:, 0, 2] - outlook.values[:, 0, 0]) / outlook.values[:, 0, 1]
    assert np.median(width[30:]) > 3 * np.median(width[:30])


def _replay(errors: Float, scale: Float | None = None) -> Replay:
    """Errors (O, B, H) of a forecast of zero, every yardstick one."""
    origins, count, _ = errors.shape
    return Replay(
        members=("naive",),
        point=np.zeros((1, *errors.shape)),
        actual=errors,
        scale=np.ones((origins, count)) if scale is None else scale,
        lengths=np.full((origins, count), 10),
        groups=("all",) * count,
        pools=("all",) * count,
    )


def _calibrated(errors: Float) -> Calibration:
    lengths = np.full(errors.shape[1], 99)
    return calibrate(_replay(errors), np.zeros(errors.shape), lengths, RECIPE, season=1)


def test_nothing_known_is_a_random_walk() -> None:
    found = _calibrated(np.full((3, 4, 2), np.nan))
    np.testing.assert_allclose(found.of(("all",), 2)[0], random_walk(2, 1), rtol=1e-9)


def test_errors_of_many_cutoffs_speak_for_themselves() -> None:
    errors = np.random.default_rng(4).normal(0.0, 1.0, (100, 40, 2))
    z = _calibrated(errors).of(("all",), 2)[0]
    assert z[0, 99] == pytest.approx(0.0, abs=0.1)
    assert z[0, 179] - z[0, 19] == pytest.approx(2 * 1.2816, abs=0.15)


@pytest.mark.parametrize("cutoffs", [2, 10, 190])
def test_the_more_cutoffs_the_more_a_bias_is_believed(cutoffs: int) -> None:
    z = _calibrated(np.full((cutoffs, 4000, 1), 2.0)).of(("all",), 1)[0]
    believed = cutoffs / (cutoffs + PRIOR_CUTOFFS) * cutoffs / (cutoffs + UNBIASED_CUTOFFS)
    assert z[0, 99] == pytest.approx(2.0 * believed, rel=0.02)


def test_two_cutoffs_of_a_thousand_series_do_not_narrow_the_bands_to_nothing() -> None:
    z = _calibrated(np.zeros((2, 1000, 1))).of(("all",), 1)[0]
    assert z[0, 179] - z[0, 19] > 0.5 * (random_walk(1, 1)[0, 179] - random_walk(1, 1)[0, 19])


def test_kinds_never_seen_take_the_bands_of_all() -> None:
    found = _calibrated(np.random.default_rng(4).normal(0, 1, (10, 40, 2)))
    np.testing.assert_array_equal(found.of(("never",), 2)[0], found.z[-1])


def test_one_plant_back_from_standstill_does_not_widen_the_others_without_end() -> None:
    errors = np.random.default_rng(4).normal(0, 1, (10, 8, 2))
    errors[:, 0] = 1e9
    z = _calibrated(errors).of(("all",), 2)
    assert z.max() <= WIDEST_ERROR
    assert z[0, 0, 99] < 1.0


def test_series_that_rise_from_nothing_leave_the_others_alone() -> None:
    calm = walks(7, 14, seed=2)
    rising = np.r_[np.zeros(10), 1e5, 1.1e5, 1e5, 0.9e5]
    levels = (0.025, 0.5, 0.975)
    alone = forecast_panel(panel_of(calm), steps=3, levels=levels, model="naive").values
    beside = forecast_panel(panel_of([*calm, rising]), steps=3, levels=levels, model="naive").values
    width, wider = (v[:7, :, 2] - v[:7, :, 0] for v in (alone, beside))
    assert (wider < 1.6 * width).all()


def test_quantiles_do_not_cross_in_any_table() -> None:
    model = fit_panel(dense_of(walks(40, 16, seed=9)), RECIPE)
    assert model.calibration.z.shape[2] == len(GRID)
    assert (np.diff(model.calibration.z, axis=2) >= -1e-12).all()
    assert (np.diff(model.calibration.of(("all",), 30), axis=2) >= -1e-12).all()
