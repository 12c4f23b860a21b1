"""The one call of the linear solver (HiGHS) that networks and corridors share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from features.errors import DataError

Float = npt.NDArray[np.float64]
# Codes of the solver's answers.
BEST, TIME, INFEASIBLE = 0, 1, 2
_LEAST_SECONDS: Final = 0.01


@dataclass(frozen=True)
class Solved:
    """The solver's answer: ``status`` is BEST, TIME or INFEASIBLE; (n,) ``x`` and ``value`` where BEST."""

    status: int
    x: Float
    value: float


def least(
    cost: Float,
    top: Float,
    *,
    equal: tuple[Any, Float],
    below: tuple[Any, Float] | None = None,
    seconds: float = 60.0,
) -> Solved:
    """The least ``cost`` (n,) of x between 0 and ``top`` (n,).

    Args:
        equal: matrix and right side of A x = b; below: of A x <= b.

    Raises:
        DataError: ``numbers-too-far-apart``: the solver found no answer to numbers of so unlike sizes.
    """
    matrix, limits = below if below is not None else (None, None)
    bounds: Any = np.column_stack([np.zeros_like(top), top])
    solver: Any = linprog
    # Costs far above 1 are read as endless by the solver, so the largest is 1.
    unit = max(1.0, float(np.abs(cost).max(initial=0.0)))
    told = solver(
        cost / unit, A_ub=matrix, b_ub=limits, A_eq=equal[0], b_eq=equal[1], bounds=bounds, method="highs",
        options={"time_limit": max(seconds, _LEAST_SECONDS)},
    )  # fmt: skip
    if told.status not in (BEST, TIME, INFEASIBLE):
        raise DataError(
            "numbers-too-far-apart",
            found=str(told.message)[:100],
            expected="amounts and costs that a solver can tell apart",
            remedy="send amounts and costs that are at most some ten powers of ten apart",
        )
    if told.status != BEST:
        return Solved(int(told.status), np.zeros_like(top), np.inf)
    return Solved(BEST, np.clip(told.x, 0.0, top), float(told.fun) * unit)
