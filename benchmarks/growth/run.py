"""Growth: 1,000 to 1,000,000 annual series through the command, with time and memory.

Usage: python benchmarks/growth/run.py [--sizes 1000 10000 100000 1000000] [--engine local] [--workers 0]
Writes result.md beside this file. The largest size takes a quarter of an hour of one core, 2 GB of disk.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.figures import digest, eutl_plants, stamp  # noqa: E402

SIZES = (1_000, 10_000, 100_000, 1_000_000)
CHUNK = 50_000
STEPS = 8
NEWEST = 2022
COMMAND = "import sys; from forecarbon import main; sys.argv[0] = 'forecarbon'; main()"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}


@dataclass(frozen=True)
class Facts:
    """What is taken from each real plant: periods, first level, yearly volatility, idle years at the end."""

    lengths: np.ndarray
    levels: np.ndarray
    volatility: np.ndarray
    idle: np.ndarray
    country: np.ndarray
    sector: np.ndarray
    data: str

    def told(self) -> str:
        """The facts in a sentence."""
        low, mid, high = np.quantile(self.levels, [0.1, 0.5, 0.9])
        return (
            f"{len(self.lengths):,} EU ETS installations of 2005-{NEWEST}: {self.lengths.mean():.1f} years "
            f"on average, levels of {low:,.0f} (10%),\n{mid:,.0f} (median) and {high:,.0f} t (90%), median "
            f"volatility of a year {np.median(self.volatility):.2f}, {100 * (self.idle > 0).mean():.1f}% at "
            "zero at the end"
        )


def facts() -> Facts:
    """Of every real plant with three positive figures."""
    real = eutl_plants()
    rows = np.flatnonzero((np.nan_to_num(real.y) > 0).sum(axis=1) >= 3)
    lengths, levels, volatility, idle = real.lengths[rows], [], [], []
    for row, length in zip(rows, lengths, strict=True):
        y = real.y[row, :length]
        positive = y[np.isfinite(y) & (y > 0)]
        levels.append(positive.mean())
        changes = np.abs(np.diff(np.log(positive)))
        volatility.append(float(np.clip(np.median(changes) * 1.4826, 0.01, 1.0)))
        nonzero = np.flatnonzero(np.nan_to_num(y) > 0)
        idle.append(length - 1 - nonzero[-1] if y[-1] == 0 else 0)
    return Facts(
        lengths, np.array(levels), np.array(volatility), np.array(idle),
        real.traits["country"].to_numpy()[rows], real.traits["sector"].to_numpy()[rows], digest(real.y),
    )  # fmt: skip


def simulate(known: Facts, count: int, path: Path) -> None:
    """A panel of ``count`` series: each has a real plant's facts, and a walk of its own."""
    writer = None
    for first in range(0, count, CHUNK):
        table = chunk(known, first, min(CHUNK, count - first))
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def chunk(known: Facts, first: int, count: int) -> pa.Table:
    """Series ``first`` and those after it, the same in panels of any size."""
    draw = np.random.default_rng([7, first])
    plant = draw.integers(0, len(known.lengths), CHUNK)[:count]
    walks = draw.normal(0, 1, (CHUNK, int(known.lengths.max())))[:count]
    walks = np.cumsum(walks * known.volatility[plant][:, None], axis=1)
    lengths = known.lengths[plant]
    row = np.repeat(np.arange(count), lengths)
    column = np.concatenate([np.arange(n) for n in lengths])
    y = known.levels[plant][row] * np.exp(walks[row, column])
    y = np.where(column >= (lengths - known.idle[plant])[row], 0.0, np.round(y))
    names = np.array([f"s{first + k:08d}" for k in range(count)], dtype=object)
    return pa.table({
        "unique_id": pa.array(names[row], type=pa.string()),
        "ds": NEWEST + 1 - lengths[row] + column,
        "y": y,
        "country": pa.array(known.country[plant][row].astype(object), type=pa.string()),
        "sector": pa.array(known.sector[plant][row].astype(object), type=pa.string()),
    })  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One size: seconds by the clock and of computing, peak memory of all processes, sizes of the files."""

    series: int
    rows: int
    seconds: float
    cpu: float
    peak: float
    given: float
    told: float
    free: float


def measure(count: int, given: Path, told: Path, options: list[str]) -> Run:
    """Forecast a file by the command, to its end."""
    command = [sys.executable, "-c", COMMAND, "forecast", "--history", str(given), "--steps", str(STEPS)]
    begun = time.perf_counter()
    process = psutil.Popen(
        [*command, *options, "--out", str(told)],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **ONE_THREAD},
    )  # fmt: skip
    peak, spent = 0.0, {}
    while process.poll() is None:
        alive = 0.0
        for one in [process, *children(process)]:
            try:
                alive += one.memory_info().rss
                spent[one.pid] = sum(one.cpu_times()[:2])
            except psutil.Error:
                continue
        peak = max(peak, alive)
        time.sleep(0.1)
    seconds = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"the command ended with {process.returncode}")
    rows = pq.read_metadata(told).num_rows
    if rows != count * STEPS:
        raise SystemExit(f"{rows} rows told, {count * STEPS} expected")
    return Run(
        count, pq.read_metadata(given).num_rows, seconds, sum(spent.values()), peak / 1e6,
        given.stat().st_size / 1e6, told.stat().st_size / 1e6, os.getloadavg()[0],
    )  # fmt: skip


def children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def exponent(runs: list[Run], amounts: list[float]) -> float:
    """Slope of the logarithm of amounts over that of the number of series."""
    return float(np.polyfit(np.log([run.series for run in runs]), np.log(amounts), 1)[0])


def main(sizes: list[int], options: list[str]) -> None:
    known = facts()
    runs = []
    with tempfile.TemporaryDirectory(prefix="forecarbon-growth-") as name:
        given, told = Path(name) / "given.parquet", Path(name) / "told.parquet"
        for count in sizes:
            simulate(known, count, given)
            runs.append(measure(count, given, told, options))
            print(runs[-1], flush=True)
    text = written(known, runs, options)
    (HERE / "result.md").write_text(text, encoding="utf-8")
    print(text)


def written(known: Facts, runs: list[Run], options: list[str]) -> str:
    lines = [
        f"| {run.series:,} | {run.rows:,} | {run.seconds:.0f} | {run.cpu:.0f} "
        f"| {1000 * run.cpu / run.series:.2f} | {run.peak:,.0f} "
        f"| {run.given:.1f} | {run.told:.1f} | {run.free:.1f} |"
        for run in runs
    ]
    pairs = [
        f"from {a.series:,} to {b.series:,} it is {np.log(b.cpu / a.cpu) / np.log(b.series / a.series):.2f}"
        f" ({1000 * (b.cpu - a.cpu) / (b.series - a.series):.2f} ms for each series more)"
        for a, b in itertools.pairwise(runs)
    ]
    cpu, clock = exponent(runs, [r.cpu for r in runs]), exponent(runs, [r.seconds for r in runs])
    return f"""# Growth: seconds and memory against the number of series

