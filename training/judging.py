"""Putting recipes on the same folds and asking the gate: what stands, what challenges, what is decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pandas as pd

from features.errors import ModelError
from features.reference.tables import load
from features.series.basis import Basis, of_embedded, of_stock, stock_of
from features.series.build import SeriesSet
from features.series.hierarchy import Hierarchy
from features.series.lake import Lake
from features.series.membership import Boundary
from features.series.panel import Dense
from models import saved
from models.recipe import Recipe
from models.replay import Replay, replay
from training import registry
from training.backtest import Backtest, backtest
from training.folds import Folds, make_folds
from training.gate import Verdict, judge_challenger
from training.plan import FiguresPlan, Plan
from training.promotions import Promotion
from training.rails import Rule

Told = Callable[[str, int, int], None]
CHAMPION: Final = "champion (standing)"


@dataclass(frozen=True)
class Ground:
    """What a retrain stands on."""

    basis: Basis
    history: Dense
    hierarchy: Hierarchy
    data_hash: str

    @property
    def figures(self) -> SeriesSet:
        """The series with their vintages."""
        return self.basis.series


def stand(
    now: datetime,
    plan: FiguresPlan | None = None,
    lake: str | Path = "",
    own: Sequence[Boundary] = (),
) -> Ground:
    """The figures that ``plan`` names (the embedded ones when left out) as known at ``now``.

    ``own`` are clusters that a user added or redrew; only facility records can be summed over them.

    Raises:
        AskError: the lake at ``lake`` has none of the sources.
        DataError: boundaries or figures that cannot be used.
    """
    basis = _basis(plan or FiguresPlan(), lake, own, pd.Timestamp(now.astimezone(UTC).replace(tzinfo=None)))
    history = basis.series.as_of(pd.Timestamp(now.astimezone(UTC).replace(tzinfo=None)))
    return Ground(basis, history, Hierarchy.of(basis.series.traits), basis.series.data_hash())


def _basis(plan: FiguresPlan, lake: str | Path, own: Sequence[Boundary], t: pd.Timestamp) -> Basis:
    reference = load()
    if plan.figures == "embedded":
        return of_embedded(reference, t)
    stock = stock_of(Lake(lake), reference, t, sources=plan.sources, own=own)
    return of_stock(stock, reference, t, own=own, kinds=plan.kinds, fewest_years=plan.fewest_years)


def judged(
    ground: Ground, plan: Plan, challenger: Recipe, champion: Recipe | None, now: datetime, told: Told
) -> tuple[Folds, dict[str, Backtest], Replay]:
    """Backtests by name of every member, the challenger and, if it is another recipe, the champion."""
    moment = pd.Timestamp(now.astimezone(UTC).replace(tzinfo=None))
    folds = make_folds(ground.figures, ground.history, plan.folds, moment)
    past = _replayed(ground, folds, challenger, told, "replay")
    recipes = [*(challenger.alone(name) for name in challenger.members), challenger]
    done = _counter(told, "backtest", len(recipes) + 1)
    tests = dict(backtest(ground.history, past, folds, recipes, ground.hierarchy, told=done))
    if champion is not None and champion.fingerprint() != challenger.fingerprint():
        # Judged over the challenger's steps, whatever its own reach: only equal tasks compare.
        standing = replace(champion, name=CHAMPION, reach=challenger.reach)
        again = _replayed(ground, folds, standing, told, "champion replay")
        tests |= backtest(ground.history, again, folds, [standing], ground.hierarchy)
    done("champion")
    return folds, tests, past


def decide(
    plan: Plan, challenger: Recipe, tests: dict[str, Backtest], ground: Ground, store: Path
) -> Verdict:
    """The gate's verdict against what serves, or against the baseline where nothing serves yet."""
    standing = registry.champion(store)
    stamp = f"{ground.data_hash}:{plan.fingerprint()}"
    if standing is None:
        return judge_challenger(challenger, tests, plan.gate.baseline, plan.gate, occasion="first", stamp=stamp)
    if standing.recipe_fingerprint == challenger.fingerprint():
        if standing.data_hash == ground.data_hash:
            return _nothing_new(challenger, standing)
        return judge_challenger(challenger, tests, challenger.name, plan.gate, occasion="refit", stamp=stamp)
    if CHAMPION not in tests:
        # The champion's folder cannot be read, so it neither serves nor can be refitted.
        return judge_challenger(
            challenger, tests, plan.gate.baseline, plan.gate, occasion="first", stamp=stamp
        )
    return judge_challenger(challenger, tests, CHAMPION, plan.gate, stamp=stamp)


def _nothing_new(challenger: Recipe, standing: Promotion) -> Verdict:
    rule = Rule("new-figures", 0.0, 1.0, False, "the same recipe on the same figures serves already")
    return Verdict(
        verdict_id=f"same-{standing.verdict_id}",
        decision="keep",
        challenger=challenger.name,
        against=standing.to_version,
        rules=(rule,),
        sentence=f"{standing.to_version} stays: {rule.why}.",
    )


def champion_recipe(store: Path) -> Recipe | None:
    """The recipe of the champion on record; None before the first."""
    folder = registry.champion_folder(store)
    if folder is None:
        return None
    try:
        return saved.read(folder)[0].recipe
    except ModelError:
        # An unreadable champion cannot be refitted; the challenger then faces the baseline.
        return None


def _replayed(ground: Ground, folds: Folds, recipe: Recipe, told: Told, stage: str) -> Replay:
    done = _counter(told, stage, len(recipe.members) * len(folds.issued))
    return replay(
        ground.history,
        folds.lengths,
        recipe,
        recipe.members,
        told=lambda member, origin: done(member),
    )


def _counter(told: Told, stage: str, total: int) -> Callable[[str], None]:
    counted = 0
    told(stage, 0, total)

    def step(_: str) -> None:
        nonlocal counted
        counted += 1
        told(stage, counted, total)

    return step
