"""Where two scenarios differ: in our units, whatever the order and the units they were told in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from insights.scenario import Scenario


@dataclass(frozen=True)
class Difference:
    """One place at which two scenarios differ; None is where one has nothing there."""

    place: str
    one: Any
    other: Any


def diff(one: Scenario, other: Scenario) -> tuple[Difference, ...]:
    """Every place at which two scenarios differ, in our units, by JSON pointer; none for one fingerprint."""
    here, there = _flat(one.canonical()), _flat(other.canonical())
    places = [place for place in sorted({*here, *there}) if here.get(place) != there.get(place)]
    return tuple(Difference(place, here.get(place), there.get(place)) for place in places)


def _flat(value: Any, place: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping):
        rows = [
            _flat(item, f"{place}/{str(key).replace('~', '~0').replace('/', '~1')}")
            for key, item in value.items()
        ]
        return {key: item for row in rows for key, item in row.items()}
    return {place: value}
