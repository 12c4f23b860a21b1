"""What a kind of lever is: everything a scenario must know of it to lay it over paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from insights.fields import Field, Fields
from insights.tolls import FUELS, Factors, Toll, factor

# A field that was not told, the factor that stands in for it, and its value; None where it is not counted.
Gap = tuple[str, str, float | None]

# Fields that several kinds have mean the same in each.
FUEL: Final[Fields] = {"fuel": Field("choice", choices=tuple(FUELS))}
BOILER_FIELD: Final[Fields] = {
    "fuel_efficiency": Field(
        "number", 0.05, 1.2, about="Heat per fuel of what is replaced, or of the boiler."
    ),
}
BOILER_GAP: Final = "the 90% boiler of the break-even factors"


@dataclass(frozen=True)
class Terms:
    """One lever or project as its kind sees it.

    Attributes:
        told: the fields as they were told, checked, in our units.
        fuel: of ``insights.tolls.FUELS``: what is replaced, or burnt for heat.
        grid: tCO2e a MWh of electricity; None where not known.
        factors: the reference factors.
    """

    told: Mapping[str, Any]
    fuel: str
    grid: float | None
    factors: Factors

    @property
    def burnt(self) -> float:
        """tCO2 a MWh of the fuel burnt."""
        return factor(self.factors, FUELS[self.fuel])

    @property
    def upstream(self) -> float:
        """tCO2e a MWh of the fuel before it is burnt; 0 where not told."""
        return float(self.told.get("upstream", 0.0))


@dataclass(frozen=True)
class Kind:
    """A kind of lever.

    Attributes:
        name: as scenarios write it.
        fields: its own, beside those of every lever; other kinds' are refused.
        words: in a project's technology in the registry that say it pulls this lever.
        toll: what a gross tonne brings back.
        gaps: what of ``fields`` was not told, and what stands in for it.
        reach: share of what is left that it gets at where it stands.
        measures: what its capacity may be measured in; "power" is MWh of fuel a year, tonnes by the fuel.
        captures: whether its gross tonnes are CO2 caught, which has to be stored.
    """

    name: str
    fields: Fields
    words: tuple[str, ...]
    toll: Callable[[Terms], Toll]
    gaps: Callable[[Terms], list[Gap]] = lambda terms: []
    reach: Callable[[Terms], float] = lambda terms: 1.0
    measures: tuple[str, ...] = ("flow", "power")
    captures: bool = False
