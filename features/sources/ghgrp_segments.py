"""US EPA Greenhouse Gas Reporting Program: direct emissions that belong to no single site.

Five sheets of the by-year workbooks and of the workbooks of one year: oil and gas basins, gathering and
boosting, transmission pipelines, local distribution and SF6 of electrical equipment. ``ghgrp`` reads the
sheet of point emitters; none of it is here again, though a few facilities have a row in both. Suppliers,
CO2 injection and sequestration tell of no direct emissions: they are named in the complaints.

The ids are "ghgrp-segments:<word>/<facility id>", for pipelines with the state behind it:
"ghgrp-segments:transmission/1012512/TX". A basin, a network or a utility's equipment is a facility of its
own and has one row; a pipeline has a row for each state it crosses. The name of a basin is not part of
the id: it is left blank in some rows and may be worded anew. A facility that has two rows all the
same is refused (``source-repeats``).

The reported address is the company's: it is not read, and there are no coordinates. The region is the
state where the emissions occur. Sheets that do not tell it (basins, gathering, SF6) have the reported
state, which may be that of the company's office: do not add these up by state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from features.errors import AskError
from features.sources.ghgrp_batch import Reading, batch_of, reading_of
from features.sources.ghgrp_cells import identity, state_of
from features.sources.ghgrp_rows import ID, NAICS, NAME, Complaints, Described, shifted, us_facility
from features.sources.ghgrp_sheets import SEGMENTS, Segment, not_read
from features.sources.ghgrp_workbook import Sheet, plain, read_sheets
from features.sources.ghgrp_years import is_dated, places, year_columns
from features.sources.records import Batch

SOURCE: Final = "ghgrp-segments"
READER: Final = "ghgrp-segments/1"
SCOPE: Final = "us-ghgrp"

_STATE: Final = "state"
_KEPT: Final = frozenset(
    {ID, NAME, NAICS}.union(*((*segment.state, *segment.figures) for segment in SEGMENTS))
)


def read(*paths: Path, year: int | None = None) -> Batch:
    """Yearly direct emissions (tCO2e) of every facility in the five sheets of these workbooks.

    Years, states of records and the order of workbooks are those of ``ghgrp.read``. Each sheet is a
    scope of its own ("us-ghgrp-onshore", …). A sheet that a workbook lacks is a complaint (gathering and
    pipelines begin in 2016), and so is a row of a pipeline without a state, which is left out: it might
    be the sum of the others.

    Raises:
        AskError: no path.
        DataError: ``source-unreadable``, ``source-changed-shape`` (also where none of the five sheets
            is there), ``source-repeats`` or ``source-mixes-gwp-sets``.
    """
    if not paths:
        raise AskError(
            "file-missing", found="no workbook", expected="one or more xlsx files", remedy="name a file"
        )
    remarks: Complaints = []
    readings = [reading for path in paths for reading in _readings(path, year, remarks)]
    return batch_of(readings, remarks, source=SOURCE, reader=READER)


def _readings(path: Path, year: int | None, remarks: Complaints) -> list[Reading]:
    sheets = read_sheets(path, names=[(segment.sheet,) for segment in SEGMENTS], key=ID, keep=_kept)
    remarks += not_read(path.name, sheets[0].others)
    found = {plain(sheet.name): sheet for sheet in sheets}
    readings = []
    for segment in SEGMENTS:
        if plain(segment.sheet) in found:
            readings.append(_reading(found[plain(segment.sheet)], segment, year))
        else:
            remarks.append((0, "sheet-absent", f"{path.name}: no sheet {segment.sheet!r}"))
    return readings


def _reading(sheet: Sheet, segment: Segment, year: int | None) -> Reading:
    years = year_columns(sheet, segment.figures, year)
    at = places(sheet, {ID: (ID,), NAME: (NAME,), NAICS: (NAICS,), _STATE: segment.state})
    return reading_of(sheet, years, partial(_described, segment, at))


def _kept(name: str) -> bool:
    return plain(name) in _KEPT or is_dated(name)


def _described(segment: Segment, at: Mapping[str, int], cells: Sequence[Any]) -> Described:
    native = identity(cells[at[ID]])
    if native is None or shifted([cells[at[_STATE]]], cells[at[NAICS]]):
        return "no facility's row"
    region, unknown = state_of(cells[at[_STATE]])
    if segment.by_state and not region:
        return f"{segment.word}/{native} without a state of the US"
    facility = us_facility(
        f"{SOURCE}:{segment.word}/{native}" + (f"/{region}" if segment.by_state else ""),
        name=cells[at[NAME]],
        naics=cells[at[NAICS]],
        region=region,
        sector=segment.sector,
        lat=math.nan,
        lon=math.nan,
        scope_id=f"{SCOPE}-{segment.word}",
    )
    return facility, [unknown] if unknown else []
