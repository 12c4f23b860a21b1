"""A scenario: levers and projects laid over a forecast, as a frozen object read from a file or a body.

Closed, versioned, checked, fingerprinted and comparable: what is not known is refused with the nearest name,
and two scenarios of one fingerprint say the same in every unit and order of fields.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from insights.fields import read_table
from insights.lever_kinds import KINDS, lever_of
from insights.plan import Plan, plan_of
from insights.projects import ENDED, Counts, counts_of
from insights.refusals import refused
from insights.rollup import counted_once
from insights.scenario_fields import SCENARIO, VERSION
from insights.tolls import Factors
from insights.units import measured

SEED: Final = 20
# A year, real: what the EU's Better Regulation guidelines use for society (recalled, not read).
DISCOUNT: Final = 0.03
TONNES_PER_MT: Final = 1e6


@dataclass(frozen=True)
class Store:
    """A place for CO2 with a yearly capacity, t/year."""

    name: str
    capacity: float


@dataclass(frozen=True)
class Scenario:
    """What is planned for one series.

    Attributes:
        target: the target_id measured; "" for all in force.
        scope: to read targets of unstated or unlike scope in; "" for none.
        seed: of every draw.
        order: in which kinds of levers are applied; every kind of its plans is in it once.
        counts: of the registry, for the weak priors.
        discount_rate: a year; None where it is not told and ``DISCOUNT`` stands in.
    """

    name: str
    series: str
    target: str
    scope: str
    base_year: int | None
    seed: int
    order: tuple[str, ...]
    grid: float | None
    stores: tuple[Store, ...]
    levers: tuple[Plan, ...]
    projects: tuple[Plan, ...]
    counts: Counts
    discount_rate: float | None = None
    version: int = VERSION

    @property
    def plans(self) -> tuple[Plan, ...]:
        """Levers, then projects."""
        return (*self.levers, *self.projects)

    @property
    def currency(self) -> str:
        """Of every cost; "" where none is told."""
        return next((plan.currency for plan in self.plans if plan.currency), "")

    @property
    def rate(self) -> float:
        """The discount rate in use."""
        return DISCOUNT if self.discount_rate is None else self.discount_rate

    def canonical(self) -> dict[str, Any]:
        """JSON-ready: everything that decides the result, in our units; the name of the scenario is not."""
        told = {
            name: getattr(self, name)
            for name in ("version", "series", "target", "scope", "base_year", "seed")
        }
        return {
            **told,
            # Kinds that it does not have decide nothing, today's or those to come.
            "order": [kind for kind in self.order if kind in {plan.kind for plan in self.plans}],
            "grid": self.grid,
            "stores": {store.name: store.capacity for store in self.stores},
            "levers": {plan.name: _plain(plan) for plan in self.levers},
            "projects": {plan.name: _plain(plan) for plan in self.projects},
            "listed": [plan.name for plan in self.plans],
            "counts": [list(self.counts.slips), self.counts.ended, self.counts.of],
            # Only another than the usual one: fingerprints of before there was one stay what they were.
            **({} if self.rate == DISCOUNT else {"discount_rate": self.rate}),
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal."""
        text = json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _plain(plan: Plan) -> dict[str, Any]:
    return {**plan.told, "currency": plan.currency}


def scenario_of(table: Any, projects: pd.DataFrame, factors: Factors) -> Scenario:
    """The scenario of a table, as TOML or JSON gave it.

    Args:
        projects: the registry's.
        factors: the reference factors.

    Raises:
        AskError: anything that cannot be; the field, what was found and what is allowed are in ``facts``.
    """
    told = read_table(table, SCENARIO)
    grid = measured(told["grid"], ("intensity",), "grid")[0] if "grid" in told else None
    levers = tuple(
        _lever(each, f"levers[{k}]", grid, factors) for k, each in enumerate(told.get("levers", ()))
    )
    own = tuple(
        _project(each, f"projects[{k}]", projects, grid, factors)
        for k, each in enumerate(told.get("projects", ()))
    )
    stores = tuple(
        Store(each["name"], measured(each["capacity"], ("flow",), f"stores[{k}].capacity")[0])
        for k, each in enumerate(told.get("stores", ()))
    )
    made = Scenario(
        name=told["name"], series=told["series"], target=told.get("target", ""), scope=told.get("scope", ""),
        base_year=told.get("base_year"), seed=told.get("seed", SEED), order=tuple(told.get("order", KINDS)),
        grid=grid, stores=stores, levers=levers, projects=own, counts=counts_of(projects),
        discount_rate=told.get("discount_rate"),
    )  # fmt: skip
    _check_whole(made, projects, factors)
    return made


def _lever(told: Mapping[str, Any], place: str, grid: float | None, factors: Factors) -> Plan:
    if "start" not in told:
        raise refused("start-missing", f"{place}.start", "nothing", "the first year it is at work")
    return plan_of(told, place, grid=grid, factors=factors)


