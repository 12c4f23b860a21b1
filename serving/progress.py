"""The progress of a cluster, a sector or the initiative towards its targets: numbers and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from features.errors import AskError, DataError
from features.reference.tables import Reference, load
from features.series.words import UNIQUE_ID, UNIT
from insights.assess import Factors, Scales, assessed
from insights.brief import LANGUAGE, Said, of_goal, written
from insights.figures import Future, Record, weighted_quantiles
from insights.goals import Goal, Telling, gathered
from insights.progress import achieved
from insights.resolve import Ground, resolve
from insights.warming import implied
from serving.errors import shown
from serving.ground import ground_of
from serving.shelf import Standing
from serving.views import told_of

FAN: Final = (0.025, 0.1, 0.5, 0.9, 0.975)


def progress_view(
    name: str,
    standing: Standing,
    *,
    target_id: str | None = None,
    base_year: int | None = None,
    scope: str = "",
    own: Sequence[Goal] = (),
    language: str = LANGUAGE,
) -> dict[str, Any]:
    """Where a series stands against its targets, with what each number rests on.

    Args:
        name: a cluster, a sector, a plant, or "initiative".
        target_id: of the one target to measure; else all that are in force.
        base_year: the caller's, for targets that name none.
        scope: the scope to read targets of unstated or unlike scope in.
        own: the caller's targets, measured instead of the registry's.
        language: of the brief.

    Raises:
        AskError: no such series or target, or ``target_id`` cannot be measured as asked.
        DataError: there is no series, or that target's scope cannot be read.
        ModelError: what the pack keeps of the figures cannot be read.
    """
    goals = list(own) or goals_of(name, standing)
    chosen = chosen_of(goals, target_id, name)
    try:
        ground = ground_of(name, standing, alone=True)
    except DataError as why:
        why.facts |= {"targets": [goal.as_record() for goal in goals], "missing": [why.code]}
        raise
    rung = standing.rungs[name]
    scales = Scales(factors_of(load()), recalibration_of(standing), rung.entry.kind)
    told = [assessed(each, ground, scales, base_year=base_year, scope=scope) for each in chosen]
    if target_id is not None or own:
        _raise_alone(told, chosen, ground, base_year, scope)
    answer = {
        UNIQUE_ID: name,
        "name": name_of(name, standing),
        "kind": rung.entry.kind,
        "unit": UNIT,
        "status": "answered" if any(each["status"] == "measured" for each in told) else "incomplete",
        "missing": missing(told, goals, ground),
        "figures": figures_of_ground(ground),
        "targets": told,
        "warming": _warming(ground, scales.factors),
        "quality": None if rung.entry.quality is None else dict(rung.entry.quality),
        "cutoff": rung.entry.cutoff,
        "made_by": rung.made_by,
        "paths_from": "own bands" if rung.paths is None else "joint",
        "sources": list(rung.entry.sources),
        **told_of(standing),
    }
    answer["brief"] = written(brief_of(answer), answer, language)
    return answer


def goals_of(name: str, standing: Standing) -> list[Goal]:
    """The registry's targets of a cluster; none for what is no cluster."""
    known = standing.pack.clusters.get(name)
    return [] if known is None else [Goal.of_record(row) for row in known["targets"]]


def name_of(name: str, standing: Standing) -> str:
    """What a cluster or plant is called; the unique_id where it has no name."""
    known = standing.pack.clusters.get(name)
    if known is not None:
        return str(known["facts"].get("name") or name)
    entry = standing.pack.series.get(name)
    return entry.name if entry is not None and entry.name else name


def factors_of(reference: Reference) -> Factors:
    """The reference factors: key -> (value, low, high), NaN where there is no range."""
    table = reference.factors
    return {
        str(key): (float(value), float(low), float(high))
        for key, value, low, high in zip(
            table["key"], table["value"], table["low"], table["high"], strict=True
        )
    }


def recalibration_of(standing: Standing) -> Any:
    """What the served model learnt from past targets; None where it keeps no such record."""
    record = standing.pack.kept.dated
    return None if record is None else record.recalibration


def calibration_view(standing: Standing) -> dict[str, Any]:
    """How well the served model's chances came true on targets replayed at past cutoffs.

    Raises:
        DataError: the served model keeps no such record (``calibration-unknown``).
    """
    record = standing.pack.kept.dated
    if record is None:
        raise DataError(
            "calibration-unknown",
            found=f"no record of past targets beside {standing.pack.model_version}",
            expected="one, as retrains keep it",
            remedy="retrain: chances are told as shares of paths until then",
        )
    return {**record.facts, **told_of(standing)}


def _warming(ground: Ground, factors: Factors) -> dict[str, Any] | None:
    told = implied(ground.records[ground.own], ground.futures[ground.own], factors)
    return None if told is None else told.as_record()


