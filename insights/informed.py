"""Published totals of years after the cutoff tell the sample paths apart.

A register is published later than a cluster's own yearly total. Paths that said something else for those
years are less likely; they are weighed, never moved. The total of a year differs from the bridged series by
the scatter of the bridge: Student's t of the logarithm, as in ``features.series.bridges``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from features.series.bridges import Bridge
from insights.figures import Future

Float = npt.NDArray[np.float64]

# Below as many paths' worth the weights say more about the draw than about the future.
FEWEST_EFFECTIVE: Final = 50.0
# A total that hardly any path comes near (in scales of the bridge) contradicts the forecast; Student's tails
# would call all paths alike.
NEAR: Final = 3.0
FEWEST_NEAR: Final = 0.01


def informed(future: Future, totals: Mapping[int, float], over: Bridge) -> Future:
    """``future`` (in the published scope) with its paths weighed by the totals of years it forecasts.

    Args:
        totals: year -> tCO2e as published, of any years.

    Left as it is where no year is in both, where hardly a path comes near a total, or where fewer than
    ``FEWEST_EFFECTIVE`` even paths would be left: then the totals contradict the forecast, and the answer
    must say so rather than lean on a few paths.
    """
    shared = [k for k, year in enumerate(future.years) if int(year) in totals]
    if not shared or over.thin or not over.spread > 0:
        return future
    n = len(over.ratios)
    scale = over.spread * np.sqrt(1 + 1 / n)
    logs = np.zeros(future.paths.shape[1])
    for k in shared:
        total = totals[int(future.years[k])]
        with np.errstate(divide="ignore"):
            miss = np.log(total) - np.log(future.own[k] * over.ratio)
        if (np.abs(miss) <= NEAR * scale).mean() < FEWEST_NEAR:
            return future
        logs += student.logpdf(miss / scale, df=n - 1)
    weights = np.exp(logs - logs.max()) * future.weights
    weights = weights / weights.sum()
    if not np.isfinite(weights).all() or 1.0 / np.square(weights).sum() < FEWEST_EFFECTIVE:
        return future
    years = tuple(int(future.years[k]) for k in shared)
    return Future(future.scope, future.years, future.paths, weights, future.own, future.ratios, years)
