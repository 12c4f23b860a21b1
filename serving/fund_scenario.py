"""The plan of a cluster as the registry has it: what a funding pack stands on where no scenario is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from features.errors import DataError, ForecarbonError
from features.reference.tables import load
from insights.projects import ENDED
from insights.scenario_fields import VERSION
from serving.facts import records
from serving.progress import factors_of
from serving.scenario_view import read_scenario

# No grid of a country is held here: the world's, a row of the reference factors, stands in, and is told.
GRID: Final = "oecm_1p5_power_s1s2_2029"


def registered_plan(cluster_id: str, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The scenario of a cluster's registered projects, and which of them cannot be in it and why.

    Raises:
        DataError: none can (``no-project-to-fund``); why is in ``facts``.
    """
    reference = load()
    rows = [row for row in records(reference.projects) if row["cluster_id"] == cluster_id]
    grid = factors_of(reference)[GRID][0]
    table: dict[str, Any] = {
        "version": VERSION,
        "name": f"{name}: registered projects",
        "series": cluster_id,
        "grid": f"{grid:g} t/MWh",
        "projects": [],
    }
    skipped = []
    for row in sorted(rows, key=lambda row: row["stage"] in ENDED):
        one = {"project_id": row["project_id"]}
        try:
            read_scenario({**table, "projects": [*table["projects"], one]})
        except ForecarbonError as why:
            skipped.append(_skipped(row, why))
            continue
        table["projects"].append(one)
    if not table["projects"]:
        raise DataError(
            "no-project-to-fund",
            found=f"{len(rows)} registered projects of {cluster_id}, none with size, start and lever to come",
            expected="a project that can be laid over the forecast",
            remedy="send a scenario with POST /v1/reports, and tell capacity, start and kind in it",
            facts={"missing": skipped},
        )
    return table, skipped


def _skipped(row: Mapping[str, Any], why: ForecarbonError) -> dict[str, Any]:
    return {
        "project_id": row["project_id"],
        "name": row["project"],
        "code": why.code,
        "found": why.found,
        "remedy": why.remedy,
    }
