"""What a retrain writes down: one run a forecaster, alike in every retrain, so that runs compare."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.files import write_json
from features.series.panel import Dense, long_frame
from features.series.words import DS, QUANTILE, YHAT, Y
from models.forecast import STANDARD_QUANTILES
from training import pictures
from training.backtest import Backtest
from training.facts import DatasetFacts, RunFacts
from training.fans import Fan, fan_charts
from training.folds import Folds
from training.gate import Verdict
from training.plan import Plan
from training.reliability import reliability_report
from training.scores import reliability, series_table
from training.tracking import Tracker, log_run

PICTURED_FOLDS_AGO = 4


@dataclass(frozen=True)
class Book:
    """All that a retrain knows when it writes itself down."""

    plan: Plan
    tests: Mapping[str, Backtest]
    scores: pd.DataFrame
    verdict: Verdict
    folds: Folds
    history: Dense
    exits: pd.DataFrame
    origin: str
    model_version: str
    now: datetime
    commit: str
    data_hash: str

    @property
    def retrain_id(self) -> str:
        """Groups the runs of one retrain."""
        return f"{self.now.astimezone(UTC):%Y-%m-%dT%H%M%SZ}"


def track(tracker: Tracker, book: Book) -> dict[str, str]:
    """Log one run a forecaster. Returns forecaster -> run id."""
    data = _dataset(book)
    with tempfile.TemporaryDirectory(dir=tracker.store, prefix=".pictures-") as scratch:
        return {
            name: log_run(tracker, _facts(book, name, test, data, Path(scratch)))
            for name, test in book.tests.items()
        }


def _dataset(book: Book) -> DatasetFacts:
    return DatasetFacts(
        name="-".join(sorted(set(book.history.traits["kind"]))) + "-series",
        frame=long_frame(book.history),
        source=book.origin,
        digest=book.data_hash[:32],
        context="training",
    )


def _facts(book: Book, name: str, test: Backtest, data: DatasetFacts, scratch: Path) -> RunFacts:
    own = book.scores[book.scores["forecaster"] == name]
    challenger = name == book.verdict.challenger
    tags = {
        "retrain": book.retrain_id,
        "plan": book.plan.name,
        "as_of": f"{book.now:%Y-%m-%d}",
        "git_commit": book.commit,
        "data_hash": book.data_hash,
        "role": "challenger" if challenger else "beside it",
        "verdict": book.verdict.decision if challenger else "",
        "verdict_sentence": book.verdict.sentence if challenger else "",
        "model_version": book.model_version if challenger else "",
    }
    return RunFacts(
        name=f"{name} {book.retrain_id}",
        forecaster=name,
        params=_params(book, name),
        tags={key: value for key, value in tags.items() if value},
        metrics=_metrics(own),
        step_metrics=_step_metrics(own),
        tables={
            "per_series": series_table(test),
            "scores": own,
            "reliability": reliability_report(test, book.folds),
            **({"exits": book.exits} if challenger and len(book.exits) else {}),
        },
        datasets=[data],
        pictures=_pictures(book, name, test, scratch),
        files={"plan.json": _plan_file(book, scratch)},
    )


def _params(book: Book, name: str) -> dict[str, str]:
    """What tells runs apart at a glance; the whole plan is a file of the run."""
    recipe = book.plan.recipe
    members = [name] if name in recipe.members else recipe.members
    return {
        "members": ", ".join(members),
        "reach": str(recipe.reach),
        "memory": str(recipe.memory),
        "arima_final": recipe.arima_final,
        "seed": str(recipe.seed),
        "folds": f"{len(book.folds.issued)} issued, {int(book.folds.scored.sum())} scored",
        "plan": f"{book.plan.name} {book.plan.fingerprint()}",
    }


def _plan_file(book: Book, scratch: Path) -> Path:
    path = scratch / "plan.json"
    write_json(path, book.plan.model_dump())
    return path


def _name_of(row: pd.Series[Any]) -> str:
    kind = "" if row["kind"] == "all" else f"_{row['kind']}"
    return f"{row['metric']}{row['param']}{kind}"


def _metrics(own: pd.DataFrame) -> dict[str, float]:
    whole = own[own["step"] == 0]
    return {_name_of(row): float(row["value"]) for _, row in whole.iterrows()}


def _step_metrics(own: pd.DataFrame) -> dict[str, dict[int, float]]:
    out: dict[str, dict[int, float]] = {}
    chosen = own[(own["step"] > 0) & own["kind"].isin(["all", "cluster"])]
    for _, row in chosen.iterrows():
        out.setdefault(f"{_name_of(row)}_by_step", {})[int(row["step"])] = float(row["value"])
    return out


def _pictures(book: Book, name: str, test: Backtest, scratch: Path) -> dict[str, Path]:
    folder = scratch / name.replace(" ", "-")
    folder.mkdir(exist_ok=True)
    fans = [_fan(book, test, series) for series in book.plan.pictures.series if series in test.ids]
    made: dict[str, Path] = {}
    drawn = [fan for fan in fans if fan is not None]
    if drawn:
        made["fans"] = folder / "fans.png"
        title = f"{name}: forecasts issued {_pictured_issue(book):%B %Y}, and what came"
        fan_charts(drawn, title=title, path=made["fans"])
    steps = book.scores[(book.scores["metric"] == "mase") & (book.scores["kind"] == "all")]
    made["error_by_step"] = folder / "error_by_step.png"
    pictures.error_by_step(
        steps[steps["step"] > 0], title=f"{name} among the others: error by step", path=made["error_by_step"]
    )
    made["coverage"] = folder / "coverage.png"
    words = f"{name}: do the bands keep their word?"
    pictures.coverage(*reliability(test), title=words, path=made["coverage"])
    made["scores"] = folder / "scores.png"
    bars = book.scores[(book.scores["step"] == 0) & (book.scores["kind"] == "all")]
    bars = bars[bars["metric"].isin(["mase", "sql", "wape"])]
    pictures.score_bars(
        bars, title="Scores beside naive", path=made["scores"], baseline=book.plan.gate.baseline, chosen=name
    )
    return made


def _pictured(book: Book) -> int:
    """Which scored fold is drawn: a few back, so that most of its actuals are known."""
    return max(0, int(book.folds.scored.sum()) - 1 - PICTURED_FOLDS_AGO)


def _pictured_issue(book: Book) -> pd.Timestamp:
    scored = np.flatnonzero(book.folds.scored)
    return book.folds.issued[int(scored[_pictured(book)])]


def _fan(book: Book, test: Backtest, series: str) -> Fan | None:
    fold, row = _pictured(book), test.ids.index(series)
    if row >= len(book.history.ids) or not test.asked[fold, row]:
        return None
    history, cadence = book.history, book.history.cadence
    seen = int(test.cutoffs[fold, row] - history.starts[row] + 1)
    stamps = cadence.instant(history.starts[row] + np.arange(history.lengths[row]))
    figures = pd.DataFrame({DS: stamps, Y: history.y[row, : history.lengths[row]]})
    ahead = cadence.instant(test.cutoffs[fold, row] + 1 + np.arange(test.values.shape[2]))
    depth = len(STANDARD_QUANTILES)
    forecast = pd.DataFrame(
        {
            DS: np.repeat(ahead, depth),
            QUANTILE: np.tile(STANDARD_QUANTILES, len(ahead)),
            YHAT: test.values[fold, row].ravel(),
        }
    )
    breaks = [pd.Timestamp(stamps[k]) for k in np.flatnonzero(history.breaks[row, : history.lengths[row]])]
    return Fan(
        title=series,
        history=figures.iloc[:seen],
        forecast=forecast,
        actuals=figures.iloc[seen:],
        breaks=breaks,
    )
