"""What it costs to learn from a sample: bands of all series, learnt from some of them.

Usage: python benchmarks/learnt_from/run.py [--simulated 100000] [--sample 20000]
Writes result.md beside this file. Takes a quarter of an hour of one core, and 3 GB.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.figures import DATA, Float, Paired, digest, stamp  # noqa: E402
from benchmarks.growth.run import CHUNK, NEWEST, chunk, facts  # noqa: E402
from features.series.cadence import YEAR  # noqa: E402
from features.series.panel import Panel  # noqa: E402
from features.series.words import DS, UNIQUE_ID, Y  # noqa: E402
from features.sources import eutl  # noqa: E402
from models.engine import Learnt, forecast_learnt, learn  # noqa: E402
from serving.batch import asked_levels  # noqa: E402

STEPS = 3
CUTOFFS = (2011, 2012, 2013, 2014)
LAST = 2017
# One in k of the plants, and from which of them on.
SHARES = ((2, 0), (2, 1), (5, 0), (5, 2), (10, 0), (10, 3), (10, 7))
BLOCK = 4_000
LEAST_OF_KIND = 100
LEVELS = asked_levels(STEPS, "80,95", None)
MEASURES = ("mase", "loss", "inside 80%", "inside 95%")


@dataclass(frozen=True)
class Scores:
    """Of each series (rows) the measures (columns), NaN where it has no actual or never moved."""

    table: pd.DataFrame
    seconds: float


def panel_of(rows: pd.DataFrame, traits: pd.DataFrame, until: int) -> Panel:
    known = rows[rows[DS].dt.year <= until]
    return Panel.of(known, YEAR, traits.loc[known[UNIQUE_ID].unique()])


def some(panel: Panel, apart: int, first: int) -> Panel:
    """Every ``apart``-th series, as a bulk forecast takes them."""
    names = list(panel.dense.ids)[first::apart]
    frame = panel.frame[panel.frame[UNIQUE_ID].isin(names)]
    return Panel.of(frame, panel.cadence, panel.traits.loc[names])


def scored(panel: Panel, learnt: Learnt, rows: pd.DataFrame, cutoff: int) -> pd.DataFrame:
    """The measures of every series, over the steps for which it has an actual."""
    actual = rows[(rows[DS].dt.year > cutoff) & (rows[DS].dt.year <= cutoff + STEPS)]
    wide = actual.set_index([UNIQUE_ID, DS])[Y].unstack()  # noqa: PD010
    wide = wide.reindex(columns=years(cutoff))
    parts = []
    for block in blocks(panel):
        outlook = forecast_learnt(block, learnt, steps=STEPS, levels=LEVELS)
        if outlook is None:
            continue
        dense = block.dense
        kept = [dense.row[name] for name in outlook.ids]
        # Only those whose newest row is of the cutoff: the others speak of other years.
        at = outlook.ds[:, 0] == np.datetime64(f"{cutoff + 1}-01-01")
        y = wide.reindex(list(outlook.ids)).to_numpy(dtype=float, copy=True)
        y[~at] = np.nan
        parts.append(measured(outlook.values, y, scale_of(dense.y[kept]), outlook.ids))
    return pd.concat(parts)


def blocks(panel: Panel) -> Iterator[Panel]:
    names = list(panel.dense.ids)
    place = panel.frame[UNIQUE_ID].map({name: k for k, name in enumerate(names)})
    for first in range(0, len(names), BLOCK):
        mine = names[first : first + BLOCK]
        frame = panel.frame[(place >= first) & (place < first + BLOCK)]
        yield Panel.of(frame, panel.cadence, panel.traits.loc[mine])


def years(cutoff: int) -> list[pd.Timestamp]:
    return [pd.Timestamp(year=cutoff + step, month=1, day=1) for step in range(1, STEPS + 1)]


def scale_of(y: Float) -> Float:
    """(B,) mean absolute change from figure to figure so far; NaN where it never moved."""
    change = np.abs(np.diff(y, axis=1))
    some_ = np.isfinite(change).sum(axis=1)
    mean = np.where(some_ > 0, np.nansum(change, axis=1) / np.maximum(some_, 1), np.nan)
    return np.where(mean > 0, mean, np.nan)


def measured(values: Float, y: Float, scale: Float, names: tuple[str, ...]) -> pd.DataFrame:
    levels = np.array(LEVELS)
    known = np.isfinite(y)
    apart = (y[:, :, None] - values) / scale[:, None, None]
    loss = np.maximum(levels * apart, (levels - 1) * apart).mean(axis=2)
    middle = np.abs(apart[:, :, LEVELS.index(0.5)])
    low80, high80, low95, high95 = (values[:, :, LEVELS.index(q)] for q in (0.1, 0.9, 0.025, 0.975))
    told = (middle, loss, (low80 <= y) & (y <= high80), (low95 <= y) & (y <= high95))
    count = np.maximum(known.sum(axis=1), 1)
    fit = known.any(axis=1) & np.isfinite(scale)
    means = [np.where(fit, np.where(known, one, 0.0).sum(axis=1) / count, np.nan) for one in told]
    return pd.DataFrame(dict(zip(MEASURES, means, strict=True)), index=list(names))


def taught(panel: Panel, of: Panel, rows: pd.DataFrame, cutoff: int) -> Scores:
    """Learn from ``of``, score all of ``panel``."""
    begun = time.process_time()
    learnt = learn(of, steps=STEPS)
    spent = time.process_time() - begun
    return Scores(scored(panel, learnt, rows, cutoff), spent)


def plants() -> tuple[pd.DataFrame, pd.DataFrame]:
    """EU ETS figures of 2005 to ``LAST``, and country and sector."""
    batch = eutl.read(DATA / "eutl")
    rows = batch.records.loc[batch.records["y"].notna(), ["facility_id", "ds", "y"]]
    rows.columns = [UNIQUE_ID, DS, Y]
    traits = batch.facilities.set_index("facility_id")[["country", "sector"]].fillna("unknown").astype(str)
    return rows[rows[DS].dt.year <= LAST], traits


def real() -> tuple[list[str], str, str]:
    rows, traits = plants()
    held: dict[str, list[Scores]] = {}
    count = 0
    for cutoff in CUTOFFS:
        panel = panel_of(rows, traits, cutoff)
        count = len(panel.dense.ids)
        held.setdefault("all", []).append(taught(panel, panel, rows, cutoff))
        for apart, first in SHARES:
            one = taught(panel, some(panel, apart, first), rows, cutoff)
            held.setdefault(f"1 in {apart}, from the {first + 1}.", []).append(one)
        print(f"cutoff {cutoff}: {count} plants", flush=True)
    lines = compared(held)
    return lines, kinds(held, traits), f"{count:,} EU ETS plants at the last cutoff"


def mean_of(scores: list[Scores]) -> pd.DataFrame:
    """Of each series the mean over the cutoffs at which it was scored."""
    return pd.concat([one.table for one in scores]).groupby(level=0).mean()


def compared(held: dict[str, list[Scores]]) -> list[str]:
    whole = mean_of(held["all"])
    lines = []
    for name, scores in held.items():
        mine = mean_of(scores).reindex(whole.index)
        told = " | ".join(
            f"{np.nanmean(mine[one]):.4f}" if name == "all"
            else str(Signed.of(mine[one].to_numpy(), whole[one].to_numpy()))
            for one in MEASURES
        )  # fmt: skip
        lines.append(f"| {name} | {told} | {sum(one.seconds for one in scores):.0f} |")
    return lines


class Signed(Paired):
    """Four digits: the differences are small."""

    def __str__(self) -> str:
        return f"{self.mean:+.4f} ± {self.error:.4f}"

    @staticmethod
    def of(ours: Float, theirs: Float) -> Signed:
        """Ours minus theirs, series by series."""
        told = Paired.of(ours, theirs)
        return Signed(told.mean, told.error)


def kinds(held: dict[str, list[Scores]], traits: pd.DataFrame) -> str:
    """Coverage at 80% of the sector that is furthest off, for each share."""
    whole = mean_of(held["all"])["inside 80%"].dropna()
    sector = traits["sector"].reindex(whole.index)
    size = sector.value_counts()
    large = size.index[size >= LEAST_OF_KIND]
    told = []
    for name, scores in held.items():
        if name != "all":
            apart = (mean_of(scores)["inside 80%"].reindex(whole.index) - whole).groupby(sector).mean()[large]
            worst = apart.abs().idxmax()
            told.append(f"* {name} {apart[worst]:+.3f} ({worst}, {size[worst]} plants)")
    return "\n".join(told)


def simulated(count: int, sample: int) -> tuple[list[str], str]:
    known = facts()
    tables = [chunk(known, first, min(CHUNK, count - first)).to_pandas() for first in range(0, count, CHUNK)]
    frame = pd.concat(tables, ignore_index=True)
    frame[DS] = pd.to_datetime(frame["ds"].astype(str) + "-01-01")
    traits = frame.drop_duplicates(UNIQUE_ID).set_index(UNIQUE_ID)[["country", "sector"]].astype(str)
    rows, cutoff = frame[[UNIQUE_ID, DS, Y]], NEWEST - STEPS
    panel = panel_of(rows, traits, cutoff)
    apart = -(-len(panel.dense.ids) // sample)
    held = {"all": [taught(panel, panel, rows, cutoff)]}
    print("learnt from all", flush=True)
    for first in (0, apart // 2):
        held[f"1 in {apart}, from the {first + 1}."] = [
            taught(panel, some(panel, apart, first), rows, cutoff)
        ]
    return compared(held), f"{len(panel.dense.ids):,} simulated plants"


HEAD = """| learnt from | MASE | quantile loss | inside 80% | inside 95% | CPU s of learning |
|---|---|---|---|---|---|"""


def main(count: int, sample: int) -> None:
    lines, told, plants_ = real()
    print("\n".join(lines), flush=True)
    more, many = simulated(count, sample) if count else ([], "none simulated")
    rows, _ = plants()
    text = f"""# Learning from a sample: what it costs

