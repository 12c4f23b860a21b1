"""Sectors and their plants agree on every path, and groups that cannot agree are left as they were."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from features.series.panel import Dense, stacked
from serving.agreed import agree, groups_of
from tests.models.panels import dense_of

Float = npt.NDArray[np.float64]
STEPS, DRAWN = 3, 50


def _panel(last: list[float], names: list[tuple[str, str]], *, years: list[int] | None = None) -> Dense:
    lengths = years or [6] * len(last)
    return dense_of(
        [[value] * n for value, n in zip(last, lengths, strict=True)],
        traits={
            "cluster_id": [cluster for cluster, _ in names],
            "sector": [sector for _, sector in names],
            "scope_id": ["eu-ets"] * len(last),
        },
    )


def _paths(dense: Dense, seed: int) -> Float:
    rng = np.random.default_rng(seed)
    last = dense.y[np.arange(len(dense.ids)), dense.lengths - 1]
    return np.asarray(last[:, None, None] * np.exp(rng.normal(0, 0.4, (len(last), STEPS, DRAWN))))


def test_parts_and_rest_make_the_sector_on_every_path() -> None:
    sectors = _panel([100.0, 50.0], [("aa", "steel"), ("aa", "glass")])
    plants = _panel([40.0, 30.0, 50.0], [("aa", "steel"), ("aa", "steel"), ("aa", "glass")])
    base, parts = _paths(sectors, 1), _paths(plants, 2)
    made, within = agree(groups_of(sectors, plants), base, parts)
    np.testing.assert_allclose(made[1], within[2], rtol=1e-9)
    rest = made[0] - within[:2].sum(axis=0)
    assert (rest >= -1e-9).all()
    assert rest.mean() == pytest.approx(30.0, rel=0.2)
    assert (within >= 0).all()
    # Each gives way by its share of the variance: the sector lies between what both sides said.
    both = np.sort(np.stack([base[1], parts[2]]), axis=0)
    assert ((made[1] >= both[0] - 1e-9) & (made[1] <= both[1] + 1e-9)).all()


@pytest.mark.parametrize(
    "plants",
    [
        _panel([40.0], [("bb", "steel")]),
        _panel([40.0], [("aa", "steel")], years=[5]),
        _panel([140.0], [("aa", "steel")]),
    ],
    ids=["another cluster", "another year", "more than the sector"],
)
def test_what_does_not_belong_together_stays(plants: Dense) -> None:
    sectors = _panel([100.0], [("aa", "steel")])
    base, parts = _paths(sectors, 1), _paths(plants, 2)
    made, within = agree(groups_of(sectors, plants), base, parts)
    np.testing.assert_array_equal(made, base)
    np.testing.assert_array_equal(within, parts)


def test_a_path_that_is_not_finite_spoils_nobody_else() -> None:
    sectors = _panel([100.0], [("aa", "steel")])
    plants = _panel([40.0], [("aa", "steel")])
    parts = _paths(plants, 2)
    parts[0, 0, 0] = np.nan
    made, _ = agree(groups_of(sectors, plants), _paths(sectors, 1), parts)
    np.testing.assert_array_equal(made, _paths(sectors, 1))


def test_stacked_panels_keep_their_rows() -> None:
    first, second = _panel([1.0, 2.0], [("aa", "x"), ("aa", "y")]), _panel([3.0], [("aa", "z")], years=[9])
    both = stacked(first, second)
    np.testing.assert_array_equal(both.take([0, 1]).y, first.y)
    np.testing.assert_array_equal(both.take([2]).y, second.y)
    assert both.traits["sector"].tolist() == ["x", "y", "z"]
