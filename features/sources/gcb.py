"""Global Carbon Budget: fossil CO2 by country, fuel and year, as published in million tonnes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from features.series.cadence import YEAR
from features.sources.areas import absent_periods, batch, disagreeing, gapless, long_of, named_areas
from features.sources.countries import iso2_by_iso3
from features.sources.figures import Bool, Float, drop, figures, unlawful_tonnes, years
from features.sources.records import FACILITY_ID, Batch
from features.sources.textfile import Complaints, read_table

SOURCE: Final = "gcb"
READER: Final = "gcb/1"
SCOPE: Final = "gcb-fossil-co2"
TOTAL: Final = "Total"
FUELS: Final = ("Coal", "Oil", "Gas", "Cement", "Flaring", "Other")
COLUMNS: Final = ("Country", "ISO 3166-1 alpha-3", "UN M49", "Year", TOTAL, *FUELS)
WORLD: Final = "WLD"
NO_COUNTRY: Final = (WORLD, "XIA", "XIS")
KOSOVO: Final = {"KSV": "XK"}  # neither code is of ISO 3166-1; the house writes XK

_ISO3, _M49 = "ISO 3166-1 alpha-3", "UN M49"
_MEGATONNES: Final = 6
# Tonnes by which a total may miss the sum of its fuels: the file is printed to the tonne. The world's
# total holds bunkers of early years that no fuel column has (at most 0.6%).
_ROUNDING, _RELATIVE, _OF_WORLD = 100.0, 1e-6, 0.01


def read(path: Path) -> Batch:
    """The flat CSV (plain or gzipped): one series a country and fuel, and one for its total, in tCO2.

    Series are "gcb:NLD/total", "gcb:NLD/coal" …; areas without an ISO code go by "M49-416". ``country``
    is "" for the world, bunkers and areas that are no more. ``activity`` is the column's name. Rows whose
    total is not the sum of their fuels are left out: one of their figures is wrong.

    Raises:
        DataError: ``source-changed-shape``, ``source-unreadable``, ``source-repeats``.
    """
    table = read_table(path, need=COLUMNS)
    cells = table.cells
    ds, no_year = years(cells["Year"])
    read_ = {column: figures(cells[column], power=_MEGATONNES) for column in (TOTAL, *FUELS)}
    values = {column: pair[0] for column, pair in read_.items()}
    code = _codes(cells)
    faults = [
        (no_year, "year-unreadable", "no year", "Year"),
        ((code == "").to_numpy(), "area-unreadable", "neither ISO 3166-1 alpha-3 nor UN M49", "Country"),
        (disagreeing(code, cells["Country"]), "area-unreadable", "code and name disagree", "Country"),
        *((pair[1], "figure-unreadable", f"{c} is no plain number", c) for c, pair in read_.items()),
        *(
            (unlawful_tonnes(v), "figure-unlawful", f"{c} is no possible figure", c)
            for c, v in values.items()
        ),
        (_unequal(values, code == WORLD), "parts-do-not-sum", "the fuels do not add up to the total", TOTAL),
    ]
    table, kept = drop(table, faults)
    code, ds = code[kept].reset_index(drop=True), ds[kept]
    ids = {column: f"{SOURCE}:" + code + f"/{column.lower()}" for column in values}
    rows = long_of(ids, ds, {column: figure[kept] for column, figure in values.items()})
    remarks = absent_periods(code, ds, YEAR, even=True)
    facilities, strangers = _facilities(table.cells, code)
    return batch(
        table, gapless(rows, YEAR), facilities, source=SOURCE, reader=READER, remarks=remarks + strangers
    )


def _codes(cells: pd.DataFrame) -> pd.Series:
    """ISO alpha-3, else "M49-" and the UN's number, else ""."""
    iso = cells[_ISO3].where(cells[_ISO3].str.fullmatch("[A-Z]{3}"), "")
    number = ("M49-" + cells[_M49]).where(cells[_M49].str.fullmatch("[0-9]{1,4}"), "")
    return iso.where((iso != "") | (cells[_ISO3] != ""), number)


def _unequal(values: dict[str, Float], world: pd.Series) -> Bool:
    """Where a total is not the sum of its fuels, or is absent though a fuel was burnt."""
    total = np.nan_to_num(values[TOTAL])
    parts = np.sum([np.nan_to_num(values[fuel]) for fuel in FUELS], axis=0)
    share = np.where(world.to_numpy(), _OF_WORLD, _RELATIVE)
    return np.asarray(np.abs(total - parts) > _ROUNDING + share * total, dtype=bool)


def _facilities(cells: pd.DataFrame, code: pd.Series) -> tuple[pd.DataFrame, Complaints]:
    areas = named_areas(code, cells["Country"])
    country = areas["code"].map({**iso2_by_iso3(), **KOSOVO}).fillna("")
    iso = ~areas["code"].isin(NO_COUNTRY) & (areas["code"].str.len() == len(WORLD))
    strangers: Complaints = [
        (0, "country-unknown", f"{name}: {c} is no ISO 3166-1 code")
        for c, name in areas.loc[iso & (country == ""), ["code", "name"]].itertuples(index=False)
    ]
    frames = [
        pd.DataFrame({
            FACILITY_ID: f"{SOURCE}:" + areas["code"] + f"/{column.lower()}",
            "name": areas["name"] + f", fossil CO2, {column.lower()}",
            "country": country, "region": "", "activity": column,
            "sector": "", "lat": np.nan, "lon": np.nan, "scope_id": SCOPE,
            "cadence": YEAR.name,
        })
        for column in (TOTAL, *FUELS)
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True), strangers
