"""How quick is a forecast beside a route that does nothing? In the same Bento, in one run.

Usage: python benchmarks/api/run.py [--store FOLDER] [--rounds 5] [--seconds 4]     (needs wrk)
Writes result.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(HERE)]

import httpx  # noqa: E402
from standing import questions, serving, trained  # noqa: E402

from training.report import commit_of  # noqa: E402

CONNECTIONS = 8
SERVICE = "benchmarks.api.bench_service:Forecarbon"
PLACES = {
    "POST /v1/forecast": "/v1/forecast",
    "empty mounted route": "/bench/empty",
    "plain @bentoml.api": "/plain",
}


@dataclass(frozen=True)
class Measured:
    """Requests a second and the 99th percentile in milliseconds of one round; answers that were no 2xx."""

    rate: float
    p99: float
    bad: int


def main(store: Path, rounds: int, seconds: int) -> None:
    """All places in turn, round by round; then result.md."""
    told: dict[str, list[Measured]] = {}
    with tempfile.TemporaryDirectory() as scratch, serving(trained(store), target=SERVICE) as server:
        bodies = questions(server.url)
        size = len(httpx.post(f"{server.url}/v1/forecast", content=bodies[0], headers=JSON).content)
        script = Path(scratch) / "post.lua"
        script.write_text(lua(bodies))
        with bare(size) as plain:
            places = {name: f"{server.url}{path}" for name, path in PLACES.items()} | {"bare uvicorn": plain}
            for url in places.values():
                wrk(url, script, 2)
            for _ in range(rounds):
                for name, url in places.items():
                    told.setdefault(name, []).append(wrk(url, script, seconds))
    (HERE / "result.md").write_text(report(told, len(bodies), size, rounds, seconds))


JSON = {"content-type": "application/json"}


def lua(bodies: list[bytes]) -> str:
    """A script for wrk that asks each body in turn."""
    listed = ",".join(f"[==[{body.decode()}]==]" for body in bodies)
    return f"""
local bodies = {{{listed}}}
local k = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  k = k % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[k])
end
"""


class bare:  # noqa: N801 - reads as a context
    """A bare uvicorn of two processes that answers ``size`` bytes; its address."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __enter__(self) -> str:
        argv = [sys.executable, "-m", "uvicorn", "bare:app", "--port", "4077", "--workers", "2"]
        argv += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error"]
        env = {**os.environ, "BARE_BYTES": str(self._size)}
        self._process = subprocess.Popen(argv, cwd=HERE, env=env)
        url = "http://127.0.0.1:4077/"
        for _ in range(100):
            try:
                httpx.post(url)
                return url
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError("the bare server did not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def wrk(url: str, script: Path, seconds: int) -> Measured:
    """One round of load."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script), url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()  # type: ignore[union-attr]
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Measured(
        rate, float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit], int(bad[1]) if bad else 0
    )


def report(told: dict[str, list[Measured]], bodies: int, size: int, rounds: int, seconds: int) -> str:
    """The page."""
    base = told["empty mounted route"]
    lines = [
        "# Forecasts beside a route that does nothing",
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · commit {commit_of(ROOT)[:12]} · n = {rounds} rounds of {seconds} s",
        "",
        "`python benchmarks/api/run.py`: the production service with two workers, and on the same two cores",
        f"{CONNECTIONS} connections of wrk; POST /v1/forecast asks {bodies} series in turn (8 steps,",
        f"2 bands, {size} bytes each), and every answer is noted in the journal. The empty and the plain",
        "route are in the same Bento, behind BentoML's layers, as any mounted route is. Bare uvicorn",
        "(uvloop, httptools) answers as many bytes. Medians over rounds, all places in turn; ratios are of",
        "each round.",
        "",
        "| | requests/s | ÷ empty mounted | p99, ms | ÷ empty mounted | not 2xx |",
        "|---|---|---|---|---|---|",
    ]
    for name, some in told.items():
        rate = statistics.median(m.rate for m in some)
        p99 = statistics.median(m.p99 for m in some)
        times = statistics.median(m.rate / b.rate for m, b in zip(some, base, strict=True))
        slower = statistics.median(m.p99 / b.p99 for m, b in zip(some, base, strict=True))
        lines.append(
            f"| {name} | {rate:,.0f} | {times:.2f} | {p99:.2f} | {slower:.2f} | {sum(m.bad for m in some)} |"
        )
    print(json.dumps({name: [vars(m) for m in some] for name, some in told.items()}))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", type=Path, default=ROOT / "store" / "bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    asked = parser.parse_args()
    main(asked.store.resolve(), asked.rounds, asked.seconds)