def chosen_of(goals: Sequence[Goal], target_id: str | None, name: str) -> list[Telling]:
    """The targets to measure: all in force, or the one asked for.

    Raises:
        AskError: there is none of that id (``unknown-target``).
    """
    if target_id is None:
        return gathered(goals)
    known = [goal for goal in goals if goal.target_id == target_id]
    if not known:
        raise AskError(
            "unknown-target",
            found=f"target {shown(target_id)!r} of {name}",
            expected="one of " + (", ".join(goal.target_id for goal in goals) or "none: it has no target"),
            remedy="see GET /v1/clusters/{cluster_id} for its targets, or send your own",
        )
    for telling in gathered(goals):
        if target_id in {telling.goal.target_id, *(same.target_id for same in telling.same)}:
            return [telling]
    others = tuple(g for g in goals if g.target_id != target_id and g.target_year == known[0].target_year)
    return [Telling(known[0], (), others)]


def _raise_alone(
    told: Sequence[dict[str, Any]],
    chosen: Sequence[Telling],
    ground: Ground,
    base_year: int | None,
    scope: str,
) -> None:
    """Asked for one target that cannot be measured, the refusal is the answer."""
    if told and all(each["status"] == "refused" for each in told):
        resolve(chosen[0].goal, ground, base_year=base_year, assume=scope)


def missing(told: Sequence[dict[str, Any]], goals: Sequence[Goal], ground: Ground) -> list[dict[str, Any]]:
    """What stands between the question and a full answer, each with what would mend it."""
    gaps: list[dict[str, Any]] = []
    if not goals:
        gaps.append(
            {
                "code": "no-target",
                "found": f"no target of {ground.name} in the registry",
                "remedy": "send one with POST /v1/insights/progress",
            }
        )
    for each in told:
        if each["status"] == "refused":
            refusal = each["refusal"]
            gaps.append(
                {
                    "code": refusal["code"],
                    "target_id": each["target"]["target_id"],
                    "found": refusal["found"],
                    "remedy": refusal["remedy"],
                }
            )
    return gaps


def figures_of_ground(ground: Ground) -> list[dict[str, Any]]:
    """The figures of every scope, the own one first; scopes are shown beside one another, never spliced."""
    ordered = sorted(ground.records.values(), key=lambda record: (record.scope != ground.own, record.scope))
    return [_figures(record, ground) for record in ordered]


def _figures(record: Record, ground: Ground) -> dict[str, Any]:
    done, rate, since = achieved(record)
    change = None
    if len(record.years) > 1 and record.years[-1] - record.years[-2] == 1:
        change = 100 * (record.values[-1] / record.values[-2] - 1)
    refusal = ground.refusals.get(record.scope)
    future = ground.futures.get(record.scope)
    return {
        "scope": record.scope,
        "published": record.published,
        "latest": {"year": record.year, "value": record.value, "evidence": record.evidence_at(record.year)},
        "rows": [
            {"year": int(year), "value": float(value), "evidence": record.evidence_at(int(year))}
            for year, value in zip(record.years, record.values, strict=True)
        ],
        "rescaled_before": record.bridged_before or None,
        "change_percent": None if change is None or not np.isfinite(change) else float(change),
        "achieved": done,
        "achieved_compound": rate,
        "achieved_from": since,
        "forecast": None if refusal is None else refusal.as_record(),
        "informed_by": [] if future is None else list(future.informed_by),
        "fan": [] if future is None else _fan(future, record.year),
    }


def _fan(future: Future, after: int) -> list[dict[str, float]]:
    """Quantiles of the weighted paths in the years after the newest figure: what chances are read from."""
    ahead, levels = future.after(after), np.array(FAN)
    told = []
    for year, draws in zip(ahead.years, ahead.paths, strict=True):
        found = weighted_quantiles(draws, ahead.weights, levels)
        told.append({"year": int(year), **{f"q{q}": float(v) for q, v in zip(FAN, found, strict=True)}})
    return told


def brief_of(answer: dict[str, Any]) -> list[Said]:
    """Which sentences are said of an answer: the newest figure, then each target in the order of its year."""
    measured_in = next((t["scope"] for t in answer["targets"] if t["status"] == "measured"), None)
    places = [k for k, figures in enumerate(answer["figures"]) if figures["scope"] == measured_in]
    at = f"/figures/{places[0] if places else 0}"
    said = [
        Said(
            "latest",
            {
                "name": "/name",
                "mt": f"{at}/latest/value",
                "year": f"{at}/latest/year",
                "scope": f"{at}/scope",
            },
        )
    ]
    for k, figures in enumerate(answer["figures"]):
        if figures["published"] and figures["scope"] != measured_in:
            latest = {"mt": f"/figures/{k}/latest/value", "year": f"/figures/{k}/latest/year"}
            said.append(Said("other-scope", {"scope": f"/figures/{k}/scope", **latest}))
    for k, told in enumerate(answer["targets"]):
        place = f"/targets/{k}"
        if told["status"] == "measured" and told["scope"] != measured_in:
            latest = {"mt": f"{place}/latest/value", "year": f"{place}/latest/year"}
            said.append(Said("measured", {"scope": f"{place}/scope", **latest}))
        said += of_goal(told, place)
    if answer["warming"] is not None and answer["warming"]["degrees"] is not None:
        said.append(Said("warming", {"degrees": "/warming/degrees"}))
    return said
