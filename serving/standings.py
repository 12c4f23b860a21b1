"""Where all clusters stand, a line each: newest figure, trend, outlook, nearest target and its chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from features.errors import ForecarbonError
from features.series.words import UNIT
from serving.progress import progress_view
from serving.shelf import Standing
from serving.views import cluster_line, told_of


def standings_view(standing: Standing) -> dict[str, Any]:
    """A line a cluster of the registry; one without a series says why, and has no numbers."""
    return {
        "unit": UNIT,
        "clusters": [_line(name, standing) for name in standing.pack.clusters],
        **told_of(standing),
    }


def _line(name: str, standing: Standing) -> dict[str, Any]:
    line: dict[str, Any] = {**cluster_line(name, standing), "trend": None, "target": None, "refused": []}
    if line["status"] != "served":
        return line
    try:
        told = progress_view(name, standing)
    except ForecarbonError as why:
        return {**line, "refused": [{"target_id": "", "code": why.code, "found": why.found}]}
    return {
        **line,
        "trend": _trend(told["figures"][0]),
        "target": _target(told["targets"]),
        "refused": [
            {"target_id": each["target"]["target_id"], **_why(each)}
            for each in told["targets"]
            if each["status"] == "refused"
        ],
    }


def _trend(figures: Mapping[str, Any]) -> dict[str, Any] | None:
    """The mean yearly change of the registered emissions over the last ten years or what there is of them."""
    if figures["achieved"] is None:
        return None
    rate = figures["achieved_compound"]
    return {
        "tonnes_a_year": -figures["achieved"],
        "percent_a_year": None if rate is None else -rate,
        "since": figures["achieved_from"],
    }


def _target(targets: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The measured target that falls due first, with what is known of it; None where none can be measured."""
    measured = [each for each in targets if each["status"] == "measured"]
    if not measured:
        return None
    first = min(measured, key=lambda each: (each["chance"]["status"] == "past", each["chance"]["year"]))
    track = first["on_track"]
    return {
        "target_id": first["target"]["target_id"],
        "kind": first["target"]["kind"],
        "year": first["chance"]["year"],
        "level": first["level"],
        "scope": first["scope"],
        "latest": dict(first["latest"]),
        "chance": {
            key: first["chance"].get(key)
            for key in ("status", "p", "p_low", "p_high", "calibrated", "outcome")
        },
        "gap": None if track is None else track["gap"],
        "gap_percent": None if track is None else track["gap_percent"],
        "needed_a_year": first["needed"]["linear"],
        "notes": list(first["notes"]),
        "others": len(measured) - 1,
    }


def _why(each: Mapping[str, Any]) -> dict[str, str]:
    refusal = each["refusal"]
    return {name: str(refusal[name]) for name in ("code", "found", "remedy")}
