"""The Vintages contract: every figure with the moment it became known, so that the past can be replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pandera.pandas as pa

from features.errors import DataError
from features.instants import naive_utc
from features.series.cadence import Cadence, recognise
from features.series.words import DS, FLAG, KNOWN_AT, SOURCE, UNIQUE_ID, Y

KEY: Final = [UNIQUE_ID, DS, KNOWN_AT]
COLUMNS: Final = [*KEY, Y, SOURCE, FLAG]

_SCHEMA: Final = pa.DataFrameSchema(
    {
        UNIQUE_ID: pa.Column(str, pa.Check.str_length(min_value=1)),
        DS: pa.Column("datetime64[ns]"),
        KNOWN_AT: pa.Column("datetime64[ns]"),
        Y: pa.Column("float64", nullable=True),
        SOURCE: pa.Column(str, pa.Check.str_length(min_value=1)),
        FLAG: pa.Column(str),
    }
)


@dataclass(frozen=True)
class Vintages:
    """Figures and restatements: unique_id, ds, known_at, y (tCO2e), source, flag.

    Laws: (unique_id, ds, known_at) unique and sorted; known_at not before the end of the period; y
    finite, or missing where a figure was withdrawn. Instants are UTC without a zone.
    """

    frame: pd.DataFrame
    cadence: Cadence

    @staticmethod
    def of(frame: pd.DataFrame, cadence: Cadence | None = None) -> Vintages:
        """Check ``frame``; the cadence is recognised from ``ds`` when left out.

        Raises:
            DataError: missing columns, infinite figures, two rows for one key, or a figure known
                before its period was over.
        """
        absent = [name for name in COLUMNS if name not in frame.columns]
        if absent:
            raise DataError(
                "columns-missing",
                found="columns " + ", ".join(map(str, frame.columns)),
                expected="columns " + ", ".join(COLUMNS),
                offenders=absent,
                remedy="rename or add the missing columns",
            )
        typed = frame[COLUMNS].astype(
            {
                UNIQUE_ID: str,
                DS: "datetime64[ns]",
                KNOWN_AT: "datetime64[ns]",
                Y: float,
                SOURCE: str,
                FLAG: str,
            }
        )
        clean = _SCHEMA.validate(typed.sort_values(KEY, kind="stable").reset_index(drop=True))
        used = cadence or recognise(clean)
        _refuse(clean, np.isinf(clean[Y]), "value-not-finite", "a finite figure, or a missing one")
        _refuse(clean, clean.duplicated(KEY), "duplicate-rows", "one figure for each series, ds and known_at")
        period = used.ordinal(clean[DS].to_numpy())
        over = pd.Series(used.instant(period + 1), index=clean.index)
        _refuse(clean, clean[KNOWN_AT] < over, "known-too-early", "known_at not before the end of the period")
        clean[DS] = used.instant(period)
        return Vintages(frame=clean, cadence=used)

    def known(self, t: pd.Timestamp) -> pd.DataFrame:
        """All columns of the newest row known at ``t`` for each series and period."""
        seen = self.frame[self.frame[KNOWN_AT] <= naive_utc(t)]
        return seen.drop_duplicates([UNIQUE_ID, DS], keep="last").reset_index(drop=True)

    def as_of(self, t: pd.Timestamp) -> pd.DataFrame:
        """unique_id, ds, y as they were known at ``t``: the newest row with known_at ≤ t."""
        return self.known(t)[[UNIQUE_ID, DS, Y]]


def _refuse(frame: pd.DataFrame, wrong: pd.Series, code: str, expected: str) -> None:
    guilty = frame[wrong]
    if len(guilty):
        raise DataError(
            code,
            found=f"{len(guilty)} of {len(frame)} figures",
            expected=expected,
            offenders=[
                f"{r.unique_id} {r.ds:%Y-%m-%d} known {r.known_at:%Y-%m-%d}" for r in guilty.itertuples()
            ],
            remedy="correct these rows where they are read",
        )
