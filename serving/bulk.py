"""Forecasts of a panel of any size, part by part: read, forecast and written in blocks of whole series.

What series learn from one another is learnt once, from all of them or, beyond ``LEARNT_FROM``, from so
many evenly spread over the panel; then every block is forecast by itself. Memory is that of the learning, of
the blocks at hand and of the row groups they are read from, and 16 bytes a series.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from features.cells import csv_text
from features.errors import AskError, DataError
from features.files import replacing
from features.series.words import UNIQUE_ID
from features.sources.inventory import PLAIN
from features.sources.inventory_figures import Declared
from features.sources.panel_parts import Part, Parts, read_part, rows_of
from features.spread import Spread
from features.table_files import ending_of
from models.engine import Learnt, forecast_learnt, learn, recipe_for_panel
from models.replay import past_origins
from serving.batch import answered, asked_levels, forecast_file, moved_notes

LEARNT_FROM: Final = 20_000
# Rows from which a file is read in parts without being asked to: read whole they take some gigabytes.
MOST_WHOLE: Final = 400_000
# Series in a block, for eight steps; the quantile curves of a block then take 50 MB.
BLOCK: Final = 4_000
STEPS_OF_BLOCK: Final = 8


@dataclass(frozen=True)
class Task:
    """What all blocks share."""

    learnt: Learnt
    steps: int
    levels: tuple[float, ...]
    cadence: str


@dataclass(frozen=True)
class Said:
    """The answer of one block: a table, how many series each forecaster answered, columns not read."""

    table: pa.Table
    makers: Counter[str]
    ignored: tuple[str, ...]


def forecast_any(
    history: Path,
    *,
    steps: int,
    levels: str = "80,95",
    model: str = "champion-recipe",
    out: Path | None = None,
    declared: Declared = PLAIN,
    keep_good: bool = False,
    complaints: Path | None = None,
    spread: Spread,
    in_parts: bool = False,
) -> None:
    """``forecast_file``, or ``forecast_parts`` if the file is large, a folder, or to be read ``in_parts``.

    Raises:
        AskError: a file that cannot be read in parts, but is to be.
    """
    fit = (history.is_dir() or history.suffix == ".parquet") and not (
        keep_good or replace(declared, cadence=None) != PLAIN
    )
    if in_parts and not fit:
        raise AskError(
            "history-not-in-parts",
            found=f"{history.name}, with an engine",
            expected="a Parquet file or folder with unique_id, ds and y, which an engine can share out",
            remedy="leave the engine out, or write the history as Parquet",
        )
    if fit and (in_parts or history.is_dir() or rows_of(history) > MOST_WHOLE):
        try:
            forecast_parts(
                history, steps=steps, levels=levels, model=model, out=out, cadence=declared.cadence,
                spread=spread,
            )  # fmt: skip
            return
        except DataError as refusal:
            # An inventory, or rows in any order: then it is read whole.
            if in_parts or history.is_dir() or refusal.code not in ("columns-missing", "series-scattered"):
                raise
    forecast_file(
        history, steps=steps, levels=levels, model=model, out=out, declared=declared, keep_good=keep_good,
        complaints=complaints,
    )  # fmt: skip


def forecast_parts(
    history: Path,
    *,
    steps: int,
    levels: str = "80,95",
    model: str = "champion-recipe",
    out: Path | None = None,
    cadence: str | None = None,
    spread: Spread,
    learnt_from: int = LEARNT_FROM,
    block: int = BLOCK,
) -> None:
    """Forecast every series of a Parquet file or folder in blocks; ``out`` appears whole or not at all.

    Args:
        learnt_from: series from which the shared parts are learnt, evenly spread.
        block: series forecast at once, for eight steps; fewer for more.
        spread: who forecasts the blocks.

    Raises:
        AskError, DataError: as ``forecast_file``; rows of one series must follow one another.
    """
    asked = asked_levels(steps, levels, out)
    parts = Parts.of(history)
    size = max(1, block * STEPS_OF_BLOCK // max(steps, STEPS_OF_BLOCK))
    with _bars() as bar:
        sample = parts.every(learnt_from, cadence)
        dense = sample.panel.dense
        recipe = recipe_for_panel(dense, steps=steps, model=model)
        step = bar("learn", len(past_origins(dense, recipe)) * len(recipe.members))
        learnt = learn(sample.panel, steps=steps, model=model, told=lambda member, origin: step(1))
        notes, name = moved_notes(sample), sample.panel.cadence.name
        del sample, dense
        step = bar("forecast", parts.count)
        makers, ignored, todo = Counter[str](), set[str](), parts.of_size(size)
        with _sink(out) as write:
            said = spread.over(forecast_part, Task(learnt, steps, asked, name), todo)
            for part, one in zip(todo, said, strict=True):
                write(one.table)
                makers += one.makers
                ignored |= set(one.ignored)
                step(part.series)
    _tell(makers, name, (*notes, *_ignored(ignored)), out)


def forecast_part(task: Task, part: Part) -> Said:
    """The forecasts of one part, as they are written."""
    upload = read_part(part, cadence=task.cadence)
    outlook = forecast_learnt(upload.panel, task.learnt, steps=task.steps, levels=task.levels)
    frame = answered(upload, outlook, task.steps, task.levels)
    first = frame.drop_duplicates(UNIQUE_ID)["made_by"].str.split(":").str[0]
    makers = Counter({str(name): int(count) for name, count in first.value_counts().items()})
    return Said(pa.Table.from_pandas(frame, preserve_index=False), makers, upload.ignored)


@contextmanager
def _sink(out: Path | None) -> Iterator[Callable[[pa.Table], None]]:
    """What appends tables to a file that appears at the end, or prints them."""
    if out is None:
        yield _csv(sys.stdout.write)
        return
    with replacing(out) as stream:
        if ending_of(out) == ".csv":
            yield _csv(lambda text: stream.write(text.encode()))
            return
        writers: list[Any] = []

        def write(table: pa.Table) -> None:
            if not writers:
                writers.append(pq.ParquetWriter(stream, table.schema))
            writers[0].write_table(table.cast(writers[0].schema))

        yield write
        for writer in writers:
            writer.close()


def _csv(put: Callable[[str], object]) -> Callable[[pa.Table], None]:
    begun: list[bool] = []

    def write(table: pa.Table) -> None:
        frame: pd.DataFrame = table.to_pandas()
        put(csv_text(frame, header=not begun))
        begun.append(True)

    return write


@contextmanager
def _bars() -> Iterator[Callable[[str, int], Callable[[int], None]]]:
    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:

        def bar(name: str, total: int) -> Callable[[int], None]:
            task = bars.add_task(name, total=total)
            return lambda more: bars.advance(task, more)

        yield bar


def _ignored(names: set[str]) -> tuple[str, ...]:
    told = ", ".join(sorted(names))
    return (f"columns not read where they vary within a series: {told}",) if names else ()


def _tell(makers: Counter[str], cadence: str, notes: tuple[str, ...], out: Path | None) -> None:
    console = Console(stderr=True)
    spoken = ", ".join(f"{count} by {name}" for name, count in makers.most_common())
    where = f" -> {out}" if out else ""
    console.print(f"{makers.total()} series at {cadence} cadence: {spoken}{where}", highlight=False)
    for note in notes:
        console.print(f"note: {note}", markup=False, highlight=False)
