"""Annual ARIMA at five origins: seconds, memory and MASE beside statsforecast's AutoARIMA.

Usage: python benchmarks/annual_arima/run.py --peers PYTHON [--sample 300] [--lots 5]
The peer takes an hour for all series, so it is timed on a random sample in lots, one process and one
thread each, ours on all series between the lots. Writes result.md beside this file.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from benchmarks.figures import Paired, complete, digest, eutl_plants, mase, stamp  # noqa: E402
from benchmarks.peers import Measured, measure, peers_argument, peers_python  # noqa: E402

ORIGINS = np.arange(9, 14)
STEPS = 5
SEED = 4
FINALS = ("grid", "mle")


def main(python: str, sample: int, lots: int) -> None:
    y = complete(eutl_plants(), 18).y
    picked = np.random.default_rng(SEED).permutation(len(y))[:sample]
    settings = {"season": 1, "steps": STEPS, "origins": len(ORIGINS), "step": 1, "jobs": 1, "cold": False}
    peer: list[Measured] = []
    ours: dict[tuple[str, bool], list[Measured]] = {(f, cold): [] for f in FINALS for cold in (False, True)}
    given = {"y": y, "origins": ORIGINS}
    for rows in np.array_split(picked, lots):
        peer.append(
            measure(HERE / "theirs.py", "auto_arima", {"y": y[rows]}, settings, python=python, repeats=1,
                    threads=1, packages=("statsforecast", "numba"))
        )  # fmt: skip
        for final, cold in ours:
            asked = {**settings, "final": final, "cold": cold}
            ours[final, cold].append(measure(HERE / "ours.py", "arima", given, asked, repeats=3, threads=1))
    two = measure(
        HERE / "theirs.py", "auto_arima", {"y": y[picked]}, {**settings, "jobs": 2}, python=python, repeats=1
    )
    write(y, picked, lots, peer, ours, two)


def write(
    y: np.ndarray, picked: np.ndarray, lots: int, peer: list[Measured],
    ours: dict[tuple[str, bool], list[Measured]], two: Measured,
) -> None:  # fmt: skip
    sizes = [len(part) for part in np.array_split(picked, lots)]
    peer_each = [m.median / size for m, size in zip(peer, sizes, strict=True)]
    theirs = np.concatenate([m.arrays["point"] for m in peer], axis=1)
    score = mase(theirs, y[picked], ORIGINS)
    naive = np.repeat(np.stack([y[:, o - 1] for o in ORIGINS])[:, :, None], STEPS, axis=2)
    lines = []
    for (final, cold), runs in ours.items():
        each = [m.median / len(y) for m in runs]
        ratio = statistics.median(p / o for p, o in zip(peer_each, each, strict=True))
        whole = mase(runs[0].arrays["point"], y, ORIGINS)
        lines.append(
            f"| ours, final = {final}, dictionary {'built' if cold else 'cached'} | {len(y)} "
            f"| {statistics.median(m.median for m in runs):.2f} | {1 / statistics.median(each):,.0f} "
            f"| {max(m.peak for m in runs) / 1e6:.0f} (+{max(m.grown for m in runs) / 1e6:.0f}) "
            f"| **{ratio:,.0f}x** | {np.nanmean(whole[picked]):.3f} | {Paired.of(whole[picked], score)} "
            f"| {np.nanmean(whole):.3f} |"
        )
    flat = mase(naive, y, ORIGINS)
    two_each = two.median / len(picked)
    versions = ", ".join(f"{k} {v}" for k, v in peer[0].versions.items())
    text = f"""# Annual ARIMA at five origins, beside AutoARIMA

{stamp(digest(y), f"{len(y)} installations × {len(ORIGINS)} origins × {STEPS} steps")}
Peer: {versions}

`python benchmarks/annual_arima/run.py --peers PYTHON`: EU ETS installations with a figure in each year of
2005-2022; 9 to 13 training years. One process and one thread each, in turn; medians of {lots}. The peer is
timed on a random sample of {len(picked)} series in lots of {sizes[0]}, ours on all: ratios are of seconds a
series. MASE and paired differences (mean over series, standard error) are over the sample; the last column
is over all series, where naive has {np.nanmean(flat):.3f} ({np.nanmean(flat[picked]):.3f} on the sample).

| | series | seconds | series/s | MB at peak (grown) | ratio | MASE | ours − peer | MASE, all |
|---|---|---|---|---|---|---|---|---|
| statsforecast AutoARIMA | {len(picked)} | {sum(m.median for m in peer):.0f} \
| {1 / statistics.median(peer_each):.2f} | {max(m.peak for m in peer) / 1e6:.0f} | 1 \
| {np.nanmean(score):.3f} | | |
"""
    text += "\n".join(lines) + f"""

With two processes (`n_jobs=2`, {len(picked)} series at once, start of the processes included) the peer does
{1 / two_each:.2f} series a second. `final="mle"` climbs to the maximum of the exact likelihood for all rows
together; `tests/oracles/test_whitening.py` holds it to statsmodels' own maximum (never 1e-5 below) and the
log-likelihood to statsmodels' at 1e-9 on 1,000 random series.
"""  # fmt: skip
    (HERE / "result.md").write_text(text)
    print(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    peers_argument(parser)
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--lots", type=int, default=5)
    asked = parser.parse_args()
    main(peers_python(asked.peers), asked.sample, asked.lots)
