"""What a reply of the Climate TRACE API holds, gathered entry by entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from features.sources.climate_trace_rows import Site, Span, tonnes

_YEARS: Final = range(1970, 2200)
_WORD: Final = re.compile(r"[a-z0-9-]{1,80}")


@dataclass
class Reply:
    """What one reply holds, gathered item by item.

    Attributes:
        file: its name.
        year: the year a v6 reply was asked for, which the reply does not repeat.
        spans, sites, complaints: as for the bulk files.
        rows_read: assets, sources or monthly rows.
        months: by (gas, year), the months a reply of totals covers.
    """

    file: str
    year: int | None
    spans: list[Span] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    complaints: list[tuple[int, str, str]] = field(default_factory=list)
    rows_read: int = 0
    months: dict[tuple[str, int], set[int]] = field(default_factory=dict)

    def complain(self, row: int, code: str, text: str) -> None:
        """Note what was left out or repaired at ``row``."""
        self.complaints.append((row, code, f"{self.file}: {text}"))


def word(*values: object) -> str:
    """The first value that is one of the publisher's words, or ""."""
    return next((v for v in values if isinstance(v, str) and _WORD.fullmatch(v)), "")


def text(value: object) -> str:
    """A text without spaces around it, or ""."""
    return value.strip() if isinstance(value, str) else ""


def add(
    reply: Reply, row: int, name: str, entry: Mapping[str, Any], year: object, month: object, *, proved: bool
) -> None:
    """Add the figure of ``entry`` (gas, emissionsQuantity) for a year, or a month of it, to ``reply``."""
    gas = entry.get("gas")
    in_time = type(year) is int and year in _YEARS
    in_year = month is None or (type(month) is int and month in range(1, 13))
    if not (in_time and in_year and isinstance(gas, str) and "emissionsQuantity" in entry):
        reply.complain(row, "row-unreadable", f"source {name}: without year, gas or quantity")
        return
    start = pd.Timestamp(year=year, month=month or 1, day=1)  # type: ignore[arg-type]
    length = pd.offsets.MonthEnd(0) if month else pd.offsets.YearEnd(0)
    y, wrong = tonnes(entry["emissionsQuantity"])
    if wrong:
        reply.complain(row, wrong, f"{name} {year}")
    known = proved or month is not None
    reply.spans.append(Span(row, name, gas.strip().lower(), start, start + length, y, known))
