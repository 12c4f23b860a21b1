"""Dated targets replayed at past cutoffs: did the chances that were said come true?

Usage: FORECARBON_LAKE=LAKE python benchmarks/dated_targets/run.py [PLAN ...]   (default: annual, facilities)
The lake holds eutl, ghgrp and uk-ets. Writes result.md beside this file. FORECARBON_PIECES may name a folder
in which replays are kept.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(HERE)]

from words import HEAD  # noqa: E402

from benchmarks.figures import stamp  # noqa: E402
from models.dated_scores import Scored, records  # noqa: E402
from models.past_targets import PastTargets, told  # noqa: E402
from models.recalibrate import MEMORY, PULLS  # noqa: E402
from training.dated import Walked, said_of, served, walked  # noqa: E402
from training.dated_past import KINDS, with_countries  # noqa: E402
from training.judging import folds_of, stand  # noqa: E402
from training.pieces import Cache  # noqa: E402
from training.plan import PLANS, read_plan  # noqa: E402
from training.prints import Prints  # noqa: E402
from training.resume import backtested, resumed  # noqa: E402

Float = npt.NDArray[np.float64]
FIRST_CHOSEN, LAST_CHOSEN = 2014, 2018
LINE = 5
NAMES = {
    "half": "constant 0.5",
    "line": "straight line of 5 years (0 or 1)",
    "stays": "the newest figure stays (0 or 1)",
    "walk": "Gaussian walk of its own changes",
    "unhurdled": "naive's bands, no closures",
    "naive": "naive's bands, as served",
    "raw": "ours, before recalibration",
    "recalibrated": "**ours, recalibrated**",
}


@dataclass(frozen=True)
class Found:
    """What one plan's replay found."""

    name: str
    data_hash: str
    issued: npt.NDArray[np.int64]
    found: Walked
    going_on: Scored
    closures: int


def main(plans: list[str]) -> None:
    """Each plan, then the file."""
    results = [replayed(name) for name in plans]
    n = " and ".join(f"{int(one.found.scored.n.sum()):,} ({one.name})" for one in results)
    data = " and ".join(f"{one.data_hash[:12]} ({one.name})" for one in results)
    words = {
        "cuts": ", ".join(f"{100 * cut:.0f}" for cut in told()["cuts"]),
        "steps": ", ".join(map(str, told()["steps"])),
        "walk": walk_of(results),
        "pulls": "by " + ", ".join(f"{pull:g}" for pull in PULLS),
        "memory": MEMORY,
    }
    text = [HEAD.format(stamp=stamp(data, n + " pseudo-targets"), **words)]
    text += [asked_for(one) for one in results]
    for one in results:
        text += sections(one)
    (HERE / "result.md").write_text("\n".join(text) + "\n")


def replayed(name: str) -> Found:
    """One plan's replay, with the rivals beside it."""
    now = datetime.now(UTC)
    plan = read_plan(PLANS / f"{name}.toml")
    ground = stand(now, plan.figures, os.environ.get("FORECARBON_LAKE", ""))
    folds = folds_of(ground, plan, now)
    recipe, baseline = plan.recipe.recipe(), plan.gate.baseline
    cache = Cache(Path(os.environ["FORECARBON_PIECES"]) if "FORECARBON_PIECES" in os.environ else None)
    said = resumed(ground.history, folds.lengths, recipe, cache).past
    past, ours, naive = served(ground, said, folds, recipe, baseline, cache)
    every = replace(folds, scored=np.ones(len(folds.issued), dtype=bool))
    totals = with_countries(ground.hierarchy, ground.history)
    prints = Prints(ground.history, said, every, totals)
    gates = {
        one.name: backtested(ground.history, said.only(one.members), every, one, totals, cache, prints).values
        for one in (recipe, recipe.alone(baseline))
    }

    def rivals(fold: int, asked: PastTargets) -> Mapping[str, Float]:
        return {
            "half": np.full(len(asked.rows), 0.5),
            **by_hand(past.seen[fold], asked),
            "unhurdled": said_of(gates[baseline][fold], asked),
        }

    open_ = replace(past, actual=np.where(past.closed, np.nan, past.actual), closed=past.closed & False)
    return Found(
        name=name,
        data_hash=ground.data_hash,
        issued=np.array([moment.year for moment in folds.issued]),
        found=walked(past, ours.values, naive.values, rivals),
        going_on=walked(open_, gates[recipe.name], gates[baseline]).scored,
        closures=int(past.closed.sum()),
    )


