"""The sites of a user's inventory: name, country, sector and place, as far as the file tells them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd

from features.reference.tables import load
from features.sources.countries import iso2_by_iso3
from features.sources.figures import figures
from features.sources.inventory_between import shown
from features.sources.inventory_columns import ID, LINE, TRAITS
from features.sources.inventory_layout import Fault
from features.sources.inventory_marks import plain
from features.sources.records import FACILITY_ID

_BOUNDS: Final = {"lat": 90.0, "lon": 180.0}


def sites(
    rows: pd.DataFrame, *, scope: str, cadence: str, prefix: str, decimal: str | None = None
) -> tuple[pd.DataFrame, list[Fault]]:
    """One row a site of ``rows`` (N,), and remarks (line, code, text) on traits that cannot be used.

    Of a trait that varies the first is taken. Countries are ISO 3166-1 codes of two or three letters; a
    place needs both coordinates within their bounds; an unknown sector is kept as written.
    """
    first = rows.drop_duplicates(ID).reset_index(drop=True)
    remarks = _varying(rows)
    table = pd.DataFrame({FACILITY_ID: f"{prefix}:" + first[ID]})
    table["name"] = first["name"].where(first["name"] != "", first[ID])
    table["country"], unknown = _countries(first["country"])
    remarks += _remarks(first, unknown, "country", "country-unknown")
    table["sector"] = [re.sub(r"[\s_-]+", "-", word.lower()) for word in first["sector"]]
    strange = ~table["sector"].isin({"", *_sectors()})
    remarks += _remarks(first, strange, "sector", "sector-unknown")
    for trait in ("region", "activity"):
        table[trait] = first[trait]
    lat, lon, nowhere = _places(first, decimal)
    table["lat"], table["lon"] = lat, lon
    remarks += _remarks(first, nowhere, "lat", "place-unreadable")
    remarks += _clusters(first, prefix)
    return table.assign(scope_id=scope, cadence=cadence), remarks


@lru_cache(maxsize=1)
def _sectors() -> frozenset[str]:
    """The house's words for sectors."""
    return frozenset(load().sector_emissions["sector"])


def _countries(cells: pd.Series) -> tuple[pd.Series, pd.Series]:
    known = iso2_by_iso3()
    upper = cells.str.upper()
    two = upper.where(upper.isin(list(known.values())), upper.map(known).fillna(""))
    return two, (two == "") & (cells != "")


def _places(first: pd.DataFrame, decimal: str | None) -> tuple[pd.Series, pd.Series, pd.Series]:
    # A coordinate has no thousands marks: 51.924 is told apart without being declared.
    own = "," if decimal == "," else "."
    read = {
        axis: figures(plain(first[axis], own if first[axis].str.contains(",").any() else "."))[0]
        for axis in _BOUNDS
    }
    inside = np.all([np.abs(read[axis]) <= bound for axis, bound in _BOUNDS.items()], axis=0)
    told = (first["lat"] != "") | (first["lon"] != "")
    lat, lon = (pd.Series(np.where(inside, read[axis], np.nan), first.index) for axis in _BOUNDS)
    return lat, lon, told & ~inside


def _clusters(first: pd.DataFrame, prefix: str) -> list[Fault]:
    """Sites by the cluster they say they are in: a boundary file makes them its members."""
    named = first[first["cluster"] != ""]
    how = "put their ids under include in a boundary file"
    return [
        (0, "cluster-told", f"{len(own)} sites ({prefix}:{own[ID].iloc[0]}, …) say {shown(str(name))}: {how}")
        for name, own in named.groupby("cluster")
    ]


def _remarks(first: pd.DataFrame, wrong: pd.Series, trait: str, code: str) -> list[Fault]:
    bad = first[wrong.to_numpy(dtype=bool)]
    return [
        (int(line), code, f"{shown(name)}: {trait} {shown(cell)!r}")
        for line, name, cell in zip(bad[LINE], bad[ID], bad[trait], strict=True)
    ]


def _varying(rows: pd.DataFrame) -> list[Fault]:
    told = []
    for trait in TRAITS:
        count = rows.groupby(ID)[trait].nunique()
        told += [(0, "trait-varies", f"{shown(str(name))}: {trait}") for name in count.index[count > 1]]
    return told
