"""The reliability report of a retrain: did the bands keep their word, and for whom did they not?

Shares of actuals inside the bands by kind of series, by step, by size of series and by year issued, so that a
year such as 2020 can be seen; and beside them the chances of closing, each held against what came true.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.series.panel import Dense
from models.exits import learn_exits, newest_of_areas, seen_by, stands_at_zero
from models.fitted import areas_of
from training.backtest import Backtest
from training.folds import Folds
from training.scores import KINDS, covered, rows_of
from training.scoring import mean_of

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

COLUMNS: Final = ("kind", "by", "value", "level", "covered", "n")
SIZES: Final = ("small", "medium", "large")
EXIT_COLUMNS: Final = ("issued", "step", "n", "left", "chance", "brier", "brier_of_rate")


def reliability_report(test: Backtest, folds: Folds) -> pd.DataFrame:
    """Share of actuals inside each central band of one backtest.

    Columns: kind; by ("all", "step", "size" or "issued"); value (the step, the third of the series of the
    kind by size of what is forecast, the year); level in percent; covered (0 to 1); n behind it. Views
    without an actual are left out.
    """
    held = covered(test)
    rows = [
        (kind, by, value, float(level), share, n)
        for kind in KINDS
        for by, value, chosen in _views(test, folds, rows_of(test, kind))
        for level, inside in held.items()
        for share, n, _ in [mean_of(inside[chosen])]
        if n
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _views(test: Backtest, folds: Folds, rows: Bool) -> Iterator[tuple[str, str, Bool]]:
    """(by, value, mask (F, B, H)) of each view of one kind of series."""
    count, _, steps = test.actual.shape
    asked = np.repeat((test.asked & rows[None, :])[:, :, None], steps, axis=2)
    yield "all", "", asked
    for h in range(steps):
        yield "step", str(h + 1), asked & (np.arange(steps) == h)
    third = _thirds(test, rows)
    for k, name in enumerate(SIZES):
        yield "size", name, asked & (third == k)[:, :, None]
    issued = [moment for moment, scored in zip(folds.issued, folds.scored, strict=True) if scored]
    for f in range(count):
        yield "issued", f"{issued[f]:%Y}", asked & (np.arange(count) == f)[:, None, None]


def _thirds(test: Backtest, rows: Bool) -> npt.NDArray[np.int64]:
    """(F, B) the third of its kind each series falls into by the median of its first step; -1 elsewhere."""
    size = np.where(test.asked & rows[None, :], test.median[:, :, 0], np.nan)
    out = np.full(size.shape, -1, dtype=np.int64)
    for f, line in enumerate(size):
        known = np.isfinite(line)
        if known.any():
            out[f, known] = np.searchsorted(np.quantile(line[known], (1 / 3, 2 / 3)), line[known])
    return out


def exits_report(history: Dense, folds: Folds, steps: int) -> pd.DataFrame:
    """How good the chances of closing were: one row a scored fold and step.

    Columns: issued, step, n (plants whose fate is known), left (how many of them stood at zero), chance (the
    mean that was said), brier (mean squared difference of chance and fate), brier_of_rate (the same, had
    every plant been given the mean chance). No rows where too few plants had closed to learn from.
    """
    areas = areas_of(history)
    newest = newest_of_areas(history.starts + history.lengths - 1, areas)
    rows = []
    for fold in np.flatnonzero(folds.scored).tolist():
        lengths = folds.lengths[fold]
        exits = learn_exits(*seen_by(history, lengths, areas))
        if exits is None:
            continue
        chance = exits.chance(history.until(lengths), steps)
        fate = stands_at_zero(history, newest, history.starts + lengths - 1, steps)
        fate = np.where((lengths > 0)[:, None] & (chance > 0), fate, np.nan)
        rows += [(folds.issued[fold], h + 1, *_judged(chance[:, h], fate[:, h])) for h in range(steps)]
    frame = pd.DataFrame(rows, columns=list(EXIT_COLUMNS))
    return frame[frame["n"] > 0].reset_index(drop=True)


def no_exits() -> pd.DataFrame:
    """The report of a recipe that lets no plant close: no rows."""
    return pd.DataFrame([], columns=list(EXIT_COLUMNS))


def _judged(chance: Float, fate: Float) -> tuple[int, int, float, float, float]:
    known = np.isfinite(fate)
    n = int(known.sum())
    if n == 0:
        return 0, 0, np.nan, np.nan, np.nan
    p, y = chance[known], fate[known]
    return n, int(y.sum()), float(p.mean()), float(((p - y) ** 2).mean()), float(((p.mean() - y) ** 2).mean())
