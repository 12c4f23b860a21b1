"""The rows both forms of Climate TRACE are brought to: one figure of one source and one span of days."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import pandas as pd


class Span(NamedTuple):
    """A figure as published.

    Attributes:
        row: 1-based place in the file.
        id: the source's own number, or "<area>/<sector>/<subsector>" of a total.
        gas: Climate TRACE's word.
        start, end: first and last day.
        y: tonnes, NaN where the publisher has none.
        proved: False for a year's figure that may hold only the months published so far.
    """

    row: int
    id: str
    gas: str
    start: pd.Timestamp
    end: pd.Timestamp
    y: float
    proved: bool


class Site(NamedTuple):
    """What is known of a source: never its owner."""

    id: str
    name: str
    iso3: str
    subsector: str
    lat: Any
    lon: Any
    cadence: str


# A tonnage no source or area reaches in a month or year: the largest country emits about 1.6e10 a year.
IMPLAUSIBLE: Final = 2e10


def tonnes(value: object) -> tuple[float, str]:
    """Tonnes (NaN where there are none) and a complaint's code or ""."""
    if value is None:
        return math.nan, ""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return math.nan, "figure-unreadable"
    if value < 0:
        return math.nan, "figure-negative"
    return (math.nan, "figure-implausible") if value >= IMPLAUSIBLE else (float(value), "")


def span_frame(spans: Iterable[Span]) -> pd.DataFrame:
    """Spans as a frame with Span's columns, stamps as datetime64[ns]."""
    frame = pd.DataFrame(list(spans), columns=list(Span._fields))
    return frame.astype({
        "row": "int64", "id": "str", "gas": "str", "y": "float64", "proved": "bool",
        "start": "datetime64[ns]", "end": "datetime64[ns]",
    })  # fmt: skip


def site_frame(sites: Iterable[Site]) -> pd.DataFrame:
    """Sites as a frame with Site's columns."""
    return pd.DataFrame(list(sites), columns=list(Site._fields))
