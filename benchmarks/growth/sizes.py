"""Growth of what is kept: bytes in the lake and in MLflow against the number of plants.

Usage: python benchmarks/growth/sizes.py [--lake 1000 10000 100000 1000000] [--retrains 1400 14000 28000]
Writes result-sizes.md beside this file. The largest retrain takes some ten minutes of one core.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.figures import stamp  # noqa: E402
from benchmarks.growth.run import ONE_THREAD, facts  # noqa: E402
from features.series.lake import Lake  # noqa: E402

LAKES = (1_000, 10_000, 100_000, 1_000_000)
RETRAINS = (1_400, 14_000, 28_000)
MAKE = ROOT / "benchmarks" / "lake" / "made.py"
PARTS = ("records", "facilities")
EASIER = {
    '["eutl", "uk-ets", "ghgrp"]': '["eutl"]', "tolerance = 0.0": "tolerance = 0.1",
    "worst_kind = 0.05": "worst_kind = 0.5", "bias_gap = 0.05": "bias_gap = 1.0",
}  # fmt: skip
NOW = datetime(2026, 11, 28, tzinfo=UTC)


@dataclass(frozen=True)
class Held:
    """Rows and bytes of one lake."""

    plants: int
    rows: tuple[int, int]
    bytes: tuple[int, int]
    whole: int


@dataclass(frozen=True)
class Tracked:
    """What one retrain left in its store, and what it spent."""

    plants: int
    series: int
    verdict: str
    database: int
    artifacts: int
    model: int
    pieces: int
    cpu: float
    peak: float


def held(plants: int, root: Path) -> Held:
    """The newest snapshot of simulated plants, as an ingest keeps it; made where it is not there yet."""
    if not root.exists():
        command = [sys.executable, str(MAKE), str(root), "--plants", str(plants), "--shown", "1"]
        subprocess.run(command, check=True)
    snapshot = Lake(root).snapshots()[-1]
    rows = [int(snapshot.parts[part]["rows"]) for part in PARTS]
    if rows[1] != plants:
        raise SystemExit(f"{rows[1]} facilities in {root}, {plants} expected")
    sizes = [(root / snapshot.folder / snapshot.parts[part]["file"]).stat().st_size for part in PARTS]
    return Held(plants, (rows[0], rows[1]), (sizes[0], sizes[1]), below(root / snapshot.folder))


def tracked(plants: int, root: Path, store: Path) -> Tracked:
    """One retrain into an empty store."""
    plan = store.parent / "growth.toml"
    plan.write_text(planned(), encoding="utf-8")
    command = [sys.executable, str(Path(__file__).resolve()), "--one", str(store), str(root), str(plan)]
    env = {name: value for name, value in os.environ.items() if "TRACKING" not in name}
    process = psutil.Popen(command, stdout=subprocess.PIPE, text=True, env={**env, **ONE_THREAD})
    told, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"the retrain ended with {process.returncode}")
    return Tracked(
        plants=plants,
        **json.loads(told.strip().rpartition("\n")[2]),
        database=(store / "mlflow.db").stat().st_size,
        artifacts=below(store / "artifacts"),
        model=below(store / "models"),
        pieces=below(store / "cache"),
    )


def planned() -> str:
    """The plan over facilities, for one source, and with a gate that any recipe near the baseline passes."""
    text = (ROOT / "training" / "plans" / "facilities.toml").read_text(encoding="utf-8")
    text = text.partition("[pictures]")[0]
    for there, here in EASIER.items():
        text = text.replace(there, here)
    return text


def one(store: Path, lake: Path, plan: Path) -> None:
    """The retrain itself, in a process of its own."""
    import resource

    from training.report import run_retrain

    done = run_retrain(plan_file=plan, store=store, lake=lake, now=NOW, root=ROOT)
    spent = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "series": done.series, "verdict": done.verdict.decision,
        "cpu": spent.ru_utime + spent.ru_stime, "peak": spent.ru_maxrss / 1000,
    }  # fmt: skip
    print("\n" + json.dumps(told))


def below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.exists() else 0


def exponents(counts: list[int], amounts: list[int]) -> str:
    """Slope of logarithms over all sizes, and between neighbours."""
    if len(counts) < 2:
        return "one size alone"
    whole = float(np.polyfit(np.log(counts), np.log(amounts), 1)[0])
    pairs = itertools.pairwise(zip(counts, amounts, strict=True))
    steps = [np.log(b / a) / np.log(m / n) for (n, a), (m, b) in pairs]
    return f"{whole:.2f} (step by step {', '.join(f'{step:.2f}' for step in steps)})"


def main(lakes: list[int], retrains: list[int], made: Path | None) -> None:
    """``made``: where lakes of so many plants lie already, and where others are left."""
    with tempfile.TemporaryDirectory(prefix="forecarbon-sizes-") as name:
        sizes, place = [], made or Path(name)
        for plants in lakes:
            sizes.append(held(plants, place / f"{plants}"))
            print(sizes[-1], flush=True)
        runs = []
        for plants in retrains:
            root, store = Path(name) / f"from-{plants}", Path(name) / f"store-{plants}" / "store"
            store.mkdir(parents=True)
            held(plants, root)
            runs.append(tracked(plants, root, store))
            print(runs[-1], flush=True)
    text = written(sizes, runs)
    (HERE / "result-sizes.md").write_text(text, encoding="utf-8")
    print(text)


def written(sizes: list[Held], runs: list[Tracked]) -> str:
    kept = [
        f"| {h.plants:,} | {h.rows[0]:,} | {h.bytes[0] / 1e6:.2f} | {h.bytes[0] / h.rows[0]:.2f} "
        f"| {h.bytes[1] / 1e6:.2f} | {h.bytes[1] / h.rows[1]:.1f} | {h.whole / 1e6:.2f} "
        f"| {h.whole / h.plants:.0f} |"
        for h in sizes
    ]
    tried = [
        f"| {r.plants:,} | {r.series:,} | {r.verdict} | {r.database / 1e6:.2f} | {r.artifacts / 1e6:.2f} "
        f"| {r.model / 1e6:.2f} | {r.pieces / 1e6:.0f} | {r.cpu:.0f} | {r.peak:,.0f} |"
        for r in runs
    ]
    counts, series = [h.plants for h in sizes], [r.series for r in runs]
    return f"""# Growth of what is kept: the lake and MLflow

