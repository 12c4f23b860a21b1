"""A forecast for anyone's panel: replay its own past, learn from it, speak; naive where that fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from features.errors import DataError
from features.series.moved import moved_boundaries, with_breaks
from features.series.panel import Dense, Panel
from models.fitted import FittedRecipe, fit, outlook_of_curves
from models.forecast import Outlook
from models.kinds import recipe_named
from models.recipe import Recipe
from models.replay import LEAST_HISTORY, past_origins, replay, silent

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

LONGEST_REACH = 24
# Cutoffs replayed without a season: the more the better the bands (``benchmarks/skill``), where time allows.
MANY_ORIGINS = 20
MOST_REPLAYED = 20_000


def forecast_panel(
    panel: Panel,
    *,
    steps: int,
    levels: tuple[float, ...],
    model: str = "champion-recipe",
    told: Callable[[str, int], None] = silent,
) -> Outlook:
    """Forecast every series of a panel of any cadence; nothing but the panel is read.

    Series with fewer than three figures, and series the recipe cannot answer, are answered by naive
    and say so in ``made_by``. Series without any figure cannot be answered: see ``without_figures``.

    Args:
        panel: the caller's figures.
        steps: periods ahead of each series' last row.
        levels: quantile levels in (0, 1), increasing.
        model: forecaster or "champion-recipe".
        told: progress, called with (member, origin).

    Raises:
        AskError: no such forecaster.
        DataError: no series has a figure.
    """
    history = _with_figures(panel)
    if history is None:
        raise _no_figures()
    # A jump of many series at once says where the boundary moved, not how wrong forecasts are.
    history = with_breaks(history, moved_boundaries(history))
    recipe = recipe_for_panel(history, steps=steps, model=model)
    fitted = fit_panel(history, recipe, told)
    curves, made_by = _curves(fitted, lambda: _naive(history, recipe), history, steps)
    return outlook_of_curves(curves, history, levels, made_by)


@dataclass(frozen=True)
class Learnt:
    """All that series of a panel learn from one another; each is then forecast by itself.

    Attributes:
        fitted: members, weights, bands and hurdle of the recipe.
        naive: the same of naive, for series the recipe cannot answer.
        moved: where the panel's boundary seems to have moved (``moved_boundaries``).
    """

    fitted: FittedRecipe
    naive: FittedRecipe
    moved: Int


def learn(
    panel: Panel, *, steps: int, model: str = "champion-recipe", told: Callable[[str, int], None] = silent
) -> Learnt:
    """What ``forecast_panel`` would learn from a panel. Arguments and errors as there."""
    history = _with_figures(panel)
    if history is None:
        raise _no_figures()
    moved = moved_boundaries(history)
    history = with_breaks(history, moved)
    recipe = recipe_for_panel(history, steps=steps, model=model)
    return Learnt(fit_panel(history, recipe, told), _naive(history, recipe), moved)


def forecast_learnt(panel: Panel, learnt: Learnt, *, steps: int, levels: tuple[float, ...]) -> Outlook | None:
    """Forecast series by what others taught; None if no series has a figure.

    Of the panel that was learnt from this is what ``forecast_panel`` says.
    """
    history = _with_figures(panel)
    if history is None:
        return None
    history = with_breaks(history, learnt.moved)
    curves, made_by = _curves(learnt.fitted, lambda: learnt.naive, history, steps)
    return outlook_of_curves(curves, history, levels, made_by)


def _with_figures(panel: Panel) -> Dense | None:
    dense = panel.dense
    rows = np.flatnonzero(np.isfinite(dense.y).any(axis=1))
    return dense.take(rows) if len(rows) else None


def _no_figures() -> DataError:
    return DataError(
        "no-figures",
        found="no series with a figure",
        expected="at least one value of y",
        remedy="fill in the figures that are known",
    )


def without_figures(panel: Panel) -> tuple[str, ...]:
    """Series of the panel that have rows but not one figure."""
    held = np.isfinite(panel.dense.y).sum(axis=1)
    return tuple(name for name, count in zip(panel.dense.ids, held, strict=True) if count == 0)


def recipe_for_panel(history: Dense, *, steps: int, model: str) -> Recipe:
    """The recipe called ``model``, its reach fitted to the panel's length.

    Raises:
        AskError: no such forecaster.
    """
    season = history.cadence.season
    longest = int(history.lengths.max())
    room = max(1, (longest - LEAST_HISTORY) // 2) if season == 1 else max(1, longest // 3)
    reach = min(steps, room, max(LONGEST_REACH, season))
    recipe = recipe_named(model, seasonal=season > 1, reach=reach)
    small = len(history.ids) * MANY_ORIGINS <= MOST_REPLAYED
    return replace(recipe, origins=MANY_ORIGINS) if season == 1 and small else recipe


def fit_panel(history: Dense, recipe: Recipe, told: Callable[[str, int], None] = silent) -> FittedRecipe:
    """Replay the panel's own past and fit ``recipe`` on it."""
    past = replay(history, past_origins(history, recipe), recipe, recipe.members, told=told)
    return fit(history, past, recipe)


def _naive(history: Dense, recipe: Recipe) -> FittedRecipe:
    return fit_panel(history, replace(recipe, name="naive", members=("naive",)))


def _curves(
    fitted: FittedRecipe, naive: Callable[[], FittedRecipe], history: Dense, steps: int
) -> tuple[Float, tuple[str, ...]]:
    recipe = fitted.recipe
    curves = fitted.curves(history, steps)
    figures = np.isfinite(history.y).sum(axis=1)
    made_by = np.full(len(history.ids), recipe.name, dtype=object)
    plain = (figures < LEAST_HISTORY) | ~np.isfinite(curves).all(axis=(1, 2))
    if plain.any() and recipe.name != "naive":
        rows = np.flatnonzero(plain)
        curves[rows] = naive().curves(history.take(rows), steps)
        for row in rows:
            short = figures[row] < LEAST_HISTORY
            why = f"{figures[row]} figures, too few" if short else "figures out of reach"
            made_by[row] = f"naive: {why} for {recipe.name}"
    return curves, tuple(made_by)
