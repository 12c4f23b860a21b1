"""Cells of the CSV files that are handed out: text that no spreadsheet takes for a formula."""

from __future__ import annotations

from typing import Final

import pandas as pd

# A cell that begins with one of these is run as a formula by spreadsheets; spaces may precede it.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def plain_text(value: object) -> str:
    """A cell that a spreadsheet shows as it is; null is an empty one, a number stays a number."""
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, str) and text.lstrip(" ").startswith(FORMULA_STARTS):
        return f"'{text}"
    return text


def csv_text(frame: pd.DataFrame, *, header: bool = True) -> str:
    """A frame as CSV without its index: names of columns and texts made plain, all else as pandas has it."""
    told = frame.rename(columns=_plain)
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if column.dtype == object or isinstance(column.dtype, pd.StringDtype | pd.CategoricalDtype):
            told.isetitem(place, column.astype(object).map(_plain).to_numpy())
    text: str = told.to_csv(index=False, header=header)
    return text


def _plain(cell: object) -> object:
    # Of line ends the writer quotes one kind; a bare other kind would begin a row, and so a cell, of its own.
    return plain_text(cell).replace("\r\n", "\n").replace("\r", "\n") if isinstance(cell, str) else cell
