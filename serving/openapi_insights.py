"""The insights in the OpenAPI document: paths below /v1/insights, provenance, and their schemas."""

from __future__ import annotations

from typing import Any, Final

from insights.brief import languages
from insights.compare import MEASURES
from insights.goals import FIRST_YEAR, LAST_YEAR
from serving.insight_ask import CompareAsk, ProgressAsk
from serving.openapi_parts import (
    COUNT,
    NUMBER,
    NUMBER_OR_NULL,
    OPEN,
    RECORDS,
    REF,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    fields,
    in_path,
    json_of,
    listed,
    nullable,
    operation,
    posted,
    query,
    ref,
    view_of,
)
from serving.openapi_plans import plan_paths, plan_schemas
from serving.openapi_why import why_paths, why_schemas

_YEAR: Final = {"type": "integer", "minimum": FIRST_YEAR, "maximum": LAST_YEAR}
_YEAR_OR_NULL: Final = {"type": ["integer", "null"]}
_TOLD: Final = {**dict.fromkeys(("model_version", "as_of", "degraded"), TEXT), "answer_id": TEXT_OR_NULL}
_SHARE: Final = {"type": "number", "minimum": 0, "maximum": 1}
_OWN_TARGET: Final = {
    "series": "nl-rotterdam",
    "targets": [
        {
            "kind": "percent",
            "value": 55,
            "base_year": 1990,
            "base_value_mt": 20.6,
            "target_year": 2030,
            "scope_id": "rotterdam-co2-registered",
        }
    ],
}
_ACTIVITY: Final = {"year": 2030, "activity": {"gb-humber": 1.2e7, "gb-hynet": 6e6, "gb-solent": 7e6}}


def insight_paths() -> dict[str, Any]:
    """Every path of the insights."""
    about = query(
        "series", {"type": "string", "minLength": 1}, "Cluster, sector or initiative.", required=True
    )
    asked = [
        about,
        query("target_id", TEXT, "Measure this target alone, or be told why it cannot be measured."),
        query("base_year", _YEAR, "Of targets that name none: what if it were this year?"),
        query("scope", TEXT, "The scope to read targets of unstated or unlike scope in."),
        query("language", {"enum": list(languages())}, "Of the brief."),
    ]
    names = {"type": "array", "maxItems": 100, "items": {"type": "string", "minLength": 1}}
    ranked = [
        query("by", {"enum": list(MEASURES)}, "The measure; intensity only with a POST."),
        query("year", _YEAR, "The year it is taken in; 2030 without it."),
        query("scope", TEXT, "Compare all clusters of this scope."),
        query("clusters", names, "Compare these; repeat for several."),
    ]
    whole = [query("year", _YEAR, "Cuts up to this year; 2030 without it.")]
    back = in_path("answer_id", "From the answer of an insight.")
    errors = (400, 404, 422, 503)
    return {
        "/v1/insights/progress": {
            "get": view_of("progress", "How far on the way to the targets", "Progress", asked),
            "post": posted(
                "ownProgress", "Progress towards your own targets", "ProgressAsk", _OWN_TARGET, "Progress"
            ),
        },
        "/v1/insights/compare": {
            "get": view_of("compare", "Like clusters ranked, with intervals", "Comparison", ranked),
            "post": posted("ownCompare", "Ranked by intensity", "CompareAsk", _ACTIVITY, "Comparison"),
        },
        "/v1/insights/initiative": {
            "get": view_of("initiative", "Claims beside what backs them", "InitiativeView", whole),
        },
        "/v1/insights/standings": {
            "get": view_of("standings", "Where all clusters stand, a line each", "Standings"),
        },
        **why_paths(),
        **plan_paths(),
        "/v1/provenance/{answer_id}": {
            "get": operation(
                "provenance", "An answer made again, with what it rests on", json_of(ref("Provenance")),
                *errors, parameters=[back],
            ),
        },
    }  # fmt: skip


def insight_schemas() -> dict[str, Any]:
    """Questions and answers of the insights."""
    asks = {
        model.__name__: model.model_json_schema(ref_template=REF + "{model}")
        for model in (ProgressAsk, CompareAsk)
    }
    asks["ProgressAsk"]["properties"]["language"] = {"enum": list(languages()), "default": "en"}
    parts: dict[str, Any] = {}
    for schema in asks.values():
        parts |= schema.pop("$defs", {})
    views = {
        **_progress_schemas(),
        **_comparison_schemas(),
        **_initiative_schemas(),
        **why_schemas(),
        **plan_schemas(),
    }
    return {**parts, **asks, **views}


