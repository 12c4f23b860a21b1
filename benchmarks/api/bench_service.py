"""The production service, and in the same Bento what it is held against: routes that do nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bentoml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from serving.service import Forecarbon as _Own
from serving.service import Fronted, edge


async def _empty(_: Request) -> Response:
    return Response(b"{}", media_type="application/json")


class Aside:
    """Hands /bench and the plain endpoint to BentoML's own layers, everything else to the production door."""

    def __init__(self, front: Any, behind: Any) -> None:
        self._front, self._behind = front, behind

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand the request on."""
        beside = scope["type"] == "http" and scope["path"] in ("/bench/empty", "/plain")
        await (self._behind if beside else self._front)(scope, receive, send)


class Measured(Fronted):
    """The door of production, with the routes to compare with left to BentoML."""

    __slots__ = ()

    def to_asgi(self, *args: Any, **options: Any) -> Any:
        """The application that a worker serves."""
        front = super().to_asgi(*args, **options)
        return Aside(front, front._behind)  # noqa: SLF001 - the very application behind the door


@bentoml.service(
    name="forecarbon",
    service_class=Measured,
    traffic={"timeout": 10},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(Starlette(routes=[Route("/empty", _empty, methods=["POST"])]), path="/bench", name="bench")
class Forecarbon(_Own.inner):  # type: ignore[name-defined,misc]
    """The production service's own class, with an endpoint that returns a constant."""

    @bentoml.api(route="/plain")
    def plain(self, series: list[str], steps: int, levels: list[float]) -> dict[str, str]:
        """A constant."""
        return {"series": series[0]} if steps and levels else {}


__all__ = ["Forecarbon", "edge"]
