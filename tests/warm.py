"""Commands in processes that need not load the outside libraries first.

Most of what a short command costs is that Python loads pandas, scipy, MLflow and others, which shows nothing
of the product. A *nursery* is a process that has loaded them, and nothing of the product; it forks a process
for every command asked of it, which runs the very script a shell would find, with the environment, the folder
and the outputs it is given, and ends as any process of Python does. What is shown of a start from nothing,
and of servers, is shown with ``subprocess``.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
LOADED: Final = (
    *("typer", "rich.progress", "rich.table", "pandas", "pyarrow.parquet", "pandera.pandas", "shapely"),
    *("scipy.stats", "scipy.optimize", "sqlalchemy.orm", "sqlalchemy.dialects.sqlite", "alembic.command"),
    *("matplotlib.figure", "matplotlib.backends.backend_agg", "pint", "yaml"),
    *("mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store"),
    *("mlflow.pyfunc", "mlflow.models.model"),
)
# Set in a command's environment: its retrains draw nothing and replay no dated targets.
SHORT: Final = "TESTS_SHORT_RETRAINS"
# What libraries ask for while they load: MLflow's silence as in ``training.tracking``, and no idle threads,
# which a fork would lose.
_SETTLED: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_LOGGING_LEVEL": "WARNING",
    "GIT_PYTHON_REFRESH": "quiet", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
}  # fmt: skip
_HELD: Final = contextlib.ExitStack()  # to the end of the process
_MOST: Final = 1 << 20
_OUTPUTS: Final = 3  # output, errors, and where the end is told


@dataclass(frozen=True)
class Running:
    """A command that has been started.

    Attributes:
        pid: of its process, which leads a session of its own.
    """

    words: Sequence[str]
    pid: int
    _end: socket.socket
    _out: IO[str]
    _err: IO[str]

    def kill(self) -> None:
        """End its session at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def ended(self, seconds: float) -> subprocess.CompletedProcess[str]:
        """Wait for its end; what became of it.

        Raises:
            subprocess.TimeoutExpired: it takes longer, and has been killed.
        """
        with self._end, self._out, self._err:
            self._end.settimeout(seconds)
            try:
                told = self._end.recv(_MOST)
            except TimeoutError:
                self.kill()
                self._end.settimeout(None)
                self._end.recv(_MOST)  # when it is gone
                raise subprocess.TimeoutExpired(list(self.words), seconds) from None
            assert told, "the nursery is gone"
            for stream in (self._out, self._err):
                stream.seek(0)
            said = (self._out.read(), self._err.read())
        return subprocess.CompletedProcess(list(self.words), int(told), *said)


def begun(words: Sequence[str], *, env: Mapping[str, str], cwd: Path = ROOT) -> Running:
    """Start a command: a script of Python that is on PATH, or an interpreter with ``-c`` or a file."""
    out, err = (tempfile.TemporaryFile("w+", encoding="utf-8") for _ in range(2))  # noqa: SIM115  # closed at its end
    ours, theirs = socket.socketpair()
    asked = json.dumps({"words": list(words), "cwd": str(cwd), "env": dict(env)}).encode()
    with theirs:
        line = _nursery()
        line.sendall(len(asked).to_bytes(8, "big"))
        socket.send_fds(line, [b"!"], [out.fileno(), err.fileno(), theirs.fileno()])
        line.sendall(asked)
    pid = ours.recv(8, socket.MSG_WAITALL)
    assert len(pid) == 8, "the nursery is gone"
    return Running(words, int.from_bytes(pid, "big"), ours, out, err)


def run(
    words: Sequence[str], *, env: Mapping[str, str], cwd: Path = ROOT, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return begun(words, cwd=cwd, env=env).ended(timeout)


@cache
def _nursery() -> socket.socket:
    """The line to the nursery of this process, started now; it ends when the line is cut."""
    ours, theirs = socket.socketpair()
    env = {**os.environ, **_SETTLED}
    for name in [name for name in env if name.startswith(("PYTHON", "FORECARBON_", "COV", "PYTEST"))]:
        del env[name]
    with theirs:
        # -P: the folder of the script is no place to import from.
        argv = [sys.executable, "-P", __file__, str(theirs.fileno())]
        process = subprocess.Popen(
            argv, env=env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def end() -> None:
        ours.close()
        process.wait(timeout=60)

    atexit.register(end)
    return ours


# --- the nursery itself -----------------------------------------------------------------------------------


def main(line: socket.socket) -> None:
    """Fork a process for every command that is asked for, until nobody asks any more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the libraries say of one another while they load
        for name in LOADED:
            importlib.import_module(name)
    assert threading.active_count() == 1, threading.enumerate()
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page there is
    while head := line.recv(8, socket.MSG_WAITALL):
        _, (out, err, end), _, _ = socket.recv_fds(line, 1, _OUTPUTS)
        asked = json.loads(line.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))
        keeper = os.fork()
        if not keeper and _kept(end):
            line.close()
            _become(asked, out, err)
            return
        for stream in (out, err, end):
            os.close(stream)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0)[0]:
            pass


def _kept(end: int) -> bool:
    """Whether this is the command's own process; the other one waits for it, tells how it ended, and ends."""
    child = os.fork()
    if not child:
        os.setsid()  # before it is told, so that whoever knows it can kill it
        os.write(end, os.getpid().to_bytes(8, "big"))
        os.close(end)
        return True
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(OSError):  # nobody may be waiting any more
        os.write(end, str(status).encode())
    os._exit(0)


def _become(asked: dict[str, Any], out: int, err: int) -> None:
    """Have this process be that of the command, which it runs."""
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.close(out)
    os.close(err)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    time.tzset()
    if os.environ.pop(SHORT, ""):
        _shorten()
    first, *words = asked["words"]
    sys.path[:0] = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
    if not Path(first).name.startswith("python"):
        found = shutil.which(first)
        assert found is not None, first
        sys.argv = [found, *words]
        runpy.run_path(found, run_name="__main__")
    elif words[0] == "-c":
        sys.path.insert(0, "")
        sys.argv = ["-c", *words[2:]]
        sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(words[1], "<string>", "exec"), vars(sys.modules["__main__"]))
    else:
        sys.path.insert(0, str(Path(words[0]).parent))
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


def _shorten() -> None:
    sys.path.append(str(ROOT))
    from tests.cheaper import short_retrains

    _HELD.enter_context(short_retrains())


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
