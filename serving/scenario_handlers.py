"""What POST /v1/scenarios does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from serving.bench import SCENARIOS, bench_of
from serving.call import Call
from serving.desk import Desk
from serving.insight_ask import table_of
from serving.provenance import with_id
from serving.reply import Reply, of_record
from serving.scenario_view import scenario_view
from serving.shelf import Standing

VIEW: Final = "scenario"


def look(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a scenario, as provenance makes it again."""
    return scenario_view(question, standing)


def _made(question: Mapping[str, Any], standing: Standing) -> dict[str, Any]:
    return with_id(VIEW, question, look(standing, question), standing)


async def scenario(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/scenarios: a scenario of the caller's on the served forecast."""
    del call
    asked = table_of(body)
    return of_record(await bench_of(SCENARIOS).run(key_id, _made, asked, desk.shelf.standing))
