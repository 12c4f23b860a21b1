"""Search of a recipe's settings on inner folds: those issued before the first scored one.

The search is shown the figures that were public at the first scored issue and nothing later, so the scored
folds stay unseen and the gate's comparison stays fair. optuna is imported inside the functions only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from features.series.hierarchy import Hierarchy
from features.series.panel import Dense
from features.series.words import UNIQUE_ID
from models.recipe import Recipe
from training.folds import Folds
from training.pieces import Cache
from training.plan import TUNABLE_COUNTS, TuningPlan
from training.resume import backtested, resumed
from training.scores import pairs
from training.scoring import mean_of

if TYPE_CHECKING:
    from optuna import Trial as Asked

Setting = float | int | str
LOGARITHMIC: Final = ("trees", "rate")


@dataclass(frozen=True)
class Trial:
    """One setting tried: what it was, and its primary score on the inner folds (NaN: it failed)."""

    settings: Mapping[str, Setting]
    score: float


@dataclass(frozen=True)
class Ground:
    """What the search may see: figures, folds and clusters as of the first scored issue."""

    history: Dense
    folds: Folds
    hierarchy: Hierarchy


def inner(history: Dense, folds: Folds, scored: int) -> Ground:
    """The folds before the first scored one, their newest ``scored`` scored, on what was known then.

    Args:
        history: everything known now.
        folds: of the whole backtest.
    """
    first = int(np.flatnonzero(folds.scored)[0])
    known = folds.lengths[first]
    rows = np.flatnonzero(known >= 1)
    seen = history.until(known).take(rows)
    lengths = np.minimum(folds.lengths[:first], known)[:, rows]
    traits = seen.traits.set_axis(pd.Index(seen.ids, name=UNIQUE_ID))
    judged = np.arange(first) >= first - scored
    return Ground(seen, Folds(folds.issued[:first], lengths, judged), Hierarchy.of(traits))


def tuned(
    ground: Ground,
    recipe: Recipe,
    plan: TuningPlan,
    primary: str,
    cache: Cache,
    *,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Recipe, tuple[Trial, ...]]:
    """The recipe with the best settings found, and all trials in their order.

    The first trial is the recipe as it stands, so the one returned is never worse on the inner folds. No
    trial begins after ``plan.seconds``; equal seeds and enough time give equal trials.

    Args:
        primary: the score that is made low.
        told: progress, called with (done, total).
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=recipe.seed))
    study.enqueue_trial({name: getattr(recipe, name) for name in plan.settings}, skip_if_exists=True)
    begun, trials = time.perf_counter(), list[Trial]()
    while len(trials) < plan.trials and (not trials or time.perf_counter() - begun < plan.seconds):
        asked = study.ask()
        settings = {name: _suggested(asked, name, ends) for name, ends in plan.settings.items()}
        score = _score(ground, _with(recipe, settings), primary, cache)
        if np.isfinite(score):
            study.tell(asked, score)
        else:
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
        trials.append(Trial(settings, score))
        told(len(trials), plan.trials)
    finite = [trial for trial in trials if np.isfinite(trial.score)]
    best = min(finite, key=lambda trial: trial.score, default=None)
    return (_with(recipe, best.settings) if best else recipe), tuple(trials)


def _with(recipe: Recipe, settings: Mapping[str, Setting]) -> Recipe:
    return Recipe.of_record({**recipe.as_record(), **settings})


def _suggested(asked: Asked, name: str, ends: list[Setting]) -> Setting:
    if any(isinstance(end, str) for end in ends):
        return str(asked.suggest_categorical(name, [str(end) for end in ends]))
    low, high = float(ends[0]), float(ends[1])
    log = name in LOGARITHMIC
    if name in TUNABLE_COUNTS:
        return asked.suggest_int(name, int(low), int(high), log=log)
    return asked.suggest_float(name, low, high, log=log)


def _score(ground: Ground, recipe: Recipe, primary: str, cache: Cache) -> float:
    replayed = resumed(ground.history, ground.folds.lengths, recipe, cache)
    if replayed.conduct.refused:
        return float("nan")  # settings under which a member fails are no candidates
    test = backtested(ground.history, replayed.past, ground.folds, recipe, ground.hierarchy, cache)
    return mean_of(pairs(test, primary))[0]
