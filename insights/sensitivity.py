"""What hangs on each project: the chance and the tonnes with it, without it, and if it comes late.

Both sides of every comparison stand on the same paths and draws, so a project that changes no path changes
nothing, exactly; what is left of chance is the noise of the paths that do change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from insights.assess import Scales, course_of, probability
from insights.figures import Future
from insights.laid import Bench, under
from insights.levers import Float
from insights.plan import Plan
from insights.resolve import Resolved

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Mark:
    """What paths are held against: a year and a level, tCO2e (one, or one a path)."""

    year: int
    levels: Float | float

    def met(self, future: Future) -> Bool:
        """(P,) whether each path is at or below the level."""
        return np.asarray(self._at(future) <= self.levels)

    def shortfall(self, future: Future) -> float:
        """Expected tonnes above the level in its year: the mean of what is above it, 0 where none is."""
        return float(np.maximum(self._at(future) - self.levels, 0.0) @ future.weights)

    def _at(self, future: Future) -> Float:
        at = future.at(self.year)
        if at is None:
            raise KeyError(self.year)
        return at


def mark_of(resolved: Resolved, future: Future) -> Mark | None:
    """The target year and level; beyond the horizon the last year of the straight path. None where nothing is
    ahead, or no straight path leads there."""
    year = resolved.goal.target_year
    if year < int(future.years[0]):
        return None
    if year <= future.horizon:
        return Mark(year, resolved.levels)
    course = course_of(resolved)
    return None if course is None else Mark(future.horizon, course.at(future.horizon))


def change_of(before: Bool, after: Bool, future: Future, scales: Scales) -> dict[str, float]:
    """How a chance moves, with the central 90% interval of what another draw of the paths would move it by.

    Paths are compared one by one: noise that both sides share is in neither. Both shares go through the
    recalibration where there is one.
    """
    moved = after.astype(np.float64) - before.astype(np.float64)
    if not moved.any():
        return dict.fromkeys(("p", "p_low", "p_high", "share_of_paths"), 0.0)
    share, mean = float(before @ future.weights), float(moved @ future.weights)
    noise = 1.645 * float(np.sqrt(np.square(moved - mean) @ future.weights / future.effective))
    # Where every path that moves goes one way, no other draw of paths could go the other way.
    least = 0.0 if moved.min() >= 0 else -1.0
    most = 0.0 if moved.max() <= 0 else 1.0
    ends = [share + min(max(each, least), most) for each in (mean - noise, mean, mean + noise)]
    at = probability(share, future, scales)["p"]
    low, middle, high = (probability(min(max(e, 0.0), 1.0), future, scales)["p"] - at for e in ends)
    return {"p": middle, "p_low": low, "p_high": high, "share_of_paths": mean}


def sensitivity(bench: Bench, future: Future, mark: Mark, scales: Scales) -> list[dict[str, Any]]:
    """One row a project, the one that moves the chance most first.

    Args:
        future: the baseline, in the scope of the mark.
    """
    planned = under(future, bench.laid(future))
    rows = [_row(bench, plan, future, planned, mark, scales) for plan in bench.scenario.projects]
    return sorted(rows, key=lambda row: (-abs(row["adds"]["share_of_paths"]), -abs(row["direct_up_to_year"])))


def _row(
    bench: Bench, plan: Plan, future: Future, planned: Future, mark: Mark, scales: Scales
) -> dict[str, Any]:
    draws = bench.draws[plan.name]
    lost = under(future, bench.changed(plan.name, draws.lost()).laid(future))
    late = under(future, bench.changed(plan.name, draws.later(plan.late_years)).laid(future))
    with_it = mark.met(planned)
    upto = future.years <= mark.year
    more = {name: (other.paths - planned.paths)[upto] for name, other in (("lost", lost), ("late", late))}
    return {
        "name": plan.name,
        "project_id": plan.project_id,
        "year": mark.year,
        "adds": change_of(mark.met(lost), with_it, future, scales),
        "direct_in_year": float(more["lost"][-1] @ future.weights),
        "direct_up_to_year": float(more["lost"].sum(axis=0) @ future.weights),
        "shortfall": mark.shortfall(planned),
        "delay": _delay(bench, plan, future, planned, mark, scales),
        "if_lost": _what_if(lost, mark, more["lost"], with_it, scales),
        "if_late": {"years": plan.late_years, **_what_if(late, mark, more["late"], with_it, scales)},
    }


def _delay(
    bench: Bench, plan: Plan, future: Future, planned: Future, mark: Mark, scales: Scales
) -> dict[str, Any] | None:
    """What the planned delay did to the chance; None where none is planned."""
    if plan.delay_years == 0:
        return None
    draws = bench.draws[plan.name].later(-plan.delay_years)
    in_time = under(future, bench.changed(plan.name, draws).laid(future))
    before, after = mark.met(in_time), mark.met(planned)
    return {
        "years": plan.delay_years,
        "before": probability(float(future.weights[before].sum()), future, scales),
        "after": probability(float(future.weights[after].sum()), future, scales),
        "change": change_of(before, after, future, scales),
        "shortfall_before": mark.shortfall(in_time),
        "more_up_to_year": float(
            (planned.paths - in_time.paths)[future.years <= mark.year].sum(axis=0) @ future.weights
        ),
    }


def _what_if(other: Future, mark: Mark, more: Float, with_it: Bool, scales: Scales) -> dict[str, Any]:
    """P(target | that), how it moves the chance, the expected shortfall, and what is emitted more."""
    met = mark.met(other)
    return {
        "chance": probability(float(other.weights[met].sum()), other, scales),
        "change": change_of(with_it, met, other, scales),
        "shortfall": mark.shortfall(other),
        "more_in_year": float(more[-1] @ other.weights),
        "more_up_to_year": float(more.sum(axis=0) @ other.weights),
    }
