"""Clusters beside one another: like scopes only, ranks with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from features.errors import AskError, ForecarbonError
from insights.assess import course_of
from insights.compare import MEASURES, like_or_refused, ranked, share_of_target, yearly_rate
from insights.figures import Float
from insights.goals import gathered
from insights.resolve import Ground, resolve
from serving.errors import shown
from serving.evidence import unknown_series
from serving.ground import ground_of
from serving.progress import goals_of, name_of
from serving.shelf import Standing
from serving.views import told_of

YEAR: Final = 2030
UNITS: Final = {
    "rate": "percent of the newest figure a year",
    "share-of-target": "share of the way to the target",
    "intensity": "tCO2e a unit of activity",
}


def compare_view(
    standing: Standing,
    *,
    by: str = "rate",
    year: int = YEAR,
    scope: str = "",
    named: Sequence[str] = (),
    activity: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Like clusters ranked by a measure of ``year``, with intervals on value and rank.

    ``rate``: mean yearly change from the newest figure, percent of it, linear (lower is better).
    ``share-of-target``: how much of the way from base to target is gone (higher is better).
    ``intensity``: tCO2e a unit of the caller's ``activity`` in that year, by cluster (lower is better).

    Raises:
        AskError: an unknown measure, name or scope; clusters of unlike scopes; too few; or ``intensity``
            without an activity, for none is published.
    """
    _check_measure(by, activity)
    named = list(named) or list(activity or ())
    scopes = {
        name: standing.rungs[name].entry.scope_id for name in standing.pack.clusters if name in standing.rungs
    }
    chosen = _chosen(scopes, scope, named, standing)
    drawn: dict[str, Float] = {}
    left_out: list[dict[str, str]] = []
    for name in chosen:
        try:
            drawn[name] = _draws(ground_of(name, standing), standing, by, year, activity or {})
        except ForecarbonError as why:
            told = {"code": why.code, "found": why.found, "remedy": why.remedy}
            left_out.append({"cluster_id": name, **told})
    lower = by != "share-of-target"
    ranks = ranked(drawn, lower_is_better=lower)
    return {
        "by": by,
        "year": year,
        "scope": scopes[chosen[0]],
        "unit": UNITS[by],
        "lower_is_better": lower,
        "ranks": [{**asdict(each), "cluster": name_of(each.name, standing)} for each in ranks],
        "left_out": left_out,
        "groups": _groups(scopes),
        **told_of(standing),
    }


def _check_measure(by: str, activity: Mapping[str, float] | None) -> None:
    if by == "intensity" and not activity:
        raise AskError(
            "activity-missing",
            found="no published activity of the clusters",
            expected="tonnes of product, or value added, of each cluster and year",
            remedy="compare by rate or share-of-target, or send activity by cluster with "
            "POST /v1/insights/compare",
        )
    if by not in MEASURES:
        raise AskError(
            "measure-unknown",
            found=f"by = {shown(by)!r}",
            expected="one of " + ", ".join(MEASURES),
            remedy="ask for a measure from the list",
        )


def _chosen(scopes: Mapping[str, str], scope: str, named: Sequence[str], standing: Standing) -> list[str]:
    for name in named:
        if name not in scopes:
            if name in standing.pack.clusters:
                ground_of(name, standing)  # refuses it, with the reason
            raise unknown_series(name, standing)
    groups = _groups(scopes)
    if scope and scope not in groups:
        raise AskError(
            "scope-unknown",
            found=f"scope {shown(scope)!r}",
            expected="one of " + ", ".join(sorted(groups)),
            remedy="ask for a scope from the list",
        )
    if named:
        like_or_refused(scopes, named)
        return list(dict.fromkeys(named))
    if not scope:
        like_or_refused(scopes, list(scopes))
    return groups[scope or next(iter(groups))]


def _groups(scopes: Mapping[str, str]) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for name, scope in scopes.items():
        told.setdefault(scope, []).append(name)
    return dict(sorted(told.items()))


def _draws(ground: Ground, standing: Standing, by: str, year: int, activity: Mapping[str, float]) -> Float:
    """The measure of one cluster in each future. (P,)"""
    if by != "share-of-target":
        record = ground.records[ground.own]
        then = ground.futures[ground.own].at(year)
        if then is None or year <= record.year or record.value <= 0:
            raise _not_ahead(ground, year)
        if by == "intensity":
            return np.asarray(then / activity[ground.name])
        return yearly_rate(record.value, then, year - record.year)
    goals = [g for g in goals_of(ground.name, standing) if g.kind != "net-zero"]
    past = [str(g.target_year) for g in goals if g.target_year <= ground.records[ground.own].year]
    for telling in gathered(goals):
        resolved = resolve(telling.goal, ground)
        course = course_of(resolved)
        future = ground.futures[resolved.scope]
        then = future.at(min(year, telling.goal.target_year))
        if course is not None and then is not None and course.base > course.level:
            return _even(share_of_target(then, course.base, course.level), future.weights)
    raise AskError(
        "no-measured-target",
        found=f"{ground.name}: no target with a base in its scope"
        + (f"; target year {', '.join(dict.fromkeys(past))} is past" if past else ""),
        expected="a target in force with base year and base value",
        remedy="send one to POST /v1/insights/progress, or compare by rate",
    )


def _even(values: Float, weights: Float) -> Float:
    """Evenly likely draws of weighted ones: the same share at every level. Rank by rank with the others."""
    order = np.argsort(values, kind="stable")
    place = np.cumsum(weights[order]) - weights[order] / 2
    ranks = np.empty(len(values))
    ranks[order] = (np.arange(len(values)) + 0.5) / len(values)
    return np.asarray(np.interp(ranks, place, values[order]))


def _not_ahead(ground: Ground, year: int) -> AskError:
    years = ground.futures[ground.own].years
    return AskError(
        "year-not-forecast",
        found=f"{ground.name} in {year}",
        expected=f"a year from {int(years[0])} to {int(years[-1])}",
        remedy="ask for a year that is forecast for all of them",
    )
