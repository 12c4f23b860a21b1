"""mlforecast with LightGBM at many origins, and its features; run by the peers' Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd


def cross_validate(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Point forecasts (O, B, h): ``cross_validation`` with a refit at each origin."""
    engine, frame = _engine(settings), _long(arrays["y"])
    count, steps, origins = len(arrays["y"]), int(settings["steps"]), len(arrays["origins"])

    def run() -> dict[str, Any]:
        made = engine.cross_validation(frame, n_windows=origins, h=steps, step_size=1, refit=True)
        made = made.sort_values(["cutoff", "unique_id", "ds"])
        return {"point": made["lgb"].to_numpy(dtype=float).reshape(origins, count, steps)}

    run()
    return run


def features(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Features of every series at every position."""
    engine, frame = _engine(settings), _long(arrays["y"])

    def run() -> dict[str, Any]:
        return {"rows": np.array([len(engine.preprocess(frame))])}

    run()
    return run


def _engine(settings: Mapping[str, Any]) -> Any:
    import lightgbm
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import ExpandingMax, ExpandingMean, RollingMean
    from mlforecast.target_transforms import Differences, GlobalSklearnTransformer, LocalStandardScaler
    from sklearn.preprocessing import FunctionTransformer

    booster = lightgbm.LGBMRegressor(
        n_estimators=int(settings["trees"]), verbosity=-1, n_jobs=int(settings["jobs"]), random_state=1
    )
    logs = GlobalSklearnTransformer(FunctionTransformer(np.log1p, np.expm1))
    transforms = {"log": [logs, Differences([1])], "scaled": [Differences([1]), LocalStandardScaler()]}
    rolling = {1: [RollingMean(3, min_samples=1), ExpandingMean(), ExpandingMax()]}
    return MLForecast(
        models={"lgb": booster},
        freq="YS",
        lags=list(range(1, 1 + int(settings["lags"]))),
        lag_transforms=rolling if settings["rolling"] else None,
        target_transforms=transforms[settings["target"]],
        num_threads=int(settings["jobs"]),
    )


def _long(y: Any) -> pd.DataFrame:
    count, n = y.shape
    names = np.array([f"s{i:06d}" for i in range(count)])
    ds = pd.date_range("2001-01-01", periods=n, freq="YS")
    return pd.DataFrame({"unique_id": np.repeat(names, n), "ds": np.tile(ds, count), "y": y.ravel()})
