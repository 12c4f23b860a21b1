"""Forecarbon's reconciliation, as it is timed: covariance from the residuals, then the projection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import sparse

from models.reconcile import Errors, reconcile


def mint(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Reconciled values (h, n) by ``settings["method"]``: wls_var or mint_shrink."""
    summing = sparse.csr_matrix(arrays["summing"])
    base, residuals = arrays["base"].T, arrays["residuals"].T

    def run() -> dict[str, Any]:
        if settings["method"] == "wls_var":
            errors = Errors.diagonal(np.mean(residuals**2, axis=0))
        else:
            errors = Errors.shrunk(residuals)
        return {"made": reconcile(base, summing, errors, non_negative=settings["non_negative"])}

    run()
    return run
