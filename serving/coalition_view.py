"""The portfolio: the coalition under all plans, beside the claimed potential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from features.errors import AskError, ForecarbonError
from features.reference.tables import Reference, load
from features.series.words import INITIATIVE, UNIT
from insights.coalition import (
    CORRELATION,
    SEED,
    Side,
    coalition,
    measures_of,
    newest,
    passes,
    span_of,
    stores_of,
    years_of,
)
from insights.goals import TONNES_PER_MT
from insights.resolve import Ground
from insights.scenario import Scenario, scenario_of
from serving.facts import records
from serving.ground import ground_of
from serving.progress import factors_of, name_of
from serving.registered import left, registry_of
from serving.shelf import Standing
from serving.views import told_of

YEAR: Final = 2035
MOST_SCENARIOS: Final = 60


@dataclass
class _Read:
    """What is read of the registry and of the caller, step by step.

    Attributes:
        own: cluster_id -> the caller's scenario.
        left_out: projects that are not in, each with the reason.
        absent: clusters without joint paths, each with the reason.
    """

    own: Mapping[str, Scenario]
    left_out: list[dict[str, Any]] = field(default_factory=list)
    absent: list[dict[str, Any]] = field(default_factory=list)


def coalition_view(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    """Tonnes by year over the joint paths of all clusters, with every cluster's plans laid over them.

    Args:
        question: ``scenarios`` (tables, one a cluster at most; the other clusters have the registry's
            projects), ``correlation``, ``seed``, ``year`` (that parts are told of), ``registered`` (False:
            only what the caller sends).

    Raises:
        AskError: a scenario that cannot be (field, found, allowed, remedy), ``portfolio-implausible``, or
            ``year-not-forecast``.
    """
    reference = load()
    tables = list(question.get("scenarios") or ())
    read = _Read(_own(tables, standing, reference))
    with_registry = bool(question.get("registered", True))
    sides = _sides(standing, reference, read, with_registry=with_registry)
    correlation = float(question.get("correlation", CORRELATION))
    seed, stores = int(question.get("seed", SEED)), _stores([side.scenario for side in sides])
    found = coalition(sides, factors_of(reference), stores=stores, correlation=correlation, seed=seed)
    year = _year(question.get("year"), found.years)
    claimed = [row for row in records(reference.initiative_totals) if row["kind"] == "reported"][-1]
    claim = float(claimed["reduction_potential_mt"]) * TONNES_PER_MT
    own_correlation = "correlation" in question
    return {
        "unit": UNIT,
        "year": year,
        "seed": seed,
        "correlation": {
            "value": correlation,
            "from": "own" if own_correlation else "weak-default",
            "of": "the luck of projects of one kind: late and not built alike; and all weak priors beside it",
        },
        "now": newest(found),
        "years": years_of(found, claim),
        "claim": {
            **{name: claimed[name] for name in ("reduction_potential_mt", "date", "source", "evidence")},
            "counts": "potential cuts a year as the initiative reports them; an inventory of nothing",
            "passes": passes(found, claim),
        },
        "measures": measures_of(found, year),
        "clusters": [_member(side, standing) for side in sides],
        "stores": stores_of(found),
        "left_out": read.left_out,
        "without_paths": read.absent,
        "priors": sides[0].scenario.counts.as_record(),
        "notes": _notes(sides, own_correlation),
        **told_of(standing),
    }


def _own(tables: Sequence[Any], standing: Standing, reference: Reference) -> dict[str, Scenario]:
    """The caller's scenarios by cluster.

    Raises:
        AskError: one of no cluster, two of one cluster, or more of a project than there is.
    """
    found: dict[str, Scenario] = {}
    parts: dict[str, float] = {}
    for k, table in enumerate(tables):
        made = scenario_of(table, reference.projects, factors_of(reference))
        place = f"scenarios[{k}].series"
        if made.series not in standing.pack.clusters:
            raise _refused(place, made.series, "a cluster of the registry", "a sector is part of a cluster")
        if made.series in found:
            raise _refused(place, f"{made.series} twice", "one scenario a cluster", "join the two")
        for plan in made.projects:
            parts[plan.project_id] = parts.get(plan.project_id, 0.0) + float(plan.told.get("share", 1.0))
            if not plan.project_id.startswith("own:") and parts[plan.project_id] > 1 + 1e-9:
                raise _refused(
                    f"scenarios[{k}].projects", f"{parts[plan.project_id]:g} of {plan.project_id} in all",
                    "shares of a project that add up to 1 at most", "tell each cluster's share of it",
                )  # fmt: skip
        found[made.series] = made
    return found


def _refused(place: str, found: str, allowed: str, remedy: str) -> AskError:
    return AskError(
        "portfolio-implausible", found=f"{place}: {found}", expected=allowed, remedy=remedy,
        facts={"field": place, "found": found, "allowed": allowed},
    )  # fmt: skip


def _sides(standing: Standing, reference: Reference, read: _Read, *, with_registry: bool) -> list[Side]:
    rows = records(reference.projects)
    grounds = _grounds(standing, rows, read)
    registry = registry_of(
        rows if with_registry else [],
        frozenset(grounds) - frozenset(read.own),
        read.own,
        lambda table: scenario_of(table, reference.projects, factors_of(reference)),
    )
    sides = []
    for name, ground in grounds.items():
        future = ground.futures[ground.own].after(ground.records[ground.own].year)
        own = read.own.get(name)
        made = own or registry.scenario(name, read.left_out)
        sides.append(Side(name, ground.records[ground.own].value, future, made, own is not None))
    if not sides:
        raise _refused("series", "no cluster with joint paths", "at least one", "serve a champion with paths")
    try:
        span_of(sides)
    except ValueError:
        raise _refused(
            "series", "clusters forecast in no year together", "one", "retrain the champion"
        ) from None
    return sides


def _grounds(standing: Standing, rows: Sequence[Mapping[str, Any]], read: _Read) -> dict[str, Ground]:
    """The clusters that plans can be laid over, in their order.

    Raises:
        ForecarbonError: the caller has a scenario of one that has no joint paths.
    """
    grounds = {}
    for name in standing.pack.clusters:
        try:
            grounds[name] = ground_of(name, standing)
        except ForecarbonError as why:
            if name in read.own:
                raise
            read.absent.append({"cluster_id": name, "code": why.code, "found": why.found})
            for row in (r for r in rows if r["cluster_id"] == name):
                read.left_out.append(left(row, "no-paths", "its cluster has no forecast here to lay it over"))
    return grounds


def _stores(scenarios: Sequence[Scenario]) -> dict[str, float]:
    """Stores by name: one that several scenarios name is one store.

    Raises:
        AskError: they tell unlike capacities of it.
    """
    found: dict[str, float] = {}
    for each in scenarios:
        for store in each.stores:
            known = found.setdefault(store.name, store.capacity)
            if not np.isclose(known, store.capacity, rtol=1e-9):
                raise _refused(
                    "stores", f"{store.name}: {known:g} and {store.capacity:g} t/year",
                    "one capacity of a store that clusters share", "tell the same capacity in each scenario",
                )  # fmt: skip
    return found


def _year(asked: Any, years: Any) -> int:
    first, last = int(years[0]), int(years[-1])
    if asked is None:
        return int(min(max(YEAR, first), last))
    if not first <= int(asked) <= last:
        raise AskError(
            "year-not-forecast",
            found=f"{INITIATIVE} in {asked}",
            expected=f"a year from {first} to {last}, which every cluster is forecast in",
            remedy="ask for one of these",
            facts={"field": "year"},
        )
    return int(asked)


def _member(side: Side, standing: Standing) -> dict[str, Any]:
    return {
        "cluster_id": side.cluster_id,
        "name": name_of(side.cluster_id, standing),
        "now": side.value,
        "scope": side.future.scope,
        "scenario": side.scenario.name,
        "from": "own" if side.own else "registry",
        "fingerprint": side.scenario.fingerprint,
        "measures": len(side.scenario.plans),
    }


def _notes(sides: Sequence[Side], own_correlation: bool) -> list[str]:
    """Codes of what the portfolio rests on."""
    told = ["claim-is-no-inventory", "the-trend-may-hold-plans"]
    if not own_correlation:
        told.append("correlation-is-a-weak-default")
    if any("weak-prior" in plan.risk.sources().values() for side in sides for plan in side.scenario.projects):
        told.append("weak-priors")
    if len({side.future.scope for side in sides}) > 1:
        told.append("scopes-side-by-side")
    return told
