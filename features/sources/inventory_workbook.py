"""XLSX workbooks of any layout as rows of text: formulas by their stored result, merged cells named."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections import deque
from collections.abc import Iterator
from io import BytesIO
from itertools import chain, repeat
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from features.errors import AskError
from features.sources.archives import fault_of
from features.sources.inventory_files import (
    MOST_BYTES,
    MOST_CELLS,
    MOST_ROWS,
    Grid,
    text_of,
    unreadable_inventory,
)

_CHUNK: Final = 1 << 20
_OVERLAP: Final = 200
# No "<" within: a search that fails ends at the next element.
_MERGED: Final = re.compile(
    rb'<(?:\w{1,20}:)?mergeCell [^<>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"'
)
_FORMULA: Final = re.compile(rb"<(?:\w{1,20}:)?f[ />]")


def workbook_grids(payload: bytes, file: str, sheet: str | None) -> list[Grid]:
    """The tables of a workbook, one a sheet; with ``sheet`` only that one.

    A formula counts by the result stored with it; one without is a fault of its row, as are merged cells.

    Raises:
        AskError: a sheet that is not there (``sheet-unknown``). DataError: damaged, or too large.
    """
    with zipfile.ZipFile(BytesIO(payload)) as archive, warnings.catch_warnings():
        # Styles and validations that the library does not know are no concern of ours.
        warnings.simplefilter("ignore")
        _weigh(archive, file)
        book = load_workbook(BytesIO(payload), read_only=True, keep_links=False, data_only=True)
        names = [name for name in book.sheetnames if hasattr(book[name], "reset_dimensions")]
        if sheet is not None and sheet not in names:
            raise AskError(
                "sheet-unknown",
                found=f"sheet {sheet!r}",
                expected="one of " + ", ".join(names),
                remedy="name a sheet of the workbook",
            )
        return [_sheet(payload, book[n], archive, file) for n in names if sheet in (None, n)]


def _weigh(archive: zipfile.ZipFile, file: str) -> None:
    fault = fault_of(archive, MOST_BYTES)
    if fault is not None:
        raise unreadable_inventory(file, fault)


def _sheet(payload: bytes, page: Any, archive: zipfile.ZipFile, file: str) -> Grid:
    grid = Grid(file, page.title, "row", [])
    # The place of a sheet in the archive has no public name in the library.
    merged, formulas = _scanned(archive, page._worksheet_path.lstrip("/"))  # noqa: SLF001
    areas = _Areas(merged)
    page.reset_dimensions()
    asked = _formulas(payload, page.title) if formulas else repeat(())
    count = 0
    for place, (values, written) in enumerate(
        zip(page.iter_rows(values_only=True), chain(asked, repeat(())), strict=False), start=1
    ):
        count += len(values)
        if place > MOST_ROWS or count > MOST_CELLS:
            raise unreadable_inventory(file, f"more than {MOST_ROWS} rows or {MOST_CELLS} cells")
        texts = [text_of(value) for value in values]
        if area := areas.over(place):
            grid.faults[place] = ("cells-merged", f"merged cells {area}: unmerge them and fill each one")
        empty = [k for k in written if k >= len(values) or values[k] is None]
        if empty:
            cells = ", ".join(f"{get_column_letter(k + 1)}{place}" for k in empty[:3])
            told = f"formulas without a stored result ({len(empty)}: {cells})"
            how = "open and save the file in a table program, or paste values"
            grid.faults[place] = ("formula-without-value", f"{told}: {how}")
        if any(texts) or place in grid.faults:
            grid.rows.append((place, texts))
    return grid


class _Areas:
    """Merged areas, asked row by row from the top: a thousand over a million rows cost no more than one."""

    def __init__(self, areas: list[tuple[int, int, str]]) -> None:
        self._later = deque(sorted(areas))
        self._lowest = (0, 0, "")

    def over(self, row: int) -> str:
        """The area that a row is in and that reaches lowest, "" for none; ``row`` only grows."""
        while self._later and self._later[0][0] <= row:
            self._lowest = max(self._lowest, self._later.popleft(), key=lambda area: area[1])
        return self._lowest[2] if self._lowest[1] >= row else ""


def _formulas(payload: bytes, title: str) -> Iterator[tuple[int, ...]]:
    """Of each row the places (from 0) of its formulas."""
    book = load_workbook(BytesIO(payload), read_only=True, keep_links=False)
    page = book[title]
    page.reset_dimensions()
    for cells in page.iter_rows():
        yield tuple(k for k, cell in enumerate(cells) if cell.data_type == "f")


def _scanned(archive: zipfile.ZipFile, member: str) -> tuple[list[tuple[int, int, str]], bool]:
    """Merged areas (first row, last row, name) of a sheet, and whether it has any formula."""
    areas: dict[str, tuple[int, int, str]] = {}
    formulas, tail = False, b""
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            window = tail + chunk
            for left, top, right, bottom in _MERGED.findall(window):
                name = f"{left.decode()}{top.decode()}:{right.decode()}{bottom.decode()}"
                areas[name] = (int(top), int(bottom), name)
            formulas = formulas or _FORMULA.search(window) is not None
            tail = window[-_OVERLAP:]
    return list(areas.values()), formulas
