"""The fields a scenario may have: one table checks files and bodies, and makes the API's document.

Here is only what a field may be on its own. What fields mean together is checked in insights/scenario.py.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from insights.goals import FIRST_YEAR, LAST_YEAR
from insights.levers import KINDS
from insights.refusals import refused, shown
from insights.tolls import DEVICES, FUELS, MADE_FROM

VERSION: Final = 1
LONGEST_NAME: Final = 200
MOST_LEVERS, MOST_PROJECTS, MOST_STORES = 20, 40, 10
LONGEST_RAMP: Final = 40


@dataclass(frozen=True)
class Field:
    """What one field may be.

    Attributes:
        kind: "text", "choice", "whole", "number", "flag", "list" or "table".
        low, high: of numbers, both allowed; lengths of texts and lists.
        choices: of a choice.
        item: of a list.
        rows: fields of a table.
        about: for the API's document.
    """

    kind: str
    low: float = 0
    high: float = 0
    required: bool = False
    choices: tuple[Any, ...] = ()
    item: Field | None = None
    rows: Mapping[str, Field] | None = None
    about: str = ""


Fields = Mapping[str, Field]


def _quantity(about: str) -> Field:
    return Field("text", 1, 60, about=f"A quantity with its unit: {about}")


def _share(about: str = "") -> Field:
    return Field("number", 0, 1, about=about)


def _list(item: Field, low: int, high: int, about: str = "") -> Field:
    return Field("list", low, high, item=item, about=about)


_TEXT: Final = Field("text", 1, LONGEST_NAME)
_YEAR: Final = Field("whole", FIRST_YEAR, LAST_YEAR)
_SIZED: Final[Fields] = {
    "capacity": _quantity("2.5 Mt/year captured or cut, or 3 TWh/year of fuel replaced."),
    "share": _share("Of what is left that it reaches; of a project, the cluster's share of its capacity."),
    "additional": _share("The part that the baseline's own trend does not hold already."),
    "start": _YEAR,
    "ramp_years": Field("whole", 0, LONGEST_RAMP, about="Years from the start to full strength."),
    "end": _YEAR,
    "fuel": Field("choice", choices=tuple(FUELS)),
    "fuel_efficiency": Field(
        "number", 0.05, 1.2, about="Heat per fuel of what is replaced, or of the boiler."
    ),
    "device": Field("choice", choices=tuple(DEVICES)),
    "cop": Field("number", 0.05, 20, about="Heat per electricity, in place of a device."),
    "made_from": Field("choice", choices=MADE_FROM, about="What hydrogen is made from."),
    "h2_intensity": _quantity("0.09 t/MWh or 3 kgCO2e/kgH2, upstream in it."),
    "capture_rate": _share("Of the sources it stands at."),
    "heat": _quantity("0.72 MWh/t captured."),
    "power": _quantity("0.107 MWh/t captured, compression in it."),
    "leakage": _share("Of the captured."),
    "upstream": _quantity("0.02 t/MWh of fuel before it is burnt."),
    "grid": _quantity("0.16 t/MWh of electricity."),
    "cost": _quantity("79 EUR/t captured or replaced."),
    "store": Field("text", 1, LONGEST_NAME, about="The name of one of the stores."),
}
LEVER: Final[Fields] = {
    "name": Field("text", 1, LONGEST_NAME, required=True),
    "kind": Field("choice", choices=KINDS, required=True),
    **_SIZED,
}
RISK: Final[Fields] = {
    "certain": Field("flag", about="Nothing can go wrong."),
    "slip_chances": _list(_share(), 1, 11, "Chances of being 0, 1, 2, … years late."),
    "cancel": _share("Chance of never being built."),
    "delivery": _list(_share(), 3, 3, "Lowest, likeliest and highest share of the capacity."),
}
PROJECT: Final[Fields] = {
    "project_id": Field("text", 1, LONGEST_NAME, about="Of the registry; else name, kind, capacity, start."),
    "name": _TEXT,
    "kind": Field("choice", choices=KINDS),
    "delay_years": Field("whole", 0, 30, about="Later than planned, on every path."),
    "late_years": Field("whole", 1, 30, about="What if it came so much later? 2 without it."),
    "risk": Field("table", rows=RISK),
    **_SIZED,
}
STORE: Final[Fields] = {
    "name": Field("text", 1, LONGEST_NAME, required=True),
    "capacity": Field("text", 1, 60, required=True, about="A quantity with its unit: 2.5 Mt/year."),
}
SCENARIO: Final[Fields] = {
    "version": Field("choice", choices=(VERSION,), required=True),
    "name": Field("text", 1, LONGEST_NAME, required=True),
    "series": Field("text", 1, LONGEST_NAME, required=True, about="Cluster, sector or initiative."),
    "target": Field("text", 1, LONGEST_NAME, about="A target_id; else all targets in force."),
    "scope": Field("text", 1, LONGEST_NAME, about="To read targets of unstated or unlike scope in."),
    "base_year": Field("whole", FIRST_YEAR, LAST_YEAR, about="Of targets that name none."),
    "seed": Field("whole", 0, 2**31 - 1),
    "discount_rate": _share("A year, of costs told as a present value; 0.03 without it."),
    "order": _list(Field("choice", choices=KINDS), 4, 4, "In which kinds are applied; each once."),
    "grid": _quantity("0.16 t/MWh, where a lever or project says no other."),
    "stores": _list(Field("table", rows=STORE), 0, MOST_STORES),
    "levers": _list(Field("table", rows=LEVER), 0, MOST_LEVERS),
    "projects": _list(Field("table", rows=PROJECT), 0, MOST_PROJECTS),
}


def read_table(value: Any, fields: Fields, place: str = "") -> dict[str, Any]:
    """The fields of a table, each checked; those left out are left out.

    Raises:
        AskError: ``unknown-field`` (the nearest known one is named), ``field-missing``, ``invalid-value``,
            ``out-of-range``.
    """
    if not isinstance(value, Mapping):
        raise refused("invalid-value", place or "scenario", value, "a table of fields")
    for key in value:
        if key not in fields:
            raise _unknown(str(key), fields, place)
    for name, field in fields.items():
        if field.required and name not in value:
            raise refused("field-missing", _at(place, name), "nothing", f"the field {name}", f"add {name}")
    return {name: read(value[name], fields[name], _at(place, name)) for name in fields if name in value}


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _unknown(key: str, fields: Fields, place: str) -> Exception:
    near = difflib.get_close_matches(key, fields, 1, 0.0)[0]
    error = refused(
        "unknown-field", _at(place, shown(key)), "a field that is not known", "one of " + ", ".join(fields),
        f"leave it out, or write {near}",
    )  # fmt: skip
    error.facts["nearest"] = near
    return error


def read(value: Any, field: Field, place: str) -> Any:
    """One value, checked and in our own type.

    Raises:
        AskError: as ``read_table``.
    """
    if field.kind == "table":
        return read_table(value, field.rows or {}, place)
    if field.kind == "list":
        return _list_of(value, field, place)
    if field.kind == "flag":
        if not isinstance(value, bool):
            raise refused("invalid-value", place, value, "true or false")
        return value
    if field.kind == "text":
        return _text(value, field, place)
    if field.kind == "choice":
        held = [each for each in field.choices if each == value and not isinstance(value, bool)]
        if not held:
            allowed = ", ".join(str(choice) for choice in field.choices)
            raise refused("invalid-value", place, value, f"one of {allowed}")
        return held[0]
    return _number(value, field, place)


def _list_of(value: Any, field: Field, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise refused("invalid-value", place, value, "a list")
    if not field.low <= len(value) <= field.high:
        raise refused("out-of-range", place, f"{len(value)} entries", f"{_span(field)} entries")
    if field.item is None:
        return value
    return [read(each, field.item, f"{place}[{k}]") for k, each in enumerate(value)]


def _text(value: Any, field: Field, place: str) -> str:
    if not isinstance(value, str):
        raise refused("invalid-value", place, value, "a text")
    if not field.low <= len(value) <= field.high:
        raise refused("out-of-range", place, f"{len(value)} signs", f"{_span(field)} signs")
    return value


def _number(value: Any, field: Field, place: str) -> float | int:
    whole = field.kind == "whole"
    told = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not told or (isinstance(value, float) and not math.isfinite(value)):
        raise refused("invalid-value", place, value, "a whole number" if whole else "a number")
    if not field.low <= value <= field.high:
        raise refused("out-of-range", place, value, _span(field))
    if whole and value != int(value):
        raise refused("invalid-value", place, value, "a whole number")
    return int(value) if whole else float(value)


def _span(field: Field) -> str:
    return f"{field.low:g} to {field.high:g}" if field.low != field.high else f"{field.low:g}"
