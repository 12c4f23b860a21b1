"""What each path below /v1/insights does, and the way back from an answer to what it rests on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from features.errors import AskError
from insights.brief import LANGUAGE
from insights.goals import FIRST_YEAR, LAST_YEAR, Goal
from serving.bench import PROVENANCE, SPLITS, bench_of
from serving.call import Call
from serving.coalition_handlers import PORTFOLIO
from serving.coalition_view import coalition_view
from serving.compare_view import YEAR, compare_view
from serving.desk import Desk
from serving.driven import drivers_view
from serving.errors import shown
from serving.handlers import view
from serving.initiative_view import initiative_view
from serving.insight_ask import (
    CompareAsk,
    ProgressAsk,
    goals_of_ask,
    read_compare,
    read_progress,
    table_of,
)
from serving.own_split import decomposition_of
from serving.packs import packs_in
from serving.plan_views import PLAN_VIEWS
from serving.progress import calibration_view, goals_of, name_of, progress_view
from serving.provenance import Look, provenance_view, with_id
from serving.queries import Question, needed, one, whole_of, year_of
from serving.reply import Reply, of_record
from serving.report.printing import VIEWS as REPORT_VIEWS
from serving.saved_handlers import COMPARED, look_compared
from serving.scenario_handlers import look as scenario_look
from serving.shelf import Standing
from serving.split_ahead import forecast_split_view
from serving.standings import standings_view
from serving.views import told_of
from serving.why import why_view
from serving.why_brief import with_brief


def _progress(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    own: Sequence[Goal] = ()
    if question.get("targets"):
        own = goals_of_ask(ProgressAsk.model_validate(dict(question)), goals_of(question["series"], standing))
    return progress_view(
        str(question["series"]),
        standing,
        target_id=question.get("target_id"),
        base_year=question.get("base_year"),
        scope=str(question.get("scope") or ""),
        own=own,
        language=str(question.get("language") or "en"),
    )


def _compare(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    return compare_view(
        standing,
        by=str(question["by"]),
        year=int(question["year"]),
        scope=str(question.get("scope") or ""),
        named=list(question.get("clusters") or ()),
        activity=question.get("activity"),
    )


def _initiative(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    return initiative_view(standing, year=int(question["year"]))


def _standings(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    del question
    return standings_view(standing)


def _why(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    name = str(question["series"])
    told = why_view(name, standing, question.get("start_year"), question.get("end_year"))
    return with_brief(told, name_of(name, standing), str(question.get("language") or LANGUAGE))


def _drivers(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    return drivers_view(str(question["series"]), standing, int(question["step"]))


def _split_ahead(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    body = {name: value for name, value in question.items() if name != "series"}
    return forecast_split_view(str(question["series"]), standing, body)


def _decomposition(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    return {**decomposition_of(question), **told_of(standing)}


# Views that an answer_id can name.
VIEWS: Final[dict[str, Look]] = {
    "progress": _progress,
    "compare": _compare,
    "initiative": _initiative,
    "why": _why,
    "drivers": _drivers,
    "forecast-split": _split_ahead,
    "decomposition": _decomposition,
    "scenario": scenario_look,
    COMPARED: look_compared,
    PORTFOLIO: coalition_view,
    "standings": _standings,
    **PLAN_VIEWS,
    **REPORT_VIEWS,
}


def _made(name: str, question: Mapping[str, Any], standing: Standing) -> dict[str, Any]:
    return with_id(name, question, VIEWS[name](standing, question), standing)


async def progress(desk: Desk, call: Call) -> Reply:
    """GET /v1/insights/progress."""

    def look(standing: Standing, told: Question) -> Mapping[str, Any]:
        question = {
            "series": needed(told, "series"),
            "target_id": one(told, "target_id"),
            "base_year": year_of(told, "base_year", FIRST_YEAR, LAST_YEAR),
            "scope": one(told, "scope"),
            "language": one(told, "language"),
        }
        return _made("progress", {k: v for k, v in question.items() if v is not None}, standing)

    asked = call.query("series", "target_id", "base_year", "scope", "language")
    return await view(desk, call, "progress", asked, look)


async def own_progress(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/progress: the caller's own targets."""
    del call, key_id
    ask, standing = read_progress(body), desk.shelf.standing
    question = ask.model_dump(exclude_defaults=True)
    return of_record(await asyncio.to_thread(_made, "progress", question, standing))


