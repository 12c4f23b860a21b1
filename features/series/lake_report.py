"""The lake at the terminal: its snapshots, and what was restated between two of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from features.series.lake import Lake
from features.series.lake_diff import diff
from features.series.words import DS
from features.sources.records import FACILITY_ID
from features.table_files import write_frame


def print_list(lake: str | Path) -> None:
    """Print one row a snapshot."""
    found = Lake(lake).snapshots()
    console = Console(width=110, highlight=False)
    if not found:
        console.print("The lake is empty: forecarbon ingest SOURCE --file PATH fills it.")
        return
    table = Table(box=None)
    table.add_column("snapshot", no_wrap=True)
    for heading in ("known at (UTC)", "shown", "records", "reader", "files"):
        table.add_column(heading)
    for one in found:
        names = ", ".join(str(note.get("name", "")) for note in one.files)
        known, rows = f"{one.known_at:%Y-%m-%d %H:%M}", f"{one.parts['records']['rows']:,}"
        table.add_row(one.folder, known, str(len(one.seen)), rows, one.reader, names)
    console.print(table)


def print_diff(lake: str | Path, a: str, b: str, *, out: Path | None, rows: int) -> None:
    """Print the first ``rows`` records that differ, or write all of them to ``out`` (csv, parquet).

    Raises:
        AskError: a or b names nothing, or ``out`` is of no known kind.
    """
    told = diff(Lake(lake), a, b)
    console = Console(width=110, highlight=False)
    counts = told["change"].value_counts().sort_index()
    summary = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    console.print(f"From {a} to {b}: {summary or 'no difference'}", markup=False)
    if out is not None:
        write_frame(told, out)
        console.print(f"Wrote {len(told):,} rows to {out}", markup=False)
    elif len(told):
        _print_rows(told.head(rows), console)
        if len(told) > rows:
            console.print(f"and {len(told) - rows:,} more: --out FILE writes all of them")


def _print_rows(told: pd.DataFrame, console: Console) -> None:
    table = Table("facility", "ds", "change", "before", "after", box=None)
    for row in told.to_dict("records"):
        sides = [_side(row[side], str(row[f"state_{side}"])) for side in ("before", "after")]
        table.add_row(str(row[FACILITY_ID]), f"{row[DS]:%Y-%m-%d}", str(row["change"]), *sides)
    console.print(table)


def _side(y: float, state: str) -> str:
    return state or "-" if pd.isna(y) else f"{y:,.0f}"
