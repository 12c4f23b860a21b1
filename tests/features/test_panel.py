from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import DataError
from features.series.cadence import CADENCES, MONTH, YEAR
from features.series.panel import Panel, long_frame


def years(name: str, first: int, values: list[float]) -> pd.DataFrame:
    ds = pd.to_datetime([f"{first + i}-01-01" for i in range(len(values))])
    return pd.DataFrame({"unique_id": name, "ds": ds, "y": values})


RAGGED = pd.concat([years("b", 2003, [1.0, 2.0]), years("a", 2000, [5.0, 6.0, 7.0, 8.0])])


def test_dense_lays_ragged_series_at_column_0() -> None:
    dense = Panel.of(RAGGED).dense
    assert dense.ids == ("a", "b")
    assert dense.lengths.tolist() == [4, 2]
    assert (dense.starts + 1970).tolist() == [2000, 2003]
    np.testing.assert_array_equal(dense.y, [[5, 6, 7, 8], [1, 2, np.nan, np.nan]])
    assert not dense.breaks.any()
    assert dense.cutoffs().astype("datetime64[Y]").astype(int).tolist() == [33, 34]
    assert dense.future(2)[1].astype("datetime64[Y]").astype(str).tolist() == ["2005", "2006"]


def test_gaps_become_missing_rows() -> None:
    frame = years("a", 2000, [1.0, 2.0, 3.0, 4.0]).drop(index=2)
    panel = Panel.of(frame)
    assert panel.frame["ds"].dt.year.tolist() == [2000, 2001, 2002, 2003]
    assert panel.frame["y"].isna().tolist() == [False, False, True, False]


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(6)), st.sampled_from(list(CADENCES)))
def test_order_of_rows_changes_nothing(order: list[int], name: str) -> None:
    cadence = CADENCES[name]
    ds = cadence.instant(np.array([7, 8, 9, 3, 4, 5]))
    frame = pd.DataFrame({"unique_id": list("aaabbb"), "ds": ds, "y": np.arange(6.0)})
    here, there = Panel.of(frame, cadence), Panel.of(frame.iloc[order], cadence)
    pd.testing.assert_frame_equal(here.frame, there.frame)


def test_the_frame_and_the_arrays_say_the_same() -> None:
    panel = Panel.of(RAGGED)
    pd.testing.assert_frame_equal(long_frame(panel.dense), panel.frame)
    pd.testing.assert_frame_equal(Panel.of(long_frame(panel.dense)).frame, panel.frame)


def test_any_moment_of_a_period_counts_as_its_first() -> None:
    frame = years("a", 2000, [1.0, 2.0]).assign(ds=pd.to_datetime(["2000-12-31 12:00", "2001-12-31 23:00"]))
    assert Panel.of(frame).frame["ds"].tolist() == list(pd.to_datetime(["2000-01-01", "2001-01-01"]))


def test_two_rows_for_one_period_are_refused() -> None:
    frame = years("a", 2000, [1.0, 2.0]).assign(ds=pd.to_datetime(["2000-01-01", "2000-01-20"]))
    with pytest.raises(DataError) as refusal:
        Panel.of(frame, MONTH)
    assert refusal.value.code == "duplicate-rows"
    assert "a 2000-01-01" in refusal.value.offenders[0]
    assert len(Panel.of(frame, CADENCES["day"]).frame) == 20


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_refused(value: float) -> None:
    with pytest.raises(DataError) as refusal:
        Panel.of(years("a", 2000, [1.0, value]))
    assert refusal.value.code == "value-not-finite"
    assert refusal.value.offenders == ("a 2001-01-01",)


def test_missing_columns_are_named() -> None:
    with pytest.raises(DataError) as refusal:
        Panel.of(RAGGED.rename(columns={"y": "tonnes"}))
    assert refusal.value.offenders == ("y",)
    assert "tonnes" in refusal.value.found


def test_until_cuts_and_take_picks() -> None:
    dense = Panel.of(RAGGED).dense
    cut = dense.until(np.array([2, 9]))
    assert cut.lengths.tolist() == [2, 2]
    np.testing.assert_array_equal(cut.y, [[5, 6], [1, 2]])
    picked = dense.take([1, 0, 1])
    assert picked.ids == ("b", "a", "b")
    np.testing.assert_array_equal(picked.y[1], dense.y[0])
    assert dense.take([1]).shape == (1, 2)


def test_the_sign_rule_is_decided_a_series() -> None:
    frame = pd.concat([years("a", 2000, [0.0, 1.0]), years("b", 2000, [1.0, -1.0])])
    assert Panel.of(frame).dense.non_negative.tolist() == [True, False]


def test_traits_follow_their_series() -> None:
    traits = pd.DataFrame({"country": ["NL"]}, index=pd.Index(["b"], name="unique_id"))
    dense = Panel.of(RAGGED, YEAR, traits).dense
    assert dense.traits["country"].tolist() == ["unknown", "NL"]
    assert dense.take([1]).traits["country"].tolist() == ["NL"]
