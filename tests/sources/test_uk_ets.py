"""The UK compliance report and the continuation of British sites: every figure once, under one identity."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import Final

import openpyxl
import pytest

from features.errors import DataError
from features.sources import eutl, uk_ets
from features.sources.readers import reader_of
from features.sources.records import Batch
from features.sources.uk_ets_report import STATIONARY
from tests.sources.counts import rows_of

REPORT: Final = "uk_ets/20250611_Compliance_Report_Emissions_and_Surrenders.xlsx"
OPERATORS: Final = "eutl/operators_daily.csv"


def published(path: Path) -> dict[tuple[str, int], float]:
    """Tonnes of stationary sites by permit and year, straight from the table."""
    with path.open(encoding="utf-8", newline="") as stream:
        return {
            (f"uk-ets:{row['Permit ID or Monitoring plan ID']}", year): float(
                row[f"Recorded emissions {year}"]
            )
            for row in csv.DictReader(stream)
            if row["Account type"] == STATIONARY
            for year in range(2021, 2025)
            if row[f"Recorded emissions {year}"].isdigit()
        }


def figures(batch: Batch) -> dict[tuple[str, int], float]:
    rows = batch.records[batch.records["y"] > 0]
    return dict(zip(zip(rows["facility_id"], rows["ds"].dt.year, strict=True), rows["y"], strict=True))


def states(batch: Batch, site: str) -> dict[int, str]:
    rows = batch.records[batch.records["facility_id"] == site]
    return dict(zip(rows["ds"].dt.year, rows["state"], strict=True))


@pytest.fixture(scope="module")
def report(workbooks: dict[str, Path]) -> Batch:
    return uk_ets.read(workbooks["uk-ets"])


def test_every_figure_is_the_reports(report: Batch, fixtures: Path) -> None:
    assert figures(report) == {
        key: y for key, y in published(fixtures / "uk_ets_report.csv").items() if y > 0
    }
    assert report.counts["sites_aviation"] == 2
    assert report.counts["rows_read"] == 14
    assert (report.facilities["scope_id"] == "uk-ets").all()


def test_words_and_blanks_become_states(report: Batch) -> None:
    assert states(report, "uk-ets:UK-S-IN-10200")[2023] == "excluded"
    assert states(report, "uk-ets:UK-E-IN-10101")[2023] == "closed"
    assert states(report, "uk-ets:UK-S-IN-10201") == {2023: "operating", 2024: "operating"}
    assert states(report, "uk-ets:UK-S-IN-10202")[2022] == "operating"
    assert states(report, "uk-ets:UK-S-IN-10203")[2024] == "closed"
    assert states(report, "uk-ets:DTI9900")[2024] == "not-reported"


def test_british_sites_keep_their_identity(workbooks: dict[str, Path], fixtures: Path) -> None:
    before = eutl.read(fixtures / "eutl")
    after = uk_ets.read(
        workbooks["uk-ets"], operators=fixtures / OPERATORS,
        coordinates=fixtures / "eutl" / "installation_coordinates.csv",
    )  # fmt: skip
    columns = ["name", "country", "activity", "sector", "lat", "lon"]
    was, now = (batch.facilities.set_index("facility_id") for batch in (before, after))
    assert [now.at["eutl:GB_100", c] for c in columns] == [was.at["eutl:GB_100", c] for c in columns]
    assert (was.loc["eutl:GB_100", "scope_id"], now.loc["eutl:GB_100", "scope_id"]) == ("eu-ets", "uk-ets")
    # One permit at two sites, and a site that stays in the EU scheme, are matched to nobody.
    assert {"uk-ets:UK-W-IN-10102", "uk-ets:UK-N-IN-10104"} <= set(now.index)
    assert after.counts["sites_matched"] == 2


def test_report_and_continuation_agree(workbooks: dict[str, Path], fixtures: Path) -> None:
    operators = fixtures / OPERATORS
    matched = uk_ets.read(workbooks["uk-ets"], operators=operators)
    continued = uk_ets.read(fixtures / "uk_ets_permit_matched.csv", operators=operators)
    mine = {key: y for key, y in figures(matched).items() if key[0].startswith("eutl:")}
    assert figures(continued) == mine
    assert len(mine) == 6


def test_a_continuation_needs_operators(fixtures: Path) -> None:
    with pytest.raises(DataError, match="source-incomplete"):
        uk_ets.read(fixtures / "uk_ets_permit_matched.csv")


def test_a_folder_is_read_by_its_report(shared_data: Path) -> None:
    folder = reader_of("uk_ets").read(sorted((shared_data / "uk_ets").iterdir()))
    assert figures(folder) == figures(uk_ets.read(shared_data / REPORT))
    assert folder.complaints["code"].value_counts()["file-not-read"] == 1


def test_real_continuation_by_year_to_the_tonne(shared_data: Path) -> None:
    path = shared_data / "uk_ets" / "permit_matched_to_eutl.csv.gz"
    batch = uk_ets.read(path, operators=shared_data / "eutl" / "operators_daily.csv.gz")
    counted: dict[int, float] = defaultdict(float)
    for row in rows_of(path.read_bytes()):
        counted[int(row["year"])] += float(row["verified_tco2e"])
    sums = batch.records.groupby(batch.records["ds"].dt.year)["y"].sum()
    assert sums.to_dict() == counted
    assert set(batch.facilities["country"]) == {"GB"}


def test_real_totals_by_year_to_the_tonne(shared_data: Path) -> None:
    batch = uk_ets.read(shared_data / REPORT)
    book = openpyxl.load_workbook(shared_data / REPORT, read_only=True)
    rows = list(book["Data"].iter_rows(values_only=True))
    counted: dict[int, int] = defaultdict(int)
    for row in rows[1:]:
        cells = dict(zip(rows[0], row, strict=True))
        if cells["Account type"] == STATIONARY:
            for year in range(2021, 2025):
                value = cells[f"Recorded emissions {year}"]
                counted[year] += value if isinstance(value, int) else 0
    sums = batch.records.groupby(batch.records["ds"].dt.year)["y"].sum()
    assert {year: int(y) for year, y in sums.items()} == counted
    assert counted == {2021: 104_398_218, 2022: 102_851_826, 2023: 87_948_467, 2024: 76_644_696}
    assert (batch.counts["sites_aviation"], batch.counts["facilities"]) == (584, 757)


def test_real_report_and_continuation_agree(shared_data: Path) -> None:
    operators = shared_data / "eutl" / "operators_daily.csv.gz"
    matched = uk_ets.read(shared_data / REPORT, operators=operators)
    continued = uk_ets.read(shared_data / "uk_ets" / "permit_matched_to_eutl.csv.gz", operators=operators)
    mine = {key: y for key, y in figures(matched).items() if key[0].startswith("eutl:")}
    assert figures(continued) == mine
    assert continued.counts["rows_read"] == 2_092