def _progress_schemas() -> dict[str, Any]:
    latest = fields({"year": COUNT, "value": NUMBER, "evidence": TEXT})
    said = fields({"key": TEXT, "text": TEXT, "values": RECORDS})
    gap = fields({"code": TEXT, "found": TEXT, "remedy": TEXT}, {"target_id": TEXT})
    scoped = fields(
        {
            "scope": TEXT,
            "published": {"type": "boolean"},
            "latest": latest,
            "rows": {"type": "array", "items": latest},
            "rescaled_before": _YEAR_OR_NULL,
            **dict.fromkeys(("change_percent", "achieved", "achieved_compound"), NUMBER_OR_NULL),
            "achieved_from": _YEAR_OR_NULL,
            "forecast": nullable(OPEN),
            "informed_by": {"type": "array", "items": COUNT},
            "fan": {**RECORDS, "description": "Quantiles by year after the newest figure, in this scope."},
        }
    )
    told = {
        **dict.fromkeys(("unique_id", "name", "kind", "unit", "cutoff", "made_by"), TEXT),
        "paths_from": {
            "enum": ["joint", "own bands"],
            "description": "Joint with all other series, or drawn from a single plant's own bands.",
        },
        "status": {"enum": ["answered", "incomplete"]},
        "missing": {"type": "array", "items": gap},
        "figures": {"type": "array", "items": scoped},
        "targets": listed("TargetProgress"),
        "warming": nullable(OPEN),
        "quality": nullable(ref("Quality")),
        "sources": TEXTS,
        "brief": {"type": "array", "items": said},
    }
    return {
        "TargetProgress": _target(latest),
        "Chance": _chance(),
        "Progress": fields({**told, **_TOLD}),
        "Provenance": fields(
            {
                **dict.fromkeys(
                    ("answer_id", "view", "pack", "pack_digest", "data_hash", "git_commit"), TEXT
                ),
                "question": OPEN,
                "same": {"type": "boolean", "description": "Whether the same numbers came out again."},
                "answer": OPEN,
                **dict.fromkeys(("figures", "factors", "bridges"), RECORDS),
                **{name: schema for name, schema in _TOLD.items() if name != "answer_id"},
            }
        ),
    }


def _target(latest: dict[str, Any]) -> dict[str, Any]:
    """What cannot be measured has a refusal, and none of the numbers."""
    always = {
        "target": OPEN,
        "tellings": COUNT,
        **dict.fromkeys(("also_told_as", "conflicts"), RECORDS),
        "status": {"enum": ["measured", "refused"]},
        "refusal": nullable(OPEN),
    }
    numbers = {
        "scope": TEXT,
        "level": {**NUMBER, "description": "tCO2e to be left in the target year."},
        "base_year": _YEAR_OR_NULL,
        "base": NUMBER_OR_NULL,
        "notes": TEXTS,
        "latest": latest,
        **dict.fromkeys(("on_track", "budget", "science"), nullable(OPEN)),
        **dict.fromkeys(("needed", "crossing"), OPEN),
        "chance": ref("Chance"),
        "informed_by": {"type": "array", "items": COUNT},
    }
    return fields(always, numbers)


def _chance() -> dict[str, Any]:
    p = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
    return fields(
        {"year": COUNT, "status": {"enum": ["ahead", "past", "beyond-horizon"]}, "level": NUMBER, "p": p},
        {
            **dict.fromkeys(("p_low", "p_high", "share_of_paths"), _SHARE),
            "calibrated": {"type": "boolean"},
            "paths": COUNT,
            "effective_paths": NUMBER,
            "emissions": OPEN,
            "shortfall": NUMBER,
            "horizon": COUNT,
            "outcome": {
                **OPEN,
                "description": "Of a target that is past: value (tCO2e emitted in its year) and met; "
                "null where no figure of that year is held.",
            },
        },
    )


def _comparison_schemas() -> dict[str, Any]:
    rank = fields(
        {
            **dict.fromkeys(("name", "cluster"), TEXT),
            **dict.fromkeys(("value", "low", "high"), NUMBER),
            **dict.fromkeys(("rank", "rank_low", "rank_high"), COUNT),
            "first": _SHARE,
        }
    )
    told = {
        **dict.fromkeys(("by", "scope", "unit"), TEXT),
        "year": COUNT,
        "lower_is_better": {"type": "boolean"},
        "ranks": {"type": "array", "items": rank},
        "left_out": RECORDS,
        "groups": {"type": "object", "additionalProperties": TEXTS},
    }
    return {"Comparison": fields({**told, **_TOLD})}


def _initiative_schemas() -> dict[str, Any]:
    told = {
        "year": COUNT,
        "unit": TEXT,
        **dict.fromkeys(("claimed", "inventories", "targets", "forecast", "share_of_claim"), OPEN),
        **dict.fromkeys(("projects", "indicators"), RECORDS),
        "without_series": TEXTS,
    }
    standings = {"unit": TEXT, "clusters": listed("StandingLine")}
    return {"InitiativeView": fields({**told, **_TOLD}), "Standings": fields({**standings, **_TOLD})}
