"""What a year could have been expected to bring: bands valid one step before, from the past alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.matrix.scale import usual_change
from features.series.panel import Dense
from features.series.scopes import bridge

Float = npt.NDArray[np.float64]

NAIVE_BAND, MAD_BAND, NO_BAND = "naive-one-step", "mad-log-changes", ""
# Central share of the naive band. One year in twenty lies outside by itself.
LEVEL: Final = 0.95
# Past errors of a pool before their quantiles are a band.
FEWEST_ERRORS: Final = 200
# The modified z-score beyond which Iglewicz and Hoaglin (1993) call a value an outlier.
Z: Final = 3.5
TO_SIGMA: Final = 1.4826
# Log changes seen before a series has a rule of its own, and the least spread it is given.
FEWEST_CHANGES: Final = 5
LEAST_SPREAD: Final = 0.02


@dataclass(frozen=True)
class Bands:
    """Bands of every period of a panel, each from what lay before it.

    Attributes:
        low, high: (B, T) tCO2e on the columns of the panel; NaN where there is none.
        rule: (B, T) "naive-one-step", "mad-log-changes" or "" where there is none.
    """

    low: Float
    high: Float
    rule: npt.NDArray[np.str_]


def one_step_bands(history: Dense, pools: tuple[str, ...]) -> Bands:
    """The band each figure had to fall into, as it could have been drawn one period before.

    Naive's one-step band where its pool has ``FEWEST_ERRORS`` earlier errors: last figure + usual change ×
    the quantiles of (change ÷ usual change) over all series of the pool in earlier periods, 95% central; the
    conformal band of ``models.calibration`` without its weights. Elsewhere the series' own rule:
    last figure × exp(median ± 3.5 × 1.4826 MAD) of its earlier log changes, five at least. The period into
    which a scope breaks has no band.

    Args:
        history: (B, T) start-aligned, breaks marked.
        pools: (B,) whose errors a series shares, its kind for one.
    """
    shape = history.y.shape
    errors, scales, last = (np.full(shape, np.nan) for _ in range(3))
    for column in range(2, shape[1]):
        rows = np.flatnonzero((history.lengths > column) & ~history.breaks[:, column])
        if len(rows) == 0:
            continue
        seen = bridge(history.take(rows).until(np.full(len(rows), column)))
        scales[rows, column] = usual_change(seen)
        last[rows, column] = seen.y[:, column - 1]
        errors[rows, column] = (history.y[rows, column] - last[rows, column]) / scales[rows, column]
    low, high = (last + scales * edge for edge in _edges(errors, history.starts, pools))
    floor = np.where(history.non_negative[:, None], 0.0, -np.inf)
    rule = np.where(np.isfinite(low), NAIVE_BAND, NO_BAND)
    own_low, own_high = _own_rule(history)
    use = (rule == NO_BAND) & np.isfinite(own_low)
    return Bands(
        low=np.where(use, own_low, np.maximum(low, floor)),
        high=np.where(use, own_high, high),
        rule=np.where(use, MAD_BAND, rule),
    )


def _edges(errors: Float, starts: npt.NDArray[np.int64], pools: tuple[str, ...]) -> tuple[Float, Float]:
    """(B, T) quantiles of the scaled errors that the pool had made before each period of each series."""
    low, high = np.full(errors.shape, np.nan), np.full(errors.shape, np.nan)
    when = starts[:, None] + np.arange(errors.shape[1])[None, :]
    names = np.asarray(pools)
    for pool in sorted(set(pools)):
        mine = names == pool
        held = np.isfinite(errors) & mine[:, None]
        for period in np.unique(when[mine]):
            before = errors[held & (when < period)]
            if len(before) >= FEWEST_ERRORS:
                edges = np.quantile(before, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
                here = mine[:, None] & (when == period)
                low[here], high[here] = edges
    return low, high


def _own_rule(history: Dense) -> tuple[Float, Float]:
    """(B, T) bands from the earlier log changes of the series itself."""
    y = np.where(history.y > 0, history.y, np.nan)
    changes = np.full(y.shape, np.nan)
    changes[:, 1:] = np.log(y[:, 1:]) - np.log(y[:, :-1])
    changes[history.breaks] = np.nan
    low, high = np.full(y.shape, np.nan), np.full(y.shape, np.nan)
    for column in range(FEWEST_CHANGES + 1, y.shape[1]):
        past = changes[:, :column]
        rows = np.flatnonzero(np.isfinite(past).sum(axis=1) >= FEWEST_CHANGES)
        if len(rows) == 0:
            continue
        middle = np.nanmedian(past[rows], axis=1)
        spread = TO_SIGMA * np.nanmedian(np.abs(past[rows] - middle[:, None]), axis=1)
        reach = Z * np.maximum(spread, LEAST_SPREAD)
        held = np.where(history.breaks[rows, column], np.nan, y[rows, column - 1])
        low[rows, column] = held * np.exp(middle - reach)
        high[rows, column] = held * np.exp(middle + reach)
    return low, high
