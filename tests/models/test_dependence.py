"""Common shocks that were planted are found, and the drawn ranks carry them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from models.dependence import Dependence, sample_ranks
from models.engine import fit_panel
from models.recipe import champion_recipe
from tests.models.panels import dense_of

Float = npt.NDArray[np.float64]
RECIPE = champion_recipe(seasonal=False, reach=4).alone("naive")


def _shocked(common: float, area: float, *, seed: int) -> list[Float]:
    """60 walks in 6 areas whose yearly changes share these shares of variance."""
    draw = np.random.default_rng(seed)
    shared = draw.normal(0, 1, (1, 22)) * np.sqrt(common)
    near = draw.normal(0, 1, (6, 22))[np.arange(60) % 6] * np.sqrt(area)
    own = draw.normal(0, 1, (60, 22)) * np.sqrt(1 - common - area)
    return list(1e5 * np.exp(0.06 * np.cumsum(shared + near + own, axis=1)))


def _learnt(common: float, area: float, seed: int) -> Dependence:
    traits = {"area": [f"a{i % 6}" for i in range(60)]}
    return fit_panel(dense_of(_shocked(common, area, seed=seed), traits=traits), RECIPE).dependence


def test_independent_series_stay_independent() -> None:
    found = _learnt(0.0, 0.0, seed=1)
    assert found.common < 0.08
    assert found.area < 0.08


def test_common_shocks_are_found() -> None:
    found = [_learnt(0.6, 0.0, seed=s) for s in (1, 2, 3)]
    assert np.mean([d.common for d in found]) > 0.2
    assert min(d.common for d in found) > 0.08


def test_shocks_of_an_area_are_found_beside_common_ones() -> None:
    found = _learnt(0.0, 0.7, seed=3)
    assert found.area > 0.25
    assert found.common < found.area


def test_ranks_are_even_in_every_row() -> None:
    ranks = sample_ranks(Dependence(0.3, 0.2, 0.5), ("x", "x", "y"), 4, 200, 1)
    even = (np.arange(200) + 0.5) / 200
    np.testing.assert_allclose(np.sort(ranks, axis=2), np.broadcast_to(even, (3, 4, 200)))


def test_ranks_carry_the_dependence_over_series_and_steps() -> None:
    ranks = sample_ranks(Dependence(0.4, 0.3, 0.5), ("x", "x", "y"), 4, 20_000, 1)

    def correlation(a: Float, b: Float) -> float:
        return float(np.corrcoef(a, b)[0, 1])

    # The rank correlation of a Gaussian copula is 6/pi asin(r/2), close to r.
    assert correlation(ranks[0, 1], ranks[1, 1]) == pytest.approx(0.7, abs=0.04)
    assert correlation(ranks[0, 1], ranks[2, 1]) == pytest.approx(0.4, abs=0.04)
    assert correlation(ranks[0, 0], ranks[0, 3]) == pytest.approx(0.5, abs=0.04)


def test_a_total_of_dependent_series_is_less_certain() -> None:
    widths = []
    for common in (0.0, 0.8):
        ranks = sample_ranks(Dependence(common, 0.0, 0.5), tuple("abcdefgh"), 1, 4000, 1)
        total = ranks.sum(axis=0)[0]
        widths.append(np.quantile(total, 0.9) - np.quantile(total, 0.1))
    assert widths[1] > 1.8 * widths[0]


def test_one_series_and_one_step() -> None:
    assert sample_ranks(Dependence(0.0, 0.0, 0.5), ("x",), 1, 1, 1).tolist() == [[[0.5]]]