def by_hand(seen: Float, asked: PastTargets) -> dict[str, Float]:
    """Chances that need no forecaster: a straight line, the newest figure, and a walk of past changes."""
    newest = seen[:, -1][asked.rows]
    part, when = seen[:, -LINE:], np.arange(LINE) - (LINE - 1.0)
    held = np.isfinite(part)
    count = np.maximum(held.sum(axis=1), 1)
    middle = (held * when).sum(axis=1) / count
    level = np.where(held, part, 0.0).sum(axis=1) / count
    apart = held * (when - middle[:, None])
    rise = (apart * np.where(held, part - level[:, None], 0.0)).sum(axis=1)
    slope = rise / np.maximum((apart**2).sum(axis=1), 1e-9)
    line = level[asked.rows] + slope[asked.rows] * (asked.steps - middle[asked.rows])
    change = np.diff(seen, axis=1)
    known = np.isfinite(change)
    squares = np.where(known, change, 0.0) ** 2
    spread = np.sqrt(squares.sum(axis=1) / np.maximum(known.sum(axis=1), 1))
    reach = np.maximum(spread[asked.rows], 1e-6 * newest + 1e-9) * np.sqrt(asked.steps)
    return {
        "line": (line <= asked.levels).astype(float),
        "stays": (newest <= asked.levels).astype(float),
        "walk": ndtr((asked.levels - newest) / reach),
    }


def walk_of(results: list[Found]) -> str:
    """Skill over the walk since the first issue the map was chosen on, and over all issues."""
    told = []
    for one in results:
        since, whole = (
            records(one.found.scored.of_cutoffs(chosen))[0]["skill_over_walk"]
            for chosen in (one.issued >= FIRST_CHOSEN, one.issued > 0)
        )
        told.append(f"{since:.3f} since {FIRST_CHOSEN} and {whole:.3f} over all issues ({one.name})")
    return ",\n".join(told)


def asked_for(one: Found) -> str:
    """What the issue asks for, beside what came out."""
    rows = [
        f"\n## {one.name}: asked for, and found\n",
        f"| | asked for | cutoffs up to 2017 | after | issues since {FIRST_CHOSEN} |",
        "|---|---|---|---|---|",
    ]
    asked = (
        ("pseudo-targets", "n", "5,000", lambda v: v >= 5000, "{:,}"),
        ("skill over the base rate", "skill", "0.25", lambda v: v >= 0.25, "{:.3f}"),
        ("skill over naive's bands", "skill_over_naive", "0.05", lambda v: v >= 0.05, "{:+.3f}"),
        ("skill over a Gaussian walk", "skill_over_walk", "0.05", lambda v: v >= 0.05, "{:+.3f}"),
        ("skill over naive's one path (0 or 1)", "skill_over_stays", "0.05", lambda v: v >= 0.05, "{:+.3f}"),
        ("reliability slope", "reliability_slope", "0.9 to 1.1", lambda v: 0.9 <= v <= 1.1, "{:.3f}"),
        ("calibration slope (Cox)", "calibration_slope", "", lambda v: 0.9 <= v <= 1.1, "{:.3f}"),
    )
    for over, scored in (("", one.found.scored), (", of the undecided", one.found.undecided)):
        spans = (*halves_of(one), one.issued >= FIRST_CHOSEN)
        halves = [records(scored.of_cutoffs(chosen))[0] for chosen in spans]
        for words, key, wanted, held, form in asked:
            cells = [
                f"{form.format(half[key])}{ends(half, key)} {'yes' if held(half[key]) else '**no**'}"
                for half in halves
            ]
            rows.append(f"| {words}{over} | {wanted} | {' | '.join(cells)} |")
    return "\n".join(rows)


