"""Features of a whole panel at every position, by one scan along time; a forecast scans on.

What was read before a column is held in a state that takes the next column in. Training rows and the
rows of a recursive forecast are read off the same state, so they cannot disagree, and every past cutoff
is served by the same pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.matrix.scale import MEMORY, ONLY_ZEROS, SHARE_OF_LEVEL

Float = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]

CHANGES: Final = 4
# No age: where many series begin together it is the calendar, and the last year's shock would be
# foretold for every year to come.
SCANNED: Final = (
    *(f"change_{k + 1}" for k in range(CHANGES)),
    "over_mean_3", "over_mean", "over_max", "level_in_scale", "size",
)  # fmt: skip
# Added and taken away again it leaves multiples of 2**-17: the last bits of a sum depend on the unit a
# panel is in, and a tree splits equal rows apart by them.
_COARSE: Final = np.float32(64.0)
_LAST, _TOTAL, _COUNT, _TOP, _MOVED, _WEIGHT, _SIZE = range(7)
_CHANGE: Final = 7
_STATES: Final = _CHANGE + CHANGES


@dataclass(frozen=True)
class State:
    """What is known of B series after their first columns: one row a quantity, (11, B)."""

    held: Float

    @staticmethod
    def before(count: int) -> State:
        """Of ``count`` series of which nothing was read."""
        held = np.zeros((_STATES, count))
        held[[_LAST, _TOP]] = np.nan
        held[_CHANGE:] = np.nan
        return State(held)

    def read(self, y: Float) -> State:
        """After one more column (B,); series without a figure in it stay as they are."""
        old, new = self.held, np.empty_like(self.held)
        change = y - old[_LAST]
        first = np.isnan(old[_LAST])
        new[_LAST] = y
        new[_TOTAL] = old[_TOTAL] + y
        new[_SIZE] = old[_SIZE] + np.abs(y)
        new[_COUNT] = old[_COUNT] + 1
        new[_TOP] = np.fmax(old[_TOP], y)
        new[_MOVED] = MEMORY * old[_MOVED] + np.where(first, 0.0, np.abs(change))
        new[_WEIGHT] = MEMORY * old[_WEIGHT] + ~first
        new[_CHANGE] = change
        new[_CHANGE + 1 :] = old[_CHANGE:-1]
        gone = np.isnan(y)
        return State(np.where(gone, old, new) if gone.any() else new)

    @property
    def newest(self) -> Float:
        """(B,) the last figure read; NaN where there was none."""
        return np.asarray(self.held[_LAST])

    @property
    def scale(self) -> Float:
        """(B,) exponentially weighted absolute change plus 3% of the level; above zero.

        The change of ``features.matrix.scale.usual_change`` over one period, by its recursion.
        """
        held = self.held
        level = np.fmax(np.abs(held[_LAST]), 0.2 * held[_SIZE] / np.maximum(held[_COUNT], 1))
        usual = held[_MOVED] / np.maximum(held[_WEIGHT], ONLY_ZEROS) + SHARE_OF_LEVEL * np.nan_to_num(level)
        return np.asarray(np.where(usual > 0, usual, ONLY_ZEROS))

    def write(self, out: Single, scale: Float) -> None:
        """Features, in the order of ``SCANNED``, into ``out`` (B, 9)."""
        held, per = self.held, 1.0 / scale
        last, change = held[_LAST], held[_CHANGE:]
        # y_t, y_(t-1) and y_(t-2) have the mean y_t - (2 c_1 + c_2) / 3, with changes c.
        lately = (2 * np.nan_to_num(change[0]) + np.nan_to_num(change[1])) / 3
        out[:, :CHANGES] = (change * per).T
        out[:, CHANGES] = lately * per
        out[:, CHANGES + 1] = (last - held[_TOTAL] / np.maximum(held[_COUNT], 1)) * per
        out[:, CHANGES + 2] = (last - held[_TOP]) * per
        out[:, CHANGES + 3] = last * per
        coarse = out[:, : CHANGES + 4]
        coarse += _COARSE
        coarse -= _COARSE
        out[:, CHANGES + 4] = np.abs(last)


@dataclass(frozen=True)
class Scan:
    """A panel read to its end.

    Attributes:
        x: (T, B, 9) features after each column, in the order of ``SCANNED``.
        change: (T, B) change from each column to the next in units of ``scale``; NaN at the end, where
            either has no figure, and after a first figure, whose usual change is not known yet.
    """

    x: Single
    change: Single


def scan(y: Float) -> Scan:
    """Read the columns of start-aligned rows (B, T), NaN where there is no figure."""
    count, width = y.shape
    columns = np.ascontiguousarray(y.T)
    x = np.empty((width, count, len(SCANNED)), dtype=np.float32)
    change = np.full((width, count), np.nan, dtype=np.float32)
    state = State.before(count)
    for t in range(width):
        state = state.read(columns[t])
        scale = state.scale
        state.write(x[t], scale)
        if t + 1 < width:
            change[t] = np.where(state.held[_COUNT] > 1, columns[t + 1] - columns[t], np.nan) / scale
    return Scan(x, change)


def state_of(y: Float) -> State:
    """The state after all columns of rows (B, T), NaN where there is no figure."""
    state = State.before(len(y))
    for column in np.ascontiguousarray(y.T):
        state = state.read(column)
    return state
