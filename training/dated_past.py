"""What pseudo-targets are made and judged from: past figures as they stood, and forecasts as they are served.

Bands of the gate's backtest are those of series that go on. A plant that closes meets its target, so here the
hurdle stands before the bands, as it does in service, and the figure of a plant that has closed is zero.
Countries and states are summed from their sectors, path by path, as clusters are from theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.series.ends import NEVER, Ends
from features.series.hierarchy import Hierarchy
from features.series.panel import Dense
from features.series.scopes import bridge, same_scope_ahead
from models.exits import learn_exits, newest_of_areas, seen_by, stands_at_zero
from models.fitted import areas_of
from models.recalibrate import blocks_of
from models.replay import LEAST_HISTORY
from training.backtest import Backtest, summed_past
from training.folds import Folds
from training.judging import Ground

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

KINDS: Final = ("plant", "sector", "cluster", "context", "country")


@dataclass(frozen=True)
class Past:
    """Figures of F folds and B series; totals come last, those of countries after those of clusters.

    Attributes:
        kind: (B,) which of ``KINDS``; a series of no such kind is a "sector".
        block: (B,) block of areas, see ``models.recalibrate.blocks_of``.
        seen: (F, B, T) figures visible at each fold in the cutoff's scope, the last column the cutoff; NaN
            throughout where a series was not asked.
        actual: (F, B, H) figures after it in the same scope, zero where a plant had closed; NaN where
            unknown.
        closed: (F, B, H) True where that zero is a closure without a figure.
        known: (F, B, H) the first fold by whose issue the actual was published; F where none was.
    """

    kind: Int
    block: Int
    seen: Float
    actual: Float
    closed: Bool
    known: Int


def with_countries(hierarchy: Hierarchy, history: Dense) -> Hierarchy:
    """Clusters, and after them countries and states as sums of their context series, by name."""
    found: dict[str, list[str]] = {}
    if "kind" in history.traits.columns:
        for name, kind, area in zip(history.ids, history.traits["kind"], areas_of(history), strict=True):
            if kind == "context":
                found.setdefault(area, []).append(name)
    members = {area: tuple(sorted(names)) for area, names in sorted(found.items())}
    members = {area: names for area, names in members.items() if area not in hierarchy.members}
    return Hierarchy((*hierarchy.clusters, *members), {**hierarchy.members, **members})


def leaving_chances(history: Dense, folds: Folds, steps: int) -> Float:
    """(F, B, steps) chance that a plant stands at zero, as it would have been said at each fold; 0 for
    aggregates, and where too few had closed to learn from."""
    areas = areas_of(history)
    out = np.zeros((len(folds.issued), len(history.ids), steps))
    for fold, lengths in enumerate(folds.lengths):
        exits = learn_exits(*seen_by(history, lengths, areas))
        if exits is not None:
            out[fold] = np.where((lengths > 0)[:, None], exits.chance(history.until(lengths), steps), 0.0)
    return out


def past_of(ground: Ground, hierarchy: Hierarchy, folds: Folds, test: Backtest) -> Past:
    """What was visible at every fold, what came, and when that was published.

    Args:
        hierarchy: that of ``test``, countries among its clusters.
        folds: all of them scored in ``test``.
        test: of any recipe, for its actuals and cutoffs.
    """
    history = ground.history
    rows = [[history.row[name] for name in hierarchy.members[c]] for c in hierarchy.clusters]
    closed = _closed(history, folds, test.actual)
    areas = (*areas_of(history), *hierarchy.clusters)
    return Past(
        kind=_kinds(test, ground.hierarchy),
        block=blocks_of(areas),
        seen=np.stack([_seen(history, lengths, rows) for lengths in folds.lengths]),
        actual=np.where(closed, 0.0, test.actual),
        closed=closed,
        known=_known(ground, folds, test, closed, rows),
    )


def _kinds(test: Backtest, own: Hierarchy) -> Int:
    named = np.array([KINDS.index(kind) if kind in KINDS else 1 for kind in test.groups], dtype=np.int64)
    countries = (named == KINDS.index("cluster")) & ~np.isin(test.ids, own.clusters)
    return np.where(countries, KINDS.index("country"), named)


def _closed(history: Dense, folds: Folds, actual: Float) -> Bool:
    """(F, B, H) True where a plant that was asked has no figure because it closed, in the cutoff's scope."""
    out = np.zeros(actual.shape, dtype=bool)
    steps, count = actual.shape[2], len(history.ids)
    newest = newest_of_areas(history.starts + history.lengths - 1, areas_of(history))
    for fold, lengths in enumerate(folds.lengths):
        gone = stands_at_zero(history, newest, history.starts + lengths - 1, steps) == 1
        asked = (lengths >= LEAST_HISTORY)[:, None] & same_scope_ahead(history, lengths, steps)
        out[fold, :count] = gone & asked & np.isnan(actual[fold, :count])
    return out


