"""The desk: what a worker answers with, and how a question about forecasts becomes a reply."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from serving.answer import answer, provenance
from serving.csv_answer import CSV, answer_csv
from serving.entries import entry_from, entry_of, forecast_id_of, rendered, sheet_of
from serving.guard import Guard
from serving.journal import Journal
from serving.keys import Keyring
from serving.meters import Meters
from serving.own_history import SOURCE, Kitchen
from serving.ready import Plate, Ready
from serving.reply import JSON, Header, Reply
from serving.shelf import Shelf, Standing
from serving.state import State
from serving.wire import ForecastAsk, write_json_bytes

# Numbers in an answer beyond which it is written in a thread, so that others do not wait for it.
LARGE: Final = 4_000
MARKS: Final = ("issued_at", "request_id", "forecast_id")
_CSV: Final = f"{CSV}; charset=utf-8; header=present".encode()
_MOST_HEADER: Final = 4_000
_KEPT: Final[tuple[Header, ...]] = ((b"cache-control", b"private, no-cache"),)


@dataclass(frozen=True)
class Desk:
    """What a worker answers with.

    Attributes:
        clock: the time of issue as ISO text, UTC.
        ticks: seconds that only grow.
        new_id: text that no other forecast of the day has.
        read_findings: the findings on record, oldest first.
    """

    store: Path
    shelf: Shelf
    journal: Journal
    kitchen: Kitchen
    state: State
    keyring: Keyring
    guard: Guard
    meters: Meters
    clock: Callable[[], str]
    ticks: Callable[[], float]
    new_id: Callable[[], str]
    read_findings: Callable[[], list[dict[str, Any]]] = field(default=list)
    ready: Ready = field(default_factory=Ready)

    async def plate_of(self, ask: ForecastAsk, form: str, standing: Standing, *, keep: bool = True) -> Plate:
        """The plate of a question about registry series: a ready one, or made now and kept if ``keep``."""
        question = ask.model_dump_json().encode()
        plate = self.ready.find(form, question, standing)
        if plate is None:
            names = len(ask.clusters) + len(ask.series)
            large = names * ask.steps * (1 + len(ask.wanted) + ask.paths) > LARGE
            made = await asyncio.to_thread(plate_of, ask, form, standing) if large else None
            plate = made or plate_of(ask, form, standing)
            if keep:
                self.ready.keep(form, question, standing, plate)
        return plate

    def serve(self, plate: Plate, request_id: str, key_id: str, extra: tuple[Header, ...] = ()) -> Reply:
        """An answer from its plate, with a time and names of its own, noted in the journal."""
        issued_at = self.clock()
        forecast_id = forecast_id_of(issued_at, self.new_id())
        if plate.sheet is not None:
            self.journal.note(
                entry_from(
                    plate.sheet, forecast_id=forecast_id, request_id=request_id, issued_at=issued_at,
                    key_id=key_id,
                )
            )  # fmt: skip
        if plate.kind is not JSON:
            marks = ((b"x-forecarbon-forecast-id", forecast_id.encode()),)
            return Reply(plate.head, 200, plate.kind, (*plate.extra, *marks, *extra))
        tail = (
            f'"issued_at":"{issued_at}","request_id":"{request_id}","forecast_id":"{forecast_id}",'
            f'"journal":"{self.journal.state}"}}'
        )
        return Reply(plate.head + tail.encode(), 200, JSON, extra)

    async def own(self, ask: ForecastAsk, form: str, request_id: str, key_id: str) -> Reply:
        """Forecast the caller's own rows, and note the answer in the journal."""
        told = await self.own_told(ask, request_id, key_id)
        if form == CSV:
            body, extra = _as_csv(told)
            return Reply(
                body, 200, _CSV, (*extra, (b"x-forecarbon-forecast-id", told["forecast_id"].encode()))
            )
        return Reply(write_json_bytes({**told, "journal": self.journal.state}))

    async def own_told(self, ask: ForecastAsk, request_id: str, key_id: str) -> dict[str, Any]:
        """The answer about the caller's own rows, noted in the journal."""
        forecasts = await self.kitchen.forecast(ask)
        issued_at = self.clock()
        forecast_id = forecast_id_of(issued_at, self.new_id())
        marks = dict(zip(MARKS, (issued_at, request_id, forecast_id), strict=True))
        standing = self.shelf.standing
        told = own_answer(forecasts, standing, **marks)
        self.journal.note(rendered(entry_of(ask, told, standing, key_id)))
        return told


def plate_of(ask: ForecastAsk, form: str, standing: Standing) -> Plate:
    """The plate of a question about registry series; refusals as in ``serving.answer.answer``."""
    told = answer(ask, standing, **dict.fromkeys(MARKS, ""))
    sheet, etag = sheet_of(ask, told, standing), etag_of(standing, form, ask.model_dump_json())
    if form == CSV:
        body, extra = _as_csv(told)
        return Plate(body, sheet, _CSV, extra, etag)
    lasting = {name: value for name, value in told.items() if name not in MARKS}
    return Plate(write_json_bytes(lasting)[:-1] + b",", sheet, JSON, (), etag)


def etag_of(standing: Standing, form: str, question: str) -> bytes:
    """Tag of what a question is answered: it changes with the model, its figures, and what is degraded."""
    from serving.layout import text_digest

    told = text_digest(standing.pack.digest, standing.degraded, form, question)
    return f'W/"{standing.pack.model_version}.{told[:16]}"'.encode()


def _as_csv(told: Mapping[str, Any]) -> tuple[bytes, tuple[Header, ...]]:
    """The bytes, and the refusals in a header: as many as fit, for a table has no place for them."""
    text, refusals = answer_csv(told)
    while len(json.dumps(refusals)) > _MOST_HEADER:
        refusals = refusals[: len(refusals) // 2]
    if not refusals and not told["refusals"]:
        return text.encode(), ()
    return text.encode(), ((b"x-forecarbon-refusals", json.dumps(refusals).encode("ascii")),)


def own_answer(forecasts: list[dict[str, Any]], standing: Standing, **marks: str) -> dict[str, Any]:
    """The answer to a question about the caller's own rows; ``marks`` as ``provenance`` takes them."""
    return {
        "forecasts": forecasts,
        "refusals": [],
        **provenance(standing, **marks),
        "as_of": marks["issued_at"],
        "sources": [SOURCE],
    }


def kept(etag: bytes) -> tuple[Header, ...]:
    """Headers of a reply that may be asked for again by its tag."""
    return ((b"etag", etag), *_KEPT)
