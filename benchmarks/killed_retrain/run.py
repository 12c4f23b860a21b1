"""Kill a retrain at random moments, while the server answers: does the champion stay whole, and does the next
retrain go on where the killed one was?

Usage: python benchmarks/killed_retrain/run.py [KILLS] [PLAN ...]   (default 50)
The kills meet a plan of two cheap members. Resuming is measured on the annual plan, on the same with a search
of its settings, and on each PLAN.
Writes result.md beside this file.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from features.files import read_json, read_records  # noqa: E402
from tests.conftest import free_port  # noqa: E402
from training.report import commit_of  # noqa: E402

SEED = 20261123
SHARE = 0.8
# With this tolerance every retrain is let in, so that kills meet saving and promoting as well.
ANNUAL = ROOT / "training" / "plans" / "annual.toml"
SEARCH = """
[tuning]
trials = 12
seconds = 3600.0
settings = { rate = [0.02, 0.2], trees = [30, 200], leaves = [7, 31] }
"""
PLAN = (
    ANNUAL.read_text()
    .replace("tolerance = 0.0", "tolerance = 1.0")
    .replace("coverage_gap = 0.08", "coverage_gap = 0.5")
    .replace("scored = 8", "scored = 4")
)
PLAN = re.sub(r"members = \[.*\]", 'members = ["naive", "trend"]', PLAN)
PLAN = re.sub(r"worst_kind = .*", "worst_kind = 10.0", PLAN)
PLAN = re.sub(r"series = \[.*\]", "series = []", PLAN)


def main(kills: int, plans: list[Path]) -> None:
    """Retrain, serve, kill, look; then one retrain to the end; then one killed late and resumed."""
    bin_ = Path(sys.executable).parent / "forecarbon"
    with tempfile.TemporaryDirectory() as scratch:
        store, plan = Path(scratch) / "store", Path(scratch) / "plan.toml"
        env = {**os.environ, "FORECARBON_STORE": str(store)}
        command = [str(bin_), "retrain", "--plan", str(plan)]
        for seed in (1, 2):  # the second finds pieces of the first, as all others will
            plan.write_text(PLAN.replace("seed = 1", f"seed = {seed}"))
            begun = time.monotonic()
            subprocess.run(command, env=env, check=True, capture_output=True)
            whole = time.monotonic() - begun
        port = free_port()
        server = subprocess.Popen(
            [str(bin_), "serve", "--port", str(port)],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            lines = [kill(k, command, env, plan, whole, port, store) for k in range(kills)]
            plan.write_text(PLAN.replace("seed = 1", f"seed = {kills + 3}"))
            last = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
            time.sleep(3)
            final = ask(port)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=60)
        record = read_records(store / "promotions.jsonl")
        searched = Path(scratch) / "annual-with-search.toml"
        searched.write_text(ANNUAL.read_text() + SEARCH)
        told = [resumed(bin_, one, Path(scratch)) for one in (ANNUAL, searched, *plans)]
        write(lines, last.returncode, final, record, whole, "\n".join(told))


def resumed(bin_: Path, plan: Path, scratch: Path) -> str:
    """CPU seconds of a whole retrain, and of one that goes on after a kill at ``SHARE`` of them."""
    env = {name: value for name, value in os.environ.items() if name != "FORECARBON_STORE"}
    command = [str(bin_), "retrain", "--plan", str(plan), "--store"]
    whole = cpu_of([*command, str(scratch / plan.stem / "whole")], env)
    killed = cpu_of([*command, str(scratch / plan.stem / "killed")], env, until=SHARE * whole)
    again = cpu_of([*command, str(scratch / plan.stem / "killed")], env)
    nothing = cpu_of([*command, str(scratch / plan.stem / "killed")], env)
    return f"""- Resuming (`{plan.name}`): a whole retrain takes {whole:.0f} s of computing; one killed after
  {killed:.0f} s ({100 * killed / whole:.0f}%) goes on for {again:.0f} s, {100 * again / whole:.0f}% of
  the whole. With nothing changed the next takes {nothing:.1f} s."""


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
    run.wait(timeout=60)
    return used


def kill(
    number: int, command: list[str], env: dict[str, str], plan: Path, whole: float, port: int, store: Path
) -> str:
    """One retrain of another recipe, killed after a random share of its time. Returns a table row."""
    plan.write_text(PLAN.replace("seed = 1", f"seed = {number + 3}"))
    after = random.Random(SEED + number).uniform(0.02, 1.0) * whole
    before, lines = ask(port), read_records(store / "promotions.jsonl")
    run = subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(after)
    ended = run.poll() is not None
    if not ended:
        os.killpg(run.pid, signal.SIGKILL)
    run.wait(timeout=60)
    time.sleep(3)
    now = ask(port)
    pointer = read_json(store / "current.json")["model_version"]
    same = "unchanged" if now == before else "swapped whole" if now[1] == pointer else "MIXED"
    record = read_records(store / "promotions.jsonl")
    kept = "kept" if record[: len(lines)] == lines else "LOST"
    kept = f"{kept}, {len(record) - len(lines)} new" if len(record) > len(lines) else kept
    how = "ended before" if ended else "killed"
    return f"| {number + 1} | {after:.1f} | {how} | {now[0]} | {same} | {kept} |"


def ask(port: int) -> tuple[int, str, float]:
    """Status, model version and Rotterdam's 2030 median over HTTP; waits for the server at first."""
    body = {"clusters": ["nl-rotterdam"], "steps": 8}
    for _ in range(120):
        try:
            reply = httpx.post(f"http://127.0.0.1:{port}/v1/forecast", json=body, timeout=10)
        except httpx.TransportError:
            time.sleep(0.5)
            continue
        told = reply.json()
        median = told["forecasts"][0]["rows"][-1]["quantiles"]["0.5"]
        return reply.status_code, told["model_version"], median
    raise SystemExit("the server never answered")


def write(
    lines: list[str],
    code: int,
    final: tuple[int, str, float],
    record: list[dict[str, str]],
    whole: float,
    resuming: str,
) -> None:
    """The dated result."""
    good = sum("unchanged" in line or "swapped whole" in line for line in lines)
    stamp = (
        f"{datetime.now(UTC):%Y-%m-%d} · commit {commit_of(ROOT)[:12]} · data {record[-1]['data_hash'][:12]}"
    )
    text = f"""# Retrains killed at random moments

{stamp} · n = {len(lines)} kills · seed {SEED}

`python benchmarks/killed_retrain/run.py {len(lines)}`: a whole retrain of two cheap members takes
{whole:.1f} s here; each of the others is killed (SIGKILL to its process group) after a random share of
that, while a production server answers.

- After {good} of {len(lines)} kills the server answered with one whole champion.
- The next retrain ended with status {code}; the server then answered {final[0]} with model {final[1]}.
- Promotion record: {len(record)} lines, the last naming {record[-1]["to_version"]}; no line was lost in
  {sum("LOST" not in line for line in lines)} of {len(lines)} kills.
{resuming}

| kill | after, s | retrain | HTTP status | answer | record |
|---|---|---|---|---|---|
"""
    (HERE / "result.md").write_text(text + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50, [Path(name).resolve() for name in sys.argv[2:]])
