"""A connection's patience: how long, how large and how many, before any application is asked.

The HTTP protocol of the server has no limit of its own on headers, neither in bytes nor in seconds, so that
a caller who sends one byte a minute would hold a connection for good.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn import config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS: Final = 10.0
HEADER_BYTES: Final = 32_768
CONNECTIONS: Final = 4_096
NAME: Final = "serving.patience:PatientProtocol"


class PatientProtocol(HttpToolsProtocol):
    """The server's protocol, with limits on the headers of a request and on connections of a worker."""

    _waiting: asyncio.TimerHandle | None = None
    _header_bytes: int = 0

    def connection_made(self, transport: Any) -> None:
        """Take the connection, unless there are too many; its first request must come within the limit."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS:
            transport.abort()
            return
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._enough()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins: its headers must be whole within the limit."""
        super().on_message_begin()
        self._header_bytes = 0
        if self._waiting is None:
            self._expect_headers()

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        if self._fits(len(url)):
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        if self._fits(len(name) + len(value)):
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The headers are whole: the application has its own limits from here on."""
        self._enough()
        if self._header_bytes <= HEADER_BYTES:
            super().on_headers_complete()

    def _fits(self, more: int) -> bool:
        self._header_bytes += more
        if self._header_bytes > HEADER_BYTES:
            self._enough()
            # An abort, for a caller still sending would have its answer reset anyway.
            self.transport.abort()
            return False
        return True

    def _expect_headers(self) -> None:
        self._waiting = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _enough(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        self.transport.abort()


def install() -> None:
    """Have servers that are configured from here on speak through ``PatientProtocol``."""
    config.HTTP_PROTOCOLS["auto"] = NAME
    config.HTTP_PROTOCOLS["httptools"] = NAME
