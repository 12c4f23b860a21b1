"""Requests that leave: nobody is led to a private address, and never to where a cloud keeps its secrets."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from features.errors import AskError
from features.sources.connection import private_use, public
from features.sources.fetch import fetch
from serving.record_views import tracking
from serving.state import state_of
from tests.features.test_findings import ONE
from training.alarm import LOCAL, post_findings

LOOKUPS = {"rebound.example": "127.0.0.1", "meta.example": "169.254.169.254", "lan.example": "10.1.2.3"}


class Seen(BaseHTTPRequestHandler):
    """Counts what reaches it; leads on where it is told to."""

    count = 0
    to = ""

    def do_POST(self) -> None:
        type(self).count += 1
        self.send_response(307 if self.to else 204)
        if self.to:
            self.send_header("location", self.to)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[tuple[str, type[Seen]]]:
    class Own(Seen):
        pass

    held = HTTPServer(("127.0.0.1", 0), Own)
    thread = threading.Thread(target=held.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{held.server_port}/", Own
    held.shutdown()
    thread.join()
    held.server_close()


def test_a_webhook_on_this_machine_is_told_only_where_the_operator_says_so(
    server: tuple[str, type[Seen]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    address, seen = server
    pauses: list[float] = []
    with caplog.at_level(logging.WARNING):
        assert not post_findings(address + "very-secret", [ONE], pause=pauses.append)
    assert (seen.count, pauses) == (0, []), "refused at once, and not tried again"
    assert "address-not-public" in caplog.text
    assert "very-secret" not in caplog.text
    monkeypatch.setenv(LOCAL, "1")
    assert post_findings(address, [ONE], pause=pauses.append)
    assert seen.count == 1


@pytest.mark.parametrize("local", ["", "1"])
@pytest.mark.parametrize(
    "url", ["http://meta.example/latest/meta-data", "http://169.254.169.254/", "http://[fe80::1]/"]
)
def test_nobody_asks_where_clouds_keep_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, local: str, url: str
) -> None:
    monkeypatch.setenv(LOCAL, local)
    connected = lookups(monkeypatch)
    assert not post_findings(url, [ONE], pause=lambda _: None)
    with pytest.raises(AskError, match="address-not-public"):
        fetch(url, tmp_path, allow_local=bool(local), wait=lambda _: None)
    assert connected == []


@pytest.mark.parametrize("name", ["rebound.example", "lan.example"])
def test_a_name_is_judged_by_where_it_leads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    connected = lookups(monkeypatch)
    assert not post_findings(f"https://{name}/x", [ONE], pause=lambda _: None)
    with pytest.raises(AskError, match="address-not-public"):
        fetch(f"http://{name}/x", tmp_path, wait=lambda _: None)
    assert connected == []


def test_a_name_that_changes_its_meaning_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: what was looked at is what is connected to."""
    answers = iter(["93.184.215.14", "127.0.0.1", "127.0.0.1"])
    connected: list[Any] = []

    def told(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        # A look-up of an address that is one already gives it back, as the system's does.
        address = next(answers) if host == "turn.example" else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address: Any, *_: Any, **__: Any) -> Any:
        connected.append(address[0])
        raise OSError("nobody there")

    monkeypatch.setattr(socket, "getaddrinfo", told)
    monkeypatch.setattr(socket, "create_connection", connect)
    assert not post_findings("http://turn.example/x", [ONE], pause=lambda _: None)
    assert connected[0] == "93.184.215.14"
    assert "127.0.0.1" not in connected


def test_no_webhook_leads_on_and_no_proxy_stands_between(
    server: tuple[str, type[Seen]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, seen = server
    seen.to = "http://169.254.169.254/latest"
    connected: list[str] = []
    monkeypatch.setenv(LOCAL, "1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert not post_findings(address, [ONE], pause=lambda _: None)
    assert (seen.count, connected) == (3, [])


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("127.0.0.1", True), ("::1", True), ("10.0.0.1", True), ("192.168.1.1", True), ("fd00::1", True),
        ("::ffff:10.0.0.1", True), ("169.254.169.254", False), ("::ffff:169.254.169.254", False),
        ("fe80::1%eth0", False), ("fd00:ec2::254", False), ("224.0.0.1", False), ("0.0.0.0", False),
        ("100.100.100.200", False), ("192.0.0.192", False), ("93.184.215.14", False),
    ],
)  # fmt: skip
def test_what_may_be_allowed_as_local(address: str, may: bool) -> None:
    assert private_use(address) is may
    assert not (may and public(address))


def lookups(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Names of ``LOOKUPS`` lead where it says; who is connected to."""
    connected: list[Any] = []
    real = socket.getaddrinfo

    def told(host: str, port: int, *more: Any, **named: Any) -> Any:
        return real(LOOKUPS.get(host, host), port, *more, **named)

    def connect(address: Any, *_: Any, **__: Any) -> Any:
        connected.append(address)
        raise OSError("nobody there")

    monkeypatch.setattr(socket, "getaddrinfo", told)
    monkeypatch.setattr(socket, "create_connection", connect)
    return connected


SECRET = "s3cret-8a1b"


def test_no_error_of_a_database_tells_its_password(caplog: pytest.LogCaptureFixture) -> None:
    state = state_of(Path(), f"postgresql://user:{SECRET}@127.0.0.1:9/forecarbon")
    with caplog.at_level(logging.DEBUG), pytest.raises(AskError) as caught, state.reading():
        pass
    state.close()
    assert SECRET not in caught.value.message + repr(caught.value) + str(caught.value.facts) + caplog.text


@pytest.mark.parametrize("url", [f"mysql://u:{SECRET}@h/d", f"nonsense {SECRET}", f"file:///{SECRET}"])
def test_no_refused_address_is_repeated(url: str) -> None:
    with pytest.raises(AskError) as caught:
        state_of(Path(), url)
    assert SECRET not in caught.value.message


def test_a_login_to_the_tracking_server_is_not_shown() -> None:
    assert tracking({"MLFLOW_TRACKING_URI": f"https://user:{SECRET}@mlflow.example"})["url"] is None


def test_what_callers_keep_is_readable_by_the_account_and_its_group_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        state = state_of(tmp_path)
        state.prepare()
        state.close()
    finally:
        os.umask(before)
    assert (tmp_path / "state.db").stat().st_mode & 0o777 == 0o640
