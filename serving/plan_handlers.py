"""What each path about networks, plans, corridors and contracts does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.bench import PLANS, bench_of
from serving.call import Call
from serving.desk import Desk
from serving.plan_ask import read_plan_ask
from serving.plan_views import PLAN_VIEWS
from serving.provenance import with_id
from serving.reply import Reply, of_record
from serving.shelf import Standing


def _made(name: str, question: Mapping[str, Any], standing: Standing) -> dict[str, Any]:
    return with_id(name, question, PLAN_VIEWS[name](standing, question), standing)


async def _answered(name: str, desk: Desk, body: bytes, key_id: str) -> Reply:
    question, standing = read_plan_ask(name, body), desk.shelf.standing
    return of_record(await bench_of(PLANS).run(key_id, _made, name, question, standing))


async def network(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/network: a shared network of the caller's."""
    del call
    return await _answered("network", desk, body, key_id)


async def plan(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/plan: the cheapest options that meet a target."""
    del call
    return await _answered("plan", desk, body, key_id)


async def corridors(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/corridors: who supplies whom."""
    del call
    return await _answered("corridors", desk, body, key_id)


async def contract(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/contract: cash flows of a contract to capture."""
    del call
    return await _answered("contract", desk, body, key_id)
