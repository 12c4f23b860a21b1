"""The table of forecasters: name -> how it is made. A new forecaster is one file and one row here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from features.errors import AskError
from models.arima import Arima
from models.boosted import Boosted
from models.forecaster import Forecaster
from models.naive import Drift, Level, Naive, SeasonalNaive
from models.recipe import Recipe, champion_recipe
from models.recursive import Recursive
from models.sarima import Sarima
from models.smoothing import Damped
from models.theta import Theta
from models.trend import Trend

MEMBERS: Final[dict[str, Callable[[Recipe], Forecaster]]] = {
    "naive": lambda recipe: Naive(),
    "seasonal-naive": lambda recipe: SeasonalNaive(),
    "level": lambda recipe: Level(),
    "drift": lambda recipe: Drift(),
    "trend": lambda recipe: Trend(),
    "damped": lambda recipe: Damped(),
    "theta": lambda recipe: Theta(),
    "arima": lambda recipe: Arima(final=recipe.arima_final),
    "sarima": lambda recipe: Sarima(),
    "boosted": lambda recipe: Boosted(
        reach=recipe.reach, trees=recipe.trees, rate=recipe.rate, leaves=recipe.leaves, seed=recipe.seed
    ),
    "recursive": lambda recipe: Recursive(seed=recipe.seed),
}
BLENDS: Final = ("blend", "champion-recipe")


def make(name: str, recipe: Recipe) -> Forecaster:
    """The forecaster called ``name``, set up as ``recipe`` says.

    Raises:
        AskError: no such forecaster.
    """
    if name not in MEMBERS:
        raise unknown(name)
    return MEMBERS[name](recipe)


def recipe_named(name: str, *, seasonal: bool, reach: int) -> Recipe:
    """The recipe a user asks for by name: the blend of record or one member with bands.

    Raises:
        AskError: no such forecaster.
    """
    blend = champion_recipe(seasonal, reach=reach)
    if name in BLENDS:
        return blend
    if name not in MEMBERS:
        raise unknown(name)
    return blend.alone(name)


def unknown(name: str) -> AskError:
    """The refusal of a forecaster that does not exist."""
    return AskError(
        "unknown-forecaster",
        found=f"forecaster {name!r}",
        expected="one of " + ", ".join([*BLENDS, *MEMBERS]),
        remedy="ask for one of the list",
    )
