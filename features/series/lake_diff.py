"""What was restated between two snapshots, or between what was known at two instants."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd

from features.errors import AskError
from features.series.lake import Lake
from features.series.snapshots import Snapshot
from features.series.words import DS
from features.sources.records import FACILITY_ID, STATE, Y

COLUMNS: Final = (FACILITY_ID, DS, "change", "before", "after", "state_before", "state_after")
RESTATED, ADDED, GONE = "restated", "added", "gone"
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_SHOWN: Final = 10


def diff(lake: Lake, a: str, b: str) -> pd.DataFrame:
    """The records that differ from ``a`` to ``b``: facility_id, ds, change, before, after and both states.

    ``change`` is "restated", "added" (only in b) or "gone" (only in a); before and after are y (tCO2e).
    Sorted by key.

    Args:
        lake: where both lie.
        a: a snapshot (its folder, or the beginning of its hash), or a day or instant: what was known then.
        b: the same.

    Raises:
        AskError: no such snapshot, several that begin so, or snapshots of two sources.
    """
    named = [None if _DAY.fullmatch(name) else find(lake, name) for name in (a, b)]
    sources = {snapshot.source for snapshot in named if snapshot is not None}
    if len(sources) > 1:
        raise AskError(
            "lake-diff-of-two-sources",
            found=" and ".join(sorted(sources)),
            expected="two snapshots of one source",
            remedy="see forecarbon lake list",
        )
    old, new = (_side(lake, name, one, sources) for name, one in zip((a, b), named, strict=True))
    return _compared(old, new)


def find(lake: Lake, name: str) -> Snapshot:
    """The one snapshot whose folder or hash begins with ``name``.

    Raises:
        AskError: none or several.
    """
    known = lake.snapshots()
    found = [s for s in known if name and any(called.startswith(name) for called in _names(s))]
    if len(found) != 1:
        raise AskError(
            "lake-snapshot-unknown" if not found else "lake-snapshot-ambiguous",
            found=f"{len(found)} snapshots for {name!r}",
            expected="the folder of a snapshot, the beginning of its hash, or a day such as 2024-04-01",
            offenders=[s.folder for s in (found or known[-_SHOWN:])],
            remedy="see forecarbon lake list",
        )
    return found[0]


def _names(snapshot: Snapshot) -> tuple[str, str, str]:
    return snapshot.folder, snapshot.folder.partition("/")[2], snapshot.content_hash


def _side(lake: Lake, name: str, snapshot: Snapshot | None, sources: set[str]) -> pd.DataFrame:
    if snapshot is not None:
        return lake.table(snapshot, "records")[[FACILITY_ID, DS, Y, STATE]]
    try:
        instant = pd.Timestamp(name)
    except ValueError:
        raise AskError(
            "lake-instant-unreadable",
            found=repr(name),
            expected="a day such as 2024-04-01 or an ISO instant",
            remedy="correct the date",
        ) from None
    return lake.as_of(instant, sources or None).records[[FACILITY_ID, DS, Y, STATE]]


def _compared(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    kinds = {FACILITY_ID: "str", DS: "datetime64[ns]", Y: "float64", STATE: "str"}
    both = old.astype(kinds).merge(
        new.astype(kinds), on=[FACILITY_ID, DS], how="outer", suffixes=("_before", "_after"), indicator="side"
    )
    side = both["side"].astype("str").to_numpy()
    before, after = both["y_before"].to_numpy(), both["y_after"].to_numpy()
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    same &= (both["state_before"] == both["state_after"]).to_numpy(dtype=bool)
    change = np.select([side == "left_only", side == "right_only"], [GONE, ADDED], RESTATED)
    told = both.assign(change=change, before=before, after=after)[~(same & (side == "both"))]
    filled: pd.DataFrame = told.fillna({"state_before": "", "state_after": ""})[list(COLUMNS)]
    return filled.sort_values([FACILITY_ID, DS], ignore_index=True)
