"""Schemas of the views: clusters, series, model card, evidence, lineage, promotions, findings, health."""

from __future__ import annotations

from typing import Any, Final

from serving.listing import PROMOTED
from serving.openapi_parts import (
    COUNT,
    NUMBER,
    NUMBER_OR_NULL,
    OPEN,
    RECORDS,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    fields,
    listed,
    nullable,
    ref,
)

_TOLD: Final = dict.fromkeys(("model_version", "as_of", "degraded"), TEXT)
_COUNTS: Final = {"type": "object", "additionalProperties": {"type": "integer"}}
_NUMBERS: Final = {"type": "object", "additionalProperties": NUMBER_OR_NULL}
_TRUTH: Final = {"type": "boolean"}
_COUNT_OR_NULL: Final = {"type": ["integer", "null"]}
_SCORES: Final = {
    "n": COUNT,
    **dict.fromkeys(("mase", "sql", "coverage_80", "coverage_95"), NUMBER_OR_NULL),
}


def view_schemas() -> dict[str, Any]:
    """Every view."""
    return {
        **_cluster_schemas(),
        **_series_schemas(),
        **_model_schemas(),
        **_evidence_schemas(),
        **_lineage_schemas(),
        **_finding_schemas(),
    }


def _cluster_schemas() -> dict[str, Any]:
    latest = nullable(fields({"ds": TEXT, "y": NUMBER}))
    band = dict.fromkeys(("median", "low", "high", "level"), NUMBER)
    standing = {
        **dict.fromkeys(("scope", "cutoff", "made_by", "reason", "remedy"), TEXT),
        "quality": nullable(ref("Quality")),
        "latest": latest,
        "outlook": nullable(fields({"ds": TEXT, **band})),
    }
    status = {"status": {"enum": ["served", "absent"]}, "unit": TEXT}
    name = {"cluster_id": TEXT}
    place = {"lat": NUMBER_OR_NULL, "lon": NUMBER_OR_NULL}
    own = ("targets", "projects", "bridges", "series", "plants", "absent_series", "history", "breaks")
    lists = dict.fromkeys(own, RECORDS)
    line = {**name, "name": TEXT, "country": TEXT, **place, **status}
    told = {"trend": nullable(OPEN), "target": nullable(OPEN), "refused": RECORDS}
    return {
        "ClusterLine": fields(line, standing),
        "StandingLine": fields({**line, **told}, standing),
        "Clusters": fields(
            {"clusters": listed("ClusterLine"), "initiative": fields(status, standing), **_TOLD}
        ),
        "Cluster": fields({**name, "facts": OPEN, **lists, **status, **_TOLD}, standing),
    }


def _series_schemas() -> dict[str, Any]:
    line = ("unique_id", "kind", "cluster_id", "sector", "name", "scope", "cutoff", "made_by")
    page = {
        "count": COUNT,
        "next": {**TEXT_OR_NULL, "description": "Cursor of the next page, null at the end."},
    }
    return {
        "SeriesLine": fields(dict.fromkeys(line, TEXT)),
        "SeriesPage": fields({"series": listed("SeriesLine"), **page, **_TOLD}),
        "Promotion": fields(dict.fromkeys(PROMOTED, TEXT_OR_NULL)),
        "PromotionsPage": fields({"promotions": listed("Promotion"), **page}),
        "ActualsAccepted": fields({"accepted": COUNT}, {"refused": COUNT, "refusals": RECORDS}),
    }


def _model_schemas() -> dict[str, Any]:
    texts = ("recipe", "created_at", "data_hash", "git_commit", "pack", "unit", "cadence")
    state = {"enum": ["ok", "degraded"]}
    return {
        "Model": fields(
            {
                **dict.fromkeys(texts, TEXT),
                **_TOLD,
                "steps": {"type": "integer"},
                "paths": {"type": "integer"},
                "recipe_record": OPEN,
                "scores": RECORDS,
                "verdict": OPEN,
                "series": _COUNTS,
            }
        ),
        "Health": fields(
            {
                "status": state,
                "pack": TEXT,
                "refused": nullable(OPEN),
                "journal": state,
                "rungs": _COUNTS,
                **_TOLD,
            }
        ),
    }


