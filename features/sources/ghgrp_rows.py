"""The rows of an EPA sheet as facilities and their yearly figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from features.sources.ghgrp_cells import figure
from features.sources.ghgrp_workbook import Sheet
from features.sources.records import CLOSED, FACILITY_ID

# Later than any year of the programme.
_NEVER: Final = 9999

ID, NAME, NAICS = "facility id", "facility name", "primary naics code"

Complaints = list[tuple[int, str, str]]
# A facility's FACILITY columns and the codes of what is amiss with them, or why a row is no facility's.
Described = tuple[dict[str, Any], list[str]] | str


def facility_rows(
    sheet: Sheet,
    years: dict[int, int],
    complaints: Complaints,
    describe: Callable[[Sequence[Any]], Described],
) -> tuple[list[dict[str, Any]], list[tuple[str, int, float, str]]]:
    """Facilities (FACILITY columns) and records (facility_id, year, tCO2e, state) of a sheet.

    ``years`` tells the place of each year's column, ``describe`` what a row says of its facility; what is
    left out or repaired is added to ``complaints``.
    """
    facilities: list[dict[str, Any]] = []
    records: list[tuple[str, int, float, str]] = []
    seen: set[tuple[Any, ...]] = set()
    for line, cells in sheet.rows:
        if cells in seen:
            complaints.append((line, "row-repeated", f"{sheet.where}: the same row again; left out"))
            continue
        seen.add(cells)
        told = describe(cells)
        if isinstance(told, str):
            complaints.append((line, "row-not-a-facility", f"{sheet.where}: {told}; left out"))
            continue
        facility, wrong = told
        native = facility[FACILITY_ID].partition(":")[2]
        complaints += [(line, code, f"{native}: {code}") for code in wrong]
        facilities.append(facility)
        records += _figures(facility[FACILITY_ID], cells, years, line, complaints)
    return facilities, records


def shifted(texts: Sequence[Any], naics: Any) -> bool:
    """Whether a number stands where text belongs, or text for a NAICS code: cells moved sideways."""
    for cell in texts:
        if cell is not None and (not isinstance(cell, str) or re.search(r"^\W*\d", cell)):
            return True
    return naics is not None and re.fullmatch(r"\d{2,6}(\.0)?", str(naics).strip(), re.ASCII) is None


def us_facility(facility_id: str, *, name: Any, naics: Any, **rest: Any) -> dict[str, Any]:
    """A US facility of yearly figures; ``rest``: region, sector, lat, lon, scope_id."""
    return {
        FACILITY_ID: facility_id,
        "name": "" if name is None else str(name).strip(),
        "country": "US",
        "activity": "" if naics is None else str(naics).strip(),
        "cadence": "year",
        **rest,
    }


def _figures(
    facility_id: str,
    cells: Sequence[Any],
    years: dict[int, int],
    line: int,
    complaints: Complaints,
) -> Iterator[tuple[str, int, float, str]]:
    read_cells = {year: figure(cells[years[year]]) for year in sorted(years)}
    wrong: dict[str, list[int]] = {}
    for year, (_, _, code) in read_cells.items():
        if code:
            wrong.setdefault(code, []).append(year)
    for code, when in wrong.items():
        native = facility_id.partition(":")[2]
        complaints.append((line, code, f"{native}: {', '.join(map(str, when))}"))
    shut = _closed_from({year: cells[years[year]] for year in years})
    for year, (y, state, _) in read_cells.items():
        yield facility_id, year, y, CLOSED if year >= shut else state


def _closed_from(row: dict[int, Any]) -> int:
    """The first year of the zeros a facility reported last, if blanks alone follow them."""
    years = sorted(row)
    told = [year for year in years if row[year] is not None]
    if not told or told[-1] == years[-1]:
        return _NEVER
    shut = _NEVER
    for year in reversed([year for year in years if year <= told[-1]]):
        if isinstance(row[year], bool) or row[year] != 0:
            break
        shut = year
    return shut
