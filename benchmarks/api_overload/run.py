"""Five times too many: are the surplus sent away, the served still served well, and all well again after it?

Usage: python benchmarks/api_overload/run.py      (needs wrk)
Writes result.md beside this file.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks" / "api")]

import httpx  # noqa: E402
from standing import serving  # noqa: E402

from serving.guard import AT_ONCE  # noqa: E402
from serving.own_history import WAITING, WORKERS  # noqa: E402
from tests.serving.synthetic import Kit  # noqa: E402
from training.report import commit_of  # noqa: E402

PROCESSES = 2
SECONDS = 15.0
TIMES = 5
JSON = {"content-type": "application/json"}
REGISTRY = json.dumps({"clusters": ["aa-north"], "steps": 8}).encode()
OWN = json.dumps(
    {
        "history": [
            {"unique_id": f"p{k}", "ds": year, "y": 1000.0 * (k + 1) + (year * 7919 + k) % 50}
            for k in range(10)
            for year in range(2000, 2024)
        ],
        "steps": 5,
    }
).encode()


@dataclass
class Heard:
    """What one phase heard back."""

    statuses: Counter[int] = field(default_factory=Counter)
    served: list[float] = field(default_factory=list)
    waits: Counter[str] = field(default_factory=Counter)

    def p99(self) -> float:
        """Of served requests, seconds."""
        return statistics.quantiles(self.served, n=100)[98] if len(self.served) > 1 else float("nan")


def main() -> None:
    """Both kinds of question at capacity, at five times it, and after it; then result.md."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch) / "store"
        Kit().publish(store)
        with serving(store, workers=PROCESSES, log=Path(scratch) / "log") as server:
            httpx.post(f"{server.url}/v1/forecast", content=OWN, headers=JSON, timeout=30)
            time.sleep(5)
            own = asyncio.run(phases(lambda load: callers(server.url, OWN, load), PROCESSES * WORKERS))
            quick = asyncio.run(
                phases(lambda load: beside_load(server.url, Path(scratch), load), PROCESSES * AT_ONCE)
            )
        tracebacks = (Path(scratch) / "log").read_text().count("Traceback")
    (HERE / "result.md").write_text(report({"own history": own, "registry": quick}, tracebacks))


async def phases(load: Callable[[int], Awaitable[Heard]], capacity: int) -> list[tuple[str, int, Heard]]:
    """At capacity, at ``TIMES`` it, and at capacity again, begun at once."""
    told = []
    for name, callers_ in (("capacity", capacity), ("5x", TIMES * capacity), ("after it", capacity)):
        told.append((name, callers_, await load(callers_)))
    return told


async def callers(url: str, body: bytes, count: int) -> Heard:
    """``count`` callers, each asking again when answered, or a tenth of a second after it was sent away."""
    heard, until = Heard(), time.monotonic() + SECONDS
    limits = httpx.Limits(max_connections=count, max_keepalive_connections=count)
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as client:

        async def one() -> None:
            while time.monotonic() < until:
                await ask(client, body, heard)

        await asyncio.gather(*(one() for _ in range(count)))
    return heard


async def ask(client: httpx.AsyncClient, body: bytes, heard: Heard) -> None:
    """One question."""
    begun = time.perf_counter()
    reply = await client.post("/v1/forecast", content=body, headers=JSON)
    heard.statuses[reply.status_code] += 1
    if reply.status_code == 200:
        heard.served.append(time.perf_counter() - begun)
    else:
        heard.waits[reply.headers.get("retry-after", "none")] += 1
        await asyncio.sleep(0.1)


async def beside_load(url: str, scratch: Path, count: int) -> Heard:
    """wrk holds ``count`` connections busy; one caller beside it is timed."""
    script = scratch / "post.lua"
    script.write_text(
        'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
        f"wrk.body = [==[{REGISTRY.decode()}]==]\n"
    )
    command = ["wrk", "-t1", f"-c{count}", f"-d{SECONDS:.0f}s", "-s", str(script), f"{url}/v1/forecast"]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    heard = Heard()
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        while process.returncode is None:
            await ask(client, REGISTRY, heard)
            await asyncio.sleep(0.002)
    said = (await process.stdout.read()).decode() if process.stdout else ""
    refused = [line.split(":")[1] for line in said.splitlines() if "Non-2xx" in line]
    total = [line.split()[0] for line in said.splitlines() if "requests in" in line]
    heard.statuses[0] = int(total[0]) if total else 0
    heard.statuses[-1] = int(refused[0]) if refused else 0
    return heard


def report(told: dict[str, list[tuple[str, int, Heard]]], tracebacks: int) -> str:
    """The page."""
    lines = [
        "# Five times too many",
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · commit {commit_of(ROOT)[:12]} · phases of {SECONDS:.0f} s in a row",
        "",
        "`python benchmarks/api_overload/run.py`: two workers. Own histories (10 series of 24 years) are",
        f"fitted by {WORKERS} threads a worker, with {WAITING} more in line; registry questions are answered",
        f"{AT_ONCE} at a time a worker. Capacity is as many callers as are fitted for, or have a place; each",
        "asks again when answered. Of own histories every caller is timed; beside registry questions, which",
        "wrk asks on so many connections, one caller is.",
        "",
        "| question | load | callers | served (timed) | p99 of served, ms | ÷ capacity | sent away | "
        "Retry-After |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind, some in told.items():
        base = some[0][2].p99()
        for name, count, heard in some:
            away = sum(n for status, n in heard.statuses.items() if status == 429)
            odd = {s: n for s, n in heard.statuses.items() if s not in (0, -1, 200, 429)}
            if -1 in heard.statuses:
                share = f"{heard.statuses[-1]:,} of {heard.statuses[0]:,} of wrk's, {away} of the caller's"
            else:
                share = f"{away:,} of {sum(heard.statuses.values()):,}"
            share += f" (and {odd})" if odd else ""
            waits = ", ".join(f"{wait} s" for wait in sorted(heard.waits)) or "-"
            lines.append(
                f"| {kind} | {name} | {count} | {len(heard.served):,} | {1000 * heard.p99():.1f} | "
                f"{heard.p99() / base:.2f} | {share} | {waits} |"
            )
    lines += ["", f"Tracebacks in the log: {tracebacks}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
