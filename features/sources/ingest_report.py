"""An ingest at the terminal: progress while it fetches, then what came in and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from features.errors import AskError, DataError
from features.series.lake import Lake
from features.sources.ingest import NO_OPTIONS, Ingested, Line, ingest
from features.sources.inventory_report import tell_refusal, write_complaints
from features.sources.records import DS, Y

_OUTCOME: Final = {
    "new": "a new snapshot",
    "seen-again": "known already; noted that it was shown at this instant too",
    "nothing-new": "known already; nothing has changed",
}
_SHOWN: Final = 8


def run_ingest(
    source: str,
    *,
    lake: str | Path,
    downloads: Path,
    now: datetime,
    files: list[Path],
    urls: list[str],
    known_at: str | None,
    allow_local: bool,
    options: Mapping[str, Any] = NO_OPTIONS,
    complaints: Path | None = None,
) -> None:
    """Ingest and print what happened; ``complaints`` (csv) takes all that was complained of.

    Raises:
        AskError: what was asked cannot be done; DataError: the files are not what they should be.
    """
    at = None if known_at is None else instant(known_at)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    speed = (TransferSpeedColumn(), TimeRemainingColumn())
    into = Lake(lake)
    with Progress(*columns, *speed, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("fetching", total=None, visible=bool(urls))
        line = Line(
            downloads,
            allow_local=allow_local,
            told=lambda done, whole: bar.update(task, completed=done, total=whole),
        )
        try:
            done = ingest(
                source, lake=into, now=pd.Timestamp(now), files=files, urls=urls, known_at=at, line=line,
                options=options,
            )  # fmt: skip
        except DataError as refusal:
            tell_refusal(refusal, complaints)
            raise
    _print(done, into)
    if complaints is not None:
        write_complaints([*done.complaints.itertuples(index=False, name=None)], complaints)


def instant(text: str) -> pd.Timestamp:
    """A day or instant as written on the command line.

    Raises:
        AskError: it is none.
    """
    try:
        at = pd.Timestamp(text)
    except ValueError:
        at = pd.Timestamp("NaT")
    if pd.isna(at):
        raise AskError(
            "instant-unreadable",
            found=repr(text),
            expected="a day such as 2024-04-01 or an ISO instant",
            remedy="correct the date",
        )
    return at


def _print(done: Ingested, lake: Lake) -> None:
    console = Console(width=110, highlight=False)
    snapshot = done.snapshot
    console.print(f"{snapshot.source}: {_OUTCOME[done.outcome]}", markup=False)
    console.print(f"snapshot {snapshot.folder}, read by {snapshot.reader}", markup=False)
    seen = f"known at {snapshot.seen[0]:%Y-%m-%d %H:%M} UTC"
    console.print(seen if len(snapshot.seen) == 1 else f"{seen}, shown {len(snapshot.seen)} times")
    records = lake.table(snapshot, "records")
    span = "" if records.empty else f", {records[DS].min():%Y-%m-%d} to {records[DS].max():%Y-%m-%d}"
    console.print(f"{len(records):,} records, {int(records[Y].notna().sum()):,} figures{span}")
    counts = ", ".join(f"{name} {count:,}" for name, count in sorted(snapshot.counts.items()))
    console.print(counts, markup=False)
    if done.early:
        console.print(f"{done.early:,} records left out: their period was not over at that instant")
    if len(done.complaints):
        _print_complaints(done.complaints, console)


def _print_complaints(complaints: pd.DataFrame, console: Console) -> None:
    table = Table("complaint", "rows", "first", title=None, box=None)
    groups = complaints.groupby("code", sort=False)
    for code, rows in list(groups)[:_SHOWN]:
        first = rows.iloc[0]
        table.add_row(str(code), f"{len(rows):,}", f"row {first['row']}: {first['text']}")
    console.print(f"{len(complaints):,} rows left out or repaired:")
    console.print(table)
    if groups.ngroups > _SHOWN:
        console.print(f"and {groups.ngroups - _SHOWN} more kinds; all are in complaints.parquet")
