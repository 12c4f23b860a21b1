from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.series.cadence import CADENCES
from features.sources.anchors import find


def stamps(*texts: str) -> np.ndarray[tuple[int, ...], np.dtype[np.datetime64]]:
    return np.array(texts, dtype="datetime64[ns]")


def future(cadence: str, *texts: str) -> list[str]:
    """The next three stamps of one series."""
    known, used = stamps(*texts), CADENCES[cadence]
    anchors, astray = find(known, np.zeros(len(known), dtype=np.int64), used)
    assert not astray.any()
    begin = used.instant(used.ordinal(known[-1:]) + np.arange(1, 4))
    placed = anchors.place(begin, np.zeros(3, dtype=np.int64), used)
    return [str(t)[:16].replace("T00:00", "") for t in placed]


@pytest.mark.parametrize(
    ("cadence", "known", "expected"),
    [
        ("year", ["2005-12-31", "2006-12-31"], ["2007-12-31", "2008-12-31", "2009-12-31"]),
        ("year", ["2005-06-30", "2006-06-30"], ["2007-06-30", "2008-06-30", "2009-06-30"]),
        ("year", ["2005-02-28", "2006-02-28"], ["2007-02-28", "2008-02-29", "2009-02-28"]),
        ("year", ["2004-02-28", "2005-02-28"], ["2006-02-28", "2007-02-28", "2008-02-28"]),
        ("year", ["2005-12-31T23:59", "2006-12-31T23:59"],
         ["2007-12-31T23:59", "2008-12-31T23:59", "2009-12-31T23:59"]),
        ("quarter", ["2005-03-31", "2005-06-30"], ["2005-09-30", "2005-12-31", "2006-03-31"]),
        ("quarter", ["2005-02-15", "2005-05-15"], ["2005-08-15", "2005-11-15", "2006-02-15"]),
        ("month", ["2007-12-31", "2008-01-31"], ["2008-02-29", "2008-03-31", "2008-04-30"]),
        ("month", ["2007-11-30", "2007-12-30"], ["2008-01-30", "2008-02-29", "2008-03-30"]),
        ("week", ["2005-01-07", "2005-01-14"], ["2005-01-21", "2005-01-28", "2005-02-04"]),
        ("day", ["2005-02-27T12:00", "2005-02-28T12:00"],
         ["2005-03-01T12:00", "2005-03-02T12:00", "2005-03-03T12:00"]),
    ],
)  # fmt: skip
def test_the_place_in_the_period_is_kept(cadence: str, known: list[str], expected: list[str]) -> None:
    assert future(cadence, *known) == expected


def test_each_series_keeps_its_own_place() -> None:
    known = stamps("2005-01-07", "2005-01-14", "2005-01-03", "2005-01-10")
    rows = np.array([0, 0, 1, 1])
    week = CADENCES["week"]
    anchors, astray = find(known, rows, week)
    assert not astray.any()
    begin = week.instant(week.ordinal(stamps("2005-02-01", "2005-02-01")))
    placed = anchors.place(begin, np.array([1, 0]), week)
    assert [pd.Timestamp(t).day_name() for t in placed] == ["Monday", "Friday"]


@pytest.mark.parametrize(
    ("cadence", "known", "wrong"),
    [
        ("month", ["2005-01-01", "2005-02-03", "2005-03-01"], [False, True, False]),
        ("year", ["2005-01-01", "2006-01-01", "2007-03-01"], [False, False, True]),
        ("week", ["2005-01-03", "2005-01-11"], [False, True]),
        ("hour", ["2005-01-03T00:00", "2005-01-03T01:30"], [False, True]),
    ],
)
def test_stamps_elsewhere_in_their_period_are_pointed_out(
    cadence: str, known: list[str], wrong: list[bool]
) -> None:
    _, astray = find(stamps(*known), np.zeros(len(known), dtype=np.int64), CADENCES[cadence])
    assert astray.tolist() == wrong
