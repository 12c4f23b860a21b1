"""Small panels the tests of the models are run on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.series.cadence import named
from features.series.panel import Dense, Panel

Float = npt.NDArray[np.float64]
NAN = float("nan")


def panel_of(
    series: Iterable[Sequence[float] | Float],
    *,
    cadence: str = "year",
    starts: Sequence[int] | None = None,
    traits: Mapping[str, Sequence[str]] | None = None,
) -> Panel:
    """Series named s000, s001, …, each beginning at its own ordinal (40 otherwise)."""
    counted = named(cadence)
    parts = []
    for i, y in enumerate(series):
        first = 40 if starts is None else starts[i]
        stamps = counted.instant(np.arange(len(y), dtype=np.int64) + first)
        parts.append(pd.DataFrame({"unique_id": f"s{i:03d}", "ds": stamps, "y": np.asarray(y, dtype=float)}))
    names = pd.Index([f"s{i:03d}" for i in range(len(parts))], name="unique_id")
    known = None if traits is None else pd.DataFrame(dict(traits), index=names)
    return Panel.of(pd.concat(parts, ignore_index=True), counted, known)


def dense_of(
    series: Iterable[Sequence[float] | Float],
    *,
    breaks: Iterable[tuple[int, int]] = (),
    cadence: str = "year",
    starts: Sequence[int] | None = None,
    traits: Mapping[str, Sequence[str]] | None = None,
) -> Dense:
    """The same as arrays, with scope breaks at (row, column)."""
    dense = panel_of(series, cadence=cadence, starts=starts, traits=traits).dense
    marked = dense.breaks.copy()
    for row, column in breaks:
        marked[row, column] = True
    return replace(dense, breaks=marked)


def walks(count: int, length: int, *, seed: int, spread: float = 0.08, level: float = 1e5) -> list[Float]:
    """Positive random walks around ``level`` of sizes that differ by a factor of a hundred."""
    draw = np.random.default_rng(seed)
    size = level * 10 ** draw.uniform(-1, 1, count)
    steps = draw.normal(0, spread, (count, length))
    return list(size[:, None] * np.exp(np.cumsum(steps, axis=1)))


def ragged(count: int, *, seed: int, longest: int = 18, cadence: str = "year") -> Dense:
    """Walks of unlike lengths and beginnings with gaps, zeros, declared traits and scope breaks."""
    draw = np.random.default_rng(seed)
    series, breaks = [], []
    for i in range(count):
        y = walks(1, int(draw.integers(1, longest + 1)), seed=seed * 1000 + i, spread=0.2)[0]
        y[draw.random(len(y)) < 0.12] = np.nan
        y[draw.random(len(y)) < 0.05] = 0.0
        if len(y) > 2 and draw.random() < 0.4:
            breaks.append((i, int(draw.integers(1, len(y)))))
        series.append(y)
    return dense_of(
        series,
        breaks=breaks,
        cadence=cadence,
        starts=[int(s) for s in draw.integers(30, 60, count)],
        traits={
            "kind": [("sector", "context")[i % 2] for i in range(count)],
            "area": [f"a{i % 3}" for i in range(count)],
            "sector": [("refining", "steel", "power")[i % 3] for i in range(count)],
        },
    )
