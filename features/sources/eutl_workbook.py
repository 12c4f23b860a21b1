"""The registry's yearly workbooks: one row a site, one column a year, as a table like the daily extract's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from features.sources.records import changed_shape
from features.sources.textfile import Table
from features.sources.workbook import read_sheet

# Free allowances: to existing installations, from the reserve for new ones, to power plants.
FREE: Final = ("ALLOCATION", "ALLOCATION_RES", "ALLOCATION_TRA")
_KEPT: Final = re.compile(
    r"REGISTRY_CODE|INSTALLATION_NAME|INSTALLATION_IDENTIFIER|(?:MAIN_)?ACTIVITY_TYPE_CODE"
    r"|VERIFIED_EMISSIONS_?\d{4}|ALLOCAT(?:ION|ED)(?:_RESERVE|_TRANSITIONAL)?_?\d{4}",
    re.IGNORECASE,
)


def wide_table(path: Path) -> Table:
    """The workbook's columns of sites, figures and allowances, under one spelling.

    IDENTIFIER_IN_REG, which holds the names of accounts and so of persons, stays unread.

    Raises:
        DataError: ``source-unreadable``, ``source-changed-shape``.
    """
    raw = read_sheet(path, sheet="data", key="REGISTRY_CODE", keep=lambda name: bool(_KEPT.fullmatch(name)))
    names = [_spelled(name) for name in raw.columns]
    cells = raw.cells.set_axis(pd.Index(names), axis=1)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not any(name.startswith("VERIFIED_EMISSIONS_") for name in names):
        raise changed_shape(
            raw.file, found="columns " + ", ".join(names[:12]),
            expected="columns VERIFIED_EMISSIONS_YYYY, each once", offenders=twice,
        )  # fmt: skip
    return Table(raw.file, cells, raw.lines, tuple(names), raw.rows_read)


def _spelled(name: str) -> str:
    """One spelling of what the workbooks of different years call a column."""
    upper = re.sub(r"_?(\d{4})$", r"_\1", name.upper()).removeprefix("MAIN_")
    for theirs, ours in (("ALLOCATED", "ALLOCATION"), ("_RESERVE", "_RES"), ("_TRANSITIONAL", "_TRA")):
        upper = upper.replace(theirs, ours)
    return upper


def long_table(table: Table) -> Table:
    """One row a site and year, with the columns of the daily extract."""
    years = sorted(name[-4:] for name in table.columns if name.startswith("VERIFIED_EMISSIONS_"))
    parts = []
    for year in years:
        part = table.cells[["REGISTRY_CODE", "INSTALLATION_IDENTIFIER"]].copy()
        part["PERIOD_YEAR"] = year
        part["EXCLUDED"] = ""
        for column in ("VERIFIED_EMISSIONS", *FREE):
            name = f"{column}_{year}"
            part[column] = table.cells[name] if name in table.columns else ""
        parts.append(part)
    cells = pd.concat(parts, ignore_index=True)
    return Table(table.file, cells, np.tile(table.lines, len(years)), tuple(cells.columns), len(cells))
