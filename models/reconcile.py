"""Reconciliation: totals and their parts made to agree, at the least cost in what was forecast.

The reconciled values are the base forecasts moved by as little as possible in the metric of their errors
(minimum trace: Wickramasuriya, Athanasopoulos & Hyndman 2019), written as a projection on the constraints
C y = 0 with C = [I, −A]: y − W C'(C W C')⁻¹ C y. Only systems as large as there are totals are solved; an
error covariance is kept as a diagonal and the residuals themselves, never as a square of all series.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu

from features.errors import DataError

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

# Share of the mean error variance that a series without errors is given, so that every system has a solution.
LEAST_VARIANCE: Final = 1e-9
# Block exchanges without progress before single ones are made, which must end (Júdice & Pires 1994).
PATIENCE: Final = 3
SLACK: Final = 1e-10


@dataclass(frozen=True)
class Errors:
    """Covariance of base forecast errors: diag(own) + shared' shared.

    Attributes:
        own: (n,) variances of their own, above zero, totals first.
        shared: (T, n) rows of errors in common; no rows for a diagonal covariance.
    """

    own: Float
    shared: Float

    @staticmethod
    def diagonal(variance: Float) -> Errors:
        """Weighted least squares: each series by its variance (n,); zeros become the least variance."""
        return Errors(_floored(variance), np.zeros((0, len(variance))))

    @staticmethod
    def shrunk(residuals: Float) -> Errors:
        """Covariance of residuals (T, n), shrunk to its diagonal (Schäfer & Strimmer 2005).

        Raises:
            DataError: fewer than two rows, or a residual that is not finite.
        """
        if len(residuals) < 2 or not np.isfinite(residuals).all():
            raise DataError(
                "residuals-unusable",
                found=f"{len(residuals)} rows, {int((~np.isfinite(residuals)).sum())} values not finite",
                expected="two rows or more of finite residuals",
                remedy="leave out the periods in which a series has no error",
            )
        lam = shrinkage(residuals)
        variance = np.mean(residuals**2, axis=0)
        own = _floored(variance) - (1 - lam) * variance
        return Errors(np.maximum(own, _floored(variance) * LEAST_VARIANCE),
                      np.sqrt((1 - lam) / len(residuals)) * residuals)  # fmt: skip


def shrinkage(residuals: Float) -> float:
    """Share of the diagonal in the shrunk correlation of residuals (T, n), 0 to 1.

    Sum of the variances of the correlations over the sum of their squares (Schäfer & Strimmer 2005, about
    zero), from T × T products: no matrix of n × n is formed.
    """
    count = len(residuals)
    size = np.sqrt(np.mean(residuals**2, axis=0))
    units = residuals[:, size > 0] / size[size > 0]
    squares = units**2
    # Sums over all pairs of series of (X'X)² and of X²'X², the diagonal taken off.
    pairs = float((units @ units.T).__pow__(2).sum()) - count**2 * units.shape[1]
    spread = float((squares.sum(axis=1) ** 2).sum() - (squares**2).sum()) - pairs / count
    if pairs <= 0:
        return 1.0
    return float(np.clip(spread / (count * (count - 1)) / (pairs / count**2), 0.0, 1.0))


def reconcile(base: Float, summing: sparse.csr_matrix, errors: Errors, *, non_negative: bool = True) -> Float:
    """Base forecasts moved the least (in the metric of their errors) so that totals are sums of parts.

    Args:
        base: (…, n) values, totals first, then the parts in the order of the columns of ``summing``.
        summing: (U, B) which parts, and how much of each, make a total; n = U + B.
        errors: covariance of the base forecasts' errors.
        non_negative: no part below zero: the exact constrained minimum, not a cut.

    Raises:
        DataError: shapes that do not belong together, or values that are not finite.
    """
    totals, parts = summing.shape
    flat = (
        np.asarray(base, dtype=float).reshape(-1, totals + parts)
        if base.shape[-1] == totals + parts
        else None
    )
    if flat is None or len(errors.own) != totals + parts or not np.isfinite(flat).all():
        raise DataError(
            "not-reconcilable",
            found=f"{base.shape[-1]} values, {len(errors.own)} variances, {totals} totals of {parts} parts",
            expected=f"{totals + parts} finite values and variances, totals first",
            remedy="leave out series without a forecast, and order totals before parts",
        )
    constraints = sparse.hstack([sparse.identity(totals), -summing], format="csr")
    out = _projected(flat, constraints, errors)[0]
    if non_negative:
        scale = np.abs(flat).max(axis=1, initial=0.0)
        for row in np.flatnonzero((out[:, totals:] < -SLACK * scale[:, None]).any(axis=1)):
            out[row] = _above_zero(flat[row], out[row], constraints, errors)
        out[:, totals:] = np.maximum(out[:, totals:], 0.0)
    # Totals are summed last: what is left of rounding must not show.
    out[:, :totals] = (summing @ out[:, totals:].T).T
    return np.asarray(out.reshape(base.shape))


def shared_out(total: Float, parts: Float, total_variance: Float, variance: Float) -> Float:
    """``reconcile`` for many cases of one total each, errors diagonal, no part below zero: all at once.

    Each part moves by the same multiple of its variance until the parts make the total, which gives way by
    that multiple of its own; parts that would fall below zero stay there. The parts held only ever grow in
    number, so the answer is exact after as many rounds as there are parts, and mostly after two.

    Args:
        total: (R,) base forecasts of the total.
        parts: (R, k) base forecasts of its parts.
        total_variance, variance: (R,) and (R, k) of their errors, above zero.

    Returns:
        (R, k) parts; the total is their sum.
    """
    held = np.zeros(parts.shape, dtype=bool)
    while True:
        room = total_variance + np.where(held, 0.0, variance).sum(axis=1)
        multiple = (total - np.where(held, 0.0, parts).sum(axis=1)) / room
        moved = parts + multiple[:, None] * variance
        below = (moved < 0) & ~held
        if not below.any():
            return np.asarray(np.where(held, 0.0, moved))
        held |= below


def _projected(flat: Float, constraints: sparse.csr_matrix, errors: Errors) -> tuple[Float, Float]:
    """(k, n) projections on the constraints (m, n) and their multipliers (k, m)."""
    own = sparse.diags(errors.own)
    solver = splu((constraints @ own @ constraints.T).tocsc())
    apart = (constraints @ flat.T).T
    lifted = (constraints @ errors.shared.T).T
    multipliers = _solved(solver, lifted, apart)
    raised = (constraints.T @ multipliers.T).T
    return flat - raised * errors.own - (raised @ errors.shared.T) @ errors.shared, multipliers


def _solved(solver: SuperLU, lifted: Float, right: Float) -> Float:
    """(k, m) rows x with (S + L'L) x = right, S factored, L (T, m): Woodbury's identity."""
    plain = solver.solve(np.ascontiguousarray(right.T))
    if len(lifted):
        across = solver.solve(np.ascontiguousarray(lifted.T))
        core = np.eye(len(lifted)) + lifted @ across
        plain = plain - across @ np.linalg.solve(core, lifted @ plain)
    return np.asarray(plain.T)


def _above_zero(base: Float, start: Float, constraints: sparse.csr_matrix, errors: Errors) -> Float:
    """(n,) the closest coherent values (n,) with no part below zero: block principal pivoting."""
    totals, n = constraints.shape
    scale = float(np.abs(base).max())
    held = np.zeros(n, dtype=bool)
    held[totals:] = start[totals:] < 0
    fewest, patience = n + 1, PATIENCE
    while True:
        fixed = np.flatnonzero(held)
        rows = sparse.csr_matrix((np.ones(len(fixed)), (np.arange(len(fixed)), fixed)), shape=(len(fixed), n))
        moved, multipliers = _projected(
            base[None, :], sparse.vstack([constraints, rows], format="csr"), errors
        )
        wrong = _misplaced(moved[0], multipliers[0, totals:], fixed, totals, scale, errors)
        if not wrong.any():
            moved[0, fixed] = 0.0
            return np.asarray(moved[0])
        if wrong.sum() < fewest:
            fewest, patience = int(wrong.sum()), PATIENCE
        else:
            patience -= 1
        held ^= wrong if patience >= 0 else _last_only(wrong)


def _misplaced(
    moved: Float, pressed: Float, fixed: npt.NDArray[np.int64], totals: int, scale: float, errors: Errors
) -> Bool:
    """(n,) parts that are free and below zero, or held at zero though they would rise."""
    wrong = np.zeros(len(moved), dtype=bool)
    wrong[totals:] = moved[totals:] < -SLACK * scale
    wrong[fixed] = pressed * errors.own[fixed] > SLACK * scale
    return wrong


def _last_only(wrong: Bool) -> Bool:
    """(n,) the last of them alone."""
    one = np.zeros(len(wrong), dtype=bool)
    one[np.flatnonzero(wrong)[-1]] = True
    return one


def _floored(variance: Float) -> Float:
    least = LEAST_VARIANCE * float(np.mean(variance)) if np.any(variance > 0) else 1.0
    return np.maximum(variance, least)
