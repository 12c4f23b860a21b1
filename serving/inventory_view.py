"""A caller's inventory over HTTP: weighed before it is opened, read row by row, told with every complaint."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import AskError, DataError
from features.series.words import UNIT
from features.sources.inventory import Examined, batch_of, examine
from features.sources.inventory_figures import Declared
from features.sources.inventory_layout import Fault
from features.sources.records import DS, FACILITY_ID, Batch, Y

# What a small file may unpack to: read in seconds, and within the memory of a worker.
MOST_UNPACKED: Final = 32_000_000
MOST_CELLS: Final = 400_000
MOST_TOLD: Final = 500
MOST_SHOWN: Final = 200
NAME: Final = "own"


@dataclass(frozen=True)
class Asked:
    """A file with what its sender says of it.

    Attributes:
        keep_good: leave bad rows out instead of refusing the file.
    """

    payload: bytes
    name: str
    declared: Declared
    keep_good: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the file and of what is said of it, in hexadecimal."""
        said = repr((self.name, self.declared, self.keep_good)).encode("utf-8", "backslashreplace")
        return hashlib.sha256(hashlib.sha256(self.payload).digest() + said).hexdigest()


@dataclass(frozen=True)
class Read:
    """What a file gives.

    Attributes:
        found: good rows and bad.
        batch: the series of the good rows; None where there is none.
    """

    asked: Asked
    found: Examined
    batch: Batch | None

    def refuse(self) -> None:
        """Raise ``inventory-rows-refused`` unless every row is good, or the good ones are to be kept."""
        try:
            self.found.refuse(keep_good=self.asked.keep_good)
        except DataError as refusal:
            faults = refusal.facts["complaints"]
            told = {**refusal.facts, "complaints": _told(faults), "more_complaints": _more(faults)}
            raise DataError(
                refusal.code, found=refusal.found, expected=refusal.expected,
                offenders=[f"row {line}: {code}: {text}" for line, code, text in faults],
                remedy="correct these rows, or send keep_good=true to keep the good ones",
                facts={**told, "rows": refusal.facts["rows"][:MOST_TOLD]},
            ) from None  # fmt: skip


def read_inventory(asked: Asked) -> Read:
    """The file, read. What is wrong with it as a whole is raised, what is wrong with rows is told.

    Raises:
        DataError: it cannot be read, is larger than is read here, or what is said of it does not fit.
    """
    kind = kind_of(asked.payload)
    try:
        _weigh(asked.payload, kind)
        with tempfile.TemporaryDirectory(prefix="forecarbon-") as place:
            path = Path(place) / f"{NAME}.{kind}"
            path.write_bytes(asked.payload)
            found = examine(path, declared=asked.declared)
        some = found.cadence is not None and len(found.good) > 0
        return Read(asked, found, batch_of(found, asked.name, asked.declared) if some else None)
    except AskError as why:
        # What the sender says of the file and the file itself do not fit: a matter of the figures sent.
        raise DataError(
            why.code, found=why.found, expected=why.expected, offenders=why.offenders, remedy=why.remedy,
            facts=why.facts,
        ) from None  # fmt: skip


def kind_of(payload: bytes) -> str:
    """Told by its first bytes, whatever the header says: xlsx, parquet or csv."""
    if payload.startswith(b"PK"):
        return "xlsx"
    return "parquet" if payload.startswith(b"PAR1") else "csv"


