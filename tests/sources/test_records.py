"""The contract of every reader: what a Batch takes, mends and refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.errors import DataError, ForecarbonError, LawBroken
from features.sources.records import FACILITY, RECORD, Batch, changed_shape, complaint_frame, unreadable


def facilities(*ids: str) -> pd.DataFrame:
    rows = [
        dict(
            zip(
                FACILITY,
                (key, "Site", "NL", "", "20", "combustion", 52.0, 4.0, "eu-ets", "year"),
                strict=True,
            )
        )
        for key in ids
    ]
    return pd.DataFrame(rows)


def records(*rows: tuple[str, int, float, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["facility_id", "year", "y", "state"])
    return frame.assign(ds=pd.to_datetime(frame["year"].astype(str) + "-01-01")).drop(columns="year")


def batch(rows: pd.DataFrame, sites: pd.DataFrame) -> Batch:
    return Batch.of(source="eutl", records=rows, facilities=sites, reader="eutl/1")


def test_a_batch_is_sorted_typed_and_counted() -> None:
    rows = records(("b", 2006, 2.0, "operating"), ("b", 2005, 0.0, "closed"), ("a", 2005, np.nan, "excluded"))
    made = batch(rows.assign(extra=1), facilities("b", "a"))
    assert list(made.records.columns) == list(RECORD)
    assert list(made.facilities.columns) == list(FACILITY)
    assert made.records["facility_id"].tolist() == ["a", "b", "b"]
    assert str(made.records["ds"].dtype) == "datetime64[ns]"
    assert made.records["allocation"].isna().all()
    assert made.counts == {"figures": 2, "facilities": 2}
    assert list(made.complaints.columns) == ["row", "code", "text"]


@pytest.mark.parametrize(
    ("y", "state"),
    [(-1.0, "operating"), (np.nan, "operating"), (np.inf, "operating"), (3.0, "closed"), (0.0, "excluded"),
     (5.0, "not-reported"), (0.0, "not-yet-published")],
)  # fmt: skip
def test_figure_and_state_agree(y: float, state: str) -> None:
    with pytest.raises(DataError) as refusal:
        batch(records(("a", 2005, y, state)), facilities("a"))
    assert refusal.value.code == "source-figure-unlawful"


def test_keys_come_once() -> None:
    row = ("a", 2005, 1.0, "operating")
    with pytest.raises(DataError, match="source-repeats"):
        batch(records(row, row), facilities("a"))
    with pytest.raises(DataError, match="source-repeats"):
        batch(records(row), facilities("a", "a"))


@pytest.mark.parametrize(
    ("rows", "sites"),
    [
        (records(("a", 2005, 1.0, "asleep")), facilities("a")),
        (records(("c", 2005, 1.0, "operating")), facilities("a")),
        (records(("a", 2005, 1.0, "operating")).drop(columns="state"), facilities("a")),
        (records(("a", 2005, 1.0, "operating")).assign(ds=pd.Series([pd.NaT])), facilities("a")),
        (records(("a", 2005, 1.0, "operating")), facilities("a").drop(columns="lat")),
    ],
)
def test_a_readers_bug_is_named_as_one(rows: pd.DataFrame, sites: pd.DataFrame) -> None:
    with pytest.raises(LawBroken) as refusal:
        batch(rows, sites)
    assert refusal.value.code == "batch-malformed"


def test_an_empty_batch_is_lawful() -> None:
    made = batch(records(("a", 2005, 1.0, "operating")).iloc[:0], facilities("a").iloc[:0])
    assert made.counts == {"figures": 0, "facilities": 0}


def test_refusals_name_the_file() -> None:
    refusals: list[ForecarbonError] = [
        changed_shape("f.csv", found="columns a", expected="columns b", offenders=["b"]),
        unreadable("f.csv", found="zero bytes", expected="text"),
    ]
    assert [r.code for r in refusals] == ["source-changed-shape", "source-unreadable"]
    assert all(r.facts == {"file": "f.csv"} and "f.csv" in r.message for r in refusals)


def test_complaints_are_rows() -> None:
    assert complaint_frame([(3, "row-misshapen", "2 cells")]).to_dict("records") == [
        {"row": 3, "code": "row-misshapen", "text": "2 cells"}
    ]
