"""How wide the bands of one plant are beside another's, above and below apart: normalised conformal bands.

Two boosters say from what is known of a series at its cutoff how far above, and how far below, the blend its
figure usually came, in usual changes of the series and beside others (Papadopoulos, Gammerman & Vovk 2008).
Part of that difference stretches each side of the band, and the errors that the bands are read off are
measured in it. Both are learnt from the blend's own past errors, in kinds of which there are many series.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from features.matrix.build import DIGITS, build, recipe_for
from features.matrix.recipe import FeatureRecipe
from features.matrix.scale import ONLY_ZEROS
from features.series.panel import Dense
from models.boosted import train_booster
from models.calibration import WIDEST_ERROR
from models.recipe import Recipe
from models.replay import Replay, groups_of

if TYPE_CHECKING:
    from models.boosted import Booster

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

# Chosen, as the settings below, on EU ETS plants up to 2017 (ADR 0029). Of 200 countries, and of plants with
# fewer past cutoffs, nothing was learnt that held.
LEAST_SERIES: Final = 1000
LEAST_CUTOFFS: Final = 5
MOST_ROWS: Final = 60_000
TREES: Final = 100
LEAST_LEAF: Final = 200
# How much of the difference, as a power, is believed.
STRENGTH: Final = 0.35
WIDEST_RATIO: Final = 4.0
_TREES: Final = {
    "objective": "tweedie", "tweedie_variance_power": 1.5, "learning_rate": 0.08, "num_leaves": 15,
    "feature_fraction": 0.7, "max_bin": 63, "force_row_wise": True,
}  # fmt: skip


@dataclass(frozen=True)
class Widths:
    """What has been learnt of the widths of bands.

    Attributes:
        recipe: the features that are read; the step is not among them.
        groups: kinds of series it was learnt from; of others it says nothing.
        boosters: of the distance above and of that below, in usual changes.
        middle: of each, its mean over the past, as a logarithm.
    """

    recipe: FeatureRecipe
    groups: tuple[str, ...]
    boosters: tuple[Booster, Booster]
    middle: tuple[float, float]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns the boosters read, in order."""
        return self.recipe.columns[:-1]

    def of(self, history: Dense) -> Float:
        """(2, B) widths above and below, beside those of other series; 1 for kinds that were not learnt."""
        out = np.ones((2, len(history.ids)))
        rows = np.flatnonzero(_inside(groups_of(history), self.groups) & (history.lengths > 0))
        if len(rows):
            out[:, rows] = self.said(build(history.take(rows), self.recipe, 1).x)
        return out

    def said(self, x: Float) -> Float:
        """(2, b) widths of feature rows (b, F)."""
        return self.beside(_far(self.boosters, x))

    def beside(self, far: Float) -> Float:
        """(2, b) widths of distances (2, b)."""
        ratio = far / np.exp(np.array(self.middle))[:, None]
        return np.asarray(np.clip(ratio, 1 / WIDEST_RATIO, WIDEST_RATIO) ** STRENGTH)

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form, without the boosters."""
        return {
            "features": self.recipe.as_record(),
            "columns": list(self.columns),
            "groups": list(self.groups),
            "middle": list(self.middle),
        }

    @staticmethod
    def of_record(record: dict[str, Any], boosters: tuple[Booster, Booster]) -> Widths:
        """Inverse of ``as_record``."""
        above, below = map(float, record["middle"])
        recipe = FeatureRecipe.of_record(record["features"])
        return Widths(recipe, tuple(record["groups"]), boosters, (above, below))


def stretched(spread: Float, widths: Float) -> Float:
    """Scaled error quantiles (b, H, Q), those above zero and below it by widths (2, b)."""
    above, below = widths[:, :, None, None]
    return np.asarray(spread * np.where(spread > 0, above, below))


def learn_widths(
    history: Dense, past: Replay, blended: Float, lengths: Int, recipe: Recipe
) -> tuple[Widths | None, Replay]:
    """The widths of a yearly panel, and the past with its errors in units of them.

    Without a kind of ``LEAST_SERIES`` series, with errors of fewer cutoffs than ``LEAST_CUTOFFS``, or with
    errors on one side alone there are none, and the past stays as it is.

    Args:
        history: the panel; nothing of it after ``lengths`` is read.
        past, blended, lengths: as in ``models.calibration.calibrate``.
        recipe: how much older cutoffs count.
    """
    usable = past.known_by(lengths) & np.isfinite(blended) & (past.scale != ONLY_ZEROS)[:, :, None]
    groups = _many(past.groups, usable.any(axis=(0, 2))) if history.cadence.season == 1 else ()
    if not groups or usable.any(axis=(1, 2)).sum() < LEAST_CUTOFFS:
        return None, past
    usable &= _inside(past.groups, groups)[None, :, None]
    seen = history.until(lengths).take(np.flatnonzero(lengths >= 1))
    features = recipe_for(seen)
    rows = [np.flatnonzero(held.any(axis=1)) for held in usable]
    known = [_known(history, past.lengths[o], mine, features) for o, mine in enumerate(rows)]
    told = _Told(past, blended, usable, rows, known)
    if not told.both_sides:
        return None, past
    boosters = told.trained(features, recipe)
    far = _far(boosters, np.concatenate(known))
    above, below = map(float, np.log(far).mean(axis=1))
    widths = Widths(features, groups, boosters, (above, below))
    return widths, told.measured_in(widths.beside(far))


@dataclass(frozen=True)
class _Told:
    """The past as widths are learnt from it: usable errors (O, B, H), and at each cutoff the rows that have
    one (b,) and what was known of them (b, F)."""

    past: Replay
    blended: Float
    usable: Bool
    rows: list[Int]
    known: list[Float]

    @property
    def errors(self) -> Float:
        """(O, B, H) in usual changes."""
        with np.errstate(invalid="ignore"):
            z = (self.past.actual - self.blended) / self.past.scale[:, :, None]
        return np.asarray(np.where(self.usable, np.clip(z, -WIDEST_ERROR, WIDEST_ERROR), 0.0))

    @property
    def both_sides(self) -> bool:
        """Whether some figure came above the blend and some below it."""
        z = self.errors
        return bool((z > 0).any() and (z < 0).any())

    def trained(self, features: FeatureRecipe, recipe: Recipe) -> tuple[Booster, Booster]:
        """Boosters of the distance above and below, each error beside the mean absolute one of its step."""
        z = self.errors
        size = np.abs(z).sum(axis=(0, 1)) / np.maximum(self.usable.sum(axis=(0, 1)), 1)
        o, b, h = np.nonzero(self.usable)
        if len(o) > MOST_ROWS:
            kept = np.linspace(0, len(o) - 1, MOST_ROWS).astype(np.int64)
            o, b, h = o[kept], b[kept], h[kept]
        cutoffs = range(len(self.rows))
        x = np.concatenate([self.known[k][np.searchsorted(self.rows[k], b[o == k])] for k in cutoffs])
        target = np.round(z[o, b, h] / np.where(size > 0, size, 1.0)[h], DIGITS)
        weight = np.asarray(recipe.memory ** (len(cutoffs) - o.astype(np.float64)), dtype=np.float64)
        parameters = {**_TREES, "seed": recipe.seed}
        parameters["min_data_in_leaf"] = min(LEAST_LEAF, max(20, len(target) // 100))
        columns, codes = features.columns[:-1], features.categorical
        above, below = (
            train_booster(x, np.maximum(side * target, 0.0), columns, codes, parameters, TREES, weight)
            for side in (1.0, -1.0)
        )
        return above, below

    def measured_in(self, widths: Float) -> Replay:
        """The past, its errors in units of the widths (2, N), one row after the other, of all cutoffs."""
        actual, done = self.past.actual.copy(), 0
        for o, mine in enumerate(self.rows):
            above, below = widths[:, done : done + len(mine), None]
            error = self.past.actual[o, mine] - self.blended[o, mine]
            actual[o, mine] = self.blended[o, mine] + error / np.where(error > 0, above, below)
            done += len(mine)
        return replace(self.past, actual=actual)


def _far(boosters: tuple[Booster, Booster], x: Float) -> Float:
    """(2, b) distances above and below that the boosters say of rows (b, F)."""
    return np.stack([np.asarray(one.predict(x, num_threads=1)) for one in boosters])


def _known(history: Dense, lengths: Int, rows: Int, features: FeatureRecipe) -> Float:
    """(b, F) what was known of some series when ``lengths`` (B,) periods were visible."""
    if len(rows) == 0:
        return np.zeros((0, len(features.columns) - 1))
    return build(history.take(rows).until(lengths[rows]), features, 1).x


def _many(groups: tuple[str, ...], held: Bool) -> tuple[str, ...]:
    """Kinds with ``LEAST_SERIES`` series or more that have a past error (B,)."""
    names, counts = np.unique(np.asarray(groups)[held], return_counts=True)
    return tuple(str(name) for name, count in zip(names, counts, strict=True) if count >= LEAST_SERIES)


def _inside(groups: tuple[str, ...], chosen: tuple[str, ...]) -> Bool:
    return np.isin(np.asarray(groups), chosen)
