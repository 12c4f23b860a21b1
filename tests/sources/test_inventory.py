"""A user's own inventory: every layout and way of writing gives the same figures, or a named complaint."""

from __future__ import annotations

import time
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from features.sources import inventory_files
from features.sources.inventory import read
from features.sources.inventory_figures import Declared
from tests.sources.inventories import T_CO2, asked, codes, faults, figures, refused, workbook, written

LONG = "Site,Year,Emissions (kt CO2)\nA,2015,1.5\nA,2016,2\nB,2015,3\nB,2016,4.25\n"
SAME = {("A", 2015): 1500.0, ("A", 2016): 2000.0, ("B", 2015): 3000.0, ("B", 2016): 4250.0}


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        "\ufeff" + LONG,
        LONG.replace("\n", "\r\n"),
        LONG.replace(",", ";"),
        LONG.replace(",", "\t"),
        "sep=;\n" + LONG.replace(",", ";"),
        "Our inventory,,\n\n" + LONG,
        LONG.replace("Emissions (kt CO2)", "kt CO2"),
        LONG.replace("Emissions (kt CO2)", "emissions_ktCO2"),
        LONG.replace("Emissions (kt CO2)", "CO2 [kt]"),
        LONG.replace("Emissions (kt CO2)", '"Total verified emissions, kt CO2"'),
        LONG.replace("2015", "2015.0").replace("2016", "2016.0"),
        LONG.replace("2015", "2015-12-31").replace("2016", "2016-12-31"),
        "facility_id,2015 (kt CO2),2016 (kt CO2)\nA,1.5,2\nB,3,4.25\n",
        "facility_id,unit,gas,2015,2016\nA,t,CO2,1500,2000\nB,kt,CO2,3,4.25\n",
        "plant,CO2 2015 (t),CO2 2016 (t)\nA,1500,2000\nB,3000,4250\n",
    ],
)
def test_every_layout_says_the_same(tmp_path: Path, text: str) -> None:
    batch = read(written(tmp_path, text))
    assert figures(batch) == SAME
    assert codes(batch) == []
    assert batch.facilities["facility_id"].tolist() == ["upload:inv:A", "upload:inv:B"]
    assert set(batch.facilities["scope_id"]) == {"upload-co2"}
    assert batch.records["ds"].iloc[0] == pd.Timestamp("2015-01-01")


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = LONG.replace("A,", "Säge,")
    path = written(tmp_path, text, encoding=encoding)
    if encoding != "utf-16":
        refusal = refused(path)
        assert refusal.code == "source-unreadable"
        assert "line 2" in refusal.found
        assert "declare the encoding" in refusal.found
    batch = read(path, declared=Declared(encoding=None if encoding == "utf-16" else encoding))
    assert figures(batch)["Säge", 2015] == 1500.0
    assert asked(path, declared=Declared(encoding="klingon")).code == "encoding-unknown"


@pytest.mark.parametrize(
    ("cell", "decimal", "tonnes"),
    [
        ("1.234,5", ",", 1234.5), ("1 234,5", ",", 1234.5), ("1234,5", ",", 1234.5), ("1.234", ",", 1234.0),
        ("1,234.5", ".", 1234.5), ("1'234.5", ".", 1234.5), ("1.234", ".", 1.234), ("1234.5", None, 1234.5),
        ("1.2345e3", None, 1234.5),
    ],
)  # fmt: skip
def test_marks_of_figures(tmp_path: Path, cell: str, decimal: str | None, tonnes: float) -> None:
    path = written(tmp_path, f"site;year;value\nA;2015;{cell}\nA;2016;7\n")
    batch = read(path, declared=Declared(unit="t", gas="CO2", decimal=decimal))
    assert figures(batch)["A", 2015] == tonnes


def test_marks_that_could_mean_two_things(tmp_path: Path) -> None:
    path = written(tmp_path, "site;year;value\nA;2015;1.234\nA;2016;7\n")
    assert asked(path, declared=T_CO2).code == "decimal-mark-unclear"
    path = written(tmp_path, "site;year;value\nA;2015;1,5\nA;2016;7\n")
    refusal = refused(path, declared=T_CO2)
    assert faults(refusal) == [(2, "figure-unreadable")]
    assert "declare the decimal mark" in refusal.message


