"""The edge: an ASGI application that owns every byte of the HTTP contract, errors included.

Nothing that a caller sends may end in a traceback, and nothing but this module turns a refusal into a
response. ``POST /v1/forecast`` is answered from memory wherever the same was asked before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from features.errors import ForecarbonError, ModelError
from serving import (
    coalition_handlers,
    feedback,
    handlers,
    insight_handlers,
    inventory_handlers,
    page_handlers,
    plan_handlers,
    record_handlers,
    saved_handlers,
    scenario_handlers,
)
from serving.call import JSON as JSON_MEDIA
from serving.call import Call
from serving.desk import Desk
from serving.errors import of_bug, status_of, unknown_path, wrong_method
from serving.log_lines import bug_line, log_line
from serving.pages import assets, shells
from serving.reply import JSON, Header, Reply, problem_of, send_reply

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

Handler = Callable[..., Awaitable[Reply]]


@dataclass(frozen=True)
class Route:
    """One path and method.

    Attributes:
        name: in metrics and logs.
        scope: what a key must be for; "" is open to all.
        handler: called with desk and call, and with what the attributes below say.
        body: it is called with the body.
        keyed: it is called with the key_id that asks.
        kinds: media types that its body may have.
    """

    name: str
    scope: str
    handler: Handler
    body: bool = False
    keyed: bool = False
    kinds: tuple[str, ...] = (JSON_MEDIA,)


GETS: Final = {
    "/": Route("home", "", page_handlers.page),
    "/openapi.json": Route("openapi", "", handlers.openapi),
    "/metrics": Route("metrics", "operate", handlers.metrics),
    "/v1/clusters": Route("clusters", "read", handlers.clusters),
    "/v1/evidence": Route("evidence", "read", handlers.evidence),
    "/v1/findings": Route("findings", "read", handlers.findings),
    "/v1/forecast": Route("forecast-by-query", "forecast", handlers.forecast_by_query, keyed=True),
    "/v1/health": Route("health", "", handlers.health),
    "/v1/insights/calibration": Route("calibration", "read", insight_handlers.calibration),
    "/v1/insights/compare": Route("compare", "read", insight_handlers.compare),
    "/v1/insights/drivers": Route("drivers", "read", insight_handlers.drivers),
    "/v1/insights/initiative": Route("initiative", "read", insight_handlers.initiative),
    "/v1/insights/progress": Route("progress", "read", insight_handlers.progress),
    "/v1/insights/standings": Route("standings", "read", insight_handlers.standings),
    "/v1/insights/why": Route("why", "read", insight_handlers.why),
    "/v1/inventories": Route("inventories", "own-history", inventory_handlers.mine, keyed=True),
    "/v1/lineage": Route("lineage", "read", handlers.lineage),
    "/v1/models/current": Route("model", "read", handlers.model),
    "/v1/models/reliability": Route("reliability", "read", record_handlers.reliability),
    "/v1/promotions": Route("promotions", "read", handlers.promotions),
    "/v1/retrains": Route("retrains", "read", record_handlers.retrains),
    "/v1/scenarios/saved": Route("saved-list", "read", saved_handlers.mine, keyed=True),
    "/v1/series": Route("series", "read", handlers.series),
    "/v1/sources": Route("sources", "read", record_handlers.sources),
}
POSTS: Final = {
    "/v1/actuals": Route("actuals", "feedback", feedback.actuals, body=True, keyed=True),
    "/v1/forecast": Route("forecast", "forecast", handlers.forecast_by_body, body=True, keyed=True),
    "/v1/forecasts/batch": Route("batch", "forecast", handlers.batch, body=True, keyed=True),
    "/v1/insights/compare": Route("own-compare", "read", insight_handlers.own_compare, body=True),
    "/v1/insights/contract": Route("contract", "read", plan_handlers.contract, body=True),
    "/v1/insights/corridors": Route("corridors", "read", plan_handlers.corridors, body=True),
    "/v1/insights/decomposition": Route("decomposition", "read", insight_handlers.decomposition, body=True),
    "/v1/insights/forecast-split": Route("split", "read", insight_handlers.forecast_split, body=True),
    "/v1/insights/network": Route("network", "read", plan_handlers.network, body=True),
    "/v1/insights/plan": Route("plan", "read", plan_handlers.plan, body=True),
    "/v1/insights/portfolio": Route("portfolio", "read", coalition_handlers.portfolio, body=True),
    "/v1/insights/progress": Route("own-progress", "read", insight_handlers.own_progress, body=True),
    "/v1/inventories": Route(
        "inventory-keep", "own-history", inventory_handlers.keep, body=True, kinds=inventory_handlers.KINDS
    ),
    "/v1/inventories/check": Route(
        "inventory-check", "own-history", inventory_handlers.check, body=True, kinds=inventory_handlers.KINDS
    ),
    "/v1/scenarios": Route("scenario", "read", scenario_handlers.scenario, body=True),
    "/v1/scenarios/compare": Route("scenario-compare", "read", saved_handlers.compare, body=True),
    "/v1/scenarios/removed": Route("saved-remove", "feedback", saved_handlers.removal, body=True),
    "/v1/scenarios/saved": Route("saved-save", "feedback", saved_handlers.save, body=True),
}
# Paths that end in a name.
NAMED: Final = {
    "/v1/clusters/": Route("cluster", "read", handlers.cluster),
    "/v1/inventories/": Route("inventory", "own-history", inventory_handlers.kept, keyed=True),
    "/v1/forecasts/": Route("issued", "read", handlers.issued, keyed=True),
    "/v1/provenance/": Route("provenance", "read", insight_handlers.provenance),
    "/v1/scenarios/saved/": Route("saved", "read", saved_handlers.saved, keyed=True),
}
# What browsers ask for beside "/": no part of the API, so none of its document.
PAGES: Final = {page.path: Route("page", "", page_handlers.page) for page in shells.PAGES if page.path != "/"}
FILES: Final = {assets.START: Route("asset", "", page_handlers.asset)}
_GETS: Final = {**GETS, **{path: route for path, route in PAGES.items() if not path.endswith("/")}}
_NAMED: Final = {**NAMED, **FILES, **{path: route for path, route in PAGES.items() if path.endswith("/")}}
_ODD: Final = Route("other", "", page_handlers.page)
ROUTES: Final = tuple(sorted({r.name for r in (*_GETS.values(), *POSTS.values(), *_NAMED.values(), _ODD)}))


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
            await self._finish(call, _ODD, self._refused(_starting(), call), send, None, 0.0)
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
        route = _ODD
        try:
            desk.guard.enter()
            # Lets every request that has arrived be counted before the first is worked on.
            await asyncio.sleep(0)
            route, name = _route_of(call)
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


def _route_of(call: Call) -> tuple[Route, str]:
    """The route of a call, and the name its path ends in, if it does.

    Raises:
        AskError: there is nothing, or nothing for this method.
    """
    method, path = call.scope["method"], call.scope["path"]
    get, post, name = _GETS.get(path), POSTS.get(path), ""
    if get is None and post is None:
        for start, route in _NAMED.items():
            if path.startswith(start) and len(path) > len(start):
                get, name = route, path[len(start) :]
    if get is None and post is None:
        raise unknown_path(method, path)
    allowed = [*(("GET", "HEAD") if get else ()), *(("POST",) if post else ()), "OPTIONS"]
    if method == "OPTIONS":
        return get or post or _ODD, name
    found = post if method == "POST" else get if method in ("GET", "HEAD") else None
    if found is None:
        raise wrong_method(method, path, ", ".join(allowed))
    return found, name


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
