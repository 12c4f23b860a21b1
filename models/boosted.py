"""One LightGBM booster for a whole panel: change from the anchor, in units of usual change, by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from features.matrix.build import DIGITS, Rows, build, recipe_for
from features.matrix.recipe import FeatureRecipe
from features.series.panel import Dense
from features.series.scopes import same_scope_ahead
from models.complete import lawful

if TYPE_CHECKING:
    from lightgbm import Booster as Booster

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

LEAST_ROWS = 200
MOST_ROWS = 250_000
MOST_CUTOFFS = 24
WIDEST_TARGET = 8.0
# Both chosen on plants of three registers, figures up to 2017 (``benchmarks/skill``).
HUBER = 0.3
MEMORY_OF_A_YEAR = 0.8


@dataclass(frozen=True)
class BoostedFit:
    """A trained booster and the feature recipe it reads.

    Attributes:
        booster: None where the panel was too small to learn from; then the anchor is the forecast.
        recipe: ordered features.
        reach: longest step it was trained on; later steps repeat its last change.
    """

    booster: Booster | None
    recipe: FeatureRecipe
    reach: int
    name: str = "boosted"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns the booster reads, in order."""
        return self.recipe.columns

    def forecast(self, history: Dense, steps: int) -> Float:
        """(B, steps) tCO2e."""
        rows = build(history, self.recipe, steps)
        change = self._changes(rows, steps)
        out = rows.anchor + change * rows.scale[:, None]
        return lawful(history, out)

    def anchor(self, history: Dense, steps: int) -> Float:
        """(B, steps) the figure each forecast is measured from, tCO2e."""
        return build(history, self.recipe, steps).anchor

    def contributions(self, history: Dense, steps: int) -> tuple[Float, Float]:
        """What each feature does to each forecast change, and what the booster says without any, tCO2e.

        TreeSHAP (Lundberg, Erion and Lee 2018) as LightGBM computes it: over the features the contributions
        add up, with the base, to the predicted change from the anchor, before the floor at zero.

        Returns:
            (B, steps, F) contributions of ``columns`` and (B, steps) base; zeros where nothing was trained.
        """
        rows = build(history, self.recipe, steps)
        told = np.zeros((len(rows.x), steps, len(self.columns) + 1))
        if self.booster is not None:
            for h in range(min(steps, self.reach)):
                asked = self._asked(rows, h)
                told[:, h] = np.asarray(self.booster.predict(asked, pred_contrib=True, num_threads=1))
            told[:, self.reach :] = told[:, self.reach - 1 : self.reach]
        told *= rows.scale[:, None, None]
        return told[:, :, :-1], told[:, :, -1]

    def _changes(self, rows: Rows, steps: int) -> Float:
        out = np.zeros((len(rows.x), steps))
        if self.booster is None:
            return out
        for h in range(min(steps, self.reach)):
            out[:, h] = np.asarray(self.booster.predict(self._asked(rows, h), num_threads=1))
        out[:, self.reach :] = out[:, self.reach - 1 : self.reach]
        return out

    def _asked(self, rows: Rows, h: int) -> Float:
        """(B, F) what the booster reads for step ``h`` + 1."""
        return np.hstack([rows.x, np.full((len(rows.x), 1), h + 1.0)])


@dataclass(frozen=True)
class Boosted:
    """Settings of the booster.

    Attributes:
        reach: longest step trained.
        trees, rate, leaves, least_leaf: LightGBM's num_iterations, learning_rate, num_leaves and
            min_data_in_leaf.
        seed: of the column sampling.
    """

    reach: int = 8
    trees: int = 60
    rate: float = 0.06
    leaves: int = 15
    least_leaf: int = 50
    seed: int = 1
    name: str = "boosted"

    def fit(self, history: Dense) -> BoostedFit:
        """Learn from every cutoff inside ``history`` whose next figures are also inside it."""
        recipe = recipe_for(history)
        x, target, weight = training_rows(history, recipe, self.reach)
        if len(target) < LEAST_ROWS:
            return BoostedFit(booster=None, recipe=recipe, reach=self.reach)
        return BoostedFit(booster=self._train(x, target, weight, recipe), recipe=recipe, reach=self.reach)

    def _train(self, x: Float, target: Float, weight: Float, recipe: FeatureRecipe) -> Booster:
        parameters = {
            "learning_rate": self.rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": min(self.least_leaf, max(5, len(target) // 40)),
            "lambda_l2": 1.0,
            "feature_fraction": 0.8,
            "seed": self.seed,
            "force_row_wise": True,
        }
        return train_booster(x, target, recipe.columns, recipe.categorical, parameters, self.trees, weight)


