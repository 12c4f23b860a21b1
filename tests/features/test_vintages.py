from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import DataError
from features.series.cadence import YEAR
from features.series.vintages import Vintages

START = pd.Timestamp("2001-01-01")


def row(name: str, year: int, known: str | pd.Timestamp, y: float) -> dict[str, object]:
    ds = pd.Timestamp(year=year, month=1, day=1)
    return {"unique_id": name, "ds": ds, "known_at": pd.Timestamp(known), "y": y, "source": "s", "flag": ""}


def vintages(*rows: dict[str, object]) -> Vintages:
    return Vintages.of(pd.DataFrame(list(rows)), YEAR)


RESTATED = vintages(
    row("a", 2000, "2001-04-01", 10.0), row("a", 2000, "2003-04-01", 12.0), row("a", 2001, "2002-04-01", 11.0)
)


@pytest.mark.parametrize(
    ("t", "expected"),
    [
        ("2001-03-31 23:59:59", []),
        ("2001-04-01", [10.0]),
        ("2002-04-01", [10.0, 11.0]),
        ("2003-04-01", [12.0, 11.0]),
    ],
)
def test_the_past_is_replayed_as_it_was_known(t: str, expected: list[float]) -> None:
    assert RESTATED.as_of(pd.Timestamp(t))["y"].tolist() == expected


def test_an_instant_with_a_zone_is_compared_in_utc() -> None:
    assert len(RESTATED.as_of(pd.Timestamp("2001-04-01 01:00", tz="Europe/Amsterdam"))) == 0
    assert len(RESTATED.as_of(pd.Timestamp("2001-04-01 02:00", tz="Europe/Amsterdam"))) == 1


def slow_as_of(frame: pd.DataFrame, t: pd.Timestamp) -> dict[tuple[str, pd.Timestamp], float]:
    """The law in plain loops: of the rows known at t, the newest for each series and period."""
    best: dict[tuple[str, pd.Timestamp], tuple[pd.Timestamp, float]] = {}
    for r in frame.to_dict("records"):
        key = r["unique_id"], r["ds"]
        if r["known_at"] <= t and (key not in best or best[key][0] < r["known_at"]):
            best[key] = r["known_at"], r["y"]
    return {key: y for key, (_, y) in best.items()}


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(2000, 2003), st.integers(0, 1500)),
        min_size=1, max_size=25, unique=True,
    ),
    st.integers(-100, 3000),
)  # fmt: skip
def test_as_of_is_the_newest_row_known(keys: list[tuple[str, int, int]], days: int) -> None:
    rows = [
        row(name, year, pd.Timestamp(year=year + 1, month=1, day=1) + pd.Timedelta(days=late), float(n))
        for n, (name, year, late) in enumerate(keys)
    ]
    table = vintages(*rows)
    t = START + pd.Timedelta(days=days)
    known = table.as_of(t)
    told = {(r["unique_id"], r["ds"]): r["y"] for r in known.to_dict("records")}
    assert told == slow_as_of(table.frame, t)
    assert len(told) == len(known)


def test_a_figure_known_before_its_year_is_over_is_refused() -> None:
    vintages(row("a", 2000, "2001-01-01", 1.0))
    with pytest.raises(DataError) as refusal:
        vintages(row("a", 2000, "2000-12-31", 1.0))
    assert refusal.value.code == "known-too-early"
    assert refusal.value.offenders == ("a 2000-01-01 known 2000-12-31",)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([row("a", 2000, "2001-01-01", 1.0), row("a", 2000, "2001-01-01", 2.0)], "duplicate-rows"),
        ([row("a", 2000, "2001-01-01", float("inf"))], "value-not-finite"),
        (
            [{k: v for k, v in row("a", 2000, "2001-01-01", 1.0).items() if k != "known_at"}],
            "columns-missing",
        ),
    ],
)
def test_wrong_rows_are_refused(rows: list[dict[str, object]], code: str) -> None:
    with pytest.raises(DataError) as refusal:
        vintages(*rows)
    assert refusal.value.code == code


def test_a_withdrawn_figure_is_missing_from_then_on() -> None:
    table = vintages(row("a", 2000, "2001-04-01", 1.0), row("a", 2000, "2002-04-01", float("nan")))
    assert table.as_of(pd.Timestamp("2001-05-01"))["y"].tolist() == [1.0]
    assert table.as_of(pd.Timestamp("2002-05-01"))["y"].isna().all()
