"""What does a retrain cost that goes on after a kill, and one that finds nothing changed?

Usage: python benchmarks/resumed_retrain/run.py [PLAN ...]   (default: the annual plan, and it with a search)
Plans that read the lake find it where FORECARBON_LAKE says.
Writes result.md beside this file. Times are of computing (user and system, children too), not of the clock.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from training.report import commit_of  # noqa: E402

SHARE = 0.8
ANNUAL = ROOT / "training" / "plans" / "annual.toml"
SEARCH = """
[tuning]
trials = 12
seconds = 3600.0
settings = { rate = [0.02, 0.2], trees = [30, 200], leaves = [7, 31] }
"""


def main(plans: list[Path]) -> None:
    """Each plan: whole, killed, gone on, and once more with nothing changed."""
    with tempfile.TemporaryDirectory() as scratch:
        searched = Path(scratch) / "annual-with-search.toml"
        searched.write_text(ANNUAL.read_text() + SEARCH)
        rows = [resumed(plan, Path(scratch)) for plan in plans or [searched, ANNUAL]]
    text = f"""# Retrains that go on after a kill

{datetime.now(UTC):%Y-%m-%d} · commit {commit_of(ROOT)[:12]} · n = 1 a plan

`python benchmarks/resumed_retrain/run.py`: seconds of computing of a whole retrain into an empty store, pack
and printing included; of one killed (SIGKILL) at {100 * SHARE:.0f}% of that, and of the next, which goes on;
then of one more, with nothing changed. The search tries 12 settings of the booster.

| plan | whole, s | killed after, s | goes on for, s | share of the whole | nothing changed, s |
|---|---|---|---|---|---|
"""
    name = f"result-{plans[0].stem}.md" if plans else "result.md"
    (HERE / name).write_text(text + "\n".join(rows) + "\n")


def resumed(plan: Path, scratch: Path) -> str:
    """Seconds of a whole retrain, and of one that goes on after a kill at ``SHARE`` of them. A table row."""
    bin_ = Path(sys.executable).parent / "forecarbon"
    env = {name: value for name, value in os.environ.items() if name != "FORECARBON_STORE"}
    command = [str(bin_), "retrain", "--plan", str(plan), "--store"]
    whole = cpu_of([*command, str(scratch / plan.stem / "whole")], env)
    killed = cpu_of([*command, str(scratch / plan.stem / "killed")], env, until=SHARE * whole)
    again = cpu_of([*command, str(scratch / plan.stem / "killed")], env)
    nothing = cpu_of([*command, str(scratch / plan.stem / "killed")], env)
    share = f"{100 * again / whole:.0f}%"
    row = f"| {plan.stem} | {whole:.1f} | {killed:.1f} | {again:.1f} | {share} | {nothing:.1f} |"
    print(row, flush=True)
    return row


def cpu_of(command: list[str], env: dict[str, str], until: float | None = None) -> float:
    """CPU seconds of a command and its children; killed with them once it has used ``until``."""
    run = psutil.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    used = 0.0
    while run.status() != psutil.STATUS_ZOMBIE:
        times = run.cpu_times()
        used = times.user + times.system + times.children_user + times.children_system
        if until is not None and used >= until:
            os.killpg(run.pid, signal.SIGKILL)
            break
        time.sleep(0.05)
    status = run.wait(timeout=60)
    if until is None and status != 0:
        # One that fails early would look quick.
        raise SystemExit(f"{' '.join(command)} ended with {status}")
    return used


if __name__ == "__main__":
    main([Path(name).resolve() for name in sys.argv[1:]])
