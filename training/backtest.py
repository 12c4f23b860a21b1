"""The backtest: every recipe on the same folds, walking forward, single series and cluster totals.

At each fold weights and bands come from older folds whose actuals were published by its issue time. What is
judged here are the bands of series that go on; the chance that a plant closes is judged by itself
(``training.reliability``), for one plant that closes errs by hundreds of its usual changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.series.hierarchy import Hierarchy
from features.series.panel import Dense
from features.series.scopes import bridge
from models.forecast import STANDARD_QUANTILES
from models.recipe import Recipe
from models.replay import Replay
from models.totals import PastTotals, replay_totals
from training.folds import Folds
from training.scoring import usual_step
from training.spoken import PATHS, speak

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

SCORED: Final = ("values", "actual", "step_size", "step_square", "cutoffs")


@dataclass(frozen=True)
class Backtest:
    """What one recipe said on the scored folds, and what came true. Arrays behind the Backtest frame.

    Attributes:
        forecaster: the recipe's name.
        ids: (B,) series; cluster totals come last.
        groups: (B,) kind of each: "plant", "sector", "context" or "cluster".
        values: (F, B, H, 13) quantiles at ``STANDARD_QUANTILES``; NaN where the series was not asked.
        actual: (F, B, H) figures in the scope of the cutoff, NaN where unknown.
        step_size: (F, B) mean absolute change inside the history at each cutoff (for MASE, …).
        step_square: (F, B) root mean square change (for RMSSE).
        cutoffs: (F, B) ordinal of the last period seen; 0 where not asked.
    """

    forecaster: str
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    values: Float
    actual: Float
    step_size: Float
    step_square: Float
    cutoffs: Int

    @property
    def median(self) -> Float:
        """(F, B, H) the point forecast."""
        return self.values[..., STANDARD_QUANTILES.index(0.5)]

    @property
    def asked(self) -> npt.NDArray[np.bool_]:
        """(F, B) True where a forecast was made."""
        return np.isfinite(self.values[:, :, 0, 0])


def backtest(
    history: Dense,
    past: Replay,
    folds: Folds,
    recipes: Sequence[Recipe],
    hierarchy: Hierarchy,
    *,
    told: Callable[[str], None] = lambda name: None,
    leaving: Float | None = None,
) -> Mapping[str, Backtest]:
    """Walk every recipe through the scored folds of one replay.

    Args:
        history: all that is known now.
        past: every member replayed at every fold.
        folds: the same folds, with which are scored.
        recipes: judged alike; each reads only its own members.
        hierarchy: totals judged beside the series, and their members; kind "cluster".
        told: called with each recipe's name when done.
        leaving: (O, B, H) chance of standing at zero, said at each fold. Where given, bands are those of
            survivors with the hurdle before them, as they are served.
    """
    out = {}
    for recipe in recipes:
        mine, scored = past.only(recipe.members), scored_of(folds)
        totals = replay_totals(history, mine.lengths, recipe)
        left = {fold: None if leaving is None else leaving[fold] for fold in scored}
        said = (at_fold(history, mine, folds, fold, recipe, hierarchy, left[fold], totals) for fold in scored)
        arrays = joined_folds(said, len(scored))
        out[recipe.name] = of_arrays(recipe, past, hierarchy, history, arrays)
        told(recipe.name)
    return out


def scored_of(folds: Folds) -> list[int]:
    """Numbers of the scored folds, oldest first."""
    return np.flatnonzero(folds.scored).tolist()


def at_fold(
    history: Dense,
    past: Replay,
    folds: Folds,
    fold: int,
    recipe: Recipe,
    hierarchy: Hierarchy,
    leaving: Float | None = None,
    totals: PastTotals | None = None,
) -> dict[str, Float | Int]:
    """What one recipe said on one scored fold: the arrays of ``Backtest`` of that fold, by name.

    Args:
        past: of the recipe's own members.
        leaving: (B, H) chances of standing at zero said at this fold, see ``backtest``.
        totals: what totals said by themselves at every fold; None for sums of parts alone.
    """
    parts = sorted(history.row[name] for cluster in hierarchy.clusters for name in hierarchy.members[cluster])
    place = {row: k for k, row in enumerate(parts)}
    lengths, asked = folds.lengths[fold], past.lengths[fold]
    inner = np.array(parts, dtype=np.int64)
    series, paths = speak(history, past, lengths, fold, recipe, inner, leaving, totals)
    seen = bridge(history.until(lengths))
    season = history.cadence.season
    sizes = usual_step(_padded(seen.y, history.y.shape[1]), season)
    sums, truth, pasts = _cluster_sums(history, hierarchy, paths, place, past.actual[fold], seen, asked)
    summed = np.quantile(sums, STANDARD_QUANTILES, axis=2).transpose(1, 2, 0)
    total_sizes = usual_step(pasts, season)
    ends = np.where(lengths > 0, history.starts + lengths - 1, 0)
    return {
        "values": np.concatenate([series, summed]),
        "actual": np.concatenate([past.actual[fold], truth]),
        "step_size": np.concatenate([sizes[0], total_sizes[0]]),
        "step_square": np.concatenate([sizes[1], total_sizes[1]]),
        "cutoffs": np.concatenate([ends, _cluster_ends(history, hierarchy, ends)]),
    }


def joined_folds(said: Iterable[Mapping[str, npt.NDArray[Any]]], count: int) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a backtest from those of its ``count`` scored folds, one after the other."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for fold, one in enumerate(said):
        for name in SCORED:
            if fold == 0:
                arrays[name] = np.empty((count, *one[name].shape), dtype=one[name].dtype)
            arrays[name][fold] = one[name]
    return arrays


def of_arrays(
    recipe: Recipe,
    past: Replay,
    hierarchy: Hierarchy,
    history: Dense,
    arrays: Mapping[str, npt.NDArray[Any]],
) -> Backtest:
    """The backtest of a recipe from its arrays ``SCORED``."""
    return Backtest(
        forecaster=recipe.name,
        ids=(*history.ids, *hierarchy.clusters),
        groups=(*past.groups, *("cluster",) * len(hierarchy.clusters)),
        **arrays,
    )


def _cluster_sums(
    history: Dense,
    hierarchy: Hierarchy,
    paths: Float,
    place: dict[int, int],
    actual: Float,
    seen: Dense,
    asked: Int,
) -> tuple[Float, Float, Float]:
    """Paths (C, H, P), actuals (C, H) and histories (C, T) of the clusters' asked sectors.

    ``place`` says which row of ``paths`` is that of a series.

    A cluster's actual is the sum of the sectors asked at the fold; a sector without a figure in a year
    in which another has one emits nothing. Where the scope of any changes, the total is unknown.
    """
    count, steps = len(hierarchy.clusters), actual.shape[1]
    sums = np.full((count, steps, PATHS), np.nan)
    truth = np.full((count, steps), np.nan)
    width = history.y.shape[1]
    pasts = np.full((count, width), np.nan)
    for c, cluster in enumerate(hierarchy.clusters):
        rows = [history.row[name] for name in hierarchy.members[cluster]]
        rows = [row for row in rows if asked[row] > 0]
        if not rows:
            continue
        sums[c] = paths[[place[row] for row in rows]].sum(axis=0)
        known = np.isfinite(actual[rows])
        crossing = _crosses(history, rows, asked, steps)
        held = known.any(axis=0) & ~crossing
        truth[c] = np.where(held, np.where(known, actual[rows], 0.0).sum(axis=0), np.nan)
        pasts[c] = summed_past(seen, rows, width)
    return sums, truth, pasts


def _crosses(history: Dense, rows: list[int], asked: Int, steps: int) -> npt.NDArray[np.bool_]:
    """(H,) True from the step at which any of the rows meets a scope break."""
    out = np.zeros(steps, dtype=bool)
    for row in rows:
        ahead = np.flatnonzero(history.breaks[row]) - asked[row]
        ahead = ahead[(ahead >= 0) & (ahead < steps)]
        if len(ahead):
            out[int(ahead.min()) :] = True
    return out


def summed_past(seen: Dense, rows: list[int], width: int) -> Float:
    """(width,) end-aligned sum of bridged histories over the periods all of the rows have."""
    ends = seen.starts + seen.lengths
    newest = max(int(ends[row]) for row in rows)
    total = np.zeros(width)
    for row in rows:
        line = np.full(width, np.nan)
        stop = width - (newest - int(ends[row]))
        length = int(seen.lengths[row])
        line[max(0, stop - length) : stop] = seen.y[row, :length][-stop:]
        total = total + line
    return total


def _cluster_ends(history: Dense, hierarchy: Hierarchy, ends: Int) -> Int:
    members = [[history.row[name] for name in hierarchy.members[cluster]] for cluster in hierarchy.clusters]
    return np.array([ends[rows].max() for rows in members], dtype=np.int64)


def _padded(y: Float, width: int) -> Float:
    out = np.full((len(y), width), np.nan)
    out[:, : y.shape[1]] = y
    return out
