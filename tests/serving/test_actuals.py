from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from features.errors import DataError
from features.series.cadence import YEAR
from serving.actuals import Actual, claims, note_actuals, read_actuals
from serving.state import State, state_of
from serving.tables import ACTUALS

AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
ROW = Actual("aa-north/steel", "2023-01-01", 5.0, "annual report")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = state_of(tmp_path)
    yield made
    made.close()


def test_the_last_claim_of_a_key_counts_and_all_stay(state: State, tmp_path: Path) -> None:
    assert note_actuals(state, [ROW, Actual("aa-north/steel", "2022-01-01", 6.0)], "k1", AT) == 2
    assert note_actuals(state, [ROW], "k1", AT + timedelta(days=1)) == 0, "said before"
    assert note_actuals(state, [Actual(ROW.unique_id, ROW.ds, 7.0)], "k1", AT + timedelta(days=2)) == 1
    assert note_actuals(state, [ROW], "k2", AT) == 1
    told = read_actuals(tmp_path)
    assert told[["ds", "key_id", "y"]].astype(str).to_numpy().tolist() == [
        ["2022-01-01", "k1", "6.0"], ["2023-01-01", "k1", "7.0"], ["2023-01-01", "k2", "5.0"],
    ]  # fmt: skip
    with state.reading() as line:
        assert line.scalar(sa.select(sa.func.count()).select_from(ACTUALS)) == 4
    note_actuals(state, [ROW], "k1", AT + timedelta(days=3))
    assert read_actuals(tmp_path)["y"].tolist() == [6.0, 5.0, 5.0], "back to what was said first"


def test_as_series_the_newest_of_all_keys_counts(state: State, tmp_path: Path) -> None:
    note_actuals(state, [ROW], "k1", AT + timedelta(days=5))
    note_actuals(state, [Actual(ROW.unique_id, "2023-06-30", 9.0), Actual("b", "2021-01-01", 0.0)], "k0", AT)
    told = claims(tmp_path, YEAR)
    assert told.ids == ("aa-north/steel", "b")
    assert np.array_equal(told.y[:, 0], [5.0, 0.0])


def test_without_claims_there_is_nothing(tmp_path: Path) -> None:
    assert len(read_actuals(tmp_path)) == 0
    assert claims(tmp_path, YEAR).ids == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "row",
    [
        *(Actual("", ROW.ds, 1), Actual("x" * 201, ROW.ds, 1), Actual("a\x00", ROW.ds, 1)),
        *(Actual("a", "2023", 1), Actual("a", "2023-02-30", 1), Actual("a", "20230101", 1)),
        *(Actual("a", "0001-01-01", 1), Actual("a", "9999-01-01", 1)),
        *(Actual("a", ROW.ds, float("nan")), Actual("a", ROW.ds, float("inf")), Actual("a", ROW.ds, -1)),
        *(Actual("a", ROW.ds, 1e16), Actual("a", ROW.ds, 1, "s" * 501), Actual("a", ROW.ds, 1, "\n")),
    ],
)
def test_a_row_that_cannot_be_is_named_and_nothing_is_kept(state: State, tmp_path: Path, row: Actual) -> None:
    with pytest.raises(DataError, match="actuals-unfit") as caught:
        note_actuals(state, [ROW, row], "k1", AT)
    assert caught.value.offenders[0].startswith("row 1 ")
    assert len(read_actuals(tmp_path)) == 0


def test_too_many_or_none_are_refused(state: State) -> None:
    for rows in ([], [ROW] * 20_001):
        with pytest.raises(DataError, match="actuals-unfit"):
            note_actuals(state, rows, "k1", AT)


def test_a_series_that_takes_up_may_be_negative(state: State) -> None:
    assert note_actuals(state, [Actual("forest", ROW.ds, -3.0)], "k", AT, may_be_negative={"forest"}) == 1
    with pytest.raises(DataError, match="less than nothing"):
        note_actuals(state, [Actual("forest", ROW.ds, -3.0)], "k", AT)
