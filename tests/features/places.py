"""Small inventories made by hand, for the tests of membership, sums, states and quality."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from features.series.coordinates import country_boxes
from features.series.facilities import Inventory, inventory
from features.series.membership import Boundary, Membership, assign
from features.sources.records import FACILITY

Row = tuple[str, int, float | None, str]
SEEN = pd.Timestamp("2024-06-01")
TODAY = pd.Timestamp("2026-11-23")
# Rotterdam, and a place well outside every cluster.
INSIDE, OUTSIDE = (51.95, 4.1), (52.6, 6.2)


def facility(
    name: str, *, at: tuple[float, float] = INSIDE, country: str = "NL", sector: str = "refining",
    scope: str = "eu-ets", source: str = "eutl", region: str = "", cadence: str = "year",
) -> dict[str, object]:  # fmt: skip
    values = (name, name, country, region, "21", sector, at[0], at[1], scope, cadence)
    return {**dict(zip(FACILITY, values, strict=True)), "source": source}


def records(rows: list[Row], *, source: str = "eutl", known_at: pd.Timestamp = SEEN) -> pd.DataFrame:
    """facility, year, y, state as the lake tells them."""
    frame = pd.DataFrame(rows, columns=["facility_id", "year", "y", "state"])
    frame["ds"] = pd.to_datetime(frame["year"].astype(str) + "-01-01").astype("datetime64[ns]")
    return frame.assign(y=frame["y"].astype(float), source=source, known_at=known_at.as_unit("ns"))


def run(name: str, first: int, values: Sequence[float | None]) -> list[Row]:
    """One operating year after another; None is a year not reported."""
    return [
        (name, first + k, y, "operating" if y is not None else "not-reported") for k, y in enumerate(values)
    ]


def held(rows: pd.DataFrame, facilities: list[dict[str, object]]) -> Inventory:
    return inventory(rows, pd.DataFrame(facilities), country_boxes())


def in_clusters(inv: Inventory, boundaries: tuple[Boundary, ...]) -> Membership:
    return assign(inv.facilities, boundaries)