def test_wide_with_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    path = written(tmp_path, "site;lat;lon;2015;2016\nA;51,9;4,3;1,5;2,5\nB;52,1;4,4;3,5;4,5\n")
    batch = read(path, declared=Declared(unit="kt", gas="CO2", decimal=","))
    assert figures(batch)["A", 2016] == 2500.0
    assert batch.facilities[["lat", "lon"]].to_numpy().tolist() == [[51.9, 4.3], [52.1, 4.4]]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("A,2015,9", "row-repeated"), ("C,2015,-1", "figure-negative"), ("C,2015,n.d.", "figure-unreadable"),
        ("C,2015,=1+2", "figure-unreadable"), ("C,2015,inf", "figure-unreadable"),
        ("C,2015,1e12", "figure-impossible"), (",2015,1", "id-missing"), ("C,soon,1", "ds-unreadable"),
        ("C,42005,1", "ds-unreadable"), ("C,2015", "row-misshapen"), ("C,2015,1,2", "row-misshapen"),
        ("Total,2015,4500", "row-of-totals"), ("Grand total:,2015,4500", "row-of-totals"),
        ('"=HYPERLINK(""http://x"")",2015,1', "text-formula"), ("@SUM(A1),2015,1", "text-formula"),
        ("jane.doe@example.org,2015,1", "personal-data"), ("C\x1b[31m,2015,1", "text-unreadable"),
        ("Source: our books,,", "ds-unreadable"), ("C,2015,", "site-without-figures"),
        ("Site,Year,Emissions (kt CO2)", "header-again"), ("#REF!,2015,1", "id-missing"),
        ("NaN,2015,1", "id-missing"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_and_left_out_only_when_asked(tmp_path: Path, row: str, code: str) -> None:
    path = written(tmp_path, f"{LONG}{row}\n")
    refusal = refused(path)
    assert refusal.code == "inventory-rows-refused"
    assert (6, code) in faults(refusal)
    assert "jane.doe" not in str(refusal.facts)
    batch = read(path, keep_good=True)
    kept = {key: y for key, y in SAME.items() if code != "row-repeated" or key != ("A", 2015)}
    assert figures(batch) == kept
    assert (6, code) in codes(batch)
    assert batch.counts["rows_bad"] == (2 if code == "row-repeated" else 1)


def test_a_row_of_totals_under_any_name(tmp_path: Path) -> None:
    text = "site,2015,2016\nA,1,2\nB,3,5\nC,10,20\nHumber estate,14,27\n"
    assert faults(refused(written(tmp_path, text), declared=T_CO2)) == [(5, "row-of-totals")]
    fine = text.replace("Humber estate,14,27", "Total Antwerp,14,28")
    assert len(figures(read(written(tmp_path, fine), declared=T_CO2))) == 8


def test_a_file_without_its_last_line_break_may_be_cut(tmp_path: Path) -> None:
    assert faults(refused(written(tmp_path, LONG[:-1]))) == [(5, "line-unended")]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("site,FY2015,FY2016", "financial-year-unclear"), ("site,2015/16,2016/17", "financial-year-unclear"),
        ("site,2015,2016*", "column-unclear"), ("site,2015,2015", "column-ambiguous"),
        ("site,year,2015", "column-ambiguous"), ("site,Emissions (MT CO2),year", "unit-unknown"),
        ("site,CO2 (t),Total CO2e (t)", "inventory-columns-missing"),
        ("site,what,why", "inventory-columns-missing"),
    ],
)  # fmt: skip
def test_headers_that_leave_a_doubt(tmp_path: Path, header: str, code: str) -> None:
    path = written(tmp_path, f"{header}\nA,1,2\n")
    refusal = refused(path, declared=T_CO2) if code.startswith("inventory") else asked(path, declared=T_CO2)
    assert refusal.code == code


def test_personal_data_stay_outside_and_columns_not_read_are_told(tmp_path: Path) -> None:
    head, *rows = LONG.splitlines()
    text = "\n".join(
        [f"{head},Contact e-mail,Phone,Remark", *(f"{r},jane@x.org,+44 20 7946 0000,ok" for r in rows)]
    )
    batch = read(written(tmp_path, text + "\n"))
    told = batch.complaints
    assert told["code"].tolist() == ["column-not-read", "personal-data-dropped", "personal-data-dropped"]
    everything = batch.records.to_csv() + batch.facilities.to_csv() + told.to_csv()
    assert "jane" not in everything
    assert "7946" not in everything
    assert figures(batch) == SAME


def test_sites_have_traits(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "id,name,country,sector,cluster,lat,lon,year,value\n1,Works,NLD,Iron Steel,nl-x,51.9,4.3,2015,5\n"
        "2,Mill,Utopia,alchemy,nl-x,99,4,2015,6\n",
    )
    batch = read(path, declared=T_CO2)
    first, second = batch.facilities.to_dict("records")
    assert (first["country"], first["sector"], first["name"]) == ("NL", "iron-steel", "Works")
    assert np.isnan(second["lat"])
    assert [code for _, code in codes(batch)] == [
        "country-unknown",
        "sector-unknown",
        "place-unreadable",
        "cluster-told",
    ]


