"""Kill a retrain at random moments, while the server answers: does the champion stay whole?

Usage: python benchmarks/killed_retrain/run.py [KILLS]   (default 20)
Writes result.md beside this file.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from features.files import read_json, read_records  # noqa: E402
from tests.conftest import free_port  # noqa: E402
from training.report import commit_of  # noqa: E402

SEED = 20261123
# With this tolerance every retrain is let in, so that kills meet saving and promoting as well.
PLAN = (ROOT / "training" / "plans" / "annual.toml").read_text().replace("tolerance = 0.0", "tolerance = 1.0")


def main(kills: int) -> None:
    """Retrain, serve, kill, look; then one retrain to the end."""
    bin_ = Path(sys.executable).parent / "forecarbon"
    with tempfile.TemporaryDirectory() as scratch:
        store, plan = Path(scratch) / "store", Path(scratch) / "plan.toml"
        env = {**os.environ, "FORECARBON_STORE": str(store)}
        command = [str(bin_), "retrain", "--plan", str(plan)]
        plan.write_text(PLAN)
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
            plan.write_text(PLAN.replace("seed = 1", f"seed = {kills + 2}"))
            last = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
            time.sleep(3)
            final = ask(port)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=60)
        record = read_records(store / "promotions.jsonl")
        write(lines, last.returncode, final, record, whole)


def kill(
    number: int, command: list[str], env: dict[str, str], plan: Path, whole: float, port: int, store: Path
) -> str:
    """One retrain of another recipe, killed after a random share of its time. Returns a table row."""
    plan.write_text(PLAN.replace("seed = 1", f"seed = {number + 2}"))
    after = random.Random(SEED + number).uniform(0.02, 1.0) * whole
    before = ask(port)
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
    return f"| {number + 1} | {after:.1f} | {'ended before' if ended else 'killed'} | {now[0]} | {same} |"


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
    lines: list[str], code: int, final: tuple[int, str, float], record: list[dict[str, str]], whole: float
) -> None:
    """The dated result."""
    good = sum("unchanged" in line or "swapped whole" in line for line in lines)
    stamp = (
        f"{datetime.now(UTC):%Y-%m-%d} · commit {commit_of(ROOT)[:12]} · data {record[-1]['data_hash'][:12]}"
    )
    text = f"""# Retrains killed at random moments

{stamp} · n = {len(lines)} kills · seed {SEED}

`python benchmarks/killed_retrain/run.py {len(lines)}`: a whole retrain takes {whole:.1f} s here; each of
the others is killed (SIGKILL to its process group) after a random share of that, while a production
server answers.

- After {good} of {len(lines)} kills the server answered with one whole champion.
- The next retrain ended with status {code}; the server then answered {final[0]} with model {final[1]}.
- Promotion record: {len(record)} lines, the last naming {record[-1]["to_version"]}.

| kill | after, s | retrain | HTTP status | answer |
|---|---|---|---|---|
"""
    (HERE / "result.md").write_text(text + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
