"""What the OpenAPI document allows, and what it does not, sent to the production server; and impatience."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.journeys.test_api import Server
from tests.journeys.test_api import server as server
from tests.serving.odd import send_all

# The phase that walks every bound of every field is left to benchmarks/api_fuzz, which asks twenty thousand.
PHASES = "examples,fuzzing,stateful"
EXAMPLES = 12
LEAST = 350
ODD = 300
SLOW = 60  # callers who begin headers and never end them


def test_the_document_is_true(server: Server, root: Path, tmp_path: Path) -> None:
    st = Path(sys.executable).parent / "st"
    settings = root / "benchmarks" / "api_fuzz" / "schemathesis.toml"
    command = [st, "--config-file", settings, "run", f"{server.client.base_url}/openapi.json"]
    command += [
        "--checks",
        "all",
        "--phases",
        PHASES,
        "-n",
        str(EXAMPLES),
        "--continue-on-failure",
        "--no-color",
    ]
    done = subprocess.run(
        [str(word) for word in command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:]
    count = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert count is not None, done.stdout[-2000:]
    assert int(count[1]) == int(count[2]) >= LEAST
    assert "Traceback" not in server.log.read_text()
    assert '"event": "bug"' not in server.log.read_text()


def test_slow_callers_are_cut_off_while_odd_requests_are_refused_in_our_form(server: Server) -> None:
    place = (server.client.base_url.host, int(server.client.base_url.port or 0))
    slow = [socket.create_connection(place) for _ in range(SLOW)]
    begun = time.monotonic()
    for line in slow:
        line.sendall(b"POST /v1/forecast HTTP/1.1\r\nX-Slow: a")
    told = asyncio.run(send_all(str(server.client.base_url), ODD, seed=2))
    statuses = {status for _, status in told.statuses}
    assert not {status for status in statuses if status.startswith("5")} | statuses & {"silent"}, (
        told.statuses
    )
    assert {"200", "400", "404", "405", "415", "431"} <= statuses
    assert told.formless == []
    for line in slow:
        line.settimeout(max(0.1, begun + 40.0 - time.monotonic()))
        with suppress(ConnectionResetError):
            assert line.recv(10) == b""
        line.close()
    assert server.client.post("/v1/forecast", json={"clusters": ["aa-north"]}).status_code == 200
    assert "Traceback" not in server.log.read_text()
    assert '"event": "bug"' not in server.log.read_text()
