"""The pictures of a retrain: those of one forecaster, and those that set all side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from features.series.panel import Dense
from features.series.words import DS, QUANTILE, YHAT, Y
from models.forecast import STANDARD_QUANTILES
from training import pictures
from training.backtest import Backtest
from training.fans import Fan, fan_charts
from training.folds import Folds
from training.plan import Plan
from training.scores import pairs, reliability
from training.scoring import mean_of

PICTURED_FOLDS_AGO = 4


@dataclass(frozen=True)
class Album:
    """What the pictures are drawn from."""

    plan: Plan
    tests: Mapping[str, Backtest]
    scores: pd.DataFrame
    folds: Folds
    history: Dense


def of_all(album: Album, challenger: str, against: str, folder: Path) -> dict[str, Path]:
    """All forecasters side by side, and the challenger against the other cutoff by cutoff."""
    made = {"error_by_step": folder / "error_by_step.png", "scores": folder / "scores.png"}
    whole = album.scores[album.scores["kind"] == "all"]
    steps = whole[(whole["metric"] == "mase") & (whole["step"] > 0)]
    words = f"{album.plan.name}: error by step, all forecasters"
    pictures.error_by_step(steps, title=words, path=made["error_by_step"])
    bars = whole[(whole["step"] == 0) & whole["metric"].isin(["mase", "sql", "wape"])]
    baseline = album.plan.gate.baseline
    words = f"{album.plan.name}: scores beside {baseline}"
    pictures.score_bars(bars, title=words, path=made["scores"], baseline=baseline, chosen=challenger)
    table = by_cutoff(album, challenger, against)
    if len(table):
        made["by_cutoff"] = folder / "by_cutoff.png"
        words = f"{challenger} against {against}, cutoff by cutoff"
        pictures.differences(table, title=words, path=made["by_cutoff"])
    return made


def by_cutoff(album: Album, challenger: str, against: str) -> pd.DataFrame:
    """Relative difference of the primary score at each scored cutoff (issued, value, n); below zero the
    challenger is better. Empty where one of the two has no backtest."""
    rows = []
    if challenger in album.tests and against in album.tests:
        metric = album.plan.gate.primary
        theirs = pairs(album.tests[against], metric)
        difference = pairs(album.tests[challenger], metric) - theirs
        base = mean_of(theirs)[0]
        scored = np.flatnonzero(album.folds.scored)
        for fold, row in zip(scored.tolist(), difference, strict=True):
            value, n, _ = mean_of(row)
            rows.append({"issued": album.folds.issued[fold], "value": value / base, "n": n})
    return pd.DataFrame(rows, columns=["issued", "value", "n"])


def of_one(album: Album, name: str, test: Backtest, folder: Path) -> dict[str, Path]:
    """What only this forecaster's run can show: its fans and its bands."""
    folder.mkdir(exist_ok=True)
    fans = [_fan(album, test, series) for series in album.plan.pictures.series if series in test.ids]
    made = {"coverage": folder / "coverage.png"}
    drawn = [fan for fan in fans if fan is not None]
    if drawn:
        made["fans"] = folder / "fans.png"
        title = f"{name}: forecasts issued {_pictured_issue(album):%B %Y}, and what came"
        fan_charts(drawn, title=title, path=made["fans"])
    words = f"{name}: do the bands keep their word?"
    pictures.coverage(*reliability(test), title=words, path=made["coverage"])
    return made


def _pictured(album: Album) -> int:
    """Which scored fold is drawn: a few back, so that most of its actuals are known."""
    return max(0, int(album.folds.scored.sum()) - 1 - PICTURED_FOLDS_AGO)


def _pictured_issue(album: Album) -> pd.Timestamp:
    scored = np.flatnonzero(album.folds.scored)
    return album.folds.issued[int(scored[_pictured(album)])]


def _fan(album: Album, test: Backtest, series: str) -> Fan | None:
    fold, row = _pictured(album), test.ids.index(series)
    if row >= len(album.history.ids) or not test.asked[fold, row]:
        return None
    history, cadence = album.history, album.history.cadence
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
