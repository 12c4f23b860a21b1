from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import DataError
from features.sources.stamps import read, written


@pytest.mark.parametrize(
    ("cells", "first", "finest"),
    [
        (["2005", "2006"], "2005-01-01", "year"),
        ([2005, 2006], "2005-01-01", "year"),
        (["2005Q2", "2005Q3"], "2005-04-01", "quarter"),
        (["2005-Q2", "2005-Q3"], "2005-04-01", "quarter"),
        (["2005 Q2", "2005 Q3"], "2005-04-01", "quarter"),
        (["2005-02", "2005-03"], "2005-02-01", "month"),
        (["2005/02", "2005/03"], "2005-02-01", "month"),
        (["2005M02", "2005M03"], "2005-02-01", "month"),
        (["2005-W02", "2005-W03"], "2005-01-10", "week"),
        (["2005-02-28", "2005-03-31"], "2005-02-28", "day"),
        (["2005/02/28", "2005/03/31"], "2005-02-28", "day"),
        (["20050228", "20050331"], "2005-02-28", "day"),
        (["2005-02-28T07:00", "2005-02-28T08:00"], "2005-02-28T07", "hour"),
        (["2005-02-28 07:00:30", "2005-02-28 08:00:30"], "2005-02-28T07:00:30", "hour"),
        (["2005-02-28 07:00:30.250", "2005-02-28 08:00:30.250"], "2005-02-28T07:00:30.25", "hour"),
        (
            ["2005-02-28T07:00:30.1234567", "2005-02-28T08:00:30.0000000"],
            "2005-02-28T07:00:30.1234567",
            "hour",
        ),
        (["2005-02-28T07:00:00Z", "2005-02-28T08:00:00Z"], "2005-02-28T07", "hour"),
        (["2005-02-28T07:00:00+05:30", "2005-02-28T08:00:00+05:30"], "2005-02-28T07", "hour"),
        (["2005-02-28T07:00-0300", "2005-02-28T08:00-0300"], "2005-02-28T07", "hour"),
        ([date(2005, 2, 28), date(2005, 3, 31)], "2005-02-28", "day"),
    ],
)
def test_every_way_of_writing_is_read_and_written_back(cells: list[object], first: str, finest: str) -> None:
    column = pd.Series(cells)
    told = read(column)
    assert told.wall[0] == np.datetime64(first, "ns")
    assert told.style.finest == finest
    assert written(told.wall, told.style, utc=False).tolist() == cells
    if told.style.finest == "hour":
        assert written(told.utc, told.style, utc=True).tolist() == cells


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.datetimes(pd.Timestamp("1750-01-01"), pd.Timestamp("2150-01-01")), min_size=1, max_size=5),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d", "%Y%m%d", "%Y-%m", "%Y"]),
    st.sampled_from(["", "Z", "+01:00", "-0930"]),
)
def test_texts_go_round(moments: list[pd.Timestamp], template: str, offset: str) -> None:
    end = offset if "H" in template else ""
    cells = pd.Series([pd.Timestamp(m).strftime(template) + end for m in moments])
    told = read(cells)
    assert written(told.wall, told.style, utc=False).tolist() == cells.tolist()


@pytest.mark.parametrize("dtype", ["datetime64[s]", "datetime64[us]", "datetime64[ns]", "datetime64[ms, UTC]",
                                   "datetime64[us, Europe/Amsterdam]"])  # fmt: skip
def test_datetime_types_are_given_back(dtype: str) -> None:
    plain = pd.Series(pd.to_datetime(["2005-01-31", "2005-07-31"]))
    column = plain.dt.tz_localize(dtype.split(", ")[1][:-1]) if "," in dtype else plain
    column = column.astype(pd.api.types.pandas_dtype(dtype))
    told = read(column)
    for utc, values in ((True, told.utc), (False, told.wall)):
        back = written(values, told.style, utc=utc)
        assert str(back.dtype) == dtype
        pd.testing.assert_series_equal(back, column)


@pytest.mark.parametrize("dtype", ["int64", "int32", "Int64", "float64"])
def test_number_types_are_given_back(dtype: str) -> None:
    column = pd.Series([2005, 2006]).astype(pd.api.types.pandas_dtype(dtype))
    told = read(column)
    assert str(written(told.wall, told.style, utc=False).dtype) == dtype


def test_utc_is_the_clock_less_its_offset() -> None:
    told = read(pd.Series(["2005-01-01T00:30:00+01:00"]))
    assert told.utc[0] == np.datetime64("2004-12-31T23:30")
    assert told.wall[0] == np.datetime64("2005-01-01T00:30")


def test_offsets_that_differ_are_told_and_brought_to_utc() -> None:
    told = read(pd.Series(["2005-10-30T02:00:00+02:00", "2005-10-30T02:00:00+01:00"]))
    assert not told.one_offset
    assert written(told.utc, told.style, utc=True).tolist() == [
        "2005-10-30T00:00:00+00:00", "2005-10-30T01:00:00+00:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "bad"),
    [
        (["2005-01-01", "2005-13-01", "2005-02-30"], [False, True, True]),
        (["2005-01-01", "2005", ""], [False, True, True]),
        (["2005-01-01", "2005-01-02", "02/01/2005"], [False, False, True]),
        (["2005Q1", "2005Q5", None], [False, True, True]),
        (["2005-01-01T00:00Z", "2005-01-01T01:00"], [False, True]),
        ([2005, 99, 123456], [False, True, True]),
        ([2005.0, 2005.5, float("nan")], [False, True, True]),
        (["1066-10-14", "2005-01-01"], [True, False]),
    ],
)
def test_single_cells_that_cannot_be_read_come_back_as_nothing(cells: list[object], bad: list[bool]) -> None:
    assert np.isnat(read(pd.Series(cells)).wall).tolist() == bad


@pytest.mark.parametrize(
    "cells", [["31/12/2005", "31/12/2006"], ["yesterday"], [True, False], [b"2005"], ["2005-01-01", 2005]]
)
def test_a_column_that_is_no_time_is_refused(cells: list[object]) -> None:
    with pytest.raises(DataError) as refusal:
        read(pd.Series(cells, dtype=object))
    assert refusal.value.code == "ds-unreadable"
    assert "2005-Q1" in refusal.value.expected or "time zone" in refusal.value.expected
