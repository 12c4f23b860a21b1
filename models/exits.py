"""Exits: the chance that a plant stands at zero some periods ahead, learnt from those that closed.

A hurdle before the forecast (Cragg 1971): with chance p the figure is zero, else it follows the bands of the
survivors. The chance of the next period is a logistic regression on the size, the fall from the best year,
the latest changes and earlier idle years, over all series and past cutoffs, the newest weighing most. Later
periods are survived one by one (Cox & Oakes, Analysis of Survival Data, 1984, 1.2), each at a hazard nearer
to the usual one: those that stayed are not those that were likely to leave. A plant has left when its figures
end before the newest of its area, or stands at zero when its figure says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.matrix.build import build
from features.matrix.recipe import FeatureRecipe
from features.series.panel import Dense
from models.replay import Replay

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

READ: Final = ("log_level", "share_of_max", "change_1", "over_mean_3", "zeros")
# Amounts are cut here: one wild year must not bend the line for all.
WIDEST: Final = 5.0
LEAST_SEEN: Final = 3
LEAST_EXITS: Final = 30
MOST_CUTOFFS: Final = 8
# Of more series than these every second, third … is looked at.
MOST_SERIES: Final = 5_000
# Both chosen on plants of three registers, figures up to 2017 (``benchmarks/exits``): closures come in waves,
# so old cutoffs say little of the next year; and what makes one plant more likely to leave wears off.
MEMORY: Final = 0.6
FADING: Final = 0.4
TOGETHER: Final = 64
# Aggregates end with their last plant only; that is not learnt from.
AGGREGATES: Final = ("sector", "context", "cluster")


@dataclass(frozen=True)
class Exits:
    """A fitted hurdle.

    Attributes:
        weights: (2 F,) of the amounts ``READ`` and of their squares, on their own scale.
        constant: of the logit.
        usual: mean chance of a period, weighted as learnt.
        level: usual size of the panel's series, tCO2e.
        seen, left: rows it was learnt from, and how many of them stood at zero a period later.
    """

    weights: tuple[float, ...]
    constant: float
    usual: float
    level: float
    seen: int
    left: int

    def chance(self, history: Dense, steps: int) -> Float:
        """(B, steps) chance of zero, non-decreasing; 0 for aggregates and for series that stand still."""
        logit = self.constant + _amounts(history, self.level) @ np.array(self.weights)
        apart = 1 / (1 + np.exp(-np.clip(logit, -30, 30))) - self.usual
        hazard = self.usual + apart[:, None] * (1 - FADING) ** np.arange(steps)
        chance = 1 - np.cumprod(1 - hazard, axis=1)
        return np.asarray(np.where(_may_leave(history)[:, None], chance, 0.0))

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "weights": list(self.weights), "constant": self.constant, "usual": self.usual,
            "level": self.level, "seen": self.seen, "left": self.left,
        }  # fmt: skip

    @staticmethod
    def of_record(record: dict[str, Any]) -> Exits:
        """Inverse of ``as_record``."""
        return Exits(
            tuple(map(float, record["weights"])), float(record["constant"]), float(record["usual"]),
            float(record["level"]), int(record["seen"]), int(record["left"]),
        )  # fmt: skip


def hurdled(curves: Float, chance: Float) -> Float:
    """Curves (B, H, Q), evenly spaced in rank, of a figure that is zero with ``chance`` (B, H)."""
    count = curves.shape[2]
    rank = (np.arange(count) + 1) / (count + 1)
    out = curves.copy()
    rows = np.flatnonzero(chance.max(axis=1, initial=0.0) > 0)
    # A few rows at a time stay in the processor's cache: thousands at once take three times as long.
    for first in range(0, len(rows), TOGETHER):
        some = rows[first : first + TOGETHER]
        mine, p = curves[some].reshape(-1, count), chance[some].reshape(-1, 1)
        place = np.clip((rank - p) / (1 - p), 0.0, 1.0) * (count + 1) - 1
        left = np.clip(np.floor(place).astype(np.int64), 0, count - 2)
        at = left + np.arange(len(mine))[:, None] * count
        low, high = mine.take(at), mine.take(at + 1)
        moved = np.where(rank < p, 0.0, low + np.clip(place - left, 0.0, 1.0) * (high - low))
        out[some] = moved.reshape(-1, *curves.shape[1:])
    return out


def survivors(past: Replay) -> Replay:
    """The past without zeros of series that emitted when asked: they are the hurdle's, not the bands'."""
    gone = (past.actual == 0) & (past.point[0] > 0)
    return replace(past, actual=np.where(gone, np.nan, past.actual))


def seen_by(history: Dense, lengths: Int, areas: tuple[str, ...]) -> tuple[Dense, Int]:
    """What was known, and the newest period of each area, when ``lengths`` (B,) periods of the series asked
    were published; of series that had left by then, all before it."""
    asked = np.where(lengths > 0, history.starts + lengths - 1, np.iinfo(np.int64).min // 2)
    newest = newest_of_areas(asked, areas)
    return history.until(np.clip(newest - history.starts + 1, 0, history.lengths)), newest


def newest_of_areas(ends: Int, areas: tuple[str, ...]) -> Int:
    """(B,) the newest of the last periods (B,) among the series of each one's area."""
    _, code = np.unique(np.asarray(areas), return_inverse=True)
    newest = np.full(code.max(initial=-1) + 1, np.iinfo(np.int64).min)
    np.maximum.at(newest, code, ends)
    return newest[code]


