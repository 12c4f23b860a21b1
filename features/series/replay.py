"""Snapshots replayed in the order in which they became known: the vintages of every record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.series.snapshots import PERIOD_END, Snapshot
from features.series.words import DS, KNOWN_AT, SOURCE
from features.sources.records import ALLOCATION, FACILITY, FACILITY_ID, RECORD, STATE, Y

VINTAGE_COLUMNS: Final = (*RECORD, SOURCE, KNOWN_AT)
FACILITY_COLUMNS: Final = (*FACILITY, SOURCE)
Bool = npt.NDArray[np.bool_]


class Sighting(NamedTuple):
    """One instant at which one snapshot was shown."""

    at: pd.Timestamp
    snapshot: Snapshot


class Known(NamedTuple):
    """What was known at one instant.

    ``records``: facility_id, ds, y (tCO2e, or the driver's unit), state, allocation, source, known_at (since
    when this row has stood); sorted.
    ``facilities``: the columns of a Batch and source; one row a source and facility (a site may be in two).
    """

    records: pd.DataFrame
    facilities: pd.DataFrame


# A snapshot and the name of one of its parts -> that part.
Tables = Callable[[Snapshot, str], pd.DataFrame]


def vintages_of(source: str, seen: Sequence[Sighting], table: Tables) -> pd.DataFrame:
    """The rows of ``replayed``, with their source."""
    return replayed(seen, lambda snapshot: table(snapshot, "records")).assign(**{SOURCE: source})


def facilities_of(source: str, seen: Sequence[Sighting], table: Tables) -> pd.DataFrame:
    """The columns of a Batch and source: of each facility what was said of it last, sorted."""
    last = list({one.snapshot.folder: one.snapshot for one in reversed(seen)}.values())
    tables = [table(snapshot, "facilities") for snapshot in reversed(last)]
    if not tables:
        return pd.DataFrame(columns=list(FACILITY_COLUMNS))
    newest = pd.concat(tables, ignore_index=True).drop_duplicates(FACILITY_ID, keep="last")
    return newest.sort_values(FACILITY_ID, ignore_index=True).assign(**{SOURCE: source})


def replayed(seen: Sequence[Sighting], records: Callable[[Snapshot], pd.DataFrame]) -> pd.DataFrame:
    """The record columns and known_at: for each key every value it took, sorted by key and known_at.

    Args:
        seen: sightings of one source in order; of two at one instant the last holds.
        records: the records of a snapshot, sorted by key, with their period_end.
    """
    frames: list[pd.DataFrame] = []
    before: Sighting | None = None
    for one in seen:
        frame = records(one.snapshot)
        due = (frame[PERIOD_END] <= one.at).to_numpy()
        if before is not None and before.snapshot.folder == one.snapshot.folder:
            # Shown again with nothing between: only periods that have ended since are news.
            due = due & (frame[PERIOD_END] > before.at).to_numpy()
        before = one
        if due.any():
            frames.append(frame.loc[due, list(RECORD)].assign(**{KNOWN_AT: one.at}))
    if not frames:
        return pd.DataFrame(columns=[*RECORD, KNOWN_AT])
    if len(frames) == 1:
        return frames[0].reset_index(drop=True)
    return _without_repeats(pd.concat(frames, ignore_index=True))


def newest(vintages: pd.DataFrame) -> pd.DataFrame:
    """Of each key the last row of a frame sorted by key and known_at."""
    return vintages[~_followed(vintages)].reset_index(drop=True)


def _without_repeats(frame: pd.DataFrame) -> pd.DataFrame:
    """Sorted by key and known_at; of one instant the last row, and none that repeats the row before it."""
    codes, _ = pd.factorize(frame[FACILITY_ID], sort=True)
    ordered = frame.iloc[np.lexsort((frame[KNOWN_AT], frame[DS], codes))].reset_index(drop=True)
    instant = ordered[KNOWN_AT].to_numpy()
    overruled = _followed(ordered)
    overruled[:-1] &= instant[:-1] == instant[1:]
    single = ordered[~overruled].reset_index(drop=True)
    repeats = np.zeros(len(single), dtype=bool)
    repeats[1:] = _followed(single)[:-1] & _as_before(single)
    return single[~repeats].reset_index(drop=True)


def stacked(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """These columns of all frames, one below the other; those without rows have no say in their types."""
    full = [frame[list(columns)] for frame in frames if len(frame)]
    return pd.concat(full, ignore_index=True) if full else pd.DataFrame(columns=list(columns))


def _followed(frame: pd.DataFrame) -> Bool:
    """(n,) True where the next row has the same key."""
    found = np.zeros(len(frame), dtype=bool)
    if len(frame):
        codes, _ = pd.factorize(frame[FACILITY_ID])
        stamps = frame[DS].to_numpy()
        found[:-1] = (codes[:-1] == codes[1:]) & (stamps[:-1] == stamps[1:])
    return found


def _as_before(frame: pd.DataFrame) -> Bool:
    """(n - 1,) True where a row says the same as the one before it; nothing equals nothing."""
    same = np.ones(max(0, len(frame) - 1), dtype=bool)
    states, _ = pd.factorize(frame[STATE])
    same &= states[1:] == states[:-1]
    for column in (Y, ALLOCATION):
        values = frame[column].to_numpy(dtype=float)
        same &= (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    return same
