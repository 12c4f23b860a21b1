"""One reading of a lake in a process of its own: seconds, memory and a digest of what it came to.

Usage: python benchmarks/lake/read.py FOLDER HOW [--rows 262144] [--workers 2]
HOW is whole, here, loky, dask, or former: the code before stretches, from the checkout FORECARBON_CODE.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, os.environ.get("FORECARBON_CODE") or str(Path(__file__).resolve().parents[2]))

import pandas as pd

from features.reference.tables import load
from features.series import basis
from features.series.basis_files import packed
from features.series.lake import Lake

T = pd.Timestamp("2026-11-23")


def main(root: Path, how: str, rows: int, workers: int) -> None:
    from training.fanout import Asked, opened

    engine = {"loky": Asked("local", workers=workers), "dask": Asked("dask", workers=workers)}
    with opened(engine.get(how, Asked())) as spread:
        if how in engine:
            # Every worker has started and loaded what it needs: counted as getting ready.
            list(spread.over(ready, 0, range(4 * workers)))
        begun, cpu = time.perf_counter(), spent()
        if how == "former":
            stock = basis.stock_of(Lake(root), load(), T)
            made = vars(basis)["of_stock"](stock, load(), T)
            del stock
        else:
            most = 1 << 40 if how == "whole" else rows
            made = basis.of_lake(Lake(root), load(), T, spread=spread, rows=most)
        told = {
            "seconds": time.perf_counter() - begun,
            "cpu": spent() - cpu,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
            "series": len(made.series.traits),
            "rows": len(made.series.vintages.frame),
        }
        print(json.dumps(told), flush=True)
        sys.stdin.readline()
    files = packed(made)
    digest = hashlib.sha256(b"".join(files[name] for name in sorted(files))).hexdigest()
    print(json.dumps({"digest": digest, "figures": made.series.data_hash()}), flush=True)


def ready(shared: int, item: int) -> int:
    """Load what a stretch needs."""
    import shapely  # noqa: F401

    import features.series.portions  # noqa: F401

    time.sleep(0.2)
    return shared + item


def spent() -> float:
    """CPU seconds of this process and of its children, those that work among them."""
    import psutil

    me, total = psutil.Process(), 0.0
    for one in [me, *me.children(recursive=True)]:
        try:
            total += sum(one.cpu_times()[:2])
        except psutil.Error:
            continue
    return total


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("how", choices=["whole", "here", "loky", "dask", "former"])
    parser.add_argument("--rows", type=int, default=262_144)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    main(given.folder, given.how, given.rows, given.workers)
