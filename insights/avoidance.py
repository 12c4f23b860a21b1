"""Tonnes avoided over ten years: reference less project, path by path, as a funder asks for them.

The reference is the forecast without the plan, the project the same path with it. Energy that capture takes
on the site is in the path, what comes back elsewhere is taken off, captured is told apart from avoided. Years
after the last forecast one are held at its level, and told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from insights.figures import Float, Future, Int, weighted_quantiles
from insights.laid import LEVELS, Bench
from insights.refusals import refused

YEARS: Final = 10
# A path that misses what was promised by no more than the noise of adding up keeps the promise.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Window:
    """The years that are counted.

    Attributes:
        first, last: inclusive.
        horizon: the last year that is forecast; those after it are held at its level.
    """

    first: int
    last: int
    horizon: int

    @staticmethod
    def of(first: int, future: Future, years: int = YEARS) -> Window:
        """``years`` from ``first`` on, but not before what is forecast.

        Raises:
            AskError: all of it lies after the forecast (``start-after-forecast``).
        """
        begin = max(first, int(future.years[0]))
        if begin > future.horizon:
            raise refused(
                "start-after-forecast",
                "first_year",
                first,
                f"at most {future.horizon}, the last forecast year",
            )
        return Window(begin, begin + years - 1, future.horizon)

    @property
    def years(self) -> Int:
        """(Y,) every year."""
        return np.arange(self.first, self.last + 1)

    @property
    def held(self) -> int:
        """How many years lie after the forecast."""
        return max(0, self.last - max(self.horizon, self.first - 1))

    def over(self, future: Future) -> Future:
        """The future in these years alone; those after the forecast stand at its last level, path by path."""
        rows = np.minimum(self.years, self.horizon) - int(future.years[0])
        return replace(future, years=self.years, paths=future.paths[rows], own=future.own[rows])


@dataclass(frozen=True)
class Tonnes:
    """What a plan does in the years of a window, tonnes; every row is (Y, P).

    Attributes:
        reference: emissions without the plan.
        captured: CO2 caught.
        gross: captured, or emissions of the fuel replaced.
        penalty: what the plan's own energy brings back on the site.
        direct: off the path: gross less penalty.
        elsewhere: brought back outside the path; None where a grid's intensity is needed and not known.
        gross_by: the gross tonnes by lever and project.
    """

    reference: Float
    captured: Float
    gross: Float
    penalty: Float
    direct: Float
    elsewhere: Float | None
    gross_by: Mapping[str, Float]

    @property
    def avoided(self) -> Float | None:
        """(Y, P) reference less project, all counted; None where a part is not known."""
        return None if self.elsewhere is None else self.direct - self.elsewhere


def tonnes_of(bench: Bench, future: Future) -> Tonnes:
    """The plan of ``bench`` on the years of ``future``."""
    laid = bench.laid(future)
    zero = np.zeros_like(future.paths)
    places = range(len(laid.measures))
    direct = sum((laid.direct(k) for k in places), zero)
    gross = sum((laid.gross[k] for k in places), zero)
    parts = [laid.elsewhere(k) for k in places]
    known = [part for part in parts if part is not None]
    return Tonnes(
        reference=future.paths,
        captured=sum((laid.captured(k) for k in places), zero),
        gross=gross,
        penalty=gross - direct,
        direct=direct,
        elsewhere=None if len(known) < len(parts) else sum(known, zero),
        gross_by={measure.name: laid.gross[k] for k, measure in enumerate(laid.measures)},
    )


def spread(values: Float, weights: Float) -> dict[str, float]:
    """Mean and quantiles of weighted draws (P,)."""
    found = weighted_quantiles(values, weights, np.asarray(LEVELS))
    told = {f"q{level}": float(value) for level, value in zip(LEVELS, found, strict=True)}
    return {"mean": float(values @ weights), **told}


def summed(tonnes: Tonnes, weights: Float) -> dict[str, Any]:
    """Ten-year sums, JSON-ready: absolute and relative avoidance, and what they are made of.

    absolute = sum of (reference - project); relative = absolute / sum of the reference, path by path;
    ``of_gross`` = absolute / what the plan catches or replaces, means by means. Null where not known.
    """
    reference, gross = tonnes.reference.sum(axis=0), tonnes.gross.sum(axis=0)
    avoided = tonnes.avoided
    absolute = None if avoided is None else avoided.sum(axis=0)
    caught = float(gross @ weights)
    return {
        "absolute": None if absolute is None else spread(absolute, weights),
        "relative": None if absolute is None else spread(_ratio(absolute, reference), weights),
        "of_gross": None if absolute is None or caught <= 0 else float(absolute @ weights) / caught,
        "reference": spread(reference, weights),
        "captured": spread(tonnes.captured.sum(axis=0), weights),
        "gross": spread(gross, weights),
        "energy_penalty": spread(tonnes.penalty.sum(axis=0), weights),
        "direct": spread(tonnes.direct.sum(axis=0), weights),
        "elsewhere": None if tonnes.elsewhere is None else spread(tonnes.elsewhere.sum(axis=0), weights),
    }


def _ratio(above: Float, below: Float) -> Float:
    """Share by share; 0 where there is nothing to avoid."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def by_year(tonnes: Tonnes, window: Window, weights: Float) -> list[dict[str, Any]]:
    """Year by year: reference and project with their bands, avoided with its own, the parts as means."""
    rows, avoided = [], tonnes.avoided
    for k, year in enumerate(window.years):
        elsewhere = None if tonnes.elsewhere is None else float(tonnes.elsewhere[k] @ weights)
        rows.append(
            {
                "year": int(year),
                "held": bool(year > window.horizon),
                "reference": spread(tonnes.reference[k], weights),
                "project": spread(tonnes.reference[k] - tonnes.direct[k], weights),
                "captured": float(tonnes.captured[k] @ weights),
                "direct": float(tonnes.direct[k] @ weights),
                "elsewhere": elsewhere,
                "avoided": None if avoided is None else spread(avoided[k], weights),
            }
        )
    return rows


def held_share(tonnes: Tonnes, window: Window, weights: Float) -> float:
    """Share of the ten-year sum that stands in years after the forecast; 0 where nothing is avoided."""
    rows = tonnes.direct if tonnes.avoided is None else tonnes.avoided
    by_row = rows @ weights
    whole = float(by_row.sum())
    return float(by_row[window.years > window.horizon].sum()) / whole if whole > 0 else 0.0


def chance_of_promise(avoided: Float, promised: float, weights: Float) -> float:
    """Share of paths that avoid at least what was promised."""
    return float(weights[avoided >= promised - _ROUNDING * abs(promised)].sum())
