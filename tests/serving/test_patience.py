from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from serving import patience
from serving.patience import PatientProtocol
from tests.conftest import free_port


async def app(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def served() -> Iterator[int]:
    port = free_port()
    config = uvicorn.Config(
        app, port=port, http=PatientProtocol, log_level="error", lifespan="off", ws="none"
    )
    server = uvicorn.Server(config)
    runner = threading.Thread(target=server.run, daemon=True)
    runner.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        runner.join(10)


def heard(line: socket.socket, seconds: float = 5.0) -> bytes:
    """All that comes until the other side closes."""
    line.settimeout(seconds)
    said = b""
    try:
        while part := line.recv(65_536):
            said += part
    except ConnectionResetError:
        pass
    return said


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEADER_SECONDS", 0.4)
    monkeypatch.setattr(patience, "LINGER_SECONDS", 0.1)
    monkeypatch.setattr(patience, "HEADER_BYTES", 2_000)
    monkeypatch.setattr(patience, "CONNECTIONS", 5)


@pytest.mark.usefixtures("short")
def test_headers_that_do_not_come_to_an_end_cost_the_connection() -> None:
    with served() as port:
        for begun in (b"", b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "):
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(begun)
                at = time.monotonic()
                for _ in range(20):
                    time.sleep(0.1)
                    try:
                        line.sendall(b"a") if begun else None
                    except OSError:
                        break
                    if heard_end(line):
                        break
                assert time.monotonic() - at < 1.9


def heard_end(line: socket.socket) -> bool:
    line.settimeout(0.01)
    try:
        return line.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.usefixtures("short")
def test_large_headers_are_refused_in_our_form_however_they_come() -> None:
    with served() as port:
        for request in (
            b"GET /" + b"a" * 3_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"b" * 3_000 + b"\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\n" + b"Y: z\r\n" * 900 + b"Content-Length: 3\r\n\r\nabc",
        ):
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(request)
                said = heard(line)
            assert said.startswith(b"HTTP/1.1 431 "), said[:80]
            assert b"application/problem+json" in said
            assert b"headers-too-large" in said


@pytest.mark.usefixtures("short")
def test_what_is_no_http_is_refused_in_our_form() -> None:
    with served() as port, socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"\x00\x01\x02 nonsense\r\n\r\n")
        said = heard(line)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"malformed-request" in said


@pytest.mark.usefixtures("short")
def test_too_many_connections_are_closed_and_the_others_served() -> None:
    with served() as port:
        lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
        time.sleep(0.1)
        for line in lines[:5]:
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        served_well = [line.recv(100).startswith(b"HTTP/1.1 200") for line in lines[:5]]
        assert served_well == [True] * 5
        assert all(heard(line) == b"" for line in lines[5:])
        for line in lines:
            line.close()


@pytest.mark.usefixtures("short")
def test_a_connection_that_is_kept_asks_again_and_again() -> None:
    with served() as port, socket.create_connection(("127.0.0.1", port)) as line:
        for _ in range(4):
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            said = b""
            while not said.endswith(b"ok"):
                said += line.recv(200)
            assert said.startswith(b"HTTP/1.1 200")
            time.sleep(0.2)
