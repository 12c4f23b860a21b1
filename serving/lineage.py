"""Where does this number come from? Every figure and every forecast back to its publisher or its model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from features.errors import AskError
from features.series.cadence import CADENCES
from features.series.words import INITIATIVE, UNIQUE_ID, UNIT
from serving.errors import shown
from serving.evidence import unknown_series
from serving.opened import OpenedPack
from serving.origin import Told, figures_of
from serving.shelf import Rung, Standing

MOST_PARTS: Final = 200
# Years that nanoseconds can tell; any other would quietly become one of these.
_DATE: Final = re.compile(r"(?:1[7-9]|2[01])[0-9]{2}(?:-[0-9]{2}(?:-[0-9]{2})?)?")


def lineage_view(unique_id: str, ds: str, standing: Standing) -> dict[str, Any]:
    """Where the number of one series and period is from; ``ds`` is any day inside the period.

    For a figure of the past: its value (tCO2e), source, terms, vintage and parts. For a forecast: the model,
    what it was trained on, and the series whose paths were summed. What is not known is null.

    Raises:
        AskError: no series of that name, or a period with neither figure nor forecast.
        ModelError: what the pack keeps of the figures cannot be read.
    """
    rung = standing.rungs.get(unique_id)
    if rung is None and unique_id not in standing.pack.absent:
        raise unknown_series(unique_id, standing)
    pack = standing.pack
    day = period_of(ds, pack)
    # A previous champion's forecast may be of a period whose figure has since come: the figure goes first.
    if rung is not None and day in rung.entry.ds and _known(unique_id, day, pack) is None:
        return _forecast(rung, day, standing)
    figure = _figure(unique_id, day, pack, figures_of(pack))
    if figure is None:
        raise AskError(
            "unknown-period",
            found=f"{shown(unique_id)} in {day}",
            expected=_periods(unique_id, pack, rung),
            remedy="ask for a period that has a figure or a forecast",
        )
    return {**figure, **_marks(pack, standing)}


def period_of(ds: str, pack: OpenedPack) -> str:
    """ISO date of the first day of the period that ``ds`` ("2024", "2024-05" or "2024-05-31") lies in.

    Raises:
        AskError: no such date.
    """
    cadence = CADENCES[pack.cadence]
    try:
        if not _DATE.fullmatch(ds):
            raise ValueError("no date")
        moment = np.asarray([np.datetime64(ds, "D")]).astype("datetime64[ns]")
        return str(cadence.instant(cadence.ordinal(moment))[0].astype("datetime64[D]"))
    except (ValueError, OverflowError):
        raise AskError(
            "ds-unreadable",
            found=f"ds {shown(ds)!r}",
            expected="a date such as 2024-01-01",
            remedy="send the first day of the period, as forecasts and histories print it",
        ) from None


def _figure(name: str, day: str, pack: OpenedPack, told: Told) -> dict[str, Any] | None:
    """A figure of the past, from the vintages where the pack has them and else from its history."""
    value, own = _known(name, day, pack), told.figure(name, day)
    if own is None and value is None:
        return None
    kind = told.kind(name) or (pack.series[name].kind if name in pack.series else None)
    parts = _parts(name, kind, day, pack, told)
    amount = own["value"] if own is not None else value
    facts = own or (told.total(parts) if parts else told.nothing())
    return {
        UNIQUE_ID: name,
        "ds": day,
        "what": "figure",
        "kind": kind,
        "unit": UNIT,
        **facts,
        "value": amount,
        "scope": facts["scope"] or _scope(name, pack),
        **_summed(parts, amount),
    }


def _parts(name: str, kind: str | None, day: str, pack: OpenedPack, told: Told) -> list[dict[str, Any]]:
    """What a figure is the sum of, as far as the parts have series of their own."""
    found: list[dict[str, Any]] = []
    if kind == INITIATIVE:
        found = told.clusters(day)
    elif kind == "cluster":
        found = told.parts(told.inside(name), day)
    elif kind == "sector":
        cluster, _, sector = name.partition("/")
        found = told.parts(told.inside(cluster, sector), day)
    return found or _from_history(_served_below(name, pack), day, pack)


def _served_below(name: str, pack: OpenedPack) -> list[str]:
    """The clusters of the initiative, or the served sectors of a cluster."""
    every = pack.series.values()
    if name == INITIATIVE:
        return [entry.unique_id for entry in every if entry.kind == "cluster"]
    if name in pack.clusters:
        return [entry.unique_id for entry in every if entry.kind == "sector" and entry.cluster_id == name]
    return []


def _from_history(names: list[str], day: str, pack: OpenedPack) -> list[dict[str, Any]]:
    known = {name: _known(name, day, pack) for name in names}
    return [
        {UNIQUE_ID: name, "value": value, "source": None, "scope": _scope(name, pack), "known_at": None}
        for name, value in known.items()
        if value is not None
    ]


def _known(name: str, day: str, pack: OpenedPack) -> float | None:
    """The figure in the history that is served; None where there is none."""
    days, values = pack.history.get(name, ((), np.array([])))
    value = float(values[days.index(day)]) if day in days else np.nan
    return value if np.isfinite(value) else None


def _scope(name: str, pack: OpenedPack) -> str | None:
    return pack.series[name].scope_id if name in pack.series else None


def _summed(parts: list[dict[str, Any]], amount: float | None) -> dict[str, Any]:
    """The largest parts, how many more there are, and what no part with a series of its own accounts for."""
    ordered = sorted(parts, key=lambda part: (-part["value"], part[UNIQUE_ID]))
    whole = float(sum(part["value"] for part in ordered)) if ordered else None
    return {
        "parts": ordered[:MOST_PARTS],
        "more_parts": max(0, len(ordered) - MOST_PARTS),
        "parts_value": whole,
        "remainder": None if whole is None or amount is None else round(amount - whole, 3),
    }


def _forecast(rung: Rung, day: str, standing: Standing) -> dict[str, Any]:
    """A forecast back to its model and to the figures that was fitted on."""
    pack, entry = rung.pack, rung.entry
    step = entry.ds.index(day)
    track = pack.kept.track
    facts: Mapping[str, Any] = {} if track is None else track.facts
    verdict = pack.card["verdict"]
    bridges = [dict(item) for (cluster, _), item in pack.bridges.items() if cluster == entry.unique_id]
    return {
        UNIQUE_ID: entry.unique_id,
        "ds": day,
        "what": "forecast",
        "kind": entry.kind,
        "unit": UNIT,
        "value": float(rung.mean[step]),
        "statistic": "mean",
        "scope": entry.scope_id,
        "step": step + 1,
        "cutoff": entry.cutoff,
        "made_by": rung.made_by,
        "rung": rung.level,
        "recipe": pack.card["recipe"],
        "verdict_id": verdict.get("verdict_id"),
        "plan": facts.get("plan"),
        "plan_fingerprint": facts.get("plan_fingerprint"),
        "summed": _members(rung),
        "bridges": bridges,
        "sources": list(entry.sources),
        **_marks(pack, standing),
    }


def _members(rung: Rung) -> list[str]:
    """The sectors whose joint paths were summed; the series itself where nothing was."""
    entry = rung.entry
    if entry.kind not in ("cluster", INITIATIVE):
        return [entry.unique_id]
    sectors = [item for item in rung.pack.series.values() if item.kind == "sector"]
    whole = entry.kind == INITIATIVE
    return [item.unique_id for item in sectors if whole or item.cluster_id == entry.unique_id]


def _marks(pack: OpenedPack, standing: Standing) -> dict[str, Any]:
    """Model and figures by their hashes."""
    card = pack.card
    figures = pack.kept.figures
    return {
        "model_version": pack.model_version,
        "as_of": card["as_of"],
        "degraded": standing.degraded,
        "pack": pack.name,
        "data_hash": card["data_hash"] or None,
        "git_commit": card["git_commit"] or None,
        "origin": None if figures is None else dict(figures.origin),
        "files": pack.kept.digests(),
    }


def _periods(name: str, pack: OpenedPack, rung: Rung | None) -> str:
    days = list(pack.history.get(name, ((), ()))[0])
    ahead = list(rung.entry.ds) if rung is not None else []
    every = days + ahead
    return f"a period from {every[0]} to {every[-1]}" if every else "a period that has a figure"
