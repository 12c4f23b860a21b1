"""The EPA workbooks: every published figure, nothing else, or a named refusal."""

from __future__ import annotations

import csv
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import openpyxl
import pytest

from features.errors import AskError, DataError, ForecarbonError
from features.reference.tables import load
from features.sources import ghgrp
from features.sources.ghgrp_cells import SECTORS
from features.sources.records import Batch

FIXTURE: Final = Path(__file__).resolve().parents[1] / "fixtures" / "sources" / "ghgrp_by_year.csv"
TITLES: Final = (
    "Summary data collected by the Greenhouse Gas Reporting Program",
    "This data was reported to EPA by facilities as of 8/16/2024",
    "All emissions data is presented in units of CO2 equivalent using GWP's from IPCC's AR4.",
)
EIGHT: Final = "ghgrp/ghgp_data_by_year_2023_eight_states.xlsx"
Grid = list[list[Any]]
Figures = dict[tuple[str, int], float]


def cell(text: str) -> Any:
    if text == "":
        return None
    return float(text) if re.fullmatch(r"-?\d+\.\d+", text) else int(text) if text.isdigit() else text


def grid() -> Grid:
    with FIXTURE.open(newline="") as stream:
        header, *rows = csv.reader(stream)
    # The publisher writes zip codes and FRS numbers as text.
    body = [[text or None if i in (1, 5) else cell(text) for i, text in enumerate(row)] for row in rows]
    return [[title] for title in TITLES] + [list(header), *body]


def write(
    path: Path, rows: Grid, *, sheet: str = "Direct Point Emitters", others: tuple[str, ...] = ("Suppliers",)
) -> Path:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = sheet
    for row in rows:
        first.append(row)
    for name in others:
        book.create_sheet(name).append(["Facility Id", "Facility Name"])
    book.save(path)
    return path


def one_year(year: int) -> Grid:
    """The same facilities as a workbook of one year."""
    rows = grid()
    place = rows[3].index(f"{year} Total reported direct emissions")
    header = [*rows[3][:11], "Industry Type (subparts)", "Industry Type (sectors)"]
    return [*rows[:3], [*header, "Total reported direct emissions"], *([*r[:13], r[place]] for r in rows[4:])]


def figures(batch: Batch) -> Figures:
    told = batch.records[batch.records["y"].notna()]
    keys = zip(told["facility_id"], told["ds"].dt.year, strict=True)
    return dict(zip(((str(name), int(year)) for name, year in keys), told["y"], strict=True))


def published(rows: Grid) -> Figures:
    """The slow, obvious reading."""
    found: Figures = {}
    for row in rows[4:]:
        for name, value in zip(rows[3], row, strict=False):
            if str(name).endswith("Total reported direct emissions") and isinstance(value, int | float):
                found[f"ghgrp:{row[0]}", int(str(name)[:4])] = value
    return found


def codes(batch: Batch) -> Counter[str]:
    return Counter(batch.complaints["code"])


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    return ghgrp.read(write(tmp_path / "by_year.xlsx", grid()))


def state(batch: Batch, facility: int, year: int) -> str:
    rows = batch.records
    chosen = rows[(rows["facility_id"] == f"ghgrp:{facility}") & (rows["ds"].dt.year == year)]
    return str(chosen["state"].iloc[0])


def test_every_figure_is_read(batch: Batch) -> None:
    assert figures(batch) == published(grid())
    assert len(batch.records) == 5 * 4
    assert batch.counts["rows_read"] == 5
    assert batch.reader == "ghgrp/1"


def test_states_tell_closures_from_gaps_and_withheld_figures(batch: Batch) -> None:
    assert state(batch, 1000002, 2021) == "not-reported"
    assert [state(batch, 1000003, year) for year in (2020, 2021, 2022, 2023)] == [
        *("operating", "closed", "closed", "closed")
    ]
    assert state(batch, 1000004, 2022) == "excluded"
    assert state(batch, 1000004, 2023) == "not-reported"
    # A zero between figures is a figure.
    assert (state(batch, 1000005, 2021), figures(batch)["ghgrp:1000005", 2021]) == ("operating", 0.0)


def test_facilities_hold_the_house_words(batch: Batch) -> None:
    table = batch.facilities.set_index("facility_id")
    assert table["sector"].to_list() == [
        *("petroleum-product-suppliers", "power-plants", "waste", "minerals"),
        "petroleum-and-natural-gas-systems",
    ]
    assert table["region"].to_list() == ["TX", "LA", "OH", "TX", ""]
    assert set(table["country"]) == {"US"}
    assert set(table["scope_id"]) == {"us-ghgrp"}
    assert table.loc["ghgrp:1000001", "activity"] == "324110"
    assert (table.loc["ghgrp:1000003", "lat"], table.loc["ghgrp:1000003", "lon"]) == (41.25, -81.5)
    assert codes(batch)["coordinates-swapped"] == 1


