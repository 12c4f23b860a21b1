"""A forecast read in another boundary: over the bridge to a published total, named in the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.errors import ForecarbonError
from features.series.bridges import Bridge, cross_paths, cross_quantiles
from features.series.words import UNIQUE_ID
from serving.errors import shown
from serving.shelf import Rung, Standing

Float = npt.NDArray[np.float64]
_SEED_BYTES: Final = 8


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

    The ratio is drawn anew for each path, always alike for one cluster and scope, so that equal questions
    have equal answers.
    """
    over = Bridge.of_record(rung.pack.bridges[rung.entry.unique_id, scope])
    if rung.paths is not None:
        paths = np.asarray(rung.paths[:steps], dtype=np.float64)
        drawn = cross_paths(paths, rung.entry.scope_id, over, dice_of(over.cluster_id, scope))
        values, means = np.quantile(drawn, wanted, axis=1).T, drawn.mean(axis=1)
    else:
        grid, levels = np.asarray(rung.grid[:steps]), np.asarray(rung.levels)
        whole = cross_quantiles(grid, levels, rung.entry.scope_id, over)
        values = np.stack([np.interp(wanted, levels, row) for row in whole])
        middle = (np.arange(len(levels)) + 0.5) / len(levels)
        means = np.asarray(rung.mean[:steps]) * over.ratio_quantiles(middle).mean()
    return means.tolist(), values.tolist(), over.named()


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
