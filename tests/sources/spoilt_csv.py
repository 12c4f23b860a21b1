"""CSV files spoilt in every way we could think of."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Final

from tests.sources.mutations import SHORTER, TOLD, WHOLE, Way

Grid = list[list[str]]
Change = Callable[["Table", Random], bytes]
WIDE: Final = {48 + k: 0xFF10 + k for k in range(10)}
NOISE: Final = b'\x00\xff\xfe\x80"'
STRANGE: Final = ("", "=A1", "#REF!", "nan", "-1", "NaT", "2024-02-30", "1e999", "\u202e7", "x" * 3000)
PACKED: Final = (b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb")


@dataclass(frozen=True)
class Table:
    """A file to be spoilt.

    Attributes:
        grid: header and rows.
        figure: the column whose figures are spoilt.
        need: columns without which the file must be refused.
        end, quoting: how it is printed.
    """

    grid: Grid
    figure: str
    need: tuple[str, ...]
    end: str = "\n"
    quoting: Any = csv.QUOTE_MINIMAL

    @property
    def place(self) -> int:
        return self.grid[0].index(self.figure)

    def printed(self, grid: Grid | None = None, *, delimiter: str = ",") -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator=self.end, delimiter=delimiter, quoting=self.quoting)
        writer.writerows(self.grid if grid is None else grid)
        return out.getvalue().encode()

    def columns(self, order: Sequence[int]) -> Grid:
        return [[row[i] for i in order] for row in self.grid]


def csv_ways(
    payload: bytes, *, figure: str, need: Sequence[str], leave_out: Sequence[str] = (), packed: bool = True
) -> list[Way]:
    """Ways to spoil a plain UTF-8 CSV.

    Args:
        figure: a column of figures, most of them of four characters and more.
        need: columns without which the file must be refused.
        leave_out: names of ways that are no damage, or no harmless change, to this file.
        packed: whether the reader takes gzipped files.
    """
    grid = [row for row in csv.reader(io.StringIO(payload.decode())) if row]
    table = Table(grid, figure, tuple(need))
    untouched: list[Way] = [("as it is", WHOLE, lambda _: payload)]
    named = [*HARMLESS, *FOUL, *FIGURES]
    return untouched + [
        (name, owed, partial(_varied, table, change, packed))
        for name, owed, change in named
        if name not in leave_out
    ]


def _varied(table: Table, change: Change, packed: bool, rng: Random) -> bytes:
    """The change done to the file in one of the many layouts that mean the same."""
    grid = table.grid
    if rng.random() < 0.4:
        grid = [grid[0], *rng.sample(grid[1:], len(grid) - 1)]
    if rng.random() < 0.4:
        order = rng.sample(range(len(grid[0])), len(grid[0]))
        grid = [[row[i] for i in order] for row in grid]
    end, quoting = rng.choice(["\n", "\n", "\r\n"]), rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    payload = change(Table(grid, table.figure, table.need, end, quoting), rng)
    if payload[:2] in PACKED or payload[:2] == PACKED[3][:2]:
        return payload
    envelope = rng.random()
    if envelope < 0.2:
        return b"\xef\xbb\xbf" + payload
    return gzip.compress(payload, 1, mtime=0) if packed and envelope < 0.4 else payload


def _without(table: Table, rng: Random) -> bytes:
    gone = table.grid[0].index(rng.choice(table.need))
    return table.printed(table.columns([i for i in range(len(table.grid[0])) if i != gone]))


def _renamed(table: Table, rng: Random) -> bytes:
    old = rng.choice(table.need)
    new = rng.choice(["", f"{old} (t)", f"x{old}", old[::-1], "Total"])
    return table.printed([[new if name == old else name for name in table.grid[0]], *table.grid[1:]])


def _twice(table: Table, rng: Random) -> bytes:
    again = table.grid[0].index(rng.choice(table.need))
    return table.printed(table.columns([*range(len(table.grid[0])), again]))


def _cut(payload: bytes, rng: Random) -> bytes:
    return payload[: rng.randrange(2, len(payload))]


def _damaged(table: Table, rng: Random) -> bytes:
    packed = bytearray(gzip.compress(table.printed(), mtime=0))
    packed[rng.randrange(10, len(packed))] ^= 1 << rng.randrange(8)
    return bytes(packed)


def _contradicted(table: Table, rng: Random) -> bytes:
    again = [*rng.choice([row for row in table.grid[1:] if len(row[table.place]) > 3])]
    again[table.place] += "7"
    return table.printed([*table.grid, again])


def _open_quote(table: Table, rng: Random) -> bytes:
    rows = table.printed().decode().splitlines(keepends=True)
    at = rng.randrange(1, len(rows))
    return "".join([*rows[:at], '"' + rows[at], *rows[at + 1 :]]).encode()


def _stray(table: Table, rng: Random) -> bytes:
    payload = table.printed()
    at = rng.randrange(len(payload))
    return payload[:at] + bytes(rng.choice(NOISE) for _ in range(rng.randint(1, 6))) + payload[at:]


def _moved(table: Table, rng: Random) -> bytes:
    """One row has lost a cell, or has one too many."""
    grid = [[*row] for row in table.grid]
    row = rng.choice(grid[1:])
    if rng.random() < 0.5:
        del row[rng.randrange(len(row))]
    else:
        row.insert(rng.randrange(len(row)), rng.choice(["", "x", "7"]))
    return table.printed(grid)


def _strange(table: Table, rng: Random) -> bytes:
    """Any one cell, figure or not, holds something else."""
    grid = [[*row] for row in table.grid]
    row = rng.choice(grid[1:])
    row[rng.randrange(len(row))] = rng.choice(STRANGE)
    return table.printed(grid)


def _joined(table: Table, rng: Random) -> bytes:
    """Two rows on one line: the line end between them is gone."""
    rows = table.printed().decode().splitlines(keepends=True)
    at = rng.randrange(1, len(rows) - 1)
    return "".join([*rows[:at], rows[at].rstrip("\r\n"), *rows[at + 1 :]]).encode()


def _totals(table: Table, rng: Random) -> bytes:
    total = ["987654" if i == table.place else "Total" for i in range(len(table.grid[0]))]
    return table.printed([*table.grid, total])


def _pointed(table: Table, rng: Random) -> bytes:
    """Every whole number of the column written as a table program would: 41399.0."""
    grid = [[*row] for row in table.grid]
    for row in grid[1:]:
        row[table.place] += ".0" if row[table.place].removeprefix("-").isdigit() else ""
    return table.printed(grid)


def _spoilt(spoil: Callable[[str], str], share: float, table: Table, rng: Random) -> bytes:
    """``share`` of the figures of at least four characters, and at least one of them, ``spoil``-ed."""
    grid = [[*row] for row in table.grid]
    large = [row for row in grid[1:] if len(row[table.place]) > 3]
    for row in rng.sample(large, max(1, int(share * len(large)))):
        row[table.place] = spoil(row[table.place])
    return table.printed(grid)


def _blank(table: Table, rng: Random) -> bytes:
    return table.printed() + b"\n\n" + b"," * (len(table.grid[0]) - 1) + b"\n"


HARMLESS: Final[list[tuple[str, str, Change]]] = [
    ("layout", WHOLE, lambda table, _: table.printed()),
    ("UTF-16 with BOM", WHOLE, lambda table, _: table.printed().decode().encode("utf-16")),
    ("blank lines", WHOLE, _blank),
    ("spaces", WHOLE, lambda table, _: table.printed([[f" {cell} " for cell in row] for row in table.grid])),
    ("a new column", WHOLE, lambda table, _: table.printed([[*row, "new"] for row in table.grid])),
    ("latin-1", WHOLE, lambda table, _: table.printed().decode().encode("latin-1", errors="replace")),
    ("a row repeated", WHOLE, lambda table, rng: table.printed([*table.grid, rng.choice(table.grid[1:])])),
    ("small header", WHOLE,
     lambda table, _: table.printed([[name.lower() for name in table.grid[0]], *table.grid[1:]])),
    ("point and zero", WHOLE, _pointed),
]  # fmt: skip
FOUL: Final[list[tuple[str, str, Change]]] = [
    ("cut short", SHORTER, lambda table, rng: _cut(table.printed(), rng)),
    ("cut gzip", TOLD, lambda table, rng: _cut(gzip.compress(table.printed(), mtime=0), rng)),
    ("damaged gzip", TOLD, _damaged),
    ("UTF-16 without BOM", TOLD, lambda table, _: table.printed().decode().encode("utf-16-le")),
    ("UTF-32", TOLD, lambda table, _: table.printed().decode().encode("utf-32")),
    ("a mainframe's letters", TOLD, lambda table, _: table.printed().decode().encode("cp037", "replace")),
    ("column absent", TOLD, _without),
    ("column renamed", TOLD, _renamed),
    ("column twice", TOLD, _twice),
    ("no header", TOLD, lambda table, _: table.printed(table.grid[1:])),
    ("only the header", TOLD, lambda table, _: table.printed(table.grid[:1])),
    ("header again", TOLD, lambda table, _: table.printed([*table.grid, table.grid[0]])),
    ("empty", TOLD, lambda *_: b""),
    ("semicolons", TOLD, lambda table, _: table.printed(delimiter=";")),
    ("tabs", TOLD, lambda table, _: table.printed(delimiter="\t")),
    ("two figures for one row", TOLD, _contradicted),
    ("footer", TOLD, lambda table, _: table.printed([*table.grid, ["Source: the publisher, all rights"]])),
    ("totals", TOLD, _totals),
    ("open quote", TOLD, _open_quote),
    ("stray bytes", TOLD, _stray),
    ("zero bytes", TOLD, lambda table, rng: table.printed() + bytes(rng.randint(1, 4096))),
    ("a cell moved", TOLD, _moved),
    ("a strange cell", SHORTER, _strange),
    ("rows joined", TOLD, _joined),
]
# A word the source itself uses for no figure needs no further word from the reader.
_WORD: Final = "no figure"
_SPOILS: Final[list[tuple[str, Callable[[str], str], float]]] = [
    (_WORD, lambda _: "Not Reported", 0.05),
    ("decimal commas", lambda v: f"{v},5", 1.0),
    ("some decimal commas", lambda v: f"{v},0", 0.05),
    ("thousands by points", lambda v: f"{v[:-3]}.{v[-3:]}", 0.1),
    ("thousands by commas", lambda v: f"{v[:-3]},{v[-3:]}", 0.05),
    ("thousands by spaces", lambda v: f"{v[:-3]} {v[-3:]}", 0.05),
    ("a point slipped", lambda v: f"{v[:-1]}.{v[-1]}", 0.05),
    ("marks lost", lambda v: v.replace(".", "") if "." in v else f"{v}.", 0.05),
    ("a unit", lambda v: f"{v} t", 0.05),
    ("exponents", lambda v: f"{float(v):.15e}", 0.05),
    ("huge", lambda v: f"{v}000000", 0.05),
    ("negative", lambda v: f"-{v}", 0.05),
    ("not a number", lambda _: "NaN", 0.05),
    ("a word", lambda _: "see note", 0.05),
    ("infinite", lambda _: "inf", 0.05),
    ("formula", lambda v: f"={v}*1000", 0.05),
    ("wide digits", lambda v: v.translate(WIDE), 0.05),
]
FIGURES: Final[list[tuple[str, str, Change]]] = [
    (name, SHORTER if name == _WORD else TOLD, partial(_spoilt, spoil, share))
    for name, spoil, share in _SPOILS
]
