"""What each path of the API does: from a call that was let in to a reply. Refusals are raised."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from serving.answer import provenance
from serving.batch_ask import BatchAsk, read_batch
from serving.bench import bench_of
from serving.call import Call
from serving.csv_answer import CSV
from serving.desk import Desk, etag_of, kept
from serving.entries import find, forecast_id_of, rendered
from serving.evidence import evidence_view
from serving.lineage import lineage_view
from serving.listing import promotions_page, series_page
from serving.openapi import document
from serving.portfolio import portfolio
from serving.queries import Question, accepted, ask_of_query, limit, needed, one
from serving.ready import Plate
from serving.reply import JSON, TEXT, Reply, of_record
from serving.shelf import Standing
from serving.streams import WRITERS
from serving.views import cluster_view, clusters_view, findings_view, health_view, model_view
from serving.wire import read_ask, write_json_bytes

_FORMS: Final = {"application/json": "json", CSV: CSV}
_JSONS: Final = (b"", b"*/*", b"application/json")
_BATCHES: Final = {media: media for media in WRITERS}


async def forecast_by_body(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/forecast: from memory where the same bytes were asked of the same champion before."""
    quick = _quick_form(call)
    standing = desk.shelf.standing
    plate = desk.ready.find(quick, body, standing) if quick else None
    if plate is not None:
        return desk.serve(plate, call.request_id, key_id)
    ask = read_ask(body)
    if ask.history:
        desk.guard.also(key_id, "own-history")
        return await desk.own(ask, accepted(call, _FORMS), call.request_id, key_id)
    form = accepted(call, _FORMS)
    if ask.model_version is not None or ask.as_of is not None:
        pinned = await asyncio.to_thread(desk.shelf.pinned, ask.model_version, ask.as_of)
        return desk.serve(await desk.plate_of(ask, form, pinned, keep=False), call.request_id, key_id)
    plate = await desk.plate_of(ask, form, standing)
    desk.ready.keep(form, body, standing, plate)
    return desk.serve(plate, call.request_id, key_id)


def _quick_form(call: Call) -> str:
    """The form a ready answer may be in; "" where Accept has to be read with care."""
    asked = call.heads.get(b"accept", b"")
    if asked in _JSONS:
        return _FORMS["application/json"]
    return CSV if asked == CSV.encode() else ""


async def forecast_by_query(desk: Desk, call: Call, key_id: str) -> Reply:
    """GET /v1/forecast."""
    form = accepted(call, _FORMS)
    standing = desk.shelf.standing
    served = [name for name in standing.pack.clusters if name in standing.rungs]
    ask = ask_of_query(call.query("clusters", "series", "steps", "levels"), served)
    plate = await desk.plate_of(ask, form, standing)
    if held(call, plate.etag):
        return Reply(b"", 304, JSON, kept(plate.etag))
    return desk.serve(plate, call.request_id, key_id, kept(plate.etag))


