"""Coordinates of facilities: kept, repaired where only one repair is possible, or refused; all counted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa

import features.reference as reference_folder
from features.reference.schemas import Table
from features.reference.tables import read_table
from features.sources.records import FACILITY_ID

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

KEPT, UNCHECKED, ABSENT = "kept", "unchecked-country", "absent"
SWAPPED, SIGN_LOST, SWAPPED_SIGN = "repaired-swapped", "repaired-sign", "repaired-swapped-and-sign"
REFUSED_ZERO, REFUSED_OUTSIDE, REFUSED_UNSURE = "refused-zero", "refused-outside", "refused-ambiguous"
VERDICTS: Final = (
    KEPT, UNCHECKED, ABSENT, SWAPPED, SIGN_LOST, SWAPPED_SIGN, REFUSED_ZERO, REFUSED_OUTSIDE, REFUSED_UNSURE,
)  # fmt: skip
# What may have happened to (lat, lon), mildest first: each is undone and looked up in the country's boxes.
_REPAIRS: Final = (
    (SWAPPED, True, (1, 1)),
    (SIGN_LOST, False, (1, -1)),
    (SIGN_LOST, False, (-1, 1)),
    (SIGN_LOST, False, (-1, -1)),
    (SWAPPED_SIGN, True, (1, -1)),
    (SWAPPED_SIGN, True, (-1, 1)),
    (SWAPPED_SIGN, True, (-1, -1)),
)


def _degrees(limit: float) -> pa.Column:
    return pa.Column("float64", pa.Check.in_range(-limit, limit))


BOXES: Final = Table("country_boxes", ("box_id",), {
    "box_id": pa.Column(str), "country": pa.Column(str, pa.Check.str_matches(r"^[A-Z]{2}$")),
    "part": pa.Column(str), "west": _degrees(180), "south": _degrees(90), "east": _degrees(180),
    "north": _degrees(90), "source": pa.Column(str),
    "evidence": pa.Column(str, pa.Check.isin(["read", "derived", "recalled"])),
})  # fmt: skip


@dataclass(frozen=True)
class Mended:
    """Facilities whose coordinates can be relied on, and what was done to get there.

    Attributes:
        facilities: as given, ``lat`` and ``lon`` repaired, or NaN where refused.
        changes: facility_id, verdict, lat_found, lon_found, lat, lon of every facility whose point was
            repaired or refused.
        counts: how many facilities got each verdict of ``VERDICTS``.
    """

    facilities: pd.DataFrame
    changes: pd.DataFrame
    counts: dict[str, int]


def country_boxes(folder: Path | None = None) -> pd.DataFrame:
    """Boxes, in degrees, that hold a country and its sea and overseas parts; one row a part.

    Raises:
        DataError: the table is missing or a row breaks a rule.
    """
    return read_table(folder or Path(str(reference_folder.__file__)).parent, BOXES)


def mend(facilities: pd.DataFrame, boxes: pd.DataFrame) -> Mended:
    """Hold every point against its country's boxes.

    A point inside is kept. A point outside is repaired when undoing a swap, or else a lost sign, or else
    both, brings it inside in exactly one way; with (0, 0), no way, or two equally mild ways it is refused
    (NaN). A wrong point that happens to lie inside cannot be seen here.

    Args:
        facilities: facility_id, country, lat, lon (degrees or NaN) and any other columns.
        boxes: see ``country_boxes``. A country it does not list is checked for its range alone.
    """
    lat = facilities["lat"].to_numpy(dtype=float, copy=True)
    lon = facilities["lon"].to_numpy(dtype=float, copy=True)
    country = facilities["country"].to_numpy(dtype=object)
    verdict = np.full(len(lat), REFUSED_OUTSIDE, dtype=object)
    listed = facilities["country"].isin(boxes["country"]).to_numpy()
    ranged = (np.abs(lat) <= 90) & (np.abs(lon) <= 180)
    verdict[~listed & ranged] = UNCHECKED
    verdict[_inside(lat, lon, country, boxes)] = KEPT
    verdict[(lat == 0) & (lon == 0)] = REFUSED_ZERO
    verdict[np.isnan(lat) | np.isnan(lon)] = ABSENT
    _repair(lat, lon, country, boxes, verdict)
    bad = np.isin(verdict, [REFUSED_ZERO, REFUSED_OUTSIDE, REFUSED_UNSURE, ABSENT])
    lat[bad], lon[bad] = np.nan, np.nan
    return _told(facilities, lat, lon, verdict)


def _repair(
    lat: Float,
    lon: Float,
    country: npt.NDArray[np.object_],
    boxes: pd.DataFrame,
    verdict: npt.NDArray[np.object_],
) -> None:
    wrong = np.flatnonzero(verdict == REFUSED_OUTSIDE)
    own = boxes[boxes["country"].isin(list(set(country[wrong])))]
    tried = [
        (
            name,
            (lon[wrong] if swap else lat[wrong]) * signs[0],
            (lat[wrong] if swap else lon[wrong]) * signs[1],
        )
        for name, swap, signs in _REPAIRS
    ]
    hits = np.array([_inside(la, lo, country[wrong], own) for _, la, lo in tried]).reshape(len(tried), -1)
    ways = np.array([name for name, _, _ in tried])
    for name in dict.fromkeys(ways):
        mine = hits & (ways == name)[:, None]
        open_ = verdict[wrong] == REFUSED_OUTSIDE
        count = mine.sum(axis=0)
        for k in np.flatnonzero(open_ & (count == 1)):
            _, la, lo = tried[int(mine[:, k].argmax())]
            lat[wrong[k]], lon[wrong[k]], verdict[wrong[k]] = la[k], lo[k], name
        verdict[wrong[open_ & (count > 1)]] = REFUSED_UNSURE


def _inside(lat: Float, lon: Float, country: npt.NDArray[np.object_], boxes: pd.DataFrame) -> Bool:
    found = np.zeros(len(lat), dtype=bool)
    for code, part in boxes.groupby("country"):
        mine = np.flatnonzero(country == code)
        if len(mine):
            south, north, west, east = (
                part[edge].to_numpy(dtype=float)[:, None] for edge in ("south", "north", "west", "east")
            )
            at, along = lat[mine], lon[mine]
            held = (at >= south) & (at <= north) & (along >= west) & (along <= east)
            found[mine] = held.any(axis=0)
    return found


def _told(facilities: pd.DataFrame, lat: Float, lon: Float, verdict: npt.NDArray[np.object_]) -> Mended:
    changed = ~np.isin(verdict, [KEPT, UNCHECKED, ABSENT])
    changes = pd.DataFrame(
        {
            FACILITY_ID: facilities[FACILITY_ID].to_numpy()[changed],
            "verdict": verdict[changed].astype(str),
            "lat_found": facilities["lat"].to_numpy(dtype=float)[changed],
            "lon_found": facilities["lon"].to_numpy(dtype=float)[changed],
            "lat": lat[changed],
            "lon": lon[changed],
        }
    )
    counts = {name: int((verdict == name).sum()) for name in VERDICTS}
    return Mended(facilities.assign(lat=lat, lon=lon), changes, counts)
