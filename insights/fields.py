"""Tables of fields from a file or a body, checked one by one: closed, bounded, refused by name.

Here is only what a field may be on its own; what fields mean together is checked by whoever reads them.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from insights.refusals import refused, shown

LONGEST_NAME: Final = 200


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
        units: of a text that is a quantity: the kinds of ``insights.units.KINDS`` it may be measured in.
    """

    kind: str
    low: float = 0
    high: float = 0
    required: bool = False
    choices: tuple[Any, ...] = ()
    item: Field | None = None
    rows: Mapping[str, Field] | None = None
    about: str = ""
    units: tuple[str, ...] = ()


Fields = Mapping[str, Field]


def quantity(about: str, *units: str) -> Field:
    """A quantity as a text with its unit."""
    return Field("text", 1, 60, about=f"A quantity with its unit: {about}", units=units)


def share(about: str = "") -> Field:
    """A number from 0 to 1."""
    return Field("number", 0, 1, about=about)


def list_of(item: Field, low: int, high: int, about: str = "") -> Field:
    """A list of ``low`` to ``high`` items."""
    return Field("list", low, high, item=item, about=about)


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
        return _read_list(value, field, place)
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


def _read_list(value: Any, field: Field, place: str) -> list[Any]:
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
