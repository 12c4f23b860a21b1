"""Workbooks spoilt in every way we could think of."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Final

import openpyxl

from tests.sources.mutations import SHORTER, TOLD, WHOLE, Way

STRANGE: Final = (None, "", "=A1", "#REF!", "Not Reported", True, -5, 1e15, "x" * 3000, "\u202e7")


@dataclass
class Page:
    """The sheet of figures of an opened workbook: its header's row (1-based), figures, needed columns."""

    cells: Any
    header: int
    figures: tuple[str, ...]
    need: tuple[str, ...]

    def place(self, name: str) -> int:
        wanted = name.lower()
        return next(int(c.column) for c in self.cells[self.header] if str(c.value).lower() == wanted)

    def some_figure(self, rng: Random) -> Any:
        columns = [self.place(name) for name in self.figures]
        cells = [cell for at in columns for cell in next(self.cells.iter_cols(at, at, self.header + 1))]
        return rng.choice([cell for cell in cells if isinstance(cell.value, int) and cell.value > 1000])

    def some_row(self, rng: Random) -> list[Any]:
        row = rng.randint(self.header + 1, self.cells.max_row)
        return [cell.value for cell in self.cells[row]]

    def lower(self, lines: int) -> None:
        self.cells.insert_rows(1, lines)
        self.header += lines


Change = Callable[[Page, Random], object]


def xlsx_ways(
    payload: bytes, *, sheet: str, header: int, figures: Sequence[str], need: Sequence[str],
    leave_out: Sequence[str] = (),
) -> list[Way]:  # fmt: skip
    """Ways to spoil a workbook.

    Args:
        sheet: its sheet of figures, header: the header's row there (1-based).
        figures: columns of whole numbers, many of them above 1000.
        need: columns without which the file must be refused.
        leave_out: names of ways that are no damage to this file.
    """

    def done(change: Change, rng: Random) -> bytes:
        book = openpyxl.load_workbook(io.BytesIO(payload))
        page = Page(book[sheet], header, tuple(figures), tuple(need))
        if rng.random() < 0.3:
            _shuffled(page, rng)
        change(page, rng)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    raw: list[Way] = [
        ("as it is", WHOLE, lambda _: payload),
        ("cut short", TOLD, lambda rng: payload[: rng.randrange(len(payload))]),
        ("bits flipped", TOLD, partial(_flipped, payload)),
        ("another encoding", TOLD, lambda _: payload.decode("latin-1").encode()),
        ("zero bytes", TOLD, lambda rng: bytes(rng.randint(1, 4096))),
        ("no workbook", TOLD, lambda _: b"REGISTRY_CODE,year\nAT,2005\n"),
        ("empty", TOLD, lambda _: b""),
    ]
    changes: list[Way] = [(name, owed, partial(done, change)) for name, owed, change in [*CHANGES, *FIGURES]]
    return [way for way in (*raw, *changes) if way[0] not in leave_out]


def _flipped(payload: bytes, rng: Random) -> bytes:
    spoilt = bytearray(payload)
    for _ in range(rng.randint(1, 20)):
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def _shuffled(page: Page, rng: Random) -> None:
    columns = [[cell.value for cell in column] for column in page.cells.iter_cols(min_row=page.header)]
    for number, column in enumerate(rng.sample(columns, len(columns)), start=1):
        for row, value in enumerate(column, start=page.header):
            page.cells.cell(row, number).value = value


def _as_text(page: Page, rng: Random) -> None:
    for row in page.cells.iter_rows(min_row=page.header + 1):
        for cell in row:
            cell.value = str(cell.value) if isinstance(cell.value, int) else cell.value


def _merged_above(page: Page, rng: Random) -> None:
    page.lower(3)
    page.cells.cell(1, 1).value = "Figures of emissions"
    page.cells.merge_cells(start_row=1, end_row=2, start_column=1, end_column=5)


def _merged(page: Page, rng: Random) -> None:
    cell = page.some_figure(rng)
    page.cells.merge_cells(
        start_row=cell.row, end_row=cell.row + rng.randint(0, 2),
        start_column=cell.column, end_column=cell.column + rng.randint(1, 2),
    )  # fmt: skip


def _footer(page: Page, rng: Random) -> None:
    page.cells.append(["Source: the publisher, all rights reserved"])
    label = page.place(page.need[0])
    page.cells.append(["Total" if i == label else 987654 for i in range(1, page.cells.max_column + 1)])


