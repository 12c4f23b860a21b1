"""Published xlsx workbooks, streamed row by row, as columns of text; only the columns asked for are kept."""

from __future__ import annotations

import itertools
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from openpyxl import load_workbook

from features.errors import ForecarbonError
from features.sources.archives import fault_of
from features.sources.records import changed_shape, unreadable
from features.sources.textfile import MOST_BYTES, Table

MOST_ROWS: Final = 300_000
HEADER_WITHIN: Final = 100
CHUNK: Final = 1 << 20
FORMULA: Final = "="
_MERGED: Final = re.compile(rb'<(?:\w{1,20}:)?mergeCell [^<>]*?ref="[A-Z]{1,3}\d{1,7}:[A-Z]{1,3}(\d{1,7})"')

Lines = Iterator[tuple[int, tuple[Any, ...]]]


def read_sheet(path: Path, *, sheet: str, key: str, keep: Callable[[str], bool]) -> Table:
    """The kept columns of the sheet called ``sheet``, or else of the first with the header cell ``key``.

    The header is the first row that holds ``key``; names are collapsed and handed to ``keep`` as
    written. Numbers become their shortest text, formulas stay what they are (text that starts with "=").

    Raises:
        DataError: ``source-unreadable`` (no whole workbook), ``source-changed-shape`` (no such header,
            a kept column twice, merged cells or formulas in or below the header, far too many rows).
    """
    try:
        payload = path.read_bytes()
        with zipfile.ZipFile(BytesIO(payload)) as archive, warnings.catch_warnings():
            # Styles and validations that the library does not know are no concern of ours.
            warnings.simplefilter("ignore")
            _weigh(archive, path.name)
            book = load_workbook(BytesIO(payload), read_only=True, keep_links=False)
            name, lines = _found(book, path.name, sheet, key)
            first, header = next(lines)
            # The place of a sheet in the archive has no public name in the library.
            _refuse_merged(archive, book[name]._worksheet_path, first, path.name)  # noqa: SLF001
            return _table(lines, header, keep, path.name)
    except ForecarbonError:
        raise
    except Exception as problem:
        # A damaged archive or XML ends in any error at all, from half a dozen libraries.
        reason = (str(problem).strip().splitlines() or [""])[0] or type(problem).__name__
        raise unreadable(path.name, found=reason[:200], expected="a whole xlsx workbook") from problem


def plain(cell: object) -> str:
    """A cell as text: collapsed spaces, whole numbers without a point, "" for an empty one."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())


def _weigh(archive: zipfile.ZipFile, file: str) -> None:
    fault = fault_of(archive, MOST_BYTES)
    if fault is not None:
        raise unreadable(file, found=fault, expected="a whole xlsx workbook")


def _found(book: Any, file: str, sheet: str, key: str) -> tuple[str, Lines]:
    names = [name for name in book.sheetnames if name.strip().lower() == sheet.lower()]
    for name in names or book.sheetnames:
        if not hasattr(book[name], "reset_dimensions"):
            continue  # a chart
        # The size a sheet states of itself may be wrong: go by its rows.
        book[name].reset_dimensions()
        lines = _numbered(book[name].iter_rows(values_only=True), file)
        for number, cells in itertools.islice(lines, HEADER_WITHIN):
            if any(plain(cell).upper() == key.upper() for cell in cells):
                return name, itertools.chain([(number, cells)], lines)
    raise changed_shape(
        file,
        found="sheets " + ", ".join(book.sheetnames[:8]),
        expected=f"a sheet {sheet!r} with {key!r} in its header",
    )


def _numbered(rows: Any, file: str) -> Lines:
    for number, cells in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise changed_shape(file, found=f"more than {MOST_ROWS} rows", expected="one row a site")
        yield number, cells


def _refuse_merged(archive: zipfile.ZipFile, member: str, header: int, file: str) -> None:
    """Merged cells hide that all but their first are empty: none may reach the header or lie below it."""
    tail = b""
    with archive.open(member.lstrip("/")) as stream:
        while chunk := stream.read(CHUNK):
            rows = [int(row) for row in _MERGED.findall(tail + chunk)]
            if any(row >= header for row in rows):
                raise changed_shape(
                    file, found="merged cells among the figures", expected="one cell a figure"
                )
            tail = (tail + chunk)[-200:]


def _table(lines: Lines, header: Sequence[Any], keep: Callable[[str], bool], file: str) -> Table:
    named = [(place, plain(cell)) for place, cell in enumerate(header) if cell is not None]
    if any(name.startswith(FORMULA) for _, name in named):
        raise changed_shape(file, found="a formula in the header", expected="column names")
    chosen = [(place, name) for place, name in named if keep(name)]
    names = [name for _, name in chosen]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise changed_shape(file, found="columns twice", expected="each column once", offenders=twice)
    rows: list[list[str]] = []
    places: list[int] = []
    for number, cells in lines:
        if any(cell is not None and cell != "" for cell in cells):
            rows.append([plain(cells[place]) if place < len(cells) else "" for place, _ in chosen])
            places.append(number)
    if not rows:
        raise changed_shape(file, found="no rows below the header", expected="at least one row")
    frame = pd.DataFrame(rows, columns=names, dtype="str")
    return Table(file, frame, np.array(places, dtype=np.int64), tuple(names), len(rows))
