"""The public panels that forecasters are held against one another on, as complete (series, period) arrays."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.reference.tables import load
from features.sources import gcb, us_power
from features.sources.readers import reader_of
from features.sources.records import DS, FACILITY_ID, Batch, Y

Float = npt.NDArray[np.float64]

LEAST_POSITIVE: Final = 3


@dataclass(frozen=True)
class Shown:
    """One panel and the origins at which it is cut.

    Attributes:
        name: in the result.
        ids: (B,) series.
        y: (B, T) tonnes, one column a period, no gaps.
        first: first instant of the first period.
        season: periods a season.
        steps: periods ahead.
        origins: periods seen at each origin, oldest first.
        untouched: of these, the last ones: no choice was made on what came after them.
        traits: one row a series, what a caller would send along.
        parts: (S, T) the series that the rows of ``y`` are sums of, where they are sums.
        whole: (S,) which row each part belongs to.
        data: first 12 hex digits of the SHA-256 of the figures.
    """

    name: str
    ids: tuple[str, ...]
    y: Float
    first: pd.Timestamp
    season: int
    steps: int
    origins: tuple[int, ...]
    untouched: int
    traits: pd.DataFrame
    parts: Float | None = None
    whole: npt.NDArray[np.int64] | None = None

    @property
    def data(self) -> str:
        """Hash of the figures."""
        return hashlib.sha256(np.ascontiguousarray(self.y).tobytes()).hexdigest()[:12]

    def periods(self, count: int) -> pd.DatetimeIndex:
        """The first ``count`` periods."""
        return pd.date_range(self.first, periods=count, freq="MS" if self.season == 12 else "YS")


def plants(data: Path) -> Shown:
    """EU ETS installations with a figure for every year 2005 to 2022, at least three above zero by 2013."""
    batch = reader_of("eutl").read(sorted((data / "eutl").iterdir()), known_at=pd.Timestamp("2026-01-01"))
    wide = _wide(batch, range(2005, 2023))
    wide = wide[(wide.iloc[:, :9] > 0).sum(axis=1) >= LEAST_POSITIVE]
    about = batch.facilities.set_index(FACILITY_ID).loc[wide.index]
    return _yearly("plants (EU ETS)", wide, (9, 10, 11, 12, 13), 1, about[["country", "sector"]])


def countries(data: Path) -> Shown:
    """Fossil CO2 of countries 1970 to 2024 (Global Carbon Budget), above zero throughout."""
    batch = gcb.read(next((data / "gcb").iterdir()))
    wide = _wide(batch, range(1970, 2025))
    wide = wide[wide.index.str.endswith("/total") & (wide > 0).all(axis=1)]
    return _yearly("countries (GCB)", wide, tuple(range(44, 51)), 3, pd.DataFrame(index=wide.index))


def sectors() -> Shown:
    """The embedded sectors of clusters and countries under the EU ETS, 2008 to 2022."""
    table = load().sector_emissions
    held = table[table["source"] == "eu-ets"]
    wide = held.assign(name=held["area"] + "/" + held["sector"]).pivot_table(
        index="name", columns="year", values="tco2e", aggfunc="first"
    )
    wide = wide.reindex(columns=range(2008, 2023)).dropna()
    wide = wide[(wide.iloc[:, :6] > 0).sum(axis=1) >= LEAST_POSITIVE]
    named = held.assign(name=held["area"] + "/" + held["sector"])
    about = named.drop_duplicates("name").set_index("name")
    traits = about.loc[wide.index, ["kind", "sector"]]
    return _yearly("sectors of clusters and countries", wide, (6, 7, 8, 9, 10), 1, traits)


def totals() -> Shown:
    """Clusters and countries: sums of the series of ``sectors``."""
    inner = sectors()
    areas = np.array([name.rsplit("/", 1)[0] for name in inner.ids])
    names, code = np.unique(areas, return_inverse=True)
    y = np.zeros((len(names), inner.y.shape[1]))
    np.add.at(y, code, inner.y)
    kind = pd.DataFrame({"kind": inner.traits["kind"].to_numpy()}, index=areas)
    first = kind[~kind.index.duplicated()].loc[names]
    made = _yearly(
        "totals of clusters and countries",
        pd.DataFrame(y, index=names, columns=range(2008, 2023)), inner.origins, inner.untouched, first,
    )  # fmt: skip
    return replace(made, parts=inner.y, whole=code.astype(np.int64))


def power(data: Path) -> Shown:
    """CO2 of power by US state and month, 2001 to 2017."""
    batch = us_power.read(next((data / "us_power").iterdir()))
    wide = batch.records.pivot_table(index=FACILITY_ID, columns=DS, values=Y, aggfunc="first").dropna()
    wide = wide[(wide > 0).all(axis=1)]
    origins = tuple(12 * years for years in (12, 13, 14, 15, 16))
    return Shown(
        name="power by month (US states)",
        ids=tuple(map(str, wide.index)),
        y=wide.to_numpy(dtype=float),
        first=pd.Timestamp("2001-01-01"),
        season=12,
        steps=12,
        origins=origins,
        # The recipe of seasonal cadences was chosen at 84 to 132 periods, on the year after each.
        untouched=len(origins),
        traits=pd.DataFrame(index=wide.index),
    )


def _wide(batch: Batch, years: range) -> pd.DataFrame:
    held = batch.records.dropna(subset=Y)
    wide = held.pivot_table(index=FACILITY_ID, columns=DS, values=Y, aggfunc="first")
    wide.columns = pd.DatetimeIndex(wide.columns).year
    return wide.reindex(columns=years).dropna()


def _yearly(
    name: str, wide: pd.DataFrame, origins: tuple[int, ...], untouched: int, traits: pd.DataFrame
) -> Shown:
    first = pd.Timestamp(year=int(wide.columns[0]), month=1, day=1)
    return Shown(
        name, tuple(map(str, wide.index)), wide.to_numpy(dtype=float), first, 1, 5, origins, untouched, traits
    )
