"""The peers, each with the bands it makes itself. Run by the peers' Python; needs their packages alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

COLUMN = {"RandomWalkWithDrift": "RWD", "AutoCES": "CES"}
LEVELS = (20, 40, 60, 80, 90, 95)
COLUMNS = [
    "lo-95",
    "lo-90",
    "lo-80",
    "lo-60",
    "lo-40",
    "lo-20",
    "",
    "hi-20",
    "hi-40",
    "hi-60",
    "hi-80",
    "hi-90",
    "hi-95",
]


def statsforecast(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Quantiles (B, h, 13) by the model named in ``settings``."""
    from statsforecast import StatsForecast, models
    from statsforecast.utils import ConformalIntervals

    season, steps = int(settings["season"]), int(settings["steps"])
    name = settings["model"]
    conformal = name.endswith("+conformal")
    kind = name.removesuffix("+conformal")
    plain = kind in ("Naive", "RandomWalkWithDrift")
    model = getattr(models, kind)(**({} if plain else {"season_length": season}))
    bands = ConformalIntervals(h=steps, n_windows=2) if conformal else None
    frame = _long(arrays["y"], season)

    def run() -> dict[str, Any]:
        engine = StatsForecast(
            models=[model], freq="MS" if season == 12 else "YS", n_jobs=2, fallback_model=models.Naive()
        )
        made = engine.forecast(df=frame, h=steps, level=list(LEVELS), prediction_intervals=bands)
        return {"q": _read(made, COLUMN.get(kind, kind), len(arrays["y"]), steps)}

    return run


def mlforecast(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Quantiles (B, h, 13): LightGBM on differences of lags, conformal bands of two windows."""
    import lightgbm
    from mlforecast import MLForecast
    from mlforecast.target_transforms import Differences, LocalStandardScaler
    from mlforecast.utils import PredictionIntervals

    season, steps = int(settings["season"]), int(settings["steps"])
    frame = _long(arrays["y"], season)
    lags = [1, 2, 3] if season == 1 else [1, 2, 3, 6, 11, 12, 13, 24]

    def run() -> dict[str, Any]:
        booster = lightgbm.LGBMRegressor(n_estimators=100, verbosity=-1, n_jobs=2, random_state=1)
        engine = MLForecast(
            models={"lgb": booster}, freq="MS" if season == 12 else "YS", lags=lags,
            target_transforms=[Differences([1] if season == 1 else [12]), LocalStandardScaler()],
        )  # fmt: skip
        # Conformal windows of five years do not fit into nine: without a season the point alone.
        bands = PredictionIntervals(n_windows=2, h=steps) if season > 1 else None
        engine.fit(frame, prediction_intervals=bands)
        if bands is not None:
            return {"q": _read(engine.predict(steps, level=list(LEVELS)), "lgb", len(arrays["y"]), steps)}
        point = engine.predict(steps)["lgb"].to_numpy(dtype=float).reshape(len(arrays["y"]), steps)
        return {"q": np.repeat(np.maximum(point, 0.0)[:, :, None], len(COLUMNS), axis=2)}

    return run


def skforecast(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Quantiles (B, h, 13): one recursive LightGBM over all series, bands by bootstrapped residuals."""
    import lightgbm
    from skforecast.recursive import ForecasterRecursiveMultiSeries

    season, steps = int(settings["season"]), int(settings["steps"])
    y = arrays["y"]
    count, n = y.shape
    index = pd.date_range("2001-01-01", periods=n, freq="MS" if season == 12 else "YS")
    wide = pd.DataFrame(y.T, index=index, columns=[f"s{i:06d}" for i in range(count)])
    lags = 3 if season == 1 else [1, 2, 3, 6, 11, 12, 13, 24]

    def run() -> dict[str, Any]:
        engine = ForecasterRecursiveMultiSeries(
            lightgbm.LGBMRegressor(n_estimators=100, verbosity=-1, n_jobs=2, random_state=1),
            lags=lags, encoding="ordinal", dropna_from_series=False,
        )  # fmt: skip
        engine.fit(series=wide, store_in_sample_residuals=True, suppress_warnings=True)
        ranks = [0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975]
        made = engine.predict_quantiles(steps=steps, quantiles=ranks, n_boot=100, suppress_warnings=True)
        ordered = made.reset_index(names="ds").sort_values(["level", "ds"])
        values = ordered[[f"q_{rank}" for rank in ranks]].to_numpy(dtype=float)
        return {"q": np.maximum(values.reshape(count, steps, len(ranks)), 0.0)}

    return run


def _long(y: Any, season: int) -> pd.DataFrame:
    count, n = y.shape
    ds = pd.date_range("2001-01-01", periods=n, freq="MS" if season == 12 else "YS")
    names = np.array([f"s{i:06d}" for i in range(count)])
    return pd.DataFrame({"unique_id": np.repeat(names, n), "ds": np.tile(ds, count), "y": y.ravel()})


def _read(made: pd.DataFrame, name: str, count: int, steps: int) -> Any:
    columns = [name if not end else f"{name}-{end}" for end in COLUMNS]
    values = made[columns].to_numpy(dtype=float).reshape(count, steps, len(columns))
    return np.maximum(np.where(np.isfinite(values), values, values[..., 6:7]), 0.0)
