"""Hydrogen in place of a fuel, MWh for MWh: from electricity, or from gas with or without capture."""

from __future__ import annotations

from typing import Final

from insights.fields import Field, quantity
from insights.kinds.kind import FUEL, Gap, Kind, Terms
from insights.tolls import MADE_FROM, Toll, factor, hydrogen_of_gas, of_green_hydrogen, of_hydrogen

# The factors that say what hydrogen takes, by what it is made from.
_MADE_BY: Final = {
    "power": ("electrolyser_efficiency_2030",),
    "gas": ("ef_gas", "smr_efficiency"),
    "gas-ccs": ("ef_gas", "smr_cc_capture_rate", "smr_cc_efficiency"),
}


def _toll(terms: Terms) -> Toll:
    told, upstream = terms.told, terms.upstream
    if "h2_intensity" in told:
        return of_hydrogen(terms.burnt, told["h2_intensity"], upstream)
    made_from = told.get("made_from", "power")
    if made_from == "power":
        electrolyser = factor(terms.factors, "electrolyser_efficiency_2030")
        return of_green_hydrogen(terms.burnt, terms.grid, electrolyser, upstream)
    intensity = hydrogen_of_gas(terms.factors, with_capture=made_from == "gas-ccs", upstream=upstream)
    return of_hydrogen(terms.burnt, intensity, upstream if terms.fuel == "gas" else 0.0)


def _gaps(terms: Terms) -> list[Gap]:
    made_by = _MADE_BY[terms.told.get("made_from", "power")]
    return [("h2_intensity", key, factor(terms.factors, key)) for key in made_by]


HYDROGEN: Final = Kind(
    "hydrogen",
    {
        **FUEL,
        "made_from": Field("choice", choices=MADE_FROM, about="What hydrogen is made from."),
        "h2_intensity": quantity("0.09 t/MWh or 3 kgCO2e/kgH2, upstream in it.", "intensity"),
    },
    ("hydrogen", "ammonia"),
    _toll,
    _gaps,
)
