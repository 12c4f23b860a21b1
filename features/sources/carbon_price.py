"""Carbon prices by year: a driver, from a small file of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from features.series.cadence import YEAR
from features.sources.areas import absent_periods, batch, gapless
from features.sources.figures import Bool, drop, figures, years
from features.sources.records import DS, FACILITY_ID, Batch, Y
from features.sources.textfile import read_table

SOURCE: Final = "carbon-price"
READER: Final = "carbon-price/1"
SCOPE: Final = "carbon-price"
NEED: Final = ("year", "price", "currency", "source")
MAY: Final = ("scheme",)

# A tonne has never cost a tenth of this: a price above it has lost its decimal mark or is of another unit.
_MOST: Final = 2000.0


def read(path: Path) -> Batch:
    """A CSV with year, price (a plain number per tonne of CO2), currency (ISO 4217), source; scheme if told.

    Series are "carbon-price:eu-ets/EUR", or "carbon-price:EUR" where the file names no scheme. ``y`` is
    the price, not tonnes; its unit ("EUR/tCO2") is in ``activity``.

    Raises:
        DataError: ``source-changed-shape``, ``source-unreadable``, ``source-repeats``.
    """
    table = read_table(path, need=NEED, may=MAY)
    cells = table.cells
    ds, no_year = years(cells["year"])
    price, unread = figures(cells["price"])
    faults = [
        (no_year, "year-unreadable", "no year", "year"),
        (~cells["currency"].str.fullmatch("[A-Z]{3}").to_numpy(dtype=bool), "currency-unreadable",
         "no ISO 4217 code", "currency"),
        ((cells["source"] == "").to_numpy(), "source-missing", "a price without its source", "source"),
        (_no_scheme(cells["scheme"]), "scheme-unreadable",
         "a letter, then small letters, digits and dashes (40); none only if no row has one", "scheme"),
        (unread, "figure-unreadable", "no plain number", "price"),
        ((price < 0) | (price > _MOST), "figure-unlawful", f"not between 0 and {_MOST:g} a tonne", "price"),
    ]  # fmt: skip
    table, kept = drop(table, faults)
    told = table.cells
    market = (told["scheme"] + "/" + told["currency"]).str.removeprefix("/")
    rows = pd.DataFrame({FACILITY_ID: f"{SOURCE}:" + market, DS: ds[kept], Y: price[kept]})
    facilities = pd.DataFrame({
        FACILITY_ID: rows[FACILITY_ID], "name": "Carbon price, " + market, "country": "", "region": "",
        "activity": told["currency"] + "/tCO2", "sector": "", "lat": np.nan, "lon": np.nan,
        "scope_id": SCOPE, "cadence": YEAR.name,
    }).drop_duplicates(FACILITY_ID)  # fmt: skip
    gaps = absent_periods(market, ds[kept], YEAR, even=False)
    return batch(table, gapless(rows, YEAR), facilities, source=SOURCE, reader=READER, remarks=gaps)


def _no_scheme(cells: pd.Series) -> Bool:
    """Where a scheme cannot be read; an empty one among others has been lost."""
    if (cells == "").all():
        return np.zeros(len(cells), dtype=bool)
    word = cells.str.fullmatch("[a-z][a-z0-9-]{1,39}") & ~cells.isin(["nan", "nat", "none", "null"])
    return ~word.to_numpy(dtype=bool)
