"""Putting recipes on the same folds and asking the gate: what stands, what challenges, what is decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pandas as pd

from features.errors import ModelError
from features.reference.tables import load
from features.series.basis import Basis, of_embedded, of_lake
from features.series.build import SeriesSet
from features.series.hierarchy import Hierarchy
from features.series.lake import Lake
from features.series.membership import Boundary
from features.series.panel import Dense
from features.spread import Here, Spread
from models import saved
from models.recipe import Recipe
from models.replay import Replay
from training import registry
from training.backtest import Backtest
from training.folds import Folds, make_folds
from training.gate import Verdict, judge_challenger
from training.kept import Kept
from training.pieces import Cache
from training.plan import FiguresPlan, Plan
from training.prints import Prints
from training.promotions import Promotion
from training.rails import Conduct, Occasion, Rule
from training.resume import Replayed, backtested, resumed
from training.tuning import Trial, inner, tuned

Told = Callable[[str, int, int], None]
CHAMPION: Final = "champion (standing)"


@dataclass(frozen=True)
class Ground:
    """What a retrain stands on."""

    basis: Basis
    history: Dense
    hierarchy: Hierarchy
    data_hash: str

    @staticmethod
    def of(basis: Basis, t: pd.Timestamp) -> Ground:
        """``basis`` as known at ``t`` (UTC without a zone)."""
        series = basis.series
        return Ground(basis, series.as_of(t), Hierarchy.of(series.traits), series.data_hash())

    @property
    def figures(self) -> SeriesSet:
        """The series with their vintages."""
        return self.basis.series


def stand(
    now: datetime,
    plan: FiguresPlan | None = None,
    lake: str | Path = "",
    own: Sequence[Boundary] = (),
    spread: Spread = Here(),  # noqa: B008  # it holds nothing
) -> Ground:
    """The figures that ``plan`` names (the embedded ones when left out) as known at ``now``.

    ``own`` are clusters that a user added or redrew; only facility records can be summed over them.
    ``spread`` reads stretches of the lake.

    Raises:
        AskError: the lake at ``lake`` has none of the sources.
        DataError: boundaries or figures that cannot be used.
    """
    moment = pd.Timestamp(now.astimezone(UTC).replace(tzinfo=None))
    return Ground.of(_basis(plan or FiguresPlan(), lake, own, moment, spread), moment)


def _basis(
    plan: FiguresPlan, lake: str | Path, own: Sequence[Boundary], t: pd.Timestamp, spread: Spread
) -> Basis:
    reference = load()
    if plan.figures == "embedded":
        return of_embedded(reference, t)
    return of_lake(
        Lake(lake), reference, t, sources=plan.sources, own=own, kinds=plan.kinds,
        fewest_years=plan.fewest_years, spread=spread,
    )  # fmt: skip


@dataclass(frozen=True)
class Heard:
    """What was heard before the gate decides.

    Attributes:
        folds: issue times, and which are scored.
        tests: backtests by name: every member, the challenger and, if it is another recipe, the champion.
        challenger: as it was judged: tuned, and without members that failed.
        past: what its members said.
        conduct: seconds, and members refused.
        standing: the champion's recipe; None before the first, or if it cannot be read.
        trials: of the tuning.
        kept: what is read off the backtests.
    """

    folds: Folds
    tests: dict[str, Backtest]
    challenger: Recipe
    past: Replay
    conduct: Conduct
    standing: Recipe | None = None
    trials: tuple[Trial, ...] = ()
    kept: Kept = field(default_factory=Kept)


def heard(
    ground: Ground,
    plan: Plan,
    champion: Recipe | None,
    folds: Folds,
    told: Told,
    cache: Cache | None = None,
    spread: Spread = Here(),  # noqa: B008  # it holds nothing
) -> Heard:
    """Replay and backtest the plan's recipe, its members by themselves, and the champion's.

    ``spread`` does the work of members and folds.

    Raises:
        ModelError: every member of the challenger failed.
    """
    cache = cache or Cache()
    recipe, trials = plan.recipe.recipe(), tuple[Trial, ...]()
    if plan.tuning is not None:
        room = inner(ground.history, folds, plan.tuning.folds)
        recipe, trials = tuned(
            room, recipe, plan.tuning, plan.gate.primary, cache, told=lambda i, n: told("tuning", i, n)
        )
    said = _replayed(ground, folds, recipe, cache, told, "replay", spread)
    recipe = said.recipe
    recipes = [*(recipe.alone(name) for name in recipe.members), recipe]
    done = _counter(told, "backtest", len(recipes) + 1)
    tests, told_apart = dict[str, Backtest](), dict[str, str]()
    prints = Prints(ground.history, said.past, folds, ground.hierarchy)
    for one in recipes:
        tests[one.name] = backtested(
            ground.history, said.past, folds, one, ground.hierarchy, cache, prints, spread=spread
        )
        told_apart[one.name] = prints.of(one)
        done(one.name)
    if champion is not None and champion.fingerprint() != recipe.fingerprint():
        tests |= _standing(ground, folds, champion, recipe.reach, cache, told, told_apart, spread)
    done("champion")
    kept = Kept(cache, told_apart)
    return Heard(folds, tests, recipe, said.past, said.conduct, champion, trials, kept)


def _standing(
    ground: Ground,
    folds: Folds,
    champion: Recipe,
    reach: int,
    cache: Cache,
    told: Told,
    told_apart: dict[str, str],
    spread: Spread,
) -> dict[str, Backtest]:
    """The champion's recipe refitted on the same folds; nothing if every member of it failed.

    Its digest is put down in ``told_apart``.

    Raises:
        ModelError: the engine failed.
    """
    # Judged over the challenger's steps, whatever its own reach: only equal tasks compare.
    recipe = replace(champion, name=CHAMPION, reach=reach)
    try:
        said = _replayed(ground, folds, recipe, cache, told, "champion replay", spread)
    except ModelError as refusal:
        if refusal.code != "no-member-left":
            raise  # what failed is whoever computes, and not the champion
        return {}
    prints = Prints(ground.history, said.past, folds, ground.hierarchy)
    told_apart[CHAMPION] = prints.of(said.recipe)
    test = backtested(
        ground.history, said.past, folds, said.recipe, ground.hierarchy, cache, prints, spread=spread
    )
    return {CHAMPION: test}


def folds_of(ground: Ground, plan: Plan, now: datetime) -> Folds:
    """The plan's folds up to ``now``."""
    return make_folds(
        ground.figures, ground.history, plan.folds, pd.Timestamp(now.astimezone(UTC).replace(tzinfo=None))
    )


