"""How do we stand against others? Ranks among like clusters, with intervals, and a refusal for unlike ones.

Ranks are taken path by path: path k is the same future in every series, so shocks that all share do not
widen the interval of a rank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError

Float = npt.NDArray[np.float64]
FEWEST: Final = 3
INTERVAL: Final = (0.05, 0.5, 0.95)
MEASURES: Final = ("rate", "intensity", "share-of-target")


@dataclass(frozen=True)
class Rank:
    """One cluster among the others; rank 1 is the best.

    Attributes:
        value: the measure, middle of the futures.
        low, high: its central 90% interval.
        rank, rank_low, rank_high: of the middle, and the central 90% of ranks over the futures.
        first: share of futures in which it is the best.
    """

    name: str
    value: float
    low: float
    high: float
    rank: int
    rank_low: int
    rank_high: int
    first: float


def ranked(measures: Mapping[str, Float], *, lower_is_better: bool) -> list[Rank]:
    """Ranks of draws (P,) by name, the best first; ties go to the name that comes first.

    Raises:
        AskError: fewer than ``FEWEST`` (``group-too-small``): a rank among two tells one about the other.
    """
    if len(measures) < FEWEST:
        raise AskError(
            "group-too-small",
            found=f"{len(measures)} like clusters",
            expected=f"at least {FEWEST}",
            remedy="name more clusters of the same scope, or leave the list out for all of them",
        )
    names = sorted(measures)
    draws = np.stack([measures[name] for name in names])
    signed = draws if lower_is_better else -draws
    places = signed.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") + 1
    spans = np.quantile(draws, INTERVAL, axis=1)
    ranks = np.quantile(places, INTERVAL, axis=1, method="inverted_cdf")
    best = (places == 1).mean(axis=1)
    order = np.argsort(spans[1] if lower_is_better else -spans[1], kind="stable")
    return [
        Rank(
            names[row],
            float(spans[1, row]),
            float(spans[0, row]),
            float(spans[2, row]),
            place,
            int(ranks[0, row]),
            int(ranks[2, row]),
            float(best[row]),
        )
        for place, row in enumerate(order.tolist(), start=1)
    ]


def like_or_refused(scopes: Mapping[str, str], named: Sequence[str]) -> None:
    """Refuse a comparison of unlike scopes.

    Args:
        scopes: name -> scope_id.
        named: those the caller named.

    Raises:
        AskError: ``scope-unlike``, with the groups that could be compared.
    """
    groups: dict[str, list[str]] = {}
    for name in named:
        groups.setdefault(scopes[name], []).append(name)
    if len(groups) > 1:
        told = "; ".join(f"{scope}: {', '.join(names)}" for scope, names in sorted(groups.items()))
        raise AskError(
            "scope-unlike",
            found=f"clusters of {len(groups)} scopes ({told})",
            expected="clusters whose figures count the same: one scheme, one set of gases and plants",
            offenders=[f"{name} ({scopes[name]})" for name in named],
            remedy="compare inside one scope (scope=SCOPE), or add published totals of one scope for all of "
            "them, with three years in both, so that a bridge can be measured",
            facts={"groups": {scope: sorted(names) for scope, names in groups.items()}},
        )


def yearly_rate(now: float, then: Float, years: int) -> Float:
    """Mean yearly change in percent of ``now``: linear, so a fall to zero has a rate too. (P,)"""
    return np.asarray(100 * (then - now) / now / years)


def share_of_target(then: Float, base: float, level: float) -> Float:
    """Share of the way from base to target that is gone in ``then``; 1 is met. (P,)

    Raises:
        ValueError: a target that asks for no cut has no way to go.
    """
    if base <= level:
        raise ValueError("the target is not below its base")
    return np.asarray((base - then) / (base - level))
