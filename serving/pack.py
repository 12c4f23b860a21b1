"""Building what serving reads: a champion's forecasts of every series, in one immutable folder.

The only door from serving to training: ``training.registry.champion_folder``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from features.errors import DataError, ModelError
from features.files import read_json, whole_folder, write_json
from features.series.panel import Dense
from features.series.words import MAX_STEPS, UNIT
from serving.facts import Registry, absent_clusters, cluster_records, credits_of
from serving.forecasts import Figures, Fitted, Forecasting, Table, table_of
from serving.layout import (
    CARD,
    CLUSTERS,
    CURRENT,
    FORMAT,
    GRID,
    HISTORY,
    MODEL,
    PACKS,
    PREVIOUS,
    RETRAIN,
    Pointer,
    folder_digests,
    read_pointer,
    sha256_of,
    text_digest,
)
from serving.opened import open_pack

PATHS: Final = 1000
SEED: Final = 20260101
EVIDENCE: Final = "evidence.json"


@dataclass(frozen=True)
class Evidence:
    """Why the champion deserves to serve, as the model card tells it."""

    scores: list[dict[str, Any]] = field(default_factory=list)
    verdict: dict[str, Any] = field(default_factory=dict)
    git_commit: str = ""


def build_and_publish(*, store: Path, now: datetime) -> Path:
    """Build the champion's pack on the embedded figures known at ``now``, and point serving to it.

    The same champion on the same figures gives the same pack, which is then left as it is.

    Raises:
        ModelError: no champion, or its folder cannot be read.
    """
    from features.reference.tables import load
    from features.series.build import embedded
    from models.engine import fit_panel
    from models.saved import read
    from training.registry import champion_folder

    folder = champion_folder(store)
    if folder is None:
        raise ModelError(
            "no-champion",
            found="no champion in the store",
            expected="one that passed the gate",
            remedy=RETRAIN,
        )
    reference = load()
    series_set = embedded(reference)
    fitted, _ = read(folder)
    history = series_set.as_of(naive_utc(now))
    pack = write_pack(
        store=store,
        model_version=folder.name,
        fitted=fitted,
        naive=lambda: fit_panel(history, fitted.recipe.alone("naive")),
        history=history,
        series_set=series_set,
        reference=reference,
        created_at=now,
        model_folder=folder,
        evidence=evidence_of(folder),
    )
    publish(store, pack)
    return pack


def evidence_of(folder: Path) -> Evidence:
    """Scores, verdict and commit kept beside a saved model in ``evidence.json``; empty without it."""
    path = folder / EVIDENCE
    return Evidence(**read_json(path)) if path.exists() else Evidence()


def write_pack(
    *,
    store: Path,
    model_version: str,
    fitted: Fitted,
    naive: Callable[[], Forecasting],
    history: Dense,
    series_set: Figures,
    reference: Registry,
    created_at: datetime,
    model_folder: Path | None = None,
    evidence: Evidence | None = None,
    steps: int = MAX_STEPS,
    paths: int = PATHS,
    seed: int = SEED,
) -> Path:
    """Write the pack folder, whole or not at all, unless a sound one of this content is there already.

    Rows of ``history`` whose trait ``kind`` is "sector" are served. ``naive`` makes what draws the paths
    of the last rung of the ladder; it is called only if there is something to write. ``model_folder``,
    the champion's saved folder, is copied into the pack.

    Raises:
        DataError: there is no cluster sector with recent figures.
    """
    sectors = history.take(np.flatnonzero((history.traits["kind"] == "sector").to_numpy()))
    if not sectors.ids:
        raise DataError(
            "nothing-to-serve",
            found="no cluster sector among the figures",
            expected="at least one",
            remedy="check the figures that were read",
        )
    ended = _ended(series_set, created_at, sectors)
    clusters = cluster_records(reference)
    inputs = text_digest(
        FORMAT,
        model_version,
        _figures_digest(sectors),
        json.dumps([clusters, ended]),
        steps,
        paths,
        seed,
        GRID,
    )
    target = store / PACKS / f"{model_version}-{inputs[:8]}"
    if target.exists():
        if _sound(store, target):
            return target
        shutil.rmtree(target)
    table = table_of(
        fitted,
        naive(),
        sectors,
        [item["unique_id"] for item in ended],
        made_by=str(fitted.recipe.name),
        steps=steps,
        count=paths,
        seed=seed,
    )
    card = _card(model_version, fitted, series_set, evidence or Evidence(), created_at, history.cadence.name)
    with whole_folder(target) as folder:
        _write_files(folder, table, clusters, model_folder)
        card |= {"steps": steps, "paths": paths, "levels": list(GRID)}
        card["series"] = _credited(table, credits_of(reference, series_set.vintages.frame))
        card["absent"] = [*absent_clusters(reference, table.names), *ended]
        card["files"] = folder_digests(folder)
        write_json(folder / CARD, card)
    return target


def publish(store: Path, pack: Path) -> Pointer:
    """Point serving to ``pack``; the pointer of another champion before it becomes ``previous.json``.

    Raises:
        ModelError: the pack does not open; the old pointer stays.
    """
    card = read_json(pack / CARD)
    pointer = Pointer(str(card["model_version"]), f"{PACKS}/{pack.name}", sha256_of(pack / CARD))
    open_pack(store, pointer)
    try:
        before = read_pointer(store / CURRENT)
    except ModelError:
        before = None
    if before == pointer:
        return pointer
    if before is not None and before.model_version != pointer.model_version:
        write_json(store / PREVIOUS, before.as_record())
    write_json(store / CURRENT, pointer.as_record())
    return pointer


def naive_utc(moment: datetime) -> pd.Timestamp:
    """An aware instant as the frames write it: UTC without a zone."""
    return pd.Timestamp(moment.astimezone(UTC).replace(tzinfo=None))


def _ended(series_set: Figures, moment: datetime, sectors: Dense) -> list[dict[str, str]]:
    frame = series_set.ended(naive_utc(moment))
    return [
        {"unique_id": str(name), "code": "series-ended", "reason": str(reason), "remedy": str(remedy)}
        for name, reason, remedy in zip(frame["unique_id"], frame["reason"], frame["remedy"], strict=True)
        if str(name) in sectors.row
    ]


def _sound(store: Path, pack: Path) -> bool:
    try:
        open_pack(store, Pointer("", f"{PACKS}/{pack.name}", sha256_of(pack / CARD)))
    except (ModelError, OSError):
        return False
    return True


def _card(
    model_version: str,
    fitted: Fitted,
    series_set: Figures,
    evidence: Evidence,
    created_at: datetime,
    cadence: str,
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "model_version": model_version,
        "recipe": str(fitted.recipe.name),
        "recipe_record": dict(fitted.recipe.as_record()),
        "as_of": f"{created_at:%Y-%m-%dT%H:%M:%SZ}",
        "created_at": f"{created_at:%Y-%m-%dT%H:%M:%SZ}",
        "data_hash": series_set.data_hash(),
        "git_commit": evidence.git_commit,
        "unit": UNIT,
        "cadence": cadence,
        "scores": evidence.scores,
        "verdict": evidence.verdict,
    }


def _figures_digest(sectors: Dense) -> str:
    whole = hashlib.sha256(repr(sectors.ids).encode())
    for values in (sectors.y, sectors.starts, sectors.lengths, sectors.breaks):
        whole.update(np.ascontiguousarray(values).tobytes())
    return whole.hexdigest()


def _write_files(
    folder: Path, table: Table, clusters: list[dict[str, Any]], model_folder: Path | None
) -> None:
    for name, values in table.arrays.items():
        np.save(folder / f"{name}.npy", values)
    table.history.to_parquet(folder / HISTORY, index=False)
    write_json(folder / CLUSTERS, {"clusters": clusters})
    if model_folder is not None:
        shutil.copytree(model_folder, folder / MODEL)


def _credited(table: Table, credited: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    """The served series with the credits of every figure below them."""
    return [
        {**item, "sources": sorted({text for name in below for text in credited.get(name, ())})}
        for item, below in zip(table.series, table.below, strict=True)
    ]
