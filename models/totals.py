"""Totals are forecast themselves as well, and their parts moved to agree with both forecasts path by path.

A total has a history of its own: the sum of the series of one area and kind. Its own blend and bands are
learnt from its own replayed errors. On every path the total becomes the mean of what the parts add up to
and what its own bands say at the same rank (averaged quantiles: Lichtendahl, Grushka-Cockayne & Winkler
2013), and the parts share the difference out in units of their variance. What is served still adds up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.matrix.scale import usual_change
from features.series.panel import Dense
from features.series.scopes import bridge
from models.blend import Weights, blended, learn_weights, mixed
from models.calibration import Calibration, calibrate
from models.dependence import PLANT, read_quantiles
from models.kinds import make
from models.recipe import Recipe
from models.reconcile import shared_out
from models.replay import LEAST_HISTORY, Replay, actual_ahead, groups_of

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

# What the total's own forecast counts beside the sum of the parts': neither is known to be the better one.
OWN_SHARE: Final = 0.5
# Of the parts' variance, so that a total that cannot move has a solution too.
LEAST_SPREAD: Final = 1e-12
FOREVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True)
class FittedTotals:
    """What has been learnt of totals by themselves.

    Attributes:
        weights, calibration: learnt on the replayed past of the totals.
    """

    weights: Weights
    calibration: Calibration

    def agreed(self, paths: Float, history: Dense, recipe: Recipe) -> Float:
        """Joint paths (B, H, P) of the series of ``history``, moved in place towards what totals say by
        themselves."""
        groups, steps = parts_by_total(history), paths.shape[1]
        totals = summed(history, history.lengths, groups)
        told = np.flatnonzero(totals.lengths >= LEAST_HISTORY)
        if len(told) == 0:
            return paths
        seen = totals.take(told)
        said, kinds = _said(seen, steps, self.weights.members, recipe), groups_of(seen)
        centre = mixed(said, self.weights.of(kinds, steps))
        curves = _curves(centre, usual_change(bridge(seen)), kinds, self.calibration)
        return moved(paths, curves, [groups[n] for n in told], history.non_negative)

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {"weights": self.weights.as_record(), "calibration": self.calibration.as_record()}

    @staticmethod
    def of_record(record: dict[str, Any]) -> FittedTotals:
        """Inverse of ``as_record``."""
        return FittedTotals(
            Weights.of_record(record["weights"]), Calibration.of_record(record["calibration"])
        )


@dataclass(frozen=True)
class PastTotals:
    """Totals of a panel replayed at the cutoffs of its series.

    Attributes:
        groups: rows of the panel that each of N totals is the sum of.
        cutoffs: (O, B) periods of the series visible at each cutoff, 0 where one is not asked.
        past: what was said of the sums of the series asked, and what came true.
        recipe: of the totals; its members are blended.
    """

    groups: tuple[Int, ...]
    cutoffs: Int
    past: Replay
    recipe: Recipe

    def learnt(self, lengths: Int) -> FittedTotals:
        """Weights and bands from what lies within the first ``lengths`` (B,) periods of the series."""
        ahead = np.zeros(self.past.lengths.shape, dtype=np.int64)
        for n, rows in enumerate(self.groups):
            # A total is known as far as the last of its parts.
            asked = self.cutoffs[:, rows] > 0
            ahead[:, n] = np.where(asked, lengths[rows] - self.cutoffs[:, rows], FOREVER).min(axis=1)
        known = np.arange(self.past.actual.shape[2]) < ahead[:, :, None]
        past = replace(self.past, actual=np.where(known, self.past.actual, np.nan))
        every = np.full(len(self.groups), FOREVER)
        weights = learn_weights(past, every, self.recipe)
        return FittedTotals(weights, calibrate(past, blended(past, weights), every, self.recipe, season=1))

    def agreed(self, paths: Float, inner: Int, panel: Dense, fold: int) -> Float:
        """Joint paths (I, H, P) of the rows ``inner`` of the panel, drawn at one cutoff, moved in place with
        what was known then; NaN for series that were not asked."""
        # What was visible once stays so, also of a series that has ended since.
        learnt = self.learnt(self.cutoffs[: fold + 1].max(axis=0))
        shares = learnt.weights.of(self.past.groups, paths.shape[1])
        centre = mixed(self.past.point[:, fold], shares)
        curves = _curves(centre, self.past.scale[fold], self.past.groups, learnt.calibration)
        place = np.full(len(panel.ids), -1)
        place[inner] = np.arange(len(inner))
        asked = [place[rows[self.cutoffs[fold, rows] > 0]] for rows in self.groups]
        whole = [n for n, rows in enumerate(asked) if (rows >= 0).all()]
        non_negative = panel.until(self.cutoffs[fold]).non_negative[inner]
        return moved(paths, curves[whole], [asked[n] for n in whole], non_negative)


def replay_totals(panel: Dense, cutoffs: Int, recipe: Recipe) -> PastTotals | None:
    """The totals of a yearly panel at the cutoffs (O, B) of its series, each of those asked at that cutoff.

    None where there are no totals, or the recipe has no member for them.
    """
    members = tuple(name for name in recipe.totals if name in recipe.members)
    groups, steps = parts_by_total(panel), recipe.reach
    if not groups or not members:
        return None
    own = replace(recipe, members=members, anchor=recipe.totals_anchor)
    shape = (len(cutoffs), len(groups), steps)
    point, actual = np.full((len(members), *shape), np.nan), np.full(shape, np.nan)
    scale, visible = np.full(shape[:2], np.nan), np.zeros(shape[:2], dtype=np.int64)
    for o, lengths in enumerate(cutoffs):
        totals = summed(panel, lengths, groups)
        told = np.flatnonzero(totals.lengths >= LEAST_HISTORY)
        if len(told) == 0:
            continue
        seen, ahead = totals.take(told), actual_ahead(panel, lengths, steps)
        visible[o, told], scale[o, told] = seen.lengths, usual_change(bridge(seen))
        point[:, o, told] = _said(seen, steps, members, recipe)
        for n in told:
            actual[o, n] = ahead[groups[n][lengths[groups[n]] > 0]].sum(axis=0)
    kinds = groups_of(panel)
    named = tuple(kinds[rows[0]] for rows in groups)
    return PastTotals(groups, cutoffs, Replay(members, point, actual, scale, visible, named, named), own)


def learn_totals(panel: Dense, cutoffs: Int, recipe: Recipe) -> FittedTotals | None:
    """Totals learnt from all of ``panel``, replayed at ``cutoffs`` (O, B)."""
    made = replay_totals(panel, cutoffs, recipe)
    return None if made is None else made.learnt(panel.lengths)


def parts_by_total(panel: Dense) -> tuple[Int, ...]:
    """Rows of two series or more of one area and kind in a yearly panel, plants left out."""
    if "area" not in panel.traits.columns or panel.cadence.season > 1:
        return ()
    inside: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(groups_of(panel), panel.traits["area"].astype(str), strict=True)):
        if key[0] != PLANT:
            inside.setdefault(key, []).append(row)
    return tuple(np.array(rows) for _, rows in sorted(inside.items()) if len(rows) > 1)


def summed(panel: Dense, lengths: Int, groups: Sequence[Int]) -> Dense:
    """Totals (N, T) of the series that are asked, seen when ``lengths`` (B,) periods of them are.

    A break is where the scope of a part changes, or which parts have a figure. Nothing is told of a total
    (length 0) of fewer than two series asked, of series that do not end together, or of which one has no
    figure at the end: what was known then was not their sum.
    """
    y = np.full((len(groups), int(np.ptp(panel.starts)) + panel.y.shape[1] if len(groups) else 1), np.nan)
    breaks, kept = np.zeros(y.shape, dtype=bool), np.zeros(len(groups), dtype=np.int64)
    starts = np.zeros(len(groups), dtype=np.int64)
    for n, rows in enumerate(groups):
        rows = rows[lengths[rows] > 0]
        ends = panel.starts[rows] + lengths[rows]
        if len(rows) < 2 or np.ptp(ends) or np.isnan(panel.y[rows, lengths[rows] - 1]).any():
            continue
        starts[n] = panel.starts[rows].min()
        kept[n] = width = int(ends[0] - starts[n])
        column = np.arange(width) - (panel.starts[rows] - starts[n])[:, None]
        there, at = column >= 0, (rows[:, None], np.maximum(column, 0))
        line = np.where(there, panel.y[at], np.nan)
        held = np.isfinite(line)
        y[n, :width] = np.where(held.any(axis=0), np.where(held, line, 0.0).sum(axis=0), np.nan)
        breaks[n, :width] = (there & panel.breaks[at]).any(axis=0)
        breaks[n, 1:width] |= (held[:, 1:] != held[:, :-1]).any(axis=0)
    first = [int(rows[0]) for rows in groups]
    return Dense(
        ids=tuple(f"total of {panel.ids[row]}" for row in first), y=y, lengths=kept, starts=starts,
        breaks=breaks, cadence=panel.cadence, traits=panel.traits.iloc[first].reset_index(drop=True),
    )  # fmt: skip


def moved(paths: Float, curves: Float, parts: Sequence[Int], non_negative: npt.NDArray[np.bool_]) -> Float:
    """``paths`` (B, H, P), changed in place so that totals lie midway between their sums and the totals' own
    ``curves`` (N, H, 199).

    A total stays as it is where it has no curve, where a part has no path, or where one may be negative.
    """
    for rows, curve in zip(parts, curves, strict=True):
        lawful = len(rows) > 1 and np.isfinite(curve).all() and non_negative[rows].all()
        if lawful and np.isfinite(paths[rows]).all():
            paths[rows] = _towards(paths[rows], curve)
    return paths


def _said(seen: Dense, steps: int, members: Sequence[str], recipe: Recipe) -> Float:
    """(M, N, steps) what the members say of totals, learning from them alone."""
    return np.stack([make(name, recipe).fit(seen).forecast(seen, steps) for name in members])


def _curves(centre: Float, scale: Float, kinds: tuple[str, ...], bands: Calibration) -> Float:
    """(N, H, 199) curves about ``centre`` (N, H), none below zero."""
    spread = bands.of(kinds, centre.shape[1])
    return np.asarray(np.maximum(centre[:, :, None] + scale[:, None, None] * spread, 0.0))


def _towards(parts: Float, curve: Float) -> Float:
    """(k, H, P) parts, their sum moved towards the quantile of ``curve`` (H, 199) at its own rank."""
    count, steps, drawn = parts.shape
    total = parts.sum(axis=0)
    ranks = (total.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") + 0.5) / drawn
    own = np.maximum(read_quantiles(curve[None], ranks[None])[0], 0.0)
    wanted = (1 - OWN_SHARE) * total + OWN_SHARE * own
    level = np.maximum(total.mean(axis=1), 1.0)
    variance = np.maximum(parts.var(axis=2), LEAST_SPREAD * level**2)
    flat = np.moveaxis(parts, 0, 2).reshape(steps * drawn, count)
    spread = np.repeat(variance.T, drawn, axis=0)
    made = shared_out(wanted.reshape(-1), flat, LEAST_SPREAD * spread.sum(axis=1), spread)
    return np.asarray(np.moveaxis(made.reshape(steps, drawn, count), 2, 0))
