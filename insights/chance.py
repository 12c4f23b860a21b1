"""The chance of meeting a dated target, when it will be met, and what is overspent by then.

All of it from joint sample paths: nothing here adds quantiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insights.figures import Future, Record, weighted_quantiles
from insights.progress import Course

Float = npt.NDArray[np.float64]
LEVELS: Final = (0.1, 0.5, 0.9)


def share_met(future: Future, year: int, level: float | Float) -> float:
    """P(E_T <= E*) as the paths have it.

    Args:
        level: tCO2e, or (P,) one a path where the base is read over the same bridge as the path.

    Raises:
        KeyError: the year is not forecast.
    """
    at = future.at(year)
    if at is None:
        raise KeyError(year)
    return float(future.weights[at <= level].sum())


def noise_of(share: float, future: Future) -> float:
    """Standard error of a share of paths: what another draw of as many would move it by."""
    return float(np.sqrt(max(share * (1 - share), 0.0) / future.effective))


@dataclass(frozen=True)
class Crossing:
    """When a level is reached: shares of paths by year; the rest is "not before the horizon".

    Attributes:
        first: year -> share whose first year at or below the level it is.
        lasting: year -> share that from it on stays at or below the level, to the horizon.
        not_before: share that is not at or below the level in any year up to ``horizon``.
        not_lasting: share that is above it in the last year.
    """

    horizon: int
    first: dict[int, float]
    lasting: dict[int, float]
    not_before: float
    not_lasting: float

    def median_of(self, which: str) -> int | None:
        """The year by which half of the paths have crossed ("first" or "lasting"); None: not before the
        horizon."""
        total = 0.0
        for year, share in sorted((self.first if which == "first" else self.lasting).items()):
            total += share
            if total >= 0.5:
                return year
        return None

    def as_record(self) -> dict[str, Any]:
        """JSON-ready fields; a year no path crosses in is left out."""
        return {
            "horizon": self.horizon,
            "median_first_year": self.median_of("first"),
            "median_lasting_year": self.median_of("lasting"),
            "first": [{"year": y, "share": s} for y, s in sorted(self.first.items()) if s > 0],
            "lasting": [{"year": y, "share": s} for y, s in sorted(self.lasting.items()) if s > 0],
            "not_before_horizon": self.not_before,
            "not_lasting_by_horizon": self.not_lasting,
        }


def crossing(future: Future, level: float | Float) -> Crossing:
    """First and lasting year at or below a level, path by path."""
    below = future.paths <= level
    ever = below.any(axis=0)
    first = below.argmax(axis=0)
    stays = np.logical_and.accumulate(below[::-1], axis=0)[::-1]
    holds = stays.any(axis=0)
    lasting = stays.argmax(axis=0)
    weigh = future.weights
    return Crossing(
        horizon=future.horizon,
        first={int(y): float(weigh[ever & (first == k)].sum()) for k, y in enumerate(future.years)},
        lasting={int(y): float(weigh[holds & (lasting == k)].sum()) for k, y in enumerate(future.years)},
        not_before=float(weigh[~ever].sum()),
        not_lasting=float(weigh[~holds].sum()),
    )


def path_of_year(future: Future, year: int) -> list[float]:
    """Quantiles at ``LEVELS`` of one year, tCO2e."""
    at = future.at(year)
    if at is None:
        raise KeyError(year)
    return [float(value) for value in weighted_quantiles(at, future.weights, np.asarray(LEVELS))]


@dataclass(frozen=True)
class Budget:
    """Cumulative emissions from the newest figure to the target year beside the straight path's.

    Attributes:
        from_year, to_year: t and T, or the horizon where that comes first.
        allowed: trapezoid under the straight path, tCO2e.
        spent: quantiles at ``LEVELS`` of the trapezoid under the paths, tCO2e.
        overshoot: the same of spent - allowed.
        chance_over: share of paths that spend more than allowed.
        so_far: overshoot from the base year to t, where every year has a figure; else None.
    """

    from_year: int
    to_year: int
    allowed: float
    spent: tuple[float, ...]
    overshoot: tuple[float, ...]
    chance_over: float
    so_far: float | None

    def as_record(self) -> dict[str, Any]:
        """JSON-ready fields."""
        told = {"allowed": self.allowed, "chance_over": self.chance_over, "so_far": self.so_far}
        spans = {"spent": self.spent, "overshoot": self.overshoot}
        bands = {name: dict(zip(("q0.1", "q0.5", "q0.9"), row, strict=True)) for name, row in spans.items()}
        return {"from_year": self.from_year, "to_year": self.to_year, **told, **bands}


def budget(record: Record, future: Future, course: Course) -> Budget | None:
    """DOMAIN question 7: sum E - sum P by the trapezoid rule, from the newest figure on; None where no year
    is ahead.

    The years between the newest figure and the first of the future must join: where the record is a
    published total newer than the cutoff, the paths are taken from the year after it.
    """
    ahead = np.flatnonzero((future.years > record.year) & (future.years <= course.target_year))
    if len(ahead) == 0 or int(future.years[ahead[0]]) != record.year + 1:
        return None
    count = future.paths.shape[1]
    line = np.vstack([np.full((1, count), record.value), future.paths[ahead]])
    years = np.concatenate([[record.year], future.years[ahead]]).astype(float)
    spent = np.trapezoid(line, years, axis=0)
    allowed = float(np.trapezoid([course.at(y) for y in years], years))
    levels = np.asarray(LEVELS)
    return Budget(
        from_year=record.year,
        to_year=int(years[-1]),
        allowed=allowed,
        spent=tuple(weighted_quantiles(spent, future.weights, levels).tolist()),
        overshoot=tuple(weighted_quantiles(spent - allowed, future.weights, levels).tolist()),
        chance_over=float(future.weights[spent > allowed].sum()),
        so_far=_so_far(record, course),
    )


def _so_far(record: Record, course: Course) -> float | None:
    """Overshoot between base year and now, tCO2e; None where a year has no figure."""
    years = list(range(course.base_year, record.year + 1))
    if len(years) < 2 or any(record.at(y) is None for y in years):
        return None
    at = np.array([record.at(y) for y in years], dtype=float)
    return float(np.trapezoid(at - [course.at(y) for y in years], years))