def _evidence_schemas() -> dict[str, Any]:
    """Scores are null, and ``sentence`` says why, where a backtest said nothing."""
    own, kind = nullable(ref("SeriesScores")), nullable(ref("KindScores"))
    names = ("kind", "forecaster", "baseline", "plan", "verdict_id")
    step = {"role": {"enum": ["challenger", "baseline"]}}
    return {
        "SeriesScores": fields({**_SCORES, "n_missing": COUNT, "folds": COUNT}),
        "KindScores": fields({**_SCORES, "step": COUNT}, step),
        "Evidence": fields(
            {
                **dict.fromkeys(("unique_id", "sentence"), TEXT),
                **dict.fromkeys(names, TEXT_OR_NULL),
                "judged": _TRUTH,
                "issued": {**TEXTS, "description": "Days of the past cutoffs that were judged."},
                "steps": _COUNT_OR_NULL,
                "scores": own,
                "baseline_scores": own,
                "skill": {
                    **nullable(_NUMBERS),
                    "description": "1 − score ÷ baseline's: above zero is better than the baseline.",
                },
                "kind_scores": kind,
                "kind_baseline_scores": kind,
                "kind_by_step": listed("KindScores"),
                "fans": {**RECORDS, "description": "What was said at past cutoffs, and what came true."},
                **_TOLD,
            }
        ),
    }


def _lineage_schemas() -> dict[str, Any]:
    always = {
        **dict.fromkeys(("unique_id", "ds", "unit", "pack"), TEXT),
        **dict.fromkeys(("kind", "scope", "data_hash", "git_commit"), TEXT_OR_NULL),
        "what": {"enum": ["figure", "forecast"]},
        "value": {**NUMBER_OR_NULL, "description": "tCO2e: the figure, or the mean of the forecast."},
        "origin": nullable(OPEN),
        "files": {"type": "object", "additionalProperties": TEXT},
        **_TOLD,
    }
    part = {
        "unique_id": TEXT,
        "value": NUMBER,
        **dict.fromkeys(("source", "scope", "known_at"), TEXT_OR_NULL),
    }
    figure = {
        **dict.fromkeys(("source", "known_at", "grade", "flag"), TEXT_OR_NULL),
        **dict.fromkeys(("publishers", "earlier", "breaks", "repairs"), nullable(RECORDS)),
        "parts": listed("Part"),
        "more_parts": COUNT,
        **dict.fromkeys(("parts_value", "remainder"), NUMBER_OR_NULL),
    }
    forecast = {
        **dict.fromkeys(("statistic", "cutoff", "made_by", "recipe"), TEXT),
        **dict.fromkeys(("verdict_id", "plan", "plan_fingerprint"), TEXT_OR_NULL),
        "rung": {"enum": ["champion", "previous", "naive"]},
        "step": COUNT,
        "summed": TEXTS,
        "bridges": RECORDS,
        "sources": TEXTS,
    }
    return {"Part": fields(part), "Lineage": fields(always, {**figure, **forecast})}


def _finding_schemas() -> dict[str, Any]:
    texts = ("finding_id", "at", "plan", "kind", "model_version", "series_kind", "sentence")
    finding = {
        **dict.fromkeys(texts, TEXT),
        "kind": {"enum": ["bias", "error", "coverage-80", "coverage-95"]},
        **dict.fromkeys(("value", "expected", "p_value", "threshold"), NUMBER),
        "n": COUNT,
        "years": {"type": "array", "items": {"type": "integer"}},
        "serving": _TRUTH,
    }
    return {
        "Finding": fields(finding),
        "Findings": fields({"findings": listed("Finding"), "count": COUNT, **_TOLD}),
    }
