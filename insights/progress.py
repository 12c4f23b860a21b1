"""Are we on track today, and how fast must we go? Plain formulas of two figures and two years.

Notation of docs/glossary.md: E_b base, E* target level, b base year, T target year, t now.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from insights.figures import Record

# How far back the achieved rate looks: long enough to outlast one bad year, short enough to be "now".
WINDOW: Final = 10


@dataclass(frozen=True)
class Course:
    """The straight path from base to target. tCO2e and years."""

    base_year: int
    base: float
    target_year: int
    level: float

    def at(self, year: float) -> float:
        """P_t = E_b - (E_b - E*)(t - b)/(T - b): tCO2e allowed in ``year``; E* after the target year."""
        share = (year - self.base_year) / (self.target_year - self.base_year)
        return self.base - (self.base - self.level) * float(np.clip(share, 0.0, 1.0))

    def year_of(self, amount: float) -> float | None:
        """The year in which the path stands at ``amount``; None where it never does or is flat."""
        if self.base == self.level:
            return None
        share = (self.base - amount) / (self.base - self.level)
        if not 0.0 <= share <= 1.0:
            return None
        return self.base_year + share * (self.target_year - self.base_year)


@dataclass(frozen=True)
class OnTrack:
    """Where we stand against the straight path. DOMAIN question 2.

    Attributes:
        allowed: P_t, tCO2e.
        gap: E_t - P_t, tCO2e; above zero is behind.
        gap_percent: of P_t; None where P_t is 0.
        delay_years: t - the year in which the path stood at E_t; below zero is ahead. None where E_t lies
            above the base or below the target: see ``delay_bound``.
        delay_bound: "at-least" (E_t above its base: the cut has not begun), "done" (E_t at or below the
            target), "" where ``delay_years`` says it.
    """

    year: int
    emissions: float
    allowed: float
    gap: float
    gap_percent: float | None
    delay_years: float | None
    delay_bound: str

    def as_record(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return asdict(self)


def on_track(record: Record, course: Course) -> OnTrack:
    """The newest figure against the straight path."""
    year, emissions = record.year, record.value
    allowed = course.at(year)
    reached, bound = course.year_of(emissions), ""
    delay = None if reached is None else min(year, course.target_year) - reached
    if reached is None:
        bound = "done" if emissions <= course.level else "at-least"
        delay = None if bound == "done" else float(min(year, course.target_year) - course.base_year)
    return OnTrack(
        year=year,
        emissions=emissions,
        allowed=allowed,
        gap=emissions - allowed,
        gap_percent=100 * (emissions - allowed) / allowed if allowed > 0 else None,
        delay_years=delay,
        delay_bound=bound,
    )


@dataclass(frozen=True)
class Needed:
    """How fast the rest of the way is. DOMAIN question 3.

    Attributes:
        linear: (E_t - E*)/(T - t), tCO2e a year; None where the target year is not ahead.
        compound: 1 - (E*/E_t)^(1/(T - t)) in percent a year; None where undefined.
        undefined: why ``compound`` or both are None ("target-is-zero", "target-year-past",
            "no-emissions"); "" where neither is.
        achieved: mean yearly cut between the first and the newest figure of the window, tCO2e a year; below
            zero where emissions grew. None with one figure.
        achieved_compound: the same in percent a year.
        achieved_from: first year of the window.
        ratio: linear ÷ achieved; None where nothing was cut.
    """

    years_left: int
    linear: float | None
    compound: float | None
    undefined: str
    achieved: float | None
    achieved_compound: float | None
    achieved_from: int | None
    ratio: float | None

    def as_record(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return asdict(self)


def needed(record: Record, level: float, target_year: int) -> Needed:
    """The required yearly cut, linear and compound, beside the achieved one."""
    left = target_year - record.year
    emissions = record.value
    linear, compound, undefined = None, None, ""
    if left <= 0:
        undefined = "target-year-past"
    else:
        linear = (emissions - level) / left
        if emissions <= 0:
            undefined = "no-emissions"
        elif level <= 0:
            undefined = "target-is-zero"
        else:
            compound = 100 * (1 - (level / emissions) ** (1 / left))
    done, rate, since = achieved(record)
    ratio = linear / done if linear is not None and done is not None and done > 0 else None
    return Needed(left, linear, compound, undefined, done, rate, since, ratio)


def achieved(record: Record, window: int = WINDOW) -> tuple[float | None, float | None, int | None]:
    """Mean yearly cut (tCO2e), its compound rate (percent), and the first of the last ``window`` years."""
    inside = np.flatnonzero(record.years >= record.year - window)
    first = int(inside[0])
    years = record.year - int(record.years[first])
    if years == 0:
        return None, None, None
    begun = float(record.values[first])
    rate = 100 * (1 - (record.value / begun) ** (1 / years)) if begun > 0 and record.value > 0 else None
    return (begun - record.value) / years, rate, int(record.years[first])
