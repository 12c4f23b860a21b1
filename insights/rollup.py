"""What will the initiative deliver? Claims, inventories, targets and forecasts side by side, never summed up.

The claimed reduction is a sum of potentials and no inventory; what backs it is told by kind. Totals of
forecasts are sums path by path, so that shocks all clusters share stay in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from insights.figures import Float, Future, Int, Record, weighted_quantiles

LEVELS: Final = (0.1, 0.5, 0.9)
GONE: Final = ("cancelled", "not-selected", "dropped")


@dataclass(frozen=True)
class Member:
    """One cluster in the roll-up.

    Attributes:
        record, future: figures and paths in its own scope; None where it has no series.
        cuts: target year -> tCO2e that targets in force ask of its newest figure, one a year, measured.
    """

    cluster_id: str
    record: Record | None
    future: Future | None
    cuts: Mapping[int, float]


def total_paths(members: Sequence[Member]) -> tuple[Int, Float]:
    """Years (H,) that every member's future has, and paths (H, P) of the total, tCO2e.

    Raises:
        ValueError: no member has a series.
    """
    futures = [m.future for m in members if m.future is not None]
    if not futures:
        raise ValueError("no series")
    first = max(int(f.years[0]) for f in futures)
    last = min(f.horizon for f in futures)
    years = np.arange(first, last + 1)
    total = np.zeros((len(years), futures[0].paths.shape[1]))
    for future in futures:
        begin = first - int(future.years[0])
        total += future.paths[begin : begin + len(years)]
    return years, total


def by_forecast(members: Sequence[Member], year: int) -> dict[str, Any] | None:
    """tCO2e by which the clusters with series are forecast to fall from their newest figures to ``year``:
    quantiles of the joint total, and the share of futures in which it falls at all. None where the year is
    not forecast for all."""
    served = [m for m in members if m.future is not None and m.record is not None]
    if not served:
        return None
    years, total = total_paths(served)
    place = np.flatnonzero(years == year)
    if len(place) == 0:
        return None
    now = sum(m.record.value for m in served if m.record is not None)
    fall = now - total[place[0]]
    even = np.full(len(fall), 1 / len(fall))
    low, middle, high = weighted_quantiles(fall, even, np.asarray(LEVELS)).tolist()
    return {
        "year": year,
        "clusters": len(served),
        "now": now,
        "fall": {"q0.1": low, "q0.5": middle, "q0.9": high},
        "chance_of_any_fall": float((fall > 0).mean()),
    }


def by_targets(members: Sequence[Member], year: int) -> dict[str, Any]:
    """tCO2e that targets in force of up to ``year`` ask of the newest figures, and of how many clusters.

    Of several targets of one cluster the last one up to the year counts: they are steps of one way.
    """
    asked = {
        m.cluster_id: m.cuts[max(y for y in m.cuts if y <= year)]
        for m in members
        if any(y <= year for y in m.cuts)
    }
    return {"year": year, "clusters": sorted(asked), "cut": sum(asked.values())}


def counted_once(projects: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Abatement of projects in Mt a year, each physical project once.

    A project that several clusters name stands once, with all of them. A capacity that is told as a total
    ("Mt CO2/yr (total)") holds the earlier phases of the same technology in its cluster, which then have no
    abatement of their own here. Dropped ones and bids that were not selected are left out.
    """
    running = [row for row in projects if str(row.get("stage")) not in GONE]
    wholes = totals_of(running)
    told: dict[str, dict[str, Any]] = {}
    for row in running:
        key = str(row["project"]).casefold()
        if key in told:
            told[key]["clusters"] = sorted({*told[key]["clusters"], row["cluster_id"]})
            continue
        whole = wholes.get((row["cluster_id"], row["technology"]))
        inside = whole is not None and whole is not row
        told[key] = {
            "project": row["project"],
            "clusters": [row["cluster_id"]],
            "technology": row.get("technology"),
            "abatement_mt_per_yr": None if inside else row.get("abatement_mt_per_yr"),
            "inside": str(whole["project"]) if inside and whole is not None else None,
            **{name: row.get(name) for name in ("latest_start", "stage", "evidence", "source")},
        }
    return list(told.values())


def totals_of(projects: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Projects whose capacity is told as a total, by cluster and technology; not those that are gone."""
    return {
        (row["cluster_id"], row["technology"]): row
        for row in projects
        if _is_total(row) and str(row.get("stage")) not in GONE
    }


def _is_total(row: Mapping[str, Any]) -> bool:
    return "(total)" in str(row.get("unit") or "")
