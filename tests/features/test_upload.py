from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import AskError, DataError, LawBroken
from features.sources.upload import Upload, read_file, read_records

ANNUAL = Path(__file__).parent.parent / "fixtures" / "upload_annual.csv"


def records(ds: list[Any], y: list[Any] | None = None, name: Any = "a") -> list[dict[str, Any]]:
    values = y if y is not None else [float(i) for i in range(len(ds))]
    return [{"unique_id": name, "ds": d, "y": v} for d, v in zip(ds, values, strict=True)]


def ahead(upload: Upload, steps: int = 3) -> list[Any]:
    dense = upload.panel.dense
    return upload.write_ds(np.repeat(dense.ids, steps), dense.future(steps).ravel()).tolist()


def refused(rows: list[dict[str, Any]], **more: Any) -> DataError:
    with pytest.raises(DataError) as refusal:
        read_records(rows, **more)
    return refusal.value


def csv(folder: Path, text: str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_plain_annual_file() -> None:
    upload = read_file(ANNUAL)
    dense = upload.panel.dense
    assert dense.ids == ("007", "plant A")
    assert dense.cadence.name == "year"
    np.testing.assert_array_equal(dense.y, [[1200.5, np.nan, 1180], [0, -350, np.nan]])
    assert upload.panel.traits.to_dict("index") == {
        "007": {"country": "NL", "sector": "refining"}, "plant A": {"country": "BE", "sector": "chemicals"},
    }  # fmt: skip
    assert upload.ignored == ("price",)
    assert ahead(upload, 2) == [2006, 2007, 2006, 2007]


@pytest.mark.parametrize(
    ("ds", "cadence", "expected"),
    [
        ([2003, 2004], "year", [2005, 2006, 2007]),
        (["2003", "2004"], "year", ["2005", "2006", "2007"]),
        (["2003-12-31", "2004-12-31"], "year", ["2005-12-31", "2006-12-31", "2007-12-31"]),
        (["2004Q4", "2005Q1"], "quarter", ["2005Q2", "2005Q3", "2005Q4"]),
        (["2004-Q4"], "quarter", ["2005-Q1", "2005-Q2", "2005-Q3"]),
        (["2007-11", "2007-12"], "month", ["2008-01", "2008-02", "2008-03"]),
        (["2007-12-31", "2008-01-31"], "month", ["2008-02-29", "2008-03-31", "2008-04-30"]),
        (["2005-01-02", "2005-01-09"], "week", ["2005-01-16", "2005-01-23", "2005-01-30"]),
        (["2005-W51", "2005-W52"], "week", ["2006-W01", "2006-W02", "2006-W03"]),
        (["2005-02-27", "2005-02-28"], "day", ["2005-03-01", "2005-03-02", "2005-03-03"]),
        (["2005-01-01T22:00Z", "2005-01-01T23:00Z"], "hour",
         ["2005-01-02T00:00Z", "2005-01-02T01:00Z", "2005-01-02T02:00Z"]),
        (["2005-01-01 22:30:00", "2005-01-01 23:30:00"], "hour",
         ["2005-01-02 00:30:00", "2005-01-02 01:30:00", "2005-01-02 02:30:00"]),
        (["2005-10-30T02:00+02:00", "2005-10-30T02:00+01:00"], "hour",
         ["2005-10-30T02:00+00:00", "2005-10-30T03:00+00:00", "2005-10-30T04:00+00:00"]),
    ],
)  # fmt: skip
def test_the_answer_is_dated_as_the_question_was(ds: list[Any], cadence: str, expected: list[Any]) -> None:
    upload = read_records(records(ds))
    assert upload.panel.cadence.name == cadence
    assert ahead(upload) == expected


def test_a_local_month_stays_that_month() -> None:
    upload = read_records(records([f"2005-0{m}-01T00:00:00+02:00" for m in range(1, 5)]))
    assert upload.panel.frame["ds"].dt.month.tolist() == [1, 2, 3, 4]
    assert ahead(upload, 1) == ["2005-05-01T00:00:00+02:00"]


def test_hours_are_kept_in_utc() -> None:
    upload = read_records(records(["2005-01-01T00:00+05:30", "2005-01-01T01:00+05:30"]))
    assert upload.panel.frame["ds"].tolist() == list(pd.to_datetime(["2004-12-31 18:00", "2004-12-31 19:00"]))
    assert ahead(upload, 1) == ["2005-01-01T02:00+05:30"]


RULES = {
    "YS": 1,
    "YE": 1,
    "YE-JUN": 1,
    "QS": 4,
    "QE": 4,
    "MS": 12,
    "ME": 12,
    "W-SUN": 52,
    "W-THU": 52,
    "D": 7,
}


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(list(RULES)),
    st.integers(3, 30),
    st.dates(date(1990, 1, 1), date(2030, 1, 1)),
)
def test_the_future_goes_on_as_the_calendar_does(rule: str, count: int, first: Any) -> None:
    whole = pd.date_range(first, periods=count + 5, freq=rule).strftime("%Y-%m-%d").tolist()
    upload = read_records(records(whole[:count]))
    assert ahead(upload, 5) == whole[count:]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4),
        min_size=1,
        max_size=5,
        unique=True,
    )
)
def test_each_name_is_read_exactly_and_keeps_its_own_dates(names: list[str]) -> None:
    real = [name for name in names if name.strip()]
    rows = [
        row
        for n, name in enumerate(real)
        for row in records([f"2005-{m:02d}-{n + 1:02d}" for m in (1, 2, 3)], name=name)
    ]
    if not rows:
        assert refused(records(["2005-01-01"], name=names[0])).code == "id-missing"
        return
    upload = read_records(rows)
    assert sorted(upload.panel.dense.ids) == sorted(real)
    april = np.full(len(real), np.datetime64("2005-04-01"))
    assert upload.write_ds(real, april).tolist() == [f"2005-04-{n + 1:02d}" for n in range(len(real))]


