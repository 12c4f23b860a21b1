"""Why a name is not answered: one wording for single forecasts and whole portfolios."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, Final

from features.series.words import UNIQUE_ID
from serving.errors import shown
from serving.layout import PLANT
from serving.shelf import Rung, Standing
from serving.wire import quantile_key

GUESSED: Final = 3
NEAR: Final = 0.6
MOST_NEAR: Final = 1_000
# For whoever asks over HTTP, and for whoever types.
EVERY_SERIES: Final = "see GET /v1/series for every series, or `forecarbon clusters`"


def refusal_of_name(
    name: str, as_cluster: bool, standing: Standing, wanted: Sequence[float]
) -> dict[str, Any] | None:
    """Why ``name`` is not answered at the quantiles ``wanted``; None where it is.

    Args:
        as_cluster: it was asked for as a cluster, and must be one.
    """
    pack = standing.pack
    fits = name in pack.clusters or not as_cluster
    if fits and name in standing.rungs:
        return _out_of_reach(standing.rungs[name], wanted)
    if fits and name in pack.absent:
        told = pack.absent[name]
        return refused(name, told["code"], told["reason"], "a series with recent figures", told["remedy"])
    what = "cluster" if as_cluster else "series"
    remedy = "see GET /v1/clusters for every cluster" if as_cluster else EVERY_SERIES
    if as_cluster and name in standing.rungs:
        remedy = 'ask for it under "series"'
    return refused(
        shown(name), f"unknown-{what}", f"{what} {shown(name)!r}", f"a {what} of the registry", remedy
    )


def meant(names: Sequence[str], standing: Standing) -> str:
    """What was meant by the first of some unknown names, as a remedy begins; "" where nothing is near."""
    # Plants are too many to be compared with, letter by letter, while others wait.
    known = [name for name, rung in standing.rungs.items() if rung.entry.kind != PLANT]
    known = [*known, *standing.pack.absent][:MOST_NEAR]
    close = [difflib.get_close_matches(name, known, n=1, cutoff=NEAR) for name in names[:GUESSED]]
    near = ", ".join(dict.fromkeys(found[0] for found in close if found))
    return f"did you mean {near}? " if near else ""


def refused(name: str, code: str, found: str, expected: str, remedy: str) -> dict[str, Any]:
    """A refusal as the API tells it."""
    return {UNIQUE_ID: name, "code": code, "found": found, "expected": expected, "remedy": remedy}


def _out_of_reach(rung: Rung, wanted: Sequence[float]) -> dict[str, Any] | None:
    """A series that has a grid of quantiles and no paths says nothing beyond its grid."""
    levels = rung.levels
    alone = rung.plain or rung.entry.kind == PLANT
    if not alone or (wanted[0] >= levels[0] and wanted[-1] <= levels[-1]):
        return None
    return refused(
        rung.entry.unique_id,
        "quantile-out-of-reach",
        f"quantiles {quantile_key(wanted[0])} to {quantile_key(wanted[-1])}, and only a grid of quantiles "
        f"for this series: {rung.made_by}",
        f"quantiles from {quantile_key(levels[0])} to {quantile_key(levels[-1])}",
        "ask for less extreme quantiles, or retrain the champion",
    )
