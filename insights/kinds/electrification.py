"""Electrification and renewable heat: heat from electricity in place of a fuel."""

from __future__ import annotations

from typing import Final

from insights.fields import Field
from insights.kinds.kind import BOILER_FIELD, BOILER_GAP, FUEL, Gap, Kind, Terms
from insights.tolls import BOILER, DEVICES, Toll, factor, of_electrification

_DEVICE: Final = "electric-boiler"


def _toll(terms: Terms) -> Toll:
    told = terms.told
    cop = told.get("cop") or factor(terms.factors, DEVICES[told.get("device", _DEVICE)])
    boiler = told.get("fuel_efficiency", BOILER)
    return of_electrification(terms.burnt, terms.grid, device=cop, boiler=boiler, upstream=terms.upstream)


def _gaps(terms: Terms) -> list[Gap]:
    device: Gap = ("device", DEVICES[_DEVICE], factor(terms.factors, DEVICES[_DEVICE]))
    boiler: Gap = ("fuel_efficiency", BOILER_GAP, BOILER)
    return [boiler] if "cop" in terms.told else [device, boiler]


ELECTRIFICATION: Final = Kind(
    "electrification",
    {
        **FUEL,
        **BOILER_FIELD,
        "device": Field("choice", choices=tuple(DEVICES)),
        "cop": Field("number", 0.05, 20, about="Heat per electricity, in place of a device."),
    },
    ("electric",),
    _toll,
    _gaps,
)
