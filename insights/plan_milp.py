"""The plan finder as a mixed-integer programme (HiGHS), exact where options deliver the same on every path.

The chance constraint is then one row: what a plan abates is at least the quantile of what is needed, for
P(E_T - abated <= E*) >= p if and only if abated >= the p-quantile of E_T - E*. Paths need no binaries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp

from insights.options import CLOSE, Choice, Question, Start, chosen, starts_of
from insights.plan_tables import quantile_of_rows

Float = npt.NDArray[np.float64]
METHOD: Final = "mixed-integer programme on a quantile"
_SCALE: Final = 1e6
_BEST, _TIME = 0, 1


def is_even(asked: Question) -> bool:
    """Whether every option delivers the same on every path."""
    return all(option.tonnes.ndim == 1 for option in asked.options)


@dataclass(frozen=True)
class Columns:
    """A column a start of an option.

    Attributes:
        names: (n,) option of each column; starts: (n,).
        abates: (n,) tCO2e in the target year; costs: (n,) EUR.
    """

    names: tuple[str, ...]
    starts: tuple[Start, ...]
    abates: Float
    costs: Float

    @staticmethod
    def of(asked: Question) -> Columns:
        """Of every option with a start in time."""
        told = [(option.name, start) for option in asked.options for start in starts_of(option, asked)]
        return Columns(
            tuple(name for name, _ in told),
            tuple(start for _, start in told),
            np.array([float(start.abates) for _, start in told]),
            np.array([start.cost for _, start in told]),
        )

    def of_option(self, name: str) -> Float:
        """(n,) ones where a column is of an option."""
        return np.array([float(one == name) for one in self.names])

    def up_to(self, name: str, year: int) -> Float:
        """(n,) ones where a column starts an option no later than ``year``."""
        told = zip(self.names, self.starts, strict=True)
        return np.array([float(one == name and start.year <= year) for one, start in told])


def cheapest(asked: Question, probability: float, seconds: float) -> Choice | None:
    """The cheapest plan that meets the target with ``probability``; None without one."""
    columns = Columns.of(asked)
    need = float(quantile_of_rows(asked.aim.needs[None, :], asked.aim.weights, probability)[0])
    enough = LinearConstraint(columns.abates / _SCALE, (need - CLOSE / 2) / _SCALE, np.inf)
    return _solved(asked, columns, columns.costs, [enough], seconds)


def likeliest(asked: Question, seconds: float) -> Choice | None:
    """The plan that abates most within the budget, and so has the highest chance."""
    columns = Columns.of(asked)
    return _solved(asked, columns, -columns.abates, [], seconds)


def _solved(
    asked: Question, columns: Columns, cost: Float, more: list[LinearConstraint], seconds: float
) -> Choice | None:
    if not columns.names:
        return _without(asked, more)
    scale = max(1e-9, float(np.abs(cost).max()))
    told: Any = milp(
        cost / scale,
        constraints=[*more, *_rules(asked, columns)],
        integrality=np.ones(len(cost), dtype=np.int64),
        bounds=Bounds(0, 1),
        options={"time_limit": max(seconds, 0.01), "mip_rel_gap": 0.0},
    )
    if told.x is None:
        unknown = told.status == _TIME
        return chosen(asked, {}, False, -np.inf, METHOD) if unknown else None
    taken = {columns.names[k]: columns.starts[k] for k in np.flatnonzero(told.x > 0.5)}
    bound = float(told.mip_dual_bound) * scale if told.mip_dual_bound is not None else -np.inf
    return chosen(asked, taken, told.status == _BEST, bound, METHOD)


def _without(asked: Question, more: list[LinearConstraint]) -> Choice | None:
    """The empty plan, where it is enough."""
    good = all(float(np.max(row.lb)) <= 0 for row in more)
    return chosen(asked, {}, True, 0.0, METHOD) if good else None


def _rules(asked: Question, columns: Columns) -> list[LinearConstraint]:
    rules = asked.rules
    rows = [(columns.of_option(name), 1.0) for name in dict.fromkeys(columns.names)]
    rows += [
        (np.sum([columns.of_option(name) for name in set(group)], axis=0), 1.0) for group in rules.exclusions
    ]
    for one, other in rules.requires:
        for k in np.flatnonzero(columns.of_option(one)):
            row = -columns.up_to(other, columns.starts[k].year)
            row[k] += 1.0
            rows.append((row, 0.0))
    if np.isfinite(rules.budget):
        unit = max(1.0, abs(rules.budget))
        rows.append((columns.costs / unit, rules.budget / unit))
    if rules.yearly is not None:
        spends = np.array([start.spends for start in columns.starts]).T
        units = np.maximum(1.0, rules.yearly)
        rows += list(zip(spends / units[:, None], rules.yearly / units, strict=True))
    matrix, most = np.array([row for row, _ in rows]), np.array([limit for _, limit in rows])
    finite = np.isfinite(most)
    return [LinearConstraint(matrix[finite], -np.inf, most[finite])]
