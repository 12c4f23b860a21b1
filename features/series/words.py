"""Column names and unit of every frame in the house; outsiders' names are translated at the door."""

from __future__ import annotations

from typing import Final

UNIQUE_ID: Final = "unique_id"
DS: Final = "ds"
Y: Final = "y"
KNOWN_AT: Final = "known_at"
SOURCE: Final = "source"
FLAG: Final = "flag"
CUTOFF: Final = "cutoff"
STEP: Final = "step"
QUANTILE: Final = "quantile"
YHAT: Final = "yhat"
FORECASTER: Final = "forecaster"
CLUSTER_ID: Final = "cluster_id"
SCOPE: Final = "scope_id"

UNIT: Final = "tCO2e"
INITIATIVE: Final = "initiative"
MAX_STEPS: Final = 30
