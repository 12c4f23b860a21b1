"""A retrain, top to bottom: figures, folds, backtest, verdict, saved model, tracker, promotion.

Killed at any point it leaves the champion as it was: the saved folder appears whole or not at all, the
promotion record is one appended line, and everything before it can be thrown away and done again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from features.files import one_at_a_time
from features.series.basis_files import write_basis
from features.series.membership import Boundary
from models import saved
from models.fitted import fit
from models.recipe import Recipe
from models.replay import Replay
from training import registry
from training.book import Book, track
from training.folds import Folds
from training.gate import Verdict
from training.judging import Ground, Told, champion_recipe, decide, judged, stand
from training.plan import Plan
from training.promotions import Promotion
from training.reliability import exits_report, no_exits
from training.scores import scores_frame
from training.tracking import Tracker, close_orphans, open_tracker


@dataclass(frozen=True)
class Retrained:
    """What a retrain did.

    Attributes:
        rows_read: figures known at the time.
        series: how many series.
        folds: issue times replayed, and which were scored.
        scores: the Scores frame.
        verdict: of the gate.
        model_version: the version that serves after it; "" if none ever passed.
        promoted: whether this retrain changed it.
    """

    rows_read: int
    series: int
    folds: Folds
    scores: pd.DataFrame
    verdict: Verdict
    model_version: str
    promoted: bool


@dataclass(frozen=True)
class Job:
    """One retrain being done.

    Attributes:
        plan: what it decides by.
        ground: the figures it stands on.
        recipe: the challenger.
        now, commit, who: when, from which code, by whom.
    """

    plan: Plan
    ground: Ground
    recipe: Recipe
    now: datetime
    commit: str
    who: str

    @property
    def origin(self) -> str:
        """Where the figures are from, in words a tracker keeps."""
        told = self.ground.basis.origin
        return str(told.get("from") or "lake: " + ", ".join(told["snapshots"]))

    def version(self, verdict: Verdict) -> str:
        """Name of the model this retrain would save: issue time and digest of all it was made from."""
        parts = (
            self.recipe.fingerprint(),
            self.plan.fingerprint(),
            self.ground.data_hash,
            verdict.verdict_id,
        )
        digest = hashlib.sha256(":".join(parts).encode()).hexdigest()[:8]
        return f"{self.now.astimezone(UTC):%Y-%m-%dT%H%M%SZ}-{digest}"


def retrain(
    *,
    plan: Plan,
    store: Path,
    now: datetime,
    lake: str | Path = "",
    own: Sequence[Boundary] = (),
    commit: str = "",
    who: str = "forecarbon retrain",
    told: Told = lambda stage, done, total: None,
) -> Retrained:
    """Judge the plan's recipe on the figures known at ``now``; promote it if the gate says so.

    Args:
        now: aware instant; nothing published after it is read.
        lake: where facility records are kept, for plans that read them; ``store/lake`` when left out.
        own: clusters that a user added or redrew.
        told: progress, called with (stage, done, total).

    Raises:
        AskError: another retrain holds the store.
        ForecarbonError: figures or store cannot be used; nothing was changed.
    """
    with one_at_a_time(store / "retrain.lock", "retrain"):
        ground = stand(now, plan.figures, lake or store / "lake", own)
        job = Job(plan, ground, plan.recipe.recipe(), now, commit, who)
        folds, tests, past = judged(job.ground, plan, job.recipe, champion_recipe(store), now, told)
        scores = scores_frame(tests)
        verdict = decide(plan, job.recipe, tests, job.ground, store)
        told("tracking", 0, 3)
        tracker = open_tracker(store=store, experiment=plan.experiment)
        close_orphans(tracker, older_than=now)
        registry.settle(tracker)
        told("tracking", 1, 3)
        version = _saved(job, store, past, verdict, scores) if verdict.decision == "promote" else ""
        history, digest = job.ground.history, job.ground.data_hash
        runs = track(
            tracker,
            Book(
                plan,
                tests,
                scores,
                verdict,
                folds,
                history,
                exits_report(history, folds, job.recipe.reach) if job.recipe.exits else no_exits(),
                job.origin,
                version,
                now,
                commit,
                digest,
            ),
        )
        told("tracking", 2, 3)
        if version:
            _promote(job, tracker, runs[job.recipe.name], version, verdict)
        told("tracking", 3, 3)
    serving = registry.champion(store)
    return Retrained(
        rows_read=int(np.isfinite(history.y).sum()),
        series=len(history.ids),
        folds=folds,
        scores=scores,
        verdict=verdict,
        model_version=serving.to_version if serving else "",
        promoted=bool(version),
    )


def _saved(job: Job, store: Path, past: Replay, verdict: Verdict, scores: pd.DataFrame) -> str:
    """Fit on everything and write the folder. Returns the model version."""
    version = job.version(verdict)
    fitted = fit(job.ground.history, past, job.recipe)
    evidence = {"scores": headline(scores), "verdict": verdict.as_record(), "git_commit": job.commit}
    folder, basis = registry.model_folder(store, version), job.ground.basis
    saved.write(
        fitted, job.ground.history, folder, evidence=evidence, beside=lambda room: write_basis(basis, room)
    )
    return version


def headline(scores: pd.DataFrame) -> list[dict[str, object]]:
    """The scores over all steps, as records a model card can carry; a missing value is None."""
    whole = scores[scores["step"] == 0]
    columns = ["forecaster", "kind", "metric", "param", "value", "n", "n_missing"]
    records: list[dict[str, object]] = []
    for row in whole[columns].to_dict("records"):
        value = float(row["value"])
        told = {str(key): item for key, item in row.items()}
        records.append({**told, "value": value if np.isfinite(value) else None})
    return records


def _promote(job: Job, tracker: Tracker, run: str, version: str, verdict: Verdict) -> None:
    hierarchy, data_hash = job.ground.hierarchy, job.ground.data_hash
    example = pd.DataFrame({"unique_id": [hierarchy.members[c][0] for c in hierarchy.clusters[:2]]})
    folder = registry.model_folder(tracker.store, version)
    uri = registry.log_model(tracker, run, folder, example=example.assign(steps=8))
    number = registry.register(
        tracker,
        model_uri=uri,
        run_id=run,
        model_version=version,
        sentence=verdict.sentence,
        tags={"plan": job.plan.name, "verdict_id": verdict.verdict_id, "data_hash": data_hash},
    )
    standing = registry.champion(tracker.store)
    registry.promote(
        tracker,
        Promotion(
            at=f"{job.now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            who=job.who,
            from_version=standing.to_version if standing else "",
            to_version=version,
            verdict_id=verdict.verdict_id,
            decision=verdict.decision,
            data_hash=data_hash,
            plan_fingerprint=job.plan.fingerprint(),
            recipe_fingerprint=job.recipe.fingerprint(),
            run_id=run,
            registry_version=number,
            sentence=verdict.sentence,
        ),
    )
