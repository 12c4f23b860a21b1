"""A real PostgreSQL and, over it, a real tracking server, both on this machine's loopback for one test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg

from tests.conftest import free_port
from training.tracking import QUIET

PROGRAMS: Final = Path("/usr/lib/postgresql")  # where Debian keeps those of each version, off PATH
READY_SECONDS: Final = 180


def programs() -> Path | None:
    """Folder of PostgreSQL's own programs; None where it is not installed."""
    kept = sorted(PROGRAMS.glob("*/bin/initdb"))
    found = kept[-1] if kept else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@contextmanager
def database(bin_: Path) -> Iterator[str]:
    """A new cluster of databases, run as ``postgres`` when we are root; yields its address."""
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="forecarbon-postgres-"))
    if user:
        shutil.chown(folder, user)
    port = free_port()
    ours = {"user": user, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    made = [str(bin_ / "initdb"), "-D", str(folder / "data"), "-U", "tracker", "--auth=trust", "-E", "UTF8"]
    subprocess.run([*made, "--no-sync"], check=True, timeout=120, **ours)  # type: ignore[call-overload]
    server = subprocess.Popen(  # type: ignore[call-overload]
        [str(bin_ / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-h", "127.0.0.1", "-k", ""],
        **ours,
    )
    try:
        _until(lambda: _accepts(port), server)
        yield f"postgresql://tracker@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nothing in it is kept
        server.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


class TrackingServer:
    """``mlflow server`` over a database, which a test can stop and start again."""

    def __init__(self, database: str, artifacts: Path, log: Path) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = log
        self._command = [
            *(sys.executable, "-m", "mlflow", "server", "--backend-store-uri", database),
            *("--artifacts-destination", artifacts.as_uri(), "--workers", "1"),
            *("--host", "127.0.0.1", "--port", str(self.port)),
        ]
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        kept = {name: value for name, value in os.environ.items() if not name.endswith("TRACKING_URI")}
        with self._log.open("ab") as out:
            self._server = subprocess.Popen(
                self._command,
                env={**kept, **QUIET, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        _until(self._healthy, self._server)

    def stop(self) -> None:
        """Kill it with all its workers."""
        if self._server is not None:
            with suppress(ProcessLookupError):  # it may have ended by itself
                os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait(timeout=60)
            self._server = None

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=5) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _accepts(port: int) -> bool:
    try:
        psycopg.connect(host="127.0.0.1", port=port, user="tracker", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _until(ready: Callable[[], bool], server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < deadline, f"not ready in {READY_SECONDS} s"
        time.sleep(0.3)
