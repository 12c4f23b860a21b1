from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.errors import AskError, DataError
from features.reference.tables import load
from features.series.bridges import Bridge, bridge, cross_paths, cross_quantiles

LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])


def totals(values: dict[int, float], scope: str = "eu-ets") -> pd.DataFrame:
    frame = pd.DataFrame({"year": list(values), "tco2e": list(values.values())})
    return frame.assign(cluster_id="nl-rotterdam", scope_id=scope)


def port(values: dict[int, float], to_scope: str = "rotterdam-co2-registered", **more: int) -> Bridge:
    published = load().published_history
    return bridge(
        published, totals(values), cluster="nl-rotterdam", to_scope=to_scope, from_scope="eu-ets", **more
    )


def made(*ratios: float) -> Bridge:
    years = tuple(range(2016, 2016 + len(ratios)))
    return Bridge("x", "eu-ets", "port", "CO2", years, ratios, ("read",) * len(ratios))


def test_the_ratio_is_that_of_the_years_both_cover() -> None:
    over = port({2015: 1e6, 2016: 30.9e6, 2018: 26.7e6 / 1.21, 2020: 22.5e6 / 1.1})
    assert over.years == (2016, 2018, 2020)
    assert over.ratio == pytest.approx((1.0 * 1.21 * 1.1) ** (1 / 3))
    assert over.spread == pytest.approx(np.std(np.log([1.0, 1.21, 1.1]), ddof=1))
    told = over.named()
    assert told["from_scope"] == "eu-ets"
    assert told["to_scope"] == "rotterdam-co2-registered"
    assert told["ratio_low"] < told["ratio"] < told["ratio_high"]
    assert port({2016: 30.9e6, 2018: 1e6}, since=2018).years == (2018,)
    # Not in the ratio, but told: what was published of years the own total does not reach.
    assert dict(over.later) == pytest.approx({2022: 22.5e6, 2023: 20.3e6, 2024: 18.33e6})
    assert Bridge.of_record(over.as_record()) == over
    assert "later" not in told


def test_scopes_are_never_lent_to_one_another() -> None:
    """Registered CO2 and all gases are two scopes: no overlap in one is filled from the other."""
    with pytest.raises(AskError, match="bridge-without-overlap"):
        port({2016: 3e7, 2018: 3e7, 2020: 3e7}, to_scope="rotterdam-all-ghg")
    with pytest.raises(AskError, match="scope-unknown.*rotterdam-all-ghg"):
        port({2016: 3e7}, to_scope="all")
    mixed = load().published_history.copy()
    mixed.loc[mixed["scope_id"] == "rotterdam-all-ghg", "scope_id"] = "rotterdam-co2-registered"
    with pytest.raises(DataError, match="published-scope-mixed"):
        bridge(mixed, totals({2016: 3e7}), cluster="nl-rotterdam", to_scope="rotterdam-co2-registered",
               from_scope="eu-ets")  # fmt: skip
    with pytest.raises(AskError, match="bridge-of-another-scope"):
        cross_paths(np.ones((2, 3)), "uk-ets", made(1.0, 1.1, 1.2), np.random.default_rng(0))
    with pytest.raises(DataError, match="not above zero"):
        port({2016: 0.0, 2018: 3e7})


def test_a_thin_bridge_tells_its_ratio_and_carries_nothing() -> None:
    two = made(1.1, 1.2)
    assert two.named()["ratio_low"] is None
    assert made(1.1).named()["spread"] is None
    with pytest.raises(AskError, match="bridge-too-thin"):
        cross_quantiles(np.ones((1, 5)), LEVELS, "eu-ets", two)


def test_crossing_widens_by_the_spread_of_the_ratio() -> None:
    over = made(1.0, 1.1, 1.2, 1.05)
    values = 20e6 + 1e6 * np.array([[-2.0, -1.2, 0.0, 1.2, 2.0]])
    crossed = cross_quantiles(values, LEVELS, "eu-ets", over)
    assert crossed[0, 2] == pytest.approx(20e6 * over.ratio, rel=0.01)
    assert (np.diff(crossed) > 0).all()
    before, after = np.ptp(np.log(values)), np.ptp(np.log(crossed))
    assert after > before
    certain = cross_quantiles(np.full((1, 5), 2e7), LEVELS, "eu-ets", over)
    np.testing.assert_allclose(certain[0], 2e7 * over.ratio_quantiles(LEVELS), rtol=0.02)


def test_paths_and_quantiles_cross_alike_and_a_path_keeps_its_ratio() -> None:
    over = made(1.0, 1.1, 1.2, 1.05)
    rng = np.random.default_rng(3)
    paths = 2e7 * np.exp(0.05 * rng.standard_normal((4, 20_000)))
    crossed = cross_paths(paths, "eu-ets", over, np.random.default_rng(1))
    ratio = crossed / paths
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:1], ratio.shape))
    by_paths = np.quantile(crossed[0], LEVELS)
    by_rows = cross_quantiles(np.quantile(paths[0], LEVELS)[None, :], LEVELS, "eu-ets", over)[0]
    np.testing.assert_allclose(by_rows, by_paths, rtol=0.02)
    again = cross_paths(paths, "eu-ets", over, np.random.default_rng(1))
    assert np.array_equal(again, crossed)


def test_zero_stays_zero() -> None:
    assert cross_quantiles(np.zeros((2, 5)), LEVELS, "eu-ets", made(1.0, 1.1, 1.2)).max() == 0.0
