"""From a goal to tonnes in one scope, or the reason why that cannot be done and what would mend it.

A target crosses from one boundary into another only over a declared bridge, or where the caller asks for the
reading by name (``assume``), and then the answer says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError, DataError, ForecarbonError
from insights.figures import Future, Record
from insights.goals import TONNES_PER_MT, Goal

Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """All that can be measured of one cluster or series.

    Attributes:
        name: the series.
        own: its own scope_id.
        records: figures by scope, the own one among them.
        futures: paths by scope, for those that can be read.
        refusals: scope -> why its future cannot be read.
    """

    name: str
    own: str
    records: Mapping[str, Record]
    futures: Mapping[str, Future]
    refusals: Mapping[str, ForecarbonError]


@dataclass(frozen=True)
class Resolved:
    """A goal in tonnes of one scope.

    Attributes:
        goal: as it was told, with what was missing filled in.
        scope: where it is measured.
        level: E*, tCO2e: the middle where it differs from path to path.
        levels: (P,) E* of each path, where the base year is read over the same bridge; else ``level``.
        base_year, base: None where the goal has none (a level, net-zero).
        notes: codes of what the reading rests on, for the brief.
    """

    goal: Goal
    scope: str
    level: float
    levels: Float | float
    base_year: int | None
    base: float | None
    notes: tuple[str, ...] = ()


# Codes of notes.
SCOPE_NOT_STATED: Final = "scope-not-stated"
SCOPE_ASSUMED: Final = "scope-assumed"
PART_OF_PLEDGE: Final = "part-of-the-pledge"
BASE_BRIDGED: Final = "base-over-a-bridge"
BASE_RESCALED: Final = "base-over-a-break"
NET_OF_SINKS: Final = "net-zero-leaves-a-rest"
WHAT_IF_BASE: Final = "base-year-of-the-caller"


def resolve(goal: Goal, ground: Ground, *, base_year: int | None = None, assume: str = "") -> Resolved:
    """The goal in tonnes.

    Args:
        base_year: the caller's, for a goal that has none.
        assume: a scope the caller wants a goal of unlike or unstated scope to be read in.

    Raises:
        AskError: ``base-year-missing``, ``base-year-before-series``, ``activity-missing``,
            ``scope-unlike``, ``scope-unknown``.
        DataError: ``base-value-missing``, or why the scope's forecast cannot be read.
    """
    notes: list[str] = []
    if goal.base_year is None and base_year is not None:
        goal = replace(goal, base_year=base_year)
        notes.append(WHAT_IF_BASE)
    scope = _scope_of(goal, ground, assume, notes)
    if scope in ground.refusals:
        raise ground.refusals[scope]
    if goal.kind == "net-zero":
        notes.append(NET_OF_SINKS)
        return Resolved(goal, scope, 0.0, 0.0, None, None, tuple(notes))
    if goal.kind == "intensity":
        return _of_intensity(goal, scope, notes)
    if goal.kind == "level":
        base = goal.base_mt if goal.base_mt is not None else _known(goal, ground, scope)
        base_t = None if base is None else base * TONNES_PER_MT
        year = goal.base_year if base_t is not None else None
        level = goal.value * TONNES_PER_MT
        return Resolved(goal, scope, level, level, year, base_t, tuple(notes))
    return _of_base(goal, ground, scope, notes)


def _scope_of(goal: Goal, ground: Ground, assume: str, notes: list[str]) -> str:
    known = sorted({*ground.records, *ground.refusals})
    if assume:
        if assume not in known:
            raise AskError(
                "scope-unknown",
                found=f"scope {assume!r} for {ground.name}",
                expected="one of " + ", ".join(known),
                remedy="ask for a scope from the list",
            )
        if goal.scope_id and goal.scope_id != assume:
            raise _unlike(goal, ground, f"{goal.target_id} is a target of {goal.scope_id}, asked in {assume}")
        if not goal.scope_id:
            notes.append(SCOPE_ASSUMED)
        return assume
    if goal.scope_id:
        if goal.scope_id not in known:
            raise _unlike(goal, ground, f"{goal.target_id} counts {goal.scope_id}, of which nothing is held")
        return goal.scope_id
    if goal.kind == "net-zero":
        # Zero of the whole is zero of every part: the part that is registered can be measured anywhere.
        notes.append(PART_OF_PLEDGE if goal.scope else SCOPE_NOT_STATED)
        return ground.own
    if not goal.scope or goal.scope == "not stated":
        notes.append(SCOPE_NOT_STATED)
        return ground.own
    raise _unlike(goal, ground, f"{goal.target_id} counts {goal.scope!r}; the series counts {ground.own}")


def _unlike(goal: Goal, ground: Ground, found: str) -> AskError:
    baseless = goal.kind in ("percent", "reduction") and goal.base_year is None and goal.base_mt is None
    also = " and base_year=YEAR, for the pledge names no base" if baseless else ""
    return AskError(
        "scope-unlike",
        found=found,
        expected="a target and a series of one scope, or a published total that bridges them",
        remedy=f"read it as a target of the registered emissions with scope={ground.own}{also} (the answer "
        "then says so), or add published totals of the target's scope",
        facts={"target_id": goal.target_id, "target_scope": goal.scope or goal.scope_id},
    )


def _of_intensity(goal: Goal, scope: str, notes: list[str]) -> Resolved:
    left = goal.left_mt(None)
    if left is None:
        raise AskError(
            "activity-missing",
            found=f"{goal.target_id}: {goal.value:g} tCO2e a unit of activity, and no activity",
            expected="units of activity expected in the target year",
            remedy="send activity with the target",
        )
    level = left * TONNES_PER_MT
    return Resolved(goal, scope, level, level, None, None, tuple(notes))


def _known(goal: Goal, ground: Ground, scope: str) -> float | None:
    """Mt of the base year in the scope's own record; None where there is none."""
    record = ground.records.get(scope)
    figure = None if record is None or goal.base_year is None else record.at(goal.base_year)
    return None if figure is None else figure / TONNES_PER_MT


