"""The figures of a funding pack with all that a funder asks beside them, JSON-ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from features.errors import DataError, ForecarbonError
from features.reference.tables import load
from features.series.words import UNIQUE_ID, UNIT
from insights.assess import Scales
from insights.funding import funding
from insights.resolve import Ground
from serving.evidence import evidence_view
from serving.facts import records
from serving.fund_ask import FundAsk, checked
from serving.fund_gaps import gaps
from serving.fund_scenario import GRID, registered_plan
from serving.ground import ground_of
from serving.progress import (
    calibration_view,
    chosen_of,
    factors_of,
    figures_of_ground,
    goals_of,
    name_of,
    recalibration_of,
)
from serving.scenario_view import read_scenario
from serving.shelf import Standing
from serving.views import told_of

_MATURITY: Final = (
    *("project_id", "project", "technology", "capacity", "unit", "status", "stage"),
    *("first_announced_start", "latest_start", "latest_start_text", "announced_in", "latest_as_of"),
    *("slip_years", "abatement_mt_per_yr", "note", "source", "evidence"),
)
_FACTS: Final = ("name", "country", "type", "main_sectors", "joined", "source", "confidence")


def funding_view(question: Mapping[str, Any], standing: Standing) -> dict[str, Any]:
    """The funding pack of a cluster or of a scenario on it.

    Raises:
        AskError: no such question, scenario, series or target.
        DataError: there is no series (``series-absent``, with what is missing), or no project to fund.
        ModelError: what the pack keeps of the figures cannot be read.
    """
    ask = checked(FundAsk, dict(question))
    name = str(ask.cluster_id or (ask.scenario or {}).get("series", ""))
    # Whether there is such a series is told before what is wrong with its plan.
    ground = None if ask.cluster_id is None else _ground(name, standing)
    table, skipped = (
        registered_plan(name, name_of(name, standing)) if ask.scenario is None else (ask.scenario, [])
    )
    scenario = read_scenario(table)
    ground = ground or _ground(scenario.series, standing)
    tellings = chosen_of(goals_of(scenario.series, standing), scenario.target or None, scenario.series)
    rung = standing.rungs[scenario.series]
    scales = Scales(factors_of(load()), recalibration_of(standing), rung.entry.kind)
    told = funding(scenario, ground, scales, tellings, ask.terms)
    answer = {
        UNIQUE_ID: scenario.series,
        "name": name_of(scenario.series, standing),
        "unit": UNIT,
        "cluster": cluster_facts(scenario.series, standing),
        "plan": {"name": scenario.name, "scenario": dict(table), "skipped": skipped, **_grid(ask)},
        "terms": vars(ask.terms),
        **told,
        "maturity": maturity_of([plan.project_id for plan in scenario.projects]),
        "confidence": confidence_of(scenario.series, standing),
        "figures": figures_of_ground(ground),
        "published": published_of(scenario.series),
        "indicators": indicators_of(scenario.series, standing),
        "quality": None if rung.entry.quality is None else dict(rung.entry.quality),
        "cutoff": rung.entry.cutoff,
        "made_by": rung.made_by,
        "sources": list(rung.entry.sources),
        **told_of(standing),
    }
    return {**answer, "missing": gaps(answer)}


def _ground(name: str, standing: Standing) -> Ground:
    """The ground of a series, or its refusal with what is missing."""
    try:
        return ground_of(name, standing)
    except DataError as why:
        why.facts |= {"missing": [why.code]}
        raise


def _grid(ask: FundAsk) -> dict[str, Any]:
    return {"grid_from": GRID if ask.scenario is None else None}


def cluster_facts(name: str, standing: Standing) -> dict[str, Any]:
    """What the registry says of the cluster that a series belongs to; nulls where it is none."""
    known = standing.pack.clusters.get(name.split("/", 1)[0])
    facts = {} if known is None else known["facts"]
    return {"cluster_id": name.split("/", 1)[0], **{key: facts.get(key) for key in _FACTS}}


def maturity_of(project_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The registry's row of each project; of the applicant's own nothing but that."""
    rows = {row["project_id"]: row for row in records(load().projects)}
    told = []
    for name in project_ids:
        row = rows.get(name)
        blank = {**dict.fromkeys(_MATURITY), "project_id": name, "project": name.removeprefix("own:")}
        told.append(blank if row is None else {key: row.get(key) for key in _MATURITY})
    return told


def confidence_of(name: str, standing: Standing) -> dict[str, Any]:
    """How past chances came true, and how many past figures lay inside their bands."""
    return {"calibration": _calibration(standing), "bands": _bands(name, standing)}


def _calibration(standing: Standing) -> dict[str, Any] | None:
    try:
        told = calibration_view(standing)
    except DataError:
        return None
    every = next((row for row in told.get("scores", ()) if row["kind"] == "all"), None)
    if every is None:
        return None
    names = ("n", "cutoffs", "brier", "brier_base_rate", "brier_naive", "reliability_slope", "base_rate")
    return {
        **{key: every.get(key) for key in names},
        "bins": [dict(row) for row in every.get("bins", ())],
        "plan": told.get("plan"),
    }


def _bands(name: str, standing: Standing) -> dict[str, Any] | None:
    try:
        told = evidence_view(name, standing)
    except ForecarbonError:
        return None
    names = ("judged", "sentence", "scores", "kind_scores", "baseline_scores", "verdict_id", "kind")
    return {key: told[key] for key in names}


def published_of(name: str) -> list[dict[str, Any]]:
    """Every total that somebody published of a cluster, with its source."""
    return [row for row in records(load().published_history) if row["cluster_id"] == name]


def indicators_of(name: str, standing: Standing) -> dict[str, Any]:
    """The initiative's other two indicators where they are published, apart from the emissions."""
    known = standing.pack.clusters.get(name)
    facts = {} if known is None else known["facts"]
    return {
        "jobs": facts.get("jobs"),
        "jobs_count": facts.get("jobs_note") or None,
        **{key: facts.get(key) for key in ("gdp_low", "gdp_high")},
        "gdp_unit": facts.get("gdp_unit") or None,
        "source": facts.get("source"),
    }
