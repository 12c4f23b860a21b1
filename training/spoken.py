"""What a recipe says at one fold of a backtest: bands of every series, joint paths of those that are summed.

Thousands of series are asked for a few levels only: no more of their curves is drawn than is read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense
from models.blend import blended, learn_weights, mixed
from models.calibration import Calibration, calibrate
from models.dependence import Levels, learn_dependence, read_quantiles, sample_ranks
from models.exits import hurdled, survivors
from models.fitted import areas_of
from models.forecast import STANDARD_QUANTILES
from models.recipe import Recipe
from models.replay import Replay
from models.totals import PastTotals

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

PATHS: Final = 400
TOGETHER: Final = 64


def speak(
    history: Dense,
    past: Replay,
    lengths: Int,
    fold: int,
    recipe: Recipe,
    inner: Int,
    leaving: Float | None,
    totals: PastTotals | None,
) -> tuple[Float, Float]:
    """Quantiles (B, H, 13) at one fold and joint paths (I, H, P) of the rows ``inner`` (I,), moved
    towards what ``totals`` say by themselves; NaN rows where not asked."""
    areas, floor = areas_of(history), floor_of(history.until(lengths))
    weights = learn_weights(past, lengths, recipe)
    mix = blended(past, weights)
    hurdle = leaving is not None and bool((leaving > 0).any())
    past = survivors(past) if hurdle else past
    bands = calibrate(past, mix, lengths, recipe, season=history.cadence.season)
    dependence = learn_dependence(past, mix, lengths, bands, areas)
    centre = mixed(past.point[:, fold], weights.of(past.groups, past.actual.shape[2]))
    drawn = Curves(centre, past.scale[fold], past.pools, floor, leaving if hurdle else None)
    ranks = sample_ranks(
        dependence, tuple(areas[row] for row in inner), centre.shape[1], PATHS, recipe.seed + int(fold)
    )
    paths = read_quantiles(drawn.whole(inner, bands), ranks)
    paths = np.maximum(paths, floor[inner])
    paths = paths if totals is None else totals.agreed(paths, inner, history, fold)
    return np.maximum(drawn.read(bands), floor), paths


@dataclass(frozen=True)
class Curves:
    """What quantile curves of B series are made of.

    Attributes:
        centre: (B, H); scale: (B,); pools: (B,); floor: (B, 1, 1), below which no curve falls.
        leaving: (B, H) chance of zero, None where no plant may leave.
    """

    centre: Float
    scale: Float
    pools: tuple[str, ...]
    floor: Float
    leaving: Float | None

    def whole(self, rows: Int, bands: Calibration) -> Float:
        """(b, H, 199) the curves of some rows, the hurdle before them."""
        curves = self._plain(rows, bands)
        return curves if self.leaving is None else hurdled(curves, self.leaving[rows])

    def read(self, bands: Calibration) -> Float:
        """(B, H, 13) all of them at ``STANDARD_QUANTILES``."""
        levels, every = Levels.of(STANDARD_QUANTILES), np.arange(len(self.pools))
        if self.leaving is None:
            return levels.off(self._plain(every, replace(bands, z=bands.z[:, :, levels.columns])))
        out = np.empty((*self.centre.shape, len(STANDARD_QUANTILES)))
        for first in range(0, len(every), TOGETHER):
            some = every[first : first + TOGETHER]
            out[some] = levels.off(self.whole(some, bands)[..., levels.columns])
        return out

    def _plain(self, rows: Int, bands: Calibration) -> Float:
        spread = bands.of(tuple(self.pools[row] for row in rows), self.centre.shape[1])
        curves = self.centre[rows, :, None] + self.scale[rows, None, None] * spread
        return np.asarray(np.maximum(curves, self.floor[rows]))


def floor_of(history: Dense) -> Float:
    """(B, 1, 1) zero for series that were never negative, as far as ``history`` tells."""
    return np.where(history.non_negative, 0.0, -np.inf)[:, None, None]
