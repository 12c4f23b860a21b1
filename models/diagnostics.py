"""What an ARIMA fit says of itself: orders, AICc, and whether its residuals still remember."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

MOST_LAGS = 10


@dataclass(frozen=True)
class Diagnostics:
    """The ARIMA chosen for each of B series and how well it fits.

    Attributes:
        ids: (B,) series.
        d, p, q: (B,) orders; −1 where a series has no figure.
        constant: (B,) True where a mean (at d = 1: a drift) is estimated.
        aicc: (B,) corrected Akaike criterion of the seasonally adjusted series in units of its mean
            absolute figure; comparable within a series only, and infinite or NaN where too few figures
            are there to tell.
        ljung_box_p: (B,) p-value of the Ljung-Box test on the innovations (small: something is left
            to learn); NaN where too few figures are there to tell.
        filled: (B,) figures missing inside the history, filled in along a line for the choice.
    """

    ids: tuple[str, ...]
    d: Int
    p: Int
    q: Int
    constant: Bool
    aicc: Float
    ljung_box_p: Float
    filled: Int

    @staticmethod
    def unknown(ids: tuple[str, ...]) -> Diagnostics:
        """Nothing known yet of any series; filled in row by row."""
        count = len(ids)
        return Diagnostics(
            ids=ids,
            d=np.full(count, -1),
            p=np.full(count, -1),
            q=np.full(count, -1),
            constant=np.zeros(count, dtype=bool),
            aicc=np.full(count, np.nan),
            ljung_box_p=np.full(count, np.nan),
            filled=np.zeros(count, dtype=np.int64),
        )

    def frame(self) -> pd.DataFrame:
        """One row a series: unique_id, d, p, q, constant, aicc, ljung_box_p, filled."""
        columns = ("d", "p", "q", "constant", "aicc", "ljung_box_p", "filled")
        return pd.DataFrame({"unique_id": list(self.ids), **{name: getattr(self, name) for name in columns}})


def ljung_box(residuals: Float, used: Int, season: int) -> Float:
    """(b,) p-values of the Ljung-Box test (Ljung & Box 1978) on rows of innovations (b, n).

    Lags as Hyndman's ``checkresiduals`` has them: ten or two seasons, at most a fifth of the figures,
    at least three more than the parameters. NaN where a row is too short for that, or constant.

    Args:
        used: (b,) ARMA parameters estimated, p + q.
        season: periods a season.
    """
    count, n = residuals.shape
    usual = min(2 * season if season > 1 else MOST_LAGS, round(n / 5))
    lags = np.maximum(usual, used + 3)
    reach = min(int(lags.max(initial=0)), n - 1)
    e = residuals - residuals.mean(axis=1, keepdims=True) if n else residuals
    spread = (e**2).sum(axis=1)
    out = np.full(count, np.nan)
    usable = (lags <= n - 1) & (spread > 0)
    if reach < 1 or not usable.any():
        return out
    pairs = np.stack([(e[:, k:] * e[:, :-k]).sum(axis=1) for k in range(1, reach + 1)], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (pairs / spread[:, None]) ** 2 / (n - np.arange(1, reach + 1))
    statistic = n * (n + 2) * np.cumsum(share, axis=1)
    rows = np.flatnonzero(usable)
    out[rows] = chi2.sf(statistic[rows, lags[rows] - 1], lags[rows] - used[rows])
    return out
