from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.errors import DataError
from models.issued import Issued

LEVELS = (0.1, 0.5, 0.9)
ROW = {
    "model_version": "v1", "unique_id": "a/x", "kind": "sector", "cutoff": "2022-01-01", "ds": "2023-01-01",
    "step": 1,
}  # fmt: skip


def test_what_was_said_twice_counts_once() -> None:
    frame = pd.DataFrame([ROW, ROW, {**ROW, "ds": "2024-01-01", "step": 2}])
    told = Issued.of(frame, LEVELS, np.arange(9.0).reshape(3, 3))
    assert told.frame["step"].tolist() == [1, 2]
    assert told.values.tolist() == [[0.0, 1.0, 2.0], [6.0, 7.0, 8.0]]


def test_nothing_issued_is_lawful() -> None:
    assert len(Issued.of(pd.DataFrame(columns=list(ROW)), LEVELS, np.zeros((0, 3))).frame) == 0


@pytest.mark.parametrize(
    ("row", "width"),
    [({**ROW, "ds": "2022-01-01"}, 3), (ROW, 2), ({k: v for k, v in ROW.items() if k != "kind"}, 3)],
)
def test_what_does_not_fit_is_refused(row: dict[str, object], width: int) -> None:
    with pytest.raises(DataError, match="issued-unfit"):
        Issued.of(pd.DataFrame([row]), LEVELS, np.zeros((1, width)))
