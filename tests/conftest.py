"""Ground shared by all tests: nothing is written to the home folder, one trained store serves all."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests import warm
from tests.cheaper import shared, short_retrains, tables_made_once

ROOT: Final = Path(__file__).resolve().parent.parent
RETRAIN: Final = ("forecarbon", "retrain")
READY_SECONDS: Final = 120
# One file begins with the retrain that makes the trained store; what does without it is tested meanwhile.
MAKES_THE_STORE: Final = Path("journeys", "test_insights.py")
MEANWHILE: Final = ("training", "faults")
LONG_FIRST: Final = ("journeys", "pages", "faults", "training", "sources", "security", "laws")


def pytest_configure(config: pytest.Config) -> None:
    """Keep libraries that write settings to the home folder, or spin idle threads, from doing so."""
    cache = config.rootpath / "store" / "test-cache"
    os.environ.setdefault("MPLCONFIGDIR", str(cache / "matplotlib"))
    os.environ.setdefault("BENTOML_HOME", str(cache / "bentoml"))
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The folders of long tests first, so that no worker ends with one while the other has nothing to do."""
    waiting = {item.path for item in items if "trained_store" in getattr(item, "fixturenames", ())}

    def rank(item: pytest.Item) -> int:
        folder = item.path.parent.name
        if item.path == ROOT / "tests" / MAKES_THE_STORE:
            return 0
        if folder in MEANWHILE and item.path not in waiting:
            return 1 + MEANWHILE.index(folder)
        return 10 + (LONG_FIRST.index(folder) if folder in LONG_FIRST else len(LONG_FIRST))

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def tables(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[None]:
    """Stores get the tables of their tracker from one that MLflow has made."""
    with tables_made_once(shared(tmp_path_factory.getbasetemp(), worker_id, "tables")):
        yield


@pytest.fixture
def short() -> Iterator[None]:
    """Retrains do without what is not looked at here: pictures, and chances of dated targets."""
    with short_retrains():
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shell_env() -> dict[str, str]:
    """Environment in which ``forecarbon`` is this interpreter's own, as after ``make setup``."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("FORECARBON_", "COV", "PYTEST"))}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}"
    env["NO_COLOR"] = "1"
    env["COLUMNS"] = "200"
    return env


def run_in(store: Path, argv: list[str] | tuple[str, ...], env: dict[str, str]) -> str:
    """Standard output of a command run from the checkout on ``store``; its failure fails the test."""
    done = warm.run(argv, env={**env, "FORECARBON_STORE": str(store)}, timeout=600)
    assert done.returncode == 0, (
        f"{' '.join(argv)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    )
    return done.stdout


def _cold(store: Path, argv: tuple[str, ...], env: dict[str, str]) -> str:
    """The same of a process that starts from nothing, as a newcomer's does."""
    done = subprocess.run(
        argv, cwd=ROOT, env={**env, "FORECARBON_STORE": str(store)}, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def trained_store(
    tmp_path_factory: pytest.TempPathFactory, shell_env: dict[str, str], worker_id: str
) -> Path:
    """A store in which one retrain has run. Shared and expensive: read it, or copy it before writing.

    What the retrain printed is in ``retrain.out`` beside the store.
    """
    place = shared(tmp_path_factory.getbasetemp(), worker_id, "trained")
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "retrain.out").exists():
            (place / "retrain.out").write_text(_cold(place / "store", RETRAIN, shell_env))
    return place / "store"


@pytest.fixture(scope="session")
def served(
    trained_store: Path, shell_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of the production server on the trained store."""
    port = free_port()
    log = tmp_path_factory.mktemp("served") / "log.txt"
    with log.open("w") as out:
        server = subprocess.Popen(
            ["forecarbon", "serve", "--port", str(port)],
            cwd=ROOT,
            env={**shell_env, "FORECARBON_STORE": str(trained_store)},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/v1/models/current", server, log)
            yield address
        finally:
            _stop(server)


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, f"the server ended:\n{log.read_text()}"
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                if reply.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"{url} did not answer in {READY_SECONDS} s:\n{log.read_text()}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(timeout=30)
