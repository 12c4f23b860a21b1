"""The figures of a cluster's report: progress, why, forecast, comparison and evidence, in one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from features.errors import ForecarbonError
from features.series.words import UNIQUE_ID, UNIT
from insights.avoidance import spread
from insights.figures import Future
from insights.resolve import Ground
from serving.compare_view import YEAR, compare_view
from serving.evidence import evidence_view
from serving.funding_view import cluster_facts, confidence_of, indicators_of, maturity_of, published_of
from serving.ground import ground_of
from serving.progress import goals_of, name_of, progress_view
from serving.shelf import Standing
from serving.views import told_of
from serving.why import why_view
from serving.why_brief import with_brief

LAST_SHOWN: Final = 2050


def report_view(name: str, standing: Standing) -> dict[str, Any]:
    """Everything the report of a cluster prints; what cannot be told is a refusal in its place.

    Raises:
        AskError: no such cluster, or its figures are not yearly.
        DataError: it has no series (``series-absent``); what is missing is in ``facts``.
        ModelError: what the pack keeps of the figures cannot be read.
    """
    told = progress_view(name, standing)
    ground = ground_of(name, standing)
    known = standing.pack.clusters.get(name)
    # A pack of an earlier release holds projects without a name of their own; they are not told.
    rows = [] if known is None else known["projects"]
    projects = [row["project_id"] for row in rows if row.get("project_id")]
    title = name_of(name, standing)
    return {
        UNIQUE_ID: name,
        "name": title,
        "unit": UNIT,
        "cluster": cluster_facts(name, standing),
        "progress": told,
        "forecast": [_forecast(scope, ground) for scope in _scopes(told, ground)],
        "why": _or_refusal(lambda: with_brief(why_view(name, standing), title)),
        "compare": _or_refusal(lambda: compare_view(standing, by="rate", year=YEAR, scope=ground.own)),
        "maturity": maturity_of(projects),
        "confidence": confidence_of(name, standing),
        "evidence": _or_refusal(lambda: evidence_view(name, standing)),
        "published": published_of(name),
        "indicators": indicators_of(name, standing),
        "targets_held": len(goals_of(name, standing)),
        **{key: told[key] for key in ("figures", "quality", "cutoff", "made_by", "sources")},
        **told_of(standing),
    }


def _or_refusal(look: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """A part of the report, or why it cannot be told."""
    try:
        return {"refusal": None, **look()}
    except ForecarbonError as why:
        return {"refusal": why.as_record()}


def _scopes(told: Mapping[str, Any], ground: Ground) -> list[str]:
    """The scope that the first measured target is in, then the own one."""
    measured = [each["scope"] for each in told["targets"] if each["status"] == "measured"]
    return list(dict.fromkeys([*measured[:1], ground.own]))


def _forecast(scope: str, ground: Ground) -> dict[str, Any]:
    """Bands by year after the newest figure of a scope."""
    future: Future = ground.futures[scope].after(ground.records[scope].year)
    shown = np.flatnonzero(future.years <= LAST_SHOWN)
    rows = [
        {"year": int(future.years[k]), **spread(np.asarray(future.paths[k]), future.weights)} for k in shown
    ]
    return {"scope": scope, "rows": rows}
