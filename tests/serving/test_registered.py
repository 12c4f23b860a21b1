"""Each registered project is laid once, and none is lost to a place where it is not laid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from features.reference.tables import load
from insights.scenario import Scenario, scenario_of
from serving.facts import records
from serving.progress import factors_of
from serving.registered import registry_of, table_of

REFERENCE = load()
ROWS = records(REFERENCE.projects)
PORTHOS = next(row for row in ROWS if row["project_id"] == "nl-rotterdam-porthos")
ROTTERDAM, HUMBER = "nl-rotterdam", "gb-humber"


def make(table: Mapping[str, Any]) -> Scenario:
    return scenario_of(table, REFERENCE.projects, factors_of(REFERENCE))


def own(cluster: str, **project: Any) -> dict[str, Scenario]:
    return {cluster: make(table_of(cluster, [project]))}


def laid(
    cluster: str, clusters: set[str], mine: Mapping[str, Scenario], rows: Sequence[Mapping[str, Any]] = ROWS
) -> tuple[dict[str, float], dict[str, str]]:
    """project_id -> share laid in a cluster, and project_id -> code of what is left out."""
    left_out: list[dict[str, Any]] = []
    found = registry_of(rows, frozenset(clusters), mine, make).scenario(cluster, left_out)
    shares = {plan.project_id: float(plan.told.get("share", 1.0)) for plan in found.projects}
    return shares, {each["project_id"]: each["code"] for each in left_out}


def test_what_a_scenario_leaves_of_a_project_is_laid_where_it_is_registered() -> None:
    whole, _ = laid(ROTTERDAM, {ROTTERDAM}, {})
    assert whole["nl-rotterdam-porthos"] == 1
    half = own(HUMBER, project_id="nl-rotterdam-porthos", share=0.4)
    shares, left_out = laid(ROTTERDAM, {ROTTERDAM}, half)
    assert shares["nl-rotterdam-porthos"] == pytest.approx(0.6)
    assert "nl-rotterdam-porthos" not in left_out


def test_nothing_is_laid_of_what_scenarios_tell_in_full() -> None:
    shares, left_out = laid(ROTTERDAM, {ROTTERDAM}, own(HUMBER, project_id="nl-rotterdam-porthos"))
    assert "nl-rotterdam-porthos" not in shares
    assert left_out["nl-rotterdam-porthos"] == "in-own-scenario"


def test_one_of_several_clusters_is_laid_in_the_first_that_can_lay_it() -> None:
    # The same project, named by a cluster that comes first.
    twin = {**PORTHOS, "project_id": "twin", "cluster_id": "be-antwerp"}
    faultless = {"twin"}

    def lays(table: Mapping[str, Any]) -> Scenario:
        known = [each for each in table["projects"] if each["project_id"] not in faultless]
        return make({**table, "projects": known})

    def codes(clusters: set[str]) -> dict[str, str]:
        left_out: list[dict[str, Any]] = []
        registry_of([*ROWS, twin], frozenset(clusters), {}, lays).scenario(ROTTERDAM, left_out)
        return {each["project_id"]: each["code"] for each in left_out}

    assert codes({ROTTERDAM, "be-antwerp"})["nl-rotterdam-porthos"] == "counted-elsewhere"
    # Antwerp has no paths, so that nothing is laid in it.
    assert "nl-rotterdam-porthos" not in codes({ROTTERDAM})
    # Antwerp's cannot be a scenario.
    faultless.clear()
    assert "nl-rotterdam-porthos" not in codes({ROTTERDAM, "be-antwerp"})


def test_a_phase_is_inside_a_total_only_where_the_total_is_laid() -> None:
    phase, total = "gb-hynet-liverpool-bay-ccs-phase-1", "gb-hynet-liverpool-bay-ccs-expansion"
    shares, left_out = laid("gb-hynet", {"gb-hynet"}, {})
    assert (total in shares, left_out[phase]) == (True, "inside-a-total")
    no_start = [{**row, "project_id": "odd"} if row["project_id"] == total else row for row in ROWS]
    shares, left_out = laid("gb-hynet", {"gb-hynet"}, {}, no_start)
    assert left_out["odd"]
    assert phase in shares
    # In a scenario of the caller's the total is laid too.
    _, left_out = laid("gb-hynet", {"gb-hynet"}, own(HUMBER, project_id=total), ROWS)
    assert (left_out[total], left_out[phase]) == ("in-own-scenario", "inside-a-total")