def _weigh(payload: bytes, kind: str) -> None:
    """Refuse what would be large once it is open, before it is opened."""
    try:
        if kind == "xlsx":
            with zipfile.ZipFile(io.BytesIO(payload)) as archive:
                size, cells = sum(member.file_size for member in archive.infolist()), 0
        elif kind == "parquet":
            meta = pq.ParquetFile(io.BytesIO(payload)).metadata
            size = sum(meta.row_group(k).total_byte_size for k in range(meta.num_row_groups))
            cells = meta.num_rows * meta.num_columns
        else:
            size, cells = len(payload), payload.count(b",") + payload.count(b";") + payload.count(b"\t")
            if payload.startswith(b"\x1f\x8b"):
                raise _odd("a compressed file", "CSV, XLSX or Parquet as it is", "send it uncompressed")
    except (OSError, ValueError, zipfile.BadZipFile, pa.ArrowException, NotImplementedError) as fault:
        said = f"{kind} that cannot be opened: {type(fault).__name__}"
        raise _odd(said, "a whole file", "save the file again, then check that it opens") from None
    if size > MOST_UNPACKED or cells > MOST_CELLS:
        raise _odd(
            f"{size} bytes unpacked, {cells} cells", f"at most {MOST_UNPACKED} bytes and {MOST_CELLS} cells",
            "send it in parts, or use `forecarbon ingest upload --file FILE`",
        )  # fmt: skip


def _odd(found: str, expected: str, remedy: str) -> DataError:
    return DataError("source-unreadable", found=found, expected=expected, remedy=remedy)


def inventory_view(read: Read) -> dict[str, Any]:
    """What the file would give, JSON-ready: series, notes, and every complaint by row."""
    found, faults = read.found, read.found.faults
    return {
        "name": read.asked.name,
        "kind": kind_of(read.asked.payload),
        "bytes": len(read.asked.payload),
        "digest": read.asked.digest,
        "good": not faults and read.batch is not None,
        "unit": UNIT,
        "scope": found.scope,
        "cadence": None if found.cadence is None else found.cadence.name,
        "rows_read": found.rows.rows_read,
        "rows_bad": len({line for line, _, _ in faults}),
        "row_word": found.rows.word,
        "complaints": _told(faults),
        "more_complaints": _more(faults),
        "notes": _told(found.notes),
        **_series(read.batch),
    }


def _told(faults: list[Fault]) -> list[dict[str, Any]]:
    rows = [(int(line), str(code), str(text)) for line, code, text in faults[:MOST_TOLD]]
    return [{"row": line, "code": code, "text": text} for line, code, text in rows]


def _more(faults: list[Fault]) -> int:
    return max(0, len(faults) - MOST_TOLD)


def _series(batch: Batch | None) -> dict[str, Any]:
    if batch is None:
        return {"series": [], "more_series": 0}
    groups = list(batch.records.groupby(FACILITY_ID))
    return {
        "series": [_one(str(name), own) for name, own in groups[:MOST_SHOWN]],
        "more_series": max(0, len(groups) - MOST_SHOWN),
    }


def _one(name: str, own: pd.DataFrame) -> dict[str, Any]:
    days, values = [f"{day:%Y-%m-%d}" for day in own[DS]], own[Y].astype("float64")
    known = values.dropna()
    return {
        "unique_id": name,
        "first": days[0],
        "last": days[-1],
        "figures": len(known),
        "newest": float(known.iloc[-1]) if len(known) else None,
        "history": [
            {"ds": day, "y": None if pd.isna(y) else float(y)} for day, y in zip(days, values, strict=True)
        ],
    }


def rows_of(read: Read) -> list[dict[str, Any]]:
    """(unique_id, ds, y) of every figure, as ``POST /v1/forecast`` takes them; no rows without one."""
    if read.batch is None:
        return []
    frame = read.batch.records.dropna(subset=[Y])
    told = zip(frame[FACILITY_ID], frame[DS], frame[Y], strict=True)
    return [{"unique_id": str(name), "ds": f"{ds:%Y-%m-%d}", "y": float(y)} for name, ds, y in told]


def flag(words: Mapping[str, str | None], name: str) -> bool:
    """A yes or no of the query.

    Raises:
        AskError: it is neither true nor false.
    """
    text = words.get(name)
    if text not in (None, "true", "false"):
        raise AskError(
            "invalid-value",
            found=f"{name} that is neither true nor false",
            expected="true or false",
            remedy=f"mend {name}",
            facts={"field": name},
        )
    return text == "true"
