"""Ours, as a caller of ``forecarbon forecast --history`` gets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from features.series.panel import Panel
from models.engine import forecast_panel
from models.forecast import STANDARD_QUANTILES


def forecast(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Quantiles (B, h, 13) of the forecaster named in ``settings``."""
    y, season = arrays["y"], int(settings["season"])
    count, n = y.shape
    ds = pd.date_range("2001-01-01", periods=n, freq="MS" if season == 12 else "YS")
    names = np.array([f"s{i:06d}" for i in range(count)])
    frame = pd.DataFrame({"unique_id": np.repeat(names, n), "ds": np.tile(ds, count), "y": y.ravel()})
    traits = pd.DataFrame(
        {k.removeprefix("trait_"): v for k, v in arrays.items() if k.startswith("trait_")},
        index=pd.Index(names, name="unique_id"),
    )

    def run() -> dict[str, Any]:
        panel = Panel.of(frame, traits=traits)
        made = forecast_panel(
            panel, steps=int(settings["steps"]), levels=STANDARD_QUANTILES, model=settings["model"]
        )
        return {"q": made.values}

    return run
