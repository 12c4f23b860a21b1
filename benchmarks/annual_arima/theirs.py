"""statsforecast's AutoARIMA at five expanding origins; run by the peers' Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd


def auto_arima(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Point forecasts (O, B, h); one small call before the clock starts, so that nothing is compiled then."""
    from statsforecast import StatsForecast, models

    season, steps = int(settings["season"]), int(settings["steps"])
    origins, step = int(settings["origins"]), int(settings["step"])
    engine = StatsForecast(
        models=[models.AutoARIMA(season_length=season)],
        freq="MS" if season == 12 else "YS",
        n_jobs=int(settings["jobs"]),
        fallback_model=models.Naive(),
    )

    def run(y: Any = arrays["y"]) -> dict[str, Any]:
        made = engine.cross_validation(
            df=_long(y, season), h=steps, n_windows=origins, step_size=step, refit=True
        )
        made = made.sort_values(["cutoff", "unique_id", "ds"])
        return {"point": made["AutoARIMA"].to_numpy(dtype=float).reshape(origins, len(y), steps)}

    run(arrays["y"][:1])
    return run


def _long(y: Any, season: int) -> pd.DataFrame:
    count, n = y.shape
    ds = pd.date_range("2001-01-01", periods=n, freq="MS" if season == 12 else "YS")
    names = np.array([f"s{i:06d}" for i in range(count)])
    return pd.DataFrame({"unique_id": np.repeat(names, n), "ds": np.tile(ds, count), "y": y.ravel()})