{stamp(facts().data, f"{sizes[0].plants:,} to {sizes[-1].plants:,} simulated plants")}

`python benchmarks/growth/sizes.py`. The plants have the facts of real ones (see result.md), each with its
name, country and sector. *Lake*: one snapshot of them, as an ingest keeps it (Parquet, zstd); the whole
counts its card and its list of complaints too.

| plants | records | MB | bytes a record | facilities MB | bytes a facility | whole MB | bytes a plant |
|---|---|---|---|---|---|---|---|
{chr(10).join(kept)}

Exponent over plants: records {exponents(counts, [h.bytes[0] for h in sizes])};
facilities {exponents(counts, [h.bytes[1] for h in sizes])};
whole {exponents(counts, [h.whole for h in sizes])}.

*MLflow*: one retrain by the plan over facilities (one source, the same members, folds and tables; a gate that
passes any recipe near the baseline, so that the model is logged and registered) into an empty store: the
tracker's database with its empty tables, and the files of its runs. Beside them the saved model, the pieces
that a resumed retrain reads, and what the retrain spent. Plants with eight figures are series of their own;
sectors and countries are added.

| plants | series | verdict | database MB | files MB | saved model MB | pieces MB | CPU s | peak MB |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(tried)}

Exponent over series: database {exponents(series, [r.database for r in runs])};
files {exponents(series, [r.artifacts for r in runs])};
saved model {exponents(series, [r.model for r in runs])}.
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lake", type=int, nargs="+", default=list(LAKES))
    parser.add_argument("--retrains", type=int, nargs="+", default=list(RETRAINS))
    parser.add_argument("--made", type=Path)
    parser.add_argument("--one", type=Path, nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        one(*given.one)
    else:
        main(given.lake, given.retrains, given.made)
