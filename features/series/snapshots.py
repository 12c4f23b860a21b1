"""One snapshot of one source: what was read from which bytes, and the instants at which it was seen."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.errors import DataError
from features.series.cadence import named
from features.series.words import DS
from features.sources.records import FACILITY_ID, Batch

MARK: Final = "snapshot.json"
SEEN: Final = "seen"
PARTS: Final = ("records", "facilities", "complaints")
PERIOD_END: Final = "period_end"
_STAMP: Final = "%Y%m%dT%H%M%S"
# Rows a row group: whoever reads a stretch of facilities decodes little more than it asks for.
GROUP: Final = 65_536


class Stretch(NamedTuple):
    """Facilities from ``first`` up to ``stop``, which is not among them; "" is open."""

    first: str = ""
    stop: str = ""


@dataclass(frozen=True)
class Snapshot:
    """A committed snapshot.

    Attributes:
        source: name of the source.
        folder: "<source>/<first 16 of the content hash>.<reader version>", its place in the lake.
        seen: instants (UTC, no zone) at which its publisher is known to have shown it, sorted.
        content_hash: sha256 of the canonical content of the files, hexadecimal.
        reader: name and version of the reader.
        counts: what the reader counted.
        files: for each file its name, bytes, sha256 and, where it was fetched, url, etag, last_modified.
        parts: for each of PARTS its file, sha256 and rows.
    """

    source: str
    folder: str
    seen: tuple[pd.Timestamp, ...]
    content_hash: str
    reader: str
    counts: dict[str, int]
    files: tuple[dict[str, Any], ...]
    parts: dict[str, dict[str, Any]]

    @property
    def known_at(self) -> pd.Timestamp:
        """When it first became known."""
        return self.seen[0]

    @property
    def rank(self) -> tuple[str, int, str]:
        """Of two snapshots known at one instant the higher rank holds, in whatever order they came."""
        version = version_of(self.reader)
        return self.content_hash, int(version) if version.isdecimal() else 0, version


def version_of(reader: str) -> str:
    """The version in a reader's name ("eutl/1" gives "1"), fit for a folder's name."""
    kept = "".join(c for c in reader.rpartition("/")[2] if c.isascii() and (c.isalnum() or c in "-_"))
    return kept or "0"


def folder_of(source: str, content_hash: str, reader: str) -> str:
    """Where a snapshot lies: equal bytes read by the same version of the reader share one place."""
    return f"{source}/{content_hash[:16]}.{version_of(reader)}"


def stamp_name(at: pd.Timestamp) -> str:
    """A file name for an instant; names sort as the instants do."""
    return f"{at:{_STAMP}}.{at.microsecond * 1000 + at.nanosecond:09d}Z"


def stamp_of(name: str) -> pd.Timestamp:
    """The instant of a file name; the inverse of ``stamp_name``."""
    whole, _, fraction = name.rstrip("Z").partition(".")
    return (pd.to_datetime(whole, format=_STAMP) + pd.Timedelta(int(fraction), "ns")).as_unit("ns")


def tables_of(batch: Batch) -> dict[str, pd.DataFrame]:
    """The frames to keep: the batch's own, the records with the first instant after their period."""
    cadence = batch.facilities.set_index(FACILITY_ID)["cadence"]
    names = batch.records[FACILITY_ID].map(cadence).to_numpy()
    ends = np.full(len(names), np.datetime64("NaT", "ns"), dtype="datetime64[ns]")
    stamps = batch.records[DS].to_numpy()
    for name in pd.unique(names):
        mine = names == name
        period = named(str(name))
        ends[mine] = period.instant(period.ordinal(stamps[mine]) + 1)
    return {
        "records": batch.records.assign(**{PERIOD_END: ends}),
        "facilities": batch.facilities,
        "complaints": batch.complaints,
    }


def filed(
    batch: Batch,
    tables: Mapping[str, pd.DataFrame],
    place: Callable[[str, bytes], str],
    told: tuple[pd.Timestamp, str, Sequence[dict[str, Any]]],
) -> tuple[Snapshot, dict[str, bytes]]:
    """The snapshot of a batch and the files to write for it, by name in its folder.

    Args:
        place: gives the name under which a part is kept, of its plain name and bytes.
        told: known_at, content hash, files.
    """
    parts, payloads = {}, {f"{SEEN}/{stamp_name(told[0])}": b""}
    for part in PARTS:
        payload = packed(tables[part])
        name = place(f"{part}.parquet", payload)
        payloads[name] = payload
        digest = hashlib.sha256(payload).hexdigest()
        parts[part] = {"file": name, "sha256": digest, "rows": len(tables[part])}
    snapshot = Snapshot(
        source=batch.source,
        folder=folder_of(batch.source, told[1], batch.reader),
        seen=(told[0],),
        content_hash=told[1],
        reader=batch.reader,
        counts=batch.counts,
        files=tuple(told[2]),
        parts=parts,
    )
    return snapshot, payloads


