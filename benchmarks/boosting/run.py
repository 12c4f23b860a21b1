"""One booster for a whole panel at five origins: seconds, memory and MASE beside mlforecast with LightGBM.

Usage: python benchmarks/boosting/run.py --peers PYTHON [--repeats 5]
Writes result.md beside this file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from benchmarks.figures import Paired, complete, digest, eutl_plants, mase, stamp  # noqa: E402
from benchmarks.peers import Measured, measure, peers_argument, peers_python  # noqa: E402

ORIGINS = np.arange(9, 14)
STEPS = 5
PEERS: dict[str, dict[str, Any]] = {
    "logs, 3 lags, 100 trees": {"target": "log", "lags": 3, "rolling": False, "trees": 100},
    "logs, 3 lags, 50 trees": {"target": "log", "lags": 3, "rolling": False, "trees": 50},
    "logs, 4 lags and rolling means, 100 trees": {"target": "log", "lags": 4, "rolling": True, "trees": 100},
    "scaled differences, 3 lags, 100 trees": {"target": "scaled", "lags": 3, "rolling": False, "trees": 100},
}


def main(python: str, repeats: int) -> None:
    held = complete(eutl_plants(), 18)
    given = {
        "y": held.y, "origins": ORIGINS,
        **{name: held.traits[name].to_numpy(dtype=str) for name in ("country", "sector")},
    }  # fmt: skip
    common = {"steps": STEPS, "jobs": 1}
    ours = {
        traits: measure(HERE / "ours.py", "cross_validate", given, {**common, "traits": traits},
                        repeats=repeats, threads=1)
        for traits in (False, True)
    }  # fmt: skip
    peers = {
        name: measure(HERE / "theirs.py", "cross_validate", given, {**common, **asked}, python=python,
                      repeats=repeats, threads=1, packages=("mlforecast", "lightgbm"))
        for name, asked in PEERS.items()
    }  # fmt: skip
    scan = measure(HERE / "ours.py", "features", given, common, repeats=repeats, threads=1)
    built = {
        name: measure(HERE / "theirs.py", "features", given, {**common, **asked}, python=python,
                      repeats=repeats, threads=1)
        for name, asked in PEERS.items()
    }  # fmt: skip
    lines = []
    own = mase(ours[True].arrays["point"], held.y, ORIGINS)
    for traits, told in ours.items():
        title = "ours, recursive" + (", with country and sector" if traits else "")
        lines.append(row(title, told, ours[True], held.y, own))
    lines += [row(f"mlforecast: {name}", told, ours[True], held.y, own) for name, told in peers.items()]
    fastest = min(m.median for m in peers.values())
    table = "\n".join(lines)
    feature_lines = "\n".join(
        f"| mlforecast: {name} | {told.median * 1e3:.1f} | {told.median / scan.median:.1f}x |"
        for name, told in built.items()
    )
    flat = np.repeat(np.stack([held.y[:, o - 1] for o in ORIGINS])[:, :, None], STEPS, axis=2)
    naive = np.nanmean(mase(flat, held.y, ORIGINS))
    versions = ", ".join(f"{k} {v}" for k, v in next(iter(peers.values())).versions.items())
    text = f"""# A booster for a whole panel at five origins, beside mlforecast

{stamp(digest(held.y), f"{len(held.ids)} installations × {len(ORIGINS)} origins × {STEPS} steps")}
Peer: {versions}

`python benchmarks/boosting/run.py --peers PYTHON`: EU ETS installations with a figure in each year of
2005-2022; a booster trained anew on 9 to 13 years. One process and one thread each, medians of {repeats}.
MASE is the mean over series (naive {naive:.3f}); differences are paired over series, with their standard
error, against ours with country and sector. Settings of ours were chosen on origins 9 to 11.

| | seconds | ratio | MB at peak (grown) | MASE | − ours ± |
|---|---|---|---|---|---|
{table}

Even the fastest of the peer's settings takes {fastest / ours[True].median:.1f} times our seconds.

Features of every series at every position: ours (nine, one scan) {scan.median * 1e3:.1f} ms;
`MLForecast.preprocess`:

| | ms | ratio |
|---|---|---|
{feature_lines}
"""  # fmt: skip
    (HERE / "result.md").write_text(text, encoding="utf-8")
    print(text)


def row(title: str, told: Measured, ours: Measured, y: Any, own: Any) -> str:
    """A line of the table."""
    score = mase(told.arrays["point"], y, ORIGINS)
    apart = "" if told is ours else str(Paired.of(score, own))
    return (
        f"| {title} | {told.median:.2f} | {told.median / ours.median:.1f}x "
        f"| {told.peak / 1e6:.0f} (+{told.grown / 1e6:.0f}) | {np.nanmean(score):.4f} | {apart} |"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    peers_argument(parser)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    main(peers_python(asked.peers), asked.repeats)
