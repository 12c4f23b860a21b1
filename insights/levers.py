"""Levers laid over sample paths: applied in order, each on what those before it left.

The kinds are those of insights/lever_kinds.py. A *measure* is one lever at work in
tonnes, from a lever of the plan or from a project. What it takes off the path (direct) is told apart from
what it captures and from what it brings back elsewhere (insights/tolls.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from insights.lever_kinds import KINDS, LEVERS
from insights.tolls import Toll

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
# Codes of what is shown beside a measure.
RAISES: Final = "raises-emissions"
RAISES_INSIDE: Final = "raises-the-path"
GRID_UNKNOWN: Final = "grid-not-known"


@dataclass(frozen=True)
class Measure:
    """One lever at work.

    Attributes:
        name: of the lever or project.
        kind: of ``KINDS``.
        capacity: gross tonnes a year at full strength; infinite where only the share bounds it.
        reach: share of what is left that it can get at: of fuel emissions, or the capture rate of those
            that are caught.
        strength: (H, 1) or (H, P) share of full strength, from 0 to 1: ramp, slips, delivery.
        toll: what a gross tonne brings back.
        cost: money a gross tonne; None where not known.
    """

    name: str
    kind: str
    capacity: float
    reach: float
    strength: Float
    toll: Toll
    cost: float | None = None

    def gross(self, left: Float) -> Float:
        """(H, P) tonnes captured or replaced of what is ``left``: never above it, nor above capacity."""
        # The strength bounds both: half a plant has half its capacity and stands at half of the sources.
        bound = np.minimum(self.reach * left, self.capacity)
        return np.asarray(np.maximum(bound, 0.0) * self.strength)

    @property
    def flags(self) -> tuple[str, ...]:
        """What must not be overlooked about it."""
        told = [RAISES_INSIDE] if self.toll.inside > 1 else []
        avoided = self.toll.avoided
        if avoided is None:
            return (*told, GRID_UNKNOWN)
        return (*told, RAISES) if avoided < 0 else tuple(told)


def ramped(years: Int, start: Float | Int | int, ramp_years: int, end: int | None = None) -> Float:
    """(H, 1) or (H, P) share of full strength by year: none before ``start``, all from its first year on
    without a ramp, else (y − start + 1) ÷ (ramp_years + 1), up to 1; none after ``end``.

    Args:
        start: year, or (P,) years.
    """
    row = np.atleast_1d(np.asarray(start, dtype=np.float64))[None, :]
    share = np.clip((years[:, None] - row + 1) / (ramp_years + 1), 0.0, 1.0)
    return share if end is None else np.where(years[:, None] <= end, share, 0.0)


@dataclass(frozen=True)
class Applied:
    """Measures on paths.

    Attributes:
        paths: (H, P) what is left of the emissions, tCO2e.
        gross: one (H, P) a measure: captured or replaced.
        measures: in the order they were applied.
        interaction: (H, P) sum of what each would take off alone less what they take off together: what is
            lost, or won, by their meeting on the same tonnes.
    """

    paths: Float
    gross: tuple[Float, ...]
    measures: tuple[Measure, ...]
    interaction: Float

    def direct(self, k: int) -> Float:
        """(H, P) what measure ``k`` takes off the path."""
        return self.gross[k] * (1.0 - self.measures[k].toll.inside)

    def elsewhere(self, k: int) -> Float | None:
        """(H, P) what it brings back outside the path; None where not known."""
        toll = self.measures[k].toll.elsewhere
        return None if toll is None else self.gross[k] * toll

    def captured(self, k: int) -> Float:
        """(H, P) what it captures; nothing unless its kind captures."""
        captures = LEVERS[self.measures[k].kind].captures
        return self.gross[k] if captures else np.zeros_like(self.gross[k])


def applied(paths: Float, measures: Sequence[Measure]) -> Applied:
    """The measures in the order given, each on the remainder, and what their order hides.

    Args:
        paths: (H, P) tCO2e, not below 0.
    """
    left, gross = paths, []
    for measure in measures:
        taken = measure.gross(left)
        left = left - taken * (1.0 - measure.toll.inside)
        gross.append(taken)
    alone = np.zeros_like(paths)
    for measure in measures:
        alone = alone + measure.gross(paths) * (1.0 - measure.toll.inside)
    met = len(measures) > 1
    interaction = alone - (paths - left) if met else np.zeros_like(paths)
    return Applied(left, tuple(gross), tuple(measures), interaction)


def ordered(measures: Sequence[Measure], order: Sequence[str] = KINDS) -> list[Measure]:
    """By kind in the order of the plan; within a kind as listed."""
    return sorted(measures, key=lambda measure: order.index(measure.kind))
