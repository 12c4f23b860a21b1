"""Quantities with units, as plans write them: "2.5 Mt/year", "0.16 t/MWh", "79 EUR/t".

The registry is small and our own: tonnes are of CO2e, energy is by lower heating value, and a tonne of
hydrogen is the energy in it. What it does not know is refused, never guessed. (The library's own registry
reads kt as knots.)
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import pint

from insights.refusals import refused

# Lower heating value of hydrogen, MWh a tonne (119.96 MJ/kg; physical property, recalled).
LHV_HYDROGEN: Final = 33.33
CURRENCIES: Final = ("EUR", "GBP", "USD")
# What a field may be measured in: its kind -> (the unit numbers are kept in, an example).
KINDS: Final = {
    "flow": ("t/year", "2.5 Mt/year"),
    "power": ("MWh/year", "3 TWh/year"),
    "intensity": ("t/MWh", "0.16 t/MWh"),
    "specific": ("MWh/t", "0.72 MWh/t"),
    **{f"{money}/t": (f"{money}/t", f"79 {money}/t") for money in CURRENCIES},
}
LARGEST: Final = 1e12
_TEXT: Final = re.compile(r"([+-]?\d{1,15}(?:\.\d{1,15})?) ?([A-Za-z][A-Za-z0-9]*(?:/[A-Za-z][A-Za-z0-9]*)?)")
_UNITS: Final = (
    *("kilo- = 1e3 = k-", "mega- = 1e6 = M-", "giga- = 1e9 = G-", "tera- = 1e12 = T-"),
    *("gram_co2 = [emission] = gCO2 = gCO2e", "tonne_co2 = 1e6 * gram_co2 = t = tCO2 = tCO2e"),
    *("watt_hour = [energy] = Wh", f"gram_h2 = {LHV_HYDROGEN} * watt_hour = gH2"),
    *("tonne_h2 = 1e6 * gram_h2 = tH2", "year = [time] = yr = a"),
    *(f"{money.lower()} = [{money.lower()}] = {money}" for money in CURRENCIES),
)


@cache
def _registry() -> pint.UnitRegistry[float]:
    registry: pint.UnitRegistry[float] = pint.UnitRegistry(None)
    for line in _UNITS:
        registry.define(line)
    return registry


def measured(text: str, kinds: tuple[str, ...], field: str) -> tuple[float, str]:
    """The number in the unit of its kind, and the kind.

    Args:
        text: such as "2.5 Mt/year".
        kinds: those of ``KINDS`` that the field may be measured in.
        field: where it stands, for the refusal.

    Raises:
        AskError: ``unit-mismatch`` (no quantity, an unknown unit, or one of another dimension) or
            ``quantity-out-of-range`` (below zero, or above ``LARGEST``).
    """
    found = _TEXT.fullmatch(text.strip())
    for kind in kinds:
        if found is None:
            break
        try:
            quantity = _registry().Quantity(float(found[1]), found[2]).to(KINDS[kind][0])
        except (pint.DimensionalityError, pint.UndefinedUnitError):
            continue
        # Twelve digits: the same amount in another unit is the same number.
        value = float(f"{quantity.magnitude:.12g}")
        if not 0 <= value <= LARGEST:
            raise refused("quantity-out-of-range", field, text, f"from 0 to {LARGEST:g} {KINDS[kind][0]}")
        return value, kind
    units = " or ".join(KINDS[kind][0] for kind in kinds)
    raise refused(
        "unit-mismatch", field, text, f"a number and a unit that is {units}, as {KINDS[kinds[0]][1]!r}"
    )
