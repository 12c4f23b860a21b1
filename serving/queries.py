"""Reading what a call asks for beside its body: the form of the answer, and the fields of its query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from features.errors import AskError
from serving.call import Call
from serving.errors import of_validation, shown
from serving.listing import USUAL
from serving.wire import ForecastAsk

Question = dict[str, list[str]]


def accepted(call: Call, offered: Mapping[str, str]) -> str:
    """The form to answer in: the first that is offered of those in Accept, the first of all without one.

    Raises:
        AskError: none of them is (``not-acceptable``).
    """
    asked = call.head(b"accept")
    if not asked or asked == "*/*":
        return next(iter(offered.values()))
    for part in asked.split(","):
        media, _, more = part.partition(";")
        media = media.strip().lower()
        if more.replace(" ", "") in ("q=0", "q=0.0"):
            continue
        if media in offered:
            return offered[media]
        if media in ("*/*", "application/*", "text/*"):
            fits = [form for name, form in offered.items() if media == "*/*" or name.startswith(media[:-1])]
            if fits:
                return fits[0]
    raise AskError(
        "not-acceptable",
        found=f"accept: {shown(asked)}",
        expected="one of " + ", ".join(offered),
        remedy="name one of them in Accept, or leave it out",
    )


def ask_of_query(told: Question, clusters: Iterable[str]) -> ForecastAsk:
    """The question in a query; one that names nothing is about all ``clusters``.

    Raises:
        AskError: it is none.
    """
    steps, levels = one(told, "steps"), told.get("levels")
    asked: dict[str, Any] = {name: told[name] for name in ("clusters", "series") if name in told}
    if not any(asked.values()):
        asked["clusters"] = list(clusters)
    if steps is not None:
        asked["steps"] = _whole(steps, "steps")
    if levels is not None:
        asked["levels"] = [_number(level, "levels") for level in levels]
    try:
        return ForecastAsk.model_validate(asked)
    except ValidationError as fault:
        raise of_validation(fault) from None


def one(told: Question, name: str) -> str | None:
    """The only value of a field, None without it; an AskError where there are several."""
    values = told.get(name)
    if values is not None and len(values) > 1:
        raise _odd(name, f"{len(values)} values of {name}", "one")
    return values[0] if values else None


def needed(told: Question, name: str) -> str:
    """The only value of a field; an AskError without it."""
    value = one(told, name)
    if not value:
        raise _odd(name, f"no {name}", f"{name} in the query", "field-missing")
    return value


def year_of(told: Question, name: str, first: int, last: int) -> int | None:
    """A year in the query; None without it."""
    text = one(told, name)
    if text is None:
        return None
    year = _whole(text, name)
    if not first <= year <= last:
        raise _odd(name, f"{name} = {shown(text)}", f"a year from {first} to {last}", f"{name}-out-of-range")
    return year


def whole_of(told: Question, name: str, usual: int) -> int:
    """A whole number in the query; ``usual`` without it."""
    text = one(told, name)
    return usual if text is None else _whole(text, name)


def limit(told: Question) -> int:
    """How many lines a page may have."""
    text = one(told, "limit")
    return USUAL if text is None else _whole(text, "limit")


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise _odd(name, f"{name} = {shown(text)}", "a whole number", f"{name}-out-of-range")
    return int(text)


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _odd(name, f"{name} = {shown(text)}", "a number", "level-out-of-range") from None


def _odd(name: str, found: str, expected: str, code: str = "invalid-value") -> AskError:
    return AskError(
        code, found=found, expected=expected, remedy=f"mend {name}; see /openapi.json for every field"
    )