{stamp(digest(rows[Y].to_numpy()), f"{plants_}; {many}")}

`python benchmarks/learnt_from/run.py`: a bulk forecast learns weights, bands, pools, booster and hurdle from
all series up to 20,000, and beyond that from 20,000 spread evenly. Here they are learnt from all, or from
one in so many, and **all** series are forecast and scored, {STEPS} steps. The row *all* has the scores; the
others have the difference from it, the mean over series ± its standard error, paired series by series.
*MASE*: mean absolute error over the mean absolute change so far; *quantile loss*: mean over {len(LEVELS)}
levels, over the same; *inside*: share of actuals within the central band. Below zero is better in the first
two.

EU ETS plants, cutoffs {CUTOFFS[0]} to {CUTOFFS[-1]}, no figure after {LAST} read; of each plant the mean over
the cutoffs at which it has an actual.

{HEAD}
{chr(10).join(lines)}

Coverage at 80% by sector (of {LEAST_OF_KIND} plants or more), the sector furthest from learning from all:

{told}

Simulated plants (see ../growth), cutoff {NEWEST - STEPS}:

{HEAD}
{chr(10).join(more)}

Standard errors take plants as independent of one another, given what was learnt; which plants fall into the
sample is shown by the rows of one share beside one another.
"""
    (HERE / "result.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulated", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=20_000)
    given = parser.parse_args()
    main(given.simulated, given.sample)
