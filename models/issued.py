"""Forecasts that were issued, as whoever scores them needs them: one row a series and period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import DataError
from features.series.words import CUTOFF, DS, STEP, UNIQUE_ID

Float = npt.NDArray[np.float64]
MODEL: Final = "model_version"
KIND: Final = "kind"
COLUMNS: Final = (MODEL, UNIQUE_ID, KIND, CUTOFF, DS, STEP)


@dataclass(frozen=True)
class Issued:
    """Issued forecasts of single series, each once for a model, series, cutoff and period.

    Attributes:
        frame: (N rows) model_version, unique_id, kind, cutoff, ds, step; first instants, UTC without zone.
        levels: (Q,) quantile levels, increasing.
        values: (N, Q) quantiles, tCO2e, non-decreasing along a row.
    """

    frame: pd.DataFrame
    levels: tuple[float, ...]
    values: Float

    @staticmethod
    def of(frame: pd.DataFrame, levels: tuple[float, ...], values: Float) -> Issued:
        """Check and put together; rows said twice count once.

        Raises:
            DataError: missing columns, shapes that do not fit, or a forecast not after its cutoff.
        """
        absent = [name for name in COLUMNS if name not in frame.columns]
        if absent or values.shape != (len(frame), len(levels)):
            raise DataError(
                "issued-unfit",
                found=f"columns {', '.join(map(str, frame.columns))} and quantiles {values.shape}",
                expected=f"columns {', '.join(COLUMNS)} and a row of {len(levels)} quantiles for each",
                remedy="report this; the journal is unharmed",
            )
        typed = frame[list(COLUMNS)].astype({CUTOFF: "datetime64[ns]", DS: "datetime64[ns]"})
        if not (typed[DS] > typed[CUTOFF]).all():
            raise DataError(
                "issued-unfit",
                found="a forecast of a period that is not after its cutoff",
                expected="ds after cutoff",
                remedy="report this; the journal is unharmed",
            )
        once = ~typed.duplicated([MODEL, UNIQUE_ID, CUTOFF, DS]).to_numpy()
        return Issued(typed[once].reset_index(drop=True), levels, values[once])
