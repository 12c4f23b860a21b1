"""The reference tables: read, typed and checked row by row, or refused."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from features.errors import DataError
from features.reference.rules import check_all
from features.reference.schemas import TABLES, Table

_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class Reference:
    """Every reference table, checked. Frames are shared between callers: read, never change them.

    Unknown text is "", unknown numbers and years are missing. ``source`` cells hold one or more
    ``source_id`` of ``sources``, parted by " | ". Money, shares and units are as the row's unit says;
    columns ending in ``_mt`` are million tonnes, ``tco2e`` tonnes.
    """

    clusters: pd.DataFrame
    boundaries: pd.DataFrame
    targets: pd.DataFrame
    claims: pd.DataFrame
    projects: pd.DataFrame
    factors: pd.DataFrame
    published_history: pd.DataFrame
    initiative_totals: pd.DataFrame
    sector_emissions: pd.DataFrame
    sources: pd.DataFrame
    scope_breaks: pd.DataFrame
    publication: pd.DataFrame
    absent_series: pd.DataFrame


def load(folder: Path | None = None) -> Reference:
    """The reference tables of ``folder`` (the package's own when left out), read once a process.

    Raises:
        DataError: a table that is missing, or a row that breaks a rule; the message names file, line
            and column.
    """
    return _load((folder or Path(__file__).parent).resolve())


@lru_cache(maxsize=8)
def _load(folder: Path) -> Reference:
    frames = {table.name: read_table(folder, table) for table in TABLES}
    check_all(frames)
    return Reference(**frames)


def read_table(folder: Path, table: Table) -> pd.DataFrame:
    """One table, typed and checked on its own.

    Raises:
        DataError: missing file or columns, a cell of the wrong type or out of range, a repeated key.
    """
    path = folder / f"{table.name}.csv"
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError) as problem:
        raise DataError(
            "reference-unreadable",
            found=f"{path.name}: {type(problem).__name__}",
            expected="a CSV in UTF-8",
            remedy="restore the file from the checkout",
        ) from problem
    if sorted(raw.columns) != sorted(table.columns):
        raise DataError(
            "reference-columns",
            found=f"{path.name} with columns " + ", ".join(map(str, raw.columns)),
            expected="columns " + ", ".join(table.columns),
            remedy="add the missing columns or take the unknown ones away",
        )
    typed = pd.DataFrame({name: _typed(path.name, raw[name], table.columns[name]) for name in raw.columns})
    _check_cells(path.name, typed, table)
    _refuse_repeats(path.name, typed, table)
    return typed


def _typed(file: str, cells: pd.Series, column: pa.Column) -> pd.Series:
    kind = str(column.dtype)
    if kind not in ("bool", "Int64", "float64"):
        return cells
    if kind == "bool":
        values = cells.map(_TRUTH)
        _refuse_cells(file, cells, values.isna(), "true or false")
        return values.astype(bool)
    numbers = pd.to_numeric(cells.where(cells != "", None), errors="coerce")
    _refuse_cells(file, cells, numbers.isna() & (cells != ""), "a number, or nothing where unknown")
    if kind == "Int64":
        _refuse_cells(file, cells, numbers.notna() & (numbers % 1 != 0), "a whole number")
        return numbers.astype("Int64")
    return numbers.astype("float64")


def _refuse_cells(file: str, cells: pd.Series, wrong: pd.Series, expected: str) -> None:
    if wrong.any():
        raise DataError(
            "reference-cell",
            found=f"{int(wrong.sum())} cells of {cells.name} in {file}",
            expected=expected,
            offenders=[f"{file} line {i + 2}, {cells.name}: {cells[i]!r}" for i in cells.index[wrong]],
            remedy="correct the cell, or leave it empty where the figure is unknown",
        )


def _check_cells(file: str, frame: pd.DataFrame, table: Table) -> None:
    try:
        pa.DataFrameSchema(table.columns).validate(frame, lazy=True)
    except SchemaErrors as problem:
        cases = problem.failure_cases
        raise DataError(
            "reference-cell",
            found=f"{len(cases)} cells of {file} that break a rule",
            expected="; ".join(dict.fromkeys(cases["column"] + ": " + cases["check"].astype(str))),
            offenders=[_place(file, row) for row in cases.to_dict("records")],
            remedy="correct the cell; an unknown figure stays empty",
        ) from None


def _place(file: str, case: Mapping[Hashable, object]) -> str:
    line = int(str(case["index"])) + 2
    return f"{file} line {line}, {case['column']}: {case['failure_case']!r}"


def _refuse_repeats(file: str, frame: pd.DataFrame, table: Table) -> None:
    twice = frame.index[frame.duplicated(list(table.key), keep="first")]
    if len(twice):
        raise DataError(
            "reference-key-repeated",
            found=f"{len(twice)} rows of {file} that repeat a key",
            expected="one row for each " + ", ".join(table.key),
            offenders=[
                f"{file} line {i + 2}: " + ", ".join(str(frame.at[i, k]) for k in table.key) for i in twice
            ],
            remedy="keep one of the rows, or give the other its own key",
        )
