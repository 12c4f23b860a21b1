"""Words for parts of a cost, and for why a figure of money is not told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from insights.fund_costs import (
    CAPTURE_ALONE,
    ELSEWHERE_UNKNOWN,
    NONE_AVOIDED,
    NOT_TOLD,
    PER_TONNE,
    TOLD_ONCE,
)

_OTHERS: Final = "levers and projects that tell no cost a tonne"
# Why there is no cost of a tonne: in short, and what is behind it.
REASONS: Final[Mapping[str, tuple[str, str]]] = {
    NOT_TOLD: ("not published", "no figure told, none made up"),
    TOLD_ONCE: ("not added up", "told twice: a tonne in the plan, and beside it"),
    ELSEWHERE_UNKNOWN: ("not known", "the grid's intensity is missing"),
    NONE_AVOIDED: ("not known", "no tonne is expected to be avoided"),
}
_AGAINST: Final[Mapping[str, str]] = {
    TOLD_ONCE: "the plan tells costs a tonne, which hold an unknown part of the same money",
    CAPTURE_ALONE: "the plan holds levers that capture nothing, and the money is the whole plan's",
    ELSEWHERE_UNKNOWN: "the grid's intensity is missing",
    NONE_AVOIDED: "no tonne is expected to be avoided",
    "captured": "no tonne is captured",
}


def left_words(costs: Mapping[str, Any]) -> str:
    """The parts that a cost leaves out; "" for none."""
    parts = [_OTHERS if part.startswith(PER_TONNE) else _part(part) for part in costs["left_out"]]
    return ", ".join(dict.fromkeys(parts))


def held_words(costs: Mapping[str, Any]) -> str:
    """What a cost of a tonne that is known holds, and what it leaves out."""
    left = left_words(costs)
    if any(part.startswith(PER_TONNE) for part in costs["known"]):
        return "as told a tonne in the plan" + (f", without {left}" if left else "")
    return f"without {left}" if left else "capex, opex, transport and storage"


def against_words(missing: Sequence[str]) -> str:
    """What stands against a break-even support."""
    told = [_AGAINST[each] for each in missing if each in _AGAINST]
    parts = [_part(each) for each in missing if each not in _AGAINST]
    return "; ".join([*([f"no figure was told of {', '.join(parts)}"] if parts else []), *told])


def _part(name: str) -> str:
    return "transport and storage" if name == "transport_storage" else name.replace("_", " ")
