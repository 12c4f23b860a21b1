"""The fans of the backtest beside what came true: what was said of a series at past cutoffs.

Training writes them into the model's folder, serving reads those of one series there. Plants are left out:
there are too many of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow.parquet as pq

from features.series.words import DS, UNIQUE_ID, Y

FANS_FILE: Final = "past_fans.parquet"
FAN_QUANTILES: Final = (0.025, 0.1, 0.5, 0.9, 0.975)
ISSUED: Final = "issued"
CUTOFF: Final = "cutoff"
STEP: Final = "step"
FAN_COLUMNS: Final = (UNIQUE_ID, ISSUED, CUTOFF, DS, STEP, *map(str, FAN_QUANTILES), Y)


@dataclass(frozen=True)
class PastFans:
    """What the challenger of a backtest said at past cutoffs.

    Attributes:
        rows: one a series, cutoff and step: unique_id, issued, cutoff and ds (ISO days), step, the quantiles
            by name (tCO2e), y (tCO2e in the scope of the cutoff, NaN where it is not known).
    """

    rows: pd.DataFrame

    def write(self, folder: Path) -> None:
        """Write it into ``folder``, by series, so that the rows of one are read without the others."""
        ordered = self.rows.loc[:, list(FAN_COLUMNS)].sort_values([UNIQUE_ID, CUTOFF, STEP])
        ordered.to_parquet(folder / FANS_FILE, index=False, row_group_size=2_000)


def fans_of(path: Path, unique_id: str) -> list[dict[str, Any]]:
    """The fans of one series in a file, oldest cutoff first, JSON-ready: issued, cutoff and rows.

    Raises:
        OSError, ValueError, KeyError, pyarrow.ArrowException: it is not as it was written.
    """
    frame = pq.read_table(path, filters=[(UNIQUE_ID, "==", unique_id)]).to_pandas()
    return [
        {ISSUED: str(issued), CUTOFF: str(cutoff), "rows": [_row(row) for row in group.to_dict("records")]}
        for (cutoff, issued), group in frame.sort_values([CUTOFF, STEP]).groupby([CUTOFF, ISSUED])
    ]


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    y = float(row[Y])
    return {
        DS: str(row[DS]),
        STEP: int(row[STEP]),
        "quantiles": {str(q): float(row[str(q)]) for q in FAN_QUANTILES},
        Y: None if y != y else y,
    }