def halves_of(one: Found) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Issues that were chosen on, and those after."""
    return one.issued <= LAST_CHOSEN, one.issued > LAST_CHOSEN


def sections(one: Found) -> list[str]:
    """The tables of one plan."""
    out = [f"\n## {one.name}: by kind of series\n\n{one.closures:,} outcomes are closures."]
    for words, chosen in zip(("Cutoffs up to 2017", "Cutoffs after 2017"), halves_of(one), strict=True):
        tables = [
            ("all pseudo-targets", one.found.scored),
            ("undecided (naive's chance between 0.05 and 0.95)", one.found.undecided),
        ]
        if one.closures:
            tables.append(("plants that closed left out, no hurdle in ours nor in naive", one.going_on))
        for what, scored in tables:
            out += [f"\n### {words}: {what}\n", *table(records(scored.of_cutoffs(chosen)))]
        out += [f"\n### {words}: Brier score beside others\n", *beside(one.found.scored.of_cutoffs(chosen))]
    out += [
        "\n### Reliability after 2017: all kinds\n",
        *bins(one.found.scored.of_cutoffs(halves_of(one)[1])),
    ]
    return [*out, "\n### The map learnt on everything\n", *maps(one.found)]


def table(rows: list[dict[str, Any]]) -> list[str]:
    """One line a kind."""
    head = [
        "| kind | n | left out | cutoffs | base rate | Brier | raw | naive | base rate's "
        "| skill | over naive | reliability slope | Cox slope | intercept |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    return head + [
        f"| {row['kind']} | {row['n']:,} | {row['n_missing']:,} | {row['cutoffs']} | {row['base_rate']:.3f} "
        f"| {row['brier']:.4f} | {row['brier_raw']:.4f} | {row['brier_naive']:.4f} "
        f"| {row['brier_base_rate']:.4f} | {row['skill']:.3f}{ends(row, 'skill')} "
        f"| {row['skill_over_naive']:+.3f}{ends(row, 'skill_over_naive')} "
        f"| {row['reliability_slope']:.2f}{ends(row, 'reliability_slope')} "
        f"| {row['calibration_slope']:.2f}{ends(row, 'calibration_slope')} | {row['intercept']:+.2f} |"
        for row in rows
        if row["calibration_slope"] is not None
    ]


def beside(scored: Scored) -> list[str]:
    """Brier score of every rival by kind."""
    rows = records(scored)
    head = [f"| | {' | '.join(row['kind'] for row in rows)} |", "|---|" + "---|" * len(rows)]
    lines = []
    for name, words in NAMES.items():
        key = "brier" if name == "recalibrated" else f"brier_{name}"
        lines.append(f"| {words} | {' | '.join(f'{row[key]:.4f}' for row in rows)} |")
    return head + lines


def bins(scored: Scored) -> list[str]:
    """What was said and what came true."""
    rows = records(scored)[0]["bins"]
    head = ["| said | met | n |", "|---|---|---|"]
    return head + [f"| {row['p']:.3f} | {row['observed']:.3f} | {row['n']:,} |" for row in rows]


def maps(found: Walked) -> list[str]:
    """What the served map makes of some chances, with the 90% band of the map."""
    kinds = [kind for kind in KINDS if found.recalibration.believed(kind)]
    head = [f"| raw | {' | '.join(kinds)} |", "|---|" + "---|" * len(kinds)]
    lines = []
    for p in (0.05, 0.2, 0.5, 0.8, 0.95):
        cells = []
        for kind in kinds:
            low, high = found.recalibration.band(p, kind)
            cells.append(f"{float(found.recalibration.apply(p, kind)):.3f} ({low:.3f} to {high:.3f})")
        lines.append(f"| {p:g} | {' | '.join(cells)} |")
    return head + lines


def ends(row: Mapping[str, Any], key: str) -> str:
    """The interval of a score, in brackets."""
    held = row["intervals"].get(key)
    return "" if held is None else f" ({held[0]:.3f} to {held[1]:.3f})"


if __name__ == "__main__":
    main(sys.argv[1:] or ["annual", "facilities"])
