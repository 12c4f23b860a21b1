"""hierarchicalforecast's MinTrace, dense and sparse. Run by the peers' Python; needs their packages alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import sparse


def mint(arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Reconciled values (h, n) by ``settings["method"]``."""
    from hierarchicalforecast.methods import MinTrace, MinTraceSparse

    summing = arrays["summing"]
    whole = np.vstack([summing, np.eye(summing.shape[1])])
    base, residuals = arrays["base"], arrays["residuals"]
    # The peer reads residuals as actual less fitted: with fitted at zero these are the actuals.
    seen, fitted = residuals, np.zeros_like(residuals)
    lean = settings.get("sparse", False)
    maker = MinTraceSparse if lean else MinTrace
    given = sparse.csr_matrix(whole) if lean else whole

    def run() -> dict[str, Any]:
        method = maker(method=settings["method"], nonnegative=settings["non_negative"], num_threads=2)
        made = method.fit_predict(S=given, y_hat=base, y_insample=seen, y_hat_insample=fitted)
        return {"made": np.asarray(made["mean"]).T}

    return run
