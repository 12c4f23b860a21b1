"""What the facilities of one stretch of the lake come to: the work that is spread over engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from features.errors import DataError
from features.reference.tables import Reference
from features.series.facilities import TWICE, added, inventory
from features.series.from_lake import Drawn, drawn
from features.series.lake import Lake
from features.series.membership import OVERLAP, Boundary, assign
from features.series.snapshots import Stretch
from features.series.stretches import Told, read


@dataclass(frozen=True)
class Work:
    """What all stretches share.

    Attributes:
        root: where the lake lies, as every worker sees it.
        told: the sightings to replay: whoever works sees the same, whatever is ingested meanwhile.
        boundaries, boxes: of clusters, and of countries.
        reference: for the rules of publication.
        t: what was known then is read.
        kinds, fewest_years: see ``from_lake.series_set``.
    """

    root: str | Path
    told: Told
    boundaries: tuple[Boundary, ...]
    boxes: pd.DataFrame
    reference: Reference
    t: pd.Timestamp
    kinds: tuple[str, ...]
    fewest_years: int


@dataclass(frozen=True)
class Portion:
    """What the facilities of one stretch come to; nothing where none of them has a record.

    Attributes:
        drawn: their part in the series.
        added: their part in the sums known at ``Work.t``.
        fault: why they cannot be summed.
    """

    drawn: Drawn | None = None
    added: pd.DataFrame | None = None
    fault: DataError | None = None


def portion(work: Work, stretch: Stretch) -> Portion:
    """Read, replay and sum the facilities of one stretch.

    Raises:
        DataError: the lake is not seen from here, or damaged.
    """
    known = read(Lake(work.root), work.told, stretch)
    if known.facilities.empty:
        return Portion()
    try:
        inv = inventory(known.records, known.facilities, work.boxes)
        members = assign(inv.facilities, work.boundaries)
    except DataError as fault:
        # The same may be wrong in other stretches: it is told once, of all of them.
        if fault.code in (TWICE, OVERLAP):
            return Portion(fault=fault)
        raise
    if inv.records.empty:
        return Portion()
    told = drawn(inv, members, work.reference, kinds=work.kinds, fewest_years=work.fewest_years)
    return Portion(told, added(inv, members, work.t))


def refuse(portions: Sequence[Portion]) -> None:
    """Refuse what stretches found wrong, as reading them in one would.

    Raises:
        DataError: figures counted twice, or else boundaries that overlap.
    """
    faults = [one.fault for one in portions if one.fault is not None]
    for code in (TWICE, OVERLAP):
        mine = [fault for fault in faults if fault.code == code]
        if mine:
            shown = [name for fault in mine for name in fault.offenders]
            more = sum(fault.more for fault in mine)
            raise DataError(
                code,
                found=f"{len(shown) + more} {mine[0].found.partition(' ')[2]}",
                expected=mine[0].expected,
                offenders=[*shown, *[""] * more],
                remedy=mine[0].remedy,
            )