def _project(
    told: Mapping[str, Any], place: str, registry: pd.DataFrame, grid: float | None, factors: Factors
) -> Plan:
    """A project of the registry, with what the caller says of it instead; or one of the caller's own."""
    name = told.get("project_id")
    if name is None:
        for field in ("name", "kind", "capacity", "start"):
            if field not in told:
                raise refused(
                    "project-incomplete", f"{place}.{field}", "nothing",
                    "a project_id of the registry, or name, kind, capacity and start", f"add {field}",
                )  # fmt: skip
        return plan_of({"project_id": f"own:{told['name']}", **told}, place, grid=grid, factors=factors)
    # Looked up in Python: a caller's text may be one that Arrow cannot hold.
    row = next((row for row in _rows(registry) if row["project_id"] == name), None)
    if row is None:
        raise refused(
            "unknown-project", f"{place}.project_id", name, "a project of the registry",
            "see features/reference/projects.csv, or describe your own by name, kind, capacity and start",
        )  # fmt: skip
    known = _of_registry(row, told, place)
    return plan_of({**known, **told}, place, grid=grid, factors=factors)


def _of_registry(row: Mapping[str, Any], told: Mapping[str, Any], place: str) -> dict[str, Any]:
    """What the registry knows of a project and the caller left out.

    Raises:
        AskError: it has ended, it runs (the figures hold it already), or its size, start or lever is not
            known; or the caller's capacity is above the registry's.
    """
    stage = str(row["stage"])
    if stage in (*ENDED, "running"):
        why = "it runs: the figures hold it already" if stage == "running" else f"it is {stage}"
        code = "project-running" if stage == "running" else "project-ended"
        raise refused(code, f"{place}.project_id", f"{row['project_id']}: {why}", "a project that is to come",
                      "leave it out, or describe your own by name, kind, capacity and start")  # fmt: skip
    known: dict[str, Any] = {"name": str(row["project"]), "cluster_id": str(row["cluster_id"])}
    size, start = row["abatement_mt_per_yr"], _first(row["latest_start"], row["first_announced_start"])
    for field, value, code in (
        ("kind", lever_of(str(row["technology"])), "project-kind-unknown"),
        ("capacity", None if pd.isna(size) else float(size) * TONNES_PER_MT, "project-size-unknown"),
        ("start", start, "project-start-unknown"),
    ):
        if value is None and field not in told:
            raise refused(
                code, f"{place}.{field}", "nothing in the registry", f"your own {field}", f"add {field}"
            )
        known |= {} if value is None else {field: value}
    if "capacity" in told and not pd.isna(size):
        _not_above(told["capacity"], float(size) * TONNES_PER_MT, place)
    return known


def _first(*years: Any) -> int | None:
    return next((int(year) for year in years if not pd.isna(year)), None)


def _not_above(text: str, most: float, place: str) -> None:
    flow, kind = measured(text, ("flow", "power"), f"{place}.capacity")
    if kind == "flow" and flow > most * (1 + 1e-9):
        raise refused(
            "capacity-over-project", f"{place}.capacity", text,
            f"at most {most / TONNES_PER_MT:g} Mt/year, which is all of the project",
            "lower it, or describe an expansion as a project of your own",
        )  # fmt: skip


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _no_phase_of_a_total(names: Sequence[str], registry: pd.DataFrame) -> None:
    """A capacity told as a total holds the earlier phases of its technology in its cluster."""
    rows = _rows(registry)
    held = {row["project"]: row["inside"] for row in counted_once(rows)}
    asked = [row["project"] for row in rows if row["project_id"] in names]
    for name in asked:
        if held.get(name) in asked:
            raise refused(
                "project-twice",
                "projects",
                f"{name} inside {held[name]}",
                "one of both: the total holds the phase",
            )


def _check_whole(made: Scenario, registry: pd.DataFrame, factors: Factors) -> None:
    """What must hold between the parts."""
    needed = dict.fromkeys(plan.kind for plan in made.plans)
    if len(set(made.order)) < len(made.order) or not set(needed) <= set(made.order):
        allowed = "each once of " + ", ".join(needed or KINDS)
        raise refused("order-incomplete", "order", list(made.order), allowed)
    _once([store.name for store in made.stores], "stores", "name-twice")
    _once([plan.name for plan in made.levers], "levers", "name-twice")
    _once([plan.project_id for plan in made.projects], "projects", "project-twice")
    _once([plan.name for plan in made.plans], "levers and projects", "name-twice")
    _no_phase_of_a_total([plan.project_id for plan in made.projects], registry)
    money = {plan.currency for plan in made.plans if plan.currency}
    if len(money) > 1:
        raise refused("currency-mixed", "cost", ", ".join(sorted(money)), "costs in one currency")
    room = {store.name: store.capacity for store in made.stores}
    places = [*(f"levers[{k}]" for k in range(len(made.levers))),
              *(f"projects[{k}]" for k in range(len(made.projects)))]  # fmt: skip
    for place, plan in zip(places, made.plans, strict=True):
        if not plan.store:
            continue
        if plan.store not in room:
            known = ", ".join(room) or "none: the scenario has no stores"
            raise refused("store-unknown", f"{place}.store", plan.store, f"one of {known}")
        filled = sum(p.gross_capacity(factors) for p in made.plans if p.store == plan.store)
        if filled > room[plan.store] * (1 + 1e-9):
            flow = (
                f"{filled / TONNES_PER_MT:g} Mt/year" if math.isfinite(filled) else "a share without a bound"
            )
            raise refused(
                "capacity-over-store", f"{place}.capacity", f"{flow} into {plan.store}",
                f"at most {room[plan.store] / TONNES_PER_MT:g} Mt/year together",
                "tell or lower a capacity, or enlarge the store",
            )  # fmt: skip


def _once(names: Sequence[str], place: str, code: str) -> None:
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    if twice:
        raise refused(code, place, f"{twice[0]} twice", "each once: the same tonnes are not cut twice")
