"""The table of levers: name -> kind, in the order they are applied. A new lever is one file and one row here.

A project of the registry pulls the last kind of the table that has a word in its technology: hydrogen made
with capture is capture.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from insights.kinds.ccus import CCUS
from insights.kinds.efficiency import EFFICIENCY
from insights.kinds.electrification import ELECTRIFICATION
from insights.kinds.hydrogen import HYDROGEN
from insights.kinds.kind import Kind

LEVERS: Final[Mapping[str, Kind]] = MappingProxyType({
    "efficiency": EFFICIENCY,
    "electrification": ELECTRIFICATION,
    "hydrogen": HYDROGEN,
    "ccus": CCUS,
})  # fmt: skip
KINDS: Final = tuple(LEVERS)


def lever_of(technology: str) -> str | None:
    """The kind that a project of this technology pulls; None where no word says so."""
    return next(
        (name for name in KINDS[::-1] if any(word in technology for word in LEVERS[name].words)), None
    )