def test_other_sheets_are_named(batch: Batch) -> None:
    told = batch.complaints[batch.complaints["code"] == "sheet-not-read"]
    assert "'Suppliers'" in told["text"].iloc[0]


def test_no_address_is_read(batch: Batch) -> None:
    everything = " ".join(frame.to_csv() for frame in (batch.records, batch.facilities, batch.complaints))
    for private in ("Jane", "SAMPLETON", "EXAMPLE COUNTY", "75454"):
        assert private not in everything


def test_a_workbook_of_one_year(tmp_path: Path) -> None:
    path = write(tmp_path / "ghgp_data_2020.xlsx", one_year(2020), sheet="Direct Emitters")
    expected = {key: y for key, y in published(grid()).items() if key[1] == 2020}
    assert figures(ghgrp.read(path)) == expected
    with pytest.raises(DataError) as refusal:
        ghgrp.read(path.rename(tmp_path / "download.xlsx"))
    assert refusal.value.code == "source-changed-shape"
    assert "year" in refusal.value.remedy
    named = ghgrp.read(tmp_path / "download.xlsx", year=2020)
    assert figures(named) == expected


def test_workbooks_of_one_year_add_up_to_the_by_year_workbook(tmp_path: Path, batch: Batch) -> None:
    years = [write(tmp_path / f"ghgp_data_{year}.xlsx", one_year(year)) for year in (2023, 2022, 2021, 2020)]
    together = ghgrp.read(*years)
    assert figures(together) == figures(batch)
    assert together.facilities["sector"].to_list() == batch.facilities["sector"].to_list()


def test_the_workbook_named_first_is_kept(tmp_path: Path) -> None:
    late = grid()
    late[4][13] += 5.0
    early, late_path = write(tmp_path / "a.xlsx", grid()), write(tmp_path / "b.xlsx", late)
    batch = ghgrp.read(early, late_path)
    assert figures(batch) == published(grid())
    assert codes(batch)["workbooks-differ"] == 1


def test_gwp_sets_never_meet(tmp_path: Path) -> None:
    newer = grid()
    newer[2] = ["All emissions data is presented using GWP's from IPCC's AR5."]
    path = write(tmp_path / "ar5.xlsx", newer)
    batch = ghgrp.read(path)
    assert set(batch.facilities["scope_id"]) == {"us-ghgrp-ar5"}
    assert batch.records["facility_id"].str.startswith("ghgrp:ar5:").all()
    with pytest.raises(DataError) as refusal:
        ghgrp.read(path, write(tmp_path / "ar4.xlsx", grid()))
    assert refusal.value.code == "source-mixes-gwp-sets"


def test_unlike_rows_of_one_facility_are_refused(tmp_path: Path) -> None:
    rows = grid()
    rows.append([*rows[4][:13], 1.0, 2.0, 3.0, 4.0])
    with pytest.raises(DataError) as refusal:
        ghgrp.read(write(tmp_path / "twice.xlsx", rows))
    assert refusal.value.code == "source-repeats"


def test_nothing_to_read() -> None:
    with pytest.raises(AskError):
        ghgrp.read()


# --- the workbook as published ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def eight(shared_data: Path) -> tuple[Batch, list[tuple[Any, ...]]]:
    path = shared_data / EIGHT
    book = openpyxl.load_workbook(path, read_only=True)
    rows = list(book["Direct Point Emitters"].iter_rows(values_only=True))
    book.close()
    return ghgrp.read(path), rows


def test_counts_equal_an_independent_count(eight: tuple[Batch, list[tuple[Any, ...]]]) -> None:
    batch, rows = eight
    total: dict[tuple[str, int], float] = defaultdict(float)
    number = 0
    for row in rows[4:]:
        for name, value in zip(rows[3], row, strict=True):
            if str(name)[:2] == "20" and value is not None:
                total[str(row[4]), int(str(name)[:4])] += value
                number += 1
    assert batch.counts["figures"] == number == 26_642
    assert batch.counts["facilities"] == len(rows) - 4 == 2_757
    long = batch.records.merge(batch.facilities, on="facility_id")
    sums = long.groupby(["region", long["ds"].dt.year])["y"].sum()
    assert {key: round(y) for key, y in sums.items()} == {key: round(y) for key, y in total.items()}


