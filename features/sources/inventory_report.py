"""A user's inventory at the terminal: what a file would give, and every row that is at fault."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd
from rich.console import Console
from rich.table import Table

from features.cells import csv_text
from features.errors import AskError, DataError
from features.files import write_bytes
from features.sources.inventory import PLAIN, REFUSED, batch_of, examine
from features.sources.inventory_figures import Declared
from features.sources.inventory_layout import Fault
from features.sources.records import DS, FACILITY_ID, Batch, Y

SHOWN: Final = 20
_SITES: Final = 12


def check(
    path: Path,
    *,
    declared: Declared = PLAIN,
    name: str | None = None,
    complaints: Path | None = None,
) -> None:
    """Print what ``path`` would give, its notes and its complaints; nothing is kept.

    Raises:
        DataError: ``inventory-rows-refused`` after the print, where a row is at fault; the file cannot be
            read. AskError: as ``inventory.read``.
    """
    found = examine(path, declared=declared)
    if found.cadence is not None and len(found.good):
        _preview(batch_of(found, name or path.name.split(".")[0], declared))
    _notes(found.notes)
    try:
        found.refuse(keep_good=False)
    except DataError as refusal:
        tell_refusal(refusal, complaints)
        raise
    Console(width=110).print("Every row can be read.")


def tell_refusal(refusal: DataError, complaints: Path | None) -> None:
    """Print the first complaints of a refused inventory; write all of them to ``complaints`` (csv).

    Raises:
        AskError: ``complaints`` is no name of a CSV.
    """
    if refusal.code != REFUSED:
        return
    faults: list[Fault] = refusal.facts["complaints"]
    console = Console(width=110, highlight=False, stderr=True)
    table = Table("row", "complaint", "what", box=None)
    for line, code, text in faults[:SHOWN]:
        table.add_row(str(line), code, _safe(text))
    console.print(table)
    if len(faults) > SHOWN and complaints is None:
        console.print(f"and {len(faults) - SHOWN:,} more: --complaints FILE writes all of them")
    if complaints is not None:
        write_complaints(faults, complaints)
        console.print(f"Wrote {len(faults):,} complaints to {complaints}", markup=False)


def write_complaints(faults: list[Fault], path: Path) -> None:
    """Write complaints as CSV: row, code, text; no cell begins like a formula.

    Raises:
        AskError: ``path`` is no name of a CSV.
    """
    if path.suffix.lower() != ".csv":
        raise AskError("file-kind-unknown", found=f"--complaints {path.name}",
                       expected="a name that ends in .csv", remedy="rename the file")  # fmt: skip
    frame = pd.DataFrame(faults, columns=["row", "code", "text"])
    write_bytes(path, csv_text(frame).encode())


def _safe(text: str) -> str:
    return text.replace("[", r"\[")


def _notes(notes: list[Fault]) -> None:
    console = Console(width=110, highlight=False)
    for line, code, text in notes:
        console.print(f"note: {code}: {text}" + (f" (row {line})" if line else ""), markup=False)


def _preview(batch: Batch) -> None:
    console = Console(width=110, highlight=False)
    records = batch.records
    span = f"{records[DS].min():%Y-%m-%d} to {records[DS].max():%Y-%m-%d}"
    scope, cadence = batch.facilities[["scope_id", "cadence"]].iloc[0]
    console.print(
        f"{len(batch.facilities):,} sites by {cadence}, {int(records[Y].notna().sum()):,} figures, {span}; "
        f"scope {scope}, tCO2e",
        markup=False,
    )
    table = Table("site", "first", "last", "figures", "newest tCO2e", box=None)
    for site, own in list(records.groupby(FACILITY_ID))[:_SITES]:
        known = own[own[Y].notna()]
        newest = f"{known[Y].iloc[-1]:,.0f}" if len(known) else "-"
        ends = [f"{own[DS].iloc[k]:%Y-%m-%d}" for k in (0, -1)]
        table.add_row(_safe(str(site)), *ends, str(len(known)), newest)
    console.print(table)
    if len(batch.facilities) > _SITES:
        console.print(f"and {len(batch.facilities) - _SITES:,} more sites")
