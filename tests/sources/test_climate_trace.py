"""Climate TRACE: months summed to whole years, one GWP set a series, or a named refusal."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest

from features.errors import AskError, DataError, ForecarbonError
from features.reference.tables import load
from features.sources import climate_trace
from features.sources.climate_trace_sectors import HOUSE
from features.sources.countries import iso2_by_iso3
from features.sources.readers import reader_of
from features.sources.records import Batch

FIXTURES: Final = Path(__file__).resolve().parents[1] / "fixtures" / "sources"
BULK: Final = FIXTURES / "climate_trace_bulk.csv"
V6: Final = FIXTURES / "climate_trace_v6.json"
SOURCES: Final = FIXTURES / "climate_trace_v7_sources.json"
SOURCE: Final = FIXTURES / "climate_trace_v7_source.json"
TOTALS: Final = FIXTURES / "climate_trace_v7_totals.json"
PULP: Final = "climate_trace/pulp-and-paper_emissions_sources_v5_7_0.csv.gz"
AFG: Final = "climate_trace/sources-emissions-year-2025-gas-co2e-20yr-gadmid-afg.json"
AFG_SOURCES: Final = (
    "climate_trace/v7-sources-sectors-manufacturing-year-2025-gas-co2e-20yr-gadmid-afg"
    "-limit-10000-offset-0.json"
)
CITIES: Final = "climate_trace/v7-cities-country-afg.json"
Figures = dict[tuple[str, int, int], float]


def figures(batch: Batch) -> Figures:
    told = batch.records[batch.records["y"].notna()]
    keys = zip(told["facility_id"], told["ds"].dt.year, told["ds"].dt.month, strict=True)
    return dict(zip(((str(name), int(y), int(m)) for name, y, m in keys), told["y"], strict=True))


def codes(batch: Batch) -> Counter[str]:
    return Counter(batch.complaints["code"])


def summed(rows: list[dict[str, str]]) -> tuple[Figures, dict[tuple[str, int], int]]:
    """The slow, obvious sums by source and year, and how many rows each has."""
    total: Figures = defaultdict(float)
    number: dict[tuple[str, int], int] = defaultdict(int)
    for row in rows:
        year = int(row["start_time"][:4])
        total[f"climate-trace:{row['source_id']}", year, 1] += float(row["emissions_quantity"])
        number[f"climate-trace:{row['source_id']}", year] += 1
    return total, number


def whole_years() -> Figures:
    with BULK.open(newline="") as stream:
        total, _ = summed(list(csv.DictReader(stream)))
    return {key: y for key, y in total.items() if key[1] < 2025}


def states(batch: Batch) -> dict[tuple[str, int], str]:
    keys = zip(batch.records["facility_id"], batch.records["ds"].dt.year, strict=True)
    return {
        (str(name), int(year)): str(word)
        for (name, year), word in zip(keys, batch.records["state"], strict=True)
    }


# --- bulk files -----------------------------------------------------------------------------------


def test_months_are_summed_to_whole_years() -> None:
    batch = climate_trace.read(BULK)
    assert figures(batch) == pytest.approx(whole_years())
    assert batch.counts["rows_read"] == batch.counts["rows_in_gas"] == 56
    assert states(batch)["climate-trace:101", 2025] == "not-yet-published"
    assert codes(batch) == {"year-not-over": 1}
    assert set(batch.facilities["cadence"]) == {"year"}


def test_facilities_hold_the_house_words() -> None:
    table = climate_trace.read(BULK).facilities.set_index("facility_id")
    assert table["sector"].to_list() == ["pulp-paper", "cement-lime", "aluminium"]
    assert table["country"].to_list() == ["NL", "US", "IS"]
    assert table["activity"].to_list() == ["pulp-and-paper", "cement", "aluminum"]
    assert set(table["scope_id"]) == {"climate-trace-co2e100"}
    assert table.loc["climate-trace:101", "name"] == "Handmade Mill, North"


def test_every_house_sector_is_known() -> None:
    assert set(HOUSE.values()) <= set(load().sector_emissions["sector"])


def test_a_gzipped_file_is_the_same(tmp_path: Path) -> None:
    packed = tmp_path / "bulk.csv.gz"
    packed.write_bytes(gzip.compress(BULK.read_bytes()))
    assert climate_trace.read(packed).records.equals(climate_trace.read(BULK).records)


def rewritten(path: Path, change: Callable[[list[dict[str, str]]], None]) -> Path:
    with BULK.open(newline="") as stream:
        reader = csv.DictReader(stream)
        names, rows = list(reader.fieldnames or ()), list(reader)
    change(rows)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_gwp_sets_never_meet(tmp_path: Path) -> None:
    def both(rows: list[dict[str, str]]) -> None:
        rows += [row | {"gas": "co2e_20yr", "emissions_quantity": "9999999"} for row in rows]

    path = rewritten(tmp_path / "both.csv", both)
    usual = climate_trace.read(path)
    assert figures(usual) == pytest.approx(whole_years())
    assert codes(usual)["gas-left-out"] == 1
    shorter = climate_trace.read(path, gas="co2e_20yr")
    assert set(shorter.facilities["scope_id"]) == {"climate-trace-co2e20"}
    assert not set(shorter.facilities["facility_id"]) & set(usual.facilities["facility_id"])


@pytest.mark.parametrize("gas", ["ch4", "n2o"])
def test_tonnes_of_other_gases_are_no_co2e(tmp_path: Path, gas: str) -> None:
    def other(rows: list[dict[str, str]]) -> None:
        for row in rows:
            row["gas"] = gas

    with pytest.raises(DataError) as refusal:
        climate_trace.read(rewritten(tmp_path / "gas.csv", other))
    assert refusal.value.code == "source-gas-absent"


def test_a_year_with_a_month_missing_or_doubled_is_not_summed(tmp_path: Path) -> None:
    def change(rows: list[dict[str, str]]) -> None:
        rows.append(rows[14] | {"emissions_quantity": "1.0"})  # 101, March 2024, another figure
        del rows[5]  # 101, June 2023

    batch = climate_trace.read(rewritten(tmp_path / "gap.csv", change))
    told = states(batch)
    assert (told["climate-trace:101", 2023], told["climate-trace:101", 2024]) == ("not-reported",) * 2
    assert codes(batch)["year-incomplete"] == 2
    assert {key for key in figures(batch) if "101" in key[0]} == set()


def test_a_figure_below_zero_leaves_its_year_out(tmp_path: Path) -> None:
    def change(rows: list[dict[str, str]]) -> None:
        rows[0]["emissions_quantity"] = "-12.5"

    batch = climate_trace.read(rewritten(tmp_path / "negative.csv", change))
    assert codes(batch)["figure-negative"] == 1
    assert ("climate-trace:101", 2023, 1) not in figures(batch)


def test_a_slipped_decimal_mark_is_found_by_the_factors(tmp_path: Path) -> None:
    def change(rows: list[dict[str, str]]) -> None:
        rows[0]["emissions_quantity"] = str(float(rows[0]["emissions_quantity"]) / 1000)

    batch = climate_trace.read(rewritten(tmp_path / "slipped.csv", change))
    assert codes(batch)["figure-contradicted"] == 1
    assert ("climate-trace:101", 2023, 1) not in figures(batch)
    assert len(figures(batch)) == 5


# --- replies --------------------------------------------------------------------------------------


def test_v6_assets() -> None:
    batch = climate_trace.read(V6, year=2022, whole_until=2023)
    assert figures(batch) == {
        ("climate-trace:201", 2022, 1): 1000000.5,
        ("climate-trace:202", 2022, 1): 2000000.25,
    }
    assert states(batch)["climate-trace:203", 2022] == "not-reported"
    table = batch.facilities.set_index("facility_id")
    assert (table.loc["climate-trace:202", "lat"], table.loc["climate-trace:202", "lon"]) == (29.75, -95.5)
    assert table["sector"].to_list() == ["refining", "power-plants", "cement-lime"]
    assert codes(batch)["gas-left-out"] == 3
    shorter = climate_trace.read(V6, year=2022, whole_until=2023, gas="co2e_20yr")
    assert figures(shorter)["climate-trace:co2e20:201", 2022, 1] == 1200000.5


def test_a_v6_reply_does_not_tell_its_year() -> None:
    with pytest.raises(DataError) as refusal:
        climate_trace.read(V6)
    assert refusal.value.code == "source-changed-shape"


def test_a_v7_figure_counts_only_when_its_year_is_known_whole() -> None:
    unproved = climate_trace.read(SOURCES)
    assert figures(unproved) == {}
    assert set(unproved.records["state"]) == {"not-yet-published"}
    assert codes(unproved)["year-not-proved-whole"] == 2
    whole = {("climate-trace:301", 2024, 1): 300.5, ("climate-trace:302", 2024, 1): 700.25}
    assert figures(climate_trace.read(SOURCES, whole_until=2024)) == whole
    beside = figures(climate_trace.read(SOURCES, TOTALS))
    assert {key: beside[key] for key in whole} == whole


def test_a_partial_reply_of_totals_outweighs_what_was_said(tmp_path: Path) -> None:
    body = json.loads(TOTALS.read_text())
    for part in ("totals", "subsectors"):
        body[part]["timeseries"] = [row for row in body[part]["timeseries"] if row["month"] < 12]
    partial = tmp_path / "partial.json"
    partial.write_text(json.dumps(body))
    batch = climate_trace.read(SOURCES, partial, whole_until=2024)
    assert states(batch)["climate-trace:301", 2024] == "not-yet-published"


def test_one_v7_source_by_month() -> None:
    batch = climate_trace.read(SOURCE)
    assert figures(batch) == {("climate-trace:301", 2024, 1): 780.0}
    assert states(batch)["climate-trace:301", 2025] == "not-yet-published"


def test_v7_totals_stay_monthly() -> None:
    batch = climate_trace.read(TOTALS)
    assert len(figures(batch)) == 24
    assert figures(batch)["climate-trace:NLD/manufacturing/cement", 2024, 3] == 76.5
    assert set(batch.facilities["cadence"]) == {"month"}
    assert set(batch.facilities["country"]) == {"NL"}


def test_totals_must_add_up(tmp_path: Path) -> None:
    body = json.loads(TOTALS.read_text())
    body["subsectors"]["timeseries"].pop()
    path = tmp_path / "short.json"
    path.write_text(json.dumps(body))
    with pytest.raises(DataError) as refusal:
        climate_trace.read(path)
    assert "add up" in refusal.value.found


@pytest.mark.parametrize(
    "body", ["null", "[]", "{}", "[1]", '{"assets": []}', "[NaN]", '"text"', "[" * 100_000]
)
def test_other_json_is_a_named_refusal(tmp_path: Path, body: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(body)
    with pytest.raises(DataError) as refusal:
        climate_trace.read(path)
    assert refusal.value.code in ("source-changed-shape", "source-unreadable")


def test_no_owner_is_read() -> None:
    for batch in (climate_trace.read(V6, year=2022), climate_trace.read(SOURCE)):
        frames = (batch.records, batch.facilities, batch.complaints)
        assert "Jane" not in " ".join(frame.to_csv() for frame in frames)


def test_what_was_asked_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(AskError):
        climate_trace.read()
    with pytest.raises(AskError):
        climate_trace.read(BULK, gas="co2e")
    with pytest.raises(DataError) as refusal:
        climate_trace.read(tmp_path / "absent.csv")
    assert refusal.value.code == "source-unreadable"


def test_country_codes_are_complete() -> None:
    table = iso2_by_iso3()
    assert len(table) == len(set(table.values())) == 250
    assert (table["NLD"], table["CHN"], table["GBR"], table["XKX"]) == ("NL", "CN", "GB", "XK")
    assert set(load().clusters["country"]) <= set(table.values())


# --- the files as published -----------------------------------------------------------------------


def test_the_bulk_file_equals_an_independent_count(shared_data: Path) -> None:
    path = shared_data / PULP
    with gzip.open(path, "rt", newline="") as stream:
        rows = list(csv.DictReader(stream))
    total, number = summed(rows)
    whole = {key: y for key, y in total.items() if number[key[:2]] == 12}
    batch = climate_trace.read(path)
    assert batch.counts["rows_read"] == len(rows) == 21_672
    assert batch.counts["facilities"] == len({row["source_id"] for row in rows}) == 344
    assert batch.counts["figures"] == len(whole) == 1_720
    read = figures(batch)
    assert read.keys() == whole.keys()
    assert all(abs(read[key] - whole[key]) < 1e-6 * max(1.0, whole[key]) for key in whole)
    by_country: dict[tuple[str, int], float] = defaultdict(float)
    iso3 = {f"climate-trace:{row['source_id']}": row["iso3_country"] for row in rows}
    for (name, year, _), y in whole.items():
        by_country[iso2_by_iso3()[iso3[name]], year] += y
    long = batch.records.merge(batch.facilities, on="facility_id").dropna(subset="y")
    sums = long.groupby(["country", long["ds"].dt.year])["y"].sum()
    assert {key: round(y) for key, y in sums.items()} == {key: round(y) for key, y in by_country.items()}
    # The newest year has three months: nothing of it is taken for a year.
    assert {year for _, year, _ in read} == {2021, 2022, 2023, 2024, 2025}


def test_the_totals_equal_an_independent_count(shared_data: Path) -> None:
    body = json.loads((shared_data / AFG).read_text())
    batch = climate_trace.read(shared_data / AFG)
    assert set(batch.facilities["scope_id"]) == {"climate-trace-co2e20"}
    assert batch.counts["figures"] == len(body["subsectors"]["timeseries"]) == 704
    by_month = batch.records.groupby(batch.records["ds"].dt.month)["y"].sum()
    for row in body["totals"]["timeseries"]:
        assert round(by_month[row["month"]]) == round(row["emissionsQuantity"])


def test_a_running_year_of_sources_is_no_year(shared_data: Path) -> None:
    """The three plants' 2025 is to the tonne the sum of the eleven months the totals hold."""
    sources, totals = shared_data / AFG_SOURCES, shared_data / AFG
    listed = json.loads(sources.read_text())
    months = json.loads(totals.read_text())["subsectors"]["timeseries"]
    cement = sum(row["emissionsQuantity"] for row in months if row["subsector"] == "cement")
    assert sum(item["emissionsQuantity"] for item in listed) == pytest.approx(cement)
    batch = climate_trace.read(sources, totals, whole_until=2025)
    yearly = batch.facilities.loc[batch.facilities["cadence"] == "year", "facility_id"]
    assert set(batch.records.set_index("facility_id").loc[yearly, "state"]) == {"not-yet-published"}


