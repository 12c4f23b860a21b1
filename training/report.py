"""What a person at a terminal sees of a retrain: progress, scores beside naive, the verdict."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from features.series.boundary_files import read_boundaries
from features.series.membership import Boundary
from training.fanout import asked, opened
from training.job import Retrained
from training.judging import Told, folds_of, heard, stand
from training.plan import Plan, read_plan
from training.retrain import retrain
from training.scores import KINDS, scores_frame

# What the command line says of engine, scheduler and workers.
Said = tuple[str | None, str | None, int | None]
UNSAID: Final[Said] = (None, None, None)
SHOWN: Final = (
    ("mase", "", "MASE"),
    ("rmsse", "", "RMSSE"),
    ("wape", "", "wAPE"),
    ("sql", "", "scaled quantile loss"),
    ("coverage", "80", "inside 80%"),
    ("coverage", "95", "inside 95%"),
    ("interval_score", "80", "interval score 80"),
    ("interval_score", "95", "interval score 95"),
)
TITLES: Final = {
    "all": "all series",
    "plant": "single plants",
    "sector": "cluster sectors",
    "context": "context sectors",
    "cluster": "cluster totals (from summed paths)",
}
LOWER_IS_BETTER: Final = ("mase", "rmsse", "wape", "sql", "interval_score")


@contextmanager
def progress_bars() -> Iterator[Told]:
    """A bar a stage; yields what tells them."""
    columns = (TextColumn("{task.description:>16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        stages = {}

        def told(stage: str, done: int, total: int) -> None:
            if stage not in stages:
                stages[stage] = bars.add_task(stage, total=total)
            bars.update(stages[stage], completed=done, total=total)

        yield told


def run_retrain(
    *, plan_file: Path, store: Path, lake: str | Path, now: datetime, root: Path, engine: Said = UNSAID
) -> Retrained:
    """Retrain by the plan in a file, with progress bars; refusals as in ``retrain``.

    ``engine`` is what the command line says of engine, scheduler and workers.
    """
    plan = read_plan(plan_file)
    own = own_boundaries(plan, plan_file)
    wanted = asked(*engine, plan.engine.asked())
    with progress_bars() as told:
        return retrain(
            plan=plan, store=store, lake=lake, own=own, now=now, commit=commit_of(root), told=told,
            engine=wanted,
        )  # fmt: skip


def run_backtest(*, plan_file: Path, lake: str | Path, now: datetime, engine: Said = UNSAID) -> pd.DataFrame:
    """The Scores frame of a plan's folds, with progress bars; nothing is saved. ``engine``: as above."""
    plan = read_plan(plan_file)
    own = own_boundaries(plan, plan_file)
    with opened(asked(*engine, plan.engine.asked())) as spread, progress_bars() as told:
        ground = stand(now, plan.figures, lake, own, spread)
        case = heard(ground, plan, None, folds_of(ground, plan, now), told, spread=spread)
    return scores_frame(case.tests)


def own_boundaries(plan: Plan, plan_file: Path) -> tuple[Boundary, ...]:
    """The clusters of the plan's boundary file, whose name is taken from the plan's own folder.

    Raises:
        DataError: the file cannot be read, or a cluster in it is no cluster.
    """
    named = plan.figures.boundaries
    return read_boundaries(plan_file.parent / named) if named else ()


def commit_of(root: Path) -> str:
    """The git commit of the checkout; outside one what FORECARBON_COMMIT says, as in an image, or ""."""
    told = os.environ.get("FORECARBON_COMMIT", "")
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607  # git from PATH, as a developer has it
            cwd=root,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return told
    return asked.stdout.strip() if asked.returncode == 0 else told


def print_retrain(result: Retrained) -> None:
    """Rows, folds, scores, verdict."""
    console = Console(width=130)
    issued = result.folds.issued
    scored = [f"{moment:%Y}" for moment, hit in zip(issued, result.folds.scored, strict=True) if hit]
    console.print(f"Rows read: {result.rows_read:,} yearly figures of {result.series} series")
    console.print(
        f"Folds: {len(issued)}, issued {issued[0]:%d %B %Y} to {issued[-1]:%d %B %Y}; "
        f"scored: {scored[0]} to {scored[-1]} ({len(scored)})"
    )
    print_scores(result.scores)
    verdict = result.verdict
    console.print(f"Verdict: [bold]{verdict.decision}[/bold]. {verdict.sentence}", highlight=False)
    for rule in verdict.rules if not result.unchanged else ():
        mark = "passed" if rule.passed else "failed"
        console.print(f"  {mark}  {rule.name}: {rule.why}", highlight=False)
    for member in result.refused:
        console.print(f"  refused  {member} (judged without it)", highlight=False)
    if result.left:
        console.print(f"Saved, not serving: {result.left} (`forecarbon promote {result.left}` lets it serve)")
    console.print(f"Serving: {result.model_version or 'nothing yet'}", highlight=False)


def print_scores(scores: pd.DataFrame) -> None:
    """One table a kind of series, every forecaster beside naive; the best of each column is bold."""
    console = Console(width=130)
    whole = scores[scores["step"] == 0]
    for kind in KINDS:
        rows = whole[whole["kind"] == kind]
        if not rows["n"].sum():
            continue
        n = int(rows.loc[rows["metric"] == "wape", "n"].max())
        table = Table(title=f"{TITLES[kind]}: {n:,} forecasts with an actual", title_justify="left")
        table.add_column("forecaster")
        for _, _, label in SHOWN:
            table.add_column(label, justify="right")
        for name in sorted(set(rows["forecaster"]), key=lambda name: (name != "naive", name)):
            table.add_row(name, *(_cell(rows, name, metric, param) for metric, param, _ in SHOWN))
        console.print(table)


def _cell(rows: pd.DataFrame, name: str, metric: str, param: str) -> str:
    column = rows[(rows["metric"] == metric) & (rows["param"] == param)].set_index("forecaster")["value"]
    value = float(column[name])
    if value != value:
        return "not known"
    text = f"{100 * value:.1f}%" if metric in ("coverage", "wape") else f"{value:.3f}"
    best = metric in LOWER_IS_BETTER and value <= float(column.min())
    return f"[bold]{text}[/bold]" if best else text
