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
from typing import Any, Final

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


class DatabaseServer:
    """A new cluster of databases, run as ``postgres`` when we are root; a test can stop and start it."""

    def __init__(self, bin_: Path) -> None:
        user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="forecarbon-postgres-"))
        if user:
            shutil.chown(self._folder, user)
        self._bin, self._port = bin_, free_port()
        quiet = subprocess.DEVNULL
        self._ours: dict[str, Any] = {"user": user, "cwd": self._folder, "stdout": quiet, "stderr": quiet}
        self._server: subprocess.Popen[bytes] | None = None
        made = [str(bin_ / "initdb"), "-D", str(self._folder / "data"), "-U", "tracker", "--auth=trust"]
        subprocess.run([*made, "-E", "UTF8", "--no-sync"], check=True, timeout=120, **self._ours)

    @property
    def address(self) -> str:
        """As SQLAlchemy takes it."""
        return f"postgresql://tracker@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it and wait until it answers."""
        argv = [str(self._bin / "postgres"), "-D", str(self._folder / "data"), "-p", str(self._port)]
        self._server = subprocess.Popen([*argv, "-h", "127.0.0.1", "-k", ""], **self._ours)
        _until(lambda: _accepts(self._port), self._server)

    def stop(self) -> None:
        """End it at once; what was committed is there again after ``start``."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(timeout=60)
            self._server = None

    def remove(self) -> None:
        """Stop it and leave nothing."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def database(bin_: Path) -> Iterator[str]:
    """A database of its own for the block; yields its address."""
    server = DatabaseServer(bin_)
    try:
        server.start()
        yield server.address
    finally:
        server.remove()


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
