"""Files and records as an unchecked table whose rows can still be named to the person who wrote them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import DataError
from features.series.words import DS, UNIQUE_ID, Y

Place = Callable[[int], str]


def refuse(
    wrong: npt.NDArray[np.bool_], frame: pd.DataFrame, place: Place, code: str, expected: str, remedy: str,
    *, column: str,
) -> None:  # fmt: skip
    """Raise a DataError naming the rows that are ``wrong`` (N,), or do nothing if none is."""
    guilty = np.flatnonzero(wrong)
    if len(guilty):
        names, cells = frame[UNIQUE_ID], frame[column]
        shown = [f"{place(int(i))}: {names.iloc[i]} {column} {_plain(cells.iloc[i])!r}" for i in guilty[:4]]
        raise DataError(
            code,
            found=f"{len(guilty)} of {len(frame)} rows",
            expected=expected,
            offenders=shown + [place(int(i)) for i in guilty[4:]],
            remedy=remedy,
            facts={"rows": len(guilty)},
        )


def _plain(cell: object) -> object:
    return cell.item() if isinstance(cell, np.generic) else cell


def of_file(path: Path) -> tuple[pd.DataFrame, Place]:
    """The table of a CSV (every cell as text) or Parquet file, and how its rows are named.

    Raises:
        DataError: neither CSV nor Parquet, not readable, empty, or without unique_id, ds and y.
    """
    ending = path.suffix.lower()
    if ending not in (".csv", ".parquet"):
        raise DataError(
            "file-kind-unknown",
            found=f"{path.name}",
            expected="a file ending in .csv or .parquet",
            remedy="save the panel as CSV or Parquet",
        )
    try:
        frame = _csv(path) if ending == ".csv" else _parquet(path)
    except (OSError, ValueError, csv.Error, pd.errors.ParserWarning) as problem:
        # pandas tells parser, encoding and Parquet faults all as kinds of ValueError
        reason = str(problem).strip().splitlines()
        raise DataError(
            "file-not-readable",
            found=f"{path.name}: {reason[0] if reason else type(problem).__name__}",
            expected="a readable CSV in UTF-8 or a Parquet file",
            remedy="check the path and the file",
        ) from problem
    step = 2 if ending == ".csv" else 1
    word = "line" if ending == ".csv" else "row"
    lines = frame.index.to_numpy()
    return _with_columns(frame.reset_index(drop=True), path.name), lambda i: f"{word} {int(lines[i]) + step}"


def of_records(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The table of JSON-like rows.

    Raises:
        DataError: no rows, or no unique_id, ds or y in any of them.
    """
    return _with_columns(pd.DataFrame(list(rows)), "history")


def _csv(path: Path) -> pd.DataFrame:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = next(csv.reader(stream), [])
    names = [name.strip() for name in header]
    if len(set(names)) < len(names):
        raise ValueError("a column name appears twice in the header")
    if not names:
        return pd.DataFrame()
    frame = pd.read_csv(
        path, dtype=str, keep_default_na=False, encoding="utf-8-sig", header=0, skip_blank_lines=False
    )
    if not isinstance(frame.index, pd.RangeIndex):
        raise ValueError("rows with more cells than the header has names")
    frame = frame.fillna("").set_axis(pd.Index(names), axis=1)
    blank = frame[names[0]] == ""
    if blank.any():
        blank &= (frame == "").all(axis=1)
        frame = frame[~blank]
    if DS in frame and len(frame) and frame[DS].str.fullmatch(r"\d{4}").all():
        return frame.astype({DS: "int64"})  # years are numbers to whoever reads the answer
    return frame


def _parquet(path: Path) -> pd.DataFrame:
    frame = pd.read_parquet(path)
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    return frame.reset_index(drop=True)


def _with_columns(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    if frame.columns.empty or (len(frame) == 0 and {UNIQUE_ID, DS, Y} <= set(frame.columns)):
        raise DataError(
            "history-empty",
            found=f"no rows in {name}",
            expected="rows with unique_id, ds and y",
            remedy="give at least one row for each series",
        )
    absent = [column for column in (UNIQUE_ID, DS, Y) if column not in frame.columns]
    if absent:
        joined = len(frame.columns) == 1 and any(mark in str(frame.columns[0]) for mark in ";\t|")
        raise DataError(
            "columns-missing",
            found="columns " + ", ".join(map(str, frame.columns)),
            expected="columns unique_id, ds, y",
            offenders=absent,
            remedy="separate the columns by commas" if joined else "rename or add the missing columns",
        )
    return frame
