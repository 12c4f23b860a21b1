from __future__ import annotations

from pathlib import Path

import pytest

from models.track_record import FILES, TrackRecord
from tests.serving.whole import track


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    track().write(tmp_path)
    again = TrackRecord.read(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    assert again.series.equals(track().series)
    assert again.steps.equals(track().steps)
    assert again.facts == track().facts


def test_a_series_and_a_kind_are_found_and_nothing_is_made_up() -> None:
    told = track()
    own = told.of_series("challenger", "aa-north/power")
    assert own is not None
    assert (own["mase"], own["n"], own["folds"]) == (0.8, 10, 5)
    assert told.of_series("challenger", "aa-north/steel") is None
    assert told.of_series("baseline", "bb-south/power") is None
    assert [row["step"] for row in told.of_kind("challenger", "sector")] == [0, 1]
    assert told.of_kind("challenger", "plant") == []


def test_a_metric_over_nothing_is_none() -> None:
    row = track().of_series("challenger", "bb-south/power")
    assert row is not None
    assert (row["n"], row["mase"], row["coverage_80"]) == (0, None, None)


def test_a_record_that_is_gone_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="judged"):
        TrackRecord.read(tmp_path)
