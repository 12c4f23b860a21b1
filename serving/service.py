"""The BentoML service: takes the clock, opens the shelf, and mounts the edge.

BentoML gives the processes, the probes and the drain; every route is our own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import bentoml
from starlette.types import ASGIApp

from features.errors import ModelError
from features.findings import read_findings
from features.logins import without_logins
from features.series.panel import Panel
from models.forecast import Outlook
from serving import patience
from serving.desk import Desk
from serving.edge import Edge
from serving.entries import stamp_of
from serving.front import Front
from serving.guard import MODES, Guard, Mode, Rules
from serving.journal import Journal
from serving.keys import Keyring
from serving.launch import ACCESS_LOG, AUTH, CORS, STORE, TRACING, TRAFFIC_SECONDS, WORKERS
from serving.meters import Meters
from serving.own_history import Kitchen
from serving.routes import ROUTES
from serving.shelf import Shelf
from serving.state import state_of

POLL_SECONDS: Final = 1.0
FRESH: Final = 20
_LOG: Final = logging.getLogger("bentoml.forecarbon")
KEYS_SECONDS: Final = 2.0
edge: Final = Edge(access_log=os.environ.get(ACCESS_LOG, "") == "1")


class Fronted(bentoml.Service[Any]):  # type: ignore[misc]
    """BentoML's service with our edge in front of its layers (docs/adr/0017)."""

    __slots__ = ()

    def to_asgi(self, *args: Any, **options: Any) -> Any:
        """The application that a worker serves."""
        patience.install()
        return Front(_traced(edge), super().to_asgi(*args, **options))


def _traced(app: ASGIApp) -> ASGIApp:
    """``app``, its requests told to OpenTelemetry if that is asked for: BentoML's settings say where to."""
    if os.environ.get(TRACING, "") != "1":
        return app
    from bentoml._internal.container import BentoMLContainer  # type: ignore[attr-defined]
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

    provider = BentoMLContainer.tracer_provider.get()
    return OpenTelemetryMiddleware(app, excluded_urls="livez,readyz,metrics", tracer_provider=provider)


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
    service_class=Fronted,
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
        shelf, state = Shelf(store), state_of(store)
        keyring, meters = Keyring(state), Meters(ROUTES)
        await asyncio.to_thread(shelf.refresh)
        await asyncio.to_thread(keyring.refresh)
        desk = edge.desk = Desk(
            store=store,
            shelf=shelf,
            journal=Journal(store),
            kitchen=Kitchen(_engine),
            state=state,
            keyring=keyring,
            guard=Guard(_rules(), keyring),
            meters=meters,
            clock=_now,
            ticks=time.perf_counter,
            new_id=lambda: uuid4().hex[:FRESH],
            read_findings=lambda: read_findings(store),
        )
        _tell(shelf)
        self._tasks = [
            asyncio.create_task(_watch(desk)),
            asyncio.create_task(_keep_keys(keyring)),
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
            await asyncio.to_thread(desk.state.close)


def _rules() -> Rules:
    """How this service is guarded, as the environment says."""
    told = os.environ.get(AUTH, "auto")
    mode: Mode = next((mode for mode in MODES if mode == told), "keys")
    origins = frozenset(filter(None, (text.strip() for text in os.environ.get(CORS, "").split(","))))
    return Rules(mode, origins, max(1, int(os.environ.get(WORKERS, "1") or 1)))


async def _keep_keys(keyring: Keyring) -> None:
    """Read the keys anew every few seconds, so that a revoked one is soon refused everywhere."""
    while True:
        await asyncio.sleep(KEYS_SECONDS)
        try:
            await asyncio.to_thread(keyring.refresh)
        except Exception as fault:  # noqa: BLE001 - the keys known so far go on to hold
            _LOG.error(json.dumps({"event": "keys-unread", "fault": without_logins(repr(fault))[:500]}))


async def _watch(desk: Desk) -> None:
    """Renew the shelf about once a second, off the loop; say once what changed."""
    shelf, meters = desk.shelf, desk.meters
    told = shelf.refused
    _measure(desk)
    while True:
        await asyncio.sleep(POLL_SECONDS)
        try:
            swapped = await asyncio.to_thread(shelf.refresh)
        except Exception as fault:  # noqa: BLE001 - a watcher that dies would freeze the champion unseen
            _LOG.error(json.dumps({"event": "watch-failed", "fault": without_logins(repr(fault))[:500]}))
            continue
        if swapped:
            meters.swapped()
        if shelf.refused is not None and shelf.refused is not told:
            meters.refused()
        if swapped or shelf.refused is not told:
            told = shelf.refused
            _tell(shelf)
        _measure(desk)


def _measure(desk: Desk) -> None:
    """Tell the meters how things stand."""
    try:
        standing = desk.shelf.standing
    except ModelError:
        standing = None
    desk.meters.tell(
        degraded=float(standing is None or bool(standing.degraded) or desk.shelf.refused is not None),
        journal_degraded=float(desk.journal.state != "ok"),
        journal_lost=float(desk.journal.lost),
        keys_stale=float(desk.keyring.stale),
        series_served=float(len(standing.rungs) if standing else 0),
    )


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
