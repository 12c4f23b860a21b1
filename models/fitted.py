"""A fitted recipe: members, weights, bands and dependence, frozen; history is handed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.matrix.scale import usual_change
from features.series.panel import Dense
from features.series.scopes import bridge
from models.blend import Weights, blended, learn_weights, mixed
from models.calibration import GRID, Calibration, calibrate
from models.dependence import Dependence, Levels, learn_dependence, read_quantiles, sample_ranks
from models.exits import Exits, hurdled, learn_exits, newest_of_areas, survivors
from models.forecast import Outlook
from models.forecaster import Fitted
from models.kinds import make
from models.recipe import Recipe
from models.replay import Replay, groups_of, pools_of
from models.totals import FittedTotals, learn_totals

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

TOGETHER: Final = 64


@dataclass(frozen=True)
class FittedRecipe:
    """What a recipe has learnt from a panel.

    Attributes:
        recipe: how it was made.
        members: fitted members, in the recipe's order.
        weights, calibration, dependence: learnt on replayed cutoffs.
        exits: the chance that a plant closes; None where too few did.
        totals: what sums of an area say by themselves; None where there are none.
        trained_on: series it learnt from.
    """

    recipe: Recipe
    members: tuple[Fitted, ...]
    weights: Weights
    calibration: Calibration
    dependence: Dependence
    exits: Exits | None
    totals: FittedTotals | None
    trained_on: tuple[str, ...]

    def curves(self, history: Dense, steps: int) -> Float:
        """(B, steps, 199) quantile curves at ``GRID`` in tCO2e; never negative where history never was."""
        return self.curves_about(self.said(history, steps), history)

    def said(self, history: Dense, steps: int) -> Float:
        """(M, B, steps) what each member says, tCO2e."""
        return np.stack([member.forecast(history, steps) for member in self.members])

    def curves_about(self, said: Float, history: Dense) -> Float:
        """(B, steps, 199) ``curves`` of what the members said (M, B, steps)."""
        steps = said.shape[2]
        centre = mixed(said, self.weights.of(groups_of(history), steps))
        scale, pools, floor = usual_change(bridge(history)), pools_of(history), _floor(history)
        chance = None if self.exits is None else self.exits.chance(history, steps)
        out = np.empty((*centre.shape, len(GRID)))
        # A few rows at a time stay in the processor's cache.
        for first in range(0, len(out), TOGETHER):
            some = slice(first, first + TOGETHER)
            spread = self.calibration.of(pools[some], steps)
            curves = centre[some, :, None] + scale[some, None, None] * spread
            np.maximum(curves, floor[some], out=curves)
            out[some] = curves if chance is None else hurdled(curves, chance[some])
        return out

    def paths(self, history: Dense, steps: int, count: int, seed: int) -> Float:
        """(B, steps, count) joint sample paths in tCO2e.

        Args:
            history: figures up to each cutoff.
            steps: periods ahead.
            count: paths; each series and step has them evenly spread over its calibrated band, but for
                parts of a total, which are moved towards what the total says by itself.
            seed: the same seed gives the same paths.
        """
        ranks = sample_ranks(self.dependence, areas_of(history), steps, count, seed)
        drawn = read_quantiles(self.curves(history, steps), ranks)
        drawn = np.maximum(drawn, _floor(history), out=drawn)
        return drawn if self.totals is None else self.totals.agreed(drawn, history, self.recipe)

    def outlook(self, history: Dense, steps: int, levels: tuple[float, ...]) -> Outlook:
        """Forecast of every series by itself (no paths drawn).

        Args:
            levels: quantile levels in (0, 1), increasing.
        """
        return outlook_of_curves(
            self.curves(history, steps), history, levels, (self.recipe.name,) * len(history.ids)
        )


def outlook_of_curves(
    curves: Float, history: Dense, levels: tuple[float, ...], made_by: tuple[str, ...]
) -> Outlook:
    """Quantiles and mean read off curves (B, H, 199)."""
    steps = curves.shape[1]
    read = Levels.of(levels)
    values = read.off(curves[..., read.columns])
    values = np.where(history.non_negative[:, None, None], np.maximum(values, 0.0), values)
    return Outlook(
        ids=history.ids,
        ds=history.future(steps),
        cutoffs=history.cutoffs(),
        mean=curves.mean(axis=2),
        levels=levels,
        values=np.maximum.accumulate(values, axis=2),
        made_by=made_by,
        cadence=history.cadence,
    )


def _floor(history: Dense) -> Float:
    """(B, 1, 1) zero for series that were never negative, which no forecast of theirs is."""
    return np.where(history.non_negative, 0.0, -np.inf)[:, None, None]


def areas_of(history: Dense) -> tuple[str, ...]:
    """(B,) area of each series; each its own area where none is declared."""
    if "area" in history.traits.columns:
        return tuple(history.traits["area"].astype(str))
    return history.ids


def fit(history: Dense, past: Replay, recipe: Recipe) -> FittedRecipe:
    """Fit every member on all of ``history``; weights, bands and dependence on its replayed past."""
    replayed = past.only(recipe.members)
    weights = learn_weights(replayed, history.lengths, recipe)
    mix = blended(replayed, weights)
    season = history.cadence.season
    areas = areas_of(history)
    newest = newest_of_areas(history.starts + history.lengths - 1, areas)
    exits = learn_exits(history, newest) if recipe.exits and season == 1 else None
    replayed = replayed if exits is None else survivors(replayed)
    calibration = calibrate(replayed, mix, history.lengths, recipe, season=season)
    dependence = learn_dependence(replayed, mix, history.lengths, calibration, areas)
    return FittedRecipe(
        recipe=recipe,
        members=tuple(make(name, recipe).fit(history) for name in recipe.members),
        weights=weights,
        calibration=calibration,
        dependence=dependence,
        exits=exits,
        totals=learn_totals(history, past.lengths, recipe),
        trained_on=history.ids,
    )


__all__ = ["GRID", "FittedRecipe", "areas_of", "fit", "outlook_of_curves"]
