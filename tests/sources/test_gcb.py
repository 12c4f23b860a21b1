from __future__ import annotations

import csv
import gzip
import io
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from features.errors import DataError
from features.sources import gcb
from features.sources.records import Batch

PUBLISHED = "gcb/GCB2025v15_MtCO2_flat.csv.gz"


@pytest.fixture
def small(fixtures: Path) -> Path:
    return fixtures / "gcb.csv"


def truth_of(batch: Batch) -> dict[tuple[str, int], float]:
    told = batch.records[batch.records["y"].notna()]
    return dict(zip(zip(told["facility_id"], told["ds"].dt.year, strict=True), told["y"], strict=True))


def counted(path: Path) -> dict[tuple[str, int], float]:
    """The file read cell by cell, with nothing of ours: tonnes by series and year."""
    payload = path.read_bytes()
    text = (gzip.decompress(payload) if path.suffix == ".gz" else payload).decode()
    found = {}
    for row in csv.DictReader(io.StringIO(text)):
        area = row["ISO 3166-1 alpha-3"] or f"M49-{row['UN M49']}"
        for fuel in ("Total", "Coal", "Oil", "Gas", "Cement", "Flaring", "Other"):
            if row[fuel]:
                key = (f"gcb:{area}/{fuel.lower()}", int(row["Year"]))
                found[key] = round(float(row[fuel]) * 1e6, 6)
    return found


def test_a_small_file(small: Path) -> None:
    batch = gcb.read(small)
    assert truth_of(batch) == counted(small)
    facts = batch.facilities.set_index("facility_id")
    words = facts[["country", "activity", "scope_id", "cadence"]]
    assert list(words.loc["gcb:NLD/total"]) == ["NL", "Total", "gcb-fossil-co2", "year"]
    assert facts.loc["gcb:CIV/coal", "name"] == "Côte d'Ivoire, fossil CO2, coal"
    countries = facts["country"]
    assert (countries["gcb:KSV/gas"], countries["gcb:WLD/total"], countries["gcb:XIS/oil"]) == ("XK", "", "")
    assert countries["gcb:M49-416/total"] == ""
    assert batch.counts["rows_read"] == 80
    assert batch.complaints.empty


def test_no_row_before_the_first_figure_and_none_lost_after(small: Path) -> None:
    records = gcb.read(small).records
    years = records["ds"].dt.year.groupby(records["facility_id"]).agg(list)
    fires = records[records["facility_id"] == "gcb:M49-416/total"]
    assert years["gcb:M49-416/total"] == list(range(2016, 2025))
    assert fires["state"].tolist() == ["operating", *["not-reported"] * 8]
    assert (min(years["gcb:CIV/total"]), min(years["gcb:CIV/cement"])) == (2016, 2015)


def test_decimals_shift_without_rounding(tmp_path: Path, small: Path) -> None:
    row = "Norway,NOR,578,2015,163.032749,36.093609,49.437253,75.022819,0.4158,0.885193,1.178075,1\n"
    path = tmp_path / "a.csv"
    path.write_text(small.read_text().splitlines()[0] + "\n" + row)
    assert truth_of(gcb.read(path))["gcb:NOR/total", 2015] == 163032749.0


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (",2017,1255,406,", ",2017,1255,4.06,", "parts-do-not-sum"),
        (",2017,1255,", ",2017,,", "parts-do-not-sum"),
        (",2017,1255,", ",2017,1 255,", "figure-unreadable"),
        (",2017,1255,", ",2017,-1255,", "figure-unlawful"),
        ("CIV,384,2017", "DEU,384,2017", "area-unreadable"),
        ("CIV,384,2017", "?,384,2017", "area-unreadable"),
        ("CIV,384,2017", "CIV,384,17", "year-unreadable"),
    ],
)
def test_a_row_at_fault_is_named_and_left_out(
    small: Path, tmp_path: Path, old: str, new: str, code: str
) -> None:
    text = small.read_text()
    path = tmp_path / "a.csv"
    path.write_text(text.replace(old, new, 1))
    batch = gcb.read(path)
    assert batch.complaints[["row", "code"]].to_numpy().tolist() == [[4, code], [0, "periods-absent"]]
    expected = {key: y for key, y in counted(small).items() if key[1] != 2017 or "CIV" not in key[0]}
    assert truth_of(batch) == expected


def test_two_figures_for_one_year_are_refused(small: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    other = "Germany,DEU,276,2017,1000,1000,,,,,,1\n"
    path.write_text(small.read_text() + other)
    with pytest.raises(DataError, match="source-repeats"):
        gcb.read(path)


def test_another_unit_in_the_whole_file_is_refused(small: Path, tmp_path: Path) -> None:
    head, *rows = [line.split(",") for line in small.read_text().splitlines()]
    tonnes = [[*row[:4], *(f"{c}000000" if c else c for c in row[4:11]), row[11]] for row in rows]
    path = tmp_path / "a.csv"
    path.write_text("".join(",".join(row) + "\n" for row in [head, *tonnes]))
    with pytest.raises(DataError, match="source-changed-shape"):
        gcb.read(path)


def test_every_published_figure_to_the_tonne(shared_data: Path) -> None:
    path = shared_data / PUBLISHED
    batch = gcb.read(path)
    expected = counted(path)
    found = truth_of(batch)
    assert found.keys() == expected.keys()
    keys = sorted(expected)
    np.testing.assert_allclose([found[k] for k in keys], [expected[k] for k in keys], rtol=0, atol=1e-3)
    by_year: dict[int, float] = defaultdict(float)
    for (name, year), y in expected.items():
        by_year[year] += y if name == "gcb:NLD/total" else 0.0
    assert (by_year[2023], by_year[2024]) == (117_016_387.0, 114_784_731.0)
    assert batch.counts["rows_read"] == 61_050
    assert batch.complaints.empty
