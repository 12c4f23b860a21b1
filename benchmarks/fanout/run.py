"""Two Dask workers on this machine against one process: the same, also when a worker is killed; how fast.

Usage: python benchmarks/fanout/run.py [--series 40000]
Writes result.md beside this file.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import psutil  # noqa: E402

from benchmarks.figures import stamp  # noqa: E402
from benchmarks.growth.run import facts, simulate  # noqa: E402
from features.sources.panel_parts import Part, Parts  # noqa: E402
from features.spread import Here  # noqa: E402
from models.engine import learn  # noqa: E402
from serving.batch import asked_levels  # noqa: E402
from serving.bulk import BLOCK, Said, Task, forecast_part  # noqa: E402
from training.fanout import Asked, opened  # noqa: E402

STEPS = 8
LEARNT_FROM = 5_000
WORKERS = 2


def main(series: int) -> None:
    with tempfile.TemporaryDirectory(prefix="forecarbon-fanout-") as name:
        given = Path(name) / "given.parquet"
        known = facts()
        simulate(known, series, given)
        parts = Parts.of(given)
        sample = parts.every(LEARNT_FROM)
        levels = asked_levels(STEPS, "80,95", None)
        task = Task(learn(sample.panel, steps=STEPS), STEPS, levels, sample.panel.cadence.name)
        todo = parts.of_size(BLOCK)
        forecast_part(task, todo[0])
        rows = measured(task, todo)
    text = f"""# Two Dask workers against one process

{stamp(known.data, f"{series:,} simulated annual series (see ../growth), {len(todo)} blocks of {BLOCK:,}")}

`python benchmarks/fanout/run.py`: the blocks of a bulk forecast, what is shared having been learnt before.
Each worker is a process with one thread, on this machine. *Ratio*: series a second against one process, by
the clock. *CPU* is what all processes spent on it, and *overhead* what that is beyond one process: sending,
packing and the scheduler. Two workers cannot be twice as fast where cores are shared with other work: *cores
had* is CPU seconds over seconds. *Apart* is the largest difference from one process, as a share of a figure.

| engine | ready after | seconds | series a second | ratio | CPU seconds | overhead | cores had | apart |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

The killed worker was ended by SIGKILL after a third of the blocks; its blocks were done again by the other
and by the worker the cluster started in its place, and every row was there.
"""
    (HERE / "result.md").write_text(text, encoding="utf-8")
    print(text)


def measured(task: Task, todo: list[Part]) -> list[str]:
    series = sum(part.series for part in todo)
    frames: dict[str, pd.DataFrame] = {}
    lines, alone = [], (0.0, 0.0)
    for name, wanted in (
        ("one process", Asked()),
        ("two processes of joblib", Asked("local", workers=WORKERS)),
        ("two Dask workers", Asked("dask", workers=WORKERS)),
        ("two Dask workers, one killed", Asked("dask", workers=WORKERS)),
    ):
        begun = time.perf_counter()
        with opened(wanted) as engine:
            if not isinstance(engine, Here):
                warm(engine, task, todo)
            ready = time.perf_counter() - begun
            counted, begun = Spent(), time.perf_counter()
            doing = engine.over(forecast_part, task, todo)
            if name.endswith("killed"):
                doing = killing(doing, engine, after=len(todo) // 3)
            said = list(doing)
            seconds = time.perf_counter() - begun
            cpu = counted.stop()
        frames[name] = pd.concat([one.table.to_pandas() for one in said], ignore_index=True)
        alone = (seconds, cpu) if name == "one process" else alone
        lines.append(
            f"| {name} | {ready:.1f} s | {seconds:.1f} | {series / seconds:,.0f} | {alone[0] / seconds:.2f} "
            f"| {cpu:.1f} | {100 * (cpu / alone[1] - 1):+.0f}% | {cpu / seconds:.2f} "
            f"| {apart(frames['one process'], frames[name])} |"
        )
        print(lines[-1], flush=True)
    return lines


def warm(engine: Any, task: Task, todo: list[Part]) -> None:
    """Every worker has loaded what it needs: counted as getting ready."""
    list(engine.over(forecast_part, task, todo[: 2 * WORKERS]))


def killing(doing: Iterable[Said], engine: Any, after: int) -> Iterator[Said]:
    """The same, with one worker's process ended after so many results."""
    for k, one in enumerate(doing):
        if k == after:
            victim = next(iter(engine.client.run(os.getpid).values()))
            os.kill(victim, signal.SIGKILL)
            print(f"killed worker process {victim}", flush=True)
        yield one


class Spent:
    """CPU seconds of this process and of all it started, those that are gone included."""

    def __init__(self) -> None:
        self._looking = 0.0
        self._first = self._look()
        self._held = dict(self._first)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> float:
        """Seconds since it was made, without those that looking took."""
        self._ended.set()
        self._thread.join()
        self._held |= self._look()
        return sum(self._held.values()) - sum(self._first.values()) - self._looking

    def _watch(self) -> None:
        begun = time.thread_time()
        while not self._ended.wait(1.0):
            self._held |= self._look()
        self._looking = time.thread_time() - begun

    def _look(self) -> dict[int, float]:
        me, told = psutil.Process(), {}
        for one in [me, *me.children(recursive=True)]:
            try:
                told[one.pid] = sum(one.cpu_times()[:2])
            except psutil.Error:
                continue
        return told


def apart(one: pd.DataFrame, other: pd.DataFrame) -> str:
    """The largest relative difference of two answers, whose other columns must be equal."""
    figures = [name for name in one if name == "mean" or name.startswith("q")]
    if not one.drop(columns=figures).equals(other.drop(columns=figures)):
        raise SystemExit("other rows were told")
    a, b = one[figures].to_numpy(), other[figures].to_numpy()
    largest = float(np.nanmax(np.abs(a - b) / np.maximum(np.abs(a), 1.0)))
    return "none, bit for bit" if np.array_equal(a, b, equal_nan=True) else f"{largest:.1e}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=40_000)
    main(parser.parse_args().series)
