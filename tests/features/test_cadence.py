from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import AskError
from features.series.cadence import CADENCES, Cadence, named, recognise

RULES = {"year": "YS", "quarter": "QS", "month": "MS", "week": "W-MON", "day": "D", "hour": "h"}


def panel(ds: pd.DatetimeIndex, name: str = "a") -> pd.DataFrame:
    return pd.DataFrame({"unique_id": name, "ds": ds.as_unit("ns")})


@pytest.mark.parametrize("name", CADENCES)
@settings(deadline=None)
@given(st.integers(-250, 250))
def test_ordinal_undoes_instant(name: str, number: int) -> None:
    cadence = CADENCES[name]
    begin = cadence.instant(np.array([number, number + 1]))
    assert cadence.ordinal(begin).tolist() == [number, number + 1]
    last_moment = begin[1:] - np.timedelta64(1, "ns")
    assert cadence.ordinal(last_moment).tolist() == [number]


@pytest.mark.parametrize("name", CADENCES)
def test_periods_begin_where_pandas_says(name: str) -> None:
    expected = pd.date_range("1999-12-27" if name == "week" else "2000-01-01", periods=40, freq=RULES[name])
    cadence = CADENCES[name]
    first = cadence.ordinal(expected.to_numpy()[:1])[0]
    assert (cadence.instant(first + np.arange(40)) == expected.to_numpy()).all()


@pytest.mark.parametrize("name", CADENCES)
def test_the_cadence_is_recognised_through_gaps(name: str) -> None:
    ds = pd.date_range("2001-01-01", periods=30, freq=RULES[name])
    kept = ds[[i for i in range(30) if i not in (4, 9, 10, 20)]]
    assert recognise(panel(kept)).name == name
    shuffled = panel(kept).sample(frac=1, random_state=3)
    assert recognise(shuffled).name == name


@pytest.mark.parametrize(
    ("rule", "name"), [("YE", "year"), ("QE", "quarter"), ("ME", "month"), ("W-WED", "week")]
)
def test_period_ends_are_recognised_too(rule: str, name: str) -> None:
    assert recognise(panel(pd.date_range("2003-01-01", periods=12, freq=rule))).name == name


def test_the_step_between_two_series_is_no_step() -> None:
    one = panel(pd.date_range("2001-01-01", periods=2, freq="MS"), "a")
    other = panel(pd.date_range("2001-02-02", periods=1, freq="D"), "b")
    assert recognise(pd.concat([one, other])).name == "month"


def test_points_alone_are_taken_as_annual() -> None:
    assert recognise(panel(pd.DatetimeIndex(["2001-05-05"]))).name == "year"


def test_a_name_finds_its_cadence_and_a_strange_one_is_refused() -> None:
    assert isinstance(named("month"), Cadence)
    with pytest.raises(AskError) as refusal:
        named("fortnight")
    assert refusal.value.code == "unknown-cadence"
    assert "month" in refusal.value.expected
