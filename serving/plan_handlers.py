"""What each path about networks, plans, corridors and contracts does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final

from serving.call import Call
from serving.desk import Desk
from serving.plan_ask import read_plan_ask
from serving.plan_views import PLAN_VIEWS
from serving.provenance import with_id
from serving.reply import Reply, of_record
from serving.shelf import Standing

# Solvers keep a core busy for seconds: so many at once, while forecasts go on beside them.
AT_ONCE: Final = 1


@cache
def _bench() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="plans")


def _made(name: str, question: Mapping[str, Any], standing: Standing) -> dict[str, Any]:
    return with_id(name, question, PLAN_VIEWS[name](standing, question), standing)


async def _answered(name: str, desk: Desk, body: bytes) -> Reply:
    question, standing = read_plan_ask(name, body), desk.shelf.standing
    work = asyncio.get_running_loop().run_in_executor(_bench(), _made, name, question, standing)
    return of_record(await work)


async def network(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/network: a shared network of the caller's."""
    del call, key_id
    return await _answered("network", desk, body)


async def plan(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/plan: the cheapest options that meet a target."""
    del call, key_id
    return await _answered("plan", desk, body)


async def corridors(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/corridors: who supplies whom."""
    del call, key_id
    return await _answered("corridors", desk, body)


async def contract(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/contract: cash flows of a contract to capture."""
    del call, key_id
    return await _answered("contract", desk, body)
