"""Why did it move? The change of a cluster, a sector or the initiative between two years, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from features.series.words import INITIATIVE, UNIQUE_ID, UNIT
from insights.contributions import ABSENT, Contributions, contributions
from insights.events import (
    SCOPE,
    SHIFT,
    UNUSUAL,
    Event,
    level_shift,
    restatements,
    single_cause,
    unusual_changes,
)
from serving.opened import OpenedPack
from serving.origin import Told
from serving.past import Past, past_of
from serving.shelf import Standing
from serving.spans import breaks_of, plants_of, sectors_of, span_of, window

MOST_PLANTS: Final = 20
MOST_RESTATEMENTS: Final = 100
NEUTRAL: Final = "neutral: no growth is taken to cross the break; the past is read in the newest scope"


def why_view(
    unique_id: str, standing: Standing, start_year: int | None = None, end_year: int | None = None
) -> dict[str, Any]:
    """What moved the figures of a series from one year to another, tCO2e.

    change is as reported; like_for_like leaves out what changes of scope did, which ``scope`` tells. The
    contributions (sectors of a cluster, clusters of the initiative, the sector itself) add up to both. Plants
    are told where they have series of their own, with the rest of the sum. Emissions alone cannot tell a
    change of intensity from one of output: ``split`` says what is missing for it. ``events`` are those of the
    series and its sectors in the years after the first; ``shocks`` those that most clusters shared.

    Raises:
        AskError: no such series (``unknown-series``), one without figures (``series-absent``), years without
            a figure or in the wrong order, or a change of scope that cannot be bridged
            (``scope-break-inside``).
        ModelError: what the pack keeps of the figures cannot be read.
    """
    first, last = span_of(unique_id, standing, start_year, end_year)
    pack = standing.pack
    past = past_of(pack)
    leaves = sectors_of(unique_id, pack, past.told) or [unique_id]
    found = contributions(window(leaves, first, last, pack, past.told))
    start, end = float(np.nansum(found.start)), float(np.nansum(found.end))
    like = float(found.change.sum())
    return {
        UNIQUE_ID: unique_id,
        "kind": pack.series[unique_id].kind,
        "unit": UNIT,
        "start_year": first,
        "end_year": last,
        "start": start,
        "end": end,
        "change": end - start,
        "percent": _percent(end - start, start),
        "like_for_like": {"change": like, "percent": _percent(like, end - like)},
        "scope": _scope(unique_id, found, pack, past.told, first, last),
        "contributions": _by_cluster(found) if unique_id == INITIATIVE else found.as_records(),
        "plants": _plants(unique_id, found, pack, past.told, first, last),
        "split": _split(),
        "events": _events(unique_id, leaves, past, pack, first, last),
        "shocks": [
            {**event.as_record(), "same_way": _same_way(unique_id, event, past, pack)}
            for event in past.shocks
            if first < event.year <= last
        ],
        "model_version": pack.model_version,
        "as_of": pack.card["as_of"],
        "degraded": standing.degraded,
    }


def _percent(change: float, before: float) -> float | None:
    return 100 * change / before if before > 0 else None


def _scope(
    name: str, found: Contributions, pack: OpenedPack, told: Told, first: int, last: int
) -> dict[str, Any]:
    """Declared changes of scope inside the span, and what they do to the reported change."""
    inside = {year: ids for year, ids in breaks_of(name, pack, told).items() if first < year <= last}
    titles = told.reference.scope_breaks.set_index("break_id")["title"]
    return {
        "scope": pack.series[name].scope_id,
        "known": told.figures is not None,
        "breaks": [
            {"year": year, "break_id": item, "title": str(titles[item]) if item in titles.index else None}
            for year, ids in sorted(inside.items())
            for item in sorted(ids)
        ],
        "bridge": NEUTRAL if inside else None,
        "change": float(found.scope.sum()),
    }


def _by_cluster(found: Contributions) -> list[dict[str, Any]]:
    """The contributions of sectors, added up by cluster, the largest first."""
    whole = float(found.change.sum())
    rows: dict[str, dict[str, Any]] = {}
    for i, name in enumerate(found.parts):
        if found.kinds[i] == ABSENT:
            continue
        cluster = name.partition("/")[0]
        row = rows.setdefault(
            cluster, {UNIQUE_ID: cluster, "kind": "continuing", "start": 0.0, "end": 0.0, "change": 0.0,
                      "scope_change": 0.0}
        )  # fmt: skip
        row["start"] += float(np.nan_to_num(found.start[i]))
        row["end"] += float(np.nan_to_num(found.end[i]))
        row["change"] += float(found.change[i])
        row["scope_change"] += float(found.scope[i])
    told = [{**row, "share": row["change"] / whole if whole else None} for row in rows.values()]
    return sorted(told, key=lambda row: -abs(row["change"]))


def _plants(
    name: str, found: Contributions, pack: OpenedPack, told: Told, first: int, last: int
) -> dict[str, Any]:
    """The plants with a series that moved most, and the rest of the sum; ``known`` is False without any."""
    names = plants_of(name, pack, told)
    if not names:
        return {"known": False, "rows": [], "more": 0, "rest": None,
                "remedy": "serve a plan of facilities: training/plans/facilities.toml"}  # fmt: skip
    below = contributions(window(names, first, last, pack, told), strict=False)
    rows = below.as_records()
    whole = float(found.change.sum())
    told_rows = [
        {**row, "name": _name(row[UNIQUE_ID], pack), "share": row["change"] / whole if whole else None}
        for row in rows
    ]
    shown, change = told_rows[:MOST_PLANTS], float(sum(row["change"] for row in rows[:MOST_PLANTS]))
    scope = float(sum(row["scope_change"] for row in rows[:MOST_PLANTS]))
    rest = {"change": whole - change, "scope_change": float(found.scope.sum()) - scope}
    return {"known": True, "rows": shown, "more": len(rows) - len(shown), "rest": rest, "remedy": None}


def _split() -> dict[str, Any]:
    """Whether activity, mix and intensity can be told apart: never from emissions alone."""
    return {
        "possible": False,
        "code": "activity-unknown",
        "missing": ["activity of every part in both years, in one unit"],
        "cannot_say": ["activity", "mix", "intensity"],
        "held": "production indices are read by country and month for industry as a whole, not by cluster or "
        "sector, and no pack carries them",
        "remedy": "send periods, parts, emissions and activity as a table of your own",
    }


def _events(
    name: str, leaves: Sequence[str], past: Past, pack: OpenedPack, first: int, last: int
) -> list[dict[str, Any]]:
    """Events of the series and its sectors after ``first``, by year; each names its series."""
    told: list[tuple[str, Event]] = []
    for series in dict.fromkeys([name, *(leaves if name != INITIATIVE else ())]):
        row = past.dense.row.get(series)
        if row is None:
            continue
        years = past.years(row)
        y, breaks = past.dense.y[row, : len(years)], past.dense.breaks[row, : len(years)]
        told += [(series, event) for event in unusual_changes(years, y, past.bands, row)]
        shift = level_shift(years, y, breaks)
        told += [(series, shift)] if shift is not None else []
    told += _restated(leaves, past.told, name)
    for year, ids in breaks_of(name, pack, past.told).items():
        told.append((name, Event(year, SCOPE, None, None, {"break_ids": sorted(ids)})))
    inside = [(series, event) for series, event in told if first < event.year <= last]
    ordered = sorted(inside, key=lambda pair: (pair[1].year, pair[0] != name, pair[0], pair[1].kind))
    return [
        {UNIQUE_ID: series, **event.as_record(), "cause": _cause(series, event, past, pack)}
        for series, event in ordered
    ]


def _restated(leaves: Sequence[str], told: Told, name: str) -> list[tuple[str, Event]]:
    if told.figures is None or name == INITIATIVE:
        return []
    return restatements(told.figures.of(leaves, told.known_by))[-MOST_RESTATEMENTS:]


def _cause(series: str, event: Event, past: Past, pack: OpenedPack) -> dict[str, Any] | None:
    """The plant, or where none is known the sector, that explains most of a year's change."""
    if event.change is None or event.kind not in (UNUSUAL, SHIFT):
        return None
    year = event.year
    row = past.dense.row[series]
    column = year - past.years(row)[0]
    change = float(past.dense.y[row, column] - past.dense.y[row, column - 1])
    plants = plants_of(series, pack, past.told)
    for level, names in (("plant", plants), ("sector", sectors_of(series, pack, past.told))):
        if names and np.isfinite(change):
            years = window(names, year - 1, year, pack, past.told).y
            cause = single_cause(names, years[:, 0], years[:, 1], change)
            if cause is not None:
                return {"level": level, "name": _name(cause[UNIQUE_ID], pack), **cause}
    return None


def _name(unique_id: str, pack: OpenedPack) -> str | None:
    """What a plant is called where the register says so; None elsewhere."""
    return (pack.series[unique_id].name or None) if unique_id in pack.series else None


def _same_way(name: str, event: Event, past: Past, pack: OpenedPack) -> bool | None:
    """Whether the series moved the way of the shock in its year; None where it has no change then."""
    if event.percent is None:
        return None
    before, after = window([name], event.year - 1, event.year, pack, past.told).y[0]
    change = after - before
    return bool(np.sign(change) == np.sign(event.percent)) if np.isfinite(change) else None
