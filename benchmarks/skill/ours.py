"""Ours, as a caller of ``forecarbon forecast --history`` gets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from features.series.moved import moved_boundaries, with_breaks
from features.series.panel import Panel
from models.engine import fit_panel, forecast_panel, recipe_for_panel
from models.forecast import STANDARD_QUANTILES

PATHS = 1000


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


def totals(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Quantiles (B, h, 13) of sums, read off the joint paths of their parts (``parts``, ``whole``)."""
    y, whole = arrays["parts"], arrays["whole"]
    count, n = y.shape
    names = np.array([f"s{i:06d}" for i in range(count)])
    frame = pd.DataFrame({
        "unique_id": np.repeat(names, n),
        "ds": np.tile(pd.date_range("2001-01-01", periods=n, freq="YS"), count), "y": y.ravel(),
    })  # fmt: skip
    traits = pd.DataFrame({"area": whole.astype(str)}, index=pd.Index(names, name="unique_id"))
    steps = int(settings["steps"])

    def run() -> dict[str, Any]:
        history = Panel.of(frame, traits=traits).dense
        history = with_breaks(history, moved_boundaries(history))
        fitted = fit_panel(history, recipe_for_panel(history, steps=steps, model=settings["model"]))
        paths = fitted.paths(history, steps, PATHS, seed=1)
        sums = np.zeros((whole.max() + 1, steps, PATHS))
        np.add.at(sums, whole, paths)
        return {"q": np.quantile(sums, STANDARD_QUANTILES, axis=2).transpose(1, 2, 0)}

    return run
