"""One goal measured on one ground: every number of a progress answer, JSON-ready, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from features.errors import ForecarbonError
from insights import chance
from insights.figures import Future, Record
from insights.goals import Telling
from insights.progress import Course, needed, on_track
from insights.resolve import Ground, Resolved, resolve
from insights.science import ACA_KEY, PATHWAYS, intensity_path, linear_test, sda

BAND: Final = 0.9
Factors = Mapping[str, tuple[float, ...]]


class Recalibrated(Protocol):
    """What turns a share of paths into the probability that was true of such shares in the past."""

    def apply(self, p: float, kind: str) -> Any:
        """The recalibrated probability."""
        ...

    def band(self, p: float, kind: str, level: float = BAND) -> tuple[float, float]:
        """Its central interval, from the scarcity of the past it was learnt on."""
        ...

    def believed(self, kind: str) -> bool:
        """Whether enough was seen to learn from."""
        ...


@dataclass(frozen=True)
class Scales:
    """What answers are measured with.

    Attributes:
        factors: key -> (value, low, high) of the reference table.
        recalibration: None where the served model keeps none: then shares of paths are told as they are.
        kind: of the series, for the recalibration.
    """

    factors: Factors
    recalibration: Recalibrated | None
    kind: str


def assessed(
    telling: Telling, ground: Ground, scales: Scales, *, base_year: int | None = None, scope: str = ""
) -> dict[str, Any]:
    """A goal with everything that can be said of it; ``status`` is "measured" or "refused"."""
    goal = telling.goal
    head = {
        "target": goal.as_record(),
        "tellings": 1 + len(telling.same),
        "also_told_as": [other.as_record() for other in telling.same],
        "conflicts": [other.as_record() for other in telling.conflicts],
    }
    try:
        resolved = resolve(goal, ground, base_year=base_year, assume=scope)
    except ForecarbonError as why:
        return {**head, "status": "refused", "refusal": why.as_record()}
    return {**head, "status": "measured", "refusal": None, **measured(resolved, ground, scales)}


def measured(resolved: Resolved, ground: Ground, scales: Scales) -> dict[str, Any]:
    """The numbers of a goal that was resolved."""
    record = ground.records[resolved.scope]
    future = ground.futures[resolved.scope].after(record.year)
    course = course_of(resolved)
    return {
        "scope": resolved.scope,
        "level": resolved.level,
        "base_year": resolved.base_year,
        "base": resolved.base,
        "notes": list(resolved.notes),
        "latest": {"year": record.year, "value": record.value, "evidence": record.evidence_at(record.year)},
        "on_track": None if course is None else on_track(record, course).as_record(),
        "needed": needed(record, resolved.level, resolved.goal.target_year).as_record(),
        "chance": chance_of(resolved, future, scales, record),
        "crossing": chance.crossing(future, _column(resolved)).as_record(),
        "budget": _budget(record, future, course),
        "science": _science(resolved, scales.factors),
        "informed_by": list(future.informed_by),
    }


def course_of(resolved: Resolved) -> Course | None:
    """The straight path of a goal; None where it has no base."""
    if resolved.base is None or resolved.base_year is None:
        return None
    return Course(resolved.base_year, resolved.base, resolved.goal.target_year, resolved.level)


def _column(resolved: Resolved) -> Any:
    return resolved.levels if isinstance(resolved.levels, float) else np.asarray(resolved.levels)[None, :]


def chance_of(resolved: Resolved, future: Future, scales: Scales, record: Record) -> dict[str, Any]:
    """P(E_T <= E*), its uncertainty and the band of the target year; for a target beyond the horizon the
    last forecast year against the straight path, told as such; for one that is past what came of it."""
    year, levels = resolved.goal.target_year, resolved.levels
    told: dict[str, Any] = {"year": year, "status": "ahead", "level": resolved.level}
    if year < int(future.years[0]):
        return {**told, "status": "past", "p": None, "outcome": outcome_of(resolved, record)}
    if year > future.horizon:
        course = course_of(resolved)
        if course is None:
            return {**told, "status": "beyond-horizon", "p": None, "horizon": future.horizon}
        year = future.horizon
        levels = course.at(year)
        told |= {"status": "beyond-horizon", "year": year, "level": levels, "horizon": future.horizon}
    share = chance.share_met(future, year, levels)
    low, middle, high = chance.path_of_year(future, year)
    return {
        **told,
        **probability(share, future, scales),
        "emissions": {"q0.1": low, "q0.5": middle, "q0.9": high},
        "shortfall": middle - resolved.level,
    }


def outcome_of(resolved: Resolved, record: Record) -> dict[str, Any]:
    """What was emitted in a target year that is past, tCO2e, and whether the target was met; None where there
    is no figure of that year."""
    value = record.at(resolved.goal.target_year)
    return {"value": value, "met": None if value is None else value <= resolved.level}


def probability(share: float, future: Future, scales: Scales) -> dict[str, Any]:
    """A share of paths as a probability with its central 90% interval.

    The interval joins the noise of a finite draw with the scarcity of the past the recalibration was learnt
    on; without a recalibration it is the noise alone, and ``calibrated`` is false.
    """
    noise = 1.645 * chance.noise_of(share, future)
    ends = [max(0.0, share - noise), min(1.0, share + noise)]
    told = {"share_of_paths": share, "paths": int(future.paths.shape[1]), "effective_paths": future.effective}
    if scales.recalibration is None or not scales.recalibration.believed(scales.kind):
        return {"p": share, "p_low": ends[0], "p_high": ends[1], "calibrated": False, **told}
    p = float(scales.recalibration.apply(share, scales.kind))
    low = min(scales.recalibration.band(ends[0], scales.kind, BAND)[0], p)
    high = max(scales.recalibration.band(ends[1], scales.kind, BAND)[1], p)
    return {"p": p, "p_low": low, "p_high": high, "calibrated": True, **told}


def _budget(record: Record, future: Future, course: Course | None) -> dict[str, Any] | None:
    spent = None if course is None else chance.budget(record, future, course)
    return None if spent is None else spent.as_record()


def _science(resolved: Resolved, factors: Factors) -> dict[str, Any] | None:
    """The linear test of a target with a base, or the sector path of an intensity; else None."""
    goal = resolved.goal
    if goal.kind == "intensity" and goal.sector and goal.base_intensity is not None:
        if goal.base_year is None:
            return None
        asked = sda(
            goal.base_intensity, goal.base_year, goal.target_year, intensity_path(goal.sector, factors)
        )
        return {
            "method": "sectoral decarbonisation (SDA), market share held (m = 1)",
            "pathway": f"{PATHWAYS[goal.sector]}*",
            "intensity": goal.value,
            "intensity_asked": asked,
            "passes": goal.value <= asked,
            "evidence": "recalled",
        }
    if resolved.base is None or resolved.base_year is None or resolved.base <= 0:
        return None
    asked = factors[ACA_KEY][0]
    return linear_test(resolved.base, resolved.base_year, resolved.level, goal.target_year, asked).as_record()
