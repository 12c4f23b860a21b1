"""A pack opened for reading: verified once, then memory-mapped and never written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import ModelError
from features.files import read_json
from features.series.cadence import CADENCES
from features.series.words import DS, UNIQUE_ID, Y
from serving.kept import Kept
from serving.layout import (
    ARRAYS,
    CARD,
    CLUSTERS,
    FORMAT,
    HISTORY,
    PLANT,
    PLANT_ARRAYS,
    RETRAIN,
    Pointer,
    folder_digests,
    sha256_of,
)

Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Entry:
    """One served series and the dates of its forecast.

    Attributes:
        row: its row in the arrays.
        kind: "plant", "sector", "cluster" or "initiative".
        cutoff: ISO date of the last period seen.
        ds: ISO dates of the forecast periods, one a step.
        made_by: the forecaster that spoke at pack time.
    """

    unique_id: str
    row: int
    kind: str
    cluster_id: str
    sector: str
    scope_id: str
    cutoff: str
    ds: tuple[str, ...]
    made_by: str
    sources: tuple[str, ...]
    name: str = ""
    quality: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Plants:
    """Forecasts of single plants, each by itself: quantiles, and no joint paths.

    Attributes:
        mean: (N, H) tCO2e.
        grid: (N, H, Q) quantiles at ``levels``.
        levels: (Q,) increasing.
    """

    mean: Float
    grid: Float
    levels: tuple[float, ...]


@dataclass(frozen=True)
class OpenedPack:
    """A verified pack.

    Attributes:
        mean, naive_mean: (S, H) tCO2e.
        grid, naive_grid: (S, H, Q) quantiles at ``levels``.
        paths: (S, H, P) joint sample paths.
        usable: (S,) True where the champion's rows are finite and ordered.
        history: (dates, values) of every served series, NaN where missing.
        plants: the rows of entries of kind "plant"; None where the champion's figures have none.
        bridges: (cluster, published scope) -> the bridge's record, or why there is none (with a code).
        folder: where it lies.
    """

    name: str
    digest: str
    card: Mapping[str, Any]
    series: Mapping[str, Entry]
    absent: Mapping[str, Mapping[str, Any]]
    clusters: Mapping[str, Mapping[str, Any]]
    levels: tuple[float, ...]
    mean: Float
    grid: Float
    paths: Float
    naive_mean: Float
    naive_grid: Float
    usable: npt.NDArray[np.bool_]
    history: Mapping[str, tuple[tuple[str, ...], Float]]
    plants: Plants | None
    bridges: Mapping[tuple[str, str], Mapping[str, Any]]
    folder: Path

    @cached_property
    def kept(self) -> Kept:
        """The saved model inside it, opened when first asked for."""
        return Kept(self.folder, self.card["files"])

    @property
    def model_version(self) -> str:
        """Version of the champion in the pack."""
        return str(self.card["model_version"])

    @property
    def steps(self) -> int:
        """Longest horizon in the pack."""
        return int(self.mean.shape[1])

    @property
    def cadence(self) -> str:
        """How long a period is."""
        return str(self.card["cadence"])


def open_pack(store: Path, pointer: Pointer) -> OpenedPack:
    """Open the pack ``pointer`` names after checking every byte against its digests.

    Raises:
        ModelError: missing, corrupt, of another format, or with shapes that do not fit together.
    """
    folder = store / pointer.pack
    try:
        if sha256_of(folder / CARD) != pointer.digest:
            raise _refused(folder, "pack.json differs from the pointer's digest", "unchanged bytes")
        card = read_json(folder / CARD)
        if card["format"] != FORMAT:
            raise _refused(folder, f"format {card['format']}", f"format {FORMAT}", "pack-incompatible")
        _check_bytes(folder, card["files"])
        return _opened(folder, card, pointer.digest)
    except FileNotFoundError as reason:
        gone = Path(str(reason.filename)).name
        raise _refused(folder, f"no {gone}", "a whole pack", "pack-missing") from None
    except (OSError, ValueError, KeyError, TypeError) as reason:
        raise _refused(folder, f"{type(reason).__name__}: {reason}", "a pack that can be read") from None


def _refused(folder: Path, found: str, expected: str, code: str = "pack-corrupt") -> ModelError:
    return ModelError(code, found=f"{folder.name}: {found}", expected=expected, remedy=RETRAIN)


def _check_bytes(folder: Path, promised: Mapping[str, str]) -> None:
    actual = folder_digests(folder)
    wrong = sorted(name for name in promised if actual.get(name) != promised[name])
    if wrong:
        raise ModelError(
            "pack-corrupt",
            found=f"{folder.name}: {len(wrong)} files differ from their digest",
            expected="every file as it was written",
            offenders=wrong,
            remedy=RETRAIN,
        )


def _opened(folder: Path, card: Mapping[str, Any], digest: str) -> OpenedPack:
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    levels = tuple(float(level) for level in card["levels"])
    series = _entries(card)
    summed = sum(entry.kind != PLANT for entry in series.values())
    _check_shapes(folder, card, arrays, summed, len(levels))
    return OpenedPack(
        name=folder.name,
        digest=digest,
        card=card,
        series=series,
        absent={item[UNIQUE_ID]: item for item in card["absent"]},
        clusters={item["cluster_id"]: item for item in read_json(folder / CLUSTERS)["clusters"]},
        levels=levels,
        usable=_usable(arrays),
        history=_history(folder / HISTORY),
        plants=_plants(folder, card, len(series) - summed),
        bridges={(item["cluster_id"], item["to_scope"]): item for item in card.get("bridges", ())},
        folder=folder,
        **arrays,
    )


def _entries(card: Mapping[str, Any]) -> dict[str, Entry]:
    cadence = CADENCES[card["cadence"]]
    ahead = np.arange(1, int(card["steps"]) + 1)

    @cache
    def days_after(cutoff: str) -> tuple[str, ...]:
        last = cadence.ordinal(np.asarray([cutoff], dtype="datetime64[ns]"))
        return tuple(str(day) for day in cadence.instant(last + ahead).astype("datetime64[D]"))

    entries: dict[str, Entry] = {}
    rows = {True: 0, False: 0}
    for item in card["series"]:
        alone = item["kind"] == PLANT
        row, rows[alone] = rows[alone], rows[alone] + 1
        entries[str(item[UNIQUE_ID])] = Entry(
            unique_id=str(item[UNIQUE_ID]),
            row=row,
            kind=str(item["kind"]),
            cluster_id=str(item["cluster_id"]),
            sector=str(item["sector"]),
            scope_id=str(item["scope_id"]),
            cutoff=str(item["cutoff"]),
            ds=days_after(str(item["cutoff"])),
            made_by=str(item["made_by"]),
            sources=tuple(map(str, item["sources"])),
            name=str(item.get("name", "")),
            quality=item.get("quality"),
        )
    return entries


def _plants(folder: Path, card: Mapping[str, Any], count: int) -> Plants | None:
    if not count:
        return None
    mean, grid = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in PLANT_ARRAYS)
    levels = tuple(float(level) for level in card["plant_levels"])
    wide = (count, int(card["steps"]))
    if mean.shape != wide or grid.shape != (*wide, len(levels)):
        raise _refused(folder, f"plants {mean.shape}", f"{wide} rows and steps", "pack-incompatible")
    return Plants(mean, grid, levels)


def _check_shapes(
    folder: Path, card: Mapping[str, Any], arrays: Mapping[str, Float], count: int, depth: int
) -> None:
    wide = (count, int(card["steps"]))
    expected = {
        "mean": wide,
        "naive_mean": wide,
        "grid": (*wide, depth),
        "naive_grid": (*wide, depth),
        "paths": (*wide, int(card["paths"])),
    }
    for name, shape in expected.items():
        if arrays[name].shape != shape or arrays[name].dtype != np.float64:
            found = f"{name} is {arrays[name].dtype} {arrays[name].shape}"
            raise _refused(folder, found, f"float64 {shape}", "pack-incompatible")


def _usable(arrays: Mapping[str, Float]) -> npt.NDArray[np.bool_]:
    finite = np.isfinite(arrays["mean"]).all(axis=1) & np.isfinite(arrays["grid"]).all(axis=(1, 2))
    finite &= np.isfinite(arrays["paths"]).all(axis=(1, 2))
    ordered = (np.diff(arrays["grid"], axis=2) >= 0).all(axis=(1, 2))
    return np.asarray(finite & ordered, dtype=np.bool_)


def _history(path: Path) -> dict[str, tuple[tuple[str, ...], Float]]:
    frame = pd.read_parquet(path)
    names = frame[UNIQUE_ID].to_numpy(dtype=object)
    days = frame[DS].to_numpy().astype("datetime64[D]").astype(str)
    values = frame[Y].to_numpy(dtype=np.float64)
    # The rows of a series lie together, as they were written.
    edges = np.flatnonzero(np.append(True, names[1:] != names[:-1])) if len(names) else np.array([], int)
    ends = np.append(edges[1:], len(names))
    return {
        str(names[a]): (tuple(map(str, days[a:b])), values[a:b]) for a, b in zip(edges, ends, strict=True)
    }
