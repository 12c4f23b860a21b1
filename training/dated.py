"""Dated targets replayed: what past forecasts said of them, what came true, and the map that mends the rest.

Walking forward: the map that is scored at a fold was learnt from pseudo-targets of earlier folds whose
outcome had been published when the fold was issued. The map that is served is learnt on all of them. All
folds are asked, not only those the gate scores: years, not cases, are what a map is short of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from models.dated import DatedRecord, Recalibration, chance_at_most
from models.dated_scores import NAIVE, RAW, RECALIBRATED, UNDECIDED, Scored, records
from models.forecast import STANDARD_QUANTILES
from models.past_targets import PastTargets, past_targets, told
from models.recalibrate import BINS, BLOCKS, Cases, counted, learn
from models.recipe import Recipe
from models.replay import Replay
from training.backtest import Backtest
from training.dated_past import KINDS, Past, leaving_chances, past_of, with_countries
from training.folds import Folds
from training.gate import Verdict
from training.job import Job
from training.judging import Ground, Heard
from training.pieces import Cache
from training.prints import Prints
from training.resume import backtested

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

# Further chances of a cutoff's pseudo-targets, by name: from its number and its pseudo-targets, (N,) each.
Rivals = Callable[[int, PastTargets], Mapping[str, Float]]


@dataclass(frozen=True)
class Walked:
    """The replay's outcome: sums of scores, those of undecided cases, and the map learnt on everything."""

    scored: Scored
    undecided: Scored
    recalibration: Recalibration


def dated_record(job: Job, case: Heard, verdict: Verdict, cache: Cache) -> DatedRecord | None:
    """The record of ``case``'s challenger beside the baseline; None where the baseline was not replayed."""
    recipe, baseline = case.challenger, job.plan.gate.baseline
    if baseline not in case.past.members:
        return None
    issued = [f"{moment:%Y-%m-%d}" for moment in case.folds.issued]

    def make() -> DatedRecord:
        past, ours, naive = served(job.ground, case.past, case.folds, recipe, baseline, cache)
        return record_of(past, walked(past, ours.values, naive.values))

    made = case.kept.dated([recipe.name, baseline], make, issued, job.ground.data_hash)
    facts: dict[str, Any] = {
        "names": {"challenger": recipe.name, "baseline": baseline},
        "issued": issued,
        "as_of": job.at,
        "plan": job.plan.name,
        "plan_fingerprint": job.plan.fingerprint(),
        "verdict_id": verdict.verdict_id,
    }
    return replace(made, facts={**made.facts, **facts})


def record_of(past: Past, found: Walked) -> DatedRecord:
    """What a replay found, and how it was asked."""
    facts = {
        "targets": told(),
        "closures": int(past.closed.sum()),
        "scores": records(found.scored),
        "undecided": records(found.undecided),
    }
    return DatedRecord(found.recalibration, facts)


def served(
    ground: Ground, said: Replay, folds: Folds, recipe: Recipe, baseline: str, cache: Cache
) -> tuple[Past, Backtest, Backtest]:
    """What was seen and came true, and the forecasts of recipe and baseline as they would have been served,
    at every fold."""
    history, steps = ground.history, said.actual.shape[2]
    every = replace(folds, scored=np.ones(len(folds.issued), dtype=bool))
    hierarchy = with_countries(ground.hierarchy, history)
    leaving = leaving_chances(history, folds, steps) if recipe.exits else None
    prints = Prints(history, said, every, hierarchy)
    ours, naive = (
        backtested(history, said.only(one.members), every, one, hierarchy, cache, prints, leaving)
        for one in (recipe, recipe.alone(baseline))
    )
    return past_of(ground, hierarchy, every, ours), ours, naive


