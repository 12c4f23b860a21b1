"""Forecasts of a whole portfolio: which series a batch is about, and whom it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from features.errors import AskError, DataError
from features.series.words import INITIATIVE, UNIQUE_ID
from serving.batch_ask import BatchAsk
from serving.blocks import blocks_of, values_of
from serving.errors import shown
from serving.layout import PLANT
from serving.refusals import refusal_of_name, refused
from serving.shelf import Rung, Standing

MAX_VALUES: Final = 20_000_000
MAX_SHOWN: Final = 100


@dataclass(frozen=True)
class Portfolio:
    """The answer to a batch before it is written.

    Attributes:
        rungs: who speaks for each series that is answered, in the order of the answer.
        refusals: every other name asked for, once, with the reason.
        steps: periods ahead.
        wanted: quantiles, increasing.
    """

    rungs: tuple[Rung, ...]
    refusals: tuple[dict[str, Any], ...]
    steps: int
    wanted: tuple[float, ...]


def portfolio(ask: BatchAsk, standing: Standing) -> Portfolio:
    """The series a batch is about: every name is answered or refused, exactly once.

    With ``all`` the series that the registry knows and cannot forecast are among the refusals.

    Raises:
        AskError: a cluster nobody knows, none of the names is known, or more values than one answer holds.
        DataError: names are known, but none has a forecast.
    """
    names = _every(ask, standing) if ask.all else [*((c, True) for c in ask.clusters), *_plain(ask.series)]
    rungs: list[Rung] = []
    refusals: list[dict[str, Any]] = []
    seen: set[str] = set()
    for name, as_cluster in names:
        if name in seen:
            continue
        seen.add(name)
        refusal = refusal_of_name(name, as_cluster, standing, ask.wanted)
        if refusal is None:
            rungs.append(standing.rungs[name])
        else:
            refusals.append(refusal)
    _bounded(len(rungs), ask)
    sound, unsound = _finite(rungs, ask)
    whole = Portfolio(tuple(sound), (*refusals, *unsound), ask.steps, ask.wanted)
    if not sound:
        raise _all_refused(whole.refusals)
    return whole


def _plain(names: Iterable[str]) -> list[tuple[str, bool]]:
    return [(name, False) for name in names]


def _every(ask: BatchAsk, standing: Standing) -> list[tuple[str, bool]]:
    pack, only = standing.pack, ask.cluster_id
    if only is not None and only not in pack.clusters:
        raise AskError(
            "unknown-cluster",
            found=f"cluster {shown(only)!r}",
            expected="a cluster of the registry",
            remedy="see GET /v1/clusters for every cluster",
        )
    kinds = set(ask.kinds) if ask.kinds else {"plant", "sector", "cluster", INITIATIVE}
    served = [
        name
        for name, entry in pack.series.items()
        if entry.kind in kinds and (only is None or entry.cluster_id == only)
    ]
    absent = [
        name
        for name in pack.absent
        if _kind_of_absent(name) in kinds and (only is None or name.split("/")[0] == only)
    ]
    return _plain([*served, *absent])


def _kind_of_absent(name: str) -> str:
    return ("cluster", "sector", PLANT)[min(name.count("/"), 2)]


def _bounded(count: int, ask: BatchAsk) -> None:
    values = count * ask.steps * (1 + len(ask.wanted))
    if values > MAX_VALUES:
        raise AskError(
            "batch-too-large",
            found=f"{values:,} values: {count:,} series × {ask.steps} steps × {1 + len(ask.wanted)} numbers",
            expected=f"at most {MAX_VALUES:,}",
            remedy="ask for fewer quantiles or steps, or split the batch by kinds or cluster_id",
        )


def _finite(rungs: Sequence[Rung], ask: BatchAsk) -> tuple[list[Rung], list[dict[str, Any]]]:
    """Rungs whose numbers are all finite, and refusals of the others: told before anything is sent."""
    sound: list[Rung] = []
    unsound: list[dict[str, Any]] = []
    for block in blocks_of(rungs):
        mean, grid = values_of(block, ask.steps, ask.wanted)
        good = np.isfinite(np.concatenate([mean[:, :, None], grid], axis=2)).all(axis=(1, 2))
        for rung, fine in zip(block, np.asarray(good).tolist(), strict=True):
            if fine:
                sound.append(rung)
            else:
                name, maker = rung.entry.unique_id, rung.made_by
                unsound.append(
                    refused(name, "forecast-not-finite", f"numbers of {maker} that are not finite",
                             "finite numbers", "retrain the champion")
                )  # fmt: skip
    return sound, unsound


def _all_refused(refusals: Sequence[dict[str, Any]]) -> AskError | DataError:
    names = [item[UNIQUE_ID] for item in refusals]
    if not refusals:
        return AskError(
            "nothing-found",
            found="filters that no series passes",
            expected="at least one series",
            remedy="see GET /v1/series for what there is",
        )
    unknown = all(item["code"].startswith("unknown-") for item in refusals)
    told = refusals[0] if unknown else next(r for r in refusals if not r["code"].startswith("unknown-"))
    kind: type[AskError | DataError] = AskError if unknown else DataError
    of_question = unknown or told["code"] in ("quantile-out-of-reach", "forecast-not-finite")
    return kind(
        told["code"] if of_question else "series-absent",
        found=told["found"],
        expected=told["expected"],
        offenders=names,
        remedy=told["remedy"],
        facts={"refusals": list(refusals[:MAX_SHOWN]), "more_refusals": max(0, len(refusals) - MAX_SHOWN)},
    )
