"""The paths of the HTTP contract: which handler answers each, and what a key must be for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from serving import (
    coalition_handlers,
    feedback,
    handlers,
    insight_handlers,
    inventory_handlers,
    page_handlers,
    plan_handlers,
    record_handlers,
    report_handlers,
    saved_handlers,
    scenario_handlers,
)
from serving.call import JSON as JSON_MEDIA
from serving.call import Call
from serving.errors import unknown_path, wrong_method
from serving.pages import assets, shells
from serving.reply import Reply

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
    "/v1/insights/portfolio": Route("registered-portfolio", "read", coalition_handlers.registered),
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
    "/v1/insights/funding": Route("funding", "read", report_handlers.funding, body=True),
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
    "/v1/inventories/removed": Route(
        "inventory-remove", "own-history", inventory_handlers.removal, body=True
    ),
    "/v1/reports": Route("own-report", "read", report_handlers.own_report, body=True),
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
    "/v1/reports/": Route("report", "read", report_handlers.report),
}
# What browsers ask for beside "/": no part of the API, so none of its document.
PAGES: Final = {page.path: Route("page", "", page_handlers.page) for page in shells.PAGES if page.path != "/"}
FILES: Final = {assets.START: Route("asset", "", page_handlers.asset)}
_GETS: Final = {**GETS, **{path: route for path, route in PAGES.items() if not path.endswith("/")}}
_NAMED: Final = {**NAMED, **FILES, **{path: route for path, route in PAGES.items() if path.endswith("/")}}
ODD: Final = Route("other", "", page_handlers.page)
ROUTES: Final = tuple(sorted({r.name for r in (*_GETS.values(), *POSTS.values(), *_NAMED.values(), ODD)}))


def route_of(call: Call) -> tuple[Route, str]:
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
        return get or post or ODD, name
    found = post if method == "POST" else get if method in ("GET", "HEAD") else None
    if found is None:
        raise wrong_method(method, path, ", ".join(allowed))
    return found, name