{stamp(known.data, f"{runs[0].series:,} to {runs[-1].series:,} simulated annual series")}

`python benchmarks/growth/run.py`: the command as a user runs it, `forecarbon forecast --history FILE
--steps {STEPS} {" ".join(options)} --out FILE`, from its start to its end: reading, learning, every member of
the blend, conformal bands and hurdle, writing. BLAS and OpenMP on one thread. *CPU* is what its processes
spent; the clock depends on who else used the machine (*load*: mean number of processes that wanted a core).
*MB* is the peak of resident memory, summed over its processes.

Each series is drawn from the facts of a real plant (periods, level, volatility, idle years at the end,
country, sector) with a random walk of its own. The facts:
{known.told()}.

| series | figures | seconds | CPU seconds | CPU ms a series | MB | input MB | output MB | load |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(lines)}

Exponent of seconds over series, fitted to all sizes on logarithms:
**{cpu:.2f} of computing, {clock:.2f} by the clock**. Of CPU seconds,
{(";" + chr(10)).join(pairs)}.

A start of some seconds, and learning (from all series up to 20,000, beyond that from 20,000 spread evenly),
do not grow further, so exponents that reach back to small sizes lie below one; the milliseconds for each
series more are the honest rate. A forecast writes nothing to a lake or a tracker; what it leaves is its
output.
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--engine", default="local")
    parser.add_argument("--workers", type=int, default=0)
    given = parser.parse_args()
    chosen = ["--engine", given.engine, *(["--workers", str(given.workers)] if given.workers else [])]
    main(given.sizes, chosen)
