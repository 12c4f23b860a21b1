"""An inventory in any layout made long: one row a figure, with its line, site, period, unit and gas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from features.errors import AskError, DataError, ForecarbonError
from features.sources.inventory_columns import (
    FIGURE,
    GAS,
    GWP,
    ID,
    LINE,
    TRAITS,
    UNIT,
    WHEN,
    Columns,
    columns_of,
)
from features.sources.inventory_files import Grid, bytes_of, csv_grid, parquet_grid, unreadable_inventory
from features.sources.inventory_workbook import workbook_grids

HEADER_WITHIN: Final = 20
ENDINGS: Final = (".csv", ".parquet", ".tsv", ".txt", ".xlsx")

Fault = tuple[int, str, str]


@dataclass(frozen=True)
class Rows:
    """An inventory made long.

    Attributes:
        file, word: of the file, and what its rows are called.
        cells: (N,) rows of text: line (int64), id, ds, y, unit, gas, gwp, the traits; "" where there is none.
        faults: (line, code, text) of rows that are not among the cells.
        notes: (line, code, text) of columns that are not read.
        rows_read: rows below the header.
    """

    file: str
    word: str
    cells: pd.DataFrame
    faults: list[Fault]
    notes: list[Fault]
    rows_read: int


def grids(path: Path, *, sheet: str | None = None, encoding: str | None = None) -> list[Grid]:
    """The tables of the file, one a sheet; with ``sheet`` only that one.

    Raises:
        DataError: ``file-kind-unknown``, ``source-unreadable``.
        AskError: a file, a sheet or an encoding that is not there.
    """
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    if ending not in ENDINGS:
        raise DataError(
            "file-kind-unknown",
            found=path.name,
            expected="a file ending in " + ", ".join(ENDINGS),
            remedy="save the inventory as one of these",
        )
    if not path.is_file():
        raise AskError("file-not-there", found=f"no file {path.name}", expected="an inventory",
                       remedy="correct the path")  # fmt: skip
    try:
        payload = bytes_of(path)
        if ending == ".xlsx":
            return workbook_grids(payload, path.name, sheet)
        return [parquet_grid(path) if ending == ".parquet" else csv_grid(payload, path.name, encoding)]
    except ForecarbonError:
        raise
    except Exception as problem:
        # A damaged archive, XML or Parquet footer ends in any error at all, from half a dozen libraries.
        reason = (str(problem).strip().splitlines() or [""])[0] or type(problem).__name__
        raise unreadable_inventory(path.name, reason[:200]) from problem


def rows_of(tables: Sequence[Grid]) -> Rows:
    """The rows of the one table that has an inventory's header.

    A header is the first row with a column for the site (such as facility_id) and either one for the
    period (year) and those of figures (emissions, or one a gas), or a column a year.

    Raises:
        DataError: no such header (``inventory-columns-missing``), no rows (``inventory-empty``).
        AskError: several sheets have one (``sheet-undeclared``); columns that could each be meant.
    """
    found = [(table, told) for table in tables if (told := _header(table)) is not None]
    if len(found) > 1:
        raise AskError(
            "sheet-undeclared",
            found="an inventory on sheets " + ", ".join(table.name for table, _ in found),
            expected="one sheet",
            remedy="name the sheet to read",
        )
    if not found:
        seen = next((cells for table in tables for _, cells in table.rows), [])
        raise DataError(
            "inventory-columns-missing",
            found="first row " + ", ".join(cell[:40] for cell in seen[:12]),
            expected="a header with facility_id, year and emissions, or with facility_id and a column a year",
            remedy="name the columns so, in one row above the figures",
        )
    table, (at, columns) = found[0]
    return _long(table, at, columns)


def _header(table: Grid) -> tuple[int, Columns] | None:
    for at, (_, cells) in enumerate(table.rows[:HEADER_WITHIN]):
        columns = columns_of(cells)
        if columns is not None:
            return at, columns
    return None


def _long(table: Grid, at: int, columns: Columns) -> Rows:
    line, names = table.rows[at]
    header = [name.lower() for name in names]
    below = table.rows[at + 1 :]
    if line in table.faults or not below:
        raise DataError(
            "inventory-header-broken" if below else "inventory-empty",
            found=table.faults[line][1] if below else "no rows below the header",
            expected="a header of one row and plain cells, and figures below it",
            remedy="write one name above each column" if below else "write the figures below the header",
        )
    rows, faults = [], []
    for place, cells in below:
        if place in table.faults:
            faults.append((place, *table.faults[place]))
        elif [name.lower() for name in cells] == header:
            faults.append((place, "header-again", "the header once more: take it away"))
        elif (len(cells) < columns.width and table.word == "line") or any(cells[columns.width :]):
            count = max((i for i, cell in enumerate(cells) if cell), default=-1) + 1
            told = (
                f"{count} cells where the header has {columns.width}: one a column, and quotes around commas"
            )
            faults.append((place, "row-misshapen", told))
        else:
            rows.append((place, cells + [""] * (columns.width - len(cells))))
    notes = [(line, "column-not-read", name[:60]) for name in columns.ignored]
    notes += [(line, "personal-data-dropped", f"column {name[:60]}") for name in columns.personal]
    if any(cells[i] for _, cells in rows for i in columns.unnamed):
        notes.append((line, "column-not-read", "a column without a name"))
    return Rows(table.file, table.word, _cells(rows, columns), faults, notes, len(below))


def _cells(rows: list[tuple[int, list[str]]], columns: Columns) -> pd.DataFrame:
    """The long frame; ``rows`` in, one row a figure out."""
    fixed: dict[str, pd.Series] = {LINE: pd.Series([line for line, _ in rows], dtype="int64")}
    for role in (ID, WHEN, UNIT, GAS, GWP, *TRAITS):
        place = columns.places.get(role)
        fixed[role] = pd.Series(["" if place is None else cells[place] for _, cells in rows], dtype="str")
    frame = pd.DataFrame(fixed)
    parts = []
    for one in columns.figures:
        told = {WHEN: one.when, UNIT: one.unit, GAS: one.gas, GWP: one.gwp}
        own = {role: pd.Series(text, index=frame.index, dtype="str") for role, text in told.items() if text}
        figure = pd.Series([cells[one.place] for _, cells in rows], dtype="str")
        parts.append(frame.assign(**own, **{FIGURE: figure}))
    return pd.concat(parts, ignore_index=True)
