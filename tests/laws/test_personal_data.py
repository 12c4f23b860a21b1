"""No person passes the door: what is planted into columns of people, addresses and contacts stays out.

Each row of READERS is one reader and a file into which "Planted Person", an address, a telephone number
and an e-mail address were written wherever the publisher has, or might come to have, such a column.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import openpyxl
import pandas as pd
import pytest

from features.sources import eutl, uk_ets
from features.sources.records import COMPLAINT, FACILITY, RECORD, Batch

FIXTURES: Final = Path(__file__).resolve().parents[1] / "fixtures" / "sources"
OPERATORS: Final = FIXTURES / "eutl" / "operators_daily.csv"
PLANTED: Final = re.compile(r"planted|@|555 ?0100", re.IGNORECASE)
OF_PEOPLE: Final = re.compile(r"holder|contact|e-?mail|phone|address|postal|street|person", re.IGNORECASE)


def workbook(table: str, sheet: str, folder: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.title = sheet
    with (FIXTURES / table).open(encoding="utf-8", newline="") as stream:
        for row in csv.reader(stream):
            book.active.append([int(cell) if re.fullmatch(r"-?\d+", cell) else cell or None for cell in row])
    book.save(folder / "book.xlsx")
    return folder / "book.xlsx"


def eutl_daily(folder: Path) -> Batch:
    return eutl.read(FIXTURES / "eutl")


def eutl_workbook(folder: Path) -> Batch:
    return eutl.read(workbook("eutl_verified_emissions.csv", "data", folder))


def uk_report(folder: Path) -> Batch:
    return uk_ets.read(workbook("uk_ets_report.csv", "Data", folder), operators=OPERATORS)


def uk_continuation(folder: Path) -> Batch:
    return uk_ets.read(FIXTURES / "uk_ets_permit_matched.csv", operators=OPERATORS)


READERS: Final = (eutl_daily, eutl_workbook, uk_report, uk_continuation)


def test_the_fixtures_do_carry_people() -> None:
    for name in ("eutl_verified_emissions.csv", "uk_ets_report.csv", "uk_ets_permit_matched.csv"):
        assert PLANTED.search((FIXTURES / name).read_text()), name
    for path in (FIXTURES / "eutl").iterdir():
        assert PLANTED.search(path.read_text()), path.name


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_no_reader_lets_a_person_in(reader: Callable[[Path], Batch], tmp_path: Path) -> None:
    batch = reader(tmp_path)
    assert len(batch.records)
    frames: dict[tuple[str, ...], pd.DataFrame] = {
        RECORD: batch.records, FACILITY: batch.facilities, COMPLAINT: batch.complaints,
    }  # fmt: skip
    for columns, frame in frames.items():
        assert tuple(frame.columns) == columns
        assert [name for name in columns if OF_PEOPLE.search(name)] == []
        for name in columns:
            cells = frame[name].astype(str)
            assert cells[cells.str.contains(PLANTED)].tolist() == [], name
