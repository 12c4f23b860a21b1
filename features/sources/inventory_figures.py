"""Figures of an inventory in tCO2e: by unit and gas, with one GWP set for the whole file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from features.errors import AskError
from features.reference.tables import load
from features.series.units import (
    CO2,
    CO2E,
    NO_SET,
    SUFFIXES,
    UNTOLD,
    GwpSet,
    Unit,
    gas_of,
    gwp_set,
    one_gas,
    one_set,
    unit_of,
)  # fmt: skip
from features.sources.figures import Float, figures, unlawful_tonnes
from features.sources.inventory_columns import FIGURE, GAS, GWP, UNIT
from features.sources.inventory_marks import plain

_UNREAD: Final = "no plain number; if a comma or point marks decimals or thousands, declare the decimal mark"


@dataclass(frozen=True)
class Declared:
    """What the user says of a whole file.

    Attributes:
        unit: of all figures, such as "kt" or "ktCO2e"; None where the file says it.
        gas: of all figures, such as "CH4"; None where the unit or the file says it.
        gwp: the set ("AR5", "AR6") that gases are converted with and that CO2e figures were made with.
        decimal: "." or ","; None where every figure is plain, so that it does not matter.
        cadence: None where the periods tell it.
        sheet, encoding: of the file, where they are not plain.
        empty_gas_is_zero: an empty cell of one gas, beside figures of others, means none was emitted.
    """

    unit: str | None = None
    gas: str | None = None
    gwp: str | None = None
    decimal: str | None = None
    cadence: str | None = None
    sheet: str | None = None
    encoding: str | None = None
    empty_gas_is_zero: bool = False


@dataclass(frozen=True)
class Converted:
    """The figures of an inventory.

    Attributes:
        tonnes: (N,) tCO2e, NaN where the cell is empty or at fault.
        gas: (N,) the gas of each.
        fault: (N,) what is wrong as "code: text", "" where nothing is.
        gwp: the set they are made with, "" for CO2 alone, "untold" for CO2e of unknown make.
        recalled: potentials used whose source was not opened, as text.
    """

    tonnes: Float
    gas: pd.Series
    fault: pd.Series
    gwp: str
    recalled: tuple[str, ...] = ()


def convert(cells: pd.DataFrame, declared: Declared, factors: pd.DataFrame | None) -> Converted:
    """The y of ``cells`` (N,) in tCO2e, by their unit and gas.

    Raises:
        AskError: what is declared is unknown, absent or mixes sets; ``decimal-mark-unclear``.
    """
    power, gas, fault = _units(cells, declared)
    texts = plain(cells[FIGURE], declared.decimal)
    told = fault == ""
    table = load().factors if factors is None else factors
    chosen, gwp = _set(set(gas[told]), _told_set(cells, declared), table)
    tonnes = np.full(len(cells), np.nan)
    for unit_power, name in sorted(set(zip(power[told], gas[told], strict=True))):
        here = (told & (power == unit_power) & (gas == name)).to_numpy(dtype=bool)
        values, unread = figures(texts[here], power=int(unit_power))
        factor = 1.0 if name in (CO2, CO2E) or chosen is None else chosen.factor(name)
        tonnes[here] = values * factor
        fault[here] = np.where(unread, f"figure-unreadable: {_UNREAD}", "")
    fault = fault.mask((fault == "") & (tonnes < 0), "figure-negative: less than nothing")
    world = "figure-impossible: more than the world emits; check the unit"
    fault = fault.mask((fault == "") & unlawful_tonnes(tonnes), world)
    told_of = _recalled(sorted(set(gas[told])), chosen, table)
    return Converted(np.where(fault == "", tonnes, np.nan), gas, fault, gwp, told_of)


def _units(cells: pd.DataFrame, declared: Declared) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Power of ten, gas and fault of each row; a fault in what is declared for all is raised."""
    whole = unit_of(declared.unit) if declared.unit else None
    gas = gas_of(declared.gas) if declared.gas else ""
    pairs = cells[[UNIT, GAS]].drop_duplicates()
    if whole is None and (pairs[UNIT] == "").all():
        raise AskError("unit-untold", found="no unit", expected="a unit such as t, kt or MtCO2e",
                       remedy="declare the unit, name a column unit, or write it in the header")  # fmt: skip
    if not gas and (pairs[GAS] == "").all():
        for text in pairs[UNIT]:  # nothing tells the gas: refused for all rows at once
            if text in ("", declared.unit or ""):
                one_gas(whole or Unit(0), "")
    told = {(u, g): _pair(u, g, whole, gas) for u, g in zip(pairs[UNIT], pairs[GAS], strict=True)}
    rows = [told[pair] for pair in zip(cells[UNIT], cells[GAS], strict=True)]
    powers, gases, faults = zip(*rows, strict=True) if rows else ((), (), ())
    index = cells.index
    return (pd.Series(powers, index, dtype="int64"), pd.Series(gases, index, dtype="str"),
            pd.Series(faults, index, dtype="str"))  # fmt: skip


def _pair(unit: str, gas: str, whole: Unit | None, all_gas: str) -> tuple[int, str, str]:
    try:
        own = unit_of(unit) if unit else whole
        if own is None:
            return 0, "", "unit-missing: no unit"
        if whole and (own.power != whole.power or (own.gas and whole.gas and own.gas != whole.gas)):
            return 0, "", f"unit-contradicted: {unit!r} is not the declared unit"
        named = gas_of(gas) if gas else all_gas
        if all_gas and named != all_gas:
            return 0, "", f"gas-contradicted: {gas!r} is not the declared gas"
        of_unit = own.gas or (whole.gas if whole else "")
        return own.power, one_gas(Unit(own.power, of_unit), named), ""
    except AskError as problem:
        return 0, "", f"{problem.code}: {problem.found}"


def _told_set(cells: pd.DataFrame, declared: Declared) -> str | None:
    """The one set that user and file name, if any."""
    names = {str(name).upper() for name in cells[GWP].unique() if name}
    return one_set(names | {declared.gwp.upper()} if declared.gwp else names) or None


def _set(gases: set[str], name: str | None, table: pd.DataFrame) -> tuple[GwpSet | None, str]:
    """The set to convert with, and the one the whole inventory is in."""
    chosen = gwp_set(name, table) if name else None
    apart = sorted(gases - {CO2, CO2E})
    if apart and chosen is None:
        raise AskError(
            "gwp-set-untold",
            found="figures of " + ", ".join(apart),
            expected="the GWP set to convert them with",
            remedy="name a set, such as AR5 or AR6",
        )
    if not apart and CO2E not in gases:
        return chosen, NO_SET
    return chosen, chosen.name if chosen else UNTOLD


def _recalled(gases: list[str], chosen: GwpSet | None, table: pd.DataFrame) -> tuple[str, ...]:
    """The potentials in use that the reference table marks as not read at their source."""
    if chosen is None:
        return ()
    used = [(gas, chosen.factors[gas]) for gas in gases if gas not in (CO2, CO2E)]
    grade = dict(zip(table["key"], table["evidence"], strict=True))
    keys = {gas: f"gwp100_{chosen.name.lower()}_{SUFFIXES[gas]}" for gas, _ in used}
    return tuple(
        f"{gas} {factor:g} ({chosen.name}) is recalled, not read at its source"
        for gas, factor in used
        if grade.get(keys[gas]) != "read"
    )
