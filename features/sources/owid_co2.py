"""Our World in Data's CO2 table: fossil CO2 by country, fuel and year, in million tonnes, picked by name."""

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
from features.sources.textfile import Table, read_table

SOURCE: Final = "owid-co2"
READER: Final = "owid-co2/1"
SCOPE: Final = "owid-fossil-co2"
TOTAL: Final = "co2"
MEASURES: Final = {
    TOTAL: "total", "coal_co2": "coal", "oil_co2": "oil", "gas_co2": "gas", "cement_co2": "cement",
    "flaring_co2": "flaring", "other_industry_co2": "other",
}  # fmt: skip
KOSOVO: Final = {"OWID_KOS": "XK"}
NEED: Final = ("country", "year", "iso_code", TOTAL)

_PER_HEAD: Final = "_per_capita"
_MEGATONNES: Final = 6
# A figure and its per-capita twin may differ by their rounding to 0.001 and by a later head count.
_HEAD_ROUNDING, _HEAD_SHARE = 0.001, 0.05

# Letters, a few marks, "(27)": dates, formulas and quotes are cells of other columns, or damage.
_NAME: Final = r"(?!.*[0-9]{3})[^\W\d_](?:[^\W_]|[ ().,'&/-])*"


def read(path: Path) -> Batch:
    """owid-co2-data.csv of any year: country series "owid-co2:NLD/total" and by fuel, in tCO2.

    Columns are picked by name; those a year's file lacks are simply not there. Groups of countries keep
    OWID's own code, or their name, and ``country`` "". Where the file has population and a per-capita
    twin, a figure that contradicts it is left out with its row: one of the two is wrong.

    Raises:
        DataError: ``source-changed-shape``, ``source-unreadable``, ``source-repeats``.
    """
    others = [name for name in MEASURES if name != TOTAL]
    table = read_table(path, need=NEED, may=[*others, *(m + _PER_HEAD for m in MEASURES), "population"])
    cells = table.cells
    ds, no_year = years(cells["year"])
    measures = [name for name in MEASURES if name in table.columns]
    read_ = {name: figures(cells[name], power=_MEGATONNES) for name in measures}
    values = {name: pair[0] for name, pair in read_.items()}
    code = _codes(cells)
    faults = [
        (no_year, "year-unreadable", "no year", "year"),
        ((code == "").to_numpy(), "area-unreadable", "no country that can be read", "country"),
        (disagreeing(code, cells["country"]), "area-unreadable", "code and name disagree", "country"),
        *((pair[1], "figure-unreadable", f"{c} is no plain number", c) for c, pair in read_.items()),
        *((unlawful_tonnes(v), "figure-unlawful", f"{c} is impossible", c) for c, v in values.items()),
        *((_contradicted(table, c, v), "figure-contradicted", f"{c} is not {_PER_HEAD[1:]} times heads", c)
          for c, v in values.items()),
    ]  # fmt: skip
    table, kept = drop(table, faults)
    code, ds = code[kept].reset_index(drop=True), ds[kept]
    ids = {name: f"{SOURCE}:" + code + f"/{MEASURES[name]}" for name in measures}
    rows = long_of(ids, ds, {name: figure[kept] for name, figure in values.items()})
    return batch(
        table, gapless(rows, YEAR), _facilities(table.cells, code, measures),
        source=SOURCE, reader=READER, remarks=absent_periods(code, ds, YEAR, even=False),
    )  # fmt: skip


def _codes(cells: pd.DataFrame) -> pd.Series:
    """The ISO or OWID code, else the name in small letters and dashes; "" where neither can be read."""
    slug = cells["country"].str.lower().str.replace(r"[^a-z0-9]+", "-", regex=True).str.strip("-")
    slug = slug.where(cells["country"].str.fullmatch(_NAME), "")
    coded = cells["iso_code"].str.fullmatch("[A-Z]{3}|OWID_[A-Z]{3}")
    return cells["iso_code"].where(coded, slug.where(cells["iso_code"] == "", ""))


def _contradicted(table: Table, measure: str, tonnes: Float) -> Bool:
    """Where tonnes are not per-capita tonnes times population, as far as the file tells both."""
    if measure + _PER_HEAD not in table.columns or "population" not in table.columns:
        return np.zeros(len(tonnes), dtype=bool)
    heads = figures(table.cells["population"])[0]
    per_head = figures(table.cells[measure + _PER_HEAD])[0]
    gap = np.abs(tonnes - per_head * heads)
    return np.asarray(gap > _HEAD_ROUNDING * heads + _HEAD_SHARE * tonnes, dtype=bool)


def _facilities(cells: pd.DataFrame, code: pd.Series, measures: list[str]) -> pd.DataFrame:
    areas = named_areas(code, cells["country"])
    iso2 = {**iso2_by_iso3(), **KOSOVO}
    frames = [
        pd.DataFrame({
            FACILITY_ID: f"{SOURCE}:" + areas["code"] + f"/{MEASURES[name]}",
            "name": areas["name"] + f", fossil CO2, {MEASURES[name]}",
            "country": areas["code"].map(iso2).fillna(""), "region": "", "activity": name,
            "sector": "", "lat": np.nan, "lon": np.nan,
            "scope_id": SCOPE, "cadence": YEAR.name,
        })
        for name in measures
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)
