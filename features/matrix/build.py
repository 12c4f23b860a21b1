"""The one builder of model rows: what a model may know of each series at its cutoff.

Bulk training rows are this function called at one cutoff after another, so training and serving
cannot disagree. Everything is measured in the series' own usual change, so a model learns from large
and small plants alike.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.matrix.recipe import CHANGES, FeatureRecipe
from features.matrix.scale import back_from_end, last_seen, usual_change
from features.series.panel import Dense
from features.series.scopes import bridge

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

MOST_VALUES = 64
# Rounded, because the last bits of a sum depend on the unit and on the company a series is in, and a
# tree splits equal rows apart by them.
DIGITS = 9
_SKIPPED_TRAITS = ("area", "cluster_id", "scope_id")


@dataclass(frozen=True)
class Rows:
    """Model rows of B series at one cutoff, before the step is added.

    Attributes:
        x: (B, F − 1) features in recipe order without ``step``.
        anchor: (B, H) value the forecast is measured from (last figure, or the season before), tCO2e.
        scale: (B,) usual change, tCO2e.
    """

    x: Float
    anchor: Float
    scale: Float


def recipe_for(history: Dense) -> FeatureRecipe:
    """The feature recipe a panel calls for: traits with 2 to 64 values, seasonal if the cadence is."""
    names, codes = [], []
    for name in history.traits.columns:
        values = sorted(history.traits[name].astype(str).unique())
        if name not in _SKIPPED_TRAITS and 2 <= len(values) <= MOST_VALUES:
            names.append(str(name))
            codes.append(tuple(values))
    return FeatureRecipe(
        traits=tuple(names),
        codes=tuple(codes),
        seasonal=history.cadence.season > 1,
        level=_usual_level(history),
    )


def _usual_level(history: Dense) -> float:
    """Median size of the newest figures that are not zero; one where there are none."""
    newest, _ = last_seen(np.abs(history.y))
    return float(np.median(newest[newest > 0])) if (newest > 0).any() else 1.0


def build(history: Dense, recipe: FeatureRecipe, steps: int) -> Rows:
    """Rows at each series' last period; reads nothing but ``history``."""
    known = bridge(history)
    scale = usual_change(known)
    anchor = anchors(known, steps)
    columns = [*_changes(known, scale), *_levels(known, scale, recipe.level)]
    if recipe.seasonal:
        columns += _seasonal(known, scale)
    columns += list(codes_of(history, recipe).T)
    x = np.asarray(np.round(np.stack(columns, axis=1), DIGITS), dtype=np.float64)
    return Rows(x=x, anchor=anchor, scale=scale)


def anchors(history: Dense, steps: int) -> Float:
    """(B, steps) last figure, or one season back where the cadence has a season. 0 where none."""
    newest, _ = last_seen(history.y)
    out = np.repeat(newest[:, None], steps, axis=1)
    season = history.cadence.season
    if season > 1:
        for h in range(steps):
            held = back_from_end(history, season - 1 - h % season)
            out[:, h] = np.where(np.isfinite(held), held, newest)
    return out


def _changes(known: Dense, scale: Float) -> list[Float]:
    return [(back_from_end(known, k) - back_from_end(known, k + 1)) / scale for k in range(CHANGES)]


def _levels(known: Dense, scale: Float, level: float) -> list[Float]:
    newest, _ = last_seen(known.y)
    recent = np.stack([back_from_end(known, k) for k in range(5)], axis=1)
    held = np.isfinite(known.y)
    first = known.y[np.arange(len(known.ids)), held.argmax(axis=1)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Rows without a single figure have no mean or maximum; they stay NaN, which is what is meant.
        warnings.simplefilter("ignore", RuntimeWarning)
        top = np.nanmax(known.y, axis=1)
        return [
            (newest - np.nanmean(recent[:, :3], axis=1)) / scale,
            (newest - np.nanmean(recent, axis=1)) / scale,
            (newest - np.nanmean(known.y, axis=1)) / scale,
            (newest - top) / scale,
            (newest - np.nanmin(known.y, axis=1)) / scale,
            np.where(top > 0, newest / top, 0.0),
            (newest - first) / scale / np.maximum(known.lengths - 1, 1),
            newest / scale,
            np.log1p(np.abs(newest) / level),
            known.lengths.astype(float),
            (recent == 0).sum(axis=1).astype(float),
        ]


def _seasonal(known: Dense, scale: Float) -> list[Float]:
    season = known.cadence.season
    now, year = back_from_end(known, 0), back_from_end(known, season)
    before, year_before = back_from_end(known, 1), back_from_end(known, season + 1)
    phase = (known.starts + known.lengths - 1) % season
    mean = np.nanmean(np.stack([now - year, before - year_before, np.zeros(len(now))]), axis=0)
    return [mean / scale, (now - year) / scale, (before - year_before) / scale, phase.astype(float)]


def codes_of(history: Dense, recipe: FeatureRecipe) -> Float:
    """(B, K) codes of the recipe's K traits; -1 where a value was not known to it."""
    if not recipe.traits:
        return np.zeros((len(history.ids), 0))
    out = np.full((len(history.ids), len(recipe.traits)), -1.0)
    for k, name in enumerate(recipe.traits):
        if name in history.traits.columns:
            known = pd.Index(recipe.codes[k])
            out[:, k] = known.get_indexer(pd.Index(history.traits[name].astype(str)))
    return out
