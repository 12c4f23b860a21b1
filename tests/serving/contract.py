"""The contract of v1 wired in the plainest way, for tests of the client and of the examples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from features.errors import ForecarbonError
from serving.answer import answer, provenance
from serving.batch_ask import read_batch
from serving.csv_answer import CSV, answer_csv
from serving.desk import own_answer
from serving.errors import body_of, status_of
from serving.evidence import evidence_view
from serving.lineage import lineage_view
from serving.listing import promotions_page, series_page
from serving.openapi import document
from serving.own_history import own_forecasts
from serving.portfolio import portfolio
from serving.shelf import Standing
from serving.streams import NDJSON, WRITERS
from serving.views import clusters_view, health_view, model_view
from serving.wire import ForecastAsk, read_ask
from tests.conftest import free_port
from tests.serving.test_own_history import fake_engine

MARKS = {"issued_at": "2026-11-24T08:00:00.000Z", "request_id": "r1", "forecast_id": "20261124-r1"}
View = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Contract:
    """Every path of v1 but metrics, answered from the pure functions."""

    standing: Standing
    store: Path

    async def by_body(self, request: Request) -> Response:
        return guarded(lambda body: self.told(read_ask(body), request), await request.body())

    async def by_query(self, request: Request) -> Response:
        query = request.query_params
        asked = {
            "clusters": query.getlist("clusters"),
            "series": query.getlist("series"),
            "steps": int(query.get("steps", "8")),
            "levels": [float(level) for level in query.getlist("levels")] or None,
        }
        return guarded(lambda body: self.told(read_ask(body), request), json.dumps(asked).encode())

    def told(self, ask: ForecastAsk, request: Request) -> Response:
        if ask.history:
            record = own_answer(own_forecasts(ask, fake_engine), self.standing, **MARKS)
        else:
            record = answer(ask, self.standing, **MARKS)
        if request.headers.get("accept") == CSV:
            return Response(answer_csv(record)[0], media_type=CSV)
        return JSONResponse({**record, "journal": "ok"})

    async def batch(self, request: Request) -> Response:
        accepted = request.headers.get("accept", NDJSON)
        media = accepted if accepted in WRITERS else NDJSON

        def send(body: bytes) -> Response:
            told = portfolio(read_batch(body), self.standing)
            marks = provenance(self.standing, **MARKS)
            return StreamingResponse(WRITERS[media](told, marks), media_type=media)

        return guarded(send, await request.body())

    async def actuals(self, request: Request) -> Response:
        rows = json.loads(await request.body())["rows"]
        return JSONResponse({"accepted": len(rows), "refused": 0, "refusals": []})

    async def issued(self, request: Request) -> Response:
        name = request.path_params["forecast_id"]
        return JSONResponse({**MARKS, "forecast_id": name, "as_of": "x", "model_version": "v"})

    def app(self) -> Starlette:
        standing, store = self.standing, self.store
        return Starlette(
            routes=[
                Route("/v1/forecast", self.by_body, methods=["POST"]),
                Route("/v1/forecast", self.by_query, methods=["GET"]),
                Route("/v1/forecasts/batch", self.batch, methods=["POST"]),
                Route("/v1/forecasts/{forecast_id:path}", self.issued),
                Route("/v1/actuals", self.actuals, methods=["POST"]),
                read("/openapi.json", lambda query: document()),
                read("/v1/clusters", lambda query: clusters_view(standing)),
                read("/v1/series", lambda query: series_page(standing, **query)),
                read("/v1/promotions", lambda query: promotions_page(store, **query)),
                read("/v1/evidence", lambda query: evidence_view(query["series"], standing)),
                read("/v1/lineage", lambda query: lineage_view(query["series"], query["ds"], standing)),
                read("/v1/models/current", lambda query: model_view(standing)),
                read("/v1/health", lambda query: health_view(standing, None, "ok")),
            ]
        )


def read(path: str, view: View) -> Route:
    async def asked(request: Request) -> Response:
        query: dict[str, Any] = dict(request.query_params)
        if "limit" in query:
            query["limit"] = int(query["limit"])
        return guarded(lambda _: JSONResponse(view(query)), b"")

    return Route(path, asked)


def guarded(send: Callable[[bytes], Response], body: bytes) -> Response:
    """A refusal as a problem document."""
    try:
        return send(body)
    except ForecarbonError as error:
        status = status_of(error)
        record = {
            "type": f"https://forecarbon.example/problems/{error.code}",
            "title": error.code,
            "status": status,
            "detail": error.message,
            "instance": "/",
            **body_of(error, "r1"),
        }
        return JSONResponse(record, status_code=status, media_type="application/problem+json")


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Address of ``app`` on a server of its own."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off", ws="none"))
    runner = Thread(target=server.run, daemon=True)
    runner.start()
    try:
        while not server.started:
            assert runner.is_alive()
            runner.join(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        runner.join(10)
