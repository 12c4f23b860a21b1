"""US EPA Greenhouse Gas Reporting Program: the by-year workbook and the workbooks of one year.

Only the sheet of direct point emitters is read: its figures belong to a site with coordinates. The other
sheets are named in the complaints; ``ghgrp_segments`` reads those of basins, pipelines, networks and
electrical equipment. A facility's sector is the first of its comma-separated industry types, as in the
embedded state totals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from features.errors import AskError
from features.sources.ghgrp_batch import Reading, batch_of, reading_of
from features.sources.ghgrp_cells import house_sector, identity, state_of
from features.sources.ghgrp_rows import ID, NAICS, NAME, Complaints, Described, shifted, us_facility
from features.sources.ghgrp_sheets import POINTS, not_read
from features.sources.ghgrp_workbook import plain, read_sheets
from features.sources.ghgrp_years import is_dated, places, year_columns
from features.sources.points import UNITED_STATES, point
from features.sources.records import Batch

SOURCE: Final = "ghgrp"
READER: Final = "ghgrp/1"
SCOPE: Final = "us-ghgrp"

_STATE, _LAT, _LON, _SECTOR = "state", "latitude", "longitude", "sector"
_PLAIN: Final = (ID, NAME, _STATE, _LAT, _LON, NAICS)
_SECTORS: Final = ("latest reported industry type (sectors)", "industry type (sectors)")
_FIGURES: Final = ("total reported direct emissions",)


def read(*paths: Path, year: int | None = None) -> Batch:
    """Yearly direct emissions (tCO2e) of every facility in these workbooks.

    By-year workbooks hold a column a year; workbooks of one year hold one figure, whose year is told by
    ``year``, by the title or by the file's name. Where two workbooks tell of the same facility or
    year, the one named first is kept. A blank is "not-reported"; a last report of zero with only blanks
    after it is "closed", and so are those blanks; other zeros are figures. Figures that cannot be read
    are "not-reported", withheld ones "excluded", each with a complaint.

    Raises:
        AskError: no path.
        DataError: ``source-unreadable``, ``source-changed-shape``, ``source-repeats`` or
            ``source-mixes-gwp-sets``.
    """
    if not paths:
        raise AskError(
            "file-missing", found="no workbook", expected="one or more xlsx files", remedy="name a file"
        )
    remarks: Complaints = []
    readings = [_reading(path, year, remarks) for path in paths]
    return batch_of(readings, remarks, source=SOURCE, reader=READER)


def _reading(path: Path, year: int | None, remarks: Complaints) -> Reading:
    (sheet,) = read_sheets(path, names=[POINTS], key=ID, keep=_kept)
    years = year_columns(sheet, _FIGURES, year)
    at = places(sheet, {**{name: (name,) for name in _PLAIN}, _SECTOR: _SECTORS})
    remarks += not_read(sheet.file, sheet.others)
    return reading_of(sheet, years, lambda cells: _described(cells, at))


def _kept(name: str) -> bool:
    return plain(name) in (*_PLAIN, *_SECTORS, *_FIGURES) or is_dated(name)


def _described(cells: Sequence[Any], at: Mapping[str, int]) -> Described:
    name = identity(cells[at[ID]])
    if name is None or shifted([cells[at[_STATE]], cells[at[_SECTOR]]], cells[at[NAICS]]):
        return "no facility's row"
    lat, lon, wrong = point(cells[at[_LAT]], cells[at[_LON]], boxes=UNITED_STATES)
    region, unknown = state_of(cells[at[_STATE]])
    sector, new = house_sector(cells[at[_SECTOR]])
    facility = us_facility(
        f"{SOURCE}:{name}",
        name=cells[at[NAME]],
        naics=cells[at[NAICS]],
        region=region,
        sector=sector,
        lat=lat,
        lon=lon,
        scope_id=SCOPE,
    )
    return facility, [code for code in (wrong, unknown, new) if code]
