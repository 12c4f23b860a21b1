"""The pictures of a retrain: those of one forecaster, and those that set all side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from features.series.panel import Dense
from features.series.words import DS, QUANTILE, YHAT, Y
from models.dated import DatedRecord
from models.forecast import STANDARD_QUANTILES
from training import pictures
from training.backtest import Backtest
from training.drawn import Pens
from training.fans import Fan, fan_charts
from training.folds import Folds
from training.kept import Kept
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
    pens: Pens
    kept: Kept = field(default_factory=Kept)


def of_all(album: Album, challenger: str, against: str, folder: Path) -> dict[str, Path]:
    """All forecasters side by side, and the challenger against the other cutoff by cutoff."""
    whole, draw, plan = album.scores[album.scores["kind"] == "all"], album.pens.draw, album.plan
    steps = whole[(whole["metric"] == "mase") & (whole["step"] > 0)]
    bars = whole[(whole["step"] == 0) & whole["metric"].isin(["mase", "sql", "wape"])]
    baseline, table = plan.gate.baseline, by_cutoff(album, challenger, against)
    words = {
        "error_by_step": f"{plan.name}: error by step, all forecasters",
        "scores": f"{plan.name}: scores beside {baseline}",
        "by_cutoff": f"{challenger} against {against}, cutoff by cutoff",
    }

    def by_step(path: Path) -> None:
        pictures.error_by_step(steps, title=words["error_by_step"], path=path)

    def scores(path: Path) -> None:
        pictures.score_bars(bars, title=words["scores"], path=path, baseline=baseline, chosen=challenger)

    def differences(path: Path) -> None:
        pictures.differences(table, title=words["by_cutoff"], path=path)

    made = {
        "error_by_step": draw(folder / "error_by_step.png", by_step, words["error_by_step"], steps),
        "scores": draw(folder / "scores.png", scores, words["scores"], bars, challenger),
    }
    if len(table):
        made["by_cutoff"] = draw(folder / "by_cutoff.png", differences, words["by_cutoff"], table)
    return made


def by_cutoff(album: Album, challenger: str, against: str) -> pd.DataFrame:
    """Relative difference of the primary score at each scored cutoff (issued, value, n); below zero the
    challenger is better. Empty where one of the two has no backtest."""
    issued = [str(moment) for moment in album.folds.issued]
    primary = album.plan.gate.primary
    return album.kept.table(
        "by_cutoff",
        [challenger, against],
        lambda: _by_cutoff(album, challenger, against),
        primary,
        issued,
    )


def _by_cutoff(album: Album, challenger: str, against: str) -> pd.DataFrame:
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
    drawn, draw = _fans(album, test), album.pens.draw
    title = f"{name}: forecasts issued {_pictured_issue(album):%B %Y}, and what came"
    words, kept = f"{name}: do the bands keep their word?", album.kept.of(name)

    def fans(path: Path) -> None:
        fan_charts(drawn, title=title, path=path)

    def coverage(path: Path) -> None:
        pictures.coverage(*reliability(test), title=words, path=path)

    # The digest of a backtest says what its bands are, which then need not be read off it again.
    bands: list[object] = [*kept] or [*reliability(test)]
    made = {"coverage": draw(folder / "coverage.png", coverage, words, *bands)}
    if drawn:
        made["fans"] = draw(folder / "fans.png", fans, title, drawn)
    return made


def of_dated(album: Album, dated: DatedRecord, folder: Path) -> dict[str, Path]:
    """Whether the chances of dated targets came true as often as was said; nothing where none was judged."""
    rows = [{"kind": row["kind"], **one} for row in dated.facts["scores"] for one in row["bins"]]
    words = f"{album.plan.name}: chances of dated targets, and how often they were met"
    if not rows:
        return {}
    table = pd.DataFrame(rows)

    def chances(path: Path) -> None:
        pictures.chances(table, title=words, path=path)

    return {"dated_targets": album.pens.draw(folder / "dated_targets.png", chances, words, table)}


def _fans(album: Album, test: Backtest) -> list[Fan]:
    asked = (_fan(album, test, series) for series in album.plan.pictures.series if series in test.ids)
    return [fan for fan in asked if fan is not None]


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
