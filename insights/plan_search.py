"""Branch and bound over options whose delivery differs from path to path.

A mixed-integer programme with a binary for every path (sum of abatement >= need - M (1 - z)) is exact and
far too loose: with 30 projects and 1,000 paths HiGHS is far from proof when this search is done
(docs/adr/0021). Its relaxation is replaced here by one that needs no binaries for paths. For every path k,
every λ >= 0 and the options still open,

    cost to meet path k >= λ (need_k - abated_k) + sum over open options of min(0, least (cost - λ abates_k)),

which is the Lagrangian dual of a fractional knapsack (weak duality). A plan that meets its target in a share
p of paths costs at least what the cheapest share p of them costs: the p-quantile of these bounds over the
paths is a bound of the plan. Sums over open options are made once, so a bound is a few products a path.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from insights.options import Choice, Question, chosen
from insights.plan_tables import SAME, quantile_of_rows, tables_of

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

METHOD: Final = "branch and bound on paths"
# Plans looked at in one step, all starts of the next option together: few enough to stay in the cache of a
# core, since the bounds read them once for every price.
_ROWS: Final = 64
_LEAST: Final = 16


@dataclass(frozen=True)
class _Nodes:
    """Plans of which the first ``depth`` options are decided; -1 is "not taken"."""

    depth: int
    abated: Float
    cost: Float
    spent: Float
    taken: Int
    score: Float

    def part(self, which: Int | slice) -> _Nodes:
        """Some of them."""
        return replace(
            self, abated=self.abated[which], cost=self.cost[which], spent=self.spent[which],
            taken=self.taken[which], score=self.score[which],
        )  # fmt: skip


class Search:
    """One question, asked for the cheapest plan of a chance, or for the likeliest plan of a budget."""

    def __init__(self, asked: Question, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.asked, self.tables = asked, tables_of(asked)
        self._seconds, self._clock = seconds, clock

    def cheapest(self, probability: float) -> Choice | None:
        """The cheapest plan within the budget that meets the target with ``probability``, or None."""

        def score(nodes: _Nodes, ceiling: float) -> Float:
            bounds, told = self._bounds(nodes), np.full(len(nodes.cost), np.inf)
            # Most are out of reach, which is cheaper to see than what they would cost.
            within = (bounds <= ceiling - nodes.cost[:, None]) @ self.tables.weights
            open_ = within >= probability - SAME
            costs = quantile_of_rows(bounds[open_], self.tables.weights, probability)
            told[open_] = nodes.cost[open_] + costs
            return told

        def value(cost: Float, share: Float) -> Float:
            return np.where(share >= probability - SAME, cost, np.inf)

        return self._run(score, value, _above(most_to_spend(self.asked)))

    def likeliest(self) -> Choice | None:
        """The plan of the highest chance within the budget; of several any one."""
        budget = _above(most_to_spend(self.asked))

        def score(nodes: _Nodes, ceiling: float) -> Float:
            del ceiling
            return -((nodes.cost[:, None] + self._bounds(nodes) <= budget) @ self.tables.weights)

        def value(cost: Float, share: Float) -> Float:
            return np.where(cost <= budget, -share, np.inf)

        return self._run(score, value, np.inf)

    def _run(
        self,
        score: Callable[[_Nodes, float], Float],
        value: Callable[[Float, Float], Float],
        ceiling: float,
    ) -> Choice | None:
        """Depth first, the most promising first; ``ceiling`` falls to the value of the best plan found."""
        until, best = self._clock() + self._seconds, None
        stack = [self._root()]
        while stack and self._clock() < until:
            nodes = stack.pop()
            batch = self._batch(nodes.depth)
            if len(nodes.cost) > batch:
                stack.append(nodes.part(slice(batch, None)))
                nodes = nodes.part(slice(batch))
            if nodes.depth == 0:
                ceiling, best = self._better(nodes, value, ceiling, best)
            if nodes.depth == len(self.tables.names):
                continue
            nodes = self._children(nodes.part(np.flatnonzero(nodes.score < ceiling)))
            ceiling, best = self._better(nodes, value, ceiling, best)
            told = score(nodes, ceiling)
            order = np.argsort(told, kind="stable")
            order = order[told[order] < ceiling]
            if len(order):
                stack.append(replace(nodes, score=told).part(order))
        if best is None and not stack:
            return None
        open_ = min((float(n.score.min()) for n in stack), default=ceiling)
        return self._told(best, not stack or open_ >= ceiling, open_)

    def _batch(self, depth: int) -> int:
        ways = 1 + (len(self.tables.costs[depth]) if depth < len(self.tables.names) else 0)
        return max(_LEAST, _ROWS // ways)

    def _root(self) -> _Nodes:
        paths, years = len(self.tables.weights), len(self.asked.aim.years)
        empty = np.zeros((1, 0), dtype=np.int64)
        return _Nodes(0, np.zeros((1, paths)), np.zeros(1), np.zeros((1, years)), empty, np.full(1, -np.inf))

    def _children(self, nodes: _Nodes) -> _Nodes:
        """Every node without the next option, and with each start of it that the rules allow."""
        own, k = self.tables, nodes.depth
        parts = [replace(nodes, depth=k + 1, taken=_with(nodes.taken, -1))]
        for j, cost in enumerate(own.costs[k]):
            spent = nodes.spent + own.spends[k][j]
            allowed = np.flatnonzero(self._allowed(nodes, k, j, spent))
            abated = nodes.abated[allowed] + own.abates[k][j]
            taken = _with(nodes.taken[allowed], j)
            few = nodes.part(allowed)
            parts.append(_Nodes(k + 1, abated, few.cost + cost, spent[allowed], taken, few.score))
        return _Nodes(k + 1, *(np.concatenate([getattr(p, name) for p in parts]) for name in _FIELDS))

    def _allowed(self, nodes: _Nodes, k: int, j: int, spent: Float) -> Bool:
        own, rules = self.tables, self.asked.rules
        good = np.ones(len(nodes.cost), dtype=bool)
        if rules.yearly is not None:
            good &= (spent <= rules.yearly + SAME * np.maximum(1.0, rules.yearly)).all(axis=1)
        for early in own.clashes.get(k, ()):
            good &= nodes.taken[:, early] < 0
        for early in own.leans.get(k, ()):
            if early < 0:
                return np.zeros_like(good)
            # The last year stands for "not taken", whose place is -1.
            years = np.array([*(s.year for s in own.starts[early]), np.iinfo(np.int64).max])
            good &= years[nodes.taken[:, early]] <= own.starts[k][j].year
        return good

    def _bounds(self, nodes: _Nodes) -> Float:
        """(B, P) EUR that each path still costs at least; infinite where it cannot be met any more."""
        own, k = self.tables, nodes.depth
        left = own.needs - nodes.abated
        told = np.full_like(left, -np.inf)
        for price, rest in zip(own.prices, own.rests[k], strict=True):
            np.maximum(told, price * left + rest, out=told)
        told[left > own.most[k] + SAME] = np.inf
        return told

    def _better(
        self,
        nodes: _Nodes,
        value: Callable[[Float, Float], Float],
        ceiling: float,
        best: Int | None,
    ) -> tuple[float, Int | None]:
        """Ceiling and best plan, with these plans as they stand, nothing more taken."""
        share = (nodes.abated >= self.tables.needs) @ self.tables.weights
        told = value(nodes.cost, share)
        place = int(np.argmin(told)) if len(told) else 0
        if len(told) == 0 or not told[place] < ceiling:
            return ceiling, best
        return float(told[place]) - SAME * max(1.0, abs(float(told[place]))), nodes.taken[place]

    def _told(self, best: Int | None, proven: bool, bound: float) -> Choice:
        own = self.tables
        places = enumerate([] if best is None else best.tolist())
        starts = {own.names[k]: own.starts[k][j] for k, j in places if j >= 0}
        return chosen(self.asked, starts, proven, bound, METHOD)


_FIELDS: Final = ("abated", "cost", "spent", "taken", "score")


def _with(taken: Int, place: int) -> Int:
    return np.column_stack([taken, np.full(len(taken), place, dtype=np.int64)])


def most_to_spend(asked: Question) -> float:
    """EUR, present value, that no lawful plan passes: the budget, or all yearly limits up to the target year
    spent, for savings only make a plan cheaper."""
    rules, aim = asked.rules, asked.aim
    if rules.yearly is None:
        return rules.budget
    counted = aim.years <= aim.target_year
    worth = (1.0 + rules.rate) ** -(aim.years - aim.years[0]).astype(np.float64)
    return min(rules.budget, float(rules.yearly[counted] @ worth[counted]))


def _above(budget: float) -> float:
    """A budget that a plan of just this cost keeps to."""
    return budget + SAME * max(1.0, abs(budget)) if np.isfinite(budget) else np.inf
