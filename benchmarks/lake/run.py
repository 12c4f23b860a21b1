"""A lake read whole, by stretches, and by stretches on several processes: seconds, memory, same figures.

Usage: python benchmarks/lake/run.py [--plants 100000 1000000] [--former CHECKOUT] [--most 12000]
Writes result.md beside this file. A million plants take a quarter of an hour of one core.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.figures import stamp  # noqa: E402
from benchmarks.growth.run import ONE_THREAD, facts  # noqa: E402
from features.series.lake import Lake  # noqa: E402

WAYS = {
    "former": "whole, as before stretches",
    "whole": "whole",
    "here": "stretches, one process",
    "loky": "stretches, two processes of joblib",
    "dask": "stretches, two Dask workers",
}
ROWS = {"registers": 65_536}
LARGEST = 500_000


@dataclass(frozen=True)
class Reading:
    """One reading, to its end or to the memory at which it was ended."""

    lake: str
    how: str
    told: dict[str, Any]
    peak: float


def measure(lake: str, root: Path, how: str, code: Path, most: float) -> Reading:
    """Read a lake in a process of its own; memory is summed over it and the processes it starts."""
    rows = ["--rows", str(ROWS[lake])] if lake in ROWS else []
    command = [sys.executable, str(HERE / "read.py"), str(root), how, *rows]
    env = {**os.environ, **ONE_THREAD, "FORECARBON_CODE": str(code), "PYTHONPATH": str(code)}
    pipe = subprocess.PIPE
    process = psutil.Popen(command, cwd=code, stdin=pipe, stdout=pipe, text=True, env=env)
    peak, line = 0.0, ""
    while not line and process.poll() is None:
        alive = sum(memory(one) for one in [process, *process.children(recursive=True)]) / 1e6
        peak = max(peak, alive)
        if alive > most:
            for one in [*process.children(recursive=True), process]:
                one.kill()
            process.wait()
            return Reading(lake, how, {}, peak)
        if select.select([process.stdout], [], [], 0.1)[0]:
            line = process.stdout.readline()
    rest, _ = process.communicate("\n")
    return Reading(lake, how, {**json.loads(line), **json.loads(rest)}, peak)


def memory(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss)
    except psutil.Error:
        return 0.0


def main(plants: list[int], former: Path | None, most: float) -> None:
    readings, sizes = [], []
    with tempfile.TemporaryDirectory(prefix="forecarbon-lake-") as name:
        for lake in ["registers", *map(str, plants)]:
            root = Path(name) / lake
            more = [] if lake in ROWS else ["--plants", lake]
            subprocess.run([sys.executable, str(HERE / "made.py"), str(root), *more], check=True)
            sizes.append(size(lake, root))
            for how in WAYS:
                large = lake not in ROWS and int(lake) >= LARGEST
                if (how == "former" and not former) or (large and how in ("former", "dask")):
                    continue
                code = former if how == "former" and former else ROOT
                readings.append(measure(lake, root, how, code, most))
                print(readings[-1], flush=True)
    text = written(readings, sizes, most)
    (HERE / "result.md").write_text(text, encoding="utf-8")
    print(text)


def size(lake: str, root: Path) -> str:
    snapshots = Lake(root).snapshots()
    rows = {part: sum(int(s.parts[part]["rows"]) for s in snapshots) for part in ("records", "facilities")}
    held = {part: sum(path.stat().st_size for path in root.rglob(f"{part}.parquet")) for part in rows}
    return (
        f"| {title(lake)} | {len(snapshots)} | {rows['records']:,} | {held['records'] / 1e6:.1f} "
        f"| {held['records'] / rows['records']:.2f} | {rows['facilities']:,} "
        f"| {held['facilities'] / 1e6:.1f} | {held['facilities'] / rows['facilities']:.1f} |"
    )


def title(lake: str) -> str:
    return "three registers" if lake in ROWS else f"{int(lake):,} plants"


def row(reading: Reading, readings: list[Reading]) -> str:
    told, name = reading.told, f"| {title(reading.lake)} | {WAYS[reading.how]} "
    if not told:
        return name + f"| ended | ended | over {reading.peak:,.0f} | | |"
    first = next(one for one in readings if one.lake == reading.lake and one.told)
    same = (told["digest"], told["figures"]) == (first.told["digest"], first.told["figures"])
    return (
        f"{name}| {told['cpu']:.1f} | {told['seconds']:.1f} | {reading.peak:,.0f} "
        f"| {told['peak']:,.0f} | {'the same' if same else 'OTHER'} |"
    )


def written(readings: list[Reading], sizes: list[str], most: float) -> str:
    rows = "\n".join(row(one, readings) for one in readings)
    largest = max(one.told.get("rows", 0) for one in readings)
    return f"""# The lake by stretches: seconds, memory, and the same figures

{stamp(facts().data, f"up to {largest:,} figures of series")}

`python benchmarks/lake/run.py`: what a retrain and a backtest read before anything else, `of_lake`: every
snapshot shown, replayed, summed to plants, sectors, clusters and countries, with score cards. Each reading
is a process of its own on one thread. *CPU* is what all its processes spent, starts left out; *MB* the peak
of resident memory summed over all its processes, and *asker* that of the one that asked. *Figures* holds the
basis, file by file, and its digest against the first reading of that lake. A reading that passed
{most:,.0f} MB was ended.

The registers are the EU ETS as shown in four springs (3% restated between them), the British and the
American one, cut into stretches of {ROWS["registers"]:,} records; simulated plants have the facts of real
ones (see ../growth), as shown in two springs, in stretches of 262,144 records. *Whole, as before stretches*
is another checkout (`--former`), of the commit before.

| lake | snapshots | records | MB | bytes a record | facilities | MB | bytes a facility |
|---|---|---|---|---|---|---|---|
{chr(10).join(sizes)}

| lake | read | CPU s | seconds | MB | asker MB | figures |
|---|---|---|---|---|---|---|
{rows}
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plants", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--former", type=Path)
    parser.add_argument("--most", type=float, default=12_000)
    given = parser.parse_args()
    main(given.plants, given.former, given.most)
