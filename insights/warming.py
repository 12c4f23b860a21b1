"""Which warming would it imply, if everyone overspent alike? Indicative only, and labelled so.

T = T_bench + budget x (overshoot - 1) x TCRE, after os-climate/ITR, given with the likely range of TCRE. The
benchmark here: what is left globally for 1.5 degC, shared out by emissions of the newest year (so everyone
may spend the same multiple of what they emit now).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from insights.figures import Float, Future, Record, weighted_quantiles

# Beyond it the formula says nothing: ITR falls back at an overshoot ratio of 10.
LARGEST_RATIO: Final = 10.0
FIRST_YEAR, LAST_YEAR = 2025, 2050
BENCHMARK: Final = 1.5
_MIDDLE: Final = 0.5


@dataclass(frozen=True)
class Warming:
    """An indicative temperature.

    Attributes:
        ratio: cumulative emissions ÷ cumulative allowance of the benchmark.
        degrees, low, high: at the best TCRE and at the ends of its likely range, degC; None where the ratio
            is beyond what the formula can say.
        benchmark: degC of the benchmark path.
        budget_gt: global budget of the benchmark, GtCO2.
        tcre: (low, best, high), degC per 1000 GtCO2.
    """

    ratio: float
    degrees: float | None
    low: float | None
    high: float | None
    benchmark: float
    budget_gt: float
    tcre: tuple[float, float, float]

    def as_record(self) -> dict[str, Any]:
        """JSON-ready fields with the label they must carry."""
        return {
            **{k: v for k, v in vars(self).items() if k != "tcre"},
            "tcre": dict(zip(("low", "best", "high"), self.tcre, strict=True)),
            "label": "indicative",
            "formula": "T_bench + budget x (overshoot - 1) x TCRE (os-climate/ITR)",
        }


def implied(record: Record, future: Future, factors: Mapping[str, tuple[float, ...]]) -> Warming | None:
    """The temperature of the median cumulative path 2025-2050; None where those years are not forecast.

    Args:
        factors: key -> (value, low, high) of the reference table.
    """
    inside = (future.years >= FIRST_YEAR) & (future.years <= LAST_YEAR)
    known = {y for y in range(FIRST_YEAR, LAST_YEAR + 1) if record.at(y) is not None}
    if int(inside.sum()) + len(known - set(future.years.tolist())) < LAST_YEAR - FIRST_YEAR + 1:
        return None
    spent: Float = future.paths[inside].sum(axis=0)
    middle = float(weighted_quantiles(spent, future.weights, _levels())[0])
    middle += sum(float(record.at(y) or 0.0) for y in known - set(future.years.tolist()))
    budget_gt = factors["rcb_1.5C_p50_from2025"][0]
    allowed = record.value * budget_gt / factors["co2_fossil_world_2024"][0]
    best, low, high = factors["tcre_ar6"]
    return warming(middle, allowed, benchmark=BENCHMARK, budget_gt=budget_gt, tcre=(low, best, high))


def _levels() -> Float:
    return np.array([_MIDDLE])


def warming(
    spent: float,
    allowed: float,
    *,
    benchmark: float,
    budget_gt: float,
    tcre: tuple[float, float, float],
) -> Warming | None:
    """The temperature of cumulative emissions against a benchmark's allowance (both tCO2e, one span).

    Args:
        benchmark: degC the benchmark path stands for.
        budget_gt: what is left globally for it, GtCO2.
        tcre: (low, best, high) degC per 1000 GtCO2.

    Returns: None where the benchmark allows nothing.
    """
    if allowed <= 0:
        return None
    ratio = spent / allowed
    if not 0 <= ratio <= LARGEST_RATIO:
        return Warming(ratio, None, None, None, benchmark, budget_gt, tcre)
    low, _, high = sorted(benchmark + budget_gt / 1000 * (ratio - 1) * each for each in tcre)
    middle = benchmark + budget_gt / 1000 * (ratio - 1) * tcre[1]
    return Warming(ratio, middle, low, high, benchmark, budget_gt, tcre)