def walked(past: Past, ours: Float, naive: Float, rivals: Rivals = lambda fold, targets: {}) -> Walked:
    """Ask past forecasts of every pseudo-target, mend what they said walking forward, and score it.

    Args:
        ours, naive: (F, B, H, 13) quantiles at ``STANDARD_QUANTILES`` of the recipe and of the baseline.
        rivals: further chances scored beside them.
    """
    whole, undecided = list[Scored](), list[Scored]()
    counts = Counts.none(len(past.seen))
    for asked, said in walking(past, ours, naive, counts, rivals):
        kind, block, beside = past.kind[asked.rows], past.block[asked.rows], said[NAIVE]
        whole.append(Scored.of_cutoff(KINDS, kind, block, said, asked.met))
        open_ = (beside >= UNDECIDED[0]) & (beside <= UNDECIDED[1])
        left = {name: p[open_] for name, p in said.items()}
        undecided.append(Scored.of_cutoff(KINDS, kind[open_], block[open_], left, asked.met[open_]))
    return Walked(Scored.joined(whole), Scored.joined(undecided), learn(counts.by(len(past.seen))))


@dataclass(frozen=True)
class Counts:
    """Cases filled in fold by fold: (F + 1, K, F, G, BINS) by the first fold that knew their outcome, kind,
    cutoff, block and what was said; and those met."""

    n: npt.NDArray[np.float32]
    met: npt.NDArray[np.float32]

    @staticmethod
    def none(folds: int) -> Counts:
        """No cases of so many folds yet."""
        shape = (folds + 1, len(KINDS), folds, BLOCKS, BINS)
        return Counts(np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32))

    def by(self, fold: int) -> Cases:
        """Those whose outcome was published by the issue of a fold."""
        n, met = (part[: fold + 1].sum(axis=0, dtype=np.float64) for part in (self.n, self.met))
        return Cases(KINDS, n, met)


def walking(
    past: Past, ours: Float, naive: Float, counts: Counts, rivals: Rivals = lambda fold, targets: {}
) -> Iterator[tuple[PastTargets, dict[str, Float]]]:
    """The pseudo-targets of each fold, oldest first, and the chances said of them, by name.

    Args:
        counts: filled in on the way; empty at first.
    """
    folds = len(past.seen)
    for fold in range(folds):
        asked = past_targets(past.seen[fold], past.actual[fold])
        raw, kind, block = said_of(ours[fold], asked), past.kind[asked.rows], past.block[asked.rows]
        mend = learn(counts.by(fold), draws=0)
        said = {RECALIBRATED: mended(mend, raw, kind), RAW: raw, NAIVE: said_of(naive[fold], asked)}
        yield asked, {**said, **rivals(fold, asked)}
        n, met = _by_publication(past.known[fold], asked, kind, block, raw, folds)
        counts.n[:, :, fold], counts.met[:, :, fold] = n, met


def said_of(values: Float, asked: PastTargets) -> Float:
    """(N,) chances that quantiles (B, H, 13) give to pseudo-targets."""
    return chance_at_most(values[asked.rows, asked.steps - 1], STANDARD_QUANTILES, asked.levels)


def mended(map_: Recalibration, p: Float, kind: Int) -> Float:
    """(N,) chances, each under the map of its kind (N,)."""
    out = p.copy()
    for k, name in enumerate(KINDS):
        mine = kind == k
        out[mine] = map_.apply(p[mine], name)
    return out


def _by_publication(
    known: Int, asked: PastTargets, kind: Int, block: Int, p: Float, folds: int
) -> tuple[Float, Float]:
    """(F + 1, K, G, BINS) cases of one cutoff, and those met, by the first fold that knew their outcome."""
    held = np.isfinite(asked.met)
    when = known[asked.rows[held], asked.steps[held] - 1]
    count = (folds + 1) * len(KINDS)
    n, met = counted(count, when * len(KINDS) + kind[held], block[held], p[held], asked.met[held])
    shape = (folds + 1, len(KINDS), BLOCKS, BINS)
    return n.reshape(shape), met.reshape(shape)
