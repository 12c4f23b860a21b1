"""The BentoML service: takes the clock, opens the shelf, and mounts the edge.

BentoML gives the processes, the probes and the drain; every route is our own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import bentoml

from features.errors import ModelError
from features.findings import read_findings
from features.series.panel import Panel
from models.forecast import Outlook
from serving.desk import Desk
from serving.edge import Edge
from serving.entries import stamp_of
from serving.journal import Journal
from serving.launch import STORE, TRAFFIC_SECONDS
from serving.own_history import Kitchen
from serving.shelf import Shelf

POLL_SECONDS: Final = 1.0
FRESH: Final = 20
_LOG: Final = logging.getLogger("bentoml.forecarbon")
edge: Final = Edge()


def _engine(panel: Panel, *, steps: int, levels: tuple[float, ...]) -> Outlook:
    """``models.engine.forecast_panel``, imported on first use: its libraries are slow to load."""
    from models.engine import forecast_panel

    return forecast_panel(panel, steps=steps, levels=levels)


def _now() -> str:
    return stamp_of(datetime.now(UTC))


def _warm() -> None:
    """Answer one own history, so that the first of a caller does not wait for imports and tables."""
    from features.sources.upload import read_records

    rows = [{"unique_id": "warm", "ds": year, "y": 1.0 + year % 2} for year in range(2010, 2022)]
    _engine(read_records(rows).panel, steps=2, levels=(0.1, 0.5, 0.9))


@bentoml.service(
    name="forecarbon",
    traffic={"timeout": TRAFFIC_SECONDS},
    # BentoML labels its metrics with raw paths, which callers can make up without end.
    metrics={"enabled": False},
    # Its access log decodes headers strictly and dies of a byte that is no UTF-8.
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(edge, path="/", name="edge")
class Forecarbon:
    """One worker of the forecast API."""

    @bentoml.on_startup  # type: ignore[untyped-decorator]
    async def open(self) -> None:
        """Open the store, take the first pack if there is one, and start watching the pointer."""
        store = Path(os.environ[STORE])
        shelf = Shelf(store)
        await asyncio.to_thread(shelf.refresh)
        edge.desk = Desk(
            shelf=shelf,
            journal=Journal(store),
            kitchen=Kitchen(_engine),
            clock=_now,
            new_id=lambda: uuid4().hex[:FRESH],
            read_findings=lambda: read_findings(store),
        )
        _tell(shelf)
        self._tasks = [
            asyncio.create_task(_watch(shelf)),
            asyncio.create_task(asyncio.to_thread(_warm)),
        ]

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    async def close(self) -> None:
        """Stop watching and write what the journal holds."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        desk, edge.desk = edge.desk, None
        if desk is not None:
            desk.kitchen.close()
            await asyncio.to_thread(desk.journal.close)


async def _watch(shelf: Shelf) -> None:
    """Renew the shelf about once a second, off the loop; say once what changed."""
    told = shelf.refused
    while True:
        await asyncio.sleep(POLL_SECONDS)
        try:
            swapped = await asyncio.to_thread(shelf.refresh)
        except Exception as fault:  # noqa: BLE001 - a watcher that dies would freeze the champion unseen
            _LOG.error(json.dumps({"event": "watch-failed", "fault": repr(fault)[:500]}))
            continue
        if swapped or shelf.refused is not told:
            told = shelf.refused
            _tell(shelf)


def _tell(shelf: Shelf) -> None:
    if shelf.refused is not None:
        record = {"event": "pack-refused", **shelf.refused.as_record()}
        _LOG.warning(json.dumps(record))
        return
    try:
        pack = shelf.standing.pack
    except ModelError as reason:
        _LOG.warning(json.dumps({"event": "no-champion", "said": str(reason)}))
        return
    record = {"event": "champion-serves", "model_version": pack.model_version, "pack": pack.name}
    _LOG.info(json.dumps(record))
