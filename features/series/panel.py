"""The Panel contract: one checked long frame of series, and its dense start-aligned arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa

from features.errors import DataError
from features.series.cadence import Cadence, recognise
from features.series.words import DS, UNIQUE_ID, Y

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_SCHEMA: Final = pa.DataFrameSchema(
    {
        UNIQUE_ID: pa.Column(str, nullable=False),
        DS: pa.Column("datetime64[ns]", nullable=False),
        Y: pa.Column("float64", nullable=True),
    }
)


@dataclass(frozen=True)
class Dense:
    """A panel as arrays, every series shifted to start in column 0.

    Attributes:
        ids: (B,) series names.
        y: (B, T) values; NaN where missing and beyond ``lengths``.
        lengths: (B,) periods from a series' first to its last row, both counted.
        starts: (B,) ordinal of the first period (see ``Cadence.ordinal``).
        breaks: (B, T) True where a new scope begins: the change from the column before is no change
            of the series.
        cadence: how long a period is.
        traits: one row a series in the order of ``ids``, static text columns (may have none).
    """

    ids: tuple[str, ...]
    y: Float
    lengths: Int
    starts: Int
    breaks: Bool
    cadence: Cadence
    traits: pd.DataFrame

    @property
    def shape(self) -> tuple[int, int]:
        """(B, T)."""
        return self.y.shape[0], self.y.shape[1]

    @cached_property
    def row(self) -> dict[str, int]:
        """Row number of each series."""
        return {name: i for i, name in enumerate(self.ids)}

    @cached_property
    def non_negative(self) -> Bool:
        """(B,) True where no value is negative: the sign rule holds for the forecast too."""
        return np.asarray(~np.any(np.nan_to_num(self.y) < 0, axis=1))

    def until(self, lengths: Int) -> Dense:
        """The same series cut to their first ``lengths`` periods (0 ≤ lengths ≤ own length)."""
        cut = np.minimum(lengths, self.lengths)
        width = int(cut.max(initial=1))
        beyond = np.arange(width)[None, :] >= cut[:, None]
        y = np.where(beyond, np.nan, self.y[:, :width])
        breaks = self.breaks[:, :width] & ~beyond
        return replace(self, y=y, lengths=cut, breaks=breaks)

    def take(self, rows: Int | list[int]) -> Dense:
        """The named rows, in that order."""
        picked = np.asarray(rows, dtype=np.int64)
        lengths = self.lengths[picked]
        width = int(lengths.max(initial=1))
        return Dense(
            ids=tuple(self.ids[i] for i in picked),
            y=self.y[picked, :width],
            lengths=lengths,
            starts=self.starts[picked],
            breaks=self.breaks[picked, :width],
            cadence=self.cadence,
            traits=self.traits.iloc[picked].reset_index(drop=True),
        )

    def cutoffs(self) -> npt.NDArray[np.datetime64]:
        """(B,) first instant of the last period of each series."""
        return self.cadence.instant(self.starts + self.lengths - 1)

    def future(self, steps: int) -> npt.NDArray[np.datetime64]:
        """(B, steps) first instants of the periods after each cutoff."""
        ahead = np.arange(1, steps + 1)[None, :]
        return self.cadence.instant((self.starts + self.lengths - 1)[:, None] + ahead)


@dataclass(frozen=True)
class Panel:
    """A checked long frame: ``unique_id``, ``ds`` (first instant of the period), ``y`` (tCO2e).

    Laws: (unique_id, ds) unique and sorted; one cadence; gapless (a missing value is a NaN row);
    finite or NaN. ``traits`` has one row a series (index ``unique_id``), static text columns.
    """

    frame: pd.DataFrame
    cadence: Cadence
    traits: pd.DataFrame

    @staticmethod
    def of(frame: pd.DataFrame, cadence: Cadence | None = None, traits: pd.DataFrame | None = None) -> Panel:
        """Check ``frame`` and fill its gaps with NaN rows.

        Raises:
            DataError: missing columns, wrong types, infinite values, two rows for one period.
        """
        absent = [c for c in (UNIQUE_ID, DS, Y) if c not in frame.columns]
        if absent:
            raise DataError(
                "columns-missing",
                found="columns " + ", ".join(map(str, frame.columns)),
                expected="columns unique_id, ds, y",
                offenders=absent,
                remedy="rename or add the missing columns",
            )
        clean = frame[[UNIQUE_ID, DS, Y]].astype({UNIQUE_ID: str, DS: "datetime64[ns]", Y: float})
        clean = _SCHEMA.validate(clean)
        _refuse_infinite(clean)
        used = cadence or recognise(clean)
        order = used.ordinal(clean[DS].to_numpy())
        clean = clean.assign(**{DS: used.instant(order)})
        clean = clean.sort_values([UNIQUE_ID, DS], kind="stable").reset_index(drop=True)
        _refuse_doubles(clean, used)
        known = _traits_of(clean, traits)
        dense = _dense(clean, used, known)
        return Panel(frame=_long(dense), cadence=used, traits=known)

    @cached_property
    def dense(self) -> Dense:
        """The same figures as start-aligned arrays, without scope breaks."""
        return _dense(self.frame, self.cadence, self.traits)


def stacked(first: Dense, second: Dense) -> Dense:
    """The series of two panels of one cadence, the first panel's first; traits that both declare are kept."""
    width = max(first.shape[1], second.shape[1])

    parts = (first, second)
    y = np.full((len(first.ids) + len(second.ids), width), np.nan)
    breaks = np.zeros(y.shape, dtype=bool)
    for begin, part in ((0, first), (len(first.ids), second)):
        y[begin : begin + len(part.ids), : part.shape[1]] = part.y
        breaks[begin : begin + len(part.ids), : part.shape[1]] = part.breaks
    return Dense(
        ids=(*first.ids, *second.ids),
        y=y,
        lengths=np.concatenate([part.lengths for part in parts]),
        starts=np.concatenate([part.starts for part in parts]),
        breaks=breaks,
        cadence=first.cadence,
        traits=pd.concat([part.traits for part in parts], join="inner", ignore_index=True),
    )


