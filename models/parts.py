"""A fitted recipe in plain parts: a record that JSON takes, and the text of each booster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd

from features.errors import ModelError
from features.matrix.recipe import FeatureRecipe
from features.series.cadence import named
from features.series.panel import Dense
from models.blend import Weights
from models.boosted import BoostedFit, read_booster
from models.calibration import Calibration
from models.dependence import Dependence
from models.exits import Exits
from models.fitted import FittedRecipe
from models.forecaster import Fitted
from models.kinds import make
from models.recipe import Recipe
from models.recursive import RecursiveFit
from models.totals import FittedTotals

_BOOSTERS: Final = {"boosted": "booster.txt", "recursive": "recursive.txt"}


def parts_of(model: FittedRecipe) -> tuple[dict[str, Any], dict[str, str]]:
    """The record, and the boosters' texts by the name of their file."""
    told, texts = _boosters_of(model)
    record = {
        "recipe": model.recipe.as_record(),
        "weights": model.weights.as_record(),
        "calibration": model.calibration.as_record(),
        "dependence": model.dependence.as_record(),
        "exits": None if model.exits is None else model.exits.as_record(),
        "totals": None if model.totals is None else model.totals.as_record(),
        "trained_on": list(model.trained_on),
        **told,
    }
    return record, texts


def model_of(record: dict[str, Any], text: Callable[[str], str]) -> FittedRecipe:
    """Inverse of ``parts_of``.

    Args:
        text: gives the text of a booster by the name of its file.

    Raises:
        KeyError, TypeError, ValueError, ModelError: parts that are missing or no such parts.
    """
    recipe = Recipe.of_record(record["recipe"])
    members: list[Fitted] = []
    for name in recipe.members:
        if name in _BOOSTERS:
            members.append(_boosted_of(name, record[name], text))
        else:
            members.append(make(name, recipe).fit(_NOTHING))
    return FittedRecipe(
        recipe=recipe,
        members=tuple(members),
        weights=Weights.of_record(record["weights"]),
        calibration=Calibration.of_record(record["calibration"]),
        dependence=Dependence.of_record(record["dependence"]),
        exits=Exits.of_record(record["exits"]) if record.get("exits") else None,
        totals=FittedTotals.of_record(record["totals"]) if record["totals"] else None,
        trained_on=tuple(record["trained_on"]),
    )


def _boosters_of(model: FittedRecipe) -> tuple[dict[str, Any], dict[str, str]]:
    """What each booster reads, by member, None for one that is not in the recipe; and their texts."""
    told: dict[str, Any] = dict.fromkeys(_BOOSTERS)
    texts = {}
    for member in model.members:
        if not isinstance(member, BoostedFit | RecursiveFit):
            continue
        if member.booster is not None:
            texts[_BOOSTERS[member.name]] = member.booster.model_to_string()
        told[member.name] = {
            "features": member.recipe.as_record(),
            "columns": list(member.columns),
            "trained": member.booster is not None,
        }
        if isinstance(member, BoostedFit):
            told[member.name]["reach"] = member.reach
    return told, texts


def _boosted_of(name: str, record: dict[str, Any], text: Callable[[str], str]) -> BoostedFit | RecursiveFit:
    features = FeatureRecipe.of_record(record["features"])
    booster = read_booster(text(_BOOSTERS[name])) if record["trained"] else None
    made: BoostedFit | RecursiveFit
    if name == "boosted":
        made = BoostedFit(booster=booster, recipe=features, reach=int(record["reach"]))
    else:
        made = RecursiveFit(booster=booster, recipe=features)
    if list(made.columns) != record["columns"]:
        raise ModelError(
            "model-features-differ",
            found="features " + ", ".join(record["columns"]),
            expected="features " + ", ".join(made.columns),
            remedy="retrain (forecarbon retrain); never edit a saved model by hand",
        )
    return made


_NOTHING: Final = Dense(
    ids=(),
    y=np.zeros((0, 1)),
    lengths=np.zeros(0, dtype=np.int64),
    starts=np.zeros(0, dtype=np.int64),
    breaks=np.zeros((0, 1), dtype=bool),
    cadence=named("year"),
    traits=pd.DataFrame(),
)
