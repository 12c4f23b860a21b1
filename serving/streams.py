"""A portfolio written as it is sent: NDJSON, Arrow IPC stream or Parquet, in chunks of bounded size.

Memory stays flat however many series are asked for: a block of them is read off the pack, written, let go.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from features.series.words import UNIQUE_ID, UNIT
from serving.blocks import blocks_of, values_of
from serving.long_table import LongTable
from serving.portfolio import Portfolio
from serving.shelf import Rung
from serving.wire import quantile_key, write_json_bytes

NDJSON: Final = "application/x-ndjson"
ARROW: Final = "application/vnd.apache.arrow.stream"
PARQUET: Final = "application/vnd.apache.parquet"
METADATA: Final = b"forecarbon"
CHUNK: Final = 256 * 1024
GROUP: Final = 8 * 1024 * 1024
_NUMBER_BYTES: Final = 8
_NAME_BYTES: Final = 40

Writer = Callable[[Portfolio, Mapping[str, Any]], Iterator[bytes]]


def ndjson(asked: Portfolio, marks: Mapping[str, Any]) -> Iterator[bytes]:
    """One line a series, the forecast object of ``POST /v1/forecast``; the last line is the summary.

    ``marks``: see ``serving.answer.provenance``.
    """
    keys = [quantile_key(q) for q in asked.wanted]
    held = bytearray()
    for block in blocks_of(asked.rungs):
        mean, values = values_of(block, asked.steps, asked.wanted)
        for rung, means, rows in zip(block, mean.tolist(), values.tolist(), strict=True):
            held += write_json_bytes(forecast_record(rung, means, rows, keys)) + b"\n"
            if len(held) >= CHUNK:
                yield from _cut(held)
                held.clear()
    held += write_json_bytes({"summary": summary(asked, marks)}) + b"\n"
    yield from _cut(held)


def forecast_record(
    rung: Rung, mean: list[float], values: list[list[float]], keys: list[str]
) -> dict[str, Any]:
    """A forecast as ``serving.answer.forecast_of`` tells it, of numbers that are at hand."""
    entry = rung.entry
    rows = zip(entry.ds, mean, values, strict=False)
    return {
        UNIQUE_ID: entry.unique_id,
        "kind": entry.kind,
        "unit": UNIT,
        "scope": entry.scope_id,
        "bridge": None,
        "quality": None if entry.quality is None else dict(entry.quality),
        "cadence": rung.pack.cadence,
        "cutoff": entry.cutoff,
        "made_by": rung.made_by,
        "rows": [
            {"ds": ds, "step": k, "mean": middle, "quantiles": dict(zip(keys, row, strict=True))}
            for k, (ds, middle, row) in enumerate(rows, start=1)
        ],
    }


def summary(asked: Portfolio, marks: Mapping[str, Any]) -> dict[str, Any]:
    """What a batch says of itself: provenance, how many are answered and refused, and why."""
    return {
        **marks,
        "unit": UNIT,
        "steps": asked.steps,
        "quantiles": list(asked.wanted),
        "answered": len(asked.rungs),
        "refused": len(asked.refusals),
        "refusals": list(asked.refusals),
        "sources": sorted({source for rung in asked.rungs for source in rung.entry.sources}),
    }


def arrow_stream(asked: Portfolio, marks: Mapping[str, Any]) -> Iterator[bytes]:
    """A long table as an Arrow IPC stream; the summary is JSON in the schema's metadata ``forecarbon``."""
    table = LongTable.of(asked, _metadata(asked, marks))
    sink = _Drain()
    writer = pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), table.schema)
    for block in blocks_of(asked.rungs, _series_in(CHUNK, asked)):
        writer.write_batch(table.batch(block))
        yield from _cut(sink.taken())
    writer.close()
    yield from _cut(sink.taken())


def parquet(asked: Portfolio, marks: Mapping[str, Any]) -> Iterator[bytes]:
    """The same long table and metadata as a Parquet file."""
    table = LongTable.of(asked, _metadata(asked, marks))
    sink = _Drain()
    writer = pq.ParquetWriter(pa.PythonFile(sink, mode="w"), table.schema, compression="zstd")
    for block in blocks_of(asked.rungs, _series_in(GROUP, asked)):
        writer.write_batch(table.batch(block))
        yield from _cut(sink.taken())
    writer.close()
    yield from _cut(sink.taken())


WRITERS: Final[Mapping[str, Writer]] = {NDJSON: ndjson, ARROW: arrow_stream, PARQUET: parquet}


def _metadata(asked: Portfolio, marks: Mapping[str, Any]) -> dict[bytes, bytes]:
    return {METADATA: json.dumps(summary(asked, marks), allow_nan=False).encode()}


def _series_in(size: int, asked: Portfolio) -> int:
    """How many series fit into so many bytes, at least one."""
    row = _NAME_BYTES + _NUMBER_BYTES * (1 + len(asked.wanted))
    return max(1, size // (row * asked.steps))


def _cut(held: bytes | bytearray) -> Iterator[bytes]:
    return (bytes(held[first : first + CHUNK]) for first in range(0, len(held), CHUNK))


class _Drain(io.RawIOBase):
    """A file that hands on what was written to it and keeps nothing."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._place = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self._held += data
        self._place += size
        return size

    def tell(self) -> int:
        return self._place

    def taken(self) -> bytes:
        """What was written since the last time."""
        held = bytes(self._held)
        self._held.clear()
        return held
