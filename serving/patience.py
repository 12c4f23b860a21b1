"""A connection's patience: how long, how large and how many, before any application is asked.

The HTTP protocol of the server has no limit of its own on headers, neither in bytes nor in seconds, so that
a caller who sends one byte a minute would hold a connection for good. Nor does it limit a caller who goes on
sending what was refused, who sends a stray byte after an answer, or who does not read.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final

from uvicorn import config
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from features.errors import AskError
from serving.reply import problem_of

HEADER_SECONDS: Final = 10.0
HEADER_BYTES: Final = 131_072
# What a header takes up beside its own bytes.
HEADER_COST: Final = 32
LINGER_SECONDS: Final = 1.0
# In which a caller has to make room for more of an answer: as much as the system buffers.
UNREAD_SECONDS: Final = 60.0
CONNECTIONS: Final = 2_048
NAME: Final = "serving.patience:PatientProtocol"
_REMEDY: Final = "ask in the body (POST), or for fewer names at once"
_TOO_LARGE: Final = AskError(
    "headers-too-large",
    found=f"an address and headers of more than {HEADER_BYTES} bytes",
    expected=f"at most {HEADER_BYTES} bytes",
    remedy=_REMEDY,
)
_NO_HTTP: Final = AskError(
    "malformed-request",
    found="bytes that are no HTTP request, or an address beyond 65,535 bytes",
    expected="an HTTP/1.1 request",
    remedy=_REMEDY,
)


def _raw(error: AskError) -> bytes:
    """A refusal as bytes of HTTP, for where no application is asked."""
    told = problem_of(error, path="/", request_id="none")
    line = f"HTTP/1.1 {told.status} {HTTPStatus(told.status).phrase}\r\nconnection: close\r\n".encode()
    return line + b"content-type: %s\r\ncontent-length: %d\r\nx-request-id: none\r\n\r\n%s" % (
        told.kind,
        len(told.body),
        told.body,
    )


class PatientProtocol(HttpToolsProtocol):
    """The server's protocol, with limits on the headers of a request and on connections of a worker."""

    _waiting: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _running: RequestResponseCycle | None = None
    _whole: bool = True
    _header_bytes: int = 0
    _over: bool = False

    def connection_made(self, transport: Any) -> None:
        """Take the connection, unless there are too many; its first request must come within the limit."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS:
            transport.abort()
            return
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._hang_up()
        self._enough()
        self._has_read()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins: its headers must be whole within the limit."""
        super().on_message_begin()
        self._header_bytes, self._whole = 0, False
        if self._waiting is None:
            self._expect_headers()

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        if self._fits(len(url)):
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        if self._fits(len(name) + len(value) + HEADER_COST):
            super().on_header(name, value)

    def data_received(self, data: bytes) -> None:
        """Bytes of the caller; those of a request that is refused are read and forgotten."""
        if self._over:
            return
        super().data_received(data)
        if self._waiting is None and self._idle and not self.transport.is_closing():
            # The server waits no longer once a byte has come, were it one that begins no request.
            self._expect_headers()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read, in our own form."""
        self._enough()
        self._refuse(_NO_HTTP)
        self.transport.close()

    def on_headers_complete(self) -> None:
        """The headers are whole: the application has its own limits from here on."""
        if not self._over:
            self._enough()
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if not self._over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self._over:
            self._whole = True
            if self._idle:
                # The rest of a body that was refused: all that is awaited now is a request.
                self._enough()
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is out; what is still to come of its request is read for a moment, and forgotten."""
        super().on_response_complete()
        if self._idle and not self._whole and self._waiting is None:
            self._waiting = self.loop.call_later(LINGER_SECONDS, self._close)

    def pause_writing(self) -> None:
        """The caller does not read: he must within the limit."""
        super().pause_writing()
        self._has_read()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The caller has read."""
        self._has_read()
        super().resume_writing()

    @property
    def _idle(self) -> bool:
        """Whether every request that came was answered."""
        return self.cycle is None or self.cycle.response_complete

    def _fits(self, more: int) -> bool:
        self._header_bytes += more
        if self._over or self._header_bytes <= HEADER_BYTES:
            return not self._over
        self._enough()
        self._over = True
        self._refuse(_TOO_LARGE)
        # A caller still sending must be read on, or the answer is lost with the connection.
        self._waiting = self.loop.call_later(LINGER_SECONDS, self.transport.close)
        return False

    def _refuse(self, error: AskError) -> None:
        """Write a refusal, unless it would be taken for the answer to a request that came before."""
        begun = self.cycle is not None and self.cycle.response_started
        if self._idle or (not self._whole and self._running is self.cycle and not begun):
            self.transport.write(_raw(error))
        self._hang_up()

    def _hang_up(self) -> None:
        """Tell every request of this connection that nobody listens; the server tells but the last."""
        for cycle in (self._running, *(cycle for cycle, _ in self.pipeline)):
            if cycle is not None:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _should_upgrade_to_ws(self) -> bool:
        """Never: who asks for another protocol is answered in this one, within its limits."""
        return False

    def _unsupported_upgrade_warning(self) -> None:
        """Nothing worth a line in the log."""

    def _expect_headers(self) -> None:
        self._waiting = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _enough(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _has_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _close(self) -> None:
        self._waiting = None
        self.transport.close()

    def _give_up(self) -> None:
        self._waiting = None
        self.transport.abort()


def install() -> None:
    """Have servers that are configured from here on speak through ``PatientProtocol``."""
    config.HTTP_PROTOCOLS["auto"] = NAME
    config.HTTP_PROTOCOLS["httptools"] = NAME
