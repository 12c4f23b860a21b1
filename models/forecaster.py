"""What a forecaster is: ``fit`` returns a frozen object; history is an argument of ``forecast``."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense

Float = npt.NDArray[np.float64]


class Fitted(Protocol):
    """A forecaster that has learnt what it will learn."""

    @property
    def name(self) -> str:
        """Its name in ``kinds``."""
        ...

    def forecast(self, history: Dense, steps: int) -> Float:
        """(B, steps) point forecasts in tCO2e from the figures in ``history`` alone."""
        ...


class Forecaster(Protocol):
    """A way of forecasting, before it has seen a figure."""

    @property
    def name(self) -> str:
        """Its name in ``kinds``."""
        ...

    def fit(self, history: Dense) -> Fitted:
        """Learn from the panel; reads nothing but ``history``."""
        ...
