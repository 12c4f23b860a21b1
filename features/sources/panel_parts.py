"""A panel too large to be read whole: Parquet files read by ranges of rows, each of whole series.

Held of all series are a row number and a hash, 16 bytes a series; figures are read part by part, each from
the row groups it lies in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.errors import DataError
from features.series.words import DS, UNIQUE_ID, Y
from features.sources.upload import Upload, of_table

Int = npt.NDArray[np.int64]

ROWS: Final = 262_144
# A part is read from whole row groups: of larger ones every part would decode most of the file again.
MOST_OF_A_GROUP: Final = 1 << 21


@dataclass(frozen=True)
class Part:
    """Rows ``begin`` to ``end`` (the first not) of a Parquet file: ``series`` whole series."""

    file: str
    begin: int
    end: int
    series: int


@dataclass(frozen=True)
class Parts:
    """Where the series of one panel lie.

    Attributes:
        files: Parquet files, read one after the other.
        begins: for each file (S + 1,) the row at which each of its series begins, and the count of rows.
    """

    files: tuple[Path, ...]
    begins: tuple[Int, ...]

    @staticmethod
    def of(place: Path) -> Parts:
        """The series of a Parquet file, or of all Parquet files in a folder and its folders.

        Raises:
            DataError: no such file, not readable, without the columns, with a row group of more than
                ``MOST_OF_A_GROUP`` rows, or rows of one series that do not follow one another.
        """
        files = tuple(sorted(place.rglob("*.parquet"))) if place.is_dir() else (place,)
        found = [_series_of(path) for path in files]
        marks = np.concatenate([marks for _, marks in found]) if found else np.zeros(0, dtype=np.uint64)
        if len(marks) == 0:
            raise DataError(
                "history-empty", found=f"no rows in {place.name}", expected="rows with unique_id, ds and y",
                remedy="give at least one row for each series",
            )  # fmt: skip
        again = len(marks) - len(np.unique(marks))
        if again:
            raise DataError(
                "series-scattered",
                found=f"{again} series whose rows lie apart in {place.name}",
                expected="the rows of a series one after the other, in one file",
                remedy="sort the file by unique_id",
            )
        return Parts(files, tuple(begins for begins, _ in found))

    @property
    def count(self) -> int:
        """How many series."""
        return sum(len(begins) - 1 for begins in self.begins)

    def of_size(self, series: int) -> list[Part]:
        """Parts of so many series, the last of each file of what is left."""
        return [
            Part(str(path), int(begins[first]), int(begins[stop]), stop - first)
            for path, begins in zip(self.files, self.begins, strict=True)
            for first in range(0, len(begins) - 1, series)
            for stop in (min(first + series, len(begins) - 1),)
        ]

    def every(self, most: int, cadence: str | None = None) -> Upload:
        """At most ``most`` of the series, evenly spread over all.

        Raises:
            DataError: as ``read_part``; columns of kinds that have nothing in common.
        """
        apart = -(-self.count // most)
        tables, before = list[pa.Table](), 0
        for path, begins in zip(self.files, self.begins, strict=True):
            tables += [table for table in _thinned(path, begins, before, apart) if len(table)]
            before += len(begins) - 1
        try:
            # The files that no series is taken from are asked too: their blocks end in the same table.
            pa.unify_schemas([_schema(path) for path in self.files], promote_options="permissive")
            table = pa.concat_tables(tables, promote_options="permissive")
        except pa.ArrowException as fault:
            raise _unlike(self.files) from fault
        frame = table.to_pandas(ignore_metadata=True)
        return of_table(frame, lambda i: f"{frame[UNIQUE_ID].iloc[i]} of every {apart}th", cadence=cadence)


def read_part(part: Part, *, cadence: str | None = None) -> Upload:
    """The series of one part.

    Raises:
        DataError: rows that cannot be read, named by their number in the file.
    """
    with pq.ParquetFile(part.file) as file:
        groups, first = _groups(file, part.begin, part.end)
        table = file.read_row_groups(groups).slice(part.begin - first, part.end - part.begin)
    name = Path(part.file).name
    return of_table(
        table.to_pandas(ignore_metadata=True), lambda i: f"{name} row {part.begin + i + 1}", cadence=cadence
    )


def rows_of(place: Path) -> int:
    """Rows of a Parquet file, or of those in a folder; 0 if it is neither."""
    files = sorted(place.rglob("*.parquet")) if place.is_dir() else [place]
    try:
        return sum(pq.read_metadata(path).num_rows for path in files if path.suffix == ".parquet")
    except (OSError, pa.ArrowException):
        return 0


def _schema(path: Path) -> pa.Schema:
    return pq.read_schema(path).remove_metadata()


def _unlike(files: tuple[Path, ...]) -> DataError:
    """The refusal that names columns, their kinds and a file of each."""
    kinds: dict[str, dict[str, str]] = {}
    for path in files:
        for field in _schema(path):
            kinds.setdefault(field.name, {}).setdefault(str(field.type), path.name)
    told = {name: of for name, of in kinds.items() if len(of) > 1}
    return DataError(
        "columns-unlike",
        found="columns " + ", ".join(told) + " of one kind in one file and of another in the next",
        expected="each column of one kind in all files",
        offenders=[
            name + ": " + ", ".join(f"{kind} in {file}" for kind, file in of.items())
            for name, of in told.items()
        ],
        remedy="write these columns alike in all files, such as ds as text",
    )


def _refuse_groups(file: Any, name: str) -> None:
    most = max((file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)), default=0)
    if most > MOST_OF_A_GROUP:
        raise DataError(
            "row-group-too-large",
            found=f"{most} rows in one row group of {name}",
            expected=f"at most {MOST_OF_A_GROUP} rows in a row group, for a panel read in parts",
            remedy="write the file in smaller row groups: frame.to_parquet(path, row_group_size=250_000)",
        )


def _groups(file: Any, begin: int, end: int) -> tuple[list[int], int]:
    """Row groups that hold rows ``begin`` to ``end``, and the number of their first row."""
    sizes = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
    stops = np.cumsum(sizes)
    low = int(np.searchsorted(stops, begin, side="right"))
    high = int(np.searchsorted(stops, end - 1, side="right"))
    return list(range(low, high + 1)), int(stops[low] - sizes[low])


def _series_of(path: Path) -> tuple[Int, npt.NDArray[np.uint64]]:
    """(S + 1,) rows at which series begin, and (S,) hashes of their names."""
    begins, names, row, last = list[Int](), list[pd.Series](), 0, None
    for batch in _batches(path, [UNIQUE_ID]):
        ids = batch.column(0)
        if pa.types.is_dictionary(ids.type):
            ids = ids.dictionary_decode()
        if ids.null_count:
            raise DataError(
                "id-missing", found=f"{ids.null_count} rows without unique_id in {path.name}",
                expected="a unique_id in every row", remedy="name the series of these rows",
            )  # fmt: skip
        new = np.ones(len(ids), dtype=bool)
        new[1:] = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1)).to_numpy(zero_copy_only=False)
        new[0] = last is None or ids[0].as_py() != last
        at = np.flatnonzero(new)
        begins.append(at + row)
        names.append(pd.Series(ids.take(pa.array(at)).to_pandas()).astype(str))
        row, last = row + len(ids), ids[-1].as_py()
    marks = [pd.util.hash_array(part.to_numpy(dtype=object)) for part in names]
    whole = np.concatenate([*begins, np.array([row])]).astype(np.int64)
    return whole, np.concatenate(marks) if marks else np.zeros(0, dtype=np.uint64)


def _thinned(path: Path, begins: Int, before: int, apart: int) -> Iterator[pa.Table]:
    """The rows of every ``apart``-th series, where ``before`` series came before this file."""
    row = 0
    for batch in _batches(path, None):
        series = np.searchsorted(begins, np.arange(row, row + len(batch)), side="right") - 1 + before
        yield pa.Table.from_batches([batch]).filter(pa.array(series % apart == 0))
        row += len(batch)


def _batches(path: Path, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(path) as file:
            absent = [name for name in (UNIQUE_ID, DS, Y) if name not in file.schema_arrow.names]
            if absent:
                raise DataError(
                    "columns-missing", found="columns " + ", ".join(file.schema_arrow.names),
                    expected="columns unique_id, ds, y", offenders=absent,
                    remedy="rename or add the missing columns",
                )  # fmt: skip
            _refuse_groups(file, path.name)
            yield from (batch for batch in file.iter_batches(ROWS, columns=columns) if len(batch))
    except (OSError, pa.ArrowException) as fault:
        raise DataError(
            "file-not-readable", found=f"{path.name}: {fault}", expected="a readable Parquet file",
            remedy="check the path and the file",
        ) from fault  # fmt: skip
