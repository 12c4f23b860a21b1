"""The backtest: every recipe on the same folds, walking forward, single series and cluster totals.

At each fold weights and bands come from older folds whose actuals were published by its issue time. What is
judged here are the bands of series that go on; the chance that a plant closes is judged by itself
(``training.reliability``), for one plant that closes errs by hundreds of its usual changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.series.hierarchy import Hierarchy
from features.series.panel import Dense
from features.series.scopes import bridge
from models.blend import learn_weights, mixed
from models.calibration import calibrate
from models.dependence import learn_dependence, read_quantiles, sample_ranks
from models.exits import hurdled, survivors
from models.fitted import areas_of, blended
from models.forecast import STANDARD_QUANTILES
from models.recipe import Recipe
from models.replay import Replay
from training.folds import Folds
from training.scoring import usual_step

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

PATHS = 400


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
        out[recipe.name] = _walk(history, past.only(recipe.members), folds, recipe, hierarchy, leaving)
        told(recipe.name)
    return out


def _walk(
    history: Dense,
    past: Replay,
    folds: Folds,
    recipe: Recipe,
    hierarchy: Hierarchy,
    leaving: Float | None,
) -> Backtest:
    parts = [history.row[name] for cluster in hierarchy.clusters for name in hierarchy.members[cluster]]
    inner = np.array(sorted(parts), dtype=np.int64)
    place = {int(row): k for k, row in enumerate(inner)}
    levels = np.asarray(STANDARD_QUANTILES)
    series, totals, sizes, total_sizes = [], [], [], []
    total_actual = []
    scored = np.flatnonzero(folds.scored)
    for fold in scored.tolist():
        lengths = folds.lengths[fold]
        left = None if leaving is None else leaving[fold]
        curves, paths = _speak(history, past, fold, lengths, recipe, inner, left)
        ranks = np.broadcast_to(levels, (*curves.shape[:2], len(levels)))
        series.append(np.maximum(read_quantiles(curves, np.asarray(ranks)), _floor(history)))
        seen = bridge(history.until(lengths))
        sizes.append(usual_step(_padded(seen.y, history.y.shape[1]), history.cadence.season))
        asked = past.lengths[fold]
        sums = _cluster_sums(history, hierarchy, paths, place, past.actual[fold], seen, asked)
        totals.append(np.quantile(sums[0], levels, axis=2).transpose(1, 2, 0))
        total_actual.append(sums[1])
        total_sizes.append(usual_step(sums[2], history.cadence.season))
    ends = np.where(folds.lengths > 0, history.starts + folds.lengths - 1, 0)[scored]
    return Backtest(
        forecaster=recipe.name,
        ids=(*history.ids, *hierarchy.clusters),
        groups=(*past.groups, *("cluster",) * len(hierarchy.clusters)),
        values=np.concatenate([np.stack(series), np.stack(totals)], axis=1),
        actual=np.concatenate([past.actual[scored], np.stack(total_actual)], axis=1),
        step_size=_joined(sizes, total_sizes, 0),
        step_square=_joined(sizes, total_sizes, 1),
        cutoffs=np.concatenate([ends, _cluster_ends(history, hierarchy, ends)], axis=1),
    )


def _speak(
    history: Dense,
    past: Replay,
    fold: int,
    lengths: Int,
    recipe: Recipe,
    inner: Int,
    leaving: Float | None,
) -> tuple[Float, Float]:
    """Curves (B, H, 199) at one fold and joint paths (I, H, P) of the rows ``inner`` (I,); NaN rows where
    not asked."""
    weights = learn_weights(past, lengths, recipe)
    mix = blended(past, weights)
    hurdle = leaving is not None and bool((leaving > 0).any())
    past = survivors(past) if hurdle else past
    calibration = calibrate(past, mix, lengths, recipe, season=history.cadence.season)
    dependence = learn_dependence(past, mix, lengths, calibration, areas_of(history))
    steps = past.actual.shape[2]
    centre = mixed(past.point[:, fold], weights.of(past.groups, steps))
    z = calibration.of(past.pools, steps)
    curves = centre[:, :, None] + past.scale[fold][:, None, None] * z
    np.maximum(curves, _floor(history), out=curves)
    if leaving is not None and hurdle:
        curves = hurdled(curves, leaving)
    areas = tuple(np.asarray(areas_of(history), dtype=object)[inner])
    ranks = sample_ranks(dependence, areas, steps, PATHS, recipe.seed + int(fold))
    return curves, np.maximum(read_quantiles(curves[inner], ranks), _floor(history)[inner])


def _floor(history: Dense) -> Float:
    """(B, 1, 1) zero for series that were never negative."""
    return np.where(history.non_negative, 0.0, -np.inf)[:, None, None]


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
    count, steps, drawn = len(hierarchy.clusters), paths.shape[1], paths.shape[2]
    sums = np.full((count, steps, drawn), np.nan)
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
    out = np.zeros((len(ends), len(hierarchy.clusters)), dtype=np.int64)
    for c, cluster in enumerate(hierarchy.clusters):
        rows = [history.row[name] for name in hierarchy.members[cluster]]
        out[:, c] = ends[:, rows].max(axis=1)
    return out


def _padded(y: Float, width: int) -> Float:
    out = np.full((len(y), width), np.nan)
    out[:, : y.shape[1]] = y
    return out


def _joined(sizes: list[tuple[Float, Float]], totals: list[tuple[Float, Float]], which: int) -> Float:
    rows = [np.concatenate([a[which], b[which]]) for a, b in zip(sizes, totals, strict=True)]
    return np.stack(rows)
