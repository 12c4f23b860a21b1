"""Reconciliation against dense textbook algebra and a bounded least-squares solver."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import lsq_linear

from features.errors import DataError
from models.reconcile import Errors, reconcile, shared_out, shrinkage

Float = npt.NDArray[np.float64]


def _case(seed: int, parts: int, totals: int) -> tuple[Float, sparse.csr_matrix, Float]:
    rng = np.random.default_rng(seed)
    inside = rng.random((totals, parts)) < 0.4
    inside[0] = True
    summing = sparse.csr_matrix(inside.astype(float))
    n = totals + parts
    residuals = rng.normal(size=(9, n)) * np.exp(rng.normal(size=n)) + rng.normal(size=(9, 1))
    base = np.exp(rng.normal(size=(3, 4, n)) + 2)
    return base, summing, residuals


def _covariance(errors: Errors) -> Float:
    return np.asarray(np.diag(errors.own) + errors.shared.T @ errors.shared)


def _dense(base: Float, summing: sparse.csr_matrix, covariance: Float) -> Float:
    """S (S'W⁻¹S)⁻¹ S'W⁻¹ y, the definition."""
    s = np.vstack([summing.toarray(), np.eye(summing.shape[1])])
    inverse = np.linalg.inv(covariance)
    return np.asarray(base @ (s @ np.linalg.solve(s.T @ inverse @ s, s.T @ inverse)).T)


def _dense_shrinkage(x: Float) -> float:
    """As Schäfer and Strimmer wrote it, over every pair."""
    t, n = x.shape
    xs = x / np.sqrt(np.mean(x**2, axis=0))
    r = xs.T @ xs / t
    v = ((xs**2).T @ xs**2 - (xs.T @ xs) ** 2 / t) / (t * (t - 1))
    off = ~np.eye(n, dtype=bool)
    return float(np.clip(v[off].sum() / (r[off] ** 2).sum(), 0, 1))


@given(st.integers(0, 10_000), st.integers(2, 25), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_equal_to_the_dense_definition(seed: int, parts: int, totals: int) -> None:
    base, summing, residuals = _case(seed, parts, totals)
    for errors in (Errors.diagonal(np.mean(residuals**2, axis=0)), Errors.shrunk(residuals)):
        found = reconcile(base, summing, errors, non_negative=False)
        assert found == pytest.approx(
            _dense(base, summing, _covariance(errors)), rel=1e-8, abs=1e-8 * base.max()
        )


@given(st.integers(0, 10_000), st.integers(2, 25), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_shrunk_covariance_is_the_textbooks(seed: int, parts: int, totals: int) -> None:
    _, _, residuals = _case(seed, parts, totals)
    lam = shrinkage(residuals)
    assert lam == pytest.approx(_dense_shrinkage(residuals), rel=1e-9, abs=1e-12)
    plain = residuals.T @ residuals / len(residuals)
    expected = lam * np.diag(np.diag(plain)) + (1 - lam) * plain
    assert _covariance(Errors.shrunk(residuals)) == pytest.approx(expected, rel=1e-7, abs=1e-8 * plain.max())


@given(st.integers(0, 10_000), st.integers(2, 14), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_non_negative_is_the_constrained_minimum(seed: int, parts: int, totals: int) -> None:
    base, summing, residuals = _case(seed, parts, totals)
    base = base - 1.2 * base.mean()
    for errors in (Errors.diagonal(np.mean(residuals**2, axis=0)), Errors.shrunk(residuals)):
        whitener = np.linalg.inv(np.linalg.cholesky(_covariance(errors)))
        s = np.vstack([summing.toarray(), np.eye(parts)])
        found = reconcile(base, summing, errors)
        for value, asked in zip(
            found.reshape(-1, totals + parts), base.reshape(-1, totals + parts), strict=True
        ):
            best = lsq_linear(whitener @ s, whitener @ asked, (0, np.inf), method="bvls", tol=1e-14).x
            own, theirs = (np.linalg.norm(whitener @ (y - asked)) for y in (value, s @ best))
            assert own <= theirs * (1 + 1e-7) + 1e-12
            assert (value[totals:] >= 0).all()


@given(st.integers(0, 10_000), st.integers(2, 14))
@settings(max_examples=60, deadline=None)
def test_one_total_shared_out_is_the_constrained_minimum(seed: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    lowered = 4.0 * rng.integers(0, 2, size=(6, 1 + parts)).astype(np.float64)
    base: Float = np.asarray(np.exp(rng.normal(size=(6, 1 + parts)) + 1) - lowered, dtype=np.float64)
    variance = np.exp(2 * rng.normal(size=1 + parts))
    summing = sparse.csr_matrix(np.ones((1, parts)))
    found = shared_out(base[:, 0], base[:, 1:], np.full(6, variance[0]), np.tile(variance[1:], (6, 1)))
    expected = reconcile(base, summing, Errors.diagonal(variance))
    np.testing.assert_allclose(found, expected[:, 1:], rtol=1e-7, atol=1e-8)


def test_totals_are_sums_and_coherent_values_stay() -> None:
    base, summing, residuals = _case(3, 12, 4)
    errors = Errors.shrunk(residuals)
    once = reconcile(base, summing, errors)
    np.testing.assert_allclose(once[..., :4], once[..., 4:] @ summing.toarray().T, rtol=1e-12)
    np.testing.assert_allclose(reconcile(once, summing, errors), once, rtol=1e-8, atol=1e-12)


def test_unit_of_mass_does_not_matter() -> None:
    base, summing, residuals = _case(5, 12, 4)
    large = reconcile(base * 1e6, summing, Errors.shrunk(residuals * 1e6))
    np.testing.assert_allclose(large, reconcile(base, summing, Errors.shrunk(residuals)) * 1e6, rtol=1e-7)


def test_a_series_without_errors_still_has_an_answer() -> None:
    base, summing, residuals = _case(7, 12, 4)
    residuals[:, [0, 4, 5]] = 0.0
    assert np.isfinite(reconcile(base, summing, Errors.shrunk(residuals))).all()
    assert np.isfinite(reconcile(base, summing, Errors.diagonal(np.zeros(16)))).all()


@pytest.mark.parametrize("spoil", [lambda b: b[..., :-1], lambda b: b * np.nan])
def test_what_cannot_be_reconciled_is_named(spoil: object) -> None:
    base, summing, residuals = _case(7, 12, 4)
    with pytest.raises(DataError, match="not-reconcilable"):
        reconcile(spoil(base), summing, Errors.shrunk(residuals))  # type: ignore[operator]
    with pytest.raises(DataError, match="residuals-unusable"):
        Errors.shrunk(residuals[:1])
