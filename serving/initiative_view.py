"""The initiative as a whole: claims, inventories, targets and forecasts side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from features.errors import AskError, ForecarbonError
from features.reference.tables import Reference, load
from features.series.words import INITIATIVE, UNIT
from insights.goals import TONNES_PER_MT, gathered
from insights.resolve import resolve
from insights.rollup import Member, by_forecast, by_targets, counted_once
from serving.facts import records
from serving.ground import ground_of
from serving.progress import goals_of
from serving.shelf import Standing
from serving.views import told_of

YEAR: Final = 2030


def initiative_view(standing: Standing, *, year: int = YEAR) -> dict[str, Any]:
    """The initiative: what is claimed, and how much of it inventories, targets and forecasts stand behind.

    Raises:
        AskError: a year that is not forecast for all clusters with a series.
    """
    reference = load()
    members, refusals = _members(standing)
    forecast = by_forecast(members, year)
    if forecast is None:
        raise AskError(
            "year-not-forecast",
            found=f"{INITIATIVE} in {year}",
            expected="a year that is forecast for every cluster with a series",
            remedy="ask for a year such as 2030",
        )
    claimed = _claimed(reference)
    targets = by_targets(members, year)
    return {
        "year": year,
        "unit": UNIT,
        "claimed": claimed,
        "inventories": _inventories(members),
        "targets": {**targets, "refused": refusals},
        "forecast": forecast,
        "share_of_claim": _shares(claimed["reduction_potential_mt"], targets["cut"], forecast),
        "projects": counted_once(records(reference.projects)),
        "indicators": _indicators(standing, members),
        "without_series": [m.cluster_id for m in members if m.record is None],
        **told_of(standing),
    }


def _claimed(reference: Reference) -> dict[str, Any]:
    """What the initiative and its clusters say of themselves."""
    newest = [row for row in records(reference.initiative_totals) if row["kind"] == "reported"][-1]
    own = records(reference.claims)
    return {
        **{name: newest[name] for name in ("reduction_potential_mt", "date", "source", "evidence")},
        "counts": "potential cuts as the initiative reports them; an inventory of nothing",
        "by_cluster": own,
        "by_cluster_sum_mt": float(sum(row["value_mt_per_yr"] or 0.0 for row in own)),
    }


def _inventories(members: Sequence[Member]) -> dict[str, Any]:
    """The newest figures of the clusters that have a series, and their sum."""
    held = [(m.cluster_id, m.record) for m in members if m.record is not None]
    return {
        "clusters": len(held),
        "of": len(members),
        "newest_sum": float(sum(record.value for _, record in held)),
        "rows": [
            {"cluster_id": name, "scope": record.scope, "year": record.year, "value": record.value}
            for name, record in held
        ],
    }


def _members(standing: Standing) -> tuple[list[Member], list[dict[str, Any]]]:
    members, refusals = [], []
    for name in standing.pack.clusters:
        if name not in standing.rungs:
            members.append(Member(name, None, None, {}))
            continue
        ground = ground_of(name, standing)
        cuts: dict[int, float] = {}
        for telling in gathered(goals_of(name, standing)):
            try:
                resolved = resolve(telling.goal, ground)
            except ForecarbonError as why:
                refusals.append({"target_id": telling.goal.target_id, "code": why.code, "found": why.found})
                continue
            cuts[telling.goal.target_year] = ground.records[resolved.scope].value - resolved.level
        members.append(Member(name, ground.records[ground.own], ground.futures[ground.own], cuts))
    return members, refusals


def _shares(claimed_mt: float, cut: float, forecast: Mapping[str, Any]) -> dict[str, Any]:
    """Shares of the claimed potential that targets ask for, and that the clusters are forecast to fall by."""
    claim = claimed_mt * TONNES_PER_MT
    falls = {key: value / claim for key, value in forecast["fall"].items()}
    return {"asked_by_targets": cut / claim, "forecast": falls}


def _indicators(standing: Standing, members: Sequence[Member]) -> list[dict[str, Any]]:
    """Emissions, jobs and GDP of each cluster side by side where published, and per tonne where both are."""
    told = []
    by_name = {m.cluster_id: m for m in members}
    for name, cluster in standing.pack.clusters.items():
        facts, record = cluster["facts"], by_name[name].record
        jobs, gdp = facts.get("jobs"), facts.get("gdp_low")
        if jobs is None and gdp is None and record is None:
            continue
        emissions = None if record is None else record.value
        told.append(
            {
                "cluster_id": name,
                "emissions": emissions,
                "emissions_year": None if record is None else record.year,
                "emissions_scope": None if record is None else record.scope,
                "jobs": jobs,
                "jobs_count": facts.get("jobs_note") or None,
                "gdp_low": gdp,
                "gdp_high": facts.get("gdp_high"),
                "gdp_unit": facts.get("gdp_unit") or None,
                "tonnes_per_job": emissions / jobs if emissions is not None and jobs else None,
                "source": facts.get("source"),
            }
        )
    return told
