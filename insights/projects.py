"""Projects with risk: late starts, cancellations and under-delivery, drawn together with the paths.

Path k keeps its draw: a project has one draw a path, made from the seed and its project_id alone, so it is
the same in every scenario and in every cluster that shares it, whatever else is in the plan. Whoever gives
no chances of his own gets weak priors from the registry's own counts (docs/adr/0020).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr, ndtri

from insights.levers import Float, Int, ramped

Bool = npt.NDArray[np.bool_]
# Stages of the registry that did not come to be.
ENDED: Final = ("cancelled", "not-selected")
OWN, WEAK_PRIOR, CERTAIN, NO_RECORD = "own", "weak-prior", "certain", "no-record-taken-as-in-full"
# Jeffreys' half a count in every class: the weakest prior that rules nothing out.
_HALF: Final = 0.5
_WORLD: Final = "every project"


@dataclass(frozen=True)
class Counts:
    """What the registry saw of its projects: the ground of the weak priors.

    Attributes:
        slips: how many, of those whose start could be read at two dates, slipped by 0, 1, 2, … years.
        ended: how many are dropped or were not selected.
        of: how many there are.
    """

    slips: tuple[int, ...]
    ended: int
    of: int

    def as_record(self) -> dict[str, Any]:
        """JSON-ready: the counts, and that they are weak."""
        return {
            "weak": True,
            "dated_twice": sum(self.slips),
            "slipped_by_years": [{"years": k, "projects": n} for k, n in enumerate(self.slips)],
            "ended": self.ended,
            "projects": self.of,
            "delivery": "no project has a record of what it delivered: taken as in full",
        }


def counts_of(projects: pd.DataFrame) -> Counts:
    """The counts of the registry's projects (DOMAIN, lesson 7): slips read at two dates, and ends."""
    slips = projects["slip_years"].dropna().astype(int)
    most = int(slips.max()) if len(slips) else 0
    by_years = tuple(int((slips == years).sum()) for years in range(most + 1))
    return Counts(by_years, int(projects["stage"].isin(ENDED).sum()), len(projects))


@dataclass(frozen=True)
class Risk:
    """What is thought of one project; a part left out falls back on the weak prior.

    Attributes:
        certain: nothing can go wrong: the other parts are not looked at.
        slips: chance of being 0, 1, 2, … years late, adding up to 1.
        cancel: chance of never being built.
        delivery: lowest, likeliest and highest share of the capacity delivered (triangular).
    """

    certain: bool = False
    slips: tuple[float, ...] = ()
    cancel: float | None = None
    delivery: tuple[float, ...] = ()

    def sources(self) -> dict[str, str]:
        """Where each part comes from: the caller, the weak prior, or no record at all."""
        if self.certain:
            return dict.fromkeys(("slip", "cancel", "delivery"), CERTAIN)
        return {
            "slip": OWN if self.slips else WEAK_PRIOR,
            "cancel": WEAK_PRIOR if self.cancel is None else OWN,
            "delivery": OWN if self.delivery else NO_RECORD,
        }


@dataclass(frozen=True)
class Draws:
    """What befalls one project on each path.

    Attributes:
        late: (P,) years after the planned start.
        built: (P,) whether it is built at all.
        delivered: (P,) share of its capacity.
    """

    late: Int
    built: Bool
    delivered: Float

    def later(self, years: int) -> Draws:
        """The same, ``years`` later on every path."""
        return replace(self, late=self.late + years)

    def lost(self) -> Draws:
        """Never built, on any path."""
        return replace(self, built=np.zeros_like(self.built))

    def strength(self, years: Int, start: int, ramp_years: int, end: int | None) -> Float:
        """(H, P) share of full strength by year and path."""
        ramp = ramped(years, start + self.late, ramp_years, end)
        return np.asarray(ramp * (self.built * self.delivered)[None, :])

    def as_record(self, weights: Float) -> dict[str, Any]:
        """JSON-ready: mean lateness, chance of not being built, mean share delivered, as drawn."""
        return {
            "mean_years_late": float(weights @ self.late),
            "chance_not_built": float(weights @ ~self.built),
            "mean_delivered": float(weights @ self.delivered),
        }


@dataclass(frozen=True)
class Common:
    """What projects of one kind share: a draw of their own beside each project's (one-factor Gaussian).

    Attributes:
        kind: names the draw; bad luck is late and not built alike.
        correlation: of the normal scores of any two projects of the kind, from 0 to 1.
    """

    kind: str
    correlation: float


def drawn(
    risk: Risk, project_id: str, seed: int, count: int, counts: Counts, common: Common | None = None
) -> Draws:
    """The draws of a project on ``count`` paths.

    Args:
        project_id: names the draw: one project, one draw, wherever it stands.
        counts: for the parts ``risk`` leaves out. How slippery projects are is itself not known: it is
            drawn once a path, for all projects alike, so their weak priors are correlated.
        common: what the project shares with others beside that; its own chances stay what they are.
    """
    dice = _dice(seed, project_id)
    slip, cancel, part = (dice.random(count) for _ in range(3))
    if common is not None and common.correlation > 0:
        luck = ndtri(_dice(seed, f"kind:{common.kind}").random(count))
        # High draws are late, low ones are not built: a bad year for the kind is both.
        slip, cancel = (
            _mixed(own, sign * luck, common.correlation) for own, sign in ((slip, 1), (cancel, -1))
        )
    if risk.certain:
        return Draws(np.zeros(count, np.int64), np.ones(count, bool), np.ones(count))
    world = _dice(seed, _WORLD)
    weights = world.standard_gamma(
        np.asarray(counts.slips or (0,)) + _HALF, (count, max(len(counts.slips), 1))
    )
    ended = world.beta(counts.ended + _HALF, counts.of - counts.ended + _HALF, count)
    chances = np.asarray(risk.slips)[None, :] if risk.slips else weights
    ladder = np.cumsum(chances / chances.sum(axis=1, keepdims=True), axis=1)
    late = (slip[:, None] >= ladder[:, :-1]).sum(axis=1)
    built = cancel >= (ended if risk.cancel is None else risk.cancel)
    return Draws(late.astype(np.int64), built, _triangular(risk.delivery, part))


def _mixed(own: Float, luck: Float, correlation: float) -> Float:
    """Even draws again, that share ``luck`` (normal scores) with others."""
    return np.asarray(ndtr(np.sqrt(correlation) * luck + np.sqrt(1.0 - correlation) * ndtri(own)))


def _triangular(shape: tuple[float, ...], chance: Float) -> Float:
    """Draws of a triangular distribution by its inverse; ones without a shape."""
    if not shape:
        return np.ones_like(chance)
    low, middle, high = shape
    if high == low:
        return np.full_like(chance, low)
    turn = (middle - low) / (high - low)
    rising = low + np.sqrt(chance * (high - low) * (middle - low))
    falling = high - np.sqrt((1.0 - chance) * (high - low) * (high - middle))
    return np.asarray(np.where(chance < turn, rising, falling))


def _dice(seed: int, name: str) -> np.random.Generator:
    """A generator of one name: what else is drawn does not move it."""
    digest = hashlib.sha256(f"{seed}:{name}".encode("utf-8", "backslashreplace")).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
