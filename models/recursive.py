"""One LightGBM booster for a whole panel that says the next change, and is asked again for the one after.

A tenth of the work of ``models.boosted``, which learns every step by itself: one target a cutoff, and
features from one scan of the panel (``features.matrix.scan``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from features.matrix.build import codes_of, recipe_for
from features.matrix.recipe import FeatureRecipe
from features.matrix.scan import SCANNED, Scan, scan, state_of
from features.series.panel import Dense
from features.series.scopes import bridge
from models.boosted import LEAST_ROWS, WIDEST_TARGET, train_booster
from models.complete import FURTHEST, blocks, lawful
from models.seasonal import Season, estimate

if TYPE_CHECKING:
    from models.boosted import Booster

Float = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

BINS: Final = 31
# Rows looked at to place the bins: quantiles of thousands of rows are known well enough, and sorting all
# of them takes longer than the trees do.
BIN_SAMPLE: Final = 5000
# More rows than these taught a dozen small trees nothing more.
MOST_ROWS: Final = 30_000


@dataclass(frozen=True)
class RecursiveFit:
    """A trained booster and the traits it reads.

    Attributes:
        booster: None where the panel was too small to learn from; then the last figure is the forecast.
        recipe: the traits and their codes; the amounts are ``features.matrix.scan.SCANNED``.
    """

    booster: Booster | None
    recipe: FeatureRecipe
    name: str = "recursive"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns the booster reads, in order."""
        return (*SCANNED, *self.recipe.categorical)

    def forecast(self, history: Dense, steps: int) -> Float:
        """(B, steps) tCO2e; rows without a figure get 0."""
        plain, season = adjusted(history)
        state = state_of(plain)
        out = np.repeat(np.nan_to_num(state.newest)[:, None], steps, axis=1)
        if self.booster is not None:
            low = np.where(history.non_negative, 0.0, -np.inf)
            top = FURTHEST * np.nan_to_num(np.fmax.reduce(np.abs(plain), axis=1))
            x = np.empty((len(plain), len(self.columns)), dtype=np.float32)
            x[:, len(SCANNED) :] = codes_of(history, self.recipe)
            for h in range(steps):
                scale = state.scale
                state.write(x[:, : len(SCANNED)], scale)
                change = np.asarray(self.booster.predict(x, num_threads=1))
                out[:, h] = np.clip(np.nan_to_num(state.newest) + change * scale, np.maximum(low, -top), top)
                state = state.read(out[:, h])
        ahead = season.restore(out)
        return lawful(history, ahead)


@dataclass(frozen=True)
class Recursive:
    """Settings of the booster, chosen on EU ETS plants at cutoffs up to 2015 (``benchmarks/boosting``).

    Attributes:
        trees, rate, leaves, least_leaf: LightGBM's num_iterations, learning_rate, num_leaves and
            min_data_in_leaf.
        seed: of LightGBM.
    """

    trees: int = 15
    rate: float = 0.2
    leaves: int = 7
    least_leaf: int = 100
    seed: int = 1
    name: str = "recursive"

    def fit(self, history: Dense) -> RecursiveFit:
        """Learn from every change inside ``history`` that crosses no scope break."""
        plain, _ = adjusted(history)
        return self._fit(history, scan(plain), history.lengths)

    def forecast_origins(self, history: Dense, origins: Int, steps: int) -> Float:
        """(O, B, steps) what ``fit`` and ``forecast`` say at past cutoffs; one scan where that is the same.

        Args:
            history: the panel; at each origin its first periods alone are read.
            origins: (O, B) periods visible; 0 = not asked, NaN in the answer.
            steps: periods ahead.
        """
        # What lies after a cutoff moves the bridge over a break, and the seasonal figures.
        shared = history.cadence.season == 1 and not history.breaks.any()
        made = scan(history.y) if shared else None
        out = np.full((*origins.shape, steps), np.nan)
        for o, lengths in enumerate(origins):
            rows = np.flatnonzero(lengths > 0)
            seen = history.until(lengths).take(rows)
            fitted = self.fit(seen) if made is None else self._fit(seen, _of_rows(made, rows), seen.lengths)
            out[o, rows] = fitted.forecast(seen, steps)
        return out

    def _fit(self, seen: Dense, made: Scan, lengths: Int) -> RecursiveFit:
        recipe = recipe_for(seen)
        x, target = training_rows(seen, made, lengths, recipe)
        if len(target) < LEAST_ROWS:
            return RecursiveFit(booster=None, recipe=recipe)
        columns = (*SCANNED, *recipe.categorical)
        leaf = min(self.least_leaf, max(5, len(target) // 40))
        parameters = {
            "learning_rate": self.rate, "num_leaves": self.leaves, "min_data_in_leaf": leaf,
            "max_bin": BINS, "bin_construct_sample_cnt": BIN_SAMPLE,
            "force_row_wise": True, "seed": self.seed,
        }  # fmt: skip
        booster = train_booster(x, target, columns, recipe.categorical, parameters, self.trees)
        return RecursiveFit(booster=booster, recipe=recipe)


def training_rows(seen: Dense, made: Scan, lengths: Int, recipe: FeatureRecipe) -> tuple[Single, Single]:
    """Features (N, F) and next changes (N,) within ``lengths``, thinned evenly where there are too many."""
    width = min(int(lengths.max(initial=0)), made.change.shape[0])
    lawful = np.arange(1, width)[:, None] < lengths[None, :]
    lawful &= ~seen.breaks.T[1:width]
    lawful &= np.isfinite(made.change[: width - 1])
    kept = _thinned(lawful)
    t, b = np.nonzero(kept)
    x = np.empty((len(t), len(SCANNED) + len(recipe.traits)), dtype=np.float32)
    x[:, : len(SCANNED)] = made.x[: width - 1][kept]
    if recipe.traits:
        x[:, len(SCANNED) :] = codes_of(seen, recipe)[b]
    target = np.clip(made.change[: width - 1][kept], -WIDEST_TARGET, WIDEST_TARGET)
    return x, np.round(target, 5)


def _thinned(lawful: Bool) -> Bool:
    """Every k-th lawful place, so that no more remain than are learnt from; (T, B)."""
    places = np.flatnonzero(lawful)
    every = -(-len(places) // MOST_ROWS)
    if every <= 1:
        return lawful
    kept = np.zeros(lawful.shape, dtype=bool)
    kept.reshape(-1)[places[::every]] = True
    return kept


def _of_rows(made: Scan, rows: Int) -> Scan:
    if len(rows) == made.x.shape[1]:
        return made
    return Scan(made.x[:, rows], made.change[:, rows])


def adjusted(history: Dense) -> tuple[Float, Season]:
    """Bridged figures (B, T), start-aligned, without their season, and the season to put back."""
    season = history.cadence.season
    count = len(history.ids)
    figures, multiplicative = np.ones((count, season)), np.ones(count, dtype=bool)
    if season == 1:
        return bridge(history).y, Season(figures, multiplicative)
    plain = np.full(history.y.shape, np.nan)
    for block in blocks(history, history.y.shape[1]):
        found = estimate(block.values, season)
        stripped = np.where(block.gaps, np.nan, found.strip(block.values)) * block.scale[:, None]
        n = stripped.shape[1]
        columns = history.lengths[block.rows][:, None] - n + np.arange(n)[None, :]
        plain[block.rows[:, None], columns] = stripped
        unit = np.where(found.multiplicative, 1.0, block.scale)[:, None]
        figures[block.rows], multiplicative[block.rows] = found.figures * unit, found.multiplicative
    return plain, Season(figures, multiplicative)
