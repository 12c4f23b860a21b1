"""What the paths of saved scenarios do, and of scenarios side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.errors import AskError
from serving.bench import SCENARIOS, bench_of
from serving.call import Call
from serving.desk import Desk
from serving.errors import of_validation
from serving.evidence import no_series
from serving.provenance import with_id
from serving.queries import one
from serving.reply import Reply, of_record
from serving.saved import add_version, create, listed, read, remove
from serving.saved_view import head_view, saved_view
from serving.scenario_view import MOST_COMPARED, compare_scenarios, read_scenario
from serving.shelf import Standing
from serving.views import told_of
from serving.wire import WHOLE, loaded_of

COMPARED: Final = "scenario-compare"
LONGEST_ID: Final = 40
Ask = TypeVar("Ask", bound=BaseModel)
Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]
Number = Annotated[int, Field(ge=1, le=1_000_000), WHOLE]


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SaveAsk(_Ask):
    """What is sent to ``POST /v1/scenarios/saved``; with an id a further version of that scenario."""

    scenario: dict[str, Any]
    id: Id | None = None
    builds_on: Number | None = None
    shared: bool | None = None


class RemoveAsk(_Ask):
    """What is sent to ``POST /v1/scenarios/removed``."""

    id: Id
    builds_on: Number


class SavedRef(_Ask):
    """A saved scenario by its id; its newest version without one."""

    saved: Id
    version: Number | None = None


class ManyAsk(_Ask):
    """What is sent to ``POST /v1/scenarios/compare``."""

    scenarios: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_COMPARED)]


def asked_of(model: type[Ask], told: Any) -> Ask:
    """What was sent, as ``model`` reads it; its refusals in our own form."""
    try:
        return model.model_validate(told)
    except ValidationError as fault:
        raise of_validation(fault) from None


async def save(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/scenarios/saved: a new scenario, or a further version of one."""
    del call
    told = asked_of(SaveAsk, loaded_of(body, '{"scenario": {"version": 1, "name": "…", "series": "…"}}'))
    return of_record(await asyncio.to_thread(_save, desk, told, key_id))


def _save(desk: Desk, told: SaveAsk, key_id: str) -> dict[str, Any]:
    made, standing = read_scenario(told.scenario), desk.shelf.standing
    if made.series not in standing.rungs:
        raise no_series(made.series, standing)
    alone = len(told.model_fields_set & {"id", "builds_on"}) == 1  # null counts as told, as in the document
    if alone or (told.id is None) != (told.builds_on is None):
        raise AskError(
            "builds-on-missing",
            found="an id without builds_on, or builds_on without an id",
            expected="both, for a further version, or none, for a new scenario",
            remedy="tell the id, and the version that was read before it was changed",
            facts={"field": "builds_on" if told.builds_on is None else "id"},
        )
    at = desk.clock()
    if told.id is None or told.builds_on is None:
        fresh = desk.new_id()
        return saved_view(
            create(desk.state, fresh, told.scenario, made.fingerprint, key_id=key_id, at=at,
                   shared=bool(told.shared))
        )  # fmt: skip
    kept = add_version(
        desk.state, told.id, told.scenario, made.fingerprint, builds_on=told.builds_on, key_id=key_id, at=at,
        shared=told.shared,
    )  # fmt: skip
    return saved_view(kept)


async def removal(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/scenarios/removed: taken off the list; its versions are kept."""
    del call
    told = asked_of(RemoveAsk, loaded_of(body, '{"id": "…", "builds_on": 1}'))

    def work() -> dict[str, Any]:
        gone = remove(desk.state, told.id, builds_on=told.builds_on, key_id=key_id, at=desk.clock())
        return saved_view(gone)

    return of_record(await asyncio.to_thread(work))


async def mine(desk: Desk, call: Call, key_id: str) -> Reply:
    """GET /v1/scenarios/saved: the caller's own, newest first."""
    call.query()
    found = await asyncio.to_thread(listed, desk.state, key_id)
    return of_record({"scenarios": [head_view(each) for each in found], "count": len(found)})


async def saved(desk: Desk, call: Call, scenario_id: str, key_id: str) -> Reply:
    """GET /v1/scenarios/saved/{scenario_id}."""
    version = version_of(one(call.query("version"), "version"))

    def work() -> dict[str, Any]:
        return saved_view(read(desk.state, scenario_id, key_id), version)

    return of_record(await asyncio.to_thread(work))


def version_of(text: str | None) -> int | None:
    """The version asked for; None without one.

    Raises:
        AskError: it is no whole number.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 8 and int(text) > 0):
        raise AskError(
            "invalid-value",
            found="a version that is no whole number above 0",
            expected="a version such as 2",
            remedy="mend version",
            facts={"field": "version"},
        )
    return int(text)


async def compare(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/scenarios/compare: up to four side by side, sent or saved."""
    del call
    told = asked_of(ManyAsk, loaded_of(body, '{"scenarios": [{"version": 1, …}, {"saved": "…"}]}'))

    def work() -> dict[str, Any]:
        tables = [table_of_saved(desk, each, key_id) for each in told.scenarios]
        question, standing = {"scenarios": tables}, desk.shelf.standing
        return with_id(COMPARED, question, look_compared(standing, question), standing)

    return of_record(await bench_of(SCENARIOS).run(key_id, work))


def table_of_saved(desk: Desk, told: Mapping[str, Any], key_id: str) -> dict[str, Any]:
    """A scenario's table; one that names a saved scenario is read, of those the caller may see."""
    if "saved" not in told:
        return dict(told)
    ref = asked_of(SavedRef, told)
    return dict(read(desk.state, ref.saved, key_id).at(ref.version).table)


def look_compared(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a comparison, as provenance makes it again."""
    return {**compare_scenarios(question["scenarios"], standing), **told_of(standing)}