def test_a_reply_without_emissions_is_refused(shared_data: Path) -> None:
    with pytest.raises(DataError) as refusal:
        climate_trace.read(shared_data / CITIES)
    assert refusal.value.code == "source-changed-shape"


def test_a_folder_is_read_without_what_holds_no_emissions(shared_data: Path) -> None:
    whole = reader_of("climate_trace").read(sorted((shared_data / "climate_trace").iterdir()))
    assert figures(whole) == figures(climate_trace.read(shared_data / PULP))
    assert codes(whole)["file-not-read"] == 1
    assert codes(whole)["gas-left-out"] == 1


def test_a_v6_reply_tells_its_year_by_its_name_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "assets.json"
    path.write_bytes(V6.read_bytes())
    with pytest.raises(DataError, match=r"assets-2022\.json") as refusal:
        climate_trace.read(path)
    assert refusal.value.code == "source-changed-shape"
    named = path.rename(tmp_path / "v6-assets-countries-nld-year-2022.json")
    assert set(figures(climate_trace.read(named, whole_until=2022))) == {
        ("climate-trace:201", 2022, 1),
        ("climate-trace:202", 2022, 1),
    }


@pytest.mark.parametrize(("known_at", "number"), [("2025-12-31", 0), ("2026-01-01", 2)])
def test_a_year_over_for_a_year_is_whole(known_at: str, number: int) -> None:
    batch = reader_of("climate-trace").read([SOURCES], known_at=pd.Timestamp(known_at))
    assert batch.counts["figures"] == number


