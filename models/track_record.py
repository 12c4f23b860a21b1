"""The track record of a saved model: what the backtest said of every series, beside what naive said.

Training writes it into the model's folder, serving reads it there; neither needs the other for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from features.files import read_json, write_json
from features.series.words import UNIQUE_ID

SERIES_FILE: Final = "judged.parquet"
STEPS_FILE: Final = "judged_steps.parquet"
FACTS_FILE: Final = "judged.json"
FILES: Final = (SERIES_FILE, STEPS_FILE, FACTS_FILE)
METRICS: Final = ("mase", "sql", "coverage_80", "coverage_95")
ROLES: Final = ("challenger", "baseline")
SERIES_COLUMNS: Final = ("role", UNIQUE_ID, "kind", "n", "n_missing", "folds", *METRICS)
STEP_COLUMNS: Final = ("role", "kind", "step", "n", *METRICS)


@dataclass(frozen=True)
class TrackRecord:
    """Scores of a challenger and of the baseline on the same folds.

    Attributes:
        series: one row a role and series: role ("challenger" or "baseline"), unique_id, kind, n (forecasts
            with an actual), n_missing, folds (cutoffs with an actual), and the metrics: mase and sql in naive
            scales of the series, coverage_80 and coverage_95 as shares; NaN where nothing was judged.
        steps: the same by role, kind and step (0 = all steps).
        facts: names (challenger, baseline), issued (ISO days of the scored folds), as_of, steps, plan,
            plan_fingerprint, verdict_id; JSON-ready.
    """

    series: pd.DataFrame
    steps: pd.DataFrame
    facts: Mapping[str, Any]

    def write(self, folder: Path) -> None:
        """Write it into ``folder`` as plain files."""
        self.series.loc[:, list(SERIES_COLUMNS)].to_parquet(folder / SERIES_FILE, index=False)
        self.steps.loc[:, list(STEP_COLUMNS)].to_parquet(folder / STEPS_FILE, index=False)
        write_json(folder / FACTS_FILE, self.facts)

    @cached_property
    def places(self) -> dict[tuple[str, str], int]:
        """Row of ``series`` by (role, unique_id)."""
        keys = zip(self.series["role"], self.series[UNIQUE_ID], strict=True)
        return {(str(role), str(name)): row for row, (role, name) in enumerate(keys)}

    def of_series(self, role: str, unique_id: str) -> dict[str, Any] | None:
        """The row of one series; None where it was not judged."""
        row = self.places.get((role, unique_id))
        return None if row is None else _plain(self.series.iloc[row].to_dict())

    def of_kind(self, role: str, kind: str) -> list[dict[str, Any]]:
        """The rows of one kind of series by step, the one over all steps (0) first."""
        mine = self.steps[(self.steps["role"] == role) & (self.steps["kind"] == kind)]
        return [_plain(row) for row in mine.sort_values("step").to_dict("records")]

    @staticmethod
    def read(folder: Path) -> TrackRecord:
        """The record in ``folder``.

        Raises:
            OSError, ValueError, KeyError: it is not there, or not as it was written.
        """
        return TrackRecord(
            series=pd.read_parquet(folder / SERIES_FILE, columns=list(SERIES_COLUMNS)),
            steps=pd.read_parquet(folder / STEPS_FILE, columns=list(STEP_COLUMNS)),
            facts=read_json(folder / FACTS_FILE),
        )


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as JSON-ready values; a metric over nothing is None."""
    told: dict[str, Any] = {}
    for name, value in row.items():
        plain = value.item() if isinstance(value, np.generic) else value
        told[str(name)] = None if isinstance(plain, float) and not np.isfinite(plain) else plain
    return told
