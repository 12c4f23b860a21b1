"""CSV and Parquet of any layout as rows of text with their place, for a user's own inventory."""

from __future__ import annotations

import csv
import io
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import AskError, DataError
from features.sources.flat_parquet import opened

MOST_BYTES: Final = 1 << 28
MOST_ROWS: Final = 1_100_000
MOST_CELLS: Final = 20_000_000
LONGEST_LINE: Final = 1 << 20
ENCODINGS: Final = ("utf-8", "utf-16", "latin-1", "cp1252")
# Marks a number the file holds as a number: its decimal point is no matter of writing.
SURE: Final = "e0"
_DELIMITERS: Final = (";", "\t", ",", "|")
_SAMPLE: Final = 20


@dataclass(frozen=True)
class Grid:
    """One table of a file.

    Attributes:
        file, name: of the file, and of the sheet ("" where there is none).
        word: what its rows are called, "line" or "row".
        rows: (1-based place, texts) of every row that is not empty, the header among them. Numbers the
            file holds as such are plain text if whole, and else end in "e0".
        faults: what is wrong with a row as a row, by place: (code, text).
    """

    file: str
    name: str
    word: str
    rows: list[tuple[int, list[str]]]
    faults: dict[int, tuple[str, str]] = field(default_factory=dict)


def unreadable_inventory(file: str, reason: str) -> DataError:
    """The refusal of a file that cannot be opened, or is larger than any inventory."""
    return DataError(
        "source-unreadable",
        found=f"{file}: {reason}",
        expected="a whole CSV in UTF-8, Parquet file or XLSX workbook",
        remedy="save the file again, then check that it opens",
        facts={"file": file},
    )


def bytes_of(path: Path) -> bytes:
    """The bytes of a file of at most MOST_BYTES."""
    with path.open("rb") as stream:
        payload = stream.read(MOST_BYTES + 1)
    if len(payload) > MOST_BYTES:
        raise unreadable_inventory(path.name, f"more than {MOST_BYTES} bytes")
    return payload


def csv_grid(payload: bytes, file: str, encoding: str | None) -> Grid:
    """The rows of a CSV cut by semicolons, tabs, commas or bars, in UTF-8, UTF-16 or as told; gzip undone.

    Raises:
        AskError: an encoding nobody knows. DataError: not text, or no well-formed CSV.
    """
    text = _decoded(_unzipped(payload, file), file, encoding)
    if max(map(len, text.split("\n")), default=0) > LONGEST_LINE:
        raise unreadable_inventory(file, f"a line of more than {LONGEST_LINE} characters")
    grid, count = Grid(file, "", "line", []), 0
    for first, last, cells in _lines(text, _delimiter(text)):
        count += len(cells)
        if len(grid.rows) >= MOST_ROWS or count > MOST_CELLS:
            raise unreadable_inventory(file, f"more than {MOST_ROWS} rows or {MOST_CELLS} cells")
        if any(cells) and not (first == 1 and cells[0].lower().startswith("sep=")):
            grid.rows.append((first, cells))
            if last > first:
                grid.faults[first] = ("row-over-lines", f"one row over lines {first} to {last}: join them")
    if grid.rows and text[-1:] not in "\r\n":
        # Nothing tells a line that was cut short from a whole one.
        told = "the file ends without a line break and may be cut short: end it with one"
        grid.faults[grid.rows[-1][0]] = ("line-unended", told)
    return grid


def parquet_grid(path: Path) -> Grid:
    """The rows of a Parquet file; numbers stay exact, dates become ISO text."""
    with pq.ParquetFile(path) as file:
        meta = file.metadata
    size = sum(meta.row_group(k).total_byte_size for k in range(meta.num_row_groups))
    if meta.num_rows > MOST_ROWS or meta.num_rows * meta.num_columns > MOST_CELLS or size > 4 * MOST_BYTES:
        told = f"{meta.num_rows} rows of {meta.num_columns} columns, {size} bytes unpacked"
        raise unreadable_inventory(path.name, told)
    with opened(path) as file:
        table = file.read()
    columns = [_column(column) for column in table.columns]
    rows = [(place, list(cells)) for place, cells in enumerate(zip(*columns, strict=True), start=1)]
    return Grid(path.name, "", "row", [(0, [text_of(name) for name in table.column_names]), *rows])


