"""Forecarbon's recursive booster at many origins, and its features, as they are timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.figures import dense_of
from features.matrix.scan import scan
from models.recursive import Recursive


def cross_validate(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Point forecasts (O, B, h): a booster trained anew at each origin."""
    history = dense_of(arrays["y"])
    if settings["traits"]:
        named = pd.DataFrame({"country": arrays["country"], "sector": arrays["sector"]})
        history = replace(history, traits=named)
    origins = np.repeat(arrays["origins"][:, None], len(history.ids), axis=1)
    member = Recursive()

    def run() -> dict[str, Any]:
        return {"point": member.forecast_origins(history, origins, int(settings["steps"]))}

    run()
    return run


def features(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Features of every series at every position."""

    def run() -> dict[str, Any]:
        return {"x": scan(arrays["y"]).x[: int(settings["steps"])]}

    run()
    return run
