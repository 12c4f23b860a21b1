"""The EU registry's files: every published figure, its state, its sector; or a named refusal."""

from __future__ import annotations

import csv
import gzip
import io
import math
import time
from collections import defaultdict
from pathlib import Path
from typing import Final

import pandas as pd
import pytest

from features.errors import DataError
from features.reference.tables import load
from features.sources import eutl, uk_ets
from features.sources.eutl_activities import NO_SITE, SECTOR, sector_of_nace
from features.sources.records import Batch

YEARLY: Final = "operators_yearly_activity_daily.csv"
Truth = dict[tuple[str, int], float]


def rows_of(path: Path) -> list[dict[str, str]]:
    payload = path.read_bytes()
    text = (gzip.decompress(payload) if path.suffix == ".gz" else payload).decode()
    return list(csv.DictReader(io.StringIO(text)))


def published(path: Path) -> Truth:
    """Tonnes by site and year, straight from the file; codes 900 and up are no sites."""
    return {
        (f"eutl:{row['REGISTRY_CODE']}_{row['INSTALLATION_IDENTIFIER']}", int(row["PERIOD_YEAR"])): float(
            row["VERIFIED_EMISSIONS"]
        )
        for row in rows_of(path)
        if int(row["VERIFIED_EMISSIONS"]) >= 0 and int(row["INSTALLATION_IDENTIFIER"]) < 900
    }


def figures(batch: Batch) -> Truth:
    rows = batch.records[batch.records["y"] > 0]
    return dict(zip(zip(rows["facility_id"], rows["ds"].dt.year, strict=True), rows["y"], strict=True))


def state(batch: Batch, site: str) -> dict[int, tuple[str, float]]:
    rows = batch.records[batch.records["facility_id"] == site]
    return {ds.year: (s, y) for ds, s, y in zip(rows["ds"], rows["state"], rows["y"], strict=True)}


@pytest.fixture(scope="module")
def daily(fixtures: Path) -> Batch:
    return eutl.read(fixtures / "eutl")


def test_every_figure_is_the_files(daily: Batch, fixtures: Path) -> None:
    truth = {key: y for key, y in published(fixtures / "eutl" / YEARLY).items() if y > 0}
    assert figures(daily) == truth
    assert daily.counts["rows_read"] == len(rows_of(fixtures / "eutl" / YEARLY))
    assert daily.counts["sites_aviation"] == daily.counts["sites_maritime"] == daily.counts["sites_ets2"] == 1
    assert daily.counts["rows_aviation"] == 6
    assert set(daily.complaints["code"]) >= {"aviation", "maritime", "ets2"}


def test_workbook_and_daily_extract_agree(daily: Batch, workbooks: dict[str, Path]) -> None:
    book = eutl.read(workbooks["eutl"])
    assert figures(book) == figures(daily)
    columns = ["facility_id", "ds", "y", "state"]
    merged = daily.records[columns].merge(book.records[columns], on=columns[:2], suffixes=("", "_book"))
    assert (merged["state"] == merged["state_book"]).all()
    assert merged["y"].equals(merged["y_book"])
    gone = set(zip(daily.records["facility_id"], daily.records["ds"], strict=True)) - set(
        zip(book.records["facility_id"], book.records["ds"], strict=True)
    )
    assert {(site, ds.year) for site, ds in gone} == {("eutl:AT_2", 2017), ("eutl:AT_2", 2018)}
    words = ["facility_id", "name", "country", "activity", "sector"]
    assert daily.facilities[words].equals(book.facilities[words])


def test_zeros_and_none_are_told_apart(daily: Batch) -> None:
    assert [state(daily, "eutl:AT_2")[year][0] for year in (2017, 2018)] == ["not-reported"] * 2
    assert state(daily, "eutl:BE_4")[2020] == ("operating", 0.0)
    assert [state(daily, "eutl:DE_5")[year] for year in (2021, 2022)] == [("closed", 0.0)] * 2
    assert [state(daily, "eutl:NL_9")[year][0] for year in (2021, 2022)] == ["closed"] * 2
    assert state(daily, "eutl:FR_8")[2022][0] == "not-reported"
    assert [state(daily, "eutl:NL_10")[year][0] for year in (2019, 2022)] == ["excluded"] * 2
    late = state(daily, "eutl:DE_6")[2018]
    assert late[0] == "not-reported"
    assert math.isnan(late[1])


def test_a_year_hardly_begun_is_not_yet_published(fixtures: Path, tmp_path: Path) -> None:
    text = (fixtures / "eutl" / YEARLY).read_text()
    ahead = [f"{row['REGISTRY_CODE']},{row['INSTALLATION_IDENTIFIER']},2023,-1,N,,,," for row in
             rows_of(fixtures / "eutl" / YEARLY) if row["PERIOD_YEAR"] == "2022"]  # fmt: skip
    (tmp_path / YEARLY).write_text(text + "\n".join(ahead) + "\n")
    made = eutl.read([fixtures / "eutl" / "operators_daily.csv", tmp_path / YEARLY])
    assert state(made, "eutl:BE_3")[2023][0] == "not-yet-published"
    assert state(made, "eutl:NL_9")[2023][0] == "closed"


