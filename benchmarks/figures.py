"""Figures the benchmarks are run on, the scores they are judged by, and how results are stamped."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from features.series.cadence import MONTH, YEAR, Cadence
from features.series.panel import Dense, Panel
from features.series.words import DS, UNIQUE_ID, Y
from features.sources import eutl, us_power

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

ROOT: Final = Path(__file__).resolve().parent.parent
DATA: Final = Path(os.environ.get("FORECARBON_DATA", ROOT.parent / "shared" / "data"))


def eutl_plants() -> Dense:
    """Every EU ETS installation with at least one figure, 2005-2022, with country and sector."""
    batch = eutl.read(DATA / "eutl")
    rows = batch.records.loc[batch.records["y"].notna(), ["facility_id", "ds", "y"]]
    rows.columns = [UNIQUE_ID, DS, Y]
    traits = batch.facilities.set_index("facility_id")[["country", "sector"]].fillna("unknown").astype(str)
    return Panel.of(rows, YEAR, traits).dense


def complete(history: Dense, length: int) -> Dense:
    """The series that have ``length`` figures and no gap."""
    whole = (history.lengths == length) & (np.isfinite(history.y).sum(axis=1) == length)
    return history.take(np.flatnonzero(whole))


def us_states() -> Dense:
    """CO2 of the power sector of the US states, monthly, 2001-2017."""
    batch = us_power.read(DATA / "us_power" / "monthly_index_states.csv")
    rows = batch.records[["facility_id", "ds", "y"]].copy()
    rows.columns = [UNIQUE_ID, DS, Y]
    return Panel.of(rows, MONTH).dense


def dense_of(y: Float, cadence: Cadence = YEAR) -> Dense:
    """Complete rows (B, T) as a panel without traits."""
    import pandas as pd

    count, width = y.shape
    return Dense(
        ids=tuple(f"s{i:06d}" for i in range(count)),
        y=y,
        lengths=np.full(count, width),
        starts=np.full(count, cadence.ordinal(np.array(["2001-01-01"], dtype="datetime64[ns]"))[0]),
        breaks=np.zeros(y.shape, dtype=bool),
        cadence=cadence,
        traits=pd.DataFrame(index=range(count)),
    )


def digest(y: Float) -> str:
    """First 12 hex digits of the SHA-256 of the figures."""
    return hashlib.sha256(np.ascontiguousarray(y).tobytes()).hexdigest()[:12]


def actuals(y: Float, origins: Int, steps: int) -> Float:
    """(O, B, steps) figures after each origin (O,) of rows (B, T)."""
    return np.stack([y[:, o : o + steps] for o in origins])


def mase(forecast: Float, y: Float, origins: Int, season: int = 1) -> Float:
    """(B,) mean absolute scaled error of each series over origins and steps; NaN where it never moved.

    Args:
        forecast: (O, B, steps).
        y: (B, T) figures.
        origins: (O,) training lengths.
        season: the scale is the mean absolute change over one season, inside the training length.
    """
    error = np.abs(forecast - actuals(y, origins, forecast.shape[2])).mean(axis=2)
    scale = np.stack([np.abs(y[:, season:o] - y[:, : o - season]).mean(axis=1) for o in origins])
    scaled = np.where(scale > 0, error / np.where(scale > 0, scale, 1.0), np.nan)
    held = np.isfinite(scaled)
    total = np.where(held, scaled, 0.0).sum(axis=0)
    return np.where(held.any(axis=0), total / np.maximum(held.sum(axis=0), 1), np.nan)


@dataclass(frozen=True)
class Paired:
    """A mean difference over series and its standard error."""

    mean: float
    error: float

    @staticmethod
    def of(ours: Float, theirs: Float) -> Paired:
        """Ours minus theirs, series by series."""
        apart = (ours - theirs)[np.isfinite(ours - theirs)]
        return Paired(float(apart.mean()), float(apart.std(ddof=1) / math.sqrt(len(apart))))

    def __str__(self) -> str:
        """As it is printed in a result."""
        return f"{self.mean:+.3f} ± {self.error:.3f}"


def stamp(data: str, n: str) -> str:
    """Date, commit, data hash, n and machine: the second line of every result."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=no", "features", "models"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    mark = " (with uncommitted changes)" if changed.strip() else ""
    return (
        f"{datetime.now(UTC):%Y-%m-%d} · commit {commit}{mark} · data {data} · n = {n} · "
        f"Python {platform.python_version()}, {os.cpu_count()} cores shared with other work"
    )
