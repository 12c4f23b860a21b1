"""What every reader of a public source returns: one checked Batch of records, facilities and complaints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from features.errors import DataError, LawBroken

FACILITY_ID, DS, Y, STATE, ALLOCATION = "facility_id", "ds", "y", "state", "allocation"
RECORD: Final = (FACILITY_ID, DS, Y, STATE, ALLOCATION)
FACILITY: Final = (
    *(FACILITY_ID, "name", "country", "region", "activity", "sector", "lat", "lon", "scope_id", "cadence"),
)
COMPLAINT: Final = ("row", "code", "text")

OPERATING, CLOSED, EXCLUDED = "operating", "closed", "excluded"
NOT_REPORTED, NOT_YET_PUBLISHED = "not-reported", "not-yet-published"
STATES: Final = (OPERATING, CLOSED, EXCLUDED, NOT_REPORTED, NOT_YET_PUBLISHED)
_NUMBERS: Final = ("lat", "lon")


@dataclass(frozen=True)
class Batch:
    """One reading of one source. Build it with ``Batch.of``: built is checked.

    Attributes:
        source: its name in ``features.sources.readers``.
        records: one row a (facility_id, ds), sorted: facility_id (str, "<source>:<native id>"), ds
            (datetime64[ns], first instant of the period), y (float64, tCO2e; NaN where there is no
            figure), state (one of STATES), allocation (float64, free allowances in tCO2e, or NaN).
        facilities: one row a facility_id, sorted: name (of the site, never of a person), country (ISO2),
            region, activity (the source's own code), sector (house word), lat and lon (float64 degrees or
            NaN), scope_id, cadence.
        complaints: row (int64, 1-based line in the file), code, text: what was left out or repaired.
        counts: rows_read, figures, facilities, and what was dropped.
        reader: name and version, such as "eutl/1".
    """

    source: str
    records: pd.DataFrame
    facilities: pd.DataFrame
    complaints: pd.DataFrame
    counts: dict[str, int]
    reader: str

    @classmethod
    def of(
        cls,
        *,
        source: str,
        records: pd.DataFrame,
        facilities: pd.DataFrame,
        complaints: pd.DataFrame | None = None,
        counts: Mapping[str, int] | None = None,
        reader: str,
    ) -> Batch:
        """The batch of these frames, in the order and types of the contract.

        Columns beyond the contract are dropped; an absent ``allocation`` is NaN. ``figures`` and
        ``facilities`` are counted here.

        Raises:
            DataError: a key twice (``source-repeats``), a figure that its state does not allow
                (``source-figure-unlawful``).
            LawBroken: a column absent, an unknown state, a record of no facility (``batch-malformed``).
        """
        told = complaints if complaints is not None else complaint_frame(())
        batch = cls(
            source=source,
            records=_records(records),
            facilities=_facilities(facilities),
            complaints=told.loc[:, list(COMPLAINT)].astype({"row": "int64", "code": "str", "text": "str"}),
            counts=dict(counts or {}),
            reader=reader,
        )
        _check(batch)
        batch.counts["figures"] = int(batch.records[Y].notna().sum())
        batch.counts["facilities"] = len(batch.facilities)
        return batch


def complaint_frame(rows: Iterable[tuple[int, str, str]]) -> pd.DataFrame:
    """The complaints frame of (row, code, text) triples."""
    frame = pd.DataFrame(list(rows), columns=list(COMPLAINT))
    return frame.astype({"row": "int64", "code": "str", "text": "str"})


def changed_shape(
    file: str, *, found: str, expected: str, offenders: Sequence[object] = (), remedy: str = ""
) -> DataError:
    """The refusal of a file whose columns, sheets or rows are no longer those the reader knows."""
    return DataError(
        "source-changed-shape",
        found=f"{file}: {found}",
        expected=expected,
        offenders=offenders,
        remedy=remedy or "fetch the file again from its publisher; if it is whole, the reader must learn it",
        facts={"file": file},
    )


def unreadable(file: str, *, found: str, expected: str) -> DataError:
    """The refusal of a file that cannot be opened, decoded or parsed."""
    return DataError(
        "source-unreadable",
        found=f"{file}: {found}",
        expected=expected,
        remedy="fetch the file again: it may be cut short or damaged",
        facts={"file": file},
    )


def _need(frame: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise _malformed(f"{what} without {', '.join(absent)}", f"columns {', '.join(columns)}")


def _malformed(found: str, expected: str, offenders: Sequence[object] = ()) -> LawBroken:
    return LawBroken(
        "batch-malformed",
        found=found,
        expected=expected,
        offenders=offenders,
        remedy="report it: a reader's bug",
    )


def _records(frame: pd.DataFrame) -> pd.DataFrame:
    _need(frame, RECORD[:4], "records")
    table = frame if ALLOCATION in frame.columns else frame.assign(**{ALLOCATION: np.nan})
    typed = table.loc[:, list(RECORD)].astype(
        {FACILITY_ID: "str", DS: "datetime64[ns]", Y: "float64", STATE: "str", ALLOCATION: "float64"}
    )
    return typed.sort_values([FACILITY_ID, DS], kind="stable", ignore_index=True)


def _facilities(frame: pd.DataFrame) -> pd.DataFrame:
    _need(frame, FACILITY, "facilities")
    types = {column: "float64" if column in _NUMBERS else "str" for column in FACILITY}
    table = frame.loc[:, list(FACILITY)]
    words = [column for column in FACILITY if column not in _NUMBERS]
    typed = table.fillna(dict.fromkeys(words, "")).astype(types)
    return typed.sort_values(FACILITY_ID, kind="stable", ignore_index=True)


def _check(batch: Batch) -> None:
    records, facilities = batch.records, batch.facilities
    _unique(facilities[[FACILITY_ID]], batch.source, "one row a facility")
    _unique(records[[FACILITY_ID, DS]], batch.source, "one row a facility and period")
    if records[DS].isna().any():
        raise _malformed("records without ds", "the first instant of the period in every record")
    unknown = sorted(set(records[STATE].unique()) - set(STATES))
    if unknown:
        raise _malformed("unknown states", " ".join(STATES), unknown)
    strangers = sorted(set(records[FACILITY_ID].unique()) - set(facilities[FACILITY_ID]))
    if strangers:
        raise _malformed("records of no facility", "every record's facility among the facilities", strangers)
    _lawful_figures(records)


def _unique(keys: pd.DataFrame, source: str, expected: str) -> None:
    twice = keys[keys.duplicated()]
    if len(twice):
        raise DataError(
            "source-repeats",
            found=f"{len(twice)} keys more than once in {source}",
            expected=expected,
            offenders=[" ".join(map(str, row)) for row in twice.itertuples(index=False)],
            remedy="fetch the file again, or remove the repeated rows",
        )


def _lawful_figures(records: pd.DataFrame) -> None:
    y, state = records[Y], records[STATE]
    figure = np.isfinite(y) & (y >= 0)
    lawful = (
        ((state == OPERATING) & figure) | ((state == CLOSED) & (y == 0)) | ((state != OPERATING) & y.isna())
    )
    wrong = records[~lawful]
    if len(wrong):
        raise DataError(
            "source-figure-unlawful",
            found=f"{len(wrong)} of {len(records)} records whose figure and state disagree",
            expected="operating: a figure of at least 0; closed: 0 or none; every other state: none",
            offenders=[
                f"{row[0]} {row[1]:%Y-%m-%d} {row[3]} {row[2]}" for row in wrong.itertuples(index=False)
            ],
            remedy="read the row's state from the file before its figure",
        )
