"""Reconciling 5,000 installations with their sectors, countries and the whole: ours beside the dense peer.

Usage: python benchmarks/reconciliation/run.py --peers PYTHON [--parts 5000]
Writes result.md beside this file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from benchmarks.figures import complete, digest, eutl_plants, stamp  # noqa: E402
from benchmarks.peers import Measured, PeerFailed, measure, peers_argument, peers_python  # noqa: E402
from models.reconcile import Errors  # noqa: E402

Float = npt.NDArray[np.float64]
STEPS = 5
ASKED = (("wls_var", False), ("mint_shrink", False), ("wls_var", True), ("mint_shrink", True))
# The peer takes minutes where parts must not fall below zero: what is not done by then is said to be so.
PATIENCE = 60.0


def main(python: str, parts: int) -> None:
    held = complete(eutl_plants(), 18)
    moving = np.flatnonzero(np.abs(np.diff(held.y[:, :13], axis=1)).sum(axis=1) > 0)[:parts]
    held = held.take(moving)
    summing = summing_of(
        held.traits["country"].to_numpy(dtype=str), held.traits["sector"].to_numpy(dtype=str)
    )
    # Base forecasts a drift, residuals the errors of naive: each level by itself, so that they disagree.
    y = np.vstack([summing @ held.y[:, :13], held.y[:, :13]])
    residuals = np.diff(y, axis=1)
    middle = np.median(residuals, axis=1, keepdims=True)
    base = np.maximum(y[:, -1:] + middle * np.arange(1, STEPS + 1), 0.0)
    given = {"summing": summing, "base": base, "residuals": residuals}
    lines, versions = [], {}
    for method, lawful in ASKED:
        settings = {"method": method, "non_negative": lawful}
        own = measure(HERE / "ours.py", "mint", given, settings)
        apart = distance(own.arrays["made"], base, summing, residuals, method) if not lawful else float("nan")
        lines.append(line("ours", method, lawful, own, own, apart))
        for lean in (False, True):
            name = "MinTraceSparse" if lean else "MinTrace"
            try:
                peer = measure(
                    HERE / "theirs.py", "mint", given, {**settings, "sparse": lean}, python=python,
                    timeout=PATIENCE, packages=("hierarchicalforecast",),
                )  # fmt: skip
            except PeerFailed as failed:
                lines.append(
                    f"| {name} | {method} | {lawful} | failed: {str(failed).splitlines()[-1][:80]} | | | | |"
                )
                continue
            versions = peer.versions
            gap = float(np.abs(peer.arrays["made"] - own.arrays["made"]).max() / np.abs(base).max())
            lines.append(line(name, method, lawful, peer, own, gap))
        print("\n".join(lines[-3:]), flush=True)
    write(lines, stamp(digest(held.y), f"{len(held.ids)} parts, {len(summing)} totals"), versions)


def summing_of(country: npt.NDArray[np.str_], sector: npt.NDArray[np.str_]) -> Float:
    """(U, B) the whole, countries, sectors and sectors of countries, each once."""
    groups = [np.ones(len(country), dtype=bool)]
    groups += [country == name for name in np.unique(country)]
    groups += [sector == name for name in np.unique(sector)]
    both = np.char.add(np.char.add(country, "/"), sector)
    groups += [both == name for name in np.unique(both)]
    return np.unique(np.asarray(groups, dtype=float), axis=0)


def distance(made: Float, base: Float, summing: Float, residuals: Float, method: str) -> float:
    """Largest difference from the textbook's dense algebra, as a share of the largest base forecast."""
    rows = residuals.T
    errors = Errors.diagonal(np.mean(rows**2, axis=0)) if method == "wls_var" else Errors.shrunk(rows)
    across = np.hstack([np.eye(len(summing)), -summing])
    weighed = across * errors.own + (across @ errors.shared.T) @ errors.shared
    dense = base.T - (weighed.T @ np.linalg.solve(weighed @ across.T, across @ base)).T
    return float(np.abs(made - dense).max() / np.abs(base).max())


def line(name: str, method: str, lawful: bool, measured: Measured, own: Measured, apart: float) -> str:
    """A line of the table."""
    return (
        f"| {name} | {method} | {lawful} | {len(measured.seconds)} | {measured.median:.4f} "
        f"| {measured.grown / 1e6:.0f} | {measured.median / own.median:,.0f}x | {apart:.1e} |"
    )


def write(lines: list[str], stamped: str, versions: dict[str, str]) -> None:
    """Write result.md."""
    text = f"""# Reconciling {stamped.split("n = ")[1].split(" ·")[0]}, beside the dense peer

{stamped}
Peer: {", ".join(f"{k} {v}" for k, v in versions.items())}

`python benchmarks/reconciliation/run.py --peers PYTHON`: EU ETS installations, sectors of countries, sectors,
countries and the whole; base forecasts a median drift of thirteen years, residuals naive's, {STEPS} steps.
Each in a process of its own, two threads, medians; the covariance is part of what is timed. The last column
is the largest difference, as a share of the largest base forecast: for ours from dense algebra, for the peer
from ours.
The peer estimates the shrinkage in another way, hence the 3e-4 there; ours is held to the formula as it
was published by tests/oracles/test_reconcile.py. "Failed" says what the peer said, or that a minute was
not enough.

| | method | non-negative | runs | seconds | MB grown | peer / ours | apart |
|---|---|---|---|---|---|---|---|
""" + "\n".join(lines) + "\n"  # fmt: skip
    (HERE / "result.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    peers_argument(parser)
    parser.add_argument("--parts", type=int, default=5000)
    asked = parser.parse_args()
    main(peers_python(asked.peers), asked.parts)
