from __future__ import annotations

import csv
from pathlib import Path

import pytest

from features.errors import DataError
from features.sources import owid_co2
from features.sources.records import Batch

FUELS = {"co2": "total", "coal_co2": "coal", "oil_co2": "oil", "gas_co2": "gas", "cement_co2": "cement",
         "flaring_co2": "flaring", "other_industry_co2": "other"}  # fmt: skip


@pytest.fixture
def small(fixtures: Path) -> Path:
    return fixtures / "owid_co2.csv"


def truth_of(batch: Batch) -> dict[tuple[str, int], float]:
    told = batch.records[batch.records["y"].notna()]
    return dict(zip(zip(told["facility_id"], told["ds"].dt.year, strict=True), told["y"], strict=True))


def counted(path: Path) -> dict[tuple[str, int], float]:
    found = {}
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            area = row["iso_code"] or row["country"].lower().replace(" ", "-")
            for column, fuel in FUELS.items():
                if row.get(column):
                    found[f"owid-co2:{area}/{fuel}", int(row["year"])] = round(float(row[column]) * 1e6, 6)
    return found


def test_a_small_file(small: Path) -> None:
    batch = owid_co2.read(small)
    assert truth_of(batch) == counted(small)
    assert batch.complaints.empty
    countries = batch.facilities.set_index("facility_id")["country"]
    assert countries["owid-co2:DEU/total"] == "DE"
    assert countries["owid-co2:OWID_KOS/coal"] == "XK"
    assert countries["owid-co2:high-income-countries/gas"] == ""
    assert countries["owid-co2:OWID_WRL/total"] == ""
    assert not countries.index.str.endswith("/other").any()
    assert batch.records["ds"][batch.records["facility_id"] == "owid-co2:OWID_KOS/total"].min().year == 2014


def test_a_year_s_file_with_few_columns(small: Path, tmp_path: Path) -> None:
    with small.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    path = tmp_path / "a.csv"
    few = ["iso_code", "co2", "country", "year"]
    path.write_text("\n".join([",".join(few), *(",".join(r[c] for c in few) for r in rows), ""]))
    expected = {key: y for key, y in counted(small).items() if key[0].endswith("/total")}
    assert truth_of(owid_co2.read(path)) == expected


def test_a_figure_that_its_per_capita_twin_contradicts(small: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(small.read_text().replace(",1131,", ",1.131,", 1))
    batch = owid_co2.read(path)
    assert batch.complaints[["row", "code"]].to_numpy().tolist() == [[12, "figure-contradicted"]]
    assert ("owid-co2:DEU/total", 2012) not in truth_of(batch)


@pytest.mark.parametrize("column", owid_co2.NEED)
def test_a_needed_column_gone(small: Path, tmp_path: Path, column: str) -> None:
    path = tmp_path / "a.csv"
    head, _, rest = small.read_text().partition("\n")
    path.write_text(",".join("x" if c == column else c for c in head.split(",")) + "\n" + rest)
    with pytest.raises(DataError, match="source-changed-shape") as refusal:
        owid_co2.read(path)
    assert refusal.value.offenders == (column,)
