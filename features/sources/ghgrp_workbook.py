"""Sheets of an EPA workbook as plain rows; only the columns asked for are kept."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from openpyxl import load_workbook

from features.errors import ForecarbonError
from features.sources.archives import fault_of
from features.sources.records import changed_shape, unreadable

MOST_ROWS: Final = 200_000
MOST_COLUMNS: Final = 300
MOST_BYTES: Final = 1 << 30
HEADER_WITHIN: Final = 20
CHUNK: Final = 1 << 20
_MERGED: Final = re.compile(rb'<(?:\w{1,20}:)?mergeCell [^<>]*?ref="[A-Z]{1,3}\d{1,7}:[A-Z]{1,3}(\d{1,7})"')


@dataclass(frozen=True)
class Sheet:
    """The rows below the header of one sheet.

    Attributes:
        file, name: of the workbook and of the sheet.
        titles: the texts above the header.
        columns: the kept column names, spaces collapsed, in the order of ``rows``.
        rows: (line in the sheet, kept cells as the workbook holds them) of every row that is not empty.
        others: names of the sheets that were not read.
        header: line of the header.
        overlong: lines left out because they hold cells right of the last named column.
    """

    file: str
    name: str
    titles: tuple[str, ...]
    columns: tuple[str, ...]
    rows: list[tuple[int, tuple[Any, ...]]]
    others: tuple[str, ...]
    header: int
    overlong: tuple[int, ...]

    @property
    def where(self) -> str:
        """File and sheet, for the eye."""
        return f"{self.file}, sheet {self.name!r}"


def read_sheets(
    path: Path, *, names: Sequence[Sequence[str]], key: str, keep: Callable[[str], bool]
) -> list[Sheet]:
    """One sheet for each group of ``names`` that the workbook has a sheet of, in the order of the groups.

    The header of a sheet is the row that holds the cell ``key``. Formulas are handed out as their text: a
    figure that was computed by hand is no published figure.

    Raises:
        DataError: no readable workbook (``source-unreadable``); no such sheet, two of one group, no
            header, a column twice, or far too many rows (``source-changed-shape``).
    """
    try:
        payload = BytesIO(path.read_bytes())
        archive = zipfile.ZipFile(payload)
        _weigh(archive, path.name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and validations the library does not know
            book = load_workbook(payload, read_only=True, keep_links=False)
            chosen = _named(book.sheetnames, names, path.name)
            others = tuple(name for name in book.sheetnames if name not in chosen)
            return [_read(archive, book, path.name, name, key, keep, others) for name in chosen]
    except ForecarbonError:
        raise
    except Exception as problem:
        # A damaged archive or XML ends in any error at all, from half a dozen libraries.
        reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        raise unreadable(path.name, found=reason[:200], expected="a whole xlsx workbook") from problem


def _read(
    archive: zipfile.ZipFile,
    book: Any,
    file: str,
    name: str,
    key: str,
    keep: Callable[[str], bool],
    others: tuple[str, ...],
) -> Sheet:
    # The size a sheet states of itself may be wrong: go by the rows.
    book[name].reset_dimensions()
    lines = book[name].iter_rows(values_only=True, max_col=MOST_COLUMNS)
    sheet = _sheet(lines, file, name, key, keep, others)
    # The place of a sheet in the archive has no public name in the library.
    _refuse_merged(archive, book[name]._worksheet_path.lstrip("/"), sheet)  # noqa: SLF001
    return sheet


def plain(name: object) -> str:
    """A name with its spaces collapsed and its letters small."""
    return re.sub(r"\s+", " ", str(name)).strip().lower()


def _weigh(archive: zipfile.ZipFile, file: str) -> None:
    fault = fault_of(archive, MOST_BYTES)
    if fault is not None:
        raise unreadable(file, found=fault, expected="a whole xlsx workbook")


def _named(sheets: Sequence[str], names: Sequence[Sequence[str]], file: str) -> list[str]:
    groups = [[sheet for sheet in sheets if plain(sheet) in map(plain, group)] for group in names]
    if not any(groups) or any(len(group) > 1 for group in groups):
        raise changed_shape(
            file,
            found="sheets " + ", ".join(sheets),
            expected="one sheet " + " or ".join(name for group in names for name in group),
        )
    return [sheet for group in groups for sheet in group]


def _sheet(
    lines: Any, file: str, name: str, key: str, keep: Callable[[str], bool], others: tuple[str, ...]
) -> Sheet:
    titles: list[str] = []
    columns: tuple[str, ...] = ()
    kept: list[int] = []
    overlong: list[int] = []
    header = width = 0
    rows: list[tuple[int, tuple[Any, ...]]] = []
    for line, cells in enumerate(lines, start=1):
        if line > MOST_ROWS:
            raise changed_shape(file, found=f"more than {MOST_ROWS} rows", expected="a row a facility")
        if not columns:
            if line > HEADER_WITHIN:
                break
            if any(plain(cell) == plain(key) for cell in cells):
                kept, columns = _header(cells, keep, file)
                header = line
                width = 1 + max(i for i, cell in enumerate(cells) if cell is not None)
            else:
                titles += [str(cell) for cell in cells if cell is not None]
        elif any(cell is not None and cell != "" for cell in cells[width:]):
            overlong.append(line)
        elif any(cell is not None and cell != "" for cell in cells):
            rows.append((line, tuple(cells[i] if i < len(cells) else None for i in kept)))
    if not columns:
        raise changed_shape(
            file,
            found=f"no {key!r} in the first {HEADER_WITHIN} rows of sheet {name!r}",
            expected="a header row, usually the fourth",
        )
    return Sheet(file, name, tuple(titles), columns, rows, others, header, tuple(overlong))


def _refuse_merged(archive: zipfile.ZipFile, member: str, sheet: Sheet) -> None:
    """Merged cells hide that all but their first are empty: none may reach the header or lie below it."""
    tail = b""
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK):
            if any(int(row) >= sheet.header for row in _MERGED.findall(tail + chunk)):
                raise changed_shape(
                    sheet.file, found="merged cells among the figures", expected="one cell a figure"
                )
            tail = (tail + chunk)[-200:]


def _header(
    cells: Sequence[Any], keep: Callable[[str], bool], file: str
) -> tuple[list[int], tuple[str, ...]]:
    named = [(i, re.sub(r"\s+", " ", str(cell)).strip()) for i, cell in enumerate(cells) if cell is not None]
    if len(named) <= named[-1][0] or not all(name for _, name in named):
        raise changed_shape(file, found="a column without a name", expected="a name over every column")
    chosen = [(i, name) for i, name in named if keep(name)]
    names = [plain(name) for _, name in chosen]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise changed_shape(file, found="columns twice", expected="each column once", offenders=twice)
    return [i for i, _ in chosen], tuple(name for _, name in chosen)
