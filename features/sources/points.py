"""Coordinates as publishers write them: used, swapped back, or refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

Box = tuple[float, float, float, float]

# South, west, north, east in degrees.
WORLD: Final[tuple[Box, ...]] = ((-90.0, -180.0, 90.0, 180.0),)
UNITED_STATES: Final[tuple[Box, ...]] = ((13.0, -180.0, 72.0, -64.0), (13.0, 144.0, 21.0, 147.0))

SWAPPED: Final = "coordinates-swapped"
UNUSABLE: Final = "coordinates-unusable"


def point(lat: object, lon: object, *, boxes: Sequence[Box]) -> tuple[float, float, str]:
    """Latitude and longitude in degrees, and what was wrong with them.

    Cells that are both empty give NaN, NaN and "". A pair outside every box but inside one when
    exchanged is exchanged (``SWAPPED``); any other pair, and 0, 0, is NaN, NaN (``UNUSABLE``).
    """
    if _empty(lat) and _empty(lon):
        return math.nan, math.nan, ""
    north, east = _degrees(lat), _degrees(lon)
    if _inside(north, east, boxes):
        return north, east, ""
    if _inside(east, north, boxes):
        return east, north, SWAPPED
    return math.nan, math.nan, UNUSABLE


def _empty(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell)) or str(cell).strip() == ""


def _degrees(cell: object) -> float:
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return math.nan
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return math.nan


def _inside(lat: float, lon: float, boxes: Sequence[Box]) -> bool:
    if lat == 0.0 and lon == 0.0:
        return False
    return any(south <= lat <= north and west <= lon <= east for south, west, north, east in boxes)
