from __future__ import annotations

import asyncio
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


async def refusing(scope: Any, receive: Any, send: Any) -> None:
    """Answers without a look at the body."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"no"})


CHUNKS = 400


async def endless(scope: Any, receive: Any, send: Any) -> None:
    """Sends far more than any buffer holds."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(CHUNKS):
        await send({"type": "http.response.body", "body": bytes(65_536), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def served(answers: Any = app) -> Iterator[int]:
    port = free_port()
    config = uvicorn.Config(
        *(answers,), port=port, http=PatientProtocol, log_level="error", lifespan="off", ws="wsproto",
        timeout_keep_alive=1,
    )  # fmt: skip
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
    said = bytearray()
    try:
        while part := line.recv(65_536):
            said += part
    except ConnectionResetError:
        pass
    return bytes(said)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEADER_SECONDS", 0.4)
    monkeypatch.setattr(patience, "LINGER_SECONDS", 0.1)
    monkeypatch.setattr(patience, "UNREAD_SECONDS", 0.3)
    monkeypatch.setattr(patience, "HEADER_BYTES", 2_000)
    monkeypatch.setattr(patience, "CONNECTIONS", 5)


@pytest.mark.usefixtures("short")
def test_headers_that_do_not_come_to_an_end_cost_the_connection() -> None:
    with served() as port:
        for begun in (b"", b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "):
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(begun)
                for _ in range(20):
                    time.sleep(0.1)
                    try:
                        line.sendall(b"a") if begun else None
                    except OSError:
                        break
                    if heard_end(line):
                        break
                else:
                    pytest.fail("two seconds of unfinished headers were put up with")


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


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("stray", [b"\r\n", b"GET"])
def test_a_stray_byte_after_an_answer_does_not_hold_the_connection(stray: bytes) -> None:
    with served() as port, socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.1)
        line.sendall(stray)
        assert heard(line, 2.0).endswith(b"ok")


def is_cut(line: socket.socket, seconds: float) -> bool:
    """Whether the other side ends a connection that is sent to without end."""
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            line.sendall(bytes(65_536))
    except OSError:
        return True
    return False


@pytest.mark.usefixtures("short")
def test_the_rest_of_a_refused_body_is_awaited_for_a_moment_only() -> None:
    with served(refusing) as port:
        for sent in (b"", b"a"):
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n" + sent)
                assert heard(line, 5.0).endswith(b"no")
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
            assert is_cut(line, 10.0)


@pytest.mark.usefixtures("short")
def test_a_refused_body_that_comes_in_time_leaves_the_connection_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "HEADER_SECONDS", 30.0)
    monkeypatch.setattr(patience, "LINGER_SECONDS", 2.0)
    with served(refusing) as port, socket.create_connection(("127.0.0.1", port)) as line:
        for pause in (0, 2.2, 0):  # longer than a moment: the request is whole, so nothing is cut
            line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
            time.sleep(0.05)
            line.sendall(b"cd")
            assert line.recv(500).startswith(b"HTTP/1.1 404")
            time.sleep(pause)


@pytest.mark.usefixtures("short")
def test_pipelined_requests_are_all_answered() -> None:
    with served() as port, socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab" * 20)
        assert heard(line, 10.0).count(b"HTTP/1.1 200") == 20


@pytest.mark.usefixtures("short")
def test_a_caller_who_does_not_read_is_cut_off() -> None:
    with served(endless) as port, socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(1.0)
        assert len(heard(line)) < CHUNKS * 65_536
    with served(endless) as port, socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert len(heard(line)) > CHUNKS * 65_536


@pytest.mark.usefixtures("short")
def test_a_refusal_is_not_taken_for_the_answer_to_an_earlier_request() -> None:
    slow = threading.Event()

    async def late(scope: Any, receive: Any, send: Any) -> None:
        while not slow.is_set():
            await asyncio.sleep(0.01)
        await app(scope, receive, send)

    with served(late) as port:
        for bad in (b"\x00\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"b" * 3_000 + b"\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + bad)
                assert heard(line, 2.0) == b""
        slow.set()
        time.sleep(0.1)  # the requests that nobody waits for end without a fault
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert line.recv(200).startswith(b"HTTP/1.1 200")


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_another_protocol_is_not_spoken(protocol: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with served() as port, socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: " + protocol + b"\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + b"A" * 22 + b"==\r\n\r\n"
        )
        assert heard(line, 3.0).startswith(b"HTTP/1.1 200")
    assert caplog.records == []
