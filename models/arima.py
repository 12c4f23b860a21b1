"""ARIMA for a whole panel: differencing by KPSS, orders by AICc over a whitening dictionary.

``final`` says who has the last word where p + q > 0: "grid" (the dictionary point), "filter"
(statsmodels' Kalman filter at that point) or "mle" (the maximum of the likelihood, climbed to for all
rows together from that point). Rows with gaps always go to statsmodels, whose filter needs no filling.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense
from models import likeliest, whitening
from models.complete import Block, blocks, bounded
from models.diagnostics import Diagnostics, ljung_box
from models.likeliest import Arma
from models.orders import Choice, choose, choose_origins, penalty
from models.seasonal import ahead_of_blocks, estimate

if TYPE_CHECKING:
    from statsmodels.tsa.statespace.sarimax import SARIMAX, SARIMAXResults

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Final = Literal["grid", "filter", "mle"]

LONGEST = 80
SIZES = (24, 48, LONGEST)
POLISH_STEPS = 20


def words_for(length: int) -> whitening.Dictionary:
    """The smallest dictionary that holds series of ``length`` figures."""
    return whitening.dictionary(next(size for size in SIZES if size >= length))


def by_degree(values: Float, d: Int) -> Iterator[tuple[int, Int, Float]]:
    """Degree, row numbers and differences (b, n − degree) of the rows differenced that often."""
    for degree in (0, 1):
        rows = np.flatnonzero(d == degree)
        if len(rows) and values.shape[1] > degree:
            yield degree, rows, np.diff(values[rows], n=degree, axis=1)


def parameters(values: Float, choice: Choice, words: whitening.Dictionary, final: Final) -> Arma:
    """Parameters of complete rows (b, n): the grid's, or the likeliest."""
    count = len(values)
    found = Arma(np.zeros((count, 2)), np.zeros((count, 2)), np.zeros(count), np.full(count, np.nan))
    made = likeliest.fit if final == "mle" else likeliest.at_grid
    for _, rows, w in by_degree(values, choice.d):
        mine = made(words, choice.point[rows], choice.constant[rows], w)
        found.ar[rows], found.ma[rows] = mine.ar, mine.ma
        found.mean[rows], found.log_likelihood[rows] = mine.mean, mine.log_likelihood
    return found


def predict(values: Float, choice: Choice, found: Arma, steps: int) -> Float:
    """(b, steps) best linear predictions of complete rows (b, n), on their own scale."""
    # A single figure has no differences: it stands still.
    out = np.repeat(values[:, -1:], steps, axis=1)
    for degree, rows, w in by_degree(values, choice.d):
        ahead = likeliest.predict(found.take(rows), w, steps)
        out[rows] = values[rows, -1:] + np.cumsum(ahead, axis=1) if degree else ahead
    return out


def last_word(values: Float, choice: Choice, found: Arma, row: int, *, final: Final, steps: int) -> Float:
    """(steps,) statsmodels' forecast of one row at, or with "mle" polished from, its parameters.

    Args:
        values: (n,) the row's figures, NaN where missing.
    """
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    p, d, q = int(choice.p[row]), int(choice.d[row]), int(choice.q[row])
    constant = bool(choice.constant[row])
    model = SARIMAX(
        values,
        order=(p, d, q),
        # A constant in mean form, as the dictionary has it: an intercept would be mean * (1 - sum ar).
        exog=_mean_column(len(values), d, shift=0) if constant else None,
        concentrate_scale=True,
        enforce_stationarity=True,
        enforce_invertibility=True,
    )
    mean = [float(found.mean[row])] if constant else []
    start = [*mean, *found.ar[row, :p], *found.ma[row, :q]]
    # With one figure among gaps there is no variance to concentrate out: what comes of it is not finite.
    with np.errstate(divide="ignore", invalid="ignore"):
        result = _polished(model, start) if final == "mle" and start else _filtered(model, start)
        ahead = _mean_column(steps, d, shift=len(values)) if constant else None
        return np.asarray(result.forecast(steps, exog=ahead))


def _filtered(model: SARIMAX, start: list[float]) -> SARIMAXResults:
    # Nobody reads the covariance of the parameters, and it takes half the time.
    return model.filter(np.asarray(start), cov_type="none")


def _polished(model: SARIMAX, start: list[float]) -> SARIMAXResults:
    """The maximum found from ``start``, or ``start`` itself where the search ends worse."""
    result = _filtered(model, start)
    found = model.fit(
        start_params=start,
        disp=False,
        maxiter=POLISH_STEPS,
        method="lbfgs",
        cov_type="none",
        warn_convergence=False,
    )
    return found if found.llf > result.llf else result


def _mean_column(count: int, d: int, *, shift: int) -> Float:
    """Regressor whose coefficient is the mean of the d times differenced series. (count, 1)."""
    axis = np.arange(shift, shift + count, dtype=float)
    return (axis if d else np.ones(count))[:, None]