def test_numbers_as_names_are_read_as_text() -> None:
    assert read_records(records([2005, 2006], name=12)).panel.dense.ids == ("12",)


@pytest.mark.parametrize("word", ["year", "quarter", "month"])
def test_a_cadence_can_be_forced(word: str) -> None:
    upload = read_records(records(["2005-01-31", "2006-01-31"]), cadence=word)
    assert upload.panel.cadence.name == word
    assert len(upload.panel.frame) == {"year": 2, "quarter": 5, "month": 13}[word]


def test_a_cadence_finer_than_the_dates_or_unknown_is_refused() -> None:
    with pytest.raises(AskError) as refusal:
        read_records(records([2005, 2006]), cadence="month")
    assert refusal.value.code == "cadence-finer-than-ds"
    with pytest.raises(AskError) as refusal:
        read_records(records([2005, 2006]), cadence="decade")
    assert refusal.value.code == "unknown-cadence"


@pytest.mark.parametrize(
    ("rows", "code", "offender"),
    [
        (records([2005, 2006], [1.0, "Excluded"]), "value-not-a-number", "row 2: a y 'Excluded'"),
        (records([2005, 2006], [1.0, "1.234,5"]), "value-not-a-number", "row 2: a y '1.234,5'"),
        (records([2005, 2006], [1.0, True]), "value-not-a-number", "row 2: a y True"),
        (records([2005, 2006], [1.0, [2.0]]), "value-not-a-number", "row 2: a y [2.0]"),
        (records([2005, 2006], [1.0, float("inf")]), "value-not-finite", "row 2"),
        (records([2005, 2006], [1.0, "-inf"]), "value-not-finite", "row 2"),
        (records([2005, 2006], [1.0, None]), "value-missing", "row 2"),
        (records([2005, 2006], [1.0, float("nan")]), "value-missing", "row 2"),
        (records([2005, 2006], [None, None]), "value-missing", "row 1"),
        (records([2005, 2005]), "duplicate-rows", "row 2: a ds 2005 "),
        (records(["2005-01-01", "2005-02-30"]), "ds-unreadable", "row 2: a ds '2005-02-30'"),
        (records(["2005-01-01", None]), "ds-unreadable", "row 2"),
        (records([2005, "2006"]), "ds-unreadable", ""),
        (records(["2005-01-01", "2005-02-01", "2005-03-05"]), "ds-irregular", "row 3"),
        (records(["2005-01-01T00:00+01:00", "2005-07-01T00:00+02:00"]), "ds-mixed-offsets", ""),
        (records([2005], name=None), "id-missing", "row 1"),
        (records([2005], name=" "), "id-missing", "row 1"),
        ([{"ds": 2005, "y": 1.0}], "columns-missing", "unique_id"),
        ([], "history-empty", ""),
    ],
)  # fmt: skip
def test_wrong_records_are_refused_and_named(rows: list[dict[str, Any]], code: str, offender: str) -> None:
    error = refused(rows)
    assert error.code == code
    assert offender in error.message
    assert error.expected
    assert error.remedy


