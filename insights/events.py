"""What happened? Unusual years, level shifts, restatements, single causes and common shocks, as plain facts.

Nothing is told in prose here: an event is a year, a code, a size and the numbers behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.series.words import DS, FLAG, KNOWN_AT, SOURCE, UNIQUE_ID, Y
from insights.bands import Bands

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

UNUSUAL, SHIFT, RESTATED, SHOCK, SCOPE = (
    "unusual-change", "level-shift", "restatement", "common-shock", "scope-break",
)  # fmt: skip
# A level shift: years on each side, how many usual changes it is worth, and the share that came at once.
SIDE: Final = 3
WORTH: Final = 3.0
SUDDEN: Final = 0.5
# A restatement: share of the figure, and tonnes, below which two vintages are told as one.
RESTATED_SHARE: Final = 0.001
RESTATED_TONNES: Final = 1.0
# A single cause: share of the whole change.
CAUSE: Final = 0.5
# A common shock: clusters with a change in the year, share that moved one way beyond their usual, and the
# least median move beyond the usual.
FEWEST_CLUSTERS: Final = 6
TOGETHER: Final = 0.75
SHOCK_SIZE: Final = 0.05


@dataclass(frozen=True)
class Event:
    """One thing that happened to one series.

    Attributes:
        year: period in which it happened.
        kind: "unusual-change", "level-shift", "restatement", "common-shock" or "scope-break".
        change: tCO2e; None where it has no size of its own.
        percent: of the figure before; None where that is zero or not known.
        evidence: the numbers behind it, JSON-ready.
        codes: short words for whoever writes sentences: "up" or "down", and the rule used.
    """

    year: int
    kind: str
    change: float | None
    percent: float | None
    evidence: dict[str, Any] = field(default_factory=dict)
    codes: tuple[str, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "year": self.year,
            "kind": self.kind,
            "change": self.change,
            "percent": self.percent,
            "codes": list(self.codes),
            "evidence": self.evidence,
        }


def unusual_changes(years: Sequence[int], y: Float, bands: Bands, row: int) -> list[Event]:
    """Years whose figure fell outside the band that was valid one step before.

    Args:
        years: (T,) of the columns; y: (T,) tCO2e; bands: of the panel; row: of this series in it.
    """
    low, high, rule = bands.low[row], bands.high[row], bands.rule[row]
    events = []
    for t in range(1, len(years)):
        if not np.isfinite(y[t]) or not (y[t] < low[t] or y[t] > high[t]):
            continue
        told = {
            "low": float(low[t]),
            "high": float(high[t]),
            "value": float(y[t]),
            "before": _plain(y[t - 1]),
        }
        way = "down" if y[t] < low[t] else "up"
        events.append(Event(years[t], UNUSUAL, *_size(y[t - 1], y[t]), told, (way, str(rule[t]))))
    return events


def level_shift(years: Sequence[int], y: Float, breaks: Bool) -> Event | None:
    """The one lasting step of a series against its straight line in the logarithm, if there is one.

    ln y = a + b t + c [t ≥ s] against ln y = a + b t, least squares; s is taken where the squares are least,
    and counts as a parameter: the step is told where n ln(RSS / n) + p ln n (Schwarz's criterion, as Yao 1988
    uses it for change points) is lower with it (p = 4) than without (p = 2). A series that wanders has such
    steps by itself, so c and the change into the year s must also both be worth ``WORTH`` usual changes
    (1.4826 × median |change of ln y − its median|), and the latter half of c: it came at once and it stayed.
    Three years on both sides; changes across a scope break are taken out first.

    Args:
        years: (T,); y: (T,) tCO2e; breaks: (T,) True where a scope begins.
    """
    held = np.isfinite(y) & (y > 0)
    if held.sum() < 2 * SIDE + 1:
        return None
    at, logs = np.asarray(years, dtype=float)[held], np.log(y[held])
    steps = np.diff(logs)
    across = np.array([breaks[a + 1 : b + 1].any() for a, b in zip(*_pairs(held), strict=True)])
    usual = float(np.median(steps[~across])) if (~across).any() else 0.0
    steps = np.where(across, usual, steps)
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    size = max(1.4826 * float(np.median(np.abs(steps - usual))), 0.01)
    return _best_step(at, logs, size, y[held])


def _pairs(held: Bool) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    places = np.flatnonzero(held)
    return places[:-1], places[1:]


def _best_step(at: Float, logs: Float, usual: float, y: Float) -> Event | None:
    n = len(at)
    line = np.column_stack([np.ones(n), at - at.mean()])
    plain = _squares(line, logs)[0]
    tried = [(*_squares(np.column_stack([line, at >= at[s]]), logs), s) for s in range(SIDE, n - SIDE + 1)]
    least, solved, s = min(tried, key=lambda item: item[0])
    step, changes = float(solved[-1]), np.diff(logs)
    sudden = float((changes[s - 1] - np.median(changes)) * np.sign(step))
    tiny = np.finfo(float).tiny
    gain = n * np.log(max(plain, tiny) / max(least, tiny)) - 2 * np.log(n)
    if gain <= 0 or min(abs(step), sudden) < WORTH * usual or sudden < SUDDEN * abs(step):
        return None
    before = float(np.exp(np.log(y[:s]).mean()))
    told = {
        "step_log": step,
        "sudden_log": sudden,
        "usual_change_log": usual,
        "criterion_gain": float(gain),
        "mean_before": float(y[:s].mean()),
        "mean_after": float(y[s:].mean()),
        "years_before": int(s),
        "years_after": int(n - s),
    }
    change = before * float(np.expm1(step))
    return Event(
        int(at[s]), SHIFT, change, 100 * float(np.expm1(step)), told, ("down" if step < 0 else "up",)
    )


def _squares(matrix: Float, values: Float) -> tuple[float, Float]:
    solved, *_ = np.linalg.lstsq(matrix.astype(float), values, rcond=None)
    return float(((values - matrix @ solved) ** 2).sum()), np.asarray(solved)


def restatements(vintages: pd.DataFrame) -> list[tuple[str, Event]]:
    """Figures of which two vintages differ by more than a thousandth (and a tonne), newest year last.

    Args:
        vintages: unique_id, ds, known_at, y (tCO2e, NaN where withdrawn), source, flag.

    Returns:
        (unique_id, event): change from the first to the newest vintage, in the year of the figure.
    """
    rows = vintages.sort_values([UNIQUE_ID, DS, KNOWN_AT], kind="stable")
    twice = rows[rows.duplicated([UNIQUE_ID, DS], keep=False)]
    found = []
    for _, own in twice.groupby([UNIQUE_ID, DS], sort=True):
        first, newest = float(own[Y].iloc[0]), float(own[Y].iloc[-1])
        gone = np.isnan(first) != np.isnan(newest)
        if not gone and not abs(newest - first) > max(RESTATED_TONNES, RESTATED_SHARE * abs(first)):
            continue
        told = [
            {"known_at": f"{known:%Y-%m-%d}", "value": _plain(y), "source": str(source),
             "flag": str(flag) or None}
            for known, y, source, flag in zip(*(own[c] for c in (KNOWN_AT, Y, SOURCE, FLAG)), strict=True)
        ]  # fmt: skip
        way = "withdrawn" if np.isnan(newest) else ("down" if newest < first else "up")
        year = pd.Timestamp(own[DS].iloc[0]).year
        event = Event(year, RESTATED, *_size(first, newest), {"vintages": told}, (way,))
        found.append((str(own[UNIQUE_ID].iloc[0]), event))
    return found


def single_cause(names: Sequence[str], before: Float, after: Float, change: float) -> dict[str, Any] | None:
    """The part whose change explains most of the change of the whole in one year, if it is half or more.

    Args:
        names: (N,) parts; before, after: (N,) tCO2e, NaN where they have no figure (counted as nothing).
        change: of the whole, tCO2e.

    Returns:
        unique_id, change, share of the whole change, kind ("continuing", "entry", "exit"); None without.
    """
    if not change or len(names) == 0:
        return None
    moved = np.nan_to_num(after) - np.nan_to_num(before)
    first = int(np.argmax(moved * np.sign(change)))
    share = float(moved[first] / change)
    if share < CAUSE:
        return None
    came, went = not np.nan_to_num(before)[first], not np.nan_to_num(after)[first]
    kind = "entry" if came else "exit" if went else "continuing"
    return {UNIQUE_ID: str(names[first]), "change": float(moved[first]), "share": share, "kind": kind}


def common_shocks(years: Sequence[int], totals: Float, breaks: Bool) -> list[Event]:
    """Years in which most clusters moved one way beyond their usual: 2009, 2020.

    Of each cluster the median of its log changes is its usual. A year is a shock when at least
    ``FEWEST_CLUSTERS`` have a change (no scope break), three quarters of them moved one way beyond their
    usual, and the median of what they moved beyond it is 5% or more.

    Args:
        years: (T,); totals: (C, T) tCO2e of the clusters, NaN where missing; breaks: (C, T).

    Returns:
        Events whose ``percent`` is the median change beyond the usual; no tonnes.
    """
    changes = _log_changes(totals, breaks)
    usual, rows = _usual(changes)
    events = []
    for t in range(1, len(years)):
        beyond = (changes[rows, t] - usual)[np.isfinite(changes[rows, t])]
        if len(beyond) < FEWEST_CLUSTERS:
            continue
        middle = float(np.median(beyond))
        share = float((np.sign(beyond) == np.sign(middle)).mean())
        if share >= TOGETHER and abs(middle) >= SHOCK_SIZE:
            told = {"share_same_way_beyond_usual": share, **moved_together(years, totals, breaks, years[t])}
            size = 100 * float(np.expm1(middle))
            events.append(Event(years[t], SHOCK, None, size, told, ("down" if middle < 0 else "up",)))
    return events


def moved_together(years: Sequence[int], totals: Float, breaks: Bool, year: int) -> dict[str, Any]:
    """How many of (C, T) series have a change into ``year``, their median change in percent, and the share
    that moved its way; None where none has."""
    own = np.zeros(0) if year not in years else _log_changes(totals, breaks)[:, years.index(year)]
    own = own[np.isfinite(own)]
    if len(own) == 0:
        return {"n": 0, "share_same_way": None, "median_change_percent": None}
    middle = float(np.median(own))
    return {
        "n": len(own),
        "share_same_way": float((np.sign(own) == np.sign(middle)).mean()),
        "median_change_percent": 100 * float(np.expm1(middle)),
    }


def _log_changes(totals: Float, breaks: Bool) -> Float:
    """(C, T) changes of the logarithm; NaN where a figure is missing or zero, or a scope begins."""
    logs = np.log(np.where(totals > 0, totals, np.nan))
    changes = np.full(logs.shape, np.nan)
    changes[:, 1:] = np.where(breaks[:, 1:], np.nan, logs[:, 1:] - logs[:, :-1])
    return changes


def _usual(changes: Float) -> tuple[Float, Bool]:
    """Median change of the rows that have enough of them, and which these are."""
    known = np.isfinite(changes)
    rows = known.sum(axis=1) >= SIDE
    return np.array([np.median(c[k]) for c, k in zip(changes[rows], known[rows], strict=True)]), rows


def _size(before: float, after: float) -> tuple[float | None, float | None]:
    """Tonnes and percent; None where they have none."""
    if not (np.isfinite(before) and np.isfinite(after)):
        return None, None
    change = float(after - before)
    return change, 100 * change / float(before) if before > 0 else None


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
