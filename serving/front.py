"""The front door: our routes are answered before the server's own layers, which see the rest.

BentoML's middlewares cost several times what an answer read from memory does (docs/adr/0017). They stay in
front of its own probes; every route of ours is bounded by itself.
"""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

PROBES: Final = frozenset({"/livez", "/readyz", "/healthz"})


class Front:
    """An ASGI application: ``edge`` for every request but the probes and the life span."""

    def __init__(self, edge: ASGIApp, behind: ASGIApp) -> None:
        self._edge = edge
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"] in PROBES):
            await self._behind(scope, receive, send)
        else:
            await self._edge(scope, receive, send)
