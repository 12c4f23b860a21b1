"""The file behind ``forecast --history``: a plain panel, or an inventory in any layout and unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from features.errors import AskError, DataError, LawBroken
from features.series.cadence import Cadence
from features.series.panel import Panel
from features.series.words import DS, UNIQUE_ID, Y
from features.sources import anchors as places
from features.sources import stamps
from features.sources.inventory import PLAIN, Examined, examine, summed
from features.sources.inventory_between import ORDER, TONNES
from features.sources.inventory_columns import ID, TRAITS, WHEN
from features.sources.inventory_figures import Declared
from features.sources.upload import Upload, read_file

_PANEL_KINDS: Final = (".csv", ".parquet")


@dataclass(frozen=True)
class History:
    """A history to forecast.

    Attributes:
        upload: the checked series.
        notes: what the reader should be told: the unit, what was converted, columns and rows left out.
    """

    upload: Upload
    notes: tuple[str, ...] = ()


def read_history(path: Path, *, declared: Declared = PLAIN, keep_good: bool = False) -> History:
    """Read a file with unique_id, ds and y as it stands, any other as an inventory, in tCO2e.

    A plain panel has no unit: its figures are handed on unchanged. Anything said of unit, gas, GWP set,
    decimal mark, encoding or sheet makes the file an inventory.

    Raises:
        DataError: what cannot be read, with line numbers. AskError: what is declared does not fit.
    """
    said = replace(declared, cadence=None) != PLAIN or keep_good
    if said or (path.is_file() and path.suffix.lower() not in _PANEL_KINDS):
        return _of_inventory(path, declared, keep_good=keep_good)
    try:
        return History(read_file(path, cadence=declared.cadence))
    except DataError as refusal:
        if refusal.code != "columns-missing":
            raise
        try:
            return _of_inventory(path, declared, keep_good=False)
        except (AskError, DataError) as other:
            if _meant_plain(refusal, other):
                raise refusal from None
            raise


def _meant_plain(refusal: DataError, other: AskError | DataError) -> bool:
    """Whether the writer meant the plain panel: no inventory either, or its words without a unit."""
    return other.code == "inventory-columns-missing" or (
        other.code in ("unit-untold", "gas-untold") and UNIQUE_ID in refusal.found
    )


def _of_inventory(path: Path, declared: Declared, *, keep_good: bool) -> History:
    found = examine(path, declared=declared)
    found.refuse(keep_good=keep_good)
    good = found.good
    sums = summed(good)
    long = pd.DataFrame({
        UNIQUE_ID: sums[ID],
        DS: _cadence(found).instant(sums[ORDER].to_numpy(dtype=np.int64)),
        Y: sums[TONNES],
    })  # fmt: skip
    first = good.drop_duplicates(ID).set_index(ID).sort_index()
    told = first[[trait for trait in TRAITS if (first[trait] != "").any()]].rename_axis(UNIQUE_ID)
    style, anchored = _written(found, good)
    upload = Upload(Panel.of(long, _cadence(found), told), (), style, anchored)
    return History(upload, _notes(found))


def _cadence(found: Examined) -> Cadence:
    if found.cadence is None:
        raise LawBroken("cadence-absent", found="good rows without a cadence", expected="one",
                        remedy="report it with the file that caused it")  # fmt: skip
    return found.cadence


def _written(found: Examined, good: pd.DataFrame) -> tuple[stamps.Style, places.Anchors]:
    """How periods are written and where each series puts its stamp."""
    told = stamps.read(good[WHEN].str.replace(r"^(\d{4})\.0+$", r"\1", regex=True))
    codes, _ = pd.factorize(good[ID], sort=True)
    anchored, _ = places.find(told.wall, codes.astype(np.int64), _cadence(found))
    return told.style, anchored


def _notes(found: Examined) -> tuple[str, ...]:
    scope = found.scope.partition("-")[2]
    notes = [f"figures in tCO2e ({scope})"]
    if found.faults:
        notes.append(f"{len({line for line, _, _ in found.faults})} bad rows left out")
    return (*notes, *(f"{code}: {text}" for _, code, text in found.notes))
