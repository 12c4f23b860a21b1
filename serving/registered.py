"""The registry's projects as scenarios of their clusters, each physical project laid once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from features.errors import ForecarbonError
from insights.rollup import GONE, totals_of
from insights.scenario import Scenario

REGISTERED: Final = "registered projects"
# What is left of a project whose shares add up to one, but for rounding.
_NOTHING: Final = 1e-9
# Field of a project that the registry may lack -> how that is said.
_ABSENT: Final = {
    "capacity": "no size is known of it",
    "start": "no start is known of it",
    "kind": "it is not known what kind of lever it is",
}
_PLACE: Final = re.compile(r"^projects\[0\]\.project_id: \S+: ")
Row = Mapping[str, Any]
Make = Callable[[Mapping[str, Any]], Scenario]


@dataclass(frozen=True)
class Registry:
    """Where each registered project is laid.

    Attributes:
        rows: of the registry.
        clusters: those the registry lays projects in: with joint paths, without a scenario of the caller's.
        told: project, case-folded -> share of it in scenarios of the caller's, and the cluster of one.
        faults: project_id -> why no scenario can be made of it; of projects of ``clusters``.
        make: a table as a scenario.
    """

    rows: Sequence[Row]
    clusters: frozenset[str]
    told: Mapping[str, tuple[float, str]]
    faults: Mapping[str, ForecarbonError]
    make: Make

    def scenario(self, cluster: str, left_out: list[dict[str, Any]]) -> Scenario:
        """The projects of a cluster; what is not laid is added to ``left_out``, with the reason."""
        fit = []
        for row in (row for row in self.rows if row["cluster_id"] == cluster):
            why = self._why_not(row)
            if why is not None:
                left_out.append(left(row, *why))
                continue
            rest = self._rest(row)
            fit.append({"project_id": row["project_id"], **({} if rest == 1 else {"share": rest})})
        return self.make(table_of(cluster, fit))

    def _why_not(self, row: Row) -> tuple[str, str] | None:
        """Code and reason of a project that is not laid in its cluster; None for one that is."""
        if self._rest(row) <= _NOTHING:
            return "in-own-scenario", f"it is in the scenario of {self.told[_key(row)][1]}"
        whole = self._whole(row)
        if whole is not None:
            return "inside-a-total", f"{whole['project']} is told as a total and holds it"
        home = self._home(row)
        if home is not None and home != row["cluster_id"]:
            return "counted-elsewhere", f"it is counted once, in {home}"
        fault = self.faults.get(row["project_id"])
        return None if fault is None else (fault.code, _plainly(fault))

    def _rest(self, row: Row) -> float:
        """The share of a project that no scenario of the caller's tells."""
        return 1.0 - self.told.get(_key(row), (0.0, ""))[0]

    def _whole(self, row: Row) -> Row | None:
        """The total that holds a phase and is itself laid, by the registry or the caller."""
        whole = totals_of(self.rows).get((row["cluster_id"], row["technology"]))
        if whole is None or whole is row or row["stage"] in GONE:
            return None
        return whole if self._rest(whole) <= _NOTHING or self._home(whole) is not None else None

    def _home(self, row: Row) -> str | None:
        """The first cluster in which a project is really laid; None where it is in none."""
        homes = [
            each["cluster_id"]
            for each in self.rows
            if _key(each) == _key(row)
            and each["cluster_id"] in self.clusters
            and each["project_id"] not in self.faults
            and self._whole(each) is None
        ]
        return min(homes, default=None)


def registry_of(
    rows: Sequence[Row], clusters: frozenset[str], own: Mapping[str, Scenario], make: Make
) -> Registry:
    """Where the registry's projects are laid beside the caller's scenarios ``own``, by cluster."""
    keys = {row["project_id"]: _key(row) for row in rows}
    told: dict[str, tuple[float, str]] = {}
    for cluster, scenario in own.items():
        for plan in scenario.projects:
            key = keys.get(plan.project_id)
            if key is not None:
                share = float(plan.told.get("share", 1.0))
                told[key] = (told.get(key, (0.0, ""))[0] + share, cluster)
    faults = {}
    for row in (row for row in rows if row["cluster_id"] in clusters):
        try:
            make(table_of(row["cluster_id"], [{"project_id": row["project_id"]}]))
        except ForecarbonError as why:
            faults[row["project_id"]] = why
    return Registry(rows, clusters, told, faults, make)


def table_of(series: str, projects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A scenario of projects alone, as a table."""
    return {"version": 1, "name": REGISTERED, "series": series, "projects": list(projects)}


def left(row: Row, code: str, reason: str) -> dict[str, Any]:
    """A project that is not in, with the reason."""
    told = {key: row[key] for key in ("project_id", "project", "cluster_id", "stage", "abatement_mt_per_yr")}
    return {**told, "code": code, "reason": reason}


def _plainly(fault: ForecarbonError) -> str:
    """Why a project makes no scenario, without the place in a table that nobody sent."""
    field = str(fault.facts.get("field", "")).rpartition(".")[2]
    return _ABSENT.get(field) or _PLACE.sub("", fault.found).replace("not-selected", "not selected")


def _key(row: Row) -> str:
    return str(row["project"]).casefold()
