"""Importing does no work: no file, no socket, no process; and the command line starts light."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

HEAVY: Final = (
    "pandas",
    "numpy",
    "scipy",
    "sklearn",
    "lightgbm",
    "statsmodels",
    "mlflow",
    "bentoml",
    "matplotlib",
)
OUR_FLOORS: Final = (
    "features",
    "models",
    "training",
    "insights",
    "serving",
    "forecarbon",
    "operations",
    "questions",
    "upkeep",
)
STARTS: Final = 7
SLOWEST_START: Final = 2.0
EMPTY: Final = "import typer, rich; app = typer.Typer(); app.command()(lambda: None); app(['--help'])"

# Outside libraries first (what they do at import is theirs), then the watch, then every module of ours.
WATCHED: Final = """
import importlib, json, os, sys
outside, ours = json.loads(sys.stdin.read())
for name in outside:
    importlib.import_module(name)
seen = []
WORK = {"os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "shutil.rmtree", "subprocess.Popen",
        "os.system", "os.fork", "os.posix_spawn", "socket.connect", "socket.bind", "socket.getaddrinfo",
        "sqlite3.connect", "tempfile.mkstemp", "tempfile.mkdtemp"}
def watch(event, args):
    if event == "open":
        mode, flags = args[1], args[2]
        writes = any(c in (mode or "") for c in "wax+") or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and args[0] != os.devnull:
            seen.append([event, str(args[0])])
    elif event in WORK:
        seen.append([event, str(args[:1])])
sys.addaudithook(watch)
by = {}
for name in ours:
    seen.clear()
    importlib.import_module(name)
    if seen:
        by[name] = list(map(list, seen))
print("\\n" + json.dumps(by))
"""


def outside(sources: list[Any]) -> list[str]:
    """Outside modules that importing ours brings in, by full dotted name."""
    names: set[str] = set()
    for source in sources:
        for node in source.tree.body:
            if type(node).__name__ == "ImportFrom" and node.module:
                names.add(node.module)
            elif type(node).__name__ == "Import":
                names |= {item.name for item in node.names}
    return sorted(name for name in names if name.split(".")[0] not in {*OUR_FLOORS, "__future__"})


def test_importing_does_no_work(sources: list[Any], root: Path, tmp_path: Path) -> None:
    for folder in ("cwd", "home"):
        (tmp_path / folder).mkdir()
    env = {
        **os.environ,
        "HOME": str(tmp_path / "home"),
        "MPLCONFIGDIR": str(tmp_path / "home"),
        "BENTOML_HOME": str(tmp_path / "home" / "bentoml"),
        "FORECARBON_STORE": str(tmp_path / "store"),
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        input=json.dumps([outside(sources), [source.module for source in sources]]),
        cwd=tmp_path / "cwd",
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {}
    assert list((tmp_path / "cwd").iterdir()) == []
    assert not (tmp_path / "store").exists()


def test_the_watch_sees_work(root: Path, tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text("open('made.txt', 'w').close()\nimport os\nos.mkdir('made')\n")
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        input=json.dumps([[], ["worker"]]),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert [event for event, _ in json.loads(done.stdout.splitlines()[-1])["worker"]] == ["open", "os.mkdir"]


def loaded_after(statement: str, root: Path) -> list[str]:
    """Heavy libraries in memory once ``statement`` has run in a new interpreter."""
    code = f"import sys; {statement}; print([n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(root)},
        cwd=root, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    loaded: list[str] = json.loads(done.stdout.splitlines()[-1].replace("'", '"'))
    return loaded


def test_the_command_line_imports_nothing_heavy(root: Path) -> None:
    assert loaded_after("import forecarbon", root) == []


def test_serving_does_not_import_mlflow(root: Path) -> None:
    loaded = loaded_after("import serving.service", root)
    assert "bentoml" in loaded
    assert {"mlflow", "statsmodels", "matplotlib"} & set(loaded) == set()


def test_help_starts_as_fast_as_an_empty_command_line(root: Path) -> None:
    """A ratio to typer's own help of an empty program, taken in turn: a busy machine slows both."""
    env = {**os.environ, "PYTHONPATH": str(root)}
    bare, ours = [], []
    for _ in range(STARTS):
        bare.append(seconds([sys.executable, "-c", EMPTY], root, env))
        ours.append(
            seconds([sys.executable, "-c", "import forecarbon; forecarbon.app(['--help'])"], root, env)
        )
    assert statistics.median(ours) <= SLOWEST_START * statistics.median(bare), (sorted(bare), sorted(ours))


def seconds(argv: list[str], root: Path, env: dict[str, str]) -> float:
    """Wall time of a command that must succeed."""
    begun = time.perf_counter()
    subprocess.run(argv, cwd=root, env=env, capture_output=True, timeout=120, check=True)
    return time.perf_counter() - begun
