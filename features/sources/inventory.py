"""A user's own inventory: CSV, Parquet or XLSX, wide or long, in any declared unit and gas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from features.errors import AskError, DataError
from features.series.cadence import Cadence
from features.series.units import NO_SET, UNTOLD
from features.sources import stamps
from features.sources.inventory_between import FAULT, OF_GAS, ORDER, TONNES, judged, told
from features.sources.inventory_columns import ID
from features.sources.inventory_figures import Converted, Declared, convert
from features.sources.inventory_layout import Fault, Rows, grids, rows_of
from features.sources.inventory_periods import timed
from features.sources.inventory_sites import sites
from features.sources.records import (
    DS,
    FACILITY_ID,
    NOT_REPORTED,
    OPERATING,
    STATE,
    Batch,
    Y,
    complaint_frame,
)  # fmt: skip

SOURCE: Final = "upload"
READER: Final = "upload/1"
REFUSED: Final = "inventory-rows-refused"
PLAIN: Final = Declared()


@dataclass(frozen=True)
class Examined:
    """What a file holds, good rows and bad.

    Attributes:
        rows: the file as read.
        table: (N,) a row a figure, with order, tonnes, gas and fault.
        cadence, style: of its periods and how they are written; None where no period could be read.
        gwp, scope: the GWP set of all figures, and the scope_id that tells it.
        faults: (line, code, text) of every bad row, by line.
        notes: (line, code, text) of what was read otherwise than written, or not at all.
    """

    rows: Rows
    table: pd.DataFrame
    cadence: Cadence | None
    style: stamps.Style | None
    gwp: str
    scope: str
    faults: list[Fault]
    notes: list[Fault]

    @property
    def good(self) -> pd.DataFrame:
        """The rows without a fault."""
        return self.table[self.table[FAULT] == ""]

    def refuse(self, *, keep_good: bool) -> None:
        """Raise ``inventory-rows-refused`` unless every row is good, or the good ones are to be kept."""
        if (self.faults and not keep_good) or not len(self.good):
            raise _refusal(self.rows, self.faults)


def read(
    path: Path,
    *,
    declared: Declared = PLAIN,
    name: str | None = None,
    keep_good: bool = False,
    factors: pd.DataFrame | None = None,
) -> Batch:
    """The inventory in ``path`` as tCO2e by site and period, ids "upload:<name>:<site>".

    Gases of one site and period are added up. ``scope_id`` tells gas and GWP set ("upload-co2",
    "upload-co2e-ar6", "upload-co2e" where the set of CO2e is untold). ``complaints`` name row and reason.

    Args:
        name: of the inventory; left out, that of the file.
        keep_good: leave bad rows out instead of refusing the file.

    Raises:
        DataError: the file cannot be read; ``inventory-rows-refused`` where a row is at fault and
            ``keep_good`` is not set, or where no good row is left.
        AskError: what is declared is unknown, absent, ambiguous or would mix GWP sets.
    """
    found = examine(path, declared=declared, factors=factors)
    found.refuse(keep_good=keep_good)
    return batch_of(found, name or path.name.split(".")[0], declared)


def examine(path: Path, *, declared: Declared, factors: pd.DataFrame | None = None) -> Examined:
    """What ``path`` holds; bad rows are told, not refused. Errors as ``read``, but for those of rows."""
    rows = rows_of(grids(path, sheet=declared.sheet, encoding=declared.encoding))
    converted = convert(rows.cells, declared, factors)
    table = rows.cells.copy()
    table[TONNES], table[OF_GAS], table[FAULT] = converted.tonnes, converted.gas, converted.fault
    table[ORDER] = 0
    read_as, used = timed(table, declared.cadence) if len(table) else (None, None)
    if used is not None:
        table = judged(table, empty_gas_is_zero=declared.empty_gas_is_zero)
    notes = [*rows.notes, *((0, "factor-recalled", text) for text in converted.recalled)]
    silent = int(table.loc[table[FAULT] == "", TONNES].isna().sum())
    if silent:
        notes.append((0, "figure-absent", f"{silent} empty cells: kept as not reported, never as zero"))
    return Examined(
        rows,
        table,
        used,
        read_as,
        converted.gwp,
        _scope(converted),
        sorted({*rows.faults, *told(table)}),
        notes,
    )


def batch_of(found: Examined, name: str, declared: Declared) -> Batch:
    """The good rows of ``found`` as a Batch of the inventory called ``name``."""
    if found.cadence is None:
        raise _refusal(found.rows, found.faults)
    prefix = f"{SOURCE}:{slug(name)}"
    good = found.good
    site, remarks = sites(
        good, scope=found.scope, cadence=found.cadence.name, prefix=prefix, decimal=declared.decimal
    )
    sums = summed(good)
    bad_lines = {line for line, _, _ in found.faults}
    return Batch.of(
        source=SOURCE,
        records=pd.DataFrame({
            FACILITY_ID: prefix + ":" + sums[ID],
            DS: found.cadence.instant(sums[ORDER].to_numpy(dtype=np.int64)),
            Y: sums[TONNES],
            STATE: np.where(sums[TONNES].notna(), OPERATING, NOT_REPORTED),
        }),
        facilities=site,
        complaints=complaint_frame([*found.faults, *found.notes, *remarks]),
        counts={"rows_read": found.rows.rows_read, "rows_bad": len(bad_lines)},
        reader=READER,
    )  # fmt: skip


def summed(good: pd.DataFrame) -> pd.DataFrame:
    """One row a site and period: the sum of its gases, NaN where no gas has a figure."""
    # A period with figures of some gases only was found at fault before.
    return good.groupby([ID, ORDER])[TONNES].sum(min_count=1).reset_index()


def slug(name: str) -> str:
    """A name fit for an id: lower case, words joined by hyphens.

    Raises:
        AskError: nothing is left of it.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    if not plain:
        raise AskError("inventory-name-empty", found=f"name {name[:40]!r}", expected="letters and digits",
                       remedy="name the inventory with --name")  # fmt: skip
    return plain


def _refusal(rows: Rows, faults: list[Fault]) -> DataError:
    return DataError(
        REFUSED,
        found=f"{len({line for line, _, _ in faults})} of {rows.rows_read} rows of {rows.file} at fault",
        expected="every row with a site, a period, a plain figure and a known unit",
        offenders=[f"{rows.word} {line}: {code}: {text}" for line, code, text in faults],
        remedy="correct these rows, or ask for the good ones to be kept (--keep-good-rows)",
        facts={"file": rows.file, "rows": sorted({line for line, _, _ in faults}),
               "codes": sorted({code for _, code, _ in faults}), "complaints": faults},
    )  # fmt: skip


def _scope(converted: Converted) -> str:
    if converted.gwp == NO_SET:
        return f"{SOURCE}-co2"
    return f"{SOURCE}-co2e" + ("" if converted.gwp == UNTOLD else f"-{converted.gwp.lower()}")