def test_workbooks_by_their_stored_results(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Inventory"], [], ["Site", 2015, 2016], ["A", 1500, 2000], ["B", 3000.0, 4250]]
    path = workbook(tmp_path, rows, Notes=[["nothing here"]])
    assert figures(read(path, declared=T_CO2)) == SAME
    book = openpyxl.load_workbook(path)
    book["Data"]["B4"] = "=1000+500"
    book["Data"].merge_cells("B5:C5")
    book.save(path)
    assert faults(refused(path, declared=T_CO2)) == [(4, "formula-without-value"), (5, "cells-merged")]
    # With a stored result, as a table program writes it, the formula is its figure.
    packed = tmp_path / "counted.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(packed, "w") as new:
        for member in old.namelist():
            text = old.read(member)
            new.writestr(member, text.replace(b"<f>1000+500</f><v />", b"<f>1000+500</f><v>1500</v>")
                         .replace(b"<f>1000+500</f><v></v>", b"<f>1000+500</f><v>1500</v>"))  # fmt: skip
    assert figures(read(packed, declared=T_CO2, keep_good=True)) == {("A", 2015): 1500.0, ("A", 2016): 2000.0}


def test_the_sheet_is_chosen_where_two_hold_figures(tmp_path: Path) -> None:
    rows = [["Site", 2015], ["A", 1]]
    path = workbook(tmp_path, rows, Old=[["Site", 2015], ["A", 9]])
    assert asked(path, declared=T_CO2).code == "sheet-undeclared"
    assert figures(read(path, declared=Declared(unit="t", gas="CO2", sheet="Old"))) == {("A", 2015): 9.0}
    assert asked(path, declared=Declared(unit="t", gas="CO2", sheet="None")).code == "sheet-unknown"


def test_dates_of_workbooks(tmp_path: Path) -> None:
    good = workbook(
        tmp_path, [["Site", "Date", "Value"], ["A", date(2015, 12, 31), 1], ["A", date(2016, 12, 31), 2]]
    )
    assert figures(read(good, declared=T_CO2)) == {("A", 2015): 1.0, ("A", 2016): 2.0}
    serial = workbook(tmp_path, [["Site", "Date", "Value"], ["A", 42369, 1], ["A", 42735, 2]])
    assert faults(refused(serial, declared=T_CO2)) == [(2, "ds-unreadable"), (3, "ds-unreadable")]


@pytest.mark.parametrize(
    ("year", "value"),
    [
        (pd.array([2015, 2016], dtype="int32"), pd.array([1, 2], dtype="int64")),
        (pd.array([2015.0, 2016.0], dtype="float32"), np.array([1.0, 2.0], dtype="float32")),
        (pd.Categorical(["2015", "2016"]), pd.Series([Decimal("1.000"), Decimal("2.0")], dtype=object)),
        (pd.to_datetime(["2015-12-31", "2016-12-31"]), pd.array(["1", "2"], dtype="string")),
        (pd.Series([date(2015, 1, 1), date(2016, 1, 1)], dtype=object), pd.array([1, 2], dtype="Int64")),
    ],
)
def test_parquet_of_any_type(tmp_path: Path, year: Any, value: Any) -> None:
    frame = pd.DataFrame({"site": ["A", "A"], "year": year, "value": value})
    frame.to_parquet(tmp_path / "inv.parquet")
    assert figures(read(tmp_path / "inv.parquet", declared=T_CO2)) == {("A", 2015): 1.0, ("A", 2016): 2.0}


def test_files_that_would_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (inventory_files.MOST_BYTES + 1))
    assert bomb.stat().st_size < 1 << 20
    assert refused(bomb).code == "source-unreadable"
    text = written(tmp_path, "site,2015\n" + "A," * (1 << 20) + "\n")
    assert "a line of more than" in refused(text).found
    monkeypatch.setattr(inventory_files, "MOST_ROWS", 3)
    assert "rows" in refused(written(tmp_path, LONG)).found


def test_files_that_are_none(tmp_path: Path) -> None:
    for name in ("a.csv", "a.parquet", "a.xlsx"):
        (tmp_path / name).write_bytes(b"PK\x03\x04\x00 not really")
        assert refused(tmp_path / name).code == "source-unreadable"
        assert asked(tmp_path / ("no" + name)).code == "file-not-there"
    assert refused(tmp_path / "a.ods").code == "file-kind-unknown"


def test_two_hundred_thousand_rows_in_seconds(tmp_path: Path) -> None:
    sites = np.repeat([f"s{i}" for i in range(10_000)], 20)
    y = np.random.default_rng(0).uniform(1e3, 1e6, 200_000).round(2)
    frame = pd.DataFrame({"site": sites, "year": np.tile(np.arange(2000, 2020), 10_000), "value": y})
    frame.to_csv(tmp_path / "inv.csv", index=False)
    begin = time.process_time()
    batch = read(tmp_path / "inv.csv", declared=T_CO2)
    assert time.process_time() - begin < 15
    assert batch.records["y"].sum() == pytest.approx(y.sum(), rel=1e-12)
