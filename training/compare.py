"""Whether two recipes differ, from the differences of their scores at the same cutoffs.

The test of Diebold and Mariano (1995) with the small-sample correction and the t distribution of Harvey,
Leybourne and Newbold (1997); its variance allows for autocorrelation after Newey and West (1987), since
forecasts of several steps issued a period apart are judged on the same years.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from features.errors import LawBroken

Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """The mean difference of a score over cutoffs, and how surely it is known.

    Attributes:
        mean: mean difference, in the unit of the differences; below zero the first recipe is better.
        error: its standard error, autocorrelation and small sample allowed for.
        cutoffs: how many differences it rests on.
        lags: how many autocovariances the error allows for.
    """

    mean: float
    error: float
    cutoffs: int
    lags: int

    def bound(self, confidence: float) -> float:
        """The value that the true mean difference stays below with ``confidence`` (0 to 1)."""
        if self.error == 0:
            return self.mean
        return self.mean + self.error * float(student.ppf(confidence, self.cutoffs - 1))

    def p_value(self) -> float:
        """One-sided: how often a recipe that is no better would look at least this much better."""
        if self.error == 0:
            return 0.0 if self.mean < 0 else 1.0
        return float(student.cdf(self.mean / self.error, self.cutoffs - 1))


def compare(differences: Float, steps: int) -> Comparison:
    """Compare two recipes by their mean score difference at each cutoff.

    Args:
        differences: (F,) one finite difference a cutoff, oldest first, F ≥ 2.
        steps: longest step judged; forecasts issued fewer cutoffs apart share years.

    Raises:
        LawBroken: fewer than two differences, or one that is not finite.
    """
    n = len(differences)
    if n < 2 or not np.isfinite(differences).all():
        raise LawBroken(
            "comparison-without-scores",
            found=f"{n} differences, {int((~np.isfinite(differences)).sum())} of them not finite",
            expected="two or more, all finite",
            remedy="judge only cutoffs that both recipes have a score for",
        )
    lags = lags_for(n, steps)
    deviation = differences - differences.mean()
    own = [float((deviation[j:] * deviation[: n - j]).sum()) / n for j in range(lags + 1)]
    weighted = own[0] + 2 * sum((1 - j / (lags + 1)) * own[j] for j in range(1, lags + 1))
    # Shared years make neighbours alike; a negative autocorrelation in so few cutoffs is luck, and
    # would make the error too small.
    variance = max(weighted, own[0])
    error = np.sqrt(variance / n / _small_sample(n, lags + 1))
    return Comparison(float(differences.mean()), float(error), n, lags)


def lags_for(cutoffs: int, steps: int) -> int:
    """Autocovariances to allow for: ``steps`` − 1, but less than half of the cutoffs.

    With more, the correction below goes to zero and nothing could ever be shown.
    """
    return max(0, min(steps - 1, cutoffs // 2 - 1))


def _small_sample(n: int, h: int) -> float:
    """The square of the correction of Harvey, Leybourne and Newbold (1997), equation 9."""
    return (n + 1 - 2 * h + h * (h - 1) / n) / n
