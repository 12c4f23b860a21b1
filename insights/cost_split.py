"""Who pays what of something shared: by volume, by peak, or by Shapley value.

By the Shapley value (Shapley 1953) everyone pays the mean of what they add to the cost of those before them,
over all orders: sum over coalitions S without i of |S|! (n - |S| - 1)! / n! (c(S + i) - c(S)).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError

Float = npt.NDArray[np.float64]
Cost = Callable[[Collection[int]], float]

# Members up to which every coalition is priced: 2^12 of them.
MOST_EXACT: Final = 12
ORDERS: Final = 2_000
# Units below which nothing is shared out.
_LEAST: Final = 1e-6


@dataclass(frozen=True)
class Split:
    """What every member pays.

    Attributes:
        method: "volume", "peak", "shapley" or "shapley-sampled".
        shares: (n,) EUR, adding up to ``total``.
        errors: (n,) standard error of each share, EUR: zeros where it is exact.
        alone: (n,) EUR that each would pay alone; NaN where it was not asked.
    """

    method: str
    total: float
    shares: Float
    errors: Float
    alone: Float

    @property
    def saved(self) -> float:
        """EUR that doing it together saves: what all would pay alone, less the total."""
        return float(self.alone.sum()) - self.total


def proportional(total: float, keys: Float, method: str = "volume") -> Split:
    """A total split in proportion to volumes, or to peaks.

    Args:
        keys: (n,) units: volumes over the years, or the largest of a year; not below 0, not all 0.

    Raises:
        AskError: ``split-implausible``.
    """
    if (keys < 0).any() or not np.isfinite(keys).all() or keys.sum() < _LEAST:
        raise AskError(
            "split-implausible",
            found=f"{method} {keys.tolist()}",
            expected=f"numbers not below 0 that add up to {_LEAST:g} at least",
            remedy=f"mend the {method} of the members",
            facts={"field": method},
        )
    # Divided first: the product of a total and a volume may pass the largest number.
    return Split(method, total, total * (keys / keys.sum()), np.zeros(len(keys)), np.full(len(keys), np.nan))


def by_volume(total: float, volumes: Float) -> Split:
    """(n, H) units a year, summed."""
    return proportional(total, volumes.sum(axis=1), "volume")


def by_peak(total: float, volumes: Float) -> Split:
    """(n, H) units a year, the largest of each member."""
    return proportional(total, volumes.max(axis=1), "peak")


def shapley(cost: Cost, members: int, *, orders: int = ORDERS, seed: int = 0) -> Split:
    """The Shapley value of a cost, exact up to ``MOST_EXACT`` members and sampled beyond.

    Args:
        cost: EUR of a coalition, given as places of members; asked once a coalition; of nobody it is 0.
        orders: sampled, in pairs of one and its reverse; they add up to the cost whatever their number.
    """
    if members <= MOST_EXACT:
        return _exact(cost, members)
    return _sampled(cost, members, max(2, orders // 2), np.random.default_rng(seed))


def _exact(cost: Cost, members: int) -> Split:
    """All coalitions as bits of a number, so that each is priced once."""
    masks = np.arange(1 << members)
    prices = np.array([0.0, *(cost(_members(mask, members)) for mask in range(1, 1 << members))])
    sizes = np.array([mask.bit_count() for mask in range(1 << members)])
    weights = np.array([1.0 / (members * math.comb(members - 1, k)) for k in range(members)])
    shares = np.zeros(members)
    for i in range(members):
        without = masks[(masks >> i) & 1 == 0]
        added = prices[without | (1 << i)] - prices[without]
        shares[i] = math.fsum((weights[sizes[without]] * added).tolist())
    alone = prices[1 << np.arange(members)] if members else np.zeros(0)
    return Split("shapley", float(prices[-1]), shares, np.zeros(members), alone)


def _members(mask: int, members: int) -> tuple[int, ...]:
    return tuple(k for k in range(members) if mask >> k & 1)


def _sampled(cost: Cost, members: int, pairs: int, dice: np.random.Generator) -> Split:
    """Orders and their reverses: what one puts early the other puts late, which halves the noise."""
    known: dict[frozenset[int], float] = {frozenset(): 0.0}

    def priced(coalition: frozenset[int]) -> float:
        if coalition not in known:
            known[coalition] = cost(sorted(coalition))
        return known[coalition]

    drawn = np.zeros((pairs, members))
    for k in range(pairs):
        order = dice.permutation(members).tolist()
        for way in (order, order[::-1]):
            before: frozenset[int] = frozenset()
            for i in way:
                after = before | {i}
                drawn[k, i] += (priced(after) - priced(before)) / 2
                before = after
    errors = drawn.std(axis=0, ddof=1) / math.sqrt(pairs)
    alone = np.array([priced(frozenset({i})) for i in range(members)])
    total = priced(frozenset(range(members)))
    return Split("shapley-sampled", total, drawn.mean(axis=0), errors, alone)


@dataclass(frozen=True)
class Scale:
    """Economies of scale: what a plant of volume Q costs, c(Q) = c0 (Q / Q0)^a.

    Attributes:
        cost: c0, EUR for the reference volume; volume: Q0; exponent: a, above 0 and at most 1 (DOMAIN C21
            recalls 0.6 to 0.8; it is the caller's to give).

    Raises:
        AskError: ``split-implausible``.
    """

    cost: float
    volume: float
    exponent: float

    def __post_init__(self) -> None:
        for field, good, expected in (
            ("cost", 0 <= self.cost < math.inf, "not below 0"),
            ("volume", 0 < self.volume < math.inf, "above 0"),
            ("exponent", 0 < self.exponent <= 1, "above 0 and at most 1"),
        ):
            if not good:
                raise AskError(
                    "split-implausible",
                    found=f"{field}: {getattr(self, field):g}",
                    expected=expected,
                    remedy=f"mend {field} of the scale",
                    facts={"field": field},
                )

    def of(self, volume: float) -> float:
        """EUR for a volume; nothing for none."""
        return self.cost * (volume / self.volume) ** self.exponent if volume > 0 else 0.0

    def per_unit(self, volume: float) -> float:
        """EUR a unit: (c0 / Q0) (Q / Q0)^(a - 1)."""
        return self.of(volume) / volume

    def of_coalition(self, volumes: Float) -> Cost:
        """The cost of members who put their volumes (n,) together."""
        return lambda members: self.of(float(volumes[list(members)].sum()))
