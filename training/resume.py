"""Replays kept piece by piece, so that a killed retrain goes on where it was, and a new year costs one fold.

A piece is what one member said at one fold. It is found again by the content of everything it was made from:
the figures visible at that fold, the member's settings, the steps, and the code and libraries. Nothing is
ever found by name or date, so nothing stale can be. Backtests are kept alike, one piece a recipe and fold.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.errors import ModelError
from features.series.hierarchy import Hierarchy
from features.series.panel import Dense
from features.spread import Here, Spread
from models.fitted import FittedRecipe, fit
from models.kinds import make
from models.parts import model_of, parts_of
from models.recipe import Recipe
from models.replay import LEAST_HISTORY, Replay, replay
from models.totals import PastTotals, replay_totals
from training.backtest import SCORED, Backtest, at_fold, joined_folds, of_arrays, scored_of
from training.folds import Folds
from training.pieces import Arrays, Cache
from training.prints import MAKING, Prints, digest_of, joined, made_with
from training.rails import Conduct

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

_RECORD: Final = "record.json"
# A fold's number and a member.
Part = tuple[int, str]


@dataclass(frozen=True)
class Piece:
    """What one member said at one fold: (N, H) point forecasts of the series asked, tCO2e; seconds spent."""

    values: Float
    seconds: float


@dataclass(frozen=True)
class Replayed:
    """A replay without the members that failed.

    Attributes:
        recipe: with the members that are left, in their order.
        past: what they said.
        conduct: seconds of computing, and who failed and why.
    """

    recipe: Recipe
    past: Replay
    conduct: Conduct


def resumed(
    history: Dense,
    origins: Int,
    recipe: Recipe,
    cache: Cache,
    *,
    told: Callable[[str, int], None] = lambda member, origin: None,
    spread: Spread = Here(),  # noqa: B008  # it holds nothing
) -> Replayed:
    """``models.replay.replay`` piece by piece, reading the pieces that are kept and keeping new ones.

    A member that raises, or says something that is not finite, is left out from there on. That memory or a
    library is missing says nothing of a member, and is raised.

    Args:
        history, origins: as in ``replay``.
        recipe: whose members are replayed.
        told: called after each member at each origin.
        spread: who makes the pieces that are not kept.

    Raises:
        ModelError: no member is left.
    """
    members = recipe.members
    ground = replay(history, origins, recipe, ())
    point = np.full((len(members), *ground.actual.shape), np.nan)
    spent, failed = np.zeros(point.shape[:2]), dict[str, str]()
    asked = [np.flatnonzero(lengths >= LEAST_HISTORY) for lengths in origins]
    held, keys = dict[Part, Piece](), dict[Part, str]()
    for o, lengths in enumerate(origins):
        visible = digest_of(history.until(lengths).take(np.flatnonzero(lengths >= 1)))
        for member in members:
            key = _key(visible, member, recipe)
            kept = _piece_of(cache.read(key))
            if kept is None:
                keys[o, member] = key
            else:
                held[o, member] = kept
    # A member that failed is asked no more; engines that work ahead ask a little more of it.
    due = (part for part in keys if part[1] not in failed)
    made = spread.over(_made, (history, origins, recipe), due)
    for o, (m, member) in itertools.product(range(len(origins)), enumerate(members)):
        if member in failed:
            continue
        piece = held.get((o, member)) or next(said for part, said in made if part == (o, member))
        if isinstance(piece, str):
            failed[member] = piece
        else:
            if (o, member) in keys:
                cache.write(keys[o, member], {"values": piece.values, "seconds": np.array(piece.seconds)})
            point[m, o, asked[o]], spent[m, o] = piece.values, piece.seconds
        told(member, o)
    left = tuple(member for member in members if member not in failed)
    reasons = tuple(f"{member}: {why}" for member, why in failed.items())
    _refuse_none(left, reasons)
    past = replace(ground, members=members, point=point).only(left)
    return Replayed(replace(recipe, members=left), past, Conduct(float(spent.T.sum()), reasons))


def _piece_of(arrays: Arrays | None) -> Piece | None:
    if arrays is None or {"values", "seconds"} - set(arrays):
        return None
    return Piece(arrays["values"], float(arrays["seconds"]))


def _made(shared: tuple[Dense, Int, Recipe], part: Part) -> tuple[Part, Piece | str]:
    """What one member says at one fold, or why it failed."""
    (history, origins, recipe), (o, member) = shared, part
    begun = time.perf_counter()
    try:
        asked = np.flatnonzero(origins[o] >= LEAST_HISTORY)
        values = replay(history, origins[o : o + 1], recipe, (member,)).point[0, 0][asked]
    except (MemoryError, ImportError):
        raise  # of the machine, and not of the member
    except Exception as fault:  # noqa: BLE001  # whatever a member raises refuses that member, by name
        return part, f"{type(fault).__name__}: {fault}"
    strange = int((~np.isfinite(values)).any(axis=1).sum())
    if strange:
        return part, f"forecasts of {strange} series are not finite"
    return part, Piece(values, time.perf_counter() - begun)


def _refuse_none(left: Sequence[str], reasons: Sequence[str]) -> None:
    if not left:
        raise ModelError(
            "no-member-left",
            found=f"{len(reasons)} members that failed, and no other",
            expected="a recipe of which one member forecasts",
            offenders=reasons,
            remedy="mend what they say, or name other members in the plan; what serves is untouched",
        )


def _key(visible: str, member: str, recipe: Recipe) -> str:
    forecaster = make(member, recipe)
    settings = asdict(forecaster) if is_dataclass(forecaster) else recipe.as_record()
    told = [visible, member, settings, recipe.reach, made_with(*MAKING)]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def backtested(
    history: Dense,
    past: Replay,
    folds: Folds,
    recipe: Recipe,
    hierarchy: Hierarchy,
    cache: Cache,
    prints: Prints | None = None,
    leaving: Float | None = None,
    spread: Spread = Here(),  # noqa: B008  # it holds nothing
) -> Backtest:
    """``training.backtest`` of one recipe, read from the cache if it was made from the very same.

    Fold by fold until it is whole: a killed one goes on at its fold.

    Args:
        prints: of these same arguments, for whoever asks for many recipes of one replay.
        leaving: as in ``training.backtest``, learnt on this same history at these same folds.
    """
    whole = (prints or Prints(history, past, folds, hierarchy)).of(recipe)
    whole = whole if leaving is None else joined(whole, "leaving")
    held = cache.read_large(whole)
    if held is not None and set(held) == set(SCORED):
        return of_arrays(recipe, past, hierarchy, history, held)
    mine, keys = past.only(recipe.members), {fold: joined("fold", whole, fold) for fold in scored_of(folds)}

    said = {fold: cache.read(key) for fold, key in keys.items()}
    missing = [fold for fold, held in said.items() if held is None or set(held) != set(SCORED)]
    # Before the blocks: what a total said must not depend on who does which fold.
    totals = replay_totals(history, mine.lengths, recipe) if missing else None
    made = spread.over(_at_fold, (history, mine, folds, recipe, hierarchy, leaving, totals), missing)
    for fold, told in zip(missing, made, strict=True):
        cache.write(keys[fold], told)
        said[fold] = told
    arrays = joined_folds((told for told in said.values() if told is not None), len(keys))
    if cache.write_large(whole, arrays):
        cache.drop(keys.values())
    return of_arrays(recipe, past, hierarchy, history, arrays)


def _at_fold(
    shared: tuple[Dense, Replay, Folds, Recipe, Hierarchy, Float | None, PastTotals | None], fold: int
) -> Mapping[str, npt.NDArray[Any]]:
    history, mine, folds, recipe, hierarchy, leaving, totals = shared
    left = None if leaving is None else leaving[fold]
    return at_fold(history, mine, folds, fold, recipe, hierarchy, left, totals)


def refitted(history: Dense, past: Replay, recipe: Recipe, cache: Cache, of: str) -> FittedRecipe:
    """``models.fitted.fit``, read from the cache if it was fitted to the very same.

    Args:
        of: digest of all that is fitted to (``training.prints.Prints.of`` of these); "" is kept nowhere.
    """
    key = joined("fit", of)
    held = cache.read(key) if of else None
    if held is not None:
        texts = {name: payload.tobytes().decode() for name, payload in held.items()}
        try:
            return model_of(json.loads(texts[_RECORD]), texts.__getitem__)
        except (ValueError, KeyError, TypeError, ModelError):
            pass  # of another make: it is fitted again
    made = fit(history, past, recipe)
    if of:
        record, boosters = parts_of(made)
        texts = {_RECORD: json.dumps(record), **boosters}
        cache.write(key, {name: np.frombuffer(text.encode(), dtype=np.uint8) for name, text in texts.items()})
    return made
