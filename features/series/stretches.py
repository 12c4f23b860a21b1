"""The lake by stretches of facilities: each read from the row groups it lies in, and replayed by itself.

Replay compares rows of one facility alone, so stretches put one after the other are the whole, row for row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import BinaryIO, Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from features.errors import DataError
from features.series.lake import Lake
from features.series.replay import (
    FACILITY_COLUMNS,
    VINTAGE_COLUMNS,
    Known,
    Sighting,
    facilities_of,
    stacked,
    vintages_of,
)
from features.series.snapshots import Snapshot, Stretch, damaged, stretch_of
from features.sources.records import FACILITY_ID

# Records of all snapshots in one stretch: some 150 MB of memory while it is summed.
ROWS: Final = 131_072
_READ: Final = ("records", "facilities")
_AT_ONCE: Final = 1 << 22
Told = Mapping[str, Sequence[Sighting]]


def stretches(lake: Lake, told: Told, rows: int = ROWS) -> list[Stretch]:
    """Stretches of about ``rows`` records each, in order; together they hold every facility once.

    They follow from the snapshots alone, never from who reads them.

    Args:
        told: the sightings to be read (see ``Lake.sightings``).
    """
    held = list(_snapshots(told))
    count = -(-sum(int(one.parts["records"]["rows"]) for one in held) // rows)
    if count < 2:
        return [Stretch()]
    largest = {one.source: one for one in sorted(held, key=lambda s: int(s.parts["facilities"]["rows"]))}
    ids = np.unique(np.concatenate([_ids(lake, one) for one in largest.values()]))
    begins = dict.fromkeys(["", *(str(ids[len(ids) * k // count]) for k in range(1, count))])
    return [Stretch(first, stop) for first, stop in pairwise([*begins, ""])]


def checked(lake: Lake, told: Told) -> None:
    """See that what is to be read is as it was written, byte for byte, without holding it.

    Raises:
        DataError: a file is gone, or not as it was written.
    """
    for one in _snapshots(told):
        for part in _READ:
            name = _name(one, part)
            try:
                with lake.ground.open(name) as stream:
                    digest = _digest(stream)
            except FileNotFoundError:
                raise damaged(name, "nothing") from None
            if digest != one.parts[part]["sha256"]:
                raise damaged(name, "bytes whose checksum is not the one recorded")


def read(lake: Lake, told: Told, stretch: Stretch) -> Known:
    """Every vintage that ``told`` shows of the facilities of one stretch, and those facilities.

    Only reads: nothing is written, locked or listed, so any process that sees the files may.

    Raises:
        DataError: files that are not seen from here, or a page that is not as it was written.
    """
    held: dict[tuple[str, str], pd.DataFrame] = {}

    def table(one: Snapshot, part: str) -> pd.DataFrame:
        key = one.folder, part
        if key not in held:
            held[key] = _part(lake, one, part, stretch)
        return held[key]

    records = [vintages_of(source, seen, table) for source, seen in told.items()]
    facilities = [facilities_of(source, seen, table) for source, seen in told.items()]
    return Known(stacked(records, VINTAGE_COLUMNS), stacked(facilities, FACILITY_COLUMNS))


def _part(lake: Lake, one: Snapshot, part: str, stretch: Stretch) -> pd.DataFrame:
    name = _name(one, part)
    try:
        with lake.ground.open(name) as stream:
            return stretch_of(stream, name, stretch)
    except FileNotFoundError:
        raise DataError(
            "lake-unseen",
            found=f"no {name} in the lake at {lake.root}, seen from the process that reads it",
            expected="the lake at the same path or URL for every worker",
            remedy="mount the lake where the workers run, or name it by a URL that they can reach",
        ) from None


def _digest(stream: BinaryIO) -> str:
    told = hashlib.sha256()
    while piece := stream.read(_AT_ONCE):
        told.update(piece)
    return told.hexdigest()


def _ids(lake: Lake, one: Snapshot) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    name = _name(one, "facilities")
    try:
        with lake.ground.open(name) as stream:
            column = pq.read_table(stream, columns=[FACILITY_ID])[FACILITY_ID]
    except FileNotFoundError:
        raise damaged(name, "nothing") from None
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)


def _snapshots(told: Told) -> Iterator[Snapshot]:
    """Each snapshot of the sightings once."""
    yield from {one.snapshot.folder: one.snapshot for seen in told.values() for one in seen}.values()


def _name(one: Snapshot, part: str) -> str:
    return f"{one.folder}/{one.parts[part]['file']}"
