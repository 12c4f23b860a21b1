"""Runs one function in a Python of its own: seconds, peak memory and what it returned.

Peers are no dependencies of Forecarbon: they live in another virtual environment (see peers.txt), so
this file, which that Python runs too, needs the standard library and NumPy alone. What is measured is a
function ``f(arrays, settings)`` in a file of its own; it makes ready (imports, conversions) and returns
the thing to be timed, a call without arguments that returns named arrays. Ours and theirs are measured
alike by naming ``sys.executable`` for ours:

    ours = measure(HERE / "ours.py", "wls", arrays, settings)
    peer = measure(HERE / "peer.py", "wls", arrays, settings, python=peers_python(given))
    ratio = peer.median / ours.median

Arrays travel as npz, settings and facts as JSON; no pickles.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]
Timed = Callable[[], Mapping[str, npt.NDArray[Any]]]

HERE: Final = Path(__file__).resolve()
REPEATS: Final = 5
# A call this long is repeated less often: LONG_REPEATS runs in all.
LONG_SECONDS: Final = 30.0
LONG_REPEATS: Final = 1
THREADS: Final = 2
POOLS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
BYTES: Final = 1 if sys.platform == "darwin" else 1024


class PeerFailed(RuntimeError):
    """The function could not be run; the message is the end of what its Python said."""


@dataclass(frozen=True)
class Measured:
    """One function, measured.

    Attributes:
        seconds: of each repeat, in order; the first has warm caches no more than its making ready gave it.
        before: bytes of memory held at its highest before the timed calls (imports and input).
        peak: bytes of memory held at its highest after them; the largest child process is added.
        arrays: what the last repeat returned.
        versions: of the Python that ran it and of the distributions asked for.
    """

    seconds: tuple[float, ...]
    before: int
    peak: int
    arrays: Arrays
    versions: dict[str, str]

    @property
    def median(self) -> float:
        """Median seconds of one call."""
        return statistics.median(self.seconds)

    @property
    def first(self) -> float:
        """Seconds of the first call, which may compile or fill caches."""
        return self.seconds[0]

    @property
    def grown(self) -> int:
        """Bytes that the timed calls added to the peak."""
        return self.peak - self.before


def peers_python(given: str | None) -> str:
    """The Python that has the peers: the one given, FORECARBON_PEERS, or the one that runs now."""
    return given or os.environ.get("FORECARBON_PEERS") or sys.executable


def peers_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--peers PYTHON`` to a benchmark's arguments."""
    parser.add_argument(
        "--peers",
        metavar="PYTHON",
        help="a Python with benchmarks/peers.txt installed (default: FORECARBON_PEERS, or this one)",
    )


def measure(
    script: Path,
    function: str,
    arrays: Mapping[str, npt.NDArray[Any]],
    settings: Mapping[str, Any] | None = None,
    *,
    python: str = sys.executable,
    repeats: int = REPEATS,
    long_seconds: float = LONG_SECONDS,
    long_repeats: int = LONG_REPEATS,
    timeout: float = 3600.0,
    threads: int = THREADS,
    packages: Sequence[str] = (),
) -> Measured:
    """Run ``function`` of ``script`` in ``python`` and read back what it returned.

    Args:
        script: file with the function ``f(arrays, settings) -> Timed``; run as it is, in a new process.
        arrays: numbers, or texts of fixed width (``np.array([...], dtype=str)``); no objects.
        settings: JSON-ready values.
        repeats: timed calls; ``long_repeats`` in all where the first takes ``long_seconds`` or more.
        timeout: seconds for the whole process, making ready included.
        threads: of OpenMP, BLAS and numba alike.
        packages: distributions whose versions are wanted.

    Raises:
        PeerFailed: the process ended badly, ran out of time, or lacks a package.
    """
    with tempfile.TemporaryDirectory(prefix="forecarbon-peer-") as name:
        folder = Path(name)
        np.savez(folder / "given.npz", **dict(arrays))  # type: ignore[arg-type]
        ask = {
            "script": str(script),
            "function": function,
            "settings": dict(settings or {}),
            "repeats": repeats,
            "long_seconds": long_seconds,
            "long_repeats": long_repeats,
            "packages": list(packages),
        }
        (folder / "ask.json").write_text(json.dumps(ask), encoding="utf-8")
        _run([python, str(HERE), str(folder)], threads, timeout)
        told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
        with np.load(folder / "made.npz", allow_pickle=False) as made:
            found = {key: made[key] for key in made.files}
    return Measured(tuple(told["seconds"]), told["before"], told["peak"], found, told["versions"])


def _run(command: list[str], threads: int, timeout: float) -> None:
    env = {**os.environ, **{name: str(threads) for name in POOLS}, "PYTHONHASHSEED": "0"}
    process = subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A group of its own: workers the peer started end with it.
        start_new_session=True,
    )
    try:
        _, said = process.communicate(timeout=timeout)
    except BaseException as cause:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(cause, subprocess.TimeoutExpired):
            raise PeerFailed(f"no answer within {timeout:.0f} s") from cause
        raise
    if process.returncode != 0:
        raise PeerFailed(said.strip()[-1500:] or f"ended with status {process.returncode}")


def child(folder: Path) -> None:
    """The measured side: make ready, call, write told.json and made.npz."""
    ask = json.loads((folder / "ask.json").read_text(encoding="utf-8"))
    with np.load(folder / "given.npz", allow_pickle=False) as given:
        arrays = {key: given[key] for key in given.files}
    timed: Timed = getattr(_module(Path(ask["script"])), ask["function"])(arrays, ask["settings"])
    before, seconds = peak_bytes(), []
    wanted = ask["repeats"]
    while len(seconds) < wanted:
        begun = time.perf_counter()
        made = timed()
        seconds.append(time.perf_counter() - begun)
        if seconds[0] >= ask["long_seconds"]:
            wanted = min(wanted, ask["long_repeats"])
    told = {
        "seconds": seconds,
        "before": before,
        "peak": peak_bytes(),
        "versions": {
            "python": platform.python_version(),
            **{n: metadata.version(n) for n in ask["packages"]},
        },
    }
    np.savez(folder / "made.npz", **{key: np.asarray(value) for key, value in made.items()})  # type: ignore[arg-type]
    (folder / "told.json").write_text(json.dumps(told), encoding="utf-8")


def peak_bytes() -> int:
    """The most memory this process held so far, plus that of its largest ended child."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss starts from the size of the process that started this one; VmHWM does not.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        own = int(line.split()[1]) * 1024
    return own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * BYTES


def _module(script: Path) -> Any:
    # Beside the script's own folder, the root: functions of ours import the floors.
    sys.path[:0] = [str(script.parent), str(HERE.parent.parent)]
    spec = importlib.util.spec_from_file_location(script.stem, script)
    if spec is None or spec.loader is None:
        raise PeerFailed(f"cannot be read as Python: {script}")
    module = importlib.util.module_from_spec(spec)
    # Processes that the peer starts look their functions up by module name.
    sys.modules[script.stem] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    child(Path(sys.argv[1]))