async def batch(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/forecasts/batch."""
    media = accepted(call, _BATCHES)
    ask, standing = read_batch(body), desk.shelf.standing
    chosen = await asyncio.to_thread(portfolio, ask, standing)
    issued_at = desk.clock()
    forecast_id = forecast_id_of(issued_at, desk.new_id())
    marks = {"issued_at": issued_at, "request_id": call.request_id, "forecast_id": forecast_id}
    told = provenance(standing, **marks)
    names = [rung.entry.unique_id for rung in chosen.rungs]
    desk.journal.note(rendered(_batch_entry(ask, told, names, standing, key_id)))
    parts = WRITERS[media](chosen, told)
    kind = media.encode()
    return Reply(b"", 200, kind, ((b"x-forecarbon-forecast-id", forecast_id.encode()),), parts)


def _batch_entry(
    ask: BatchAsk, told: Mapping[str, Any], names: list[str], standing: Standing, key_id: str
) -> dict[str, Any]:
    """What the journal keeps of a portfolio: the question, and which pack answered for how many series."""
    listed = {"clusters": list(ask.clusters), "series": list(ask.series), "steps": ask.steps}
    pack = standing.pack
    return {
        **{name: told[name] for name in ("forecast_id", "request_id", "issued_at", "as_of")},
        "key_id": key_id,
        "model_version": told["model_version"],
        "degraded": told["degraded"],
        "request": {**listed, "batch": ask.model_dump(exclude={"clusters", "series"})},
        "own_rows": 0,
        "own_digest": "",
        "pack": {"name": pack.name, "digest": pack.digest, "model_version": pack.model_version,
                 "as_of": str(pack.card["as_of"])},
        "older_pack": None,
        "answered": len(names),
        "refused": 0,
        "digest": "",
        "digest_without": [],
    }  # fmt: skip


async def issued(desk: Desk, call: Call, forecast_id: str, key_id: str) -> Reply:
    """GET /v1/forecasts/{forecast_id}: of a key's own forecasts, or of any for a key that may operate."""
    call.query()
    entry = await asyncio.to_thread(find, desk.store, forecast_id)
    mine = not key_id or entry.get("key_id", "") == key_id or desk.keyring.may(key_id, "operate")
    if not mine:
        entry = await asyncio.to_thread(find, desk.store, "")  # refused in the same words as one unknown
    return of_record(entry)


View = Callable[[Standing, Question], Mapping[str, Any]]


async def view(desk: Desk, call: Call, name: str, told: Question, look: View, *, bench: str = "") -> Reply:
    """A view of what stands on the shelf: made once for a standing, then sent from memory, with its tag.

    Args:
        bench: where a dear one is made; a cheap one is made in the usual threads.
    """
    standing = desk.shelf.standing
    question = call.scope["path"].encode() + b"?" + call.scope["query_string"]
    plate = desk.ready.find(name, question, standing)
    if plate is None:
        if bench:
            alike = (name, question, standing.pack.digest, standing.degraded)
            record = await bench_of(bench).run_once(alike, look, standing, told)
        else:
            record = await asyncio.to_thread(look, standing, told)
        etag = etag_of(standing, name, question.decode("latin-1"))
        plate = Plate(write_json_bytes(record), None, JSON, (), etag)
        desk.ready.keep(name, question, standing, plate)
    if held(call, plate.etag):
        return Reply(b"", 304, JSON, kept(plate.etag))
    return Reply(plate.head, 200, JSON, kept(plate.etag))


async def clusters(desk: Desk, call: Call) -> Reply:
    """GET /v1/clusters."""
    return await view(desk, call, "clusters", call.query(), lambda standing, _: clusters_view(standing))


async def cluster(desk: Desk, call: Call, cluster_id: str) -> Reply:
    """GET /v1/clusters/{cluster_id}."""
    return await view(
        desk, call, "cluster", call.query(), lambda standing, _: cluster_view(cluster_id, standing)
    )


async def series(desk: Desk, call: Call) -> Reply:
    """GET /v1/series."""

    def look(standing: Standing, told: Question) -> Mapping[str, Any]:
        return series_page(
            standing,
            kind=one(told, "kind"),
            cluster_id=one(told, "cluster_id"),
            limit=limit(told),
            cursor=one(told, "cursor"),
        )

    return await view(desk, call, "series", call.query("kind", "cluster_id", "limit", "cursor"), look)


async def evidence(desk: Desk, call: Call) -> Reply:
    """GET /v1/evidence."""

    def look(standing: Standing, told: Question) -> Mapping[str, Any]:
        return evidence_view(needed(told, "series"), standing)

    return await view(desk, call, "evidence", call.query("series"), look)


async def lineage(desk: Desk, call: Call) -> Reply:
    """GET /v1/lineage."""

    def look(standing: Standing, told: Question) -> Mapping[str, Any]:
        return lineage_view(needed(told, "series"), needed(told, "ds"), standing)

    return await view(desk, call, "lineage", call.query("series", "ds"), look)


async def model(desk: Desk, call: Call) -> Reply:
    """GET /v1/models/current."""
    return await view(desk, call, "model", call.query(), lambda standing, _: model_view(standing))


async def promotions(desk: Desk, call: Call) -> Reply:
    """GET /v1/promotions."""
    told = call.query("limit", "cursor")
    most, cursor = limit(told), one(told, "cursor")
    return of_record(await asyncio.to_thread(promotions_page, desk.store, limit=most, cursor=cursor))


async def findings(desk: Desk, call: Call) -> Reply:
    """GET /v1/findings."""
    call.query()
    standing = desk.shelf.standing
    return of_record(findings_view(await asyncio.to_thread(desk.read_findings), standing))


async def health(desk: Desk, call: Call) -> Reply:
    """GET /v1/health."""
    call.query()
    return of_record(health_view(desk.shelf.standing, desk.shelf.refused, desk.journal.state))


async def metrics(desk: Desk, call: Call) -> Reply:
    """GET /metrics."""
    call.query()
    return Reply(await asyncio.to_thread(desk.meters.text), 200, TEXT)


async def openapi(_: Desk, call: Call) -> Reply:
    """GET /openapi.json."""
    call.query()
    return of_record(document())


def held(call: Call, etag: bytes) -> bool:
    """Whether the caller holds the answer of this tag; tags compare weakly, as for any GET."""
    asked = call.heads.get(b"if-none-match")
    if asked is None:
        return False
    tags = [tag.strip().removeprefix(b"W/") for tag in asked.split(b",")]
    return b"*" in tags or etag.removeprefix(b"W/") in tags
