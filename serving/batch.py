"""Forecasts of a file of series into a file of quantiles: ``forecarbon forecast --history``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from features.cells import csv_text
from features.errors import AskError, DataError
from features.series.moved import moved_boundaries
from features.series.words import DS, STEP, UNIQUE_ID
from features.sources.history_file import History, read_history
from features.sources.inventory import PLAIN
from features.sources.inventory_figures import Declared
from features.sources.inventory_report import tell_refusal
from features.sources.upload import Upload
from features.table_files import ending_of, write_frame
from models.engine import forecast_panel, recipe_for_panel, without_figures
from models.forecast import STANDARD_QUANTILES, Outlook, quantiles_of_levels
from models.replay import past_origins
from serving.levels import parse_levels

MOST_STEPS: Final = 10_000
NO_FIGURE: Final = "none: no figure in the history"


def forecast_file(
    history: Path,
    *,
    steps: int,
    levels: str = "80,95",
    model: str = "champion-recipe",
    out: Path | None = None,
    declared: Declared = PLAIN,
    keep_good: bool = False,
    complaints: Path | None = None,
) -> None:
    """Forecast every series of a file, write (or print) ``steps`` rows for each.

    ``declared`` says what the file does not (unit, gas, GWP set, cadence …); its bad rows are printed and
    written to ``complaints`` (csv), and refused unless ``keep_good``.

    A series that cannot be modelled is answered by naive and says so in ``made_by``; one without any
    figure has empty values and says so.

    Raises:
        AskError: steps, levels, model or file name out of range.
        DataError: the file cannot be read, with line numbers.
    """
    asked = asked_levels(steps, levels, out)
    read = _history(history, declared, keep_good=keep_good, complaints=complaints)
    upload = read.upload
    outlook = _with_bar(upload, steps=steps, levels=asked, model=model)
    frame = answered(upload, outlook, steps, asked)
    _tell(read, frame, out)
    if out is not None:
        write_frame(frame, out)
    else:
        sys.stdout.write(csv_text(frame))


def asked_levels(steps: int, levels: str, out: Path | None) -> tuple[float, ...]:
    """The quantiles to be told: the standard ones and those of the ``levels``.

    Raises:
        AskError: steps, levels or file name out of range.
    """
    if not 1 <= steps <= MOST_STEPS:
        raise AskError(
            "steps-out-of-range",
            found=f"steps {steps}",
            expected=f"1 to {MOST_STEPS}",
            remedy="ask for fewer steps" if steps > 0 else "ask for at least one step",
        )
    if out is not None:
        ending_of(out)
    return tuple(sorted({*STANDARD_QUANTILES, *quantiles_of_levels(parse_levels(levels))}))


def _with_bar(upload: Upload, *, steps: int, levels: tuple[float, ...], model: str) -> Outlook:
    dense = upload.panel.dense
    recipe = recipe_for_panel(dense, steps=steps, model=model)
    total = len(past_origins(dense, recipe)) * len(recipe.members)
    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("replay", total=total)
        return forecast_panel(
            upload.panel,
            steps=steps,
            levels=levels,
            model=model,
            told=lambda member, origin: bars.advance(task),
        )


def answered(upload: Upload, outlook: Outlook | None, steps: int, levels: tuple[float, ...]) -> pd.DataFrame:
    """The rows of every series of an upload, by name and step; ``outlook`` None: none has a figure."""
    columns = [UNIQUE_ID, DS, STEP, "mean", *(f"q{level:g}" for level in levels), "made_by"]
    frame = pd.DataFrame(columns=columns) if outlook is None else outlook.wide()
    silent = without_figures(upload.panel)
    if silent:
        added = _silent_rows(upload, silent, steps).reindex(columns=columns)
        added = added.astype(dict.fromkeys(columns[3:-1], float))
        frame = added if outlook is None else pd.concat([frame, added], ignore_index=True)
        frame = frame.sort_values([UNIQUE_ID, STEP], ignore_index=True)
    return frame.assign(**{DS: upload.write_ds(frame[UNIQUE_ID], frame[DS]).to_numpy()})


def _silent_rows(upload: Upload, names: tuple[str, ...], steps: int) -> pd.DataFrame:
    dense = upload.panel.dense
    part = dense.take([dense.row[name] for name in names])
    return pd.DataFrame(
        {
            UNIQUE_ID: [name for name in names for _ in range(steps)],
            DS: part.future(steps).ravel(),
            STEP: list(range(1, steps + 1)) * len(names),
            "made_by": NO_FIGURE,
        }
    )


def _history(path: Path, declared: Declared, *, keep_good: bool, complaints: Path | None) -> History:
    try:
        return read_history(path, declared=declared, keep_good=keep_good)
    except DataError as refusal:
        tell_refusal(refusal, complaints)
        raise


def moved_notes(upload: Upload) -> tuple[str, ...]:
    """What to say of periods whose jump is read as a change of boundary."""
    dense = upload.panel.dense
    newest = int((dense.starts + dense.lengths - 1).max())
    ordinals = np.array([newest - back for back in moved_boundaries(dense)], dtype=np.int64)
    instants = dense.cadence.instant(ordinals)
    return tuple(
        f"many series jump one way into {pd.Timestamp(instant):%Y-%m-%d} and stay: read as a change of "
        "boundary, so errors across it do not widen the bands"
        for instant in instants
    )


def _tell(history: History, frame: pd.DataFrame, out: Path | None) -> None:
    upload = history.upload
    console = Console(stderr=True)
    makers = frame.drop_duplicates(UNIQUE_ID)["made_by"].str.split(":").str[0].value_counts()
    spoken = ", ".join(f"{count} by {name}" for name, count in makers.items())
    where = f" -> {out}" if out else ""
    series = frame[UNIQUE_ID].nunique()
    console.print(f"{series} series at {upload.panel.cadence.name} cadence: {spoken}{where}", highlight=False)
    for note in (*history.notes, *moved_notes(upload)):
        console.print(f"note: {note}", markup=False, highlight=False)
    if upload.ignored:
        console.print(f"columns not read (they vary within a series): {', '.join(upload.ignored)}")
