"""What the search for a plan reads at every step, made once: columns of options, and sums over open ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from insights.options import CLOSE, Question, Start, starts_of

Float = npt.NDArray[np.float64]

# Relative: a plan that is cheaper by less is not cheaper.
SAME: Final = 1e-9
# Prices of a bound, in units of what the last Mt needed costs.
_AROUND: Final = (0.6, 0.8, 1.0, 1.2, 1.5, 2.0)
_SCALE: Final = 1e6


@dataclass(frozen=True)
class Tables:
    """Options in the order in which they are decided, and sums over those still open.

    Attributes:
        names: (n,) of options; starts: of each; spends: (n,) of (m, H) EUR a year.
        abates: (n,) of (m, P) Mt; costs: (n,) of (m,) EUR.
        prices: (L,) EUR a Mt; rests: (n + 1, L, P): sum over open options of min(0, cost - price x abates),
            of options that exclude one another the least alone.
        most: (n + 1, P): the most that open options can abate, Mt.
        needs: (P,) Mt; weights: (P,).
        clashes: option -> earlier ones it excludes; leans: option -> earlier ones it requires.
    """

    names: tuple[str, ...]
    starts: tuple[tuple[Start, ...], ...]
    abates: tuple[Float, ...]
    costs: tuple[Float, ...]
    spends: tuple[Float, ...]
    prices: Float
    rests: Float
    most: Float
    needs: Float
    weights: Float
    clashes: dict[int, tuple[int, ...]]
    leans: dict[int, tuple[int, ...]]


def tables_of(asked: Question) -> Tables:
    """Columns and sums of a question; options without a start in time are left out."""
    paths = len(asked.aim.weights)
    held = {o.name: starts for o in asked.options if (starts := starts_of(o, asked))}
    abates = {
        name: np.array([np.broadcast_to(s.abates, (paths,)) for s in starts]) / _SCALE
        for name, starts in held.items()
    }
    costs = {name: np.array([s.cost for s in starts]) for name, starts in held.items()}
    means = {name: abates[name] @ asked.aim.weights for name in held}
    worth = {name: _cheapness(means[name], costs[name]) for name in held}
    names = _ordered(asked, means, worth)
    prices = _prices(asked, means, worth)
    rests, most = _open_sums(asked, {name: (abates[name], costs[name]) for name in names}, prices)
    place = {name: k for k, name in enumerate(names)}
    return Tables(
        names=names,
        starts=tuple(held[name] for name in names),
        abates=tuple(abates[name] for name in names),
        costs=tuple(costs[name] for name in names),
        spends=tuple(np.array([s.spends for s in held[name]]) for name in names),
        prices=prices,
        rests=rests,
        most=most,
        needs=(asked.aim.needs - CLOSE) / _SCALE,
        weights=asked.aim.weights,
        clashes=_clashes(place, asked.rules.exclusions),
        leans=_leans(place, asked.rules.requires),
    )


def _sets_of(exclusions: tuple[tuple[str, ...], ...]) -> dict[str, int]:
    """Option -> the first set it is in of options that exclude one another."""
    return {name: k for k, group in reversed(list(enumerate(exclusions))) for name in group}


def _open_sums(
    asked: Question, columns: dict[str, tuple[Float, Float]], prices: Float
) -> tuple[Float, Float]:
    """``rests`` and ``most`` of the tables: of options that exclude one another one counts, so that sums
    are as tight as can be; an option in several such sets counts in the first."""
    own_set, paths = _sets_of(asked.rules.exclusions), len(asked.aim.weights)
    least: dict[object, Float] = {}
    largest: dict[object, Float] = {}
    rests = [np.zeros((len(prices), paths))]
    most = [np.zeros(paths)]
    for name, (own, cost) in reversed(columns.items()):
        among = own_set.get(name, name)
        gain = np.array([np.minimum((cost[:, None] - price * own).min(axis=0), 0.0) for price in prices])
        size = np.maximum(own.max(axis=0), 0.0)
        before, before_size = least.get(among, 0.0 * gain), largest.get(among, 0.0 * size)
        least[among], largest[among] = np.minimum(before, gain), np.maximum(before_size, size)
        rests.append(rests[-1] + (least[among] - before))
        most.append(most[-1] + (largest[among] - before_size))
    return np.array(rests[::-1]), np.array(most[::-1])


def _prices(asked: Question, means: dict[str, Float], worth: dict[str, float]) -> Float:
    """EUR a Mt at which bounds are made: 0, and some around what the last Mt needed costs.

    Any prices are lawful; these are near the one that makes the bound highest for most paths.
    """
    need = float(quantile_of_rows(asked.aim.needs[None, :], asked.aim.weights, asked.aim.probability)[0])
    own_set, seen = _sets_of(asked.rules.exclusions), set[object]()
    last, reached = 0.0, 0.0
    for name in sorted(worth, key=lambda each: (worth[each], each)):
        among = own_set.get(name, name)
        if reached < need / _SCALE and np.isfinite(worth[name]) and among not in seen:
            seen.add(among)
            reached += float(means[name].max())
            last = worth[name]
    return np.array([0.0, *(last * share for share in _AROUND)]) if last > 0 else np.zeros(1)


def _cheapness(mean: Float, cost: Float) -> float:
    """Least EUR a Mt of any start; infinite where none abates."""
    told = [c / m for m, c in zip(mean.tolist(), cost.tolist(), strict=True) if m > 0]
    return float(min(told, default=np.inf))


def _ordered(asked: Question, means: dict[str, Float], worth: dict[str, float]) -> tuple[str, ...]:
    """Much that costs little a tonne first, options that exclude one another together, and nothing before
    what it requires.

    Large options move a bound most, cheap ones are most often in the plan: decided first, both leave the
    fewest plans to look at (docs/adr/0021).
    """
    own_set, requires = _sets_of(asked.rules.exclusions), asked.rules.requires
    late = {
        name: -np.inf if price <= 0 else -float(means[name].max()) / price for name, price in worth.items()
    }
    first: dict[object, float] = {}
    for name, each in late.items():
        among = own_set.get(name, name)
        first[among] = min(each, first.get(among, np.inf))

    def key(name: str) -> tuple[float, str, float, str]:
        among = own_set.get(name, name)
        return first[among], str(among), late[name], name

    left, told = sorted(worth, key=key), []
    while left:
        free = (n for n in left if not any(one == n and other in left for one, other in requires))
        told.append(next(free))
        left.remove(told[-1])
    return tuple(told)


def _clashes(place: dict[str, int], exclusions: tuple[tuple[str, ...], ...]) -> dict[int, tuple[int, ...]]:
    told: dict[int, set[int]] = {}
    for group in exclusions:
        held = sorted({place[name] for name in group if name in place})
        for k, late in enumerate(held):
            told.setdefault(late, set()).update(held[:k])
    return {late: tuple(sorted(early)) for late, early in told.items()}


def _leans(place: dict[str, int], requires: tuple[tuple[str, str], ...]) -> dict[int, tuple[int, ...]]:
    """-1 stands for something that is required and can never start in time."""
    told: dict[int, list[int]] = {}
    for one, other in requires:
        if one in place:
            told.setdefault(place[one], []).append(place.get(other, -1))
    return {late: tuple(early) for late, early in told.items()}


def quantile_of_rows(values: Float, weights: Float, level: float) -> Float:
    """(B,) smallest value of each row (B, P) at or below which weights add up to ``level``."""
    if len(values) == 0:
        return np.zeros(0)
    if np.ptp(weights) == 0:
        place = max(int(np.ceil(level * len(weights) - SAME * len(weights))) - 1, 0)
        return np.asarray(np.partition(values, place, axis=1)[:, place])
    order = np.argsort(values, axis=1)
    reached = np.cumsum(weights[order], axis=1) >= level - SAME
    places = np.where(reached.any(axis=1), reached.argmax(axis=1), values.shape[1] - 1)
    return np.asarray(np.take_along_axis(values, order, axis=1)[np.arange(len(values)), places])
