"""Emissions of basins, networks and pipelines: a series a sheet, a facility and, for pipelines, a state."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import openpyxl
import pytest

from features.errors import AskError, DataError
from features.sources import ghgrp_segments
from features.sources.records import RECORD
from tests.sources.workbooks import EMITTED_BY_PIPELINES, PIPELINE, PIPELINES, sheet_of

EIGHT: Final = "ghgrp/ghgp_data_by_year_2023_eight_states.xlsx"
HEADER: Final = [*PIPELINE, *(f"{year} {EMITTED_BY_PIPELINES}" for year in (2023, 2022))]
# The sheets as the EPA names them, and the words of their ids.
SHEETS: Final = {
    "Onshore Oil & Gas Prod.": "onshore",
    "Gathering & Boosting": "gathering",
    "Transmission Pipelines": "transmission",
    "LDC - Direct Emissions": "distribution",
    "SF6 from Elec. Equip.": "sf6",
}


def row(number: int, state: str | None, *figures: int | None) -> list[Any]:
    site = list(PIPELINE.values())
    site[0], site[3] = number, state
    return [*site, *figures]


def write(path: Path, rows: list[list[Any]], *, sheet: str = PIPELINES, header: list[str] = HEADER) -> Path:
    path.write_bytes(sheet_of(sheet, header, rows))
    return path


def test_a_pipeline_has_a_series_in_each_state(tmp_path: Path) -> None:
    batch = ghgrp_segments.read(write(tmp_path / "a.xlsx", [row(1, "TX", 70, 60), row(1, "OH", 5, None)]))
    told = batch.records.dropna(subset="y")
    assert set(zip(told["facility_id"], told["ds"].dt.year, told["y"], strict=True)) == {
        ("ghgrp-segments:transmission/1/TX", 2023, 70.0),
        ("ghgrp-segments:transmission/1/TX", 2022, 60.0),
        ("ghgrp-segments:transmission/1/OH", 2023, 5.0),
    }
    assert set(batch.facilities["region"]) == {"TX", "OH"}
    assert set(batch.facilities["scope_id"]) == {"us-ghgrp-transmission"}
    assert batch.facilities[["lat", "lon"]].isna().all(axis=None)


def test_a_row_without_its_state_is_left_out_and_told(tmp_path: Path) -> None:
    batch = ghgrp_segments.read(write(tmp_path / "a.xlsx", [row(1, "TX", 70, 60), row(1, None, 75, 60)]))
    assert set(batch.facilities["facility_id"]) == {"ghgrp-segments:transmission/1/TX"}
    assert batch.complaints["text"].str.contains("transmission/1 without a state").any()


def test_two_rows_of_one_pipeline_and_state_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", [row(1, "TX", 70, 60), row(1, "TX", 71, 60)])
    with pytest.raises(DataError) as fault:
        ghgrp_segments.read(path)
    assert fault.value.code == "source-repeats"


def test_sheets_that_are_not_there_are_told(tmp_path: Path) -> None:
    batch = ghgrp_segments.read(write(tmp_path / "a.xlsx", [row(1, "TX", 70, 60)]))
    absent = batch.complaints[batch.complaints["code"] == "sheet-absent"]["text"]
    assert all(absent.str.contains(sheet, regex=False).any() for sheet in SHEETS if sheet != PIPELINES)


@pytest.mark.parametrize(
    ("sheet", "header"),
    [
        ("Direct Point Emitters", HEADER),
        (PIPELINES, [name.replace("emissions", "quantities") for name in HEADER]),
        (PIPELINES, [name.replace("State where Emissions Occur", "Where") for name in HEADER]),
        (PIPELINES, HEADER[:-2]),
    ],
)
def test_another_shape_is_refused_by_name(tmp_path: Path, sheet: str, header: list[str]) -> None:
    path = write(tmp_path / "a.xlsx", [row(1, "TX", 70, 60)[: len(header)]], sheet=sheet, header=header)
    with pytest.raises(DataError) as fault:
        ghgrp_segments.read(path)
    assert fault.value.code == "source-changed-shape"


def test_no_file_is_asked_for() -> None:
    with pytest.raises(AskError):
        ghgrp_segments.read()


def test_addresses_stay_outside(tmp_path: Path) -> None:
    batch = ghgrp_segments.read(write(tmp_path / "a.xlsx", [row(1, "TX", 70, 60)]))
    assert tuple(batch.records.columns) == RECORD
    told = batch.facilities.to_csv()
    assert "Jane Person" not in told
    assert "75454" not in told


def test_totals_of_every_sheet_equal_an_independent_count(shared_data: Path) -> None:
    path = shared_data / EIGHT
    batch = ghgrp_segments.read(path)
    expected: dict[tuple[str, int], float] = defaultdict(float)
    book = openpyxl.load_workbook(path, read_only=True)
    refused = 0
    for sheet, word in SHEETS.items():
        rows = list(book[sheet].iter_rows(values_only=True))
        for cells in rows[4:]:
            for name, value in zip(rows[3], cells, strict=True):
                if str(name)[:2] == "20" and isinstance(value, int | float):
                    refused += value < 0
                    expected[word, int(str(name)[:4])] += max(value, 0)
    long = batch.records.dropna(subset="y")
    words = long["facility_id"].str.extract(r"ghgrp-segments:([a-z0-9]+)/")[0]
    sums = long.groupby([words, long["ds"].dt.year])["y"].sum()
    assert {key: round(y) for key, y in sums.items()} == {k: round(v) for k, v in expected.items()}
    assert (batch.complaints["code"] == "figure-negative").sum() == refused == 2