@dataclass(frozen=True)
class Arima:
    """ARIMA(p, d, q) with p + q ≤ 2, d by KPSS, on seasonally adjusted figures.

    Attributes:
        final: who has the last word where p + q > 0.
        drift: whether a constant may enter at d = 1.
    """

    final: Final = "grid"
    drift: bool = False
    name: str = "arima"

    def fit(self, history: Dense) -> Arima:
        """Orders are chosen from the history given to ``forecast``: nothing to keep."""
        return self

    def forecast(self, history: Dense, steps: int) -> Float:
        """(B, steps) tCO2e; rows without a figure get 0."""

        def ahead(block: Block, plain: Float) -> Float:
            choice = choose(plain, words=words_for(plain.shape[1]), drift=self.drift)
            return self._ahead(plain, block.gaps, choice, steps)

        return ahead_of_blocks(history, steps, LONGEST, ahead)

    def forecast_origins(self, history: Dense, origins: Int, steps: int) -> Float:
        """(O, B, steps) what ``forecast`` says at many past cutoffs, most of it from one product.

        Args:
            history: the panel; at each origin its first periods alone are read.
            origins: (O, B) periods visible; 0 = not asked, NaN in the answer.
            steps: periods ahead.
        """
        out = np.full((*origins.shape, steps), np.nan)
        shared = self._shared(history, origins)
        for o, lengths in enumerate(origins):
            rows = np.flatnonzero(~shared & (lengths > 0))
            if len(rows):
                out[o, rows] = self.forecast(history.take(rows).until(lengths[rows]), steps)
        rows = np.flatnonzero(shared)
        if len(rows):
            patterns, which = np.unique(origins[:, rows], axis=1, return_inverse=True)
            for k in range(patterns.shape[1]):
                mine = rows[which.reshape(-1) == k]
                self._forecast_prefixes(history.y[mine], patterns[:, k], mine, out)
        return out

    def diagnose(self, history: Dense) -> Diagnostics:
        """The model chosen for each series, its AICc and Ljung-Box test."""
        made = Diagnostics.unknown(history.ids)
        season = history.cadence.season
        for block in blocks(history, LONGEST):
            plain = estimate(block.values, season).strip(block.values)
            words = words_for(plain.shape[1])
            choice = choose(plain, words=words, drift=self.drift)
            found = parameters(plain, choice, words, self.final)
            made.d[block.rows], made.constant[block.rows] = choice.d, choice.constant
            made.p[block.rows], made.q[block.rows] = choice.p, choice.q
            made.filled[block.rows] = block.gaps.sum(axis=1)
            self._judge(made, block, plain, choice, found, season)
        return made

    def _judge(
        self, made: Diagnostics, block: Block, plain: Float, choice: Choice, found: Arma, season: int
    ) -> None:
        for _, rows, w in by_degree(plain, choice.d):
            at, used = block.rows[rows], choice.p[rows] + choice.q[rows]
            estimated = used + 1 + choice.constant[rows]
            price = np.array([penalty(k, np.array(w.shape[1])) for k in range(5)])[estimated]
            made.aicc[at] = price - 2 * found.log_likelihood[rows]
            made.ljung_box_p[at] = ljung_box(likeliest.residuals(found.take(rows), w), used, season)

    def _shared(self, history: Dense, origins: Int) -> Bool:
        """(B,) True where prefixes of the raw figures are all that ``forecast`` would look at."""
        newest = origins.max(axis=0)
        oldest = np.where(origins > 0, origins, history.y.shape[1] + 1).min(axis=0)
        seen = np.arange(history.y.shape[1])[None, :] < newest[:, None]
        whole = (np.isfinite(history.y) | ~seen).all(axis=1)
        scoped = ~(history.breaks[:, 1:] & seen[:, 1:]).any(axis=1)
        early = np.arange(history.y.shape[1])[None, :] < oldest[:, None]
        some = (np.nan_to_num(history.y) * early != 0).any(axis=1)
        alike = history.cadence.season == 1 and self.final != "filter"
        return np.asarray(whole & scoped & some & (newest > 0) & (newest <= LONGEST) & alike)

    def _forecast_prefixes(self, y: Float, origins: Int, rows: Int, out: Float) -> None:
        """Write the forecasts of complete figures (b, T) at ``origins`` (O,) into ``out`` at ``rows``."""
        ends = np.unique(origins[origins > 0])
        # Measured at the oldest origin: a later figure must not move an earlier forecast by even a bit.
        scale = np.abs(y[:, : ends[0]]).mean(axis=1)
        values = y[:, : ends[-1]] / scale[:, None]
        words = words_for(int(ends[-1]))
        choices = choose_origins(values, ends.tolist(), words=words, drift=self.drift)
        none = np.zeros(values.shape, dtype=bool)
        for end, choice in zip(ends, choices, strict=True):
            seen = values[:, :end]
            ahead = bounded(seen, self._ahead(seen, none[:, :end], choice, out.shape[2]))
            low = np.where((seen < 0).any(axis=1), -np.inf, 0.0)[:, None]
            out[np.ix_(np.flatnonzero(origins == end), rows)] = np.maximum(ahead, low) * scale[:, None]

    def _ahead(self, plain: Float, gaps: Bool, choice: Choice, steps: int) -> Float:
        """(b, steps) forecasts of end-aligned rows; filled where there are ``gaps``."""
        words = words_for(plain.shape[1])
        found = parameters(plain, choice, words, self.final)
        ahead = predict(plain, choice, found, steps)
        filtered = (choice.p + choice.q > 0) & (self.final == "filter")
        for row in np.flatnonzero(filtered | gaps.any(axis=1)):
            values = np.where(gaps[row], np.nan, plain[row])
            told = last_word(values, choice, found, int(row), final=self.final, steps=steps)
            if np.isfinite(told).all():
                ahead[row] = told
        return ahead