def packed(frame: pd.DataFrame) -> bytes:
    """A frame as Parquet, in row groups of ``GROUP`` whose pages carry checksums of their own."""
    sink, table = io.BytesIO(), pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table, sink, compression="zstd", row_group_size=GROUP, write_page_checksum=True)
    return sink.getvalue()


def unpacked(payload: bytes, told: Mapping[str, Any], name: str) -> pd.DataFrame:
    """The frame of a part, once its bytes are those that were written.

    Raises:
        DataError: the bytes are not those of the snapshot.
    """
    if hashlib.sha256(payload).hexdigest() != told["sha256"]:
        raise damaged(name, "bytes whose checksum is not the one recorded")
    frame: pd.DataFrame = pq.read_table(io.BytesIO(payload)).to_pandas()
    return frame


def stretch_of(stream: BinaryIO, name: str, stretch: Stretch) -> pd.DataFrame:
    """The rows of one stretch of facilities, decoded from the row groups they lie in.

    Args:
        stream: a part of a snapshot, sorted by facility_id, from its beginning.

    Raises:
        DataError: a page is not as it was written.
    """
    try:
        with pq.ParquetFile(stream, page_checksum_verification=True) as file:
            groups = [k for k in range(file.num_row_groups) if _reaches(file, k, stretch)]
            # One group after the other: those of old snapshots are large, and little of each is kept.
            tables = [_within(file.read_row_group(k), stretch) for k in groups]
            table = pa.concat_tables(tables) if tables else file.schema_arrow.empty_table()
    except (OSError, pa.ArrowException) as fault:
        raise damaged(name, f"Parquet that cannot be read ({fault})") from fault
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _reaches(file: Any, group: int, stretch: Stretch) -> bool:
    """True where a row group may hold facilities of the stretch: without statistics it may."""
    at = file.schema_arrow.names.index(FACILITY_ID)
    told = file.metadata.row_group(group).column(at).statistics
    if told is None or not told.has_min_max:
        return True
    return bool((not stretch.stop or told.min < stretch.stop) and told.max >= stretch.first)


def _within(table: Any, stretch: Stretch) -> Any:
    ids = table[FACILITY_ID]
    if stretch.first:
        table = table.filter(pc.greater_equal(ids, stretch.first))
        ids = table[FACILITY_ID]
    return table.filter(pc.less(ids, stretch.stop)) if stretch.stop else table


def damaged(name: str, found: str) -> DataError:
    """The refusal of a lake whose files are not those that were written."""
    return DataError(
        "lake-damaged",
        found=f"{name}: {found}",
        expected="the file as the ingest wrote it",
        remedy="bring the file back from a copy, or remove its folder and ingest its source again",
    )


def mark_of(snapshot: Snapshot) -> bytes:
    """The bytes of the file that makes a snapshot count."""
    record = {
        "source": snapshot.source,
        "known_at": snapshot.known_at.isoformat(),
        "content_hash": snapshot.content_hash,
        "reader": snapshot.reader,
        "counts": snapshot.counts,
        "files": list(snapshot.files),
        "parts": snapshot.parts,
    }
    return json.dumps(record, sort_keys=True, indent=1, allow_nan=False).encode() + b"\n"


def snapshot_of(folder: str, mark: bytes, seen: list[str]) -> Snapshot | None:
    """The snapshot of a mark and the names of its sightings; None where the mark was never finished."""
    try:
        told = json.loads(mark)
    except ValueError:
        return None
    instants = {*map(stamp_of, seen), pd.Timestamp(told["known_at"]).as_unit("ns")}
    return Snapshot(
        source=told["source"],
        folder=folder,
        seen=tuple(sorted(instants)),
        content_hash=told["content_hash"],
        reader=told["reader"],
        counts=told["counts"],
        files=tuple(told["files"]),
        parts=told["parts"],
    )
