"""How values are printed: three digits and none invented, a true minus, chances as past ones allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from insights.brief import RAREST

UNKNOWN: Final = "not known"
_MEGA: Final = 1e6
_MINUS: Final = "\u2212"


def significant(value: float) -> str:
    """Three digits: 9.27, 18.3, 0.412, 104; 0 as it is."""
    size = abs(value)
    if size == 0:
        return "0"
    digits = 0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.9995 else 3
    text = f"{size:,.{digits}f}"
    zero = float(text.replace(",", "")) == 0
    return "0" if zero else f"{_MINUS if value < 0 else ''}{text}"


def signed(value: float) -> str:
    """The same with its sign."""
    text = significant(value)
    return text if text == "0" or value < 0 else f"+{text}"


def chance(value: float) -> str:
    """A chance in whole percent; near the ends as less or more than what a past can tell apart."""
    if value < RAREST:
        return "less than 1%"
    return "more than 99%" if value > 1 - RAREST else f"{100 * value:.0f}%"


def money(value: float) -> str:
    """An amount: 1.25 billion, 310 million, 4,200."""
    for size, word in ((1e9, " billion"), (1e6, " million")):
        if abs(value) >= size:
            return f"{significant(value / size)}{word}"
    return f"{value:,.0f}"


FORMS: Final[Mapping[str, tuple[str, Callable[[Any], str]]]] = {
    # Form -> unit, how.
    "mt": ("Mt", lambda v: significant(v / _MEGA)),
    "published-mt": ("Mt", significant),
    "signed-mt": ("Mt", lambda v: signed(v / _MEGA)),
    "share": ("%", lambda v: f"{100 * v:.1f}%"),
    "percent": ("%", lambda v: f"{significant(v)}%"),
    "whole-share": ("%", lambda v: f"{100 * v:.0f}%"),
    "signed-percent": ("%", lambda v: f"{signed(v)}%"),
    "points": ("points", lambda v: f"{signed(100 * v)}"),
    "chance": ("chance", chance),
    "short-chance": ("chance", lambda v: chance(v).replace("less than ", "<").replace("more than ", ">")),
    "year": ("year", lambda v: str(int(v))),
    "count": ("count", lambda v: f"{v:,.0f}"),
    "score": ("score", significant),
    "in-words": ("in words", str),
    "size": ("in words", lambda v: f"{v:,g}"),
    "years": ("years", lambda v: f"{round(v, 1):g}"),
    "days": ("days", lambda v: f"{v:,.0f}"),
    "money": ("money", money),
    "per-tonne": ("a tonne", significant),
    "intensity": ("t/MWh", significant),
}


def formed(value: Any, form: str) -> str:
    """A value in one of ``FORMS``; what is null is not known."""
    return UNKNOWN if value is None else FORMS[form][1](value)


def unit_of(form: str) -> str:
    """What the form counts in."""
    return FORMS[form][0]
