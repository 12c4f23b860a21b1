"""The commands that keep a store: back it up, restore it, clear it up.

Part of the command line, like ``forecarbon.py``, which takes them in: each command is one call.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from features.removal import Sweep
    from training.retention import Retention

AT_HOME = Path(__file__).resolve().parent / "store"

# Before the year 1000 the texts of instants no longer sort as the instants do; a century is plenty.
MOST_DAYS = 36_500

app = typer.Typer()
Store = Annotated[
    Path,
    typer.Option("--store", envvar="FORECARBON_STORE", help="Where models, runs and forecasts are kept."),
]
To = Annotated[
    Path, typer.Option(help="A folder, in which it gets a name of its own; or a new file, with an ending.")
]
Source = Annotated[Path, typer.Argument(help="A file that `forecarbon backup` wrote.")]
Replace = Annotated[bool, typer.Option("--replace", help="Give up what the store holds.")]
KeepModels = Annotated[int, typer.Option(min=0, help="The newest saved models that stay in any case.")]
KeepDays = Annotated[
    int,
    typer.Option(min=1, max=MOST_DAYS, help="What was made or of use within these days stays."),
]
JournalDays = Annotated[
    int | None,
    typer.Option(min=1, max=MOST_DAYS, help="Days that issued forecasts are kept; default: for ever."),
]
RecordDays = Annotated[
    int | None,
    typer.Option(
        min=1, max=MOST_DAYS, help="Days that findings and retrains stay on record; default: for ever."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")]


@app.command()
def backup(to: To, store: Store = AT_HOME) -> None:
    """Write all that the store keeps into one file, while it is used."""
    from serving.backup import back_up
    from training.schedule import utc_now

    done = back_up(store, to, now=utc_now())
    held = done.manifest
    typer.echo(f"{done.file}: {len(held.files):,} files, {held.size / 1e6:,.1f} MB.")
    typer.echo(f"Champion: {held.facts['champion'] or 'none'}.")
    for what in done.elsewhere:
        typer.echo(f"Not in it, for it is kept elsewhere: {what}.")


@app.command()
def restore(source: Source, store: Store = AT_HOME, replace: Replace = False) -> None:
    """Put a backup into an empty store, after reading it through."""
    from serving.restored import restore as put_back
    from training.database import move

    def moved(folder: Path, before: Path, after: Path) -> None:
        move(folder / "mlflow.db", before, after.resolve())

    held = put_back(source, store, replace=replace, moved=moved)
    typer.echo(f"{store}: {len(held.files):,} files of {held.facts['made_at']}, each as it was.")
    typer.echo(f"Champion: {held.facts['champion'] or 'none'}.")


@app.command()
def vacuum(
    keep_models: KeepModels = 10,
    keep_days: KeepDays = 400,
    journal_days: JournalDays = None,
    record_days: RecordDays = None,
    dry_run: DryRun = False,
    store: Store = AT_HOME,
) -> None:
    """Remove old models, packs, runs and left-overs; never what serves or may serve again."""
    from training.retention import Retention
    from training.schedule import utc_now

    done = clear_up(
        store, Retention(keep_models, keep_days), now=utc_now(), journal_days=journal_days,
        record_days=record_days, dry_run=dry_run,
    )  # fmt: skip
    for kind, number in done.counts.items():
        typer.echo(f"{number:>8,}  {kind}  ({done.sizes[kind] / 1e6:,.1f} MB)")
    for sentence in done.told:
        typer.echo(sentence)
    word = "would be freed; nothing was removed" if dry_run else "freed"
    typer.echo(f"{done.freed / 1e6:,.1f} MB {word}.")


def clear_up(
    store: Path,
    retention: Retention,
    *,
    now: datetime,
    journal_days: int | None = None,
    record_days: int | None = None,
    dry_run: bool = False,
) -> Sweep:
    """Clear a store up by a retention; what went, or would.

    Raises:
        AskError: there is no store, a retrain, backup or restore holds it, or the journal's database is away.
        ModelError: a pointer or the tracker's database cannot be read.
    """
    from features.files import one_at_a_time
    from features.findings import sweep_findings
    from features.removal import Sweep
    from features.stores import expect_store
    from serving import swept
    from serving.backup import UPKEEP, UPKEEP_LOCK
    from training import retention as models

    expect_store(store, "to clear up")
    done, since = Sweep(dry_run), retention.since(now)
    until = None if journal_days is None else swept.days_before(now, journal_days)
    with one_at_a_time(store / "retrain.lock", "retrain"), one_at_a_time(store / UPKEEP_LOCK, UPKEEP):
        # First what needs no database: a disk that is full has no room for opening one.
        models.sweep_pieces(store, done, retention, now)
        swept.sweep_downloads(store, done, retention.days, now)
        kept = models.kept_versions(store, retention, now, swept.used_versions(store, since))
        swept.sweep_packs(store, kept, done, since, now)
        models.sweep_models(store, kept, done, now)
        models.sweep_runs(store, kept, done, retention, now)
        staying = frozenset(models.saved_versions(store)) & kept
        swept.sweep_journal(store, staying, done, before=since, journal_before=until)
        if record_days is not None:
            old = swept.days_before(now, record_days)
            models.sweep_retrains(store, kept, done, old)
            sweep_findings(store, swept.watched_versions(store, until), done, old)
        swept.shrink(store, done)
    return done
