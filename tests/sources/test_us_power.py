from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import DataError
from features.sources import us_power

PUBLISHED = "us_power/monthly_index_states.csv"


@pytest.fixture
def small(fixtures: Path) -> Path:
    return fixtures / "us_power.csv"


def test_a_small_file(small: Path) -> None:
    batch = us_power.read(small)
    assert batch.counts == {"rows_read": 72, "dropped": 0, "figures": 72, "facilities": 3}
    first = batch.records.iloc[0]
    assert (first["facility_id"], first["ds"]) == ("us-power:TX", pd.Timestamp("2016-01-01"))
    assert first["y"] == 7081310.935
    assert batch.facilities[["country", "region", "sector", "scope_id", "cadence"]].to_numpy().tolist() == [
        ["US", state, "power-plants", "us-power-co2", "month"] for state in ("TX", "VT", "WY")
    ]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("7081310935", "7081310.935", "figure-contradicted"),
        ("7081310935", "", "figure-contradicted"),
        ("7081310935", '"7,081,310,935"', "figure-unreadable"),
        ("2016,1,TX", "2016,2,TX", "month-contradicted"),
        ("2016,1,TX", "2016,13,TX", "month-unreadable"),
        ("2016,1,TX", "2016,1,US", "area-unreadable"),
    ],
)
def test_a_row_at_fault_is_named_and_left_out(
    small: Path, tmp_path: Path, old: str, new: str, code: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(small.read_text().replace(old, new, 1))
    batch = us_power.read(path)
    told = dict(zip(batch.complaints["code"], batch.complaints["row"], strict=True))
    assert told == {code: 2, "periods-absent": 0}
    assert batch.counts["figures"] == 71


def test_a_file_in_another_unit_is_refused(small: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(small.read_text().replace("final co2 (kg)", "final co2 (t)"))
    with pytest.raises(DataError, match="source-changed-shape"):
        us_power.read(path)


def test_a_month_without_a_row_is_a_gap(small: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = small.read_text().splitlines(keepends=True)
    path.write_text("".join([*rows[:5], *rows[6:]]))
    batch = us_power.read(path)
    gap = batch.records[batch.records["y"].isna()]
    assert gap[["facility_id", "state"]].to_numpy().tolist() == [["us-power:TX", "not-reported"]]
    assert batch.complaints["text"].tolist() == ["TX: 1 months have no row"]


def test_every_published_figure_to_the_tonne(shared_data: Path) -> None:
    path = shared_data / PUBLISHED
    batch = us_power.read(path)
    expected: dict[tuple[str, int], float] = defaultdict(float)
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            expected[row["state"], int(row["year"])] += float(row["final co2 (kg)"]) / 1000
    state, year = batch.records["facility_id"].str[-2:], batch.records["ds"].dt.year
    sums = batch.records["y"].groupby([state, year]).sum()
    assert len(sums) == len(expected) == 50 * 17
    np.testing.assert_allclose([sums[key] for key in expected], list(expected.values()), rtol=0, atol=1e-3)
    assert batch.counts == {"rows_read": 10_200, "dropped": 0, "figures": 10_200, "facilities": 50}
    assert batch.complaints.empty
