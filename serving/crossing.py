"""A forecast read in another boundary: over the bridge to a published total, named in the answer.

There is one way across (``read_in``), so that a forecast and an insight of the same year say the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.errors import ForecarbonError
from features.reference.tables import load
from features.series.bridges import Bridge, cross_paths, cross_quantiles
from features.series.words import CLUSTER_ID, SCOPE, UNIQUE_ID
from insights.figures import Future, weighted_quantiles
from insights.informed import informed
from serving.errors import shown
from serving.shelf import Rung, Standing

Float = npt.NDArray[np.float64]
_SEED_BYTES: Final = 8
_TONNES_PER_MT: Final = 1e6


def refusal_of(name: str, scope: str, standing: Standing) -> dict[str, Any] | None:
    """Why the forecast of ``name`` cannot be read in ``scope``; None where it can."""
    entry = standing.rungs[name].entry
    if scope == entry.scope_id:
        return None
    record = standing.pack.bridges.get((name, scope))
    if record is None:
        known = [entry.scope_id, *(to for cluster, to in standing.pack.bridges if cluster == name)]
        return _refused(
            name, "scope-unknown", f"scope {shown(scope)!r} for {name}", "one of " + ", ".join(known),
            "ask for a scope from the list, or leave scope out",
        )  # fmt: skip
    if "code" in record:
        return _refused(name, *(str(record[key]) for key in ("code", "found", "expected", "remedy")))
    over = Bridge.of_record(record)
    if over.thin:
        try:
            over.ratio_quantiles(np.array([0.5]))
        except ForecarbonError as why:
            return _refused(name, why.code, why.found, why.expected, why.remedy)
    return None


def crossed(
    rung: Rung, scope: str, steps: int, wanted: Sequence[float]
) -> tuple[list[float], list[list[float]], dict[str, Any]]:
    """Means (steps), quantiles (steps, Q) in ``scope``, tCO2e, and the bridge as the answer names it.

    Totals that were published of forecast years weigh the paths, and ``informed_by`` names their years. A
    forecast without paths has nothing that could be weighed.
    """
    told = rung.pack.bridges[rung.entry.unique_id, scope]
    over = Bridge.of_record(told)
    drawn_by: tuple[int, ...] = ()
    if rung.paths is not None:
        years = np.array([int(day[:4]) for day in rung.entry.ds])
        paths = np.asarray(rung.paths, dtype=np.float64)
        read = read_in(Future.plain(rung.entry.scope_id, years, paths), over, later_of(told))
        levels, drawn_by = np.asarray(wanted), read.informed_by
        values = np.stack([weighted_quantiles(draws, read.weights, levels) for draws in read.paths[:steps]])
        means = (read.paths[:steps] * read.weights).sum(axis=1)
    else:
        grid, levels = np.asarray(rung.grid[:steps]), np.asarray(rung.levels)
        whole = cross_quantiles(grid, levels, rung.entry.scope_id, over)
        values = np.stack([np.interp(wanted, levels, row) for row in whole])
        middle = (np.arange(len(levels)) + 0.5) / len(levels)
        means = np.asarray(rung.mean[:steps]) * over.ratio_quantiles(middle).mean()
    return means.tolist(), values.tolist(), {**over.named(), "informed_by": list(drawn_by)}


def read_in(future: Future, over: Bridge, totals: Mapping[int, float]) -> Future:
    """``future``, of the bridge's own scope, read in the published one and weighed by the totals since.

    The ratio is drawn anew for each path, always alike for one cluster and scope, so that equal questions
    have equal answers.

    Args:
        totals: year -> tCO2e as published.

    Raises:
        AskError: the future is of another scope, or the bridge is thin.
    """
    count = future.paths.shape[1]
    dice = dice_of(over.cluster_id, over.to_scope)
    ratios = cross_paths(np.ones((1, count)), future.scope, over, dice)[0]
    even = np.full(count, 1 / count)
    read = Future(over.to_scope, future.years, future.paths * ratios, even, future.paths, ratios)
    return informed(read, totals, over)


def later_of(told: Mapping[str, Any]) -> dict[int, float]:
    """Totals (year -> tCO2e) published of years after the own series' newest, as a pack keeps them with a
    bridge: what was known when it was made. Packs of before keep none; for them the tables are read."""
    if "later" in told:
        return dict(Bridge.of_record(told).later)
    table = load().published_history
    mine = table[(table[CLUSTER_ID] == told["cluster_id"]) & (table[SCOPE] == told["to_scope"])]
    years, values = mine["year"].astype(int), mine["value_mt"].astype(float) * _TONNES_PER_MT
    return {int(year): float(value) for year, value in zip(years, values, strict=True)}


def dice_of(cluster_id: str, scope: str) -> np.random.Generator:
    """What draws the ratios of one cluster and scope: the same in every answer, so path k is the same."""
    name = f"{cluster_id}:{scope}".encode()
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name).digest()[:_SEED_BYTES], "big"))


def _refused(name: str, code: str, found: str, expected: str, remedy: str) -> dict[str, Any]:
    return {UNIQUE_ID: name, "code": code, "found": found, "expected": expected, "remedy": remedy}


def bridge_records(told: Sequence[Bridge | ForecarbonError]) -> list[Mapping[str, Any]]:
    """Bridges, and reasons why there is none, as a pack's card keeps them."""
    return [
        item.as_record()
        if isinstance(item, Bridge)
        else {**item.facts, **{key: getattr(item, key) for key in ("code", "found", "expected", "remedy")}}
        for item in told
    ]
