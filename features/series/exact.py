"""Sums of tonnes that come out the same in whatever order, and in however many parts, they are added.

Adding floating-point figures rounds at every step, so the order shows in the last digits. Whole numbers do
not round: each figure is cut into three of them, which are added as they are.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

WHOLE, MIDDLE, LOW = "whole", "middle", "low"
PARTS: Final = (WHOLE, MIDDLE, LOW)
_BITS: Final = 31
_MASK: Final = (1 << _BITS) - 1


def split(tonnes: Float) -> dict[str, Int]:
    """Each figure (N,) as whole tonnes, 2^31ths of a tonne, and 2^31ths of those.

    Exact for figures from a kilogram up; what is smaller than 2^-62 t is cut off, in each figure alike.

    Args:
        tonnes: from 0 to 2^62; sums of up to 2^32 such figures stay exact while they are below 2^62 too.
    """
    whole = np.floor(tonnes)
    rest = (tonnes - whole) * 2.0**_BITS
    middle = np.floor(rest)
    low = np.floor((rest - middle) * 2.0**_BITS)
    return dict(zip(PARTS, (part.astype(np.int64) for part in (whole, middle, low)), strict=True))


def joined(whole: Int, middle: Int, low: Int) -> Float:
    """(N,) tonnes of added, or subtracted, parts."""
    carried = middle + (low >> _BITS)
    small = (carried & _MASK) * 2.0**-_BITS + (low & _MASK) * 2.0 ** (-2 * _BITS)
    return np.asarray((whole + (carried >> _BITS)) + small, dtype=np.float64)
