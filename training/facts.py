"""The facts of one run, as the tracker is told them; knows nothing of MLflow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import pandas as pd

from features.errors import LawBroken

_KINDS: Final = {"f": "double", "i": "long", "u": "long", "b": "boolean", "M": "datetime"}


@dataclass(frozen=True)
class DatasetFacts:
    """One data set a run read: the rows, where they truly came from (a path or an address), their
    digest, and what they were for ("training", "backtest", …)."""

    name: str
    frame: pd.DataFrame
    source: str
    digest: str
    context: str

    @property
    def on_the_web(self) -> bool:
        """Whether ``source`` is an address rather than a path or words."""
        return self.source.startswith(("http://", "https://"))

    def columns(self) -> list[dict[str, object]]:
        """Name and type of each column, in a tracker's words."""
        return [
            {"name": str(name), "type": _KINDS.get(kind.kind, "string"), "required": True}
            for name, kind in self.frame.dtypes.items()
        ]


@dataclass(frozen=True)
class RunFacts:
    """All that is written down about one forecaster in one retrain.

    Attributes:
        name: what a person reads in the list of runs.
        forecaster: name of the forecaster; becomes a tag.
        params: settings, as text.
        tags: marks to find and group runs by.
        metrics: one value a score; values that are not finite are left out and listed in a tag.
        step_metrics: score name -> step -> value; names apart from those of ``metrics``.
        tables: kept as Parquet under tables/, short ones as CSV beside it.
        datasets: what was read.
        pictures: name -> PNG file.
        files: path inside the run -> file.
        started, ended: aware instants of the work itself; None lets MLflow read its clock.
    """

    name: str
    forecaster: str
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    step_metrics: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    datasets: Sequence[DatasetFacts] = ()
    pictures: Mapping[str, Path] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    started: datetime | None = None
    ended: datetime | None = None

    def __post_init__(self) -> None:
        twice = sorted(set(self.metrics) & set(self.step_metrics))
        if twice:
            raise LawBroken(
                "metric-twice",
                found=f"{len(twice)} names used for a single value and for values by step",
                expected="different names, or the last step hides the single value",
                offenders=twice,
                remedy="name the series by step apart, such as mase_by_step",
            )

    def missing_metrics(self) -> list[str]:
        """Names of metrics (``name@step`` by step) whose value is not finite."""
        single = {name for name, value in self.metrics.items() if not math.isfinite(value)}
        stepped = {
            f"{name}@{step}"
            for name, values in self.step_metrics.items()
            for step, value in values.items()
            if not math.isfinite(value)
        }
        return sorted(single | stepped)
