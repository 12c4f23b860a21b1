"""Climate goals as data: from the registry or from a user, several per cluster, conflicting ones shown.

A *telling* is one published sentence of a goal; two tellings of one goal (55% of 20.6 Mt, and 9.3 Mt) agree
within their rounding and count once. Levels are tonnes, as everywhere inside; tellings keep the Mt they
were printed in, for rounding is read off the printed digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from features.errors import AskError
from features.reference.targets import half_digit

TONNES_PER_MT: Final = 1e6
KINDS: Final = ("percent", "level", "reduction", "net-zero", "intensity")
FIRST_YEAR, LAST_YEAR = 1970, 2100


@dataclass(frozen=True)
class Goal:
    """One telling of a target.

    Attributes:
        kind: of ``KINDS``.
        value: percent of the base, Mt left (level), Mt cut (reduction), 0 (net-zero), or tCO2e a unit of
            activity (intensity).
        base_year, base_mt: None where not published.
        scope: what is counted, in the publisher's words; "" where not stated.
        scope_id: the published total it is about; "" where none is.
        activity: units of activity expected in the target year, for an intensity.
        sector, base_intensity: of an intensity to be held against a sector's path (cement, steel): tCO2e a
            tonne of product in the base year.
        source: where it was read, or "user".
        evidence: "read", "derived", "recalled" or "user".
    """

    target_id: str
    cluster_id: str
    kind: str
    value: float
    base_year: int | None
    base_mt: float | None
    target_year: int
    scope: str = ""
    scope_id: str = ""
    pledged_by: str = ""
    in_force: bool = True
    source: str = "user"
    evidence: str = "user"
    note: str = ""
    activity: float | None = None
    sector: str = ""
    base_intensity: float | None = None

    @staticmethod
    def of_record(record: Mapping[str, Any]) -> Goal:
        """A row of the registry's targets, as a pack keeps it."""
        base_year, base = record.get("base_year"), record.get("base_value_mt")
        return Goal(
            target_id=str(record["target_id"]),
            cluster_id=str(record["cluster_id"]),
            kind=str(record["kind"]),
            value=float(record["value"]),
            base_year=None if base_year is None else int(base_year),
            base_mt=None if base is None else float(base),
            target_year=int(record["target_year"]),
            scope=str(record.get("scope") or ""),
            scope_id=str(record.get("scope_id") or ""),
            pledged_by=str(record.get("pledged_by") or ""),
            in_force=bool(record.get("in_force", True)),
            source=str(record.get("source") or ""),
            evidence=str(record.get("evidence") or ""),
            note=str(record.get("note") or ""),
        )

    def as_record(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return dict(vars(self))

    def left_mt(self, base_mt: float | None) -> float | None:
        """Mt this telling leaves of a base; None where it needs a base that is not known."""
        if self.kind == "level":
            return self.value
        if self.kind == "net-zero":
            return 0.0
        if self.kind == "intensity":
            return None if self.activity is None else self.value * self.activity / TONNES_PER_MT
        if base_mt is None:
            return None
        return base_mt - self.value if self.kind == "reduction" else (1 - self.value / 100) * base_mt


def check_user_goal(goal: Goal) -> Goal:
    """The goal, if it can be one.

    Raises:
        AskError: ``target-implausible`` or ``target-slip`` (a level told as a reduction, or the other way
            round); the field is named.
    """
    wrong = _implausible(goal)
    if wrong is not None:
        field, found, expected = wrong
        raise AskError(
            "target-implausible",
            found=f"{field}: {found}",
            expected=expected,
            remedy=f"mend {field} of the target",
            facts={"field": field},
        )
    return goal


def _implausible(goal: Goal) -> tuple[str, str, str] | None:
    if goal.kind not in KINDS:
        return "kind", repr(goal.kind), "one of " + ", ".join(KINDS)
    if not FIRST_YEAR < goal.target_year <= LAST_YEAR:
        return "target_year", str(goal.target_year), f"a year after {FIRST_YEAR}, up to {LAST_YEAR}"
    if goal.base_year is not None and not FIRST_YEAR <= goal.base_year < goal.target_year:
        return "base_year", str(goal.base_year), f"a year from {FIRST_YEAR}, before the target year"
    if goal.kind == "percent" and not 0 < goal.value <= 100:
        return "value", f"a cut of {goal.value:g} percent", "above 0 and at most 100 percent"
    if goal.kind == "net-zero" and goal.value != 0:
        return "value", f"{goal.value:g}", "0 for net-zero; a level where something is left"
    if goal.value < 0:
        return "value", f"{goal.value:g}", "not below 0"
    if goal.base_mt is not None and not goal.base_mt > 0:
        return "base_value_mt", f"{goal.base_mt:g}", "above 0"
    if goal.activity is not None and not goal.activity > 0:
        return "activity", f"{goal.activity:g}", "above 0"
    return _against_base(goal)


def _against_base(goal: Goal) -> tuple[str, str, str] | None:
    if goal.base_mt is None or goal.kind not in ("level", "reduction"):
        return None
    if goal.kind == "reduction" and goal.value > goal.base_mt + half_digit(goal.value):
        return "value", f"a cut of {goal.value:g} Mt from {goal.base_mt:g} Mt", "a cut not above its base"
    if goal.kind == "level" and goal.value > goal.base_mt:
        return "value", f"a level of {goal.value:g} Mt above its base of {goal.base_mt:g} Mt", "a level below"
    return None


def slip_of(goal: Goal, others: Sequence[Goal]) -> str:
    """The classic slip, in words: a level read as a reduction, or the other way round; "" without one.

    A telling is held against every other of the same year and base.
    """
    for other in others:
        base = goal.base_mt if goal.base_mt is not None else other.base_mt
        same = goal.target_year == other.target_year and other.kind in ("percent", "level", "reduction")
        left = other.left_mt(base) if same and base is not None else None
        if left is None or base is None:
            continue
        near = half_digit(goal.value) + half_digit(base)
        if goal.kind == "reduction" and abs(goal.value - left) <= near < abs(base - goal.value - left):
            return f"{goal.value:g} Mt is the level that {other.target_id} leaves, read as a reduction"
        if goal.kind == "level" and abs(base - goal.value - left) <= near < abs(goal.value - left):
            return f"{goal.value:g} Mt is the reduction that {other.target_id} asks for, read as a level"
    return ""


@dataclass(frozen=True)
class Telling:
    """One goal with all its tellings: the most exact first.

    Attributes:
        goal: the one that is measured against.
        same: others that say the same within their rounding.
        conflicts: others of the same year that do not.
    """

    goal: Goal
    same: tuple[Goal, ...]
    conflicts: tuple[Goal, ...]


def gathered(goals: Sequence[Goal]) -> list[Telling]:
    """One entry a goal in force, nearest year first; a goal that is told twice stands once.

    Args:
        goals: of one cluster, in force or not.
    """
    told: list[Telling] = []
    left = sorted((g for g in goals if g.in_force), key=lambda g: (g.target_year, _roundness(g), g.target_id))
    while left:
        first, rest = left[0], left[1:]
        same = tuple(g for g in rest if agree(first, g))
        clash = tuple(g for g in goals if g is not first and g not in same and conflicts(first, g))
        told.append(Telling(first, same, clash))
        left = [g for g in rest if g not in same]
    return told


def agree(one: Goal, other: Goal) -> bool:
    """Whether two tellings of one year, base and scope leave the same within what was rounded."""
    alike = (one.target_year, one.base_year, one.scope) == (other.target_year, other.base_year, other.scope)
    base = one.base_mt if one.base_mt is not None else other.base_mt
    here, there = one.left_mt(base), other.left_mt(base)
    if not alike or here is None or there is None:
        return False
    near = _rounding(one, base) + _rounding(other, base)
    return abs(here - there) <= near + 1e-9


def conflicts(one: Goal, other: Goal) -> bool:
    """Whether two tellings of one year ask for unlike things, or cannot be shown to ask for the same.

    Net zero beside a level or a percentage of the same year is no conflict: it says what becomes of the rest.
    """
    zero = "net-zero" in (one.kind, other.kind) and one.kind != other.kind
    return one.target_year == other.target_year and not zero and not agree(one, other)


def refuse_conflicts(goals: Sequence[Goal]) -> None:
    """Refuse targets of one year and scope that ask for unlike things.

    Raises:
        AskError: ``target-contradicts``.
    """
    for k, one in enumerate(goals):
        for other in goals[k + 1 :]:
            if one.scope_id == other.scope_id and conflicts(one, other):
                base = one.base_mt if one.base_mt is not None else other.base_mt
                left = [goal.left_mt(base) for goal in (one, other)]
                said = ["no level of its own" if mt is None else f"{mt:.4g} Mt" for mt in left]
                raise AskError(
                    "target-contradicts",
                    found=f"{one.target_id} leaves {said[0]}, {other.target_id} leaves {said[1]} "
                    f"in {one.target_year}",
                    expected="one target a year and scope, or tellings of it that agree as far as rounded",
                    remedy="ask for one of them at a time, or give unlike ones their own scope_id",
                    facts={"targets": [one.target_id, other.target_id]},
                )


def _rounding(goal: Goal, base_mt: float | None) -> float:
    """Mt that a telling may be off by, from its printed digits."""
    if goal.kind == "percent" and base_mt is not None:
        return (1 - goal.value / 100) * half_digit(base_mt) + base_mt * half_digit(goal.value) / 100
    if goal.kind == "reduction" and base_mt is not None:
        return half_digit(goal.value) + half_digit(base_mt)
    return half_digit(goal.value)


def _roundness(goal: Goal) -> int:
    """A percentage of a known base is the pledge itself; a level in Mt is its rounded form."""
    order = {"percent": 0, "level": 1, "reduction": 2, "intensity": 3, "net-zero": 4}
    return order[goal.kind] + (10 if goal.kind == "percent" and goal.base_mt is None else 0)
