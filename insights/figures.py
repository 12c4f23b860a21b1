"""What insights stand on: figures of one scope, and joint paths of what comes after them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Record:
    """Yearly figures of one scope, oldest first; years may be missing.

    Attributes:
        scope: what is counted ("eu-ets", "rotterdam-co2-registered").
        years: (T,) increasing.
        values: (T,) tCO2e, finite; in the scope of the newest year.
        published: a total that somebody published, and not the sum of registered plants.
        evidence: (T,) of each figure: "verified", "reported", "read", "derived", …
        bridged_before: figures of years before it were rescaled over a declared break; 0 without one.
    """

    scope: str
    years: Int
    values: Float
    published: bool = False
    evidence: tuple[str, ...] = ()
    bridged_before: int = 0

    @property
    def year(self) -> int:
        """The newest year."""
        return int(self.years[-1])

    @property
    def value(self) -> float:
        """The newest figure, tCO2e."""
        return float(self.values[-1])

    def at(self, year: int) -> float | None:
        """The figure of one year; None where there is none."""
        place = np.flatnonzero(self.years == year)
        return float(self.values[place[0]]) if len(place) else None

    def evidence_at(self, year: int) -> str:
        """Evidence of the figure of one year; "" where none is known."""
        place = np.flatnonzero(self.years == year)
        return self.evidence[int(place[0])] if len(place) and self.evidence else ""


@dataclass(frozen=True)
class Future:
    """Joint sample paths of one series in one scope.

    Attributes:
        scope: what is counted.
        years: (H,) forecast years.
        paths: (H, P) tCO2e; path k is one future over all years.
        weights: (P,) how likely each path is, adding up to 1: even unless published totals of years after
            the cutoff tell paths apart.
        own: (H, P) the same paths in the series' own scope, where ``paths`` are read over a bridge; else
            ``paths`` itself.
        ratios: (P,) what each path was multiplied by at the bridge; ones without one.
        informed_by: years whose published totals are in the weights.
    """

    scope: str
    years: Int
    paths: Float
    weights: Float
    own: Float
    ratios: Float
    informed_by: tuple[int, ...] = field(default=())

    @staticmethod
    def plain(scope: str, years: Int, paths: Float) -> Future:
        """Paths in their own scope, all alike likely."""
        count = paths.shape[1]
        return Future(scope, years, paths, np.full(count, 1 / count), paths, np.ones(count))

    @property
    def horizon(self) -> int:
        """The last year."""
        return int(self.years[-1])

    @property
    def effective(self) -> float:
        """How many even paths the weighted ones are worth (Kish): 1 over the sum of squared weights."""
        return float(1.0 / np.square(self.weights).sum())

    def after(self, year: int) -> Future:
        """The years after ``year`` alone: what a newer published total has overtaken is no forecast."""
        ahead = self.years > year
        if ahead.all():
            return self
        return replace(self, years=self.years[ahead], paths=self.paths[ahead], own=self.own[ahead])

    def at(self, year: int) -> Float | None:
        """(P,) of one year; None where it is not forecast."""
        place = np.flatnonzero(self.years == year)
        return np.asarray(self.paths[place[0]]) if len(place) else None


def weighted_quantiles(values: Float, weights: Float, levels: Float) -> Float:
    """Quantiles (Q,) of weighted draws (P,) at ``levels``: the midpoint rule, as for even weights."""
    order = np.argsort(values, kind="stable")
    place = np.cumsum(weights[order]) - weights[order] / 2
    return np.asarray(np.interp(levels, place, values[order]))
