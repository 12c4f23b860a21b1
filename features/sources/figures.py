"""Figures in text, read strictly: plain digits with a decimal point, or they are named as unreadable."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.sources.textfile import Complaints, Table

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

# More than all of humanity emits in a year: a figure above it carries the wrong unit.
MOST_TONNES: Final = 5e10
_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?P<power>[eE][+-]?\d{1,3})?", re.ASCII)
_YEAR: Final = re.compile(r"[12]\d{3}", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1700, 2200
_MONTH: Final = re.compile(r"([12]\d{3})(?:-|M)(0[1-9]|1[0-2])", re.ASCII)


def figures(cells: pd.Series, *, power: int = 0) -> tuple[Float, Bool]:
    """The numbers of text ``cells`` (N,) times ten to the ``power``, and where one cannot be read.

    An empty cell is NaN and not wrong. The decimal shift is made in the text, so 163.032749 times 10^6
    is exactly 163032749. Thousands marks, decimal commas, words and infinite values are wrong.
    """
    values = np.full(len(cells), np.nan)
    wrong = np.zeros(len(cells), dtype=bool)
    for place, text in enumerate(cells.tolist()):
        if text == "":
            continue
        told = _NUMBER.fullmatch(text)
        value = _shifted(text, told["power"], power) if told else np.nan
        wrong[place] = not np.isfinite(value)
        values[place] = np.nan if wrong[place] else value
    return values, wrong


def _shifted(text: str, own: str | None, power: int) -> float:
    if own is None:
        return float(f"{text}e{power}")
    return float(f"{text.removesuffix(own)}e{int(own[1:]) + power}")


def years(cells: pd.Series) -> tuple[npt.NDArray[np.datetime64], Bool]:
    """First instants of the years that ``cells`` (N,) name, datetime64[ns], and where there is none."""
    lawful = np.array([_YEAR.fullmatch(text) is not None for text in cells.tolist()], dtype=bool)
    count = np.array([int(t) if ok else 1970 for t, ok in zip(cells.tolist(), lawful, strict=True)], np.int64)
    lawful &= (count >= _FIRST_YEAR) & (count < _LAST_YEAR)
    stamps = (np.where(lawful, count, 1970) - 1970).astype("datetime64[Y]").astype("datetime64[ns]")
    return stamps, ~lawful


def months(cells: pd.Series) -> tuple[npt.NDArray[np.datetime64], Bool]:
    """First instants of the months (2005-01 or 2005M01) of ``cells`` (N,), and where there is none."""
    told = [_MONTH.fullmatch(text) for text in cells.tolist()]
    lawful = np.array([month is not None and int(month[1]) >= _FIRST_YEAR for month in told], dtype=bool)
    texts = ["1970-01" if month is None else f"{month[1]}-{month[2]}" for month in told]
    stamps = np.where(lawful, np.array(texts, dtype="datetime64[M]"), np.datetime64("1970-01"))
    return stamps.astype("datetime64[ns]"), ~lawful


def unlawful_tonnes(values: Float) -> Bool:
    """Where tonnes (N,) are negative or more than the whole world emits; NaN is neither."""
    return np.asarray((values < 0) | (values > MOST_TONNES), dtype=bool)


def drop(table: Table, faults: list[tuple[Bool, str, str, str]]) -> tuple[Table, Bool]:
    """The table without the rows of the ``faults``, and which rows (N,) were kept.

    Each fault is (wrong (N,), code, text, the column it shows). A row is complained of once, under its
    first fault. Of rows that repeat each other cell by cell the first is kept.
    """
    again = table.cells.duplicated().to_numpy(dtype=bool)
    repeated = (again, "row-repeated", "the same as an earlier row", str(table.cells.columns[0]))
    kept = np.ones(len(table.cells), dtype=bool)
    told: Complaints = []
    for wrong, code, text, shows in [*faults, repeated]:
        fresh = wrong & kept
        shown = table.cells.loc[fresh, shows]
        told += [
            (int(n), code, f"{text}: {cell[:40]!r}")
            for n, cell in zip(table.lines[fresh], shown, strict=True)
        ]
        kept &= ~wrong
    left = table.cells[kept].reset_index(drop=True)
    complaints = table.complaints + sorted(told)
    return Table(table.file, left, table.lines[kept], table.columns, table.rows_read, complaints), kept