async def compare(desk: Desk, call: Call) -> Reply:
    """GET /v1/insights/compare."""

    def look(standing: Standing, told: Question) -> Mapping[str, Any]:
        question = {
            "by": one(told, "by") or "rate",
            "year": year_of(told, "year", FIRST_YEAR, LAST_YEAR) or YEAR,
            "scope": one(told, "scope") or "",
            "clusters": told.get("clusters", []),
        }
        return _made("compare", question, standing)

    return await view(desk, call, "compare", call.query("by", "year", "scope", "clusters"), look)


async def own_compare(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/compare: by intensity, with the caller's activity."""
    del call, key_id
    ask: CompareAsk = read_compare(body)
    return of_record(await asyncio.to_thread(_made, "compare", ask.model_dump(), desk.shelf.standing))


async def initiative(desk: Desk, call: Call) -> Reply:
    """GET /v1/insights/initiative."""

    def look(standing: Standing, told: Question) -> Mapping[str, Any]:
        return _made("initiative", {"year": year_of(told, "year", FIRST_YEAR, LAST_YEAR) or YEAR}, standing)

    return await view(desk, call, "initiative", call.query("year"), look)


async def standings(desk: Desk, call: Call) -> Reply:
    """GET /v1/insights/standings."""
    asked = call.query()
    return await view(desk, call, "standings", asked, lambda standing, _: _made("standings", {}, standing))


async def why(desk: Desk, call: Call) -> Reply:
    """GET /v1/insights/why."""

    def look(standing: Standing, told: Question) -> Mapping[str, Any]:
        question = {
            "series": needed(told, "series"),
            "start_year": year_of(told, "start_year", FIRST_YEAR, LAST_YEAR),
            "end_year": year_of(told, "end_year", FIRST_YEAR, LAST_YEAR),
            "language": one(told, "language"),
        }
        return _made("why", {k: v for k, v in question.items() if v is not None}, standing)

    return await view(desk, call, "why", call.query("series", "start_year", "end_year", "language"), look)


async def drivers(desk: Desk, call: Call) -> Reply:
    """GET /v1/insights/drivers."""

    def look(standing: Standing, told: Question) -> Mapping[str, Any]:
        question = {"series": needed(told, "series"), "step": whole_of(told, "step", 1)}
        return _made("drivers", question, standing)

    return await view(desk, call, "drivers", call.query("series", "step"), look)


async def decomposition(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/decomposition: a table of the caller's. Spreads of it are drawn many times."""
    del call
    asked, standing = table_of(body), desk.shelf.standing
    return of_record(await bench_of(SPLITS).run(key_id, _made, "decomposition", asked, standing))


async def forecast_split(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/forecast-split: the forecast of a series, with an activity of the caller's."""
    del call
    asked = table_of(body)
    if not isinstance(asked.get("series"), str):
        raise AskError(
            "field-missing", found="no series", expected="series, a text", remedy="name the series to split"
        )
    return of_record(await bench_of(SPLITS).run(key_id, _made, "forecast-split", asked, desk.shelf.standing))


async def calibration(desk: Desk, call: Call) -> Reply:
    """GET /v1/insights/calibration."""
    return await view(desk, call, "calibration", call.query(), lambda standing, _: calibration_view(standing))


async def provenance(desk: Desk, call: Call, answer_id: str) -> Reply:
    """GET /v1/provenance/{answer_id}."""
    call.query()

    def find(digest: str) -> Standing:
        now = desk.shelf.standing
        if now.pack.digest.startswith(digest):
            return now
        for kept in packs_in(desk.store):
            if kept.digest.startswith(digest):
                return desk.shelf.pinned_to(kept)
        raise AskError(
            "unknown-answer",
            found=f"an answer of a pack that starts with {shown(digest)}, which is kept no more",
            expected="an answer of a pack the store keeps",
            remedy="ask the question again",
        )

    return of_record(await bench_of(PROVENANCE).run("", provenance_view, answer_id, VIEWS, find))
