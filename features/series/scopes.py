"""Scope breaks: where a series changes what it counts, and the bridge that lets its past be read on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


def bridge(history: Dense) -> Dense:
    """Rescale the values before each scope break so that no growth crosses it.

    The first value of the new scope divided by the last of the old one is taken as the ratio of the
    two scopes: the neutral bridge. Only shape (growth, volatility) of the old scope survives it; the
    level is that of the newest scope, so a forecast never crosses a break. Values after the last
    break are untouched. Where a side is not above zero nothing can be bridged, and what lies before is
    blanked. A break that no figure follows changes nothing: the newest figure is still of the old scope.
    """
    # A first period has no change into it, so a break marked there has nothing to bridge.
    columns = np.flatnonzero(history.breaks[:, 1:].any(axis=0)) + 1
    if len(columns) == 0:
        return history
    y = history.y.copy()
    for column in columns:
        rows = np.flatnonzero(history.breaks[:, column])
        y[rows, :column] *= _ratios(y[rows], int(column))[:, None]
    return replace(history, y=y)


def _ratios(y: Float, column: int) -> Float:
    """(b,) first figure of the new scope over the last of the old; NaN where either is not positive.

    One where the new scope has no figure.
    """
    finite = np.isfinite(y)
    rows = np.arange(len(y))
    before = np.where(
        finite[:, :column].any(axis=1),
        y[rows, column - 1 - finite[:, :column][:, ::-1].argmax(axis=1)],
        np.nan,
    )
    after = np.where(
        finite[:, column:].any(axis=1), y[rows, column + finite[:, column:].argmax(axis=1)], np.nan
    )
    lawful = (before > 0) & (after > 0)
    ratio = np.where(lawful, after / np.where(lawful, before, 1.0), np.nan)
    return np.where(np.isnan(after), 1.0, ratio)


def same_scope_ahead(actual: Dense, cutoffs: Int, steps: int) -> Bool:
    """(B, steps) True where no break lies between the cutoff and the step ahead of it.

    Args:
        actual: the whole series, breaks marked.
        cutoffs: (B,) number of periods that may be seen.
        steps: how far ahead.
    """
    scope = np.cumsum(actual.breaks, axis=1)
    last = actual.y.shape[1] - 1
    seen = scope[np.arange(len(cutoffs)), np.clip(cutoffs - 1, 0, last)]
    ahead = np.clip(cutoffs[:, None] + np.arange(steps)[None, :], 0, last)
    return np.asarray(np.take_along_axis(scope, ahead, axis=1) == seen[:, None])
