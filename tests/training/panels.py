"""Small panels with known properties for the tests of training."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.series.panel import Dense, Panel
from training.backtest import Backtest

YEARS = 18


def random_walks(count: int, *, seed: int, kind: str = "sector", drift: float = 0.0) -> Dense:
    """``count`` annual random walks well above zero, in two clusters."""
    draw = np.random.default_rng(seed)
    y = 1000 + np.cumsum(draw.normal(drift, 20, (count, YEARS)), axis=1)
    names = [f"c{i % 2}/s{i:03d}" for i in range(count)]
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(names, YEARS),
            "ds": np.tile(pd.date_range("2005-01-01", periods=YEARS, freq="YS"), count),
            "y": y.ravel(),
        }
    )
    traits = pd.DataFrame(
        {"kind": kind, "area": [n[:2] for n in names], "cluster_id": [n[:2] for n in names]},
        index=pd.Index(names, name="unique_id"),
    )
    return Panel.of(frame, traits=traits).dense


def shifted(test: Backtest, name: str, *, error: float) -> Backtest:
    """The same backtest with every quantile's distance from the actual multiplied by ``error``."""
    actual = test.actual[..., None]
    values = np.where(np.isfinite(actual), actual + error * (test.values - actual), test.values)
    return Backtest(
        forecaster=name,
        ids=test.ids,
        groups=test.groups,
        values=values,
        actual=test.actual,
        step_size=test.step_size,
        step_square=test.step_square,
        cutoffs=test.cutoffs,
    )