# --- damage ---------------------------------------------------------------------------------------

Table = list[list[str]]
Mutation = Callable[[Table, random.Random], Table]


def lost_rows(rows: Table, dice: random.Random) -> Table:
    return [rows[0], *(row for row in rows[1:] if dice.random() < 0.9)]


def other_dates(rows: Table, dice: random.Random) -> Table:
    style = dice.choice(["{2}/{1}/{0}", "{1}/{2}/{0}", "{0}{1}{2}", "{0}-{1}-{2}T00:00:00", "{0}/{1}/{2}"])
    for row in rows[1:]:
        for i in (6, 7):
            row[i] = style.format(*row[i][:10].split("-"))
    return rows


REFUSALS: Final = ("source-changed-shape", "source-unreadable", "source-repeats", "source-gas-absent")
GRID: Final[tuple[Mutation, ...]] = (lost_rows, other_dates)


def lawful(path: Path, original: Figures, **settings: Any) -> None:
    """Read what is there: only published figures, or a named refusal."""
    try:
        batch = climate_trace.read(path, **settings)
    except ForecarbonError as refusal:
        if refusal.code not in REFUSALS:
            raise
        return
    for key, y in figures(batch).items():
        assert math.isclose(y, original[key], rel_tol=1e-9), key


def bulk_table() -> Table:
    with BULK.open(newline="") as stream:
        return list(csv.reader(stream))


def printed(rows: Table, *, delimiter: str = ",", end: str = "\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize("mutate", GRID)
def test_a_mutated_bulk_file_gives_its_years_or_a_named_refusal(mutate: Mutation, tmp_path: Path) -> None:
    path, original = tmp_path / "bulk.csv", whole_years()
    for seed in range(10):
        path.write_text(printed(mutate(bulk_table(), random.Random(seed))), encoding="utf-8")
        lawful(path, original)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp037"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_bulk_file_written_otherwise(encoding: str, delimiter: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "bulk.csv"
    path.write_bytes(printed(bulk_table(), delimiter=delimiter, end=end).encode(encoding))
    lawful(path, whole_years())
    if delimiter == "," and encoding.startswith("utf-8"):
        assert figures(climate_trace.read(path)) == pytest.approx(whole_years())
