"""EPA sheets as readings, and readings as one batch in one set of warming potentials."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from features.errors import DataError
from features.sources.ghgrp_rows import Complaints, Described, facility_rows
from features.sources.ghgrp_workbook import Sheet
from features.sources.records import (
    DS,
    FACILITY,
    FACILITY_ID,
    OPERATING,
    STATE,
    Batch,
    Y,
    changed_shape,
    complaint_frame,
)
from features.sources.textfile import refuse_if_many

_GWP: Final = re.compile(r"\bAR([4-9])\b")
_LEFT_OUT: Final = ("figure-unreadable", "row-misshapen", "row-not-a-facility")


@dataclass(frozen=True)
class Reading:
    """One sheet: its rows as facilities and figures, and what it says of itself."""

    facilities: list[dict[str, Any]]
    records: list[tuple[str, int, float, str]]
    complaints: Complaints
    rows_read: int
    gwp: str


def reading_of(
    sheet: Sheet, years: dict[int, int], describe: Callable[[Sequence[Any]], Described]
) -> Reading:
    """The rows of ``sheet``; ``years`` and ``describe`` as in ``facility_rows``.

    Raises:
        DataError: too many rows that cannot be read, or no figure at all (``source-changed-shape``).
    """
    complaints: Complaints = [
        (line, "row-misshapen", f"{sheet.where}: cells right of the table") for line in sheet.overlong
    ]
    told = _GWP.search(" ".join(sheet.titles))
    if told is None:
        complaints.append((0, "gwp-set-untold", f"{sheet.where}: no GWP set is named; AR4 is taken"))
    facilities, records = facility_rows(sheet, years, complaints, describe)
    rows_read = len(sheet.rows) + len(sheet.overlong)
    refuse_if_many(sheet.where, [row for row in complaints if row[1] in _LEFT_OUT], rows_read)
    if not any(state == OPERATING for _, _, _, state in records):
        raise changed_shape(
            sheet.file,
            found=f"sheet {sheet.name!r}: no figure in any row",
            expected="tonnes in the year columns",
        )
    return Reading(facilities, records, complaints, rows_read, told.group(1) if told else "4")


def batch_of(readings: Sequence[Reading], remarks: Complaints, *, source: str, reader: str) -> Batch:
    """All readings together; where two workbooks tell of the same year, the one named first is kept.

    ``remarks`` are complaints of whole workbooks. Another set of warming potentials than AR4 is another
    series: it is told in every facility and scope id.

    Raises:
        DataError: ``source-mixes-gwp-sets`` or ``source-repeats``.
    """
    gwp = _one_set(readings)
    complaints = [*remarks, *(row for reading in readings for row in reading.complaints)]
    records = _records(readings, complaints)
    facilities = pd.concat(
        [pd.DataFrame(reading.facilities, columns=list(FACILITY)) for reading in readings], ignore_index=True
    ).drop_duplicates(FACILITY_ID)
    if gwp != "4":
        facilities = facilities.assign(scope_id=facilities["scope_id"] + f"-ar{gwp}")
        for frame in (facilities, records):
            frame[FACILITY_ID] = frame[FACILITY_ID].str.replace(f"{source}:", f"{source}:ar{gwp}:", n=1)
    rows_read = sum(reading.rows_read for reading in readings)
    return Batch.of(
        source=source,
        records=records,
        facilities=facilities,
        complaints=complaint_frame(complaints),
        counts={
            "rows_read": rows_read,
            "dropped": rows_read - sum(len(reading.facilities) for reading in readings),
            "zeros": int((records[Y] == 0).sum()),
        },
        reader=reader,
    )


def _one_set(readings: Sequence[Reading]) -> str:
    sets = sorted({reading.gwp for reading in readings})
    if len(sets) > 1:
        raise DataError(
            "source-mixes-gwp-sets",
            found="workbooks in GWP sets " + ", ".join(f"AR{name}" for name in sets),
            expected="one set",
            remedy="read workbooks of unlike sets one at a time: their tonnes are not the same tonnes",
        )
    return sets[0]


def _records(readings: Sequence[Reading], complaints: Complaints) -> pd.DataFrame:
    frames = [
        pd.DataFrame(reading.records, columns=[FACILITY_ID, "year", Y, STATE]).assign(file=number)
        for number, reading in enumerate(readings)
    ]
    long = pd.concat(frames, ignore_index=True)
    again = long.merge(long.drop_duplicates([FACILITY_ID, "year"]), on=[FACILITY_ID, "year"])
    unlike = again[(again["file_x"] != again["file_y"]) & ((again[f"{Y}_x"] - again[f"{Y}_y"]).abs() >= 0.5)]
    complaints += [
        (0, "workbooks-differ", f"{row[0]} {row[1]}: the workbook named first is kept")
        for row in unlike[[FACILITY_ID, "year"]].itertuples(index=False)
    ]
    # Only a later workbook gives way; the same key twice in one workbook is for the batch to refuse.
    firsts = long.groupby([FACILITY_ID, "year"])["file"].transform("min")
    long = long[long["file"] == firsts]
    return long.assign(**{DS: pd.to_datetime(long["year"].astype(str), format="%Y")}).drop(
        columns=["year", "file"]
    )
