"""LMDI-I: the change of a sum of products split into what each factor did, without a residual.

For V = Σ_i V_i and V_i = Π_k x_ki, from period 0 to T (Ang 2005, Energy Policy 33:867-871, eq. 5; Ang 2015,
Energy Policy 86:233-238):

    additive         ΔV_k = Σ_i L(V_i^T, V_i^0) ln(x_ki^T / x_ki^0),  Σ_k ΔV_k = V^T − V^0
    multiplicative    D_k = exp(ΔV_k / L(V^T, V^0)),                  Π_k D_k  = V^T / V^0
    log mean        L(a, b) = (a − b) / ln(a / b), L(a, a) = a, L(a, 0) = 0

Where a factor is zero at one end the logarithm has no value but the effect has a limit (Ang, Zhang and Choi
1998, Energy 23:489-495, table 2; Ang and Liu 2007, Energy Policy 35:238-246): the factor that is zero takes
the whole change of its part, the others none. Several factors that are zero at the same end take equal
shares, which is the limit when they shrink alike. A part that is zero at both ends has no effects.

Signs: a part below zero at both ends is plain, as ratios are positive. Where a factor changes its sign the
part goes through zero (the remedy of Ang and Liu 2007, Energy Policy 35:739-742, of whose text only the
beginning was read; the rule below is ours): −V^0 falls to the factors that reach zero on the way down, +V^T
to those that leave it on the way up, in equal shares. Every rule keeps the sum exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.errors import DataError

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_NEAR = 0.5


def log_ratio(a: Float, b: Float) -> Float:
    """ln(a / b) for numbers of one sign that are not zero; precise where they lie close together."""
    with np.errstate(all="ignore"):
        apart = (a - b) / b
        return np.asarray(
            np.where(np.abs(apart) < _NEAR, np.log1p(apart), np.log(np.abs(a)) - np.log(np.abs(b)))
        )


def log_mean(a: Float, b: Float) -> Float:
    """L(a, b) = (a − b) / ln(a / b), element by element; a where they are equal, its limit 0 where one is 0.

    NaN where the signs differ: there is no logarithmic mean.
    """
    first, second = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
    with np.errstate(all="ignore"):
        mean = (first - second) / log_ratio(first, second)
    mean = np.where(first == second, first, mean)
    mean = np.where((first == 0) | (second == 0), 0.0, mean)
    return np.where(np.sign(first) * np.sign(second) < 0, np.nan, mean)


@dataclass(frozen=True)
class Split:
    """The change of parts, factor by factor.

    Attributes:
        factors: (K,) names.
        parts: (N,) names.
        start, end: (N, …) values of the parts at both ends, in the unit of the sum (tCO2e).
        effects: (K, N, …) additive effects in the same unit; over the factors they sum to end − start.
    """

    factors: tuple[str, ...]
    parts: tuple[str, ...]
    start: Float
    end: Float
    effects: Float

    @property
    def totals(self) -> Float:
        """(K, …) effects summed over the parts."""
        return np.asarray(self.effects.sum(axis=1))

    @property
    def change(self) -> Float:
        """(…,) change of the sum."""
        return np.asarray(self.end.sum(axis=0) - self.start.sum(axis=0))

    @property
    def ratios(self) -> Float:
        """(K, …) multiplicative effects; NaN where the sum is zero or changes sign, one where nothing moved.

        Their product is the ratio of the sums.
        """
        mean = log_mean(self.end.sum(axis=0), self.start.sum(axis=0))
        with np.errstate(all="ignore"):
            return np.asarray(np.where(mean == 0, np.nan, np.exp(self.totals / mean)))

    @property
    def residual(self) -> Float:
        """(…,) change less all effects: rounding alone."""
        return np.asarray(self.change - self.totals.sum(axis=0))

    def whole(self) -> Split:
        """Year-by-year effects (K, N, T − 1, …) chained: added up over the third axis of ``effects``."""
        return Split(self.factors, self.parts, self.start[:, 0], self.end[:, -1], self.effects.sum(axis=2))


def effects(before: Float, after: Float, start: Float, end: Float) -> Float:
    """(K, N, …) additive effects of K factors on N parts.

    Args:
        before, after: (K, N, …) factors at both ends, finite.
        start, end: (N, …) their products, or the values these stand for.
    """
    crossing = np.sign(before) * np.sign(after) < 0
    down, up = crossing | (after == 0), crossing | (before == 0)
    plain = ~(down | up).any(axis=0)
    logs = np.where(plain, log_ratio(after, before), 0.0)
    weight = np.where(plain, log_mean(end, start), 0.0)
    return np.asarray(weight * logs + np.where(plain, 0.0, _shared(up, end) - _shared(down, start)))


def _shared(among: Bool, amount: Float) -> Float:
    """(K, N, …) ``amount`` (N, …) in equal shares among the marked factors; 0 where none is marked."""
    return np.asarray(among / np.maximum(among.sum(axis=0), 1) * amount)


def product_split(
    factors: Float, names: tuple[str, ...], parts: tuple[str, ...], *, chained: bool = True
) -> Split:
    """Split the sum of plain products of given factors.

    Args:
        factors: (K, N, T, …) factors by part and period, two periods or more; any sign, zeros allowed.
        names: (K,) of the factors.
        parts: (N,) of the parts.
        chained: effects from each period to the next, (K, N, T − 1, …), whose sum is ``Split.whole``;
            else from the first period to the last alone, (K, N, …).

    Raises:
        DataError: a factor that is not finite.
    """
    _refuse_not_finite(factors, parts)
    before, after = ends_of(factors, axis=2, chained=chained)
    start, end = before.prod(axis=0), after.prod(axis=0)
    return Split(names, parts, start, end, effects(before, after, start, end))


def ends_of(values: Float, *, axis: int, chained: bool) -> tuple[Float, Float]:
    """What stands before and after each change along ``axis``: neighbours, or the first and the last."""
    moved = np.moveaxis(np.asarray(values, dtype=float), axis, 0)
    if not chained:
        return moved[0], moved[-1]
    return np.moveaxis(moved[:-1], 0, axis), np.moveaxis(moved[1:], 0, axis)


def _refuse_not_finite(factors: Float, parts: tuple[str, ...]) -> None:
    wrong = ~np.isfinite(factors)
    if wrong.any():
        guilty = np.flatnonzero(wrong.any(axis=tuple(axis for axis in range(factors.ndim) if axis != 1)))
        raise DataError(
            "factor-not-finite",
            found=f"{int(wrong.sum())} factors that are no finite number",
            expected="a finite number for every part and period",
            offenders=[parts[i] for i in guilty],
            remedy="fill in the figure, or leave the part out of both periods",
        )
