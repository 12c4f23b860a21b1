"""What the paths about the store's own work do: retrains, reliability, sources."""

from __future__ import annotations

import asyncio

from serving.call import Call
from serving.desk import Desk
from serving.handlers import view
from serving.queries import limit, one
from serving.record_views import reliability_view, retrains_page, sources_view
from serving.reply import Reply, of_record


async def retrains(desk: Desk, call: Call) -> Reply:
    """GET /v1/retrains."""
    told = call.query("limit", "cursor")
    most, cursor = limit(told), one(told, "cursor")
    return of_record(await asyncio.to_thread(retrains_page, desk.store, limit=most, cursor=cursor))


async def reliability(desk: Desk, call: Call) -> Reply:
    """GET /v1/models/reliability."""
    return await view(desk, call, "reliability", call.query(), lambda standing, _: reliability_view(standing))


async def sources(desk: Desk, call: Call) -> Reply:
    """GET /v1/sources."""
    return await view(desk, call, "sources", call.query(), lambda standing, _: sources_view(standing))
