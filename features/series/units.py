"""Units of mass and warming potentials: every figure becomes tCO2e, and sets of potentials never mix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import pandas as pd

from features.errors import AskError

CO2, CO2E, CH4, CH4_FOSSIL, N2O, SF6, NF3 = "CO2", "CO2e", "CH4", "CH4-fossil", "N2O", "SF6", "NF3"
GASES: Final = (CO2, CO2E, CH4, CH4_FOSSIL, N2O, SF6, NF3)
NO_SET: Final = ""
UNTOLD: Final = "untold"

_POWERS: Final = MappingProxyType({"kg": -3, "t": 0, "kt": 3, "Mt": 6, "Gt": 9})
_WORDS: Final = MappingProxyType({
    "kilogram": "kg", "kilograms": "kg", "tonne": "t", "tonnes": "t", "metric ton": "t", "metric tons": "t",
    "kilotonne": "kt", "kilotonnes": "kt", "thousand tonnes": "kt", "megatonne": "Mt", "megatonnes": "Mt",
    "million tonnes": "Mt", "million metric tons": "Mt", "mmt": "Mt", "gigatonne": "Gt", "gigatonnes": "Gt",
})  # fmt: skip
_GAS_WORDS: Final = MappingProxyType({
    "co2": CO2, "co2e": CO2E, "co2eq": CO2E, "co2-eq": CO2E, "co2 eq": CO2E, "co2 equivalent": CO2E,
    "ch4": CH4, "methane": CH4, "ch4-fossil": CH4_FOSSIL, "fossil methane": CH4_FOSSIL, "n2o": N2O,
    "nitrous oxide": N2O, "sf6": SF6, "nf3": NF3,
})  # fmt: skip
SUFFIXES: Final = MappingProxyType(
    {CH4: "ch4_nonfossil", CH4_FOSSIL: "ch4_fossil", N2O: "n2o", SF6: "sf6", NF3: "nf3"}
)
_KEY: Final = re.compile(r"gwp100_(ar\d)_(\w+)")


@dataclass(frozen=True)
class Unit:
    """What a figure is counted in.

    Attributes:
        power: tonnes in it, as a power of ten (kt: 3).
        gas: one of GASES, or "" where the unit does not say.
    """

    power: int
    gas: str = ""


@dataclass(frozen=True)
class GwpSet:
    """One set of hundred-year warming potentials.

    Attributes:
        name: such as "AR5".
        factors: tCO2e per tonne, by gas; CO2 is 1. Methane is "CH4" (combustion, waste, farming) or
            "CH4-fossil" (leaks of fossil gas).
    """

    name: str
    factors: Mapping[str, float]

    def factor(self, gas: str) -> float:
        """tCO2e per tonne of ``gas``.

        Raises:
            AskError: the set does not have it (``gas-unknown``).
        """
        if gas not in self.factors:
            raise _unknown_gas(gas, self.factors)
        return self.factors[gas]


def unit_of(text: str) -> Unit:
    """The unit that ``text`` writes: a mass and, if it says so, a gas ("kt", "MtCO2e", "tonnes CH4").

    "MT", "mt" and "tons" are refused: some write megatonnes so, some metric tons, some short tons.

    Raises:
        AskError: ``unit-unknown``.
    """
    plain = " ".join(text.replace("₂", "2").replace("₄", "4").split())
    mass, gas = _split(plain)
    symbol = mass if mass in _POWERS else _WORDS.get(mass.lower(), "")
    if symbol not in _POWERS or (gas and gas.lower() not in _GAS_WORDS):
        unclear = mass.lower() in ("mt", "ton", "tons", "kt", "gt")
        raise AskError(
            "unit-unknown",
            found=f"unit {text[:40]!r}" + (", which people use for different masses" if unclear else ""),
            expected=f"one of {', '.join(_POWERS)}, alone or with a gas, such as ktCO2e",
            remedy="write the unit in one of these ways",
        )
    return Unit(_POWERS[symbol], _GAS_WORDS[gas.lower()] if gas else "")


def gas_of(text: str) -> str:
    """The gas that ``text`` names, one of GASES.

    Raises:
        AskError: ``gas-unknown``.
    """
    plain = " ".join(text.replace("₂", "2").replace("₄", "4").replace("₆", "6").split()).lower()
    if plain not in _GAS_WORDS:
        raise _unknown_gas(text, GASES)
    return _GAS_WORDS[plain]


def gwp_sets(factors: pd.DataFrame) -> dict[str, GwpSet]:
    """Every set that the reference table of factors holds, by name ("AR5", "AR6")."""
    told: dict[str, dict[str, float]] = {}
    for row in factors.to_dict("records"):
        match = _KEY.fullmatch(str(row["key"]))
        if match:
            told.setdefault(match[1].upper(), {})[match[2]] = float(row["value"])
    return {
        name: GwpSet(
            name, MappingProxyType({CO2: 1.0} | {g: own[s] for g, s in SUFFIXES.items() if s in own})
        )
        for name, own in sorted(told.items())
    }


def gwp_set(name: str, factors: pd.DataFrame) -> GwpSet:
    """The set called ``name``.

    Raises:
        AskError: there is none of that name (``gwp-set-unknown``).
    """
    known = gwp_sets(factors)
    if name not in known:
        raise AskError(
            "gwp-set-unknown",
            found=f"GWP set {name[:40]!r}",
            expected="one of " + ", ".join(known),
            remedy="name the set that the figures were, or are to be, made with",
        )
    return known[name]


def one_set(names: Iterable[str]) -> str:
    """The one set among ``names``; "" goes with any.

    Raises:
        AskError: two different sets (``gwp-sets-mixed``).
    """
    told = sorted(set(names) - {NO_SET})
    if len(told) > 1:
        raise AskError(
            "gwp-sets-mixed",
            found="figures in GWP sets " + ", ".join(told),
            expected="one set a series",
            remedy="convert every gas with one set, from tonnes of each gas",
        )
    return told[0] if told else NO_SET


def one_gas(unit: Unit, gas: str) -> str:
    """The gas that unit and ``gas`` ("" = untold) agree on.

    Raises:
        AskError: neither tells (``gas-untold``), or they differ (``gas-contradicted``).
    """
    if not unit.gas and not gas:
        raise AskError(
            "gas-untold",
            found="a unit of mass without its gas",
            expected="one of " + ", ".join(GASES),
            remedy="name the gas, in the unit (ktCO2e) or beside it",
        )
    if unit.gas and gas and unit.gas != gas:
        raise AskError(
            "gas-contradicted",
            found=f"a unit of {unit.gas} and the gas {gas}",
            expected="one gas a figure",
            remedy="correct the unit or the gas",
        )
    return unit.gas or gas


def _split(text: str) -> tuple[str, str]:
    """Mass and gas of a unit as written; the longest mass that fits comes first."""
    for mass in sorted([*_POWERS, *_WORDS], key=len, reverse=True):
        head, rest = text[: len(mass)], text[len(mass) :]
        if head == mass or (mass in _WORDS and head.lower() == mass):
            gas = rest.strip().removeprefix("of ")
            if gas.lower() in _GAS_WORDS or not gas:
                return head, gas
    return text, ""


def _unknown_gas(gas: str, known: Iterable[str]) -> AskError:
    return AskError(
        "gas-unknown",
        found=f"gas {gas[:40]!r}",
        expected="one of " + ", ".join(known),
        remedy="name one of these gases, or give the figure in CO2e",
    )
