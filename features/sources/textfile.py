"""Published CSV files, plain or gzipped, as columns of text; only the columns asked for are kept."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.sources.records import changed_shape, unreadable

MOST_BYTES: Final = 1 << 30
TOLERATED_ROWS: Final = 3
TOLERATED_SHARE: Final = 0.1

Complaints = list[tuple[int, str, str]]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Table:
    """Columns of text, every row with its place in the file.

    Attributes:
        file: its name.
        cells: (N,) rows of stripped text; a column the file lacks, if it may, is empty text.
        lines: (N,) int64, 1-based line (CSV) or row (workbook).
        columns: names of the kept columns the file does have.
        rows_read: rows below the header, those left out included.
        complaints: rows left out so far, and cells repaired.
        others: names of the columns that were not kept, as ``read_table`` found them.
    """

    file: str
    cells: pd.DataFrame
    lines: npt.NDArray[np.int64]
    columns: tuple[str, ...]
    rows_read: int
    complaints: Complaints = field(default_factory=list)
    others: tuple[str, ...] = ()

    def without(self, wrong: Bool, code: str, text: str, *, shows: str) -> Table:
        """The table without its ``wrong`` (N,) rows, each of them complained of with its cell ``shows``."""
        codes = np.where(wrong, code, "").astype(object)
        return self.without_coded(codes, text, shows=shows) if wrong.any() else self

    def without_coded(self, codes: npt.NDArray[np.object_], text: str, *, shows: str) -> Table:
        """The table without the rows whose code (N,) is not "", each complained of under its code."""
        wrong = np.asarray(codes != "")
        told = self.complaints + [
            (int(line), str(code), f"{text}: {cell[:40]!r}")
            for line, code, cell in zip(
                self.lines[wrong], codes[wrong], self.cells.loc[wrong, shows], strict=True
            )
        ]
        return self.where(~wrong, told)

    def where(self, kept: Bool, complaints: Complaints | None = None) -> Table:
        """The table of its ``kept`` (N,) rows, with other complaints if any are given."""
        told = self.complaints if complaints is None else complaints
        cells = self.cells[kept].reset_index(drop=True)
        return Table(self.file, cells, self.lines[kept], self.columns, self.rows_read, told)


def read_table(path: Path, *, need: Sequence[str], may: Sequence[str] = ()) -> Table:
    """The columns ``need`` and ``may`` of a comma-separated file whose first line is its header.

    Column names are compared without regard to case or spaces around them. A byte that is no UTF-8 is
    replaced by U+FFFD. Rows with more or fewer cells than the header, or that run over several
    lines, are left out with a complaint.

    Raises:
        DataError: ``source-unreadable`` (damaged, cut short, no text), ``source-changed-shape`` (a
            needed column absent or twice, no rows, or too many rows that do not fit the header).
    """
    rows = _rows(path)
    header = next(rows, (0, 0, []))[2]
    places = _places(header, need, may, path.name)
    complaints: Complaints = []
    kept: list[list[str]] = []
    lines: list[int] = []
    total = 0
    for line, last, cells in rows:
        if not any(cells):
            continue
        total += 1
        if len(cells) != len(header):
            told = f"{len(cells)} cells where the header has {len(header)}"
            complaints.append((line, "row-misshapen", told))
        elif last > line:
            complaints.append((line, "row-over-lines", f"one row over lines {line} to {last}"))
        else:
            kept.append([cells[place].strip() for place in places.values()])
            lines.append(line)
    if not total:
        raise changed_shape(path.name, found="no rows below the header", expected="at least one row")
    refuse_if_many(path.name, complaints, total)
    frame = pd.DataFrame(kept, columns=list(places), dtype="str")
    absent = [column for column in may if column not in places]
    if absent:
        frame = pd.concat([frame, pd.DataFrame("", frame.index, absent, dtype="str")], axis=1)
    others = tuple(name.strip() for at, name in enumerate(header) if at not in places.values())
    return Table(path.name, frame, np.array(lines, dtype=np.int64), tuple(places), total, complaints, others)


def refuse_if_many(file: str, complaints: Complaints, rows: int) -> None:
    """Refuse a file of which more than a tenth of the rows (and more than three) had to be left out."""
    if len(complaints) > max(TOLERATED_ROWS, TOLERATED_SHARE * rows):
        raise changed_shape(
            file,
            found=f"{len(complaints)} of {rows} rows that cannot be read",
            expected="rows like those the publisher gave out so far",
            offenders=[f"line {line}: {text}" for line, _, text in complaints],
        )


def _rows(path: Path) -> Iterator[tuple[int, int, list[str]]]:
    """First line, last line and cells of each row; damage ends in a named refusal."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as problem:
            raise unreadable(
                path.name, found=f"line {line}: {problem}", expected="a well-formed CSV"
            ) from None
        if cells is None:
            return
        yield line, reader.line_num, cells
        line = reader.line_num + 1


def _text(path: Path) -> str:
    payload = _bytes(path)
    if payload[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            text = payload.decode("utf-16")
        except UnicodeDecodeError as problem:
            raise unreadable(path.name, found=str(problem), expected="text") from None
    else:
        text = payload.decode("utf-8-sig", errors="replace")
    if "\0" in text:
        raise unreadable(path.name, found="zero bytes", expected="text in UTF-8")
    if text and text[-1] not in "\r\n":
        raise unreadable(
            path.name,
            found="a last line that does not end",
            expected="every line ended, as the publisher does",
        )
    return text


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            zipped = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            source = gzip.GzipFile(fileobj=stream) if zipped else stream
            payload = source.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as problem:
        reason = str(problem).strip() or type(problem).__name__
        raise unreadable(path.name, found=reason, expected="a whole CSV file, plain or gzipped") from problem
    if len(payload) > MOST_BYTES:
        raise unreadable(path.name, found="more than a gibibyte", expected=f"at most {MOST_BYTES} bytes")
    return bytes(payload)


def _places(header: Sequence[str], need: Sequence[str], may: Sequence[str], file: str) -> dict[str, int]:
    names = [name.strip().upper() for name in header]
    wanted = {name.upper(): name for name in (*need, *may)}
    twice = sorted({name for name in names if name in wanted and names.count(name) > 1})
    if twice:
        raise changed_shape(file, found="columns twice", expected="each column once", offenders=twice)
    absent = [name for name in need if name.upper() not in names]
    if absent:
        shown = ", ".join(name[:40] for name in names[:12])
        raise changed_shape(
            file, found=f"columns {shown}", expected="columns " + ", ".join(need), offenders=absent
        )
    return {wanted[name]: names.index(name) for name in wanted if name in names}