def _refuse_infinite(frame: pd.DataFrame) -> None:
    wrong = frame[np.isinf(frame[Y])]
    if len(wrong):
        raise DataError(
            "value-not-finite",
            found=f"{len(wrong)} infinite values",
            expected="finite tonnes, or an empty value where none is known",
            offenders=[f"{r.unique_id} {r.ds:%Y-%m-%d}" for r in wrong.head(4).itertuples()],
            remedy="replace infinite values by the figure or by nothing",
        )


def _refuse_doubles(frame: pd.DataFrame, cadence: Cadence) -> None:
    twice = frame[frame.duplicated([UNIQUE_ID, DS], keep="first")]
    if len(twice):
        raise DataError(
            "duplicate-rows",
            found=f"{len(twice)} rows repeat a (unique_id, ds) at {cadence.name} cadence",
            expected="one row a series and period",
            offenders=[f"{r.unique_id} {r.ds:%Y-%m-%d %H:%M}" for r in twice.itertuples()],
            remedy="keep one row for each period, or declare a finer cadence",
        )


def _traits_of(frame: pd.DataFrame, traits: pd.DataFrame | None) -> pd.DataFrame:
    names = pd.Index(frame[UNIQUE_ID].unique(), name=UNIQUE_ID)
    if traits is None:
        return pd.DataFrame(index=names)
    return traits.reindex(names).fillna("unknown").astype(str)


def _dense(frame: pd.DataFrame, cadence: Cadence, traits: pd.DataFrame) -> Dense:
    codes, names = pd.factorize(frame[UNIQUE_ID])
    order = cadence.ordinal(frame[DS].to_numpy())
    count = len(names)
    starts = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(starts, codes, order)
    ends = np.full(count, np.iinfo(np.int64).min)
    np.maximum.at(ends, codes, order)
    lengths = ends - starts + 1
    y = np.full((count, int(lengths.max(initial=1))), np.nan)
    y[codes, order - starts[codes]] = frame[Y].to_numpy(dtype=float)
    return Dense(
        ids=tuple(map(str, names)),
        y=y,
        lengths=lengths,
        starts=starts,
        breaks=np.zeros(y.shape, dtype=bool),
        cadence=cadence,
        traits=traits.loc[names].reset_index(drop=True),
    )


def _long(dense: Dense) -> pd.DataFrame:
    inside = np.arange(dense.y.shape[1])[None, :] < dense.lengths[:, None]
    rows, columns = np.nonzero(inside)
    stamps = dense.cadence.instant(dense.starts[rows] + columns)
    names = np.asarray(dense.ids, dtype=object)[rows]
    return pd.DataFrame({UNIQUE_ID: names.astype(str), DS: stamps, Y: dense.y[rows, columns]})


def long_frame(dense: Dense) -> pd.DataFrame:
    """The dense arrays as a long frame (unique_id, ds, y), one row a period, gaps as NaN."""
    return _long(dense)
