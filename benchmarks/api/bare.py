"""A bare uvicorn application that answers as many bytes as a forecast: what the server can do."""

from __future__ import annotations

import os
from typing import Any

BODY = b"x" * int(os.environ.get("BARE_BYTES", "2"))
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