def test_missing_figures_pass_where_they_are_allowed() -> None:
    upload = read_records(records([2005, 2006, 2008], [1.0, None, 2.0]), allow_missing=True)
    np.testing.assert_array_equal(upload.panel.dense.y, [[1, np.nan, np.nan, 2]])


def test_every_wrong_row_is_counted() -> None:
    error = refused(records(list(range(2000, 2010)), ["x"] * 10))
    assert (len(error.offenders), error.more) == (3, 7)
    assert "10 of 10 rows" in error.found


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        (
            "unique_id,ds,y\na,2005,1\na,2006,Not Reported\n",
            "value-not-a-number",
            "line 3: a y 'Not Reported'",
        ),
        ("unique_id,ds,y\na,2005,1\n\na,2005,2\n", "duplicate-rows", "line 4"),
        ("unique_id,ds,y\na,2005,1\n,2006,2\n", "id-missing", "line 3"),
        ("unique_id,ds,y\na,2005,1\na,2006,1e999\n", "value-not-finite", "line 3"),
        ("unique_id,date,y\na,2005,1\n", "columns-missing", "ds"),
        ("unique_id;ds;y\na;2005;1\n", "columns-missing", "separate the columns by commas"),
        ("unique_id,ds,y\n", "history-empty", "no rows"),
        ("", "history-empty", "no rows"),
        ("unique_id,ds,y,y\na,2005,1,2\n", "file-not-readable", "twice"),
        ("unique_id,ds,y\na,2005,1,9\nb,2005,1,9\n", "file-not-readable", "more cells"),
        ("unique_id,ds,y\na,2005,1\nb,2005,1,9\n", "file-not-readable", "line 3"),
    ],
)
def test_wrong_files_are_refused_and_the_line_named(tmp_path: Path, text: str, code: str, told: str) -> None:
    with pytest.raises(DataError) as refusal:
        read_file(csv(tmp_path, text))
    assert refusal.value.code == code
    assert told in refusal.value.message


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.parquet").write_bytes(b"PAR1 not really")
    (tmp_path / "latin.csv").write_bytes("unique_id,ds,y\né,2005,1\n".encode("latin-1"))
    for name, code in (
        ("none.csv", "file-not-readable"), ("none.parquet", "file-not-readable"),
        ("b.parquet", "file-not-readable"), ("latin.csv", "file-not-readable"),
        ("a.xlsx", "file-kind-unknown"),
    ):  # fmt: skip
        with pytest.raises(DataError) as refusal:
            read_file(tmp_path / name)
        assert refusal.value.code == code


