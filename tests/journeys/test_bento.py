"""`bentoml build` makes a bento of code and lock alone, offline, and it answers when served from its tag."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.conftest import free_port
from tests.serving.synthetic import VERSION, Kit

BENTOML: Final = (sys.executable, "-m", "bentoml")
READY_SECONDS: Final = 120
# No address can be reached: were an index asked, the build would fail.
OFFLINE: Final = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "UV_OFFLINE": "1"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bentoml")


@pytest.fixture(scope="module")
def env(shell_env: dict[str, str], home: Path) -> dict[str, str]:
    kept = {name: value for name, value in shell_env.items() if not name.lower().endswith("_proxy")}
    return {**kept, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"}


@pytest.fixture(scope="module")
def tag(root: Path, home: Path, env: dict[str, str]) -> str:
    built = subprocess.run(
        [*BENTOML, "build", "--output", "tag"],
        cwd=root, env={**env, **OFFLINE}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert built.returncode == 0, f"{built.stdout}\n{built.stderr}"
    found = re.search(r"__tag__:(forecarbon:\w+)", built.stdout)
    assert found is not None, built.stdout
    return found[1]


@pytest.fixture(scope="module")
def bento(home: Path, tag: str) -> Path:
    return home / "bentos" / tag.replace(":", "/")


def test_it_holds_the_code_and_nothing_else(root: Path, bento: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "features", "models", "training", "insights", "serving", "forecarbon.py",
         "operations.py", "questions.py", "upkeep.py", "pyproject.toml"],
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    source = bento / "src"
    held = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    assert set(tracked) - held == set()
    # bentofile.yaml is BentoML's own record of how it was built.
    assert {name.split("/")[0] for name in held} == {name.split("/")[0] for name in tracked} | {
        "bentofile.yaml"
    }
    assert [name for name in held if name.endswith(".pyc")] == []


def test_its_packages_are_those_of_the_lock(root: Path, bento: Path) -> None:
    pin = re.compile(r"^([a-z0-9][a-z0-9._-]*(?:\[[a-z0-9,_-]+\])?==[^\s;\\]+)", re.MULTILINE)
    asked = (bento / "env" / "python" / "requirements.txt").read_text()
    locked = (root / "requirements.lock").read_text()
    assert set(pin.findall(asked)) == set(pin.findall(locked))
    assert set(re.findall(r"sha256:\w+", asked)) == set(re.findall(r"sha256:\w+", locked))
    assert "://" not in asked
    assert "index" not in asked


def test_the_image_it_would_become(root: Path, bento: Path) -> None:
    """What ``bentoml containerize`` hands to Docker."""
    dockerfile = (bento / "env" / "docker" / "Dockerfile").read_text()
    assert "FROM python:3.12-slim" in dockerfile
    assert "libgomp1" in dockerfile
    script = re.search(r"^RUN chmod \+x (\S+) && \1$", dockerfile, re.MULTILINE)
    assert script is not None
    assert (bento / script[1]).read_text() == (root / "docs" / "deploy" / "bento.sh").read_text()
    assert dockerfile.index("uv --directory") < script.start()
    assert "\nUSER bentoml\n" in dockerfile
    assert "\nENV FORECARBON_AUTH=$FORECARBON_AUTH\n" in dockerfile
    assert "\nARG FORECARBON_AUTH=keys\n" in dockerfile
    assert "\nARG FORECARBON_STORE=/var/lib/forecarbon\n" in dockerfile
    assert "://" not in dockerfile
    told = yaml.safe_load((bento / "bento.yaml").read_text())
    assert (told["service"], told["models"]) == ("serving.service:Forecarbon", [])


@pytest.fixture
def served(tag: str, env: dict[str, str], tmp_path: Path) -> Iterator[str]:
    store, port, log = tmp_path / "store", free_port(), tmp_path / "log.txt"
    Kit().publish(store)
    with log.open("w") as out:
        server = subprocess.Popen(
            [*BENTOML, "serve", tag, "--host", "127.0.0.1", "--port", str(port)],
            # Not the checkout: what is imported must be the bento's.
            cwd=tmp_path, env={**env, "FORECARBON_STORE": str(store)},
            stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                raise
    assert "Traceback" not in log.read_text()


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)


def answer(url: str, body: dict[str, Any]) -> dict[str, Any]:
    asked = urllib.request.Request(
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=30) as reply:
        told: dict[str, Any] = json.load(reply)
    return told


def test_it_answers_from_its_tag(served: str) -> None:
    told = answer(f"{served}/v1/forecast", {"clusters": ["aa-north"], "steps": 3})
    assert told["model_version"] == VERSION
    with urllib.request.urlopen(f"{served}/livez", timeout=10) as reply:
        assert reply.status == 200
