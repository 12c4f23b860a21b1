"""CO2 of the US power sector by state and month, as published in kilograms."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from features.series.cadence import MONTH
from features.sources.areas import absent_periods, batch, gapless
from features.sources.figures import Bool, Float, drop, figures, months, unlawful_tonnes, years
from features.sources.records import DS, FACILITY_ID, Batch, Y
from features.sources.textfile import read_table

SOURCE: Final = "us-power"
READER: Final = "us-power/1"
SCOPE: Final = "us-power-co2"
SECTOR: Final = "power-plants"
# The units are part of the names: a file in other units has other columns, and is refused.
CO2, ENERGY, INTENSITY = "final co2 (kg)", "generation (mwh)", "index (g/kwh)"
COLUMNS: Final = ("year", "month", "state", CO2, ENERGY, INTENSITY, "datetime")
STATES: Final = frozenset({
    "AK", "AL", "AR", "AZ", "CA", "CO", "CT", "DC", "DE", "FL", "GA", "HI", "IA", "ID", "IL",
    "IN", "KS", "KY", "LA", "MA", "MD", "ME", "MI", "MN", "MO", "MS", "MT", "NC", "ND", "NE",
    "NH", "NJ", "NM", "NV", "NY", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT",
    "VA", "VT", "WA", "WI", "WV", "WY",
})  # fmt: skip

_KILOGRAMS: Final = -3
_RELATIVE: Final = 1e-9


def read(path: Path) -> Batch:
    """Monthly series "us-power:TX" in tCO2 (kilograms ÷ 1000), one a state.

    Every row says its CO2 twice, as a figure and as generation times intensity, and its month twice;
    rows that contradict themselves are left out. CO2 only: no other gas is in the source.

    Raises:
        DataError: ``source-changed-shape``, ``source-unreadable``, ``source-repeats``.
    """
    table = read_table(path, need=COLUMNS)
    cells = table.cells
    year, no_year = years(cells["year"])
    ds, no_month = months(cells["year"] + "-" + cells["month"].str.zfill(2))
    tonnes, unread = figures(cells[CO2], power=_KILOGRAMS)
    twice = cells["datetime"].to_numpy() != pd.Series(ds).dt.strftime("%Y-%m-%d").to_numpy()
    faults = [
        (no_year | no_month | np.isnat(year), "month-unreadable", "no month of a year", "month"),
        (twice, "month-contradicted", "year and month are not those of datetime", "datetime"),
        (~cells["state"].isin(STATES).to_numpy(), "area-unreadable", "no state of the US", "state"),
        (unread, "figure-unreadable", "no plain number", CO2),
        (unlawful_tonnes(tonnes), "figure-unlawful", "no possible figure", CO2),
        (_contradicted(cells, tonnes), "figure-contradicted", "not generation times intensity", CO2),
    ]
    table, kept = drop(table, faults)
    state, ds = table.cells["state"], ds[kept]
    rows = pd.DataFrame({FACILITY_ID: f"{SOURCE}:" + state, DS: ds, Y: tonnes[kept]})
    return batch(
        table, gapless(rows, MONTH), _facilities(state),
        source=SOURCE, reader=READER, remarks=absent_periods(state, ds, MONTH, even=True),
    )  # fmt: skip


def _contradicted(cells: pd.DataFrame, tonnes: Float) -> Bool:
    """Where CO2 is not generation times intensity; of nothing at all there is nothing to say."""
    product = figures(cells[ENERGY])[0] * figures(cells[INTENSITY], power=_KILOGRAMS)[0]
    agrees = np.abs(tonnes - product) <= _RELATIVE * np.abs(product)
    idle = (np.nan_to_num(tonnes) == 0) & (np.nan_to_num(product) == 0)
    return np.asarray(~(agrees | idle), dtype=bool)


def _facilities(state: pd.Series) -> pd.DataFrame:
    names = pd.Series(sorted(state.unique()), dtype="str")
    return pd.DataFrame({
        FACILITY_ID: f"{SOURCE}:" + names, "name": "Power sector, " + names, "country": "US", "region": names,
        "activity": "power sector CO2", "sector": SECTOR, "lat": np.nan, "lon": np.nan,
        "scope_id": SCOPE, "cadence": MONTH.name,
    })  # fmt: skip
