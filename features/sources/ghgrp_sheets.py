"""The sheets of the EPA workbooks: which tell of direct emissions, and who reads which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from features.sources.ghgrp_workbook import plain

POINTS: Final = ("Direct Point Emitters", "Direct Emitters")
# What is sold, injected or stored is emitted elsewhere, or not at all.
NOT_DIRECT: Final = ("Suppliers", "CO2 Injection", "Geologic Sequestration of CO2")
WHERE_EMITTED: Final = "state where emissions occur"
OIL_AND_GAS: Final = "petroleum-and-natural-gas-systems"


@dataclass(frozen=True)
class Segment:
    """A sheet of direct emissions that belong to no single site.

    Attributes:
        word: in facility and scope ids.
        sheet: its name.
        emitter: the end of the names of its year columns.
        state: the names its column of states may have.
        by_state: whether a facility has a row for each state.
        sector: the house word.
    """

    word: str
    sheet: str
    emitter: str
    state: tuple[str, ...] = ("reported state", "state")
    by_state: bool = False
    sector: str = OIL_AND_GAS

    @property
    def figures(self) -> tuple[str, ...]:
        """What its column of figures is called, the year left out."""
        return tuple(f"total reported {kind}emissions from {self.emitter}" for kind in ("", "direct "))


SEGMENTS: Final = (
    Segment("onshore", "Onshore Oil & Gas Prod.", "onshore oil & gas production"),
    Segment("gathering", "Gathering & Boosting", "gathering & boosting"),
    Segment(
        "transmission", "Transmission Pipelines", "transmission pipelines", (WHERE_EMITTED,), by_state=True
    ),
    Segment("distribution", "LDC - Direct Emissions", "local distribution companies", (WHERE_EMITTED,)),
    Segment("sf6", "SF6 from Elec. Equip.", "electrical equipment use", sector="other"),
)


def not_read(file: str, others: Iterable[str]) -> list[tuple[int, str, str]]:
    """A complaint for each of the sheets ``others``: not read, and why or by which source."""
    reasons = {
        **_each(POINTS, "; the source ghgrp reads it"),
        **_each([segment.sheet for segment in SEGMENTS], "; the source ghgrp-segments reads it"),
        **_each(NOT_DIRECT, ": it tells of no direct emissions"),
    }
    return [
        (0, "sheet-not-read", f"{file}: sheet {name!r} is not read{reasons.get(plain(name), '')}")
        for name in others
    ]


def _each(names: Sequence[str], reason: str) -> dict[str, str]:
    return {plain(name): reason for name in names}
