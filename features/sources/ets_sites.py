"""The stationary sites of the EU registry: who they are, what they do, where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from features.sources.eutl_activities import NO_SITE, SECTOR
from features.sources.points import Box, point
from features.sources.records import FACILITY, FACILITY_ID, changed_shape
from features.sources.textfile import Complaints, Table, read_table, refuse_if_many

SCOPE: Final = "eu-ets"
OPERATORS: Final = (*("REGISTRY_CODE", "INSTALLATION_IDENTIFIER", "INSTALLATION_NAME", "ACTIVITY_TYPE_CODE"),)
COORDINATES: Final = ("REGISTRY_CODE", "INSTALLATION_IDENTIFIER", "LATITUDE", "LONGITUDE")
# South, west, north, east: Europe, and the French departments and territories overseas.
TERRITORY: Final[tuple[Box, ...]] = (
    *((27.0, -32.0, 72.0, 35.0), (2.0, -55.0, 6.0, -51.0), (14.0, -64.0, 19.0, -60.0)),
    *((-22.0, 44.0, -12.0, 56.0), (46.0, -57.0, 48.0, -56.0)),
)


@dataclass(frozen=True)
class Sites:
    """Operators of the registry.

    Attributes:
        facilities: the columns of a Batch's facilities, and ``key`` ("AT_47").
        dropped: why each operator that is no stationary site was left out, by its key.
        left_out: how many, by reason.
        complaints: row in the file, code, text.
        permits: permit of each facility by its id; empty where the file names none.
    """

    facilities: pd.DataFrame
    dropped: dict[str, str]
    left_out: dict[str, int]
    complaints: Complaints
    permits: dict[str, str]

    @classmethod
    def of(cls, table: Table) -> Sites:
        """The sites of a table with the columns ``OPERATORS``, and ``PERMIT_IDENTIFIER`` or not.

        Raises:
            DataError: ``source-changed-shape`` (a column absent, too many rows not read).
        """
        absent = [column for column in OPERATORS if column not in table.cells.columns]
        if absent:
            raise changed_shape(
                table.file, found="columns " + ", ".join(table.columns[:12]),
                expected="columns " + ", ".join(OPERATORS), offenders=absent,
            )  # fmt: skip
        table = _lawful(table)
        keys = site_keys(table.cells)
        code = _code(table.cells)
        site = ~code.isin(NO_SITE).to_numpy()
        dropped = dict(zip(keys[~site], code[~site].map(NO_SITE), strict=True))
        told = [
            (int(line), why, "no stationary site: left out")
            for line, why in zip(table.lines[~site], dropped.values(), strict=True)
        ]
        left_out = {
            f"sites_{why}": list(dropped.values()).count(why) for why in sorted(set(dropped.values()))
        }
        facilities = _facilities(table.cells[site], keys[site], code[site])
        told += [
            (int(line), "name-damaged", "a name with bytes that are no UTF-8: kept, damage marked")
            for line, name in zip(table.lines[site], facilities["name"], strict=True)
            if "\ufffd" in name
        ]
        permits = table.cells.get("PERMIT_IDENTIFIER", pd.Series("", index=table.cells.index))[site]
        return cls(
            facilities, dropped, left_out, [*table.complaints, *told],
            dict(zip(facilities[FACILITY_ID], permits, strict=True)),
        )  # fmt: skip


def read_operators(path: Path) -> Sites:
    """The sites of an operators_daily extract; account holders, addresses and contacts stay unread.

    Raises:
        DataError: ``source-unreadable``, ``source-changed-shape``.
    """
    return Sites.of(read_table(path, need=OPERATORS, may=("PERMIT_IDENTIFIER",)))


def site_keys(cells: pd.DataFrame) -> pd.Series:
    """Keys such as "AT_47" of each row (N,); "" where registry or installation cannot be read."""
    registry, number = cells["REGISTRY_CODE"].str.upper(), cells["INSTALLATION_IDENTIFIER"]
    lawful = registry.str.fullmatch("[A-Z]{2}") & number.str.fullmatch(r"[0-9]{1,15}")
    return (registry + "_" + number.str.lstrip("0")).where(lawful & (number.str.strip("0") != ""), "")


def read_coordinates(path: Path, facilities: pd.DataFrame) -> tuple[pd.DataFrame, Complaints]:
    """The facilities with their latitude and longitude; a point nowhere near is left out and told.

    Raises:
        DataError: ``source-unreadable``, ``source-changed-shape``.
    """
    table = read_table(path, need=COORDINATES)
    keys = site_keys(table.cells)
    mine = keys.isin(facilities["key"]).to_numpy()
    table = table.without(~mine, "site-unknown", "no such site", shows="INSTALLATION_IDENTIFIER")
    keys = site_keys(table.cells)
    table = table.without(keys.duplicated().to_numpy(), "row-repeated", "a second point", shows="LATITUDE")
    keys = site_keys(table.cells)
    complaints = list(table.complaints)
    found: dict[str, tuple[float, float]] = {}
    rows = zip(keys, table.lines, table.cells["LATITUDE"], table.cells["LONGITUDE"], strict=True)
    for key, line, latitude, longitude in rows:
        lat, lon, wrong = point(latitude, longitude, boxes=TERRITORY)
        found[key] = lat, lon
        if wrong:
            complaints.append((int(line), wrong, f"{latitude[:20]}, {longitude[:20]}"))
    refuse_if_many(path.name, [row for row in complaints if row[1] != "site-unknown"], table.rows_read)
    places = np.array([found.get(key, (np.nan, np.nan)) for key in facilities["key"]], dtype=float).reshape(
        -1, 2
    )
    return facilities.assign(lat=places[:, 0], lon=places[:, 1]), complaints


def _lawful(table: Table) -> Table:
    """Rows with a key and a known activity, one a site."""
    rows = table.rows_read
    text = "no registry of two letters and installation of digits"
    table = table.without(
        (site_keys(table.cells) == "").to_numpy(), "key-unreadable", text, shows="INSTALLATION_IDENTIFIER"
    )
    unknown = ~_code(table.cells).isin([*SECTOR, *NO_SITE]).to_numpy()
    table = table.without(unknown, "activity-unknown", "no such activity code", shows="ACTIVITY_TYPE_CODE")
    keyed = table.cells.assign(KEY=site_keys(table.cells), CODE=_code(table.cells))
    same = keyed.duplicated(["KEY", "CODE"]).to_numpy()
    table = table.without(same, "row-repeated", "given before", shows="INSTALLATION_IDENTIFIER")
    clash = site_keys(table.cells).duplicated(keep=False).to_numpy()
    table = table.without(
        clash, "sites-disagree", "two activities for one site", shows="INSTALLATION_IDENTIFIER"
    )
    refuse_if_many(table.file, table.complaints, rows)
    return table


def _code(cells: pd.DataFrame) -> pd.Series:
    return cells["ACTIVITY_TYPE_CODE"].str.lstrip("0")


def _facilities(cells: pd.DataFrame, keys: pd.Series, code: pd.Series) -> pd.DataFrame:
    name = cells["INSTALLATION_NAME"].str.replace(r"[\x00-\x1f\x7f\s]+", " ", regex=True).str.strip()
    frame = pd.DataFrame(
        {
            FACILITY_ID: "eutl:" + keys,
            "name": name,
            "country": cells["REGISTRY_CODE"].str.upper(),
            "region": "",
            "activity": code,
            "sector": code.map(SECTOR),
            "lat": np.nan,
            "lon": np.nan,
            "scope_id": SCOPE,
            "cadence": "year",
            "key": keys,
        }
    )
    return frame[[*FACILITY, "key"]].reset_index(drop=True)
