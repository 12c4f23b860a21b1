"""A desk and an edge over a published store, for tests."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from serving.desk import Desk
from serving.edge import Edge
from serving.guard import Guard, Rules
from serving.journal import Journal
from serving.keys import Keyring
from serving.meters import Meters
from serving.own_history import Kitchen
from serving.routes import ROUTES
from serving.shelf import Shelf
from serving.state import state_of
from tests.serving.test_own_history import fake_engine

NOW = "2026-11-24T08:00:00.000Z"


@contextmanager
def desk_of(store: Path, rules: Rules | None = None, **changes: Any) -> Iterator[Edge]:
    """An edge with everything behind it."""
    shelf, journal, state = Shelf(store), Journal(store), state_of(store)
    shelf.refresh()
    keyring = Keyring(state)
    keyring.refresh()
    numbers = itertools.count(1)
    made: dict[str, Any] = {
        "store": store, "shelf": shelf, "journal": journal, "kitchen": Kitchen(fake_engine), "state": state,
        "keyring": keyring, "guard": Guard(rules or Rules(), keyring), "meters": Meters(ROUTES),
        "clock": lambda: NOW, "ticks": time.perf_counter, "new_id": lambda: f"j{next(numbers)}",
    }  # fmt: skip
    edge = Edge()
    edge.desk = Desk(**{**made, **changes})
    try:
        yield edge
    finally:
        edge.desk.kitchen.close()
        journal.close()
        state.close()


def asked(edge: Edge, method: str, path: str, *, client: str = "127.0.0.1", **more: Any) -> httpx.Response:
    """One request to the edge."""

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=edge, raise_app_exceptions=True, client=(client, 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as caller:
            return await caller.request(method, path, **more)

    return asyncio.run(once())


def code_of(reply: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return reply.status_code, str(reply.json()["error"]["code"])


def bearer(token: str, **more: str) -> Mapping[str, str]:
    """Headers with a key."""
    return {"authorization": f"Bearer {token}", **more}