def text_of(cell: object) -> str:
    """A cell of a typed file as text: "" for none, numbers exact, dates in ISO form, spaces collapsed."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float | Decimal):
        return _number(float(cell))
    if isinstance(cell, datetime):
        midnight = (cell.hour, cell.minute, cell.second, cell.microsecond) == (0, 0, 0, 0)
        return cell.strftime("%Y-%m-%d") if midnight and cell.tzinfo is None else cell.isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return tidy(cell.decode("utf-8", errors="replace") if isinstance(cell, bytes) else str(cell))


def tidy(text: str) -> str:
    """Text with single spaces, and letters with accents written in one way."""
    plain = " ".join(text.split())
    return plain if plain.isascii() else unicodedata.normalize("NFC", plain)


def _number(value: float) -> str:
    if value != value:
        return ""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = repr(value)
    return text if "e" in text or "n" in text else text + SURE


def _column(column: pa.ChunkedArray) -> list[str]:
    if not pa.types.is_dictionary(column.type):
        make: Callable[[Any], str] = text_of
        return [make(cell) for cell in column.to_pylist()]
    told: list[str] = []
    for chunk in column.chunks:
        texts = [text_of(cell) for cell in chunk.dictionary.to_pylist()]
        told += ["" if code is None else texts[code] for code in chunk.indices.to_pylist()]
    return told


def _unzipped(payload: bytes, file: str) -> bytes:
    if payload[:2] != b"\x1f\x8b":
        return payload
    engine = zlib.decompressobj(wbits=31)
    plain = engine.decompress(payload, MOST_BYTES)
    if engine.unconsumed_tail or not engine.eof or engine.unused_data:
        raise unreadable_inventory(file, f"cut short, or more than {MOST_BYTES} bytes unpacked")
    return plain


def _decoded(payload: bytes, file: str, encoding: str | None) -> str:
    if encoding is not None and encoding.lower() not in ENCODINGS:
        raise AskError("encoding-unknown", found=f"encoding {encoding[:40]!r}",
                       expected="one of " + ", ".join(ENCODINGS), remedy="name one of these")  # fmt: skip
    wide = payload[:2] in (b"\xff\xfe", b"\xfe\xff")
    used = "utf-16" if wide else encoding.lower() if encoding else "utf-8-sig"
    try:
        text = payload.decode("utf-8-sig" if used == "utf-8" else used)
    except UnicodeDecodeError as problem:
        line = payload.count(b"\n", 0, problem.start) + 1
        told = f"line {line} is not {used.removesuffix('-sig')}"
        raise unreadable_inventory(
            file, f"{told}: save as CSV UTF-8, or declare the encoding (latin-1)"
        ) from problem
    if "\0" in text:
        raise unreadable_inventory(file, "zero bytes: no text, or UTF-16 without its mark")
    return text


def _delimiter(text: str) -> str:
    """The mark that cuts most of the first lines into the same number of cells."""
    lines = [line for line in text[: _SAMPLE * LONGEST_LINE].splitlines()[: _SAMPLE + 1] if line.strip()]

    def fit(mark: str) -> tuple[int, int]:
        widths = Counter(len(next(csv.reader([line], delimiter=mark), [])) for line in lines)
        cut = [(count, width) for width, count in widths.items() if width > 1]
        return max(cut, default=(0, 0))

    return max(_DELIMITERS, key=fit)


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    first = 1
    for cells in reader:
        yield first, reader.line_num, [tidy(cell) for cell in cells]
        first = reader.line_num + 1
