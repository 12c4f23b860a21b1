"""Is the target science-based? The linear test of all sectors, and the sector paths of cement and steel.

ACA: at least 4.2% of the base a year, linear (SBTi; recalled). SDA: I_y = d p_y m_y + SI_2050 with
d = I_b - SI_2050, p_y = (SI_y - SI_2050)/(SI_b - SI_2050) and m_y the share ratio (SBTi SDA 2015; recalled;
r2dii takes m = 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError

Float = npt.NDArray[np.float64]
ACA_KEY: Final = "sbti_aca_1p5"
# sector -> prefix of its yearly intensities among the factors.
PATHWAYS: Final[Mapping[str, str]] = {"cement": "tpi_1p5_cement_s1_", "steel": "tpi_1p5_steel_s1s2_"}
LAST: Final = 2050


@dataclass(frozen=True)
class LinearTest:
    """A target against the absolute contraction of all sectors.

    Attributes:
        rate: percent of the base a year that the target asks for, linear.
        asked: percent a year of the test.
        passes: rate >= asked.
        level_asked: tCO2e that the test would leave in the target year, not below zero.
    """

    rate: float
    asked: float
    passes: bool
    level_asked: float

    def as_record(self) -> dict[str, Any]:
        """JSON-ready fields with what they rest on."""
        return {**asdict(self), "method": "absolute contraction, linear", "evidence": "recalled"}


def linear_test(base: float, base_year: int, level: float, target_year: int, asked: float) -> LinearTest:
    """The target's linear cut as percent of its base a year, beside ``asked``."""
    years = target_year - base_year
    rate = 100 * (1 - level / base) / years
    return LinearTest(rate, asked, rate >= asked - 1e-12, max(0.0, base * (1 - asked / 100 * years)))


def intensity_path(sector: str, factors: Mapping[str, tuple[float, ...]]) -> tuple[Float, Float]:
    """Years (K,) and intensities (K,) of a sector's path, t a tonne of product.

    Raises:
        AskError: no path of that sector is held (``pathway-missing``).
    """
    start = PATHWAYS.get(sector)
    points = sorted(
        (int(key.removeprefix(start)), value[0])
        for key, value in factors.items()
        if start is not None and key.startswith(start)
    )
    if not points:
        raise AskError(
            "pathway-missing",
            found=f"sector {sector!r}",
            expected="one of " + ", ".join(sorted(PATHWAYS)),
            remedy="ask for a sector from the list, or use the linear test",
        )
    return np.array([y for y, _ in points], dtype=float), np.array([v for _, v in points])


def sda(
    base_intensity: float,
    base_year: int,
    year: int,
    path: tuple[Float, Float],
    share_ratio: float = 1.0,
) -> float:
    """Intensity the sector path asks for in ``year``, in the unit of the path.

    Args:
        base_intensity: I_b of the company or cluster.
        path: of ``intensity_path``; read linearly between its points.
        share_ratio: m_y, market share in the base year ÷ in ``year``.

    Raises:
        AskError: a year outside the path, or a base at which the path already stands at its end.
    """
    years, values = path
    for asked in (base_year, year):
        if not years[0] <= asked <= years[-1]:
            raise AskError(
                "year-outside-pathway",
                found=f"year {asked}",
                expected=f"{years[0]:.0f} to {years[-1]:.0f}",
                remedy="measure inside the years of the path",
            )
    start, at, end = (float(np.interp(y, years, values)) for y in (base_year, year, LAST))
    if start == end:
        raise AskError(
            "pathway-flat",
            found=f"a path that does not fall after {base_year}",
            expected="a base year before the path's end",
            remedy="take an earlier base year",
        )
    return (base_intensity - end) * (at - end) / (start - end) * share_ratio + end
