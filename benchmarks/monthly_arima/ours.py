"""Forecarbon's seasonal ARIMA at many origins, as it is timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.figures import dense_of
from features.series.cadence import MONTH
from models.sarima import Sarima


def sarima(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Point forecasts (O, B, h), every order of every series fitted anew at each origin."""
    y, member, steps = arrays["y"], Sarima(final=settings["final"]), int(settings["steps"])

    def run() -> dict[str, Any]:
        told = [member.forecast(dense_of(y[:, :origin], MONTH), steps) for origin in arrays["origins"]]
        return {"point": np.stack(told)}

    return run
