"""Totals of an area by month and subsector, as the Climate TRACE API gives them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from features.sources.climate_trace_reply import Reply, add, text, word
from features.sources.climate_trace_rows import Site
from features.sources.records import changed_shape

_AREA: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")


def read_totals(reply: Reply, body: Mapping[str, Any]) -> None:
    """/v7/sources/emissions: an area's months by subsector, added to ``reply``.

    Raises:
        DataError: no place, no months, or subsectors whose sum is not the area's total
            (``source-changed-shape``).
    """
    place = body.get("location")
    where = place if isinstance(place, Mapping) else {}
    area = text(where.get("gadmId")) or text(where.get("country"))
    if not _AREA.fullmatch(area):
        raise changed_shape(reply.file, found="totals of no place", expected="location with gadmId")
    country, label = text(where.get("country")), text(where.get("name")) or area
    raw: dict[tuple[str, Any, Any], float] = {}
    for row, entry in enumerate(_series(reply, body["subsectors"]), start=1):
        reply.rows_read += 1
        sector, subsector = word(entry.get("sector")), word(entry.get("subsector"))
        if not sector or not subsector:
            reply.complain(row, "row-unreadable", "a total without its sector")
            continue
        name = f"{area}/{sector}/{subsector}"
        reply.sites.append(Site(name, f"{label}, {subsector}", country, subsector, None, None, "month"))
        if entry.get("month") is None:
            reply.complain(row, "row-unreadable", f"{name}: a total without its month")
            continue
        add(reply, row, name, entry, entry.get("year"), entry["month"], proved=True)
        _sum(raw, entry)
    _must_add_up(reply, raw, _series(reply, body["totals"]))


def _series(reply: Reply, part: object) -> Iterator[Mapping[str, Any]]:
    rows = part.get("timeseries") if isinstance(part, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise changed_shape(reply.file, found="totals without timeseries", expected="totals by month")
    yield from rows


def _sum(raw: dict[tuple[str, Any, Any], float], entry: Mapping[str, Any]) -> None:
    value = entry.get("emissionsQuantity")
    if isinstance(value, int | float) and not isinstance(value, bool):
        key = (str(entry.get("gas")), str(entry.get("year")), str(entry.get("month")))
        raw[key] = raw.get(key, 0.0) + value


def _must_add_up(
    reply: Reply, raw: dict[tuple[str, Any, Any], float], totals: Iterator[Mapping[str, Any]]
) -> None:
    whole: dict[tuple[str, Any, Any], float] = {}
    for entry in totals:
        _sum(whole, entry)
    unlike = [
        f"{key[1]}-{key[2]} {key[0]}: {raw.get(key)} for {whole.get(key)}"
        for key in sorted(whole.keys() | raw.keys())
        if key not in whole or key not in raw or abs(whole[key] - raw[key]) > 1e-6 * max(1e3, abs(whole[key]))
    ]
    if unlike:
        raise changed_shape(
            reply.file,
            found="subsectors that do not add up to the total",
            expected="every subsector of each month",
            offenders=unlike,
        )
    for gas, year, month in raw:
        if re.fullmatch(r"\d{4}", year) and re.fullmatch(r"\d{1,2}", month):
            reply.months.setdefault((gas.lower(), int(year)), set()).add(int(month))
