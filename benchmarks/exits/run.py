"""Which plants close, and how well that is said beforehand: the hurdle beside one rate and the one before.

Usage: FORECARBON_LAKE=LAKE python benchmarks/exits/run.py
The lake holds eutl, ghgrp and uk-ets. Writes result.md beside this file.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.figures import stamp  # noqa: E402
from features.matrix.build import build  # noqa: E402
from features.matrix.recipe import FeatureRecipe  # noqa: E402
from features.series.panel import Dense  # noqa: E402
from models.exits import (  # noqa: E402
    AGGREGATES,
    LEAST_SEEN,
    READ,
    WIDEST,
    learn_exits,
    newest_of_areas,
    seen_by,
    stands_at_zero,
)
from models.fitted import areas_of  # noqa: E402
from training.judging import folds_of, stand  # noqa: E402
from training.plan import PLANS, read_plan  # noqa: E402

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

LAST_CHOSEN: Final = 2017
STEPS: Final = (1, 2, 3, 5, 8)
EPOCH: Final = 1970
OLD_MEMORY, OLD_CUTOFFS, OLD_SERIES = 0.9, 8, 5_000
NAMES: Final = {"rate": "one rate", "pooled": "as before", "ours": "ours"}


def main() -> None:
    """All issues of the facilities plan, then the file."""
    now = datetime.now(UTC)
    plan = read_plan(PLANS / "facilities.toml")
    ground = stand(now, plan.figures, os.environ.get("FORECARBON_LAKE", ""))
    folds = folds_of(ground, plan, now)
    rows = []
    for moment, lengths in zip(folds.issued, folds.lengths, strict=True):
        rows += judged(ground.history, lengths, moment.year)
        print(moment.year, flush=True)
    found = pd.DataFrame(rows)
    n = f"{int(found['n'].sum() / len(NAMES)):,} plants, issues and steps"
    text = [HEAD.format(stamp=stamp(ground.data_hash[:12], n), last=LAST_CHOSEN)]
    for words, chosen in (
        (f"Outcomes up to {LAST_CHOSEN}", found["year"] <= LAST_CHOSEN),
        (f"Outcomes after {LAST_CHOSEN}", found["year"] > LAST_CHOSEN),
    ):
        text += [f"\n## {words}\n", *table(found[chosen], "step"), f"\n### {words}, by issue\n"]
        text += table(found[chosen], "issue")
    (HERE / "result.md").write_text("\n".join(text) + "\n", encoding="utf-8")


def judged(history: Dense, lengths: Int, issue: int) -> list[dict[str, float]]:
    """Sums of scores of one issue, a row a forecaster, step and year of the outcome."""
    areas, steps = areas_of(history), max(STEPS)
    known, newest = seen_by(history, lengths, areas)
    exits = learn_exits(known, newest)
    if exits is None:
        return []
    now = history.until(lengths)
    ours = exits.chance(now, steps)
    asked = (lengths >= LEAST_SEEN)[:, None] & (ours > 0)
    rate = np.broadcast_to(1 - (1 - exits.usual) ** np.arange(1, steps + 1), ours.shape)
    said = {"rate": rate, "pooled": pooled(known, newest, now, steps, exits.level), "ours": ours}
    cutoff = history.starts + lengths - 1
    whole = newest_of_areas(history.starts + history.lengths - 1, areas)
    fate = np.where(asked, stands_at_zero(history, whole, cutoff, steps), np.nan)
    rows = []
    for h in STEPS:
        year = EPOCH + cutoff + h
        for due in np.unique(year[np.isfinite(fate[:, h - 1])]):
            mine = np.isfinite(fate[:, h - 1]) & (year == due)
            for name, chance in said.items():
                scores = scored(chance[mine, h - 1], fate[mine, h - 1])
                rows.append({"issue": issue, "step": h, "year": due, "who": name, **scores})
    return rows


def scored(chance: Float, fate: Float) -> dict[str, float]:
    """Sums over plants."""
    p = np.clip(chance, 1e-4, 1 - 1e-4)
    return {
        "n": len(p), "left": fate.sum(), "said": p.sum(), "brier": ((p - fate) ** 2).sum(),
        "log": -np.log(np.where(fate == 1, p, 1 - p)).sum(),
    }  # fmt: skip


def pooled(known: Dense, newest: Int, now: Dense, steps: int, level: float) -> Float:
    """(B, steps) the hurdle as it was: one logistic regression on the amounts and the logarithm of the step,
    over all steps and eight cutoffs, older ones weighing 0.9 of the next."""
    kept = np.arange(0, len(known.ids), -(-len(known.ids) // OLD_SERIES) or 1)
    history, ends = known.take(kept), newest[kept]
    longest = int(history.lengths.max()) - LEAST_SEEN
    xs, ys, ws = [], [], []
    for back in range(1, min(longest, OLD_CUTOFFS) + 1):
        lengths = np.clip(ends - back - history.starts + 1, 0, history.lengths)
        rows = np.flatnonzero((lengths >= LEAST_SEEN) & (history.starts + lengths - 1 == ends - back))
        seen = history.until(lengths).take(rows)
        alive = may_leave(seen)
        told = stands_at_zero(history, ends, ends - back, min(steps, back))[rows[alive]]
        at, h = np.nonzero(np.isfinite(told))
        xs.append(np.hstack([amounts(seen, level)[alive][at], np.log(h + 1.0)[:, None]]))
        ys.append(told[at, h])
        ws.append(np.full(len(at), OLD_MEMORY**back))
    x, y = np.concatenate(xs), np.concatenate(ys)
    middle, spread = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    model = LogisticRegression(max_iter=300).fit((x - middle) / spread, y, np.concatenate(ws))
    own, out = amounts(now, level), np.zeros((len(now.ids), steps))
    for h in range(steps):
        asked = np.hstack([own, np.full((len(own), 1), np.log(h + 1.0))])
        out[:, h] = model.predict_proba((asked - middle) / spread)[:, 1]
    return np.maximum.accumulate(out, axis=1)


def may_leave(history: Dense) -> Bool:
    """(B,) plants that emit at their last period."""
    newest = history.y[np.arange(len(history.ids)), np.maximum(history.lengths - 1, 0)]
    own = ~history.traits["kind"].isin(AGGREGATES).to_numpy()
    return np.asarray(own & history.non_negative & (np.nan_to_num(newest) > 0))


def amounts(history: Dense, level: float) -> Float:
    """(B, F) what the hurdle reads, cut as there."""
    recipe = FeatureRecipe(traits=(), codes=(), seasonal=False, level=level)
    made = build(history, recipe, 1).x[:, [recipe.columns.index(name) for name in READ]]
    return np.clip(np.nan_to_num(made), -WIDEST, WIDEST)


def table(found: pd.DataFrame, by: str) -> list[str]:
    """One line a value of ``by``, and one of all."""
    head = [
        f"| {by} | n | at zero | "
        + " | ".join(f"said, {words}" for words in NAMES.values())
        + " | "
        + " | ".join(f"Brier, {words}" for words in NAMES.values())
        + " | "
        + " | ".join(f"log loss, {words}" for words in NAMES.values())
        + " |",
        "|---|" + "---|" * (2 + 3 * len(NAMES)),
    ]
    lines = [line(str(value), held) for value, held in found.groupby(by)]
    return [*head, *lines, line("all", found)]


def line(value: str, held: pd.DataFrame) -> str:
    """Means over plants, issues and steps of one line."""
    sums = held.groupby("who")[["n", "left", "said", "brier", "log"]].sum()
    n = sums.loc["ours", "n"]
    cells = [f"{sums.loc[who, what] / n:.4f}" for what in ("said", "brier", "log") for who in NAMES]
    return f"| {value} | {int(n):,} | {sums.loc['ours', 'left'] / n:.4f} | {' | '.join(cells)} |"


HEAD = """# Which plants close

{stamp}

`FORECARBON_LAKE=LAKE python benchmarks/exits/run.py`: at every issue of the facilities plan each plant that
emits is given a chance of standing at zero so many years later, learnt from what had been published, and held
against what came. *One rate* gives every plant the usual chance of the newest cutoffs; *as before* is one
logistic regression over all steps and past cutoffs, as it was until decision 31. Issues at which fewer
than thirty plants had closed are not asked. Brier score and log loss are means over plants: lower is better.

Memory (0.3 to 0.9), fading (0 to 0.7), squares and further amounts, boosted trees, and effects of sector and
country were compared on outcomes up to {last}, by step and issue; squares, 0.6 and 0.4 were taken, the rest
was no better. Outcomes after {last} were looked at once, after that.
"""


if __name__ == "__main__":
    main()
