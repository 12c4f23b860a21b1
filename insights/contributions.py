"""Who moved the sum? Exact contributions of the parts where no activity is known.

A sum's change is the sum of its parts' changes; nothing is estimated. Emissions alone never tell a change of
intensity from one of output: that takes an activity (``insights.decompose``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError
from features.series.panel import Dense
from features.series.scopes import bridge

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

CONTINUING, ENTRY, EXIT, ABSENT = "continuing", "entry", "exit", "absent"
UNBRIDGED: Final = "unbridged"
# Came or went in the very period in which the scheme changed whom it counts.
SCOPE_ENTRY, SCOPE_EXIT = "scope-entry", "scope-exit"


@dataclass(frozen=True)
class Contributions:
    """The change of a sum from the first to the last period of a window, part by part, tCO2e.

    Attributes:
        parts: (N,) names.
        kinds: (N,) "continuing", "entry", "exit", "scope-entry", "scope-exit", "unbridged" or "absent".
        start, end: (N,) figures at both ends as reported; NaN where there is none.
        change: (N,) what the part itself did, like for like in the newest scope.
        scope: (N,) what the change of scope did to the figures; change + scope is the reported change.
    """

    parts: tuple[str, ...]
    kinds: tuple[str, ...]
    start: Float
    end: Float
    change: Float
    scope: Float

    @property
    def reported(self) -> float:
        """Change of the sum as reported: like for like plus scope."""
        return float(np.nansum(self.end) - np.nansum(self.start))

    def as_records(self, order: str = "size") -> list[dict[str, Any]]:
        """JSON-ready rows, the largest change first (or in the order given); absent parts left out.

        share: of the like-for-like change of the sum; None where that is zero.
        """
        whole = float(self.change.sum())
        rows = [
            {
                "unique_id": self.parts[i],
                "kind": self.kinds[i],
                "start": _plain(self.start[i]),
                "end": _plain(self.end[i]),
                "change": float(self.change[i]),
                "scope_change": float(self.scope[i]),
                "share": float(self.change[i] / whole) if whole else None,
            }
            for i in range(len(self.parts))
            if self.kinds[i] != ABSENT
        ]
        return sorted(rows, key=lambda row: -abs(row["change"])) if order == "size" else rows


def contributions(window: Dense, *, strict: bool = True) -> Contributions:
    """Contributions of the rows of ``window`` to the change of their sum from its first to its last period.

    Each row's figures before a scope break are read in the newest scope over the neutral bridge
    (``features.series.scopes``): no growth is taken to cross the break, and what the rescaling does is
    ``scope``. A row that first appears, or is last seen, where a break of any row begins came or went with
    the scope: its figure there is ``scope``, what it did afterwards or before is ``change``.

    Args:
        window: rows of one calendar: equal starts, (B, T), gaps as NaN, breaks marked.
        strict: refuse rows that cannot be bridged; else they are of kind "unbridged", all they moved is told
            as ``scope``.

    Raises:
        AskError: ``scope-break-inside``: a break lies inside and a figure beside it is missing or zero, so
            that nothing can be bridged.
    """
    y, breaks = window.y, window.breaks.copy()
    breaks[:, 0] = False
    held = np.isfinite(y) & (y != 0)
    first, last = held.argmax(axis=1), y.shape[1] - 1 - held[:, ::-1].argmax(axis=1)
    kinds = _kinds(held, first, last, np.asarray(breaks.any(axis=0)))
    rows = np.arange(len(y))
    bridged = bridge(_marked(window, breaks)).y
    begin, finish = (np.nan_to_num(of) for of in (y[:, 0], y[:, -1]))
    like = np.where(begin == 0, 0.0, bridged[:, 0])
    came, went = kinds == SCOPE_ENTRY, kinds == SCOPE_EXIT
    change = np.where(came, finish - bridged[rows, first], finish - like)
    change = np.where(went, bridged[rows, last] - like, change)
    lost = np.isnan(change)
    if strict:
        _refuse_unbridged(window, lost)
    change, kinds = np.where(lost, 0.0, change), np.where(lost, UNBRIDGED, kinds)
    scope = finish - begin - change
    return Contributions(window.ids, tuple(map(str, kinds)), y[:, 0], y[:, -1], change, scope)


def _kinds(held: Bool, first: npt.NDArray[np.intp], last: npt.NDArray[np.intp], turns: Bool) -> Any:
    """(B,) what became of each row; ``turns`` (T,) marks the periods that begin a scope."""
    ever, at_start, at_end = held.any(axis=1), held[:, 0], held[:, -1]
    turned_after = np.append(turns, False)[last + 1]
    kinds = np.where(at_start & at_end, CONTINUING, ABSENT).astype("<U16")
    kinds = np.where(ever & ~at_start & at_end, np.where(turns[first], SCOPE_ENTRY, ENTRY), kinds)
    return np.where(ever & at_start & ~at_end, np.where(turned_after, SCOPE_EXIT, EXIT), kinds)


def _marked(window: Dense, breaks: Bool) -> Dense:
    return replace(window, breaks=breaks)


def _refuse_unbridged(window: Dense, lost: Bool) -> None:
    if lost.any():
        years = window.cadence.instant(window.starts[0] + np.flatnonzero(window.breaks[lost].any(axis=0)))
        raise AskError(
            "scope-break-inside",
            found=f"{int(lost.sum())} series whose scope changes inside the span, and no figure bridges it",
            expected="figures above zero on both sides of each break, or a span within one scope",
            offenders=[window.ids[i] for i in np.flatnonzero(lost)],
            remedy="ask for a span that begins or ends at the break: "
            + ", ".join(str(year)[:4] for year in years),
        )


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