def test_a_file_may_be_asked_to_have_no_gaps() -> None:
    with pytest.raises(DataError) as refusal:
        read_file(ANNUAL, allow_missing=False)
    assert refusal.value.code == "value-missing"
    assert "line 3" in refusal.value.offenders[0]


def test_marks_of_the_editor_do_not_matter(tmp_path: Path) -> None:
    text = "\ufeffunique_id, ds ,y\r\n001,2005-12-31, 1.5 \r\n001,2006-12-31,NaN\r\n\r\n"
    upload = read_file(csv(tmp_path, text, "A.CSV"))
    assert upload.panel.dense.ids == ("001",)
    np.testing.assert_array_equal(upload.panel.dense.y, [[1.5, np.nan]])
    assert ahead(upload, 2) == ["2007-12-31", "2008-12-31"]


@pytest.mark.parametrize("kind", ["int32", "datetime64[ms]", "datetime64[us, UTC]", "date", "category"])
def test_parquet_types_are_given_back(tmp_path: Path, kind: str) -> None:
    ends = pd.Series(pd.to_datetime(["2003-12-31", "2004-12-31"]))
    ds = {
        "int32": pd.Series([2003, 2004], dtype="int32"),
        "date": pd.Series(list(ends.dt.date), dtype=object),
        "category": ends.dt.strftime("%Y-%m-%d").astype("category"),
        "datetime64[us, UTC]": ends.dt.tz_localize("UTC").astype("datetime64[us, UTC]"),
        "datetime64[ms]": ends.astype("datetime64[ms]"),
    }[kind]
    frame = pd.DataFrame({"unique_id": [7, 7], "ds": ds, "y": [1, 2], "share": [0.5, 0.5]})
    frame.set_index("unique_id").to_parquet(tmp_path / "a.parquet")
    upload = read_file(tmp_path / "a.parquet")
    assert upload.panel.dense.ids == ("7",)
    assert upload.panel.traits["share"].tolist() == ["0.5"]
    written = upload.write_ds(["7"], upload.panel.dense.future(1).ravel())
    assert str(written[0])[:10] == ("2005" if kind == "int32" else "2005-12-31")
    expected = {"date": "object", "category": "str"}.get(kind, kind)
    assert str(written.dtype) == expected


def test_files_and_records_say_the_same(tmp_path: Path) -> None:
    frame = pd.read_csv(ANNUAL, dtype={"unique_id": str})
    frame.to_parquet(tmp_path / "a.parquet")
    rows = [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]
    first = read_file(ANNUAL)
    for other in (read_file(tmp_path / "a.parquet"), read_records(rows, allow_missing=True)):
        pd.testing.assert_frame_equal(other.panel.frame, first.panel.frame)
        pd.testing.assert_frame_equal(other.panel.traits, first.panel.traits)


def test_a_series_that_was_not_uploaded_cannot_be_dated() -> None:
    with pytest.raises(LawBroken) as refusal:
        read_file(ANNUAL).write_ds(["plant B"], np.array(["2007-01-01"], dtype="datetime64[ns]"))
    assert refusal.value.offenders == ("plant B",)


def test_a_thousand_monthly_series_load_without_a_loop(tmp_path: Path) -> None:
    ds = pd.date_range("2010-01-31", periods=120, freq="ME").strftime("%Y-%m-%d")
    names = np.repeat([f"s{i:04d}" for i in range(1000)], 120)
    y = np.random.default_rng(0).uniform(0, 1e6, 120_000)
    pd.DataFrame({"unique_id": names, "ds": np.tile(ds, 1000), "y": y}).to_csv(
        tmp_path / "a.csv", index=False
    )
    begin = time.process_time()
    upload = read_file(tmp_path / "a.csv")
    assert time.process_time() - begin < 3.0
    assert upload.panel.dense.shape == (1000, 120)
    np.testing.assert_allclose(upload.panel.dense.y.ravel(), y)
