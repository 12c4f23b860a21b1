"""What drives a forecast? The booster's features by driver group, and the members of the blend.

Both are exact: they add up to what the forecaster says. They tell how the model came to its number, not what
causes emissions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense
from models.boosted import BoostedFit
from models.fitted import FittedRecipe
from models.replay import groups_of

Float = npt.NDArray[np.float64]

BASE: Final = "base"
FLOOR: Final = "floor-at-zero"


@dataclass(frozen=True)
class Drivers:
    """A booster's forecast, driver by driver, tCO2e.

    Attributes:
        ids: (B,) series.
        groups: (G,) driver groups, then "base" (what it says of any series) and "floor-at-zero" (what keeps
            a forecast from going below zero; zero elsewhere).
        anchor: (B, H) last figure (or last season), from which the booster measures.
        contributions: (B, H, G); anchor + their sum is the forecast.
        forecast: (B, H) what the booster says.
    """

    ids: tuple[str, ...]
    groups: tuple[str, ...]
    anchor: Float
    contributions: Float
    forecast: Float


@dataclass(frozen=True)
class Members:
    """A blend, member by member, tCO2e.

    Attributes:
        ids: (B,) series.
        members: (M,) names, the anchor's first.
        weights: (B, H, M) shares, each row summing to one.
        point: (B, H, M) what each member says.
        anchor: (B, H) what the first member, the naive anchor, says.
        contributions: (B, H, M) weight × (member − anchor), the anchor's own zero.
        centre: (B, H) the blend; anchor + the sum of contributions.
    """

    ids: tuple[str, ...]
    members: tuple[str, ...]
    weights: Float
    point: Float
    anchor: Float
    contributions: Float
    centre: Float


def boosted_drivers(member: BoostedFit, history: Dense, steps: int) -> Drivers:
    """TreeSHAP contributions by driver group (``FeatureRecipe.groups``), from the anchor to the forecast.

    Args:
        member: the fitted booster; one that was not trained has zeros.
        history: (B, T) figures up to each cutoff.
        steps: periods ahead.
    """
    columns, base = member.contributions(history, steps)
    forecast = member.forecast(history, steps)
    named = member.recipe.groups
    groups = tuple(dict.fromkeys(named))
    grouped = np.stack(
        [columns[:, :, [k for k, name in enumerate(named) if name == group]].sum(axis=2) for group in groups],
        axis=2,
    )
    anchor = member.anchor(history, steps)
    floor = forecast - (anchor + columns.sum(axis=2) + base)
    # Without a floor the difference is rounding of the booster's own sums, which belongs to its base.
    floored = history.non_negative[:, None] & (forecast == 0)
    told = np.concatenate([grouped, base[:, :, None], np.where(floored, floor, 0.0)[:, :, None]], axis=2)
    return Drivers(history.ids, (*groups, BASE, FLOOR), anchor, told, forecast)


def blend_members(fitted: FittedRecipe, history: Dense, steps: int) -> Members:
    """What each member moves the blend away from its naive anchor.

    The centre is the point the bands are laid around (``FittedRecipe.curves``), not the served mean: bands
    lean, plants may close, and plants and sectors are made to agree after it.
    """
    point = np.stack([member.forecast(history, steps) for member in fitted.members], axis=2)
    weights = fitted.weights.of(groups_of(history), steps)
    anchor = point[:, :, 0]
    moved = weights * (point - anchor[:, :, None])
    return Members(
        ids=history.ids,
        members=tuple(member.name for member in fitted.members),
        weights=weights,
        point=point,
        anchor=anchor,
        contributions=moved,
        centre=np.einsum("bhm,bhm->bh", point, weights),
    )
