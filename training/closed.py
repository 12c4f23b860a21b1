"""Closed TOML files: every key is known, and a typo is refused with the nearest key that is."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from features.errors import AskError


class Closed(BaseModel):
    """A part of such a file: no further keys, no conversions, no changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Part = TypeVar("Part", bound=Closed)


def read_closed(path: Path, model: type[Part], what: str) -> Part:
    """The ``model`` that a TOML file describes; ``what`` it is called in refusals ("plan").

    Raises:
        AskError: no such file, not TOML, an unknown key (naming the nearest known one), a value out of
            range.
    """
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AskError(
            f"{what}-missing",
            found=f"no file {path}",
            expected=f"a {what} in TOML",
            remedy="name a file that is there; those that come with the code are in training/plans",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as fault:
        raise _refused(what, "unreadable", f"{path.name}: {fault}", f"a {what} in TOML") from None
    return parse_closed(record, model, what)


def parse_closed(record: dict[str, Any], model: type[Part], what: str) -> Part:
    """The ``model`` that a record describes; refusals as in ``read_closed``."""
    try:
        return model.model_validate(record)
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise _refused(what, "unknown-key", f"key {place}", _nearest(first["loc"], model)) from None
        raise _refused(what, "value", _found(first, place or what, model), str(first["msg"])) from None


def _found(fault: ErrorDetails, place: str, model: type[BaseModel]) -> str:
    """What stands at a place. A part with several keys is not shown: one of them may be secret."""
    field = _field(fault["loc"], model)
    told = fault["input"]
    if fault["type"] == "missing":
        return f"no {place}"
    parts = told if isinstance(told, list) else [told]
    if any(isinstance(part, dict) for part in parts) or (field is not None and not field.repr):
        return f"{place} = (not shown)"
    return f"{place} = {told!r}"


def _field(place: tuple[int | str, ...], model: type[BaseModel]) -> FieldInfo | None:
    """The last field on the way to a place; None where there is none."""
    found: FieldInfo | None = None
    for part in place:
        named = next((f for name, f in model.model_fields.items() if part in (name, f.alias)), None)
        if named is not None:
            found, model = named, _inner(named.annotation) or model
    return found


def _nearest(place: tuple[int | str, ...], model: type[BaseModel]) -> str:
    for part in place[:-1]:
        field = next(
            (f for name, f in model.model_fields.items() if part in (name, f.alias)), None
        )  # a number is a place in the list before it
        if field is not None:
            model = _inner(field.annotation) or model
    known = [field.alias or name for name, field in model.model_fields.items()]
    near = difflib.get_close_matches(str(place[-1]), known, n=1)
    return f"the key {near[0]!r}" if near else "one of the keys " + ", ".join(known)


def _inner(kind: Any) -> type[BaseModel] | None:
    """The part that a field holds, alone or in a list."""
    found = [item for item in (kind, *get_args(kind)) if isinstance(item, type)]
    return next((item for item in found if issubclass(item, BaseModel)), None)


def _refused(what: str, how: str, found: str, expected: str) -> AskError:
    return AskError(
        f"{what}-{how}", found=found, expected=expected, remedy=f"correct the {what} and run it again"
    )