def _renamed_column(page: Page, rng: Random) -> None:
    name = rng.choice(page.need)
    cell = page.cells.cell(page.header, page.place(name))
    cell.value = rng.choice([None, "Total", f"{name} (t)", name[::-1], f"={name}"])


def _twice(page: Page, rng: Random) -> None:
    page.cells.cell(page.header, page.cells.max_column + 1).value = rng.choice(page.need)


def _renamed_sheet(page: Page, rng: Random) -> None:
    page.cells.title = rng.choice(["Sheet1", "Figures"])


def _contradicted(page: Page, rng: Random) -> None:
    row = page.some_figure(rng).row
    values = [cell.value for cell in page.cells[row]]
    big = [i for i, value in enumerate(values) if isinstance(value, int) and value > 1000]
    places = [page.place(name) - 1 for name in page.figures]
    at = rng.choice([i for i in big if i in places])
    page.cells.append([value + 7 if i == at else value for i, value in enumerate(values)])


def _moved(page: Page, rng: Random) -> None:
    """The cells of one row have slipped to the right."""
    row = page.some_figure(rng).row
    values = [cell.value for cell in page.cells[row]]
    for column, value in enumerate([None, *values], start=1):
        page.cells.cell(row, column).value = value


def _strange(page: Page, rng: Random) -> None:
    """Any one cell, figure or not, holds something else."""
    row = page.some_figure(rng).row
    column = rng.randint(1, page.cells.max_column)
    page.cells.cell(row, column).value = rng.choice(STRANGE)


def _figure(spoil: Callable[[int], Any], page: Page, rng: Random) -> None:
    cell = page.some_figure(rng)
    cell.value = spoil(cell.value)


CHANGES: Final[list[tuple[str, str, Change]]] = [
    ("saved again", WHOLE, lambda page, rng: None),
    ("another sheet", WHOLE, lambda page, rng: page.cells.parent.create_sheet("Notes", 0)),
    ("lines above", WHOLE, lambda page, rng: page.lower(rng.randint(1, 9))),
    ("merged above", WHOLE, _merged_above),
    ("columns shuffled", WHOLE, _shuffled),
    ("figures as text", WHOLE, _as_text),
    ("blank rows", WHOLE, lambda page, rng: page.cells.insert_rows(page.header + 1, rng.randint(1, 3))),
    ("footer", TOLD, _footer),
    ("sheet renamed", TOLD, _renamed_sheet),
    ("column absent", TOLD, lambda page, rng: page.cells.delete_cols(page.place(rng.choice(page.need)))),
    ("column renamed", TOLD, _renamed_column),
    ("column twice", TOLD, _twice),
    ("merged cells", TOLD, _merged),
    ("row repeated", TOLD, lambda page, rng: page.cells.append(page.some_row(rng))),
    ("two figures for one row", TOLD, _contradicted),
    ("cells moved", TOLD, _moved),
    ("a strange cell", SHORTER, _strange),
    ("row lost", SHORTER, lambda page, rng: page.cells.delete_rows(page.some_figure(rng).row)),
    ("no rows", TOLD, lambda page, rng: page.cells.delete_rows(page.header + 1, 1000)),
    ("no header", TOLD, lambda page, rng: page.cells.delete_rows(page.header, 1)),
]
_SPOILS: Final[list[tuple[str, Callable[[int], Any]]]] = [
    ("formula", lambda v: f"={v}+1"),
    ("formula of cells", lambda v: "=SUM(A1:B9)"),
    ("decimal comma", lambda v: f"{v},5"),
    ("thousands", lambda v: f"{v:,}"),
    ("thousands by points", lambda v: f"{v:,}".replace(",", ".")),
    ("fraction", lambda v: v + 0.37),
    ("yes or no", lambda v: True),
    ("an error", lambda v: "#REF!"),
    ("a day", lambda v: dt.datetime(2021, 3, 4)),  # noqa: DTZ001
    ("a unit", lambda v: f"{v} t"),
    ("huge", lambda v: v * 10**9),
    ("negative", lambda v: -v),
]
FIGURES: Final[list[tuple[str, str, Change]]] = [
    (name, TOLD, partial(_figure, spoil)) for name, spoil in _SPOILS
]
