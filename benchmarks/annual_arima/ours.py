"""Forecarbon's ARIMA at many origins, as it is timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.figures import dense_of
from features.series.cadence import MONTH, YEAR
from models import whitening
from models.arima import Arima


def arima(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Point forecasts (O, B, h). With ``cold`` every call builds its dictionaries anew."""
    history = dense_of(arrays["y"], MONTH if settings["season"] == 12 else YEAR)
    origins = np.repeat(arrays["origins"][:, None], len(history.ids), axis=1)
    member = Arima(final=settings["final"])

    def run() -> dict[str, Any]:
        if settings["cold"]:
            whitening.dictionary.cache_clear()
        return {"point": member.forecast_origins(history, origins, int(settings["steps"]))}

    run()
    return run
