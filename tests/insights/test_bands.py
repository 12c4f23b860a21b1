"""Bands hold what they promise, look at nothing later, and say which rule drew them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.series.panel import Dense
from insights.bands import LEVEL, MAD_BAND, NAIVE_BAND, one_step_bands
from tests.models.panels import dense_of, walks


@pytest.fixture(scope="module")
def many() -> Dense:
    return dense_of(walks(150, 20, seed=3))


def test_naive_bands_hold_their_share_of_figures(many: Dense) -> None:
    bands = one_step_bands(many, ("a",) * 150)
    drawn = bands.rule == NAIVE_BAND
    assert drawn.sum() > 2000
    inside = (many.y >= bands.low) & (many.y <= bands.high)
    # A little wide: the yardstick of early years is read off few changes.
    assert LEVEL - 0.015 < inside[drawn].mean() < LEVEL + 0.025


def test_a_band_sees_nothing_of_its_year_or_later(many: Dense) -> None:
    before = one_step_bands(many, ("a",) * 150)
    later = many.y.copy()
    later[:, 12:] *= np.linspace(3, 9, 8)
    after = one_step_bands(replace(many, y=later), ("a",) * 150)
    np.testing.assert_array_equal(before.low[:, :13], after.low[:, :13])
    np.testing.assert_array_equal(before.high[:, :13], after.high[:, :13])
    assert not np.array_equal(before.high[:, 13], after.high[:, 13])


def test_few_series_are_held_to_their_own_median_and_spread() -> None:
    few = dense_of(walks(3, 15, seed=1))
    bands = one_step_bands(few, ("a",) * 3)
    assert set(np.unique(bands.rule)) == {"", MAD_BAND}
    changes = np.diff(np.log(few.y[1, :10]))
    middle = np.median(changes)
    reach = 3.5 * max(1.4826 * np.median(np.abs(changes - middle)), 0.02)
    assert bands.low[1, 10] == pytest.approx(few.y[1, 9] * np.exp(middle - reach))
    assert bands.high[1, 10] == pytest.approx(few.y[1, 9] * np.exp(middle + reach))


def test_the_year_a_scope_begins_has_no_band() -> None:
    broken = dense_of(walks(150, 20, seed=3), breaks=[(4, 15), (7, 18)])
    bands = one_step_bands(broken, ("a",) * 150)
    assert np.isnan(bands.high[[4, 7], [15, 18]]).all()
    assert np.isfinite(bands.high[[4, 7], [16, 19]]).all()
    assert bands.rule[4, 15] == ""


def test_pools_do_not_share_errors() -> None:
    calm, wild = walks(60, 20, seed=3, spread=0.02), walks(60, 20, seed=4, spread=0.3)
    both = dense_of([*calm, *wild])
    bands = one_step_bands(both, ("calm",) * 60 + ("wild",) * 60)
    alone = one_step_bands(dense_of(calm), ("calm",) * 60)
    np.testing.assert_allclose(bands.high[:60], alone.high)