def decide(plan: Plan, case: Heard, ground: Ground, store: Path) -> Verdict:
    """The gate's verdict against what serves, or against the baseline where nothing serves yet."""
    standing, challenger = registry.champion(store), case.challenger
    occasion: Occasion = "rival"
    against = CHAMPION
    if standing is None or case.standing is None:
        # Nothing serves yet, or a folder that cannot be read, and so neither serves nor can be refitted.
        against, occasion = plan.gate.baseline, "first"
    elif case.standing.fingerprint() == challenger.fingerprint():
        if standing.data_hash == ground.data_hash:
            return _nothing_new(challenger, standing)
        against, occasion = challenger.name, "refit"
    stamp = f"{ground.data_hash}:{plan.fingerprint()}"

    def judged() -> Verdict:
        return judge_challenger(
            challenger,
            case.tests,
            against,
            plan.gate,
            stamp=stamp,
            occasion=occasion,
            conduct=case.conduct,
        )

    settings = (challenger.name, against, plan.gate.model_dump(), stamp, occasion, asdict(case.conduct))
    return case.kept.verdict([challenger.name, against], judged, *settings)


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


def _replayed(
    ground: Ground, folds: Folds, recipe: Recipe, cache: Cache, told: Told, stage: str, spread: Spread
) -> Replayed:
    done = _counter(told, stage, len(recipe.members) * len(folds.issued))
    return resumed(
        ground.history, folds.lengths, recipe, cache, told=lambda member, origin: done(member), spread=spread
    )


def _counter(told: Told, stage: str, total: int) -> Callable[[str], None]:
    counted = 0
    told(stage, 0, total)

    def step(_: str) -> None:
        nonlocal counted
        counted += 1
        told(stage, counted, total)

    return step