def _seen(history: Dense, lengths: Int, totals: list[list[int]]) -> Float:
    """(B, T) bridged figures that end in the last column, those of totals after those of series."""
    seen = bridge(history.until(lengths))
    width = history.y.shape[1]
    column = np.arange(width)[None, :] - width + seen.lengths[:, None]
    own = np.take_along_axis(seen.y, np.clip(column, 0, seen.y.shape[1] - 1), axis=1)
    own = np.where((column >= 0) & (lengths >= LEAST_HISTORY)[:, None], own, np.nan)
    sums = np.full((len(totals), width), np.nan)
    for c, members in enumerate(totals):
        asked = [row for row in members if lengths[row] >= LEAST_HISTORY]
        if asked:
            sums[c] = summed_past(seen, asked, width)
    return np.concatenate([own, sums])


def _known(ground: Ground, folds: Folds, test: Backtest, closed: Bool, totals: list[list[int]]) -> Int:
    """(F, B, H) the first fold by whose issue the outcome was published."""
    figures, ended = _published(ground, folds)
    due = test.cutoffs[:, :, None] + np.arange(1, test.actual.shape[2] + 1)
    out = np.empty(due.shape, dtype=np.int64)
    for fold, lengths in enumerate(folds.lengths):
        sums = _all_parts(ended, [[row for row in rows if lengths[row] > 0] for rows in totals])
        own, gone = np.concatenate([figures, sums], axis=1), np.concatenate([ended, sums], axis=1)
        by_figure, by_closure = ((by[:, :, None] < due[fold]).sum(axis=0) for by in (own, gone))
        out[fold] = np.where(closed[fold], by_closure, by_figure)
    return out


def _all_parts(ended: Int, totals: list[list[int]]) -> Int:
    """(F, C) the last period of which every part of a total was published."""
    out = np.full((len(ended), len(totals)), NEVER)
    for c, rows in enumerate(totals):
        if rows:
            out[:, c] = ended[:, rows].min(axis=1)
    return out


def _published(ground: Ground, folds: Folds) -> tuple[Int, Int]:
    """Two (F, B) ordinals: the last figure published by each fold; the same, but for a series that had ended
    by then the newest of its area."""
    history, ends = ground.history, Ends.of(ground.figures)
    at = [history.row[name] for name in ends.names if name in history.row]
    inside = np.array([name in history.row for name in ends.names], dtype=bool)
    figures = np.full((len(folds.issued), len(history.ids)), NEVER)
    ended = figures.copy()
    areas = areas_of(history)
    for fold, moment in enumerate(folds.issued):
        published, over = ends.at(moment)
        figures[fold, at] = published[inside]
        gone = np.zeros(len(history.ids), dtype=bool)
        gone[at] = over[inside]
        ended[fold] = np.where(gone, newest_of_areas(figures[fold], areas), figures[fold])
    # What is published stays published.
    return np.maximum.accumulate(figures, axis=0), np.maximum.accumulate(ended, axis=0)
