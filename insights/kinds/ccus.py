"""CCUS: CO2 caught at the stack and stored; its own heat comes back on the path."""

from __future__ import annotations

from typing import Final

from insights.fields import LONGEST_NAME, Field, quantity, share
from insights.kinds.kind import BOILER_FIELD, BOILER_GAP, FUEL, Gap, Kind, Terms
from insights.tolls import BOILER, Toll, capture_energy, factor, of_capture

_RATE: Final = "capture_rate_cement"


def _toll(terms: Terms) -> Toll:
    told = terms.told
    heat, power = capture_energy(terms.factors)
    return of_capture(
        terms.grid, heat=told.get("heat", heat), power=told.get("power", power), fuel=terms.burnt,
        boiler=told.get("fuel_efficiency", BOILER), upstream=terms.upstream, leakage=told.get("leakage", 0.0),
    )  # fmt: skip


def _gaps(terms: Terms) -> list[Gap]:
    heat, power = capture_energy(terms.factors)
    return [
        ("heat", "capture_heat_cement", heat),
        ("power", "capture_power_cement + compression_power", power),
        ("capture_rate", _RATE, factor(terms.factors, _RATE)),
        ("leakage", "not counted", None),
        ("fuel_efficiency", BOILER_GAP, BOILER),
    ]


def _reach(terms: Terms) -> float:
    return float(terms.told.get("capture_rate", factor(terms.factors, _RATE)))


CCUS: Final = Kind(
    "ccus",
    {
        **FUEL,
        **BOILER_FIELD,
        "capture_rate": share("Of the sources it stands at."),
        "heat": quantity("0.72 MWh/t captured.", "specific"),
        "power": quantity("0.107 MWh/t captured, compression in it.", "specific"),
        "leakage": share("Of the captured."),
        "store": Field("text", 1, LONGEST_NAME, about="The name of one of the stores."),
    },
    ("CO2", "CCS"),
    _toll,
    _gaps,
    _reach,
    measures=("flow",),
    captures=True,
)
