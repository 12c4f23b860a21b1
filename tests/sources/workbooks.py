"""Workbooks in the publishers' layouts, made of the handmade tables."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any, Final

import openpyxl

TITLES: Final = (
    "Summary data collected by the Greenhouse Gas Reporting Program",
    "This data was reported to EPA by facilities as of 8/16/2024",
    "All emissions data is presented in units of CO2 equivalent using GWP's from IPCC's AR4.",
)
_SITE: Final = {
    "Facility Id": 0, "FRS Id": "110000000001", "Facility Name": "HANDMADE REFINERY", "City": "SAMPLETON",
    "State": "TX", "Zip Code": "75454", "Address": "1 Jane Person Road", "County": "EXAMPLE COUNTY",
    "Latitude": 29.75, "Longitude": -95.5, "Primary NAICS Code": 324110,
    "Latest Reported Industry Type (subparts)": "C,MM-REF,Y",
    "Latest Reported Industry Type (sectors)": "Refineries",
}  # fmt: skip
_FIGURE: Final = "Total reported direct emissions"
SITES: Final = 14


def as_workbook(table: Path, path: Path, *, sheet: str, above: list[list[str]]) -> bytes:
    """Write the CSV ``table`` as one sheet below the lines ``above``, whole numbers as numbers."""
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "Read Me"
    page = book.create_sheet(sheet)
    for line in above:
        page.append(line)
    with table.open(encoding="utf-8", newline="") as stream:
        for row in csv.reader(stream):
            page.append([int(cell) if re.fullmatch(r"-?\d+", cell) else cell or None for cell in row])
    book.save(path)
    return path.read_bytes()


def ghgrp_by_year(_: Path) -> bytes:
    """The EPA's workbook of several years: whole tonnes, no row at fault."""
    names = [f"{year} {_FIGURE}" for year in (2023, 2022, 2021, 2020)]
    return _ghgrp([*_SITE, *names], [[50_000 + 1000 * i + k for i in range(4)] for k in range(SITES)])


def ghgrp_one_year(_: Path) -> bytes:
    """The EPA's workbook of one year."""
    names = [name.removeprefix("Latest Reported ") for name in _SITE]
    return _ghgrp([*names, _FIGURE], [[50_000 + k] for k in range(SITES)])


PIPELINES: Final = "Transmission Pipelines"
EMITTED_BY_PIPELINES: Final = "Total reported direct emissions from Transmission Pipelines"
PIPELINE: Final = {
    "Facility Id": 0, "FRS Id": "110000000002", "Facility Name": "HANDMADE PIPELINE",
    "State where Emissions Occur": "TX", "Reported City": "SAMPLETON", "Reported State": "TX",
    "Reported Zip Code": "75454", "Reported Address": "1 Jane Person Road", "Reported County": "EXAMPLE",
    "Reported Latitude": 29.75, "Reported Longitude": -95.5, "Primary NAICS Code": 486210,
    "Latest Reported Industry Type (subparts)": "W-TRANS",
}  # fmt: skip


def ghgrp_pipelines(_: Path) -> bytes:
    """The EPA's sheet of pipelines: every pipeline in two states, whole tonnes, no row at fault."""
    years = (2023, 2022, 2021, 2020)
    rows = []
    for number in range(SITES):
        site = list(PIPELINE.values())
        site[0], site[3] = 1_000_001 + number // 2, ("TX", "OH")[number % 2]
        rows.append([*site, *(50_000 + 1000 * i + number for i in range(len(years)))])
    return sheet_of(PIPELINES, [*PIPELINE, *(f"{year} {EMITTED_BY_PIPELINES}" for year in years)], rows)


def _ghgrp(header: list[str], figures: list[list[int]]) -> bytes:
    rows = [[1_000_001 + number, *list(_SITE.values())[1:], *row] for number, row in enumerate(figures)]
    return sheet_of("Direct Point Emitters", header, rows)


def sheet_of(name: str, header: list[str], rows: list[list[Any]]) -> bytes:
    """A workbook of one sheet in the EPA's layout: three lines of titles, the header, the rows."""
    book = openpyxl.Workbook()
    page: Any = book.active
    page.title = name
    for title in TITLES:
        page.append([title])
    page.append(header)
    for row in rows:
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
