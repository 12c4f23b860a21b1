"""The plan finder and the network allocation: proof, seconds, and laws on many random cases.

Usage: python benchmarks/plan_finder/run.py [--networks 10000] [--questions 10]
Writes result.md beside this file.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, diags_array, hstack

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from benchmarks.figures import digest, stamp  # noqa: E402
from insights.allocate import allocate  # noqa: E402
from insights.options import Question, starts_of  # noqa: E402
from insights.planner import find_plan  # noqa: E402
from tests.insights.networks import faults_of, random_network  # noqa: E402
from tests.insights.plan_questions import exhaustive, large_question, small_question  # noqa: E402

SMALL = 200
# Seconds a question is given, and asked to be answered in; and those of the textbook's programme.
PATIENCE = 20.0
PEER = 20.0
PEERS = 2


def with_binaries(asked: Question, seconds: float) -> tuple[float, float, float]:
    """Cost found, bound and seconds of the textbook's programme: a binary for every path, tight M."""
    columns = [(o.name, s) for o in asked.options for s in starts_of(o, asked)]
    names = sorted({name for name, _ in columns})
    abates = np.array([s.abates for _, s in columns]).T / 1e6
    needs = asked.aim.needs / 1e6
    most = np.maximum(needs, 0.0)
    count, paths = len(columns), len(needs)
    owner = csr_array(
        (np.ones(count), ([names.index(n) for n, _ in columns], range(count))),
        shape=(len(names), count + paths),
    )
    rows = hstack([csr_array(abates), -diags_array(most)]).tocsr()
    enough = np.concatenate([np.zeros(count), asked.aim.weights])
    begun = time.perf_counter()
    told: Any = milp(
        np.concatenate([[s.cost / 1e6 for _, s in columns], np.zeros(paths)]),
        constraints=[
            LinearConstraint(rows, needs - most, np.inf),
            LinearConstraint(owner, -np.inf, 1),
            LinearConstraint(enough[None], asked.aim.probability - 1e-9, np.inf),
        ],
        integrality=np.ones(count + paths, dtype=np.int64),
        bounds=Bounds(0, 1),
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    cost = float("nan") if told.fun is None else float(told.fun)
    return cost, float(told.mip_dual_bound or 0.0), time.perf_counter() - begun


def plans(questions: int) -> list[str]:
    """A line a question: 30 projects on 1,000 paths, with one and three possible starts, and with
    three and projects that exclude one another."""
    lines = []
    for starts in (1, 3):
        for seed in range(questions):
            lines.append(
                f"| {starts} | {seed} | {answered(large_question(seed, starts=starts), seed < PEERS)} |"
            )
            print(lines[-1], flush=True)
    for seed in range(questions):
        lines.append(f"| 3, one of three projects | {seed} | {answered(excluding(seed), False)} |")
        print(lines[-1], flush=True)
    return lines


def excluding(seed: int) -> Question:
    """Three starts a project, and of ten sets of three projects one at most."""
    asked = large_question(seed, starts=3)
    sets = tuple(tuple(f"p{k + j}" for j in range(3)) for k in range(0, 30, 3))
    return replace(asked, rules=replace(asked.rules, exclusions=sets))


def answered(asked: Question, beside: bool) -> str:
    """Cells of one question; ``beside``: the textbook's programme is asked too."""
    begun, worked = time.perf_counter(), time.process_time()
    choice = find_plan(asked, seconds=PATIENCE).choice
    took = f"{time.perf_counter() - begun:.1f} ({time.process_time() - worked:.1f})"
    if choice is None:
        return f"{took} | no plan | | | |"
    found = f"{took} | {'yes' if choice.proven else 'no'} | {choice.cost / 1e6:.1f} | {choice.chance:.3f}"
    if not beside:
        return f"{found} | |"
    cost, bound, peer = with_binaries(asked, PEER)
    return f"{found} | {cost:.1f} after {peer:.0f} s | {1 - bound / cost:.0%}"


def small() -> tuple[int, int, int]:
    """How many small questions can be met, cannot, and are answered otherwise than exhaustive search."""
    met = wrong = 0
    for seed in range(SMALL):
        asked = small_question(seed)
        best, likeliest = exhaustive(asked)
        plan = find_plan(asked)
        if best is None:
            near = plan.nearest and plan.nearest.likeliest
            wrong += near is None or abs(near.chance - likeliest) > 1e-9
        else:
            met += 1
            wrong += plan.choice is None or abs(plan.choice.cost - best) > 1e-9 * abs(best) + 1e-3
    return met, SMALL - met, wrong


def networks(count: int) -> tuple[int, float]:
    """Faults in allocations of random networks, and seconds."""
    begun = time.perf_counter()
    faults = sum(len(faults_of(allocate(random_network(seed)))) for seed in range(count))
    return faults, time.perf_counter() - begun


def main(count: int, questions: int) -> None:
    met, unmet, wrong = small()
    print(f"small: {met} met, {unmet} not, {wrong} wrong", flush=True)
    lines = plans(questions)
    faults, seconds = networks(count)
    data = digest(np.concatenate([large_question(k).aim.needs for k in range(questions)]))
    text = f"""# The plan finder, and networks that several clusters share

{stamp(data, f"{3 * questions} plans, {SMALL} small plans, {count:,} networks")}

`python benchmarks/plan_finder/run.py`: simulated questions, drawn by tests/insights.
One thread, on a core that others worked on too: seconds are by the clock and, in brackets, computed.

**30 projects, 1,000 paths.** Each project may be cancelled (5 to 30%) and delivers 70 to 100% of 0.1 to
1.5 Mt; emissions of 14 Mt with a standard deviation of 1.6 are to fall to 9.27 Mt with a probability of 0.8.
*Starts* is how many years each may start in; in the last rows one at most is taken of each three.
*Proven*: nothing cheaper exists; not proven within {PATIENCE:.0f} seconds, of which the search for the plan
takes {0.7 * PATIENCE:.0f} at most, is said to be so. Asked for: under 20 seconds. Beside it, for the first
{PEERS} questions, the textbook's programme with a binary for every path, given to HiGHS with
{PEER:.0f} seconds: the cost it had found by then, and how far it was from proof.

| starts | question | seconds | proven | cost, M EUR | chance | HiGHS, binaries | gap |
|---|---|---|---|---|---|---|---|
{chr(10).join(lines)}

**Small questions against exhaustive search.** {SMALL} of one to five options over two or three years:
{met} can be met and {unmet} cannot; {wrong} were answered otherwise than by trying every plan (cost
where met, highest reachable chance where not).

**Random networks.** {count:,} networks of one to four emitters: {faults} times emissions, a capacity,
a store or a balance was passed; {seconds:.0f} seconds by the clock.
"""
    (HERE / "result.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=10)
    told = parser.parse_args()
    main(told.networks, told.questions)
