"""A production server to measure, started as anyone would start it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 120.0


@dataclass(frozen=True)
class Server:
    """A running server: where it answers, and its first process."""

    url: str
    process: subprocess.Popen[bytes]

    def workers(self) -> list[psutil.Process]:
        """The processes that answer."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        return [one for one in family if "bentoml_impl.worker" in " ".join(one.cmdline())]


def trained(store: Path) -> Path:
    """``store`` with a champion, trained there now if it has none."""
    if not (store / "current.json").exists():
        command = [sys.executable, "-m", "forecarbon", "retrain", "--store", str(store)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return store


@contextmanager
def serving(
    store: Path,
    *,
    workers: int = 2,
    target: str = "",
    log: Path | None = None,
    more: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """The service over ``store``; ``target`` is another service than production's, ``more`` environment."""
    from serving.launch import TARGET, serve_command

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    argv, env = serve_command(host="127.0.0.1", port=port, workers=workers, store=store)
    argv = [target if word == TARGET and target else word for word in argv]
    with (log or Path(os.devnull)).open("wb") as stream:
        process = subprocess.Popen(
            argv, env={**env, **(more or {})}, stdout=stream, stderr=stream, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield Server(url, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            # Every worker takes part in the socket: several good answers in a row mean all are up.
            if all(httpx.get(f"{url}/v1/health", timeout=5).status_code == 200 for _ in range(8)):
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.3)
    raise RuntimeError("the server did not become ready")


def questions(url: str, most: int = 400) -> list[bytes]:
    """Bodies of POST /v1/forecast over the champion's series, all alike in size of answer."""
    told = httpx.get(f"{url}/v1/series", params={"limit": 500}).json()["series"]
    names = [item["unique_id"] for item in told if item["kind"] != "plant"][:most]
    return [json.dumps({"series": [name], "steps": 8, "levels": [80, 95]}).encode() for name in names]
