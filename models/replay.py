"""The past replayed: what every member would have said at past cutoffs, and what came true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from features.matrix.scale import usual_change
from features.series.panel import Dense
from features.series.scopes import bridge, same_scope_ahead
from models.kinds import make
from models.recipe import Recipe

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

LEAST_HISTORY = 3


@dataclass(frozen=True)
class Replay:
    """Forecasts of M members at O past cutoffs for B series, H steps.

    Attributes:
        members: (M,) names.
        point: (M, O, B, H) forecasts, tCO2e; NaN where a series was not old enough.
        actual: (O, B, H) what came true in the scope of the cutoff; NaN where unknown or of another
            scope.
        scale: (O, B) usual change at the cutoff, tCO2e.
        lengths: (O, B) periods that were visible (0 = not replayed).
        groups: (B,) kind of each series.
        pools: (B,) whose errors each series' bands are read from: its kind, for plants also its scope.
    """

    members: tuple[str, ...]
    point: Float
    actual: Float
    scale: Float
    lengths: Int
    groups: tuple[str, ...]
    pools: tuple[str, ...]

    def known_by(self, lengths: Int) -> Bool:
        """(O, B, H) True where the actual lies within the first ``lengths`` (B,) periods."""
        steps = self.actual.shape[2]
        column = self.lengths[:, :, None] + np.arange(steps)
        visible = (self.lengths > 0)[:, :, None] & (column < lengths[None, :, None])
        return np.asarray(visible & np.isfinite(self.actual))

    def only(self, members: Sequence[str]) -> Replay:
        """The same past with fewer members."""
        if tuple(members) == self.members:
            return self
        rows = [self.members.index(name) for name in members]
        return replace(self, members=tuple(members), point=self.point[rows])


def silent(member: str, origin: int) -> None:
    """Progress nobody wants to hear of."""


def replay(
    history: Dense,
    origins: Int,
    recipe: Recipe,
    members: Sequence[str],
    *,
    told: Callable[[str, int], None] = silent,
) -> Replay:
    """Fit every member at each past cutoff on what was visible then, and let it speak.

    Args:
        history: the panel, as far as it is known.
        origins: (O, B) periods visible at each past cutoff, oldest first; 0 = not there yet.
        recipe: settings of the members and the number of steps.
        members: which forecasters.
        told: called after each member at each origin, for progress.
    """
    steps = recipe.reach
    shape = (len(origins), len(history.ids), steps)
    point = np.full((len(members), *shape), np.nan)
    actual, scale = np.full(shape, np.nan), np.full(shape[:2], np.nan)
    for o, lengths in enumerate(origins):
        rows = np.flatnonzero(lengths >= 1)
        seen = history.until(lengths).take(rows)
        asked = np.flatnonzero(lengths[rows] >= LEAST_HISTORY)
        spoken = seen.take(asked)
        at = rows[asked]
        scale[o, at] = usual_change(bridge(spoken))
        actual[o, at] = actual_ahead(history, lengths, steps)[at]
        for m, name in enumerate(members):
            point[m, o, at] = make(name, recipe).fit(seen).forecast(spoken, steps)
            told(name, o)
    lengths = np.where(origins >= LEAST_HISTORY, origins, 0)
    return Replay(tuple(members), point, actual, scale, lengths, groups_of(history), pools_of(history))


def actual_ahead(history: Dense, lengths: Int, steps: int) -> Float:
    """(B, steps) figures after each cutoff that lie in the cutoff's scope; NaN elsewhere."""
    width = history.y.shape[1]
    column = lengths[:, None] + np.arange(steps)[None, :]
    inside = column < width
    values = np.take_along_axis(history.y, np.minimum(column, width - 1), axis=1)
    lawful = same_scope_ahead(history, lengths, steps)
    return np.where(inside & lawful, values, np.nan)


def groups_of(history: Dense) -> tuple[str, ...]:
    """(B,) the kind of each series; one kind for a panel that declares none."""
    if "kind" in history.traits.columns:
        return tuple(history.traits["kind"].astype(str))
    return ("all",) * len(history.ids)


def pools_of(history: Dense) -> tuple[str, ...]:
    """(B,) the pool of errors of each series: plants of one register err alike, those of two do not."""
    kinds = groups_of(history)
    if "scope_id" not in history.traits.columns:
        return kinds
    scopes = history.traits["scope_id"].astype(str)
    return tuple(
        f"{kind}/{scope}" if kind == "plant" else kind for kind, scope in zip(kinds, scopes, strict=True)
    )


def past_origins(history: Dense, recipe: Recipe) -> Int:
    """(O, B) periods visible at past cutoffs chosen from the panel's own length, oldest first.

    Annual panels step back one period at a time. Seasonal ones spread the same number of cutoffs over
    two seasons, so that a cutoff is not always in the same phase.
    """
    season = history.cadence.season
    longest = int(history.lengths.max(initial=0))
    room = longest - max(LEAST_HISTORY + 1, 2 * season if longest > 3 * season else 0)
    span = recipe.origins if season == 1 else min(recipe.reach, season) + 2 * season
    deepest = max(1, min(room, span))
    backs = np.unique(np.round(np.linspace(1, deepest, min(recipe.origins, deepest))).astype(np.int64))
    lengths = history.lengths[None, :] - backs[::-1, None]
    return np.where(lengths >= LEAST_HISTORY, lengths, 0)
