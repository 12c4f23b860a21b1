from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from features.errors import DataError
from features.sources import eurostat_ipi
from features.sources.records import Batch

PUBLISHED = "eurostat_ipi/ipi_c_eu.csv"


# Ways that suit whole numbers only: an index with a second decimal mark is no harmless change.
@pytest.fixture
def small(fixtures: Path) -> Path:
    return fixtures / "eurostat_ipi.csv"


def months_as_years(path: Path) -> Batch:
    batch = eurostat_ipi.read(path)
    number = (batch.records["ds"].dt.year - 1990) * 12 + batch.records["ds"].dt.month
    stamps = pd.to_datetime((1700 + number).astype(str) + "-01-01").astype("datetime64[ns]")
    return replace(batch, records=batch.records.assign(ds=stamps))


def counted(path: Path) -> dict[tuple[str, int], float]:
    found = {}
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            year, month = row.pop("month").split("-")
            for code, cell in row.items():
                if cell:
                    found[f"eurostat-ipi:{code}", 1700 + (int(year) - 1990) * 12 + int(month)] = float(cell)
    return found


def test_a_small_file(small: Path) -> None:
    batch = eurostat_ipi.read(small)
    facts = batch.facilities.set_index("facility_id")
    assert facts["country"].to_dict() == {
        "eurostat-ipi:BE": "BE", "eurostat-ipi:DE": "DE", "eurostat-ipi:EA19": "", "eurostat-ipi:EL": "GR",
        "eurostat-ipi:UK": "GB",
    }  # fmt: skip
    assert set(facts["activity"]) == {"index 2015=100"}
    belgium, britain = (
        batch.records[batch.records["facility_id"] == f"eurostat-ipi:{code}"] for code in ("BE", "UK")
    )
    assert belgium["ds"].min() == pd.Timestamp("2014-06-01")
    assert britain["state"].tolist() == ["operating"] * 34 + ["not-yet-published"] * 2
    assert batch.complaints.empty


def test_a_colon_is_no_figure_and_no_fault(small: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(small.read_text().replace("2014-01,,102.0", "2014-01,:,:", 1))
    batch = eurostat_ipi.read(path)
    assert batch.counts["figures"] == eurostat_ipi.read(small).counts["figures"] - 1
    assert batch.complaints.empty


@pytest.mark.parametrize("cell", ["1020", "10.20", "102", "1.020", "102.0 p", '"102,0"', "-102.0", "nan"])
def test_a_cell_at_fault_is_named_and_left_out(small: Path, tmp_path: Path, cell: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(small.read_text().replace("2014-01,,102.0", f"2014-01,,{cell}", 1))
    batch = eurostat_ipi.read(path)
    assert batch.complaints[["row", "code"]].to_numpy().tolist() == [[2, "figure-unreadable"]]
    assert batch.counts["figures"] == eurostat_ipi.read(small).counts["figures"] - 1


def test_a_column_of_no_country_is_told(small: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(small.read_text().replace(",UK,", ",U K,", 1))
    batch = eurostat_ipi.read(path)
    assert batch.complaints[["row", "code"]].to_numpy().tolist() == [[1, "column-unknown"]]
    assert "eurostat-ipi:UK" not in set(batch.facilities["facility_id"])


def test_no_base_year_is_refused(small: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = small.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], *lines[1:13]]))
    with pytest.raises(DataError, match="source-changed-shape"):
        eurostat_ipi.read(path)


def test_every_published_figure(shared_data: Path) -> None:
    path = shared_data / PUBLISHED
    batch = months_as_years(path)
    told = batch.records[batch.records["y"].notna()]
    found = dict(zip(zip(told["facility_id"], told["ds"].dt.year, strict=True), told["y"], strict=True))
    assert found == counted(path)
    assert batch.counts["facilities"] == 34
    assert set(batch.facilities["activity"]) == {"index 2015=100"}
    late = batch.records[batch.records["state"] == "not-yet-published"]
    assert late["facility_id"].tolist() == ["eurostat-ipi:UK"] * 2
    assert batch.complaints.empty
