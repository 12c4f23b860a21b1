"""Eurostat's industrial production index by country and month: a driver, no emission."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from features.series.cadence import MONTH
from features.sources.areas import absent_periods, batch, gapless, long_of
from features.sources.countries import iso2_by_iso3
from features.sources.figures import Bool, Float, drop, figures, months
from features.sources.records import DS, FACILITY_ID, NOT_YET_PUBLISHED, Batch, Y, changed_shape
from features.sources.textfile import Complaints, Table, read_table

SOURCE: Final = "eurostat-ipi"
READER: Final = "eurostat-ipi/1"
SCOPE: Final = "eurostat-ipi"
# Eurostat's own country codes where they are not ISO 3166-1, and its aggregates.
OWN_CODES: Final = {"EL": "GR", "UK": "GB"}
AGGREGATES: Final = ("EU27_2020", "EU28", "EA19", "EA20")
BASE_YEARS: Final = (2015, 2021, 2010, 2020)

_MISSING: Final = ":"
# Every index is printed with one decimal: anything else has lost or moved its decimal mark.
_PRINTED: Final = r"[0-9]{1,3}\.[0-9]"
_OF_BASE: Final = 0.5
_MONTHS: Final = 12


def read(path: Path) -> Batch:
    """The wide CSV (month, then a column a country): series "eurostat-ipi:NL", monthly.

    ``y`` is the index, not tonnes; its unit ("index 2015=100") is in ``activity``: the base year is the
    one whose monthly mean is 100 in the file. Months before a country's first figure have no row; those
    after its last are "not-yet-published". Flags and ":" are not figures.

    Raises:
        DataError: ``source-changed-shape``, ``source-unreadable``, ``source-repeats``.
    """
    lawful = sorted({*iso2_by_iso3().values(), *OWN_CODES, *AGGREGATES})
    table = read_table(path, need=("month",), may=lawful)
    codes = [column for column in table.columns if column != "month"]
    if not codes:
        raise changed_shape(
            path.name, found="no column of a country", expected="a column a country, such as NL"
        )
    strangers: Complaints = [
        (1, "column-unknown", f"{name[:40]!r} is no country's code: not read") for name in table.others
    ]
    table = replace(table, cells=table.cells[["month", *codes]])
    ds, no_month = months(table.cells["month"])
    table, kept = drop(table, [(no_month, "month-unreadable", "no month such as 2005-01", "month")])
    ds = ds[kept]
    values, unread = _indices(table, codes)
    rows = long_of({c: pd.Series(f"{SOURCE}:{c}", index=table.cells.index) for c in codes}, ds, values)
    records = gapless(rows, MONTH, tail=NOT_YET_PUBLISHED)
    base, astray = _base(records, path.name)
    whole = Table(table.file, table.cells, table.lines, table.columns, table.rows_read,
                  sorted(table.complaints + unread))  # fmt: skip
    remarks = absent_periods(pd.Series("all", index=table.cells.index), ds, MONTH, even=False)
    return batch(
        whole,
        records,
        _facilities(codes, base),
        source=SOURCE,
        reader=READER,
        remarks=strangers + remarks + astray,
    )


def _indices(table: Table, codes: list[str]) -> tuple[dict[str, Float], Complaints]:
    """The figures of each country (N,), and a complaint for each cell that is none."""
    values: dict[str, Float] = {}
    told: Complaints = []
    for code in codes:
        cells = table.cells[code].where(table.cells[code] != _MISSING, "")
        wrong: Bool = ((cells != "") & ~cells.str.fullmatch(_PRINTED)).to_numpy(dtype=bool)
        values[code] = figures(cells.where(~wrong, ""))[0]
        told += [
            (int(line), "figure-unreadable", f"{code} is no index with one decimal: {cell[:40]!r}")
            for line, cell in zip(table.lines[wrong], cells[wrong], strict=True)
        ]
    return values, told


def _base(records: pd.DataFrame, file: str) -> tuple[int, Complaints]:
    """The year whose mean is 100 in most series, and the series in which it is not."""
    year = records[DS].dt.year
    best, strays = 0, pd.Series(dtype="float64")
    for candidate in BASE_YEARS:
        told = records[year == candidate].groupby(FACILITY_ID)[Y].agg(["mean", "count"])
        mean = told.loc[told["count"] == _MONTHS, "mean"]
        off = mean[(mean - 100).abs() > _OF_BASE]
        if len(mean) and len(off) * 2 < len(mean) and not best:
            best, strays = candidate, off
    if not best and len(records):
        raise changed_shape(
            file,
            found="no year whose twelve months average 100",
            expected="an index with base year " + ", ".join(map(str, BASE_YEARS)),
        )
    return best, [
        (0, "base-differs", f"{name}: mean of {best} is {mean:.2f}") for name, mean in strays.items()
    ]


def _facilities(codes: list[str], base: int) -> pd.DataFrame:
    names = pd.Series(codes, dtype="str")
    iso = names.replace(OWN_CODES)
    return pd.DataFrame({
        FACILITY_ID: f"{SOURCE}:" + names, "name": "Industrial production, " + names,
        "country": iso.where(~names.isin(AGGREGATES), ""), "region": "",
        "activity": f"index {base}=100", "sector": "", "lat": np.nan, "lon": np.nan,
        "scope_id": SCOPE, "cadence": MONTH.name,
    })  # fmt: skip
