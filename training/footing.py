"""What a retrain's figures come to, kept by the content of the files they are made from: a retrain on ground
that was judged before then need not sum the lake again to find that out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from features.reference import tables
from features.series.lake import Lake
from features.series.membership import Boundary
from features.series.words import KNOWN_AT
from training import ledger, registry
from training.folds import Folds, issued_by
from training.judging import Ground
from training.pieces import Cache
from training.plan import Plan
from training.prints import JUDGING, digest_of, joined, made_with

# What of a snapshot the series are made from; its complaints are for people.
_READ: Final = ("records", "facilities")
_HELD: Final = {"digests", "counts", "lengths", "scored", "newest"}


@dataclass(frozen=True)
class Footing:
    """The figures of a retrain in a few words.

    Attributes:
        data_hash, history: digests of the vintages, and of the panel known now.
        rows, series: figures known, and series.
        folds: issue times replayed, and which are scored.
        newest: when the newest of the vintages became known, nanoseconds since 1970.
    """

    data_hash: str
    history: str
    rows: int
    series: int
    folds: Folds
    newest: int

    @staticmethod
    def of(ground: Ground, folds: Folds) -> Footing:
        """Of figures that were read."""
        known_at = ground.figures.vintages.frame[KNOWN_AT].to_numpy(dtype="datetime64[ns]")
        return Footing(
            data_hash=ground.data_hash,
            history=digest_of(ground.history),
            rows=int(np.isfinite(ground.history.y).sum()),
            series=len(ground.history.ids),
            folds=folds,
            newest=int(known_at.astype(np.int64).max()),
        )

    def digest(self, store: Path, plan: Plan) -> str:
        """Of all that decides the outcome, the champion that serves now among it."""
        serving = registry.champion(store)
        return ledger.ground_of(
            self.data_hash,
            self.history,
            plan.fingerprint(),
            made_with(*JUDGING),
            *self.folds.issued,
            serving.to_version if serving else "",
        )


def key_of(plan: Plan, lake: str | Path, own: Sequence[Boundary], now: pd.Timestamp) -> str:
    """Digest of the files, settings and code that a footing on the lake at ``now`` is made from; "" where
    it is not kept: the embedded figures are read in no time, and boundaries of a user are not hashed.

    Snapshots count by their bytes, and by when they were shown, for that decides what was known when.
    """
    if plan.figures.figures == "embedded" or own:
        return ""
    source = Lake(lake)
    shown = []
    for snapshot in source.snapshots():
        seen = [str(at) for at in snapshot.seen if at <= now]
        if snapshot.source not in plan.figures.sources or not seen:
            continue
        try:
            parts = [source.ground.read(f"{snapshot.folder}/{snapshot.parts[p]['file']}") for p in _READ]
        except FileNotFoundError:
            return ""  # whoever reads the lake says so
        digests = [hashlib.sha256(part).hexdigest() for part in parts]
        # Of two snapshots shown at one instant the rank says which holds.
        shown.append([snapshot.folder, list(snapshot.rank), seen, digests])
    told = [plan.figures.model_dump(), plan.folds.model_dump(), _issued(plan, now), made_with(*JUDGING)]
    return joined("footing", shown, _reference(), *told)


def read(cache: Cache, key: str, plan: Plan, now: pd.Timestamp) -> Footing | None:
    """The footing kept under ``key``; None if there is none, or it is damaged."""
    held = cache.read(key) if key else None
    if held is None or set(held) != _HELD or int(held["newest"]) > now.as_unit("ns").value:
        return None
    issued = issued_by(plan.folds, now)
    if len(issued) != len(held["lengths"]):
        return None
    data_hash, history = map(str, held["digests"])
    rows, series = map(int, held["counts"])
    folds = Folds(issued, held["lengths"], held["scored"])
    return Footing(data_hash, history, rows, series, folds, int(held["newest"]))


def keep(cache: Cache, key: str, footing: Footing, now: pd.Timestamp) -> None:
    """Keep a footing; one with figures that become known later only holds until then, and is not."""
    if key and footing.newest <= now.as_unit("ns").value:
        cache.write(
            key,
            {
                "digests": np.array([footing.data_hash, footing.history]),
                "counts": np.array([footing.rows, footing.series]),
                "lengths": footing.folds.lengths,
                "scored": footing.folds.scored,
                "newest": np.array(footing.newest),
            },
        )


def _issued(plan: Plan, now: pd.Timestamp) -> list[str]:
    return [str(moment) for moment in issued_by(plan.folds, now)]


def _reference() -> list[list[str]]:
    """Name and digest of every reference table."""
    folder = Path(tables.__file__).parent
    return [
        [path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in sorted(folder.glob("*.csv"))
    ]