def train_booster(
    x: npt.NDArray[Any],
    target: npt.NDArray[Any],
    columns: Sequence[str],
    categorical: Sequence[str],
    parameters: Mapping[str, Any],
    trees: int,
    weight: Float | None = None,
) -> Booster:
    """A booster of ``trees`` trees on rows (N, F), the same from the same rows.

    Args:
        columns: (F,) names.
        categorical: those of the columns that are codes.
        parameters: LightGBM's, beside the loss.
        weight: (N,) of the rows.
    """
    import lightgbm

    used = {
        # Huber: close to the median, which absolute-error scores ask for, yet smooth. A small alpha
        # bounds what one row can do, and so how far a regime of few cutoffs can carry the forecast.
        "objective": "huber",
        "alpha": HUBER,
        "cat_smooth": 50.0,
        "deterministic": True,
        "num_threads": 1,
        "verbosity": -1,
        **parameters,
    }
    data = lightgbm.Dataset(
        x,
        target,
        weight=weight,
        feature_name=list(columns),
        categorical_feature=list(categorical),
        params=used,
    )
    return lightgbm.train(used, data, num_boost_round=trees)


def read_booster(text: str) -> Booster:
    """The booster in LightGBM's own text."""
    import lightgbm

    return lightgbm.Booster(model_str=text)


def training_rows(history: Dense, recipe: FeatureRecipe, reach: int) -> tuple[Float, Float, Float]:
    """Features (N, F), targets (N,) and weights (N,) of every lawful (series, cutoff, step) in ``history``.

    A target whose step lies beyond a scope break is left out. The weight falls with the age of the cutoff.
    """
    xs, targets, weights = [], [], []
    memory = MEMORY_OF_A_YEAR ** (1 / history.cadence.season)
    for back in _cutoffs_back(history):
        lengths = history.lengths - back
        rows = np.flatnonzero(lengths >= 3)
        if len(rows) == 0:
            continue
        whole = history.take(rows)
        seen = whole.until(lengths[rows])
        # Values after the cutoff are measured in the scope of the cutoff: no break in between.
        lawful = same_scope_ahead(whole, lengths[rows], reach)
        made = build(seen, recipe, reach)
        for h in range(min(reach, back)):
            column = np.minimum(lengths[rows] + h, whole.y.shape[1] - 1)
            actual = whole.y[np.arange(len(rows)), column]
            target = np.round((actual - made.anchor[:, h]) / made.scale, DIGITS)
            keep = np.isfinite(target) & lawful[:, h]
            step = np.full((int(keep.sum()), 1), h + 1.0)
            xs.append(np.hstack([made.x[keep], step]))
            targets.append(np.clip(target[keep], -WIDEST_TARGET, WIDEST_TARGET))
            weights.append(np.full(int(keep.sum()), memory**back))
    if not targets:
        return np.zeros((0, len(recipe.columns))), np.zeros(0), np.zeros(0)
    return _thinned(np.concatenate(xs), np.concatenate(targets), np.concatenate(weights))


def _cutoffs_back(history: Dense) -> list[int]:
    """How many periods before its end each training cutoff lies; spread where there are many."""
    longest = int(history.lengths.max(initial=0)) - 3
    if longest < 1:
        return []
    spread = np.linspace(1, longest, min(longest, MOST_CUTOFFS))
    return sorted(set(np.round(spread).astype(int).tolist()))


def _thinned(x: Float, target: Float, weight: Float) -> tuple[Float, Float, Float]:
    if len(target) <= MOST_ROWS:
        return x, target, weight
    kept = np.linspace(0, len(target) - 1, MOST_ROWS).astype(np.int64)
    return x[kept], target[kept], weight[kept]
