"""Events: what is told was there, what was not there is not told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from insights.bands import Bands, one_step_bands
from insights.events import (
    common_shocks,
    level_shift,
    moved_together,
    restatements,
    single_cause,
    unusual_changes,
)
from tests.models.panels import NAN, dense_of, walks

YEARS = list(range(2005, 2023))
NO_BREAKS = np.zeros(18, dtype=bool)


def test_a_figure_outside_its_band_is_told_with_size_and_rule() -> None:
    rows = walks(150, 18, seed=5, spread=0.03)
    rows[0][12:] *= 0.6
    panel = dense_of(rows)
    told = unusual_changes(YEARS, panel.y[0], one_step_bands(panel, ("a",) * 150), 0)
    event = next(event for event in told if event.year == 2017)
    assert event.codes == ("down", "naive-one-step")
    assert event.change == pytest.approx(panel.y[0, 12] - panel.y[0, 11])
    assert event.percent is not None
    assert event.percent < -30
    assert event.evidence["value"] < event.evidence["low"] < event.evidence["high"]
    assert event.as_record()["kind"] == "unusual-change"


def test_gaps_and_years_without_a_band_are_no_events() -> None:
    nothing = np.full((1, 4), np.nan)
    bands = Bands(nothing, nothing, np.full((1, 4), ""))
    assert unusual_changes([1, 2, 3, 4], np.array([1.0, NAN, 900.0, 1.0]), bands, 0) == []


def test_a_lasting_step_is_found_in_its_year_with_its_size() -> None:
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(100):
        logs = np.cumsum(rng.normal(-0.01, 0.03, 18)) + np.where(np.arange(18) >= 9, -0.3, 0)
        event = level_shift(YEARS, 1e6 * np.exp(logs), NO_BREAKS)
        found += event is not None and event.year == 2014 and event.codes == ("down",)
    assert found >= 97


def test_a_wandering_series_or_a_noisy_one_seldom_has_a_step() -> None:
    rng = np.random.default_rng(1)
    walk = [1e6 * np.exp(np.cumsum(rng.normal(-0.01, 0.05, 18))) for _ in range(400)]
    noise = [1e6 * np.exp(-0.01 * np.arange(18) + rng.normal(0, 0.05, 18)) for _ in range(400)]
    assert np.mean([level_shift(YEARS, y, NO_BREAKS) is not None for y in walk]) < 0.09
    assert np.mean([level_shift(YEARS, y, NO_BREAKS) is not None for y in noise]) < 0.03


def test_a_spike_is_no_step_nor_is_a_change_of_scope() -> None:
    y = 1e6 * np.exp(-0.01 * np.arange(18) + 0.01 * np.sin(np.arange(18)))
    spike = np.where(np.arange(18) == 9, 0.5, 1) * y
    assert level_shift(YEARS, spike, NO_BREAKS) is None
    scope = np.where(np.arange(18) >= 9, 2, 1) * y
    assert level_shift(YEARS, scope, NO_BREAKS) is not None
    assert level_shift(YEARS, scope, np.arange(18) == 9) is None


@pytest.mark.parametrize("y", [[1.0] * 18, [NAN] * 18, [0.0] * 18, [5.0] * 3 + [NAN] * 15])
def test_a_series_that_cannot_have_a_step_has_none(y: list[float]) -> None:
    assert level_shift(YEARS, np.array(y), NO_BREAKS) is None


def vintages() -> pd.DataFrame:
    rows = [
        ("a/power", "2020-01-01", "2021-04-01", 100.0),
        ("a/power", "2020-01-01", "2022-04-01", 90.0),
        ("a/power", "2021-01-01", "2022-04-01", 5e6),
        ("a/power", "2021-01-01", "2023-04-01", 5e6 + 100),
        ("a/steel", "2020-01-01", "2021-04-01", 70.0),
        ("a/steel", "2020-01-01", "2022-04-01", NAN),
        ("a/steel", "2021-01-01", "2022-04-01", 70.0),
    ]
    frame = pd.DataFrame(rows, columns=["unique_id", "ds", "known_at", "y"])
    return frame.astype({"ds": "datetime64[ns]", "known_at": "datetime64[ns]"}).assign(
        source="eu-ets", flag=""
    )


def test_restatements_are_those_that_matter() -> None:
    told = restatements(vintages().sample(frac=1, random_state=3))
    assert [(name, event.year, event.codes) for name, event in told] == [
        ("a/power", 2020, ("down",)),
        ("a/steel", 2020, ("withdrawn",)),
    ]
    event = told[0][1]
    assert (event.change, event.percent) == (-10, -10)
    assert [v["known_at"] for v in event.evidence["vintages"]] == ["2021-04-01", "2022-04-01"]
    assert told[1][1].change is None


def test_the_plant_that_explains_the_change_is_named() -> None:
    before, after = np.array([50.0, 30.0, 20.0]), np.array([12.0, 31.0, NAN])
    cause = single_cause(["mill", "kiln", "forge"], before, after, -57.0)
    assert cause is not None
    assert (cause["unique_id"], cause["kind"]) == ("mill", "continuing")
    assert cause["share"] == pytest.approx(38 / 57)
    gone = single_cause(["mill", "forge"], np.array([50.0, 20.0]), np.array([49.0, NAN]), -21.0)
    assert gone is not None
    assert gone["kind"] == "exit"


def test_a_change_of_many_has_no_single_cause() -> None:
    before, after = np.array([50.0, 30.0, 20.0]), np.array([45.0, 25.0, 15.0])
    assert single_cause(["a", "b", "c"], before, after, -15.0) is None
    assert single_cause(["a"], before[:1], after[:1], 0.0) is None
    assert single_cause([], np.zeros(0), np.zeros(0), 5.0) is None


def clusters() -> np.ndarray:
    rng = np.random.default_rng(4)
    changes = rng.normal(-0.02, 0.02, (12, 18))
    changes[:10, 4] -= 0.12
    return np.asarray(1e6 * np.exp(np.cumsum(changes, axis=1)))


def test_a_year_in_which_most_fell_beyond_their_usual_is_a_shock() -> None:
    totals = clusters()
    breaks = np.zeros(totals.shape, dtype=bool)
    told = common_shocks(YEARS, totals, breaks)
    assert [(event.year, event.codes) for event in told] == [(2009, ("down",))]
    assert told[0].evidence["n"] == 12
    assert told[0].evidence["share_same_way"] >= 10 / 12
    assert told[0].percent == pytest.approx(-11.3, abs=2)
    assert told[0].change is None


def test_a_steady_decline_of_all_or_a_change_of_scope_is_no_shock() -> None:
    steady = 1e6 * np.exp(-0.08 * np.arange(18))[None, :] * np.arange(1, 13)[:, None]
    none = np.zeros(steady.shape, dtype=bool)
    assert common_shocks(YEARS, steady, none) == []
    scope = clusters()
    assert common_shocks(YEARS, scope, np.broadcast_to(np.arange(18) == 4, scope.shape)) == []
    assert common_shocks(YEARS, scope[:5], none[:5]) == []


def test_how_many_moved_together_is_told_of_any_year() -> None:
    totals = clusters()
    breaks = np.zeros(totals.shape, dtype=bool)
    assert moved_together(YEARS, totals, breaks, 2009)["n"] == 12
    assert moved_together(YEARS, totals, breaks, 1990)["share_same_way"] is None
