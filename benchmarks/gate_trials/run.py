"""Planted differences in seeded trials: whom does the gate let in?

Usage: python benchmarks/gate_trials/run.py [TRIALS [FIRST SEED]]   (default 200 10000)
Writes result.md beside this file. The worlds are described in tests/training/trials.py.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from tests.training.trials import PLAN, recipe_in, trial, world  # noqa: E402
from training.report import commit_of  # noqa: E402
from training.scores import pairs  # noqa: E402
from training.scoring import mean_of  # noqa: E402

CASES = (
    ("worse by 10%", 1.10, "", "promote in none"),
    ("worse by 5%", 1.05, "", "promote in none"),
    ("worse by 2%", 1.02, "", "not asked for"),
    ("equal", 1.0, "", "promote in under 5%"),
    ("better by 2%", 0.98, "", "not asked for"),
    ("better by 5%", 0.95, "", "promote in over 80%"),
    ("better by 10%", 0.90, "", "not asked for"),
    ("better by 10%, one fold NaN", 0.90, "nan", "cannot-judge in all"),
    ("better by 10%, one quantile infinite", 0.90, "infinite", "cannot-judge in all"),
    ("equal, silent on its 30 worst series", 1.0, "silent", "cannot-judge in all"),
)


def main(trials: int, first: int) -> None:
    """All cases on the same seeds; then the file."""
    begun = time.monotonic()
    rows = []
    for label, error, spoil, asked in CASES:
        found = Counter(
            trial(seed, error=error, spoil=spoil).decision for seed in range(first, first + trials)
        )
        told = " | ".join(str(found[word]) for word in ("promote", "keep", "cannot-judge"))
        rows.append(f"| {label} | {told} | {asked} |")
        print(rows[-1], flush=True)
    scatter, memory, between = shape(range(first, first + trials))
    seconds = time.monotonic() - begun
    text = f"""# Trials of the gate

{datetime.now(UTC):%Y-%m-%d} · commit {commit_of(ROOT)[:12]} · n = {trials} trials a row · seeds from {first}

`python benchmarks/gate_trials/run.py {trials} {first}`: two synthetic backtests a trial, 8 folds, 8 steps,
316 series (tests/training/trials.py); confidence {PLAN.confidence:g}, primary score {PLAN.primary};
{seconds:.0f} s. The worlds and the confidence were settled on seeds below a thousand.

| challenger | promote | keep | cannot-judge | asked |
|---|---|---|---|---|
"""
    shaped = f"""
Differences between two equal recipes scatter over the folds of a trial by {100 * scatter:.1f}% of the
score, with a lag-one correlation of {memory:.2f}; their mean scatters over trials by {100 * between:.1f}%.
"""
    (HERE / "result.md").write_text(text + "\n".join(rows) + "\n" + shaped)


def shape(seeds: range) -> tuple[float, float, float]:
    """Scatter over folds, lag-one correlation, and scatter of the mean over trials, of equal recipes."""
    lines = []
    for seed in seeds:
        ground = world(seed)
        a, b = (pairs(recipe_in(ground, name), PLAN.primary) for name in "ab")
        lines.append([mean_of(row)[0] / mean_of(a)[0] for row in b - a])
    d = np.array(lines)
    hang = [float(np.corrcoef(row[1:], row[:-1])[0, 1]) for row in d]
    return float(d.std(axis=1, ddof=1).mean()), float(np.mean(hang)), float(d.mean(axis=1).std())


if __name__ == "__main__":
    main(*(int(sys.argv[k]) if len(sys.argv) > k else default for k, default in ((1, 200), (2, 10_000))))