def test_allowances_are_summed(daily: Batch, fixtures: Path) -> None:
    row = next(r for r in rows_of(fixtures / "eutl" / YEARLY) if r["INSTALLATION_IDENTIFIER"] == "6")
    mine = daily.records[daily.records["facility_id"] == "eutl:DE_6"]["allocation"]
    assert (mine == float(row["ALLOCATION"]) + 100).all()
    assert daily.records[daily.records["facility_id"] == "eutl:FR_7"]["allocation"].isna().all()


def test_points_are_used_swapped_back_or_refused(daily: Batch) -> None:
    at = daily.facilities.set_index("facility_id")[["lat", "lon"]]
    assert tuple(at.loc["eutl:AT_2"]) == (48.2, 15.9)
    assert tuple(at.loc["eutl:FR_7"]) == (5.15, -52.64)  # French Guiana is no mistake
    assert at.loc[["eutl:DE_5", "eutl:NL_10", "eutl:XI_104"]].isna().all(axis=None)
    codes = daily.complaints["code"].value_counts()
    assert (codes["coordinates-swapped"], codes["coordinates-unusable"]) == (1, 2)


def test_sectors_are_words_of_the_house() -> None:
    known = set(load().sector_emissions["sector"])
    assert set(SECTOR.values()) <= known
    assert {sector_of_nace(str(code)) for code in range(100, 9901)} <= known
    assert not set(SECTOR) & set(NO_SITE)
    assert (sector_of_nace("610"), sector_of_nace("2352")) == ("combustion", "cement-lime")


def test_an_unknown_activity_is_left_out_and_told(fixtures: Path, tmp_path: Path) -> None:
    text = (fixtures / "eutl" / "operators_daily.csv").read_text().replace("P-AT-1,30,", "P-AT-1,63,")
    (tmp_path / "operators_daily.csv").write_text(text)
    made = eutl.read([tmp_path / "operators_daily.csv", fixtures / "eutl" / YEARLY])
    assert "eutl:AT_1" not in set(made.facilities["facility_id"])
    codes = made.complaints["code"].value_counts()
    assert (codes["activity-unknown"], codes["site-unknown"]) == (1, 6)


@pytest.mark.parametrize("names", [["operators_daily.csv"], [YEARLY], []])
def test_both_extracts_are_needed(fixtures: Path, names: list[str]) -> None:
    with pytest.raises(DataError, match="source-changed-shape"):
        eutl.read([fixtures / "eutl" / name for name in names])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="source-unreadable"):
        eutl.read(tmp_path / "verified_emissions_2031_en.xlsx")


def test_real_totals_by_country_and_year_to_the_tonne(shared_data: Path) -> None:
    began = time.monotonic()
    batch = eutl.read(shared_data / "eutl")
    assert time.monotonic() - began < 15
    counted: dict[tuple[str, int], int] = defaultdict(int)
    for row in rows_of(shared_data / "eutl" / (YEARLY + ".gz")):
        if (tonnes := int(row["VERIFIED_EMISSIONS"])) > 0:
            counted[row["REGISTRY_CODE"], int(row["PERIOD_YEAR"])] += tonnes
    placed = batch.records.merge(batch.facilities[["facility_id", "country"]], on="facility_id")
    sums = placed.groupby(["country", placed["ds"].dt.year])["y"].sum()
    assert {key: int(y) for key, y in sums.items() if y > 0} == counted
    assert batch.counts["rows_read"] == len(batch.records) == 201_021
    assert not len(batch.complaints)


def test_real_sums_by_country_and_sector_are_the_references(shared_data: Path) -> None:
    uk = uk_ets.read(
        shared_data / "uk_ets" / "permit_matched_to_eutl.csv.gz",
        operators=shared_data / "eutl" / "operators_daily.csv.gz",
    )
    rows = []
    for batch in (eutl.read(shared_data / "eutl"), uk):
        placed = batch.records[batch.records["y"] > 0].merge(batch.facilities, on="facility_id")
        rows.append(placed.assign(year=placed["ds"].dt.year))
    table = pd.concat(rows).groupby(["country", "sector", "year"])["y"].agg(["sum", "count"])
    reference = load().sector_emissions
    reference = reference[(reference["kind"] == "country") & reference["source"].isin(["eu-ets", "uk-ets"])]
    wanted = reference.set_index(["area", "sector", "year"])[["tco2e", "installations"]]
    assert {k: tuple(v) for k, v in zip(table.index, table.to_numpy().astype(int).tolist(), strict=True)} == {
        k: tuple(v) for k, v in zip(wanted.index, wanted.to_numpy().astype(int).tolist(), strict=True)
    }
