"""The embedded figures as rows with the moment each became known, by the publication rules."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.reference.tables import Reference
from features.series.words import DS, FLAG, KNOWN_AT, SOURCE, UNIQUE_ID, Y

BY_RULE: Final = "by-rule"


def rows(reference: Reference) -> pd.DataFrame:
    """unique_id, ds, known_at, y (tCO2e), source, flag of every embedded sector figure.

    ``known_at`` follows from the publication rules, not from a record of the day: flag says so.
    """
    figures = reference.sector_emissions
    return pd.DataFrame(
        {
            UNIQUE_ID: figures["area"] + "/" + figures["sector"],
            DS: pd.to_datetime(figures["year"].astype(str) + "-01-01"),
            KNOWN_AT: _published(figures, reference.publication),
            Y: figures["tco2e"].to_numpy(dtype=float),
            SOURCE: figures["source"].to_numpy(),
            FLAG: BY_RULE,
        }
    )


def _published(figures: pd.DataFrame, rules: pd.DataFrame) -> npt.NDArray[np.datetime64]:
    """The day on which each figure is published; of several rules the one that began last applies."""
    known = np.full(len(figures), np.datetime64("NaT", "ns"), dtype="datetime64[ns]")
    year = figures["year"].to_numpy(dtype=np.int64)
    for rule in rules.sort_values("from_year").to_dict("records"):
        mine = (figures["source"] == rule["source_id"]).to_numpy() & (year >= int(str(rule["from_year"])))
        months = (year[mine] + int(str(rule["years_after"])) - 1970) * 12 + int(str(rule["month"])) - 1
        days = np.timedelta64(int(str(rule["day"])) - 1, "D")
        known[mine] = months.astype("datetime64[M]").astype("datetime64[D]") + days
    return known
