"""When a saved scenario was removed and brought back, as the audit tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from serving.tables import AUDIT

REMOVE: Final = "scenario-remove"
RESTORE: Final = "scenario-restore"
_WORDS: Final = {REMOVE: "removed", RESTORE: "restored"}


@dataclass(frozen=True)
class Turn:
    """One removal, or return.

    Attributes:
        at: UTC instant, as ``stamp_of`` writes it.
        what: "removed" or "restored".
        who: the key_id that did it; "local" for nobody's.
    """

    at: str
    what: str
    who: str


def turns_of(line: sa.Connection, scenario_id: str) -> tuple[Turn, ...]:
    """Those of one scenario, oldest first."""
    ours = (AUDIT.c.place == scenario_id) & AUDIT.c.what.in_(tuple(_WORDS))
    asked = sa.select(AUDIT.c.at, AUDIT.c.what, AUDIT.c.who).where(ours).order_by(AUDIT.c.row)
    return tuple(Turn(at, _WORDS[what], who) for at, what, who in line.execute(asked))