def _of_base(goal: Goal, ground: Ground, scope: str, notes: list[str]) -> Resolved:
    if goal.base_mt is None and goal.base_year is None:
        raise AskError(
            "base-year-missing",
            found=f"{goal.target_id}: {goal.value:g} {goal.kind} of a base that was not stated",
            expected="a base year",
            remedy="find the base year the pledge was made against, or ask what if: base_year=YEAR",
            facts={"target_id": goal.target_id},
        )
    base_mt = goal.base_mt if goal.base_mt is not None else _known(goal, ground, scope)
    record = ground.records.get(scope)
    if base_mt is not None:
        if goal.base_mt is None and record is not None and (goal.base_year or 0) < record.bridged_before:
            notes.append(BASE_RESCALED)
        level = float(goal.left_mt(base_mt) or 0.0) * TONNES_PER_MT
        return Resolved(
            goal, scope, level, level, goal.base_year, base_mt * TONNES_PER_MT, tuple(notes)
        )  # fmt: skip
    return _over_bridge(goal, ground, scope, notes)


def _over_bridge(goal: Goal, ground: Ground, scope: str, notes: list[str]) -> Resolved:
    """The base year is only in the own series: read over the bridge the paths are read over, path by path,
    so that the bridge's ratio, being in both, cancels where it should."""
    own, future = ground.records[ground.own], ground.futures.get(scope)
    figure = None if goal.base_year is None else own.at(goal.base_year)
    if figure is None or future is None:
        spans = "; ".join(f"{r.scope} {int(r.years[0])}-{r.year}" for r in ground.records.values())
        raise AskError(
            "base-year-outside-series",
            found=f"{goal.target_id}: base year {goal.base_year}, and no figure of it",
            expected=f"a base year with a figure ({spans}), or a base value with the target",
            remedy="send base_value_mt with the target, or measure against a year of the series",
            facts={"target_id": goal.target_id, "base_year": goal.base_year},
        )
    notes.append(BASE_BRIDGED)
    if (goal.base_year or 0) < own.bridged_before:
        notes.append(BASE_RESCALED)
    bases = figure * future.ratios
    cut = goal.value * TONNES_PER_MT
    levels = bases - cut if goal.kind == "reduction" else (1 - goal.value / 100) * bases
    middle, base = float(np.median(levels)), float(np.median(bases))
    if middle < 0:
        raise DataError(
            "target-implausible",
            found=f"a cut of {goal.value:g} Mt from {base / TONNES_PER_MT:.3g} Mt",
            expected="a cut not above its base",
            remedy="mend the target, or its base year",
        )
    return Resolved(goal, scope, middle, np.maximum(levels, 0.0), goal.base_year, base, tuple(notes))
