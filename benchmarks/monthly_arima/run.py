"""Monthly ARIMA at five origins: seconds, memory and MASE beside statsforecast's AutoARIMA.

Usage: python benchmarks/monthly_arima/run.py --peers PYTHON [--sample 20] [--lots 5]
The peer needs seconds for each series and origin, so it is timed on a random sample in lots, one process
and one thread each, ours on all series between the lots. Writes result.md beside this file.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from benchmarks.figures import Paired, digest, mase, stamp, us_states  # noqa: E402
from benchmarks.peers import Measured, measure, peers_argument, peers_python  # noqa: E402

ORIGINS = np.array([144, 156, 168, 180, 192])
STEPS = 12
SEED = 4
FINALS = ("css", "filter")


def main(python: str, sample: int, lots: int) -> None:
    held = us_states()
    y = held.y[np.isfinite(held.y).all(axis=1) & (held.lengths == held.y.shape[1])][:, : ORIGINS[-1] + STEPS]
    picked = np.random.default_rng(SEED).permutation(len(y))[:sample]
    settings = {"season": 12, "steps": STEPS, "origins": len(ORIGINS), "step": 12, "jobs": 1}
    peer: list[Measured] = []
    ours: dict[str, list[Measured]] = {final: [] for final in FINALS}
    for rows in np.array_split(picked, lots):
        peer.append(
            measure(HERE.parent / "annual_arima" / "theirs.py", "auto_arima", {"y": y[rows]}, settings,
                    python=python, repeats=1, threads=1, packages=("statsforecast", "numba"))
        )  # fmt: skip
        for final, runs in ours.items():
            given = {"y": y, "origins": ORIGINS}
            runs.append(
                measure(HERE / "ours.py", "sarima", given, {**settings, "final": final}, repeats=3, threads=1)
            )
    write(y, picked, lots, peer, ours)


def write(
    y: np.ndarray, picked: np.ndarray, lots: int, peer: list[Measured], ours: dict[str, list[Measured]]
) -> None:
    sizes = [len(part) for part in np.array_split(picked, lots)]
    peer_each = [m.median / size for m, size in zip(peer, sizes, strict=True)]
    score = mase(np.concatenate([m.arrays["point"] for m in peer], axis=1), y[picked], ORIGINS, 12)
    lines = []
    for final, runs in ours.items():
        each = [m.median / len(y) for m in runs]
        ratio = statistics.median(p / o for p, o in zip(peer_each, each, strict=True))
        whole = mase(runs[0].arrays["point"], y, ORIGINS, 12)
        lines.append(
            f"| ours, final = {final} | {len(y)} | {statistics.median(m.median for m in runs):.2f} "
            f"| {1 / statistics.median(each):,.0f} | {max(m.peak for m in runs) / 1e6:.0f} "
            f"| **{ratio:,.0f}x** | {np.nanmean(whole[picked]):.3f} | {Paired.of(whole[picked], score)} "
            f"| {np.nanmean(whole):.3f} |"
        )
    flat = np.stack([y[:, o - 12 : o] for o in ORIGINS])
    naive = mase(flat, y, ORIGINS, 12)
    versions = ", ".join(f"{k} {v}" for k, v in peer[0].versions.items())
    text = f"""# Monthly ARIMA at five origins, beside AutoARIMA

{stamp(digest(y), f"{len(y)} states × {len(ORIGINS)} origins × {STEPS} steps")}
Peer: {versions}

`python benchmarks/monthly_arima/run.py --peers PYTHON`: CO2 of power by US state and month from 2001 on;
origins at the ends of 2012 to 2016, a year ahead (no choice was made on these years). One process and one
thread each, in turn; medians of {lots}. The peer (`season_length=12`) is timed on a random sample of
{len(picked)} states in lots of {sizes[0]}, ours on all: ratios are of seconds a series. MASE (in seasonal
changes) and paired differences (mean over series, standard error) are over the sample; the last column is
over all states, where seasonal naive has {np.nanmean(naive):.3f}
({np.nanmean(naive[picked]):.3f} on the sample).

| | series | seconds | series/s | MB at peak | ratio | MASE | ours − peer | MASE, all |
|---|---|---|---|---|---|---|---|---|
| statsforecast AutoARIMA | {len(picked)} | {sum(m.median for m in peer):.0f} \
| {1 / statistics.median(peer_each):.2f} | {max(m.peak for m in peer) / 1e6:.0f} | 1 \
| {np.nanmean(score):.3f} | | |
""" + "\n".join(lines) + "\n"  # fmt: skip
    (HERE / "result.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    peers_argument(parser)
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--lots", type=int, default=5)
    asked = parser.parse_args()
    main(peers_python(asked.peers), asked.sample, asked.lots)
