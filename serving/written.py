"""Writing a pack: a champion's forecasts of every series, in one immutable folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from features.errors import DataError, ModelError
from features.files import whole_folder, write_json
from features.instants import naive_utc, to_second
from features.series.panel import Dense
from features.series.words import MAX_STEPS, UNIT
from serving.beside import Beside
from serving.facts import Registry, absent_clusters, cluster_records, credits_of
from serving.forecasts import PLANT_LEVELS, Figures, Fitted, Forecasting, Table, table_of, with_plants
from serving.layout import (
    CARD,
    CLUSTERS,
    FORMAT,
    GRID,
    HISTORY,
    MODEL,
    PACKS,
    PLANT,
    Pointer,
    folder_digests,
    sha256_of,
    text_digest,
)
from serving.opened import open_pack

PATHS: Final = 1000
SEED: Final = 20260101


@dataclass(frozen=True)
class Evidence:
    """Why the champion deserves to serve, as the model card tells it."""

    scores: list[dict[str, Any]] = field(default_factory=list)
    verdict: dict[str, Any] = field(default_factory=dict)
    git_commit: str = ""


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
    beside: Beside | None = None,
    steps: int = MAX_STEPS,
    paths: int = PATHS,
    seed: int = SEED,
) -> Path:
    """Write the pack folder, whole or not at all, unless a sound one of this content is there already.

    Rows of ``history`` whose trait ``kind`` is "sector" are served with joint paths, those of kind "plant"
    by their quantiles; the plants of a cluster agree with their sector on every path. ``naive`` makes what
    draws the paths of the last rung of the ladder; it is called only if there is something to write.
    ``model_folder``, the champion's saved folder, is copied into the pack.

    Raises:
        DataError: there is no cluster sector with recent figures.
    """
    lots = _lots(history, series_set, created_at)
    told = beside or Beside()
    clusters = cluster_records(reference)
    inputs = text_digest(
        FORMAT,
        model_version,
        _figures_digest(lots.sectors),
        _figures_digest(lots.plants),
        json.dumps([clusters, lots.ended, told.as_record()]),
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
    table = _table(fitted, naive(), lots, steps=steps, paths=paths, seed=seed)
    card = _card(model_version, fitted, series_set, evidence or Evidence(), created_at, history.cadence.name)
    with whole_folder(target) as folder:
        _write_files(folder, table, clusters, model_folder)
        card |= {"steps": steps, "paths": paths, "levels": list(GRID), "plant_levels": list(PLANT_LEVELS)}
        credited = _credited(table, credits_of(reference, series_set.vintages.frame))
        card["series"] = told.beside(credited, table)
        card["bridges"] = [dict(item) for item in told.bridges]
        card["absent"] = [*absent_clusters(reference, table.names), *lots.ended]
        card["files"] = folder_digests(folder)
        write_json(folder / CARD, card)
    return target


@dataclass(frozen=True)
class _Lots:
    """What is to be served.

    Attributes:
        sectors, plants: figures of cluster sectors, and of plants.
        ended: one refusal a series that has ended.
    """

    sectors: Dense
    plants: Dense
    ended: list[dict[str, str]]

    @property
    def gone(self) -> set[str]:
        """Names of the series that have ended."""
        return {item["unique_id"] for item in self.ended}


def _lots(history: Dense, series_set: Figures, created_at: datetime) -> _Lots:
    kinds = history.traits["kind"].to_numpy()
    sectors = history.take(np.flatnonzero(kinds == "sector"))
    plants = history.take(np.flatnonzero(kinds == PLANT))
    if not sectors.ids:
        raise DataError(
            "nothing-to-serve",
            found="no cluster sector among the figures",
            expected="at least one",
            remedy="check the figures that were read",
        )
    return _Lots(sectors, plants, _ended(series_set, created_at, (*sectors.ids, *plants.ids)))


def _table(fitted: Fitted, plain: Forecasting, lots: _Lots, *, steps: int, paths: int, seed: int) -> Table:
    """The forecasts of sectors by joint paths, and of plants that agree with them where they are inside."""
    gone, maker = lots.gone, str(fitted.recipe.name)
    live = lots.plants.take([row for row, name in enumerate(lots.plants.ids) if name not in gone])
    inside = live.take(np.flatnonzero(live.traits["cluster_id"].to_numpy() != "")) if live.ids else live
    table, within = table_of(
        fitted, plain, lots.sectors, gone, made_by=maker, steps=steps, count=paths, seed=seed, inside=inside
    )
    if not live.ids:
        return table
    agreed = dict(zip(inside.ids, within, strict=True))
    return with_plants(table, fitted, plain, live, made_by=maker, steps=steps, agreed=agreed)


def _ended(series_set: Figures, moment: datetime, asked: Sequence[str]) -> list[dict[str, str]]:
    served = set(asked)
    frame = series_set.ended(naive_utc(moment))
    return [
        {"unique_id": str(name), "code": "series-ended", "reason": str(reason), "remedy": str(remedy)}
        for name, reason, remedy in zip(frame["unique_id"], frame["reason"], frame["remedy"], strict=True)
        if str(name) in served
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
        "as_of": to_second(created_at),
        "created_at": to_second(created_at),
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
