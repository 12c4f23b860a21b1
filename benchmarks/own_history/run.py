"""Own histories: 20,000 annual series through the command, and every cadence from 8 to 3,000 points.

Usage: python benchmarks/own_history/run.py [--series 20000]
Writes result.md beside this file.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.figures import complete, digest, eutl_plants, stamp  # noqa: E402

# pandas' names of the cadences, their season, and how many points are asked of each.
CADENCES = {
    "year": ("YS", 1, (8, 18, 60, 200)), "quarter": ("QS", 4, (8, 24, 120, 400)),
    "month": ("MS", 12, (8, 30, 120, 600)), "week": ("W-MON", 52, (8, 60, 300, 1500)),
    "day": ("D", 7, (8, 60, 730, 3000)), "hour": ("h", 24, (8, 100, 1000, 3000)),
}  # fmt: skip
EACH = 40
STEPS = 12
COMMAND = "import sys; from forecarbon import main; sys.argv[0] = 'forecarbon'; main()"


def main(series: int) -> None:
    y = complete(eutl_plants(), 18).y
    with tempfile.TemporaryDirectory(prefix="forecarbon-own-") as name:
        folder = Path(name)
        lines = [of_plants(y, series, folder), *of_cadences(folder)]
    text = f"""# Own histories of any size and cadence

{stamp(digest(y), f"{series} annual series; {EACH} series a cadence and length")}

`python benchmarks/own_history/run.py`: the command as a user runs it, `forecarbon forecast --history FILE
--steps 8 --out FILE`, from its start to its end: reading, checking, replaying past cutoffs, fitting every
member, bands, writing. One thread. The annual series are EU ETS installations drawn with replacement, each
figure moved by 2%; the others are simulated: a level, a season and a random walk. *Error* is the mean
absolute error of the {STEPS} periods held back (8 points: of 3) against that of seasonal naive.

| cadence | series | points | seconds | MB | error / seasonal naive | inside 80% |
|---|---|---|---|---|---|---|
""" + "\n".join(lines) + "\n"  # fmt: skip
    (HERE / "result.md").write_text(text, encoding="utf-8")
    print(text)


def of_plants(y: np.ndarray, series: int, folder: Path) -> str:
    """A line of the table: thousands of annual series."""
    draw = np.random.default_rng(3)
    drawn = y[draw.integers(0, len(y), series)] * np.exp(draw.normal(0, 0.02, (series, y.shape[1])))
    seconds, memory, made = run(drawn, "YS", 8, folder)
    if made["unique_id"].nunique() != series:
        raise SystemExit(f"{made['unique_id'].nunique()} of {series} series answered")
    return f"| year | {series} | {y.shape[1]} | **{seconds:.1f}** | {memory:.0f} | | |"


def of_cadences(folder: Path) -> list[str]:
    """A line of the table for each cadence and length."""
    lines = []
    for name, (stamps, season, lengths) in CADENCES.items():
        for n in lengths:
            steps = 3 if n == 8 else STEPS
            whole = simulated(n + steps, season)
            seconds, memory, made = run(whole[:, :n], stamps, steps, folder)
            quantiles = [made[f"q{level}"].to_numpy().reshape(EACH, steps) for level in (0.1, 0.5, 0.9)]
            actual = whole[:, n:]
            back = season * -(-steps // season)
            naive = np.stack([whole[:, n + h - (back if n >= back else steps)] for h in range(steps)], axis=1)
            share = np.abs(quantiles[1] - actual).mean() / np.abs(naive - actual).mean()
            inside = ((quantiles[0] <= actual) & (actual <= quantiles[2])).mean()
            lines.append(
                f"| {name} | {EACH} | {n} | {seconds:.1f} | {memory:.0f} | {share:.2f} | {inside:.2f} |"
            )
            print(lines[-1], flush=True)
    return lines


def simulated(n: int, season: int) -> np.ndarray:
    """(EACH, n) positive figures: level × season × random walk."""
    draw = np.random.default_rng(n + season)
    walk = np.cumsum(draw.normal(0, 0.03, (EACH, n)), axis=1) * (12 / max(n, 12)) ** 0.5
    waves = np.sin(2 * np.pi * (np.arange(n) / season + draw.random((EACH, 1)))) if season > 1 else 0.0
    noise = draw.normal(0, 0.03, (EACH, n))
    return np.asarray(10 ** draw.uniform(3, 6, (EACH, 1)) * np.exp(walk + 0.2 * waves + noise))


def run(y: np.ndarray, stamps: str, steps: int, folder: Path) -> tuple[float, float, pd.DataFrame]:
    """Seconds, MB and answer of the command."""
    count, n = y.shape
    ds = pd.date_range("1900-01-01" if stamps == "YS" else "1990-01-01", periods=n, freq=stamps)
    names = [f"s{i:05d}" for i in range(count)]
    given, told = folder / "given.parquet", folder / "told.parquet"
    frame = pd.DataFrame({"unique_id": np.repeat(names, n), "ds": np.tile(ds, count), "y": y.ravel()})
    frame.to_parquet(given, index=False)
    command = [sys.executable, "-c", COMMAND, "forecast", "--history", str(given), "--steps", str(steps)]
    begun = time.perf_counter()
    subprocess.run(
        [*command, "--out", str(told), "--store", str(folder / "store")],
        check=True, cwd=ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return seconds, peak, pd.read_parquet(told)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=20_000)
    main(parser.parse_args().series)