def stands_at_zero(history: Dense, newest: Int, cutoffs: Int, steps: int) -> Float:
    """(B, steps) 1 where a series stands at zero after its cutoff, 0 where it emits, NaN where unknown.

    Args:
        history: all that is known.
        newest: (B,) ordinal of the newest period known of each one's area.
        cutoffs: (B,) ordinal of the last period seen.
        steps: periods after it.
    """
    ends = history.starts + history.lengths - 1
    ordinal = cutoffs[:, None] + np.arange(1, steps + 1)[None, :]
    column = np.clip(ordinal - history.starts[:, None], 0, history.y.shape[1] - 1)
    figure = np.take_along_axis(history.y, column, axis=1)
    inside = (ordinal <= ends[:, None]) & (ordinal >= history.starts[:, None]) & np.isfinite(figure)
    gone = (ordinal > ends[:, None]) & _left(history, ends, newest)[:, None]
    told = np.where(inside, (figure == 0).astype(float), np.where(gone, 1.0, np.nan))
    return np.asarray(np.where(ordinal <= newest[:, None], told, np.nan))


def learn_exits(history: Dense, newest: Int) -> Exits | None:
    """The hurdle of a panel; None where fewer than ``LEAST_EXITS`` closures were seen (a plant that opened
    again and closed again counts twice).

    Args:
        history: what may be seen: at most up to ``newest``.
        newest: (B,) as in ``stands_at_zero``.
    """
    kept = np.arange(0, len(history.ids), -(-len(history.ids) // MOST_SERIES) or 1)
    history, newest = history.take(kept), newest[kept]
    level = _usual_level(history)
    xs, ys, ws = [], [], []
    for back in _backs(history):
        rows, seen = _seen(history, newest - back)
        told = stands_at_zero(history, newest, newest - back, 1)[rows, 0]
        known = np.isfinite(told)
        xs.append(_amounts(seen, level)[known])
        ys.append(told[known])
        ws.append(np.full(int(known.sum()), MEMORY**back))
    left = sum(int(y.sum()) for y in ys)
    if left < LEAST_EXITS or left == sum(len(y) for y in ys):
        return None
    return _fitted(np.concatenate(xs), np.concatenate(ys), np.concatenate(ws), level)


def _fitted(x: Float, y: Float, weight: Float, level: float) -> Exits:
    # Loaded where it is needed: a third of a second, which a forecast without plants need not wait for.
    from sklearn.linear_model import LogisticRegression

    middle, spread = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    model = LogisticRegression(max_iter=300).fit((x - middle) / spread, y, weight)
    weights = model.coef_[0] / spread
    constant = float(model.intercept_[0] - (weights * middle).sum())
    usual = float(np.average(y, weights=weight))
    return Exits(tuple(map(float, weights)), constant, usual, level, len(y), int(y.sum()))


def _backs(history: Dense) -> list[int]:
    longest = int(history.lengths.max(initial=0)) - LEAST_SEEN
    return list(range(1, min(longest, MOST_CUTOFFS) + 1))


def _seen(history: Dense, cutoffs: Int) -> tuple[Int, Dense]:
    """Rows that emit at their cutoff and may leave, and what was known of them then."""
    lengths = np.clip(cutoffs - history.starts + 1, 0, history.lengths)
    whole = (lengths >= LEAST_SEEN) & (history.starts + lengths - 1 == cutoffs)
    rows = np.flatnonzero(whole)
    seen = history.until(lengths).take(rows)
    alive = _may_leave(seen)
    return rows[alive], seen.take(np.flatnonzero(alive))


def _left(history: Dense, ends: Int, newest: Int) -> Bool:
    """(B,) True where figures end before the area's newest, and not because a scheme changed hands then."""
    kinds = history.traits.get("kind")
    if kinds is None:
        return np.zeros(len(history.ids), dtype=bool)
    rows, columns = np.nonzero(history.breaks)
    broken = set((history.starts[rows] + columns).tolist())
    moved = np.array([int(end) + 1 in broken for end in ends], dtype=bool)
    return np.asarray((ends < newest) & ~moved & ~kinds.isin(AGGREGATES).to_numpy())


def _may_leave(history: Dense) -> Bool:
    """(B,) True for plants, or series of no declared kind, whose newest figure is above zero."""
    last = np.maximum(history.lengths - 1, 0)
    newest = history.y[np.arange(len(history.ids)), last] if len(history.ids) else np.zeros(0)
    kinds = history.traits.get("kind")
    own = np.ones(len(history.ids), dtype=bool) if kinds is None else ~kinds.isin(AGGREGATES).to_numpy()
    return np.asarray(own & history.non_negative & (np.nan_to_num(newest) > 0))


def _amounts(history: Dense, level: float) -> Float:
    """(B, 2 F) the amounts ``READ`` at each series' last period, and their squares."""
    recipe = FeatureRecipe(traits=(), codes=(), seasonal=False, level=level)
    made = build(history, recipe, 1).x[:, [recipe.columns.index(name) for name in READ]]
    held = np.clip(np.nan_to_num(made), -WIDEST, WIDEST)
    return np.hstack([held, held**2])


def _usual_level(history: Dense) -> float:
    last = history.y[np.arange(len(history.ids)), np.maximum(history.lengths - 1, 0)]
    positive = last[np.isfinite(last) & (last > 0)]
    return float(np.median(positive)) if len(positive) else 1.0