def test_state_totals_equal_the_embedded_ones(eight: tuple[Batch, list[tuple[Any, ...]]]) -> None:
    batch, _ = eight
    long = batch.records.dropna(subset="y").merge(batch.facilities, on="facility_id")
    long = long.assign(area="US-" + long["region"], year=long["ds"].dt.year, contributes=long["y"] > 0)
    sums = long.groupby(["area", "sector", "year"], as_index=False).agg(
        y=("y", "sum"), installations_here=("contributes", "sum")
    )
    table = load().sector_emissions
    embedded = table[table["kind"] == "state"]
    both = embedded.merge(sums, on=["area", "sector", "year"], how="outer", indicator=True)
    # The workbook begins in 2011; the embedded rows of 2010 come from the workbook of that year.
    assert set(both.loc[both["_merge"] != "both", "year"]) == {2010}
    equal = both[both["_merge"] == "both"]
    assert len(equal) == 927
    assert ((equal["tco2e"] - equal["y"]).abs() <= 0.5 + 1e-6).all()
    assert (equal["installations"] == equal["installations_here"]).all()


def test_sectors_are_those_of_the_embedded_state_rows() -> None:
    table = load().sector_emissions
    assert set(table.loc[table["kind"] == "state", "sector"]) == SECTORS


# --- damage ---------------------------------------------------------------------------------------

Mutation = Callable[[Grid, random.Random], Grid]


def _row(rows: Grid, dice: random.Random) -> int:
    return dice.randrange(4, len(rows))


def strange_cell(rows: Grid, dice: random.Random) -> Grid:
    row = rows[_row(rows, dice)]
    strange = [
        "#REF!",
        "=1+1",
        "=SUM(N5:N9)",
        True,
        -5,
        -0.01,
        1e15,
        "Excluded",
        "Not Reported",
        "x" * 5000,
        "\u202e",
    ]
    place = dice.randrange(len(row))
    row[place] = dice.choice(
        [value for value in strange if place >= 13 or not isinstance(value, int | float)]
    )
    return rows


def other_titles(rows: Grid, dice: random.Random) -> Grid:
    return [[f"note {i}"] for i in range(dice.randrange(30))] + rows[dice.randrange(4) :]


def strange_id(rows: Grid, dice: random.Random) -> Grid:
    rows[_row(rows, dice)][0] = dice.choice([None, "", "n/a", 1.5, -3, True, "1000001 ", "1 000 002", "=A5"])
    return rows


GRID: Final[tuple[Mutation, ...]] = (strange_cell, other_titles, strange_id)


def lawful(path: Path, original: Figures) -> None:
    """Read what is there: only published figures, or a named refusal."""
    try:
        batch = ghgrp.read(path)
    except ForecarbonError as refusal:
        if refusal.code not in ("source-changed-shape", "source-unreadable", "source-repeats"):
            raise
        return
    for key, y in figures(batch).items():
        assert math.isclose(y, original[key], abs_tol=0.005), key


@pytest.mark.parametrize("mutate", GRID)
def test_a_mutated_workbook_gives_its_figures_or_a_named_refusal(mutate: Mutation, tmp_path: Path) -> None:
    original = published(grid())
    for seed in range(10):
        rows = mutate(grid(), random.Random(seed))
        lawful(write(tmp_path / "ghgp_data.xlsx", rows), original)


def test_merged_cells_among_the_figures_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "merged.xlsx", grid())
    book = openpyxl.load_workbook(path)
    book["Direct Point Emitters"].merge_cells("N5:O5")
    book.save(path)
    with pytest.raises(DataError) as refusal:
        ghgrp.read(path)
    assert "merged" in refusal.value.found


def test_a_missing_file_is_a_named_refusal(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refusal:
        ghgrp.read(tmp_path / "absent.xlsx")
    assert refusal.value.code == "source-unreadable"


def test_complaints_name_the_row(tmp_path: Path) -> None:
    rows = grid()
    rows[5][13] = "2.000.000,00"
    batch = ghgrp.read(write(tmp_path / "comma.xlsx", rows))
    told = batch.complaints[batch.complaints["code"] == "figure-unreadable"]
    assert told["row"].to_list() == [6]
    assert "2023" in told["text"].iloc[0]
    assert ("ghgrp:1000002", 2023) not in figures(batch)


def test_a_sheet_whose_figures_are_mostly_text_is_refused(tmp_path: Path) -> None:
    rows = grid()
    for row in rows[4:]:
        row[16] = "1.234,5"
    with pytest.raises(DataError) as refusal:
        ghgrp.read(write(tmp_path / "text.xlsx", rows))
    assert refusal.value.code == "source-changed-shape"
