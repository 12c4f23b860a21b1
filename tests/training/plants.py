"""A small world of plants that shrink and close, of the sectors they add up to, and of their countries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.series.basis import Basis
from features.series.build import SeriesSet
from features.series.cadence import YEAR
from features.series.hierarchy import Hierarchy
from features.series.vintages import Vintages
from training.judging import Ground

Float = npt.NDArray[np.float64]

FIRST, YEARS, PLANTS = 2005, 18, 240
AREAS = ("AA", "BB", "CC", "DD")
SECTORS = ("power", "steel")


def ground(*, seed: int = 3, after: int | None = None) -> Ground:
    """The world; with ``after``, figures of later years are others."""
    draw = np.random.default_rng(seed)
    y = 1e5 * np.exp(draw.normal(0, 1, (PLANTS, 1)) + np.cumsum(draw.normal(-0.03, 0.12, (PLANTS, YEARS)), 1))
    end = np.where(draw.random(PLANTS) < 0.35, draw.integers(4, YEARS + 1, PLANTS), YEARS)
    y[np.arange(YEARS)[None, :] >= end[:, None]] = np.nan
    if after is not None:
        y = np.where(FIRST + np.arange(YEARS) > after, y * np.exp(draw.normal(0, 1, y.shape)), y)
    frame, traits = _series(y)
    breaks = pd.DataFrame(
        {"unique_id": ["AA/power"], "ds": [pd.Timestamp("2013-01-01")], "break_id": ["moved"]}
    )
    series = SeriesSet(Vintages.of(frame, YEAR), traits, breaks, {"register": "scope"})
    nothing = pd.DataFrame()
    basis = Basis(series, nothing, nothing, nothing, {}, {"from": "a small world"})
    return Ground(basis, series.as_of(pd.Timestamp("2026-01-01")), Hierarchy.of(traits), series.data_hash())


def restated(world: Ground, known_at: str) -> Ground:
    """The same world, whose figures of the newest year became known only then."""
    frame = world.figures.vintages.frame
    late = frame["known_at"].where(frame["ds"] < frame["ds"].max(), pd.Timestamp(known_at))
    vintages = Vintages.of(frame.assign(known_at=late), YEAR)
    return replace(world, basis=replace(world.basis, series=replace(world.figures, vintages=vintages)))


def _series(y: Float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Figures and traits of the plants and of the sums over them."""
    k = np.arange(len(y))
    area, sector = np.array(AREAS)[k % len(AREAS)], np.array(SECTORS)[(k // len(AREAS)) % len(SECTORS)]
    plants = pd.DataFrame({"kind": "plant", "area": area, "sector": sector})
    names = [f"c-{a}/{s}/p{n:03d}" for a, s, n in zip(area, sector, k, strict=True)]
    sums = [(a, s, np.nansum(y[(area == a) & (sector == s)], axis=0)) for a in AREAS for s in SECTORS]
    parts, figures = [plants], [y]
    for kind, start, share in (("sector", "c-", 1.0), ("context", "", 3.0)):
        parts.append(pd.DataFrame([{"kind": kind, "area": a, "sector": s} for a, s, _ in sums]))
        names += [f"{start}{a}/{s}" for a, s, _ in sums]
        figures.append(share * np.stack([line for *_, line in sums]))
    traits = pd.concat(parts).set_axis(pd.Index(names, name="unique_id")).assign(scope_id="scope")
    cluster = ("c-" + traits["area"]).where(traits["kind"] != "context", "")
    return _frame(names, np.concatenate(figures)), traits.assign(cluster_id=cluster, country=traits["area"])


def _frame(names: list[str], y: Float) -> pd.DataFrame:
    rows, columns = np.nonzero(np.isfinite(y))
    ds = pd.to_datetime([f"{FIRST + column}-01-01" for column in columns])
    known = pd.to_datetime([f"{FIRST + column + 1}-04-30" for column in columns])
    return pd.DataFrame(
        {
            "unique_id": np.array(names)[rows],
            "ds": ds,
            "known_at": known,
            "y": y[rows, columns],
            "source": "register",
            "flag": "",
        }
    )
