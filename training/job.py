"""One retrain being done: what it stands on, and what it says of itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pandas as pd

from features.errors import ModelError
from features.instants import to_second
from models import saved
from models.recipe import Recipe
from training import ledger, promotions, registry
from training.folds import Folds
from training.footing import Footing
from training.gate import Verdict
from training.judging import Ground
from training.plan import Plan
from training.prints import JUDGING, made_with


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
        refused: members that failed and were left out, with the reason.
        unchanged: nothing that decides had changed, so nothing was judged.
        left: a version that was saved and is left to a person to promote; "" if there is none.
    """

    rows_read: int
    series: int
    folds: Folds
    scores: pd.DataFrame
    verdict: Verdict
    model_version: str
    promoted: bool
    refused: tuple[str, ...] = ()
    unchanged: bool = False
    left: str = ""


@dataclass(frozen=True)
class Job:
    """One retrain being done.

    Attributes:
        plan: what it decides by.
        ground: the figures it stands on.
        folds: the plan's, up to now.
        now, commit, who: when, from which code, by whom.
    """

    plan: Plan
    ground: Ground
    folds: Folds
    now: datetime
    commit: str
    who: str

    @property
    def at(self) -> str:
        """``now`` as records write it."""
        return to_second(self.now)

    @cached_property
    def footing(self) -> Footing:
        """What its figures come to."""
        return Footing.of(self.ground, self.folds)

    @property
    def origin(self) -> str:
        """Where the figures are from, in words a tracker keeps."""
        told = self.ground.basis.origin
        return str(told.get("from") or "lake: " + ", ".join(told["snapshots"]))

    def version(self, recipe: Recipe, verdict: Verdict) -> str:
        """Name of the model this retrain would save: issue time and digest of all it was made from."""
        parts = (
            recipe.fingerprint(),
            self.plan.fingerprint(),
            self.ground.data_hash,
            verdict.verdict_id,
            self.commit,
            made_with(*JUDGING),
        )
        digest = hashlib.sha256(":".join(parts).encode()).hexdigest()[:8]
        return f"{self.now.astimezone(UTC):%Y-%m-%dT%H%M%SZ}-{digest}"

    def left_saved(self, store: Path, version: str) -> str:
        """The readable model that a killed retrain made from the very same and did not bring to a
        promotion; "" if there is none."""
        served = {line.to_version for line in promotions.read(store)}
        alike = (store / "models").glob(f"*-{version.rpartition('-')[2]}")
        for folder in sorted(alike):
            try:
                saved.read(folder)
            except ModelError:
                continue
            if folder.name not in served:
                return folder.name
        return ""

    def digest(self, store: Path) -> str:
        """Of all that decides the outcome, the champion that serves now among it."""
        return self.footing.digest(store, self.plan)

    def entry(self, store: Path, verdict: Verdict, *, whole: bool) -> ledger.Entry:
        """The line of this retrain in the record."""
        serving = registry.champion(store)
        return ledger.Entry(
            at=self.at,
            who=self.who,
            plan=self.plan.name,
            ground=self.digest(store),
            action=ledger.JUDGED,
            verdict_id=verdict.verdict_id,
            decision=verdict.decision,
            model_version=serving.to_version if serving else "",
            data_hash=self.ground.data_hash,
            commit=self.commit,
            whole=whole,
        )

    def outcome(
        self,
        store: Path,
        scores: pd.DataFrame,
        verdict: Verdict,
        *,
        promoted: bool,
        refused: tuple[str, ...] = (),
        saved_as: str = "",
    ) -> Retrained:
        """What the caller is told; ``saved_as`` is the version that was saved, promoted or not."""
        told = outcome_of(self.footing, store, scores, verdict, promoted=promoted, refused=refused)
        return replace(told, left="" if promoted else saved_as)


def outcome_of(
    footing: Footing,
    store: Path,
    scores: pd.DataFrame,
    verdict: Verdict,
    *,
    promoted: bool,
    refused: tuple[str, ...] = (),
) -> Retrained:
    """What the caller of a retrain on ``footing`` is told."""
    serving = registry.champion(store)
    return Retrained(
        rows_read=footing.rows,
        series=footing.series,
        folds=footing.folds,
        scores=scores,
        verdict=verdict,
        model_version=serving.to_version if serving else "",
        promoted=promoted,
        refused=refused,
    )
