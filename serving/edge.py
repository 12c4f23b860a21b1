"""The edge: an ASGI application that owns every byte of the HTTP contract, errors included.

BentoML mounts it. Nothing that a caller sends may end in a traceback, and nothing but this module
turns a refusal into a response.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import Any, Final
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from features.errors import ForecarbonError, ModelError
from serving.body import JSON, read_body
from serving.desk import Desk
from serving.errors import body_of, of_bug, of_http, status_of
from serving.openapi import document
from serving.pages.home import home_page
from serving.views import cluster_view, clusters_view, model_view
from serving.wire import read_ask, write_json_bytes

PAGE_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_LOG: Final = logging.getLogger("bentoml.forecarbon")


class Edge:
    """The application of one worker; answers 503 until a desk is put in."""

    def __init__(self) -> None:
        self.desk: Desk | None = None
        self._router = Router(
            routes=[
                Route("/", self._home, methods=["GET"]),
                Route("/openapi.json", self._openapi, methods=["GET"]),
                Route("/v1/clusters", self._clusters, methods=["GET"]),
                Route("/v1/clusters/{cluster_id}", self._cluster, methods=["GET"]),
                Route("/v1/forecast", self._forecast, methods=["POST"]),
                Route("/v1/models/current", self._model, methods=["GET"]),
                Route("/v1/findings", self._findings, methods=["GET"]),
                Route("/v1/health", self._health, methods=["GET"]),
            ],
            redirect_slashes=False,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the only faults that leave are cancellations."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        request_id = _request_id(scope)
        started = False

        async def sending(message: Any) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        # BentoML's outer application leaves its own error handlers in the scope; ours must not meet them.
        inner = {**scope, "starlette.exception_handlers": ({}, {}), "state": {"request_id": request_id}}
        try:
            await self._router(inner, receive, sending)
        except ClientDisconnect:
            return
        except Exception as fault:  # noqa: BLE001 - the last line: whatever it is, the caller gets our form
            response = _refuse(fault, scope, request_id)
            if not started:
                await response(scope, receive, sending)

    def _desk(self) -> Desk:
        if self.desk is None:
            raise ModelError(
                "starting",
                found="a worker that is still starting",
                expected="a worker that is ready",
                remedy="try again in a few seconds",
            )
        return self.desk

    async def _home(self, request: Request) -> Response:
        shelf = self._desk().shelf
        try:
            page = home_page(shelf.standing)
        except ModelError as reason:
            return HTMLResponse(home_page(None, reason), status_code=503, headers=PAGE_HEADERS)
        return HTMLResponse(page, headers=PAGE_HEADERS)

    async def _openapi(self, request: Request) -> Response:
        return _json(document())

    async def _clusters(self, request: Request) -> Response:
        return _json(clusters_view(self._desk().shelf.standing))

    async def _cluster(self, request: Request) -> Response:
        return _json(cluster_view(request.path_params["cluster_id"], self._desk().shelf.standing))

    async def _model(self, request: Request) -> Response:
        return _json(model_view(self._desk().shelf.standing))

    async def _findings(self, request: Request) -> Response:
        return _json(await asyncio.to_thread(self._desk().findings))

    async def _health(self, request: Request) -> Response:
        return _json(self._desk().health())

    async def _forecast(self, request: Request) -> Response:
        ask = read_ask(await read_body(request))
        return _json(await self._desk().forecast(ask, request.scope["state"]["request_id"]))


def _json(record: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(write_json_bytes(record), status_code=status, media_type=JSON, headers=headers)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(given):
                return str(given)
    return uuid4().hex


def _refuse(fault: Exception, scope: Scope, request_id: str) -> Response:
    """The response to a fault; bugs of ours are logged, once and in one line."""
    headers = None
    if isinstance(fault, HTTPException):
        error: ForecarbonError = of_http(fault, method=scope["method"], path=scope["path"])
        headers = {"allow": error.facts["allow"]} if "allow" in error.facts else None
    elif isinstance(fault, ForecarbonError):
        error = fault
    else:
        error = of_bug()
    status = status_of(error)
    if status >= 500 and status != 503:
        _LOG.error(bug_line(fault, scope["path"], request_id))
        error = of_bug()
    if status == 503:
        headers = {"retry-after": "5"}
    return _json(body_of(error, request_id), status, headers)


def bug_line(fault: BaseException, path: str, request_id: str) -> str:
    """One JSON line that says where a bug is: type, message, and the last places it went through."""
    places, step = [], fault.__traceback__
    while step is not None:
        places.append(f"{step.tb_frame.f_code.co_name}:{step.tb_lineno}")
        step = step.tb_next
    return json.dumps(
        {
            "event": "bug",
            "request_id": request_id,
            "path": path[:200],
            "fault": type(fault).__name__,
            "said": str(fault)[:500],
            "places": places[-5:],
        }
    )
