"""From a question and what stands on the shelf to an answer; pure: no clock, no store, no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError, DataError
from features.series.words import UNIQUE_ID, UNIT
from serving.crossing import crossed, refusal_of
from serving.refusals import meant, refusal_of_name
from serving.shelf import Rung, Standing
from serving.wire import MAX_NUMBERS, ForecastAsk, quantile_key

Float = npt.NDArray[np.float64]

# Refusals that are about how a series was asked for, not about the series.
OF_THE_QUESTION: Final = ("quantile-out-of-reach", "bridge-", "scope-unknown")


def answer(
    ask: ForecastAsk, standing: Standing, *, issued_at: str, request_id: str, forecast_id: str
) -> dict[str, Any]:
    """The answer to a question about registry series.

    Every name asked for is answered or refused, exactly once.

    Raises:
        AskError: none of the names is known.
        DataError: names are known, but none has a forecast.
    """
    named = _named(ask, standing)
    wanted = ask.wanted
    _bounded(len(named), ask)
    forecasts, refusals = [], []
    for name, as_cluster in named:
        refusal = refusal_of_name(name, as_cluster, standing, wanted)
        if refusal is None and ask.scope is not None:
            refusal = refusal_of(name, ask.scope, standing)
        if refusal is None:
            told = forecast_of(standing.rungs[name], ask.steps, wanted, ask.scope)
            forecasts.append(told | _paths_of(standing.rungs[name], ask))
        else:
            refusals.append(refusal)
    if not forecasts:
        raise _all_refused(refusals, standing)
    spoken = [standing.rungs[item[UNIQUE_ID]] for item in forecasts]
    return {
        "forecasts": forecasts,
        "refusals": refusals,
        **provenance(standing, issued_at=issued_at, request_id=request_id, forecast_id=forecast_id),
        "sources": sorted({source for rung in spoken for source in rung.entry.sources}),
    }


def _bounded(names: int, ask: ForecastAsk) -> None:
    numbers = names * ask.steps * (1 + len(ask.wanted) + ask.paths)
    if numbers > MAX_NUMBERS:
        raise AskError(
            "answer-too-large",
            found=f"{names} series by {ask.steps} steps by {1 + len(ask.wanted) + ask.paths} numbers",
            expected=f"at most {MAX_NUMBERS} numbers in one answer",
            remedy="ask for fewer at once, or stream them from POST /v1/forecasts/batch",
        )


def _paths_of(rung: Rung, ask: ForecastAsk) -> dict[str, Any]:
    """The first paths asked for, one list of steps each; None for a series that has none. Path k is the
    same future in every series of the answer, so that they may be summed path by path."""
    if not ask.paths:
        return {}
    # A bridge is crossed by bands alone.
    drawn = None if ask.scope not in (None, rung.entry.scope_id) else rung.paths
    return {"paths": None if drawn is None else drawn[: ask.steps, : ask.paths].T.tolist()}


def provenance(standing: Standing, *, issued_at: str, request_id: str, forecast_id: str) -> dict[str, Any]:
    """What every answer says about itself."""
    card = standing.pack.card
    return {
        "model_version": standing.pack.model_version,
        "recipe": card["recipe"],
        "issued_at": issued_at,
        "as_of": card["as_of"],
        "request_id": request_id,
        "forecast_id": forecast_id,
        "degraded": standing.degraded,
    }


def forecast_of(rung: Rung, steps: int, wanted: Sequence[float], scope: str | None = None) -> dict[str, Any]:
    """One series' forecast as JSON-ready fields, in its own scope or over a bridge in ``scope``."""
    pack, entry = rung.pack, rung.entry
    mean, values, over = rung.mean[:steps].tolist(), quantile_rows(rung, steps, wanted).tolist(), None
    if scope is not None and scope != entry.scope_id:
        mean, values, over = crossed(rung, scope, steps, wanted)
    keys = [quantile_key(q) for q in wanted]
    return {
        UNIQUE_ID: entry.unique_id,
        "kind": entry.kind,
        "unit": UNIT,
        "scope": entry.scope_id if over is None else scope,
        "bridge": over,
        "quality": None if entry.quality is None else dict(entry.quality),
        "cadence": pack.cadence,
        "cutoff": entry.cutoff,
        "made_by": rung.made_by,
        "rows": [
            {
                "ds": entry.ds[k],
                "step": k + 1,
                "mean": mean[k],
                "quantiles": dict(zip(keys, values[k], strict=True)),
            }
            for k in range(steps)
        ],
    }


def quantile_rows(rung: Rung, steps: int, wanted: Sequence[float]) -> Float:
    """(steps, Q) quantiles: from the grid where it has them, else from the paths themselves."""
    levels, paths = rung.levels, rung.paths
    if paths is None:
        return np.stack([np.interp(wanted, levels, step) for step in rung.grid[:steps]])
    place = {level: k for k, level in enumerate(levels)}
    columns = [place.get(q, -1) for q in wanted]
    if min(columns) >= 0:
        return np.asarray(rung.grid[:steps][:, columns], dtype=np.float64)
    return np.quantile(paths[:steps], wanted, axis=1).T


def _named(ask: ForecastAsk, standing: Standing) -> list[tuple[str, bool]]:
    """Names in the order asked, each once, with whether it was asked for as a cluster."""
    named: dict[str, bool] = {}
    for cluster in ask.clusters:
        named.setdefault(cluster, True)
        if ask.include_sectors and cluster in standing.rungs:
            for name, entry in standing.pack.series.items():
                if entry.kind == "sector" and entry.cluster_id == cluster:
                    named.setdefault(name, False)
    for name in ask.series:
        named.setdefault(name, False)
    return list(named.items())


def _all_refused(refusals: list[dict[str, Any]], standing: Standing) -> AskError | DataError:
    unknown = [item for item in refusals if item["code"].startswith("unknown-")]
    names = [item[UNIQUE_ID] for item in refusals]
    facts = {"refusals": refusals}
    scopes = [item for item in refusals if item["code"] == "scope-unknown"]
    if len(scopes) == len(refusals):
        return AskError(
            "scope-unknown",
            found=scopes[0]["found"],
            expected=scopes[0]["expected"],
            offenders=names,
            remedy=scopes[0]["remedy"],
            facts=facts,
        )
    if len(unknown) == len(refusals):
        return AskError(
            unknown[0]["code"],
            found=f"{len(names)} unknown: {names[0]!r}" if len(names) > 1 else unknown[0]["found"],
            expected=unknown[0]["expected"],
            offenders=names,
            remedy=meant(names, standing) + unknown[0]["remedy"],
            facts=facts,
        )
    told = next(item for item in refusals if not item["code"].startswith("unknown-"))
    return DataError(
        told["code"] if told["code"].startswith(OF_THE_QUESTION) else "series-absent",
        found=told["found"],
        expected=told["expected"],
        offenders=names,
        remedy=told["remedy"],
        facts=facts,
    )
