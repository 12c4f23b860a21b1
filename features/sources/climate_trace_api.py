"""Replies of the Climate TRACE API: v6 assets, v7 sources, one v7 source, v7 totals by month.

Only the fields named here are read; owners and confidence are not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from features.sources.climate_trace_reply import Reply, add, text, word
from features.sources.climate_trace_rows import Site
from features.sources.climate_trace_totals import read_totals
from features.sources.records import changed_shape, unreadable

MOST_BYTES: Final = 1 << 30


def read_reply(path: Path, year: int | None, *, alone: bool = True) -> Reply:
    """The sources and figures of one JSON reply.

    Of several replies (not ``alone``) one that lists something else, such as cities, is left out with a
    complaint.

    Raises:
        DataError: ``source-unreadable``; ``source-changed-shape`` for JSON that is none of the four
            replies, holds nothing, or whose parts do not add up to its total.
    """
    body, reply = _json(path), Reply(path.name, year if year is not None else _year_in(path.name))
    if isinstance(body, Mapping) and isinstance(body.get("assets"), list):
        _items(reply, body["assets"], _asset)
        if not reply.spans and reply.year is None:
            raise _no_year(reply.file)
    elif isinstance(body, Mapping) and "totals" in body and "subsectors" in body:
        read_totals(reply, body)
    elif isinstance(body, Mapping) and isinstance(body.get("emissions"), list) and "id" in body:
        _items(reply, [body], _one_source)
    elif isinstance(body, list) and all(isinstance(item, Mapping) for item in body):
        if body and not any("emissionsQuantity" in item for item in body):
            names = ", ".join(map(str, body[0]))[:200]
            if not alone:
                reply.complain(0, "file-not-read", f"a list without emissionsQuantity: {names}")
                return reply
            raise _no_reply(reply.file, f"a list without emissionsQuantity: {names}")
        _items(reply, body, _listed)
    else:
        raise _no_reply(reply.file, f"JSON of another kind ({type(body).__name__})")
    if not reply.spans:
        raise _no_reply(reply.file, "no source with a figure")
    return reply


def _year_in(name: str) -> int | None:
    """The one year a file's name tells, as in assets-2022.json."""
    found = {int(word) for word in re.findall(r"(?<!\d)20[0-4]\d(?!\d)", name)}
    return found.pop() if len(found) == 1 else None


def _no_year(file: str) -> Exception:
    return changed_shape(
        file,
        found="v6 assets of no year: a reply does not repeat the year it was asked for",
        expected="one year in the file's name",
        remedy="save the reply under a name with its year, such as assets-2022.json",
    )


def _no_reply(file: str, found: str) -> Exception:
    return changed_shape(
        file, found=found, expected="v6 assets, v7 sources, one v7 source, or v7 totals with subsectors"
    )


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise unreadable(path.name, found="more than 1 GiB", expected="a reply of the API")
        return json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_no_number)
    except (OSError, ValueError, RecursionError, MemoryError) as problem:
        reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        raise unreadable(path.name, found=reason[:200], expected="whole JSON in UTF-8") from problem


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


def _items(reply: Reply, items: list[Any], reader: Any) -> None:
    for row, item in enumerate(items, start=1):
        reply.rows_read += 1
        found = item if isinstance(item, Mapping) else {}
        name = _identity(found.get("id", found.get("Id")))
        if name is None:
            reply.complain(row, "row-unreadable", "a source without its number")
        else:
            reader(reply, row, name, found)


def _identity(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    return text if re.fullmatch(r"[1-9][0-9]{0,17}", text) else None


def _listed(reply: Reply, row: int, name: str, item: Mapping[str, Any]) -> None:
    """A source of /v7/sources: one year's figure, which in a running year holds the months so far."""
    _site(reply, name, item)
    add(reply, row, name, item, item.get("year"), item.get("month"), proved=False)


def _one_source(reply: Reply, row: int, name: str, item: Mapping[str, Any]) -> None:
    """/v7/sources/{id}: years or months of one source."""
    _site(reply, name, item)
    for entry in item["emissions"]:
        if isinstance(entry, Mapping):
            add(reply, row, name, entry, entry.get("year"), entry.get("month"), proved=False)
        else:
            reply.complain(row, "row-unreadable", f"source {name}: an entry that is no object")


def _site(reply: Reply, name: str, item: Mapping[str, Any]) -> None:
    centre = item.get("centroid")
    place = centre if isinstance(centre, Mapping) else {}
    subsector = word(item.get("subsector"), item.get("sector"))
    reply.sites.append(
        Site(name, text(item.get("name")), text(item.get("country")), subsector,
             place.get("latitude"), place.get("longitude"), "year")
    )  # fmt: skip


def _asset(reply: Reply, row: int, name: str, item: Mapping[str, Any]) -> None:
    """An asset of /v6/assets: one figure a gas, for the year that was asked for."""
    centre = item.get("Centroid")
    place = centre.get("Geometry") if isinstance(centre, Mapping) else None
    lon, lat = place if isinstance(place, list) and len(place) == 2 else (None, None)
    subsector = word(item.get("Subsector"), item.get("Sector"))
    reply.sites.append(
        Site(name, text(item.get("Name")), text(item.get("Country")), subsector, lat, lon, "year")
    )
    summary = item.get("EmissionsSummary")
    for entry in summary if isinstance(summary, list) else []:
        if not isinstance(entry, Mapping):
            reply.complain(row, "row-unreadable", f"source {name}: a summary that is no object")
            continue
        same = {"gas": entry.get("Gas"), "emissionsQuantity": entry.get("EmissionsQuantity")}
        add(reply, row, name, same, entry.get("Year", reply.year), None, proved=False)
