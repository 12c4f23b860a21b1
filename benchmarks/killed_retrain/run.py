"""Kill a retrain at random moments, while the server answers: does the champion stay whole?

Usage: python benchmarks/killed_retrain/run.py [KILLS]   (default 50)
Each retrain is a process forked from one that has its libraries loaded, so that kills meet work, not imports.
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
import tomllib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from features.files import read_json, read_records  # noqa: E402
from serving.pack import build_and_publish  # noqa: E402
from tests.conftest import free_port  # noqa: E402
from training import book  # noqa: E402, F401  # loaded before the forks, as is MLflow
from training.plan import parse_plan  # noqa: E402
from training.report import commit_of  # noqa: E402
from training.retrain import retrain  # noqa: E402
from training.tracking import quiet_mlflow  # noqa: E402

SEED = 20261123
# With this tolerance every retrain is let in, so that kills meet saving and promoting as well.
ANNUAL = ROOT / "training" / "plans" / "annual.toml"
PLAN = (
    ANNUAL.read_text()
    .replace("tolerance = 0.0", "tolerance = 1.0")
    .replace("coverage_gap = 0.08", "coverage_gap = 0.5")
    .replace("scored = 8", "scored = 4")
)
PLAN = re.sub(r"members = \[.*\]", 'members = ["naive", "trend"]', PLAN)
PLAN = re.sub(r"worst_kind = .*", "worst_kind = 10.0", PLAN)
PLAN = re.sub(r"series = \[.*\]", "series = []", PLAN)


def main(kills: int) -> None:
    """Retrain, serve, kill, look; then one retrain to the end."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch) / "store"
        quiet_mlflow()
        for seed in (1, 2):  # the second finds pieces of the first, as all others will
            begun = time.monotonic()
            if ended(forked(store, seed)):
                raise SystemExit("a retrain failed before any kill")
            whole = time.monotonic() - begun
        port = free_port()
        server = subprocess.Popen(
            [str(Path(sys.executable).parent / "forecarbon"), "serve", "--port", str(port)],
            env={**os.environ, "FORECARBON_STORE": str(store)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            lines = [kill(k, whole, port, store) for k in range(kills)]
            code = ended(forked(store, kills + 3))
            final = ask(port, read_json(store / "current.json")["model_version"])
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=60)
        write(lines, code, final, read_records(store / "promotions.jsonl"), whole)


def forked(store: Path, seed: int) -> int:
    """A process of its own that retrains and publishes; returns its id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.setsid()
        now = datetime.now(UTC)
        plan = parse_plan(tomllib.loads(PLAN.replace("seed = 1", f"seed = {seed}")))
        retrain(plan=plan, store=store, now=now)
        build_and_publish(store=store, now=now)
        status = 0
    finally:
        os._exit(status)


def ended(child: int) -> int:
    """Wait for a child; its exit status, negative if a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill(number: int, whole: float, port: int, store: Path) -> str:
    """One retrain of another recipe, killed after a random share of its time. Returns a table row."""
    after = random.Random(SEED + number).uniform(0.02, 1.0) * whole
    before, lines = ask(port), read_records(store / "promotions.jsonl")
    child = forked(store, number + 3)
    time.sleep(after)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    how = "killed" if ended(child) == -signal.SIGKILL else "ended before"
    pointer = read_json(store / "current.json")["model_version"]
    now = ask(port, pointer)
    same = "unchanged" if now == before else "swapped whole" if now[1] == pointer else "MIXED"
    record = read_records(store / "promotions.jsonl")
    kept = "kept" if record[: len(lines)] == lines else "LOST"
    kept = f"{kept}, {len(record) - len(lines)} new" if len(record) > len(lines) else kept
    row = f"| {number + 1} | {after:.1f} | {how} | {now[0]} | {same} | {kept} |"
    print(row, flush=True)
    return row


def ask(port: int, version: str = "") -> tuple[int, str, float]:
    """Status, model version and Rotterdam's 2030 median over HTTP; waits until the server answers, and for
    some seconds until it answers with ``version``."""
    patience = time.monotonic() + 10
    body = {"clusters": ["nl-rotterdam"], "steps": 8}
    for _ in range(240):
        try:
            reply = httpx.post(f"http://127.0.0.1:{port}/v1/forecast", json=body, timeout=10)
        except httpx.TransportError:
            time.sleep(0.5)
            continue
        told = reply.json()
        if version and told["model_version"] != version and time.monotonic() < patience:
            time.sleep(0.3)
            continue
        median = told["forecasts"][0]["rows"][-1]["quantiles"]["0.5"]
        return reply.status_code, told["model_version"], median
    raise SystemExit("the server never answered")


def write(
    lines: list[str],
    code: int,
    final: tuple[int, str, float],
    record: list[dict[str, str]],
    whole: float,
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

| kill | after, s | retrain | HTTP status | answer | record |
|---|---|---|---|---|---|
"""
    (HERE / "result.md").write_text(text + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
