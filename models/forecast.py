"""What a forecast is: joint sample paths, and the quantile rows read off them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import AskError, LawBroken
from features.series.cadence import Cadence
from features.series.words import CUTOFF, DS, QUANTILE, STEP, UNIQUE_ID, YHAT

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

STANDARD_QUANTILES: Final = (
    0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975,
)  # fmt: skip
CENTRAL_TOLERANCE: Final = 1e-9


def quantiles_of_levels(levels: list[float]) -> tuple[float, ...]:
    """Lower and upper quantile of each central coverage level in percent, 0.5 always among them.

    Raises:
        AskError: a level outside (0, 100).
    """
    wrong = [level for level in levels if not 0 < level < 100]
    if wrong:
        raise AskError(
            "level-out-of-range",
            found="levels " + ", ".join(f"{level:g}" for level in wrong),
            expected="central coverage in percent, above 0 and below 100",
            remedy="ask for levels such as 80 and 95",
        )
    tails = {round((100 - level) / 200, 6) for level in levels}
    return tuple(sorted(tails | {round(1 - tail, 6) for tail in tails} | {0.5}))


@dataclass(frozen=True)
class Outlook:
    """Forecasts of B series for H steps: quantile arrays and the rung that spoke.

    Attributes:
        ids: (B,) series.
        ds: (B, H) first instants of the forecast periods.
        cutoffs: (B,) first instant of the last period seen.
        mean: (B, H) expected value, tCO2e.
        levels: (Q,) the quantile levels, increasing.
        values: (B, H, Q) quantiles, non-decreasing along Q.
        made_by: (B,) which forecaster spoke, and why if it was not the one asked.
        cadence: of the series.
    """

    ids: tuple[str, ...]
    ds: npt.NDArray[np.datetime64]
    cutoffs: npt.NDArray[np.datetime64]
    mean: Float
    levels: tuple[float, ...]
    values: Float
    made_by: tuple[str, ...]
    cadence: Cadence

    def __post_init__(self) -> None:
        finite = np.isfinite(self.values).all() and np.isfinite(self.mean).all()
        if not finite:
            bad = ~(np.isfinite(self.values).all(axis=(1, 2)) & np.isfinite(self.mean).all(axis=1))
            raise LawBroken(
                "forecast-not-finite",
                found=f"{int(bad.sum())} series with values that are not finite",
                expected="finite quantiles for every step",
                offenders=[self.ids[i] for i in np.flatnonzero(bad)],
                remedy="report this with the input that caused it",
            )
        if len(self.levels) > 1 and (np.diff(self.values, axis=2) < -CENTRAL_TOLERANCE).any():
            raise LawBroken(
                "quantiles-cross",
                found="a quantile below a lower one",
                expected="quantiles non-decreasing in level",
                remedy="report this with the input that caused it",
            )

    def frame(self) -> pd.DataFrame:
        """The Forecast contract: unique_id, ds, quantile, cutoff, step, yhat; one row a quantile."""
        count, steps, depth = self.values.shape
        return pd.DataFrame(
            {
                UNIQUE_ID: np.repeat(np.asarray(self.ids, dtype=object), steps * depth).astype(str),
                DS: np.repeat(self.ds.ravel(), depth),
                QUANTILE: np.tile(np.asarray(self.levels), count * steps),
                CUTOFF: np.repeat(self.cutoffs, steps * depth),
                STEP: np.tile(np.repeat(np.arange(1, steps + 1), depth), count),
                YHAT: self.values.ravel(),
            }
        )

    def wide(self) -> pd.DataFrame:
        """One row a series and step: unique_id, ds, step, mean, q<level>…, made_by."""
        count, steps, _ = self.values.shape
        columns: dict[str, object] = {
            UNIQUE_ID: np.repeat(np.asarray(self.ids, dtype=object), steps).astype(str),
            DS: self.ds.ravel(),
            STEP: np.tile(np.arange(1, steps + 1), count),
            "mean": self.mean.ravel(),
        }
        for k, level in enumerate(self.levels):
            columns[f"q{level:g}"] = self.values[:, :, k].ravel()
        columns["made_by"] = np.repeat(np.asarray(self.made_by, dtype=object), steps).astype(str)
        return pd.DataFrame(columns)
