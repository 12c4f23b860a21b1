"""The edge: an ASGI application that owns every byte of the HTTP contract, errors included.

Nothing that a caller sends may end in a traceback, and nothing but this module turns a refusal into a
response. ``POST /v1/forecast`` is answered from memory wherever the same was asked before.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from features.errors import ForecarbonError, ModelError
from serving.call import Call
from serving.desk import Desk
from serving.errors import of_bug, status_of
from serving.log_lines import bug_line, log_line
from serving.reply import JSON, Header, Reply, problem_of, send_reply
from serving.routes import ODD, Route, route_of

USUAL: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_NO_STORE: Final[Header] = (b"cache-control", b"no-store")
_SHARED: Final[Header] = (b"cross-origin-resource-policy", b"cross-origin")
_LOG: Final = logging.getLogger("bentoml.forecarbon")
_SAFE: Final = "/%:@!$&'()*+,;=-._~"


class Edge:
    """The application of one worker; answers 503 until a desk is put in.

    Attributes:
        access_log: whether every request is logged in a line.
    """

    def __init__(self, *, access_log: bool = False) -> None:
        self.desk: Desk | None = None
        self.access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the only faults that leave are cancellations."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        call, desk = Call.of(scope, receive), self.desk
        if desk is None:
            await self._finish(call, ODD, self._refused(_starting(), call), send, None, 0.0)
            return
        begun = desk.ticks()
        try:
            route, reply = await self._reply(desk, call)
            if reply is not None:
                await self._finish(call, route, reply, send, desk, begun)
        finally:
            # Only now, for a streamed answer takes up a place until its end.
            desk.guard.leave()

    async def _reply(self, desk: Desk, call: Call) -> tuple[Route, Reply | None]:
        """The reply to a call and the route it took; no reply where the caller is gone."""
        route = ODD
        try:
            desk.guard.enter()
            # Lets every request that has arrived be counted before the first is worked on.
            await asyncio.sleep(0)
            route, name = route_of(call)
            return route, await self._answer(desk, call, route, name)
        except ClientDisconnect:
            return route, None
        except Exception as fault:  # noqa: BLE001 - the last line: whatever it is, the caller gets our form
            return route, self._refused(fault, call)

    async def _answer(self, desk: Desk, call: Call, route: Route, name: str) -> Reply:
        if call.scope["method"] == "OPTIONS":
            return Reply(b"", 204, JSON, tuple(desk.guard.preflight(call).items()))
        key_id = desk.guard.admit(call, route.scope, desk.clock(), desk.ticks()) if route.scope else ""
        if not route.body:
            more = ((name,) if name else ()) + ((key_id,) if route.keyed else ())
            return await route.handler(desk, call, *more)
        return await route.handler(desk, call, await call.body(route.kinds), key_id)

    def _refused(self, fault: Exception, call: Call) -> Reply:
        """The reply to a fault; bugs of ours are logged, once and in one line."""
        error = fault if isinstance(fault, ForecarbonError) else of_bug()
        status = status_of(error)
        if status >= 500 and status != 503:
            _LOG.error(bug_line(fault, call.scope["path"], call.request_id))
            error = of_bug()
        if status in (401, 403):
            _LOG.warning(log_line("denied", call, code=error.code, facts=error.found))
        return problem_of(error, path=_address(call.scope), request_id=call.request_id)

    async def _finish(
        self, call: Call, route: Route, reply: Reply, send: Send, desk: Desk | None, begun: float
    ) -> None:
        usual = [*USUAL, (b"x-request-id", call.request_id.encode())]
        if desk is not None and b"origin" in call.heads:
            told = desk.guard.origin_of(call)
            if b"access-control-allow-origin" in told:
                usual[3] = _SHARED
            if call.scope["method"] != "OPTIONS":
                usual += told.items()
        if reply.status != 304 and not any(name == b"cache-control" for name, _ in reply.extra):
            usual.append(_NO_STORE)
        bodyless = call.scope["method"] == "HEAD"
        try:
            await send_reply(reply, send, tuple(usual), bodyless=bodyless)
        except Exception as fault:
            # Half an answer is out: all that is left is to say so and to cut the connection.
            _LOG.error(bug_line(fault, call.scope["path"], call.request_id))
            raise
        if desk is not None:
            seconds = desk.ticks() - begun
            desk.meters.count(route.name, reply.status, seconds)
            if self.access_log:
                _LOG.info(
                    log_line(
                        "request", call, route=route.name, status=reply.status, seconds=round(seconds, 6)
                    )
                )


def _address(scope: Scope) -> str:
    """The path as it was asked, in the signs an address may have."""
    raw = scope.get("raw_path") or b""
    return quote(raw.partition(b"?")[0] or scope["path"].encode("utf-8", "replace"), safe=_SAFE)


def _starting() -> ModelError:
    return ModelError(
        "starting",
        found="a worker that is still starting",
        expected="a worker that is ready",
        remedy="try again in a few seconds",
    )
