"""Fifty champions swapped under load: is any answer wrong, mixed or missing, and does memory stay flat?

Usage: python benchmarks/api_swaps/run.py [REQUESTS] [SWAPS]     (default 200000 and 50)
Writes result.md beside this file.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks" / "api")]

from standing import Server, serving  # noqa: E402

from serving.journal import read_entries  # noqa: E402
from tests.serving.synthetic import Fake, Kit  # noqa: E402
from training.report import commit_of  # noqa: E402

CONNECTIONS = 16
QUESTIONS = [
    json.dumps({"clusters": ["aa-north"], "steps": steps, "levels": levels}).encode()
    for steps in range(1, 9)
    for levels in ([80], [80, 95], [50, 90])
]


@dataclass
class Seen:
    """What the callers saw."""

    asked: int = 0
    faults: list[str] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


def main(requests: int, swaps: int) -> None:
    """Load and swaps at once; then result.md."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch) / "store"
        Kit(version="v000", champion=Fake(scale=1.0)).publish(store)
        with serving(store, workers=2, log=Path(scratch) / "log") as server:
            seen, memory = asyncio.run(loaded(server, store, requests, swaps))
        tracebacks = (Path(scratch) / "log").read_text().count("Traceback")
        noted = sum(1 for _ in read_entries(store))
    (HERE / "result.md").write_text(report(seen, memory, requests, swaps, tracebacks, noted))


async def loaded(
    server: Server, store: Path, requests: int, swaps: int
) -> tuple[Seen, list[tuple[float, float]]]:
    """Callers, a publisher and a watcher of memory, until all requests are answered."""
    seen, memory, done = Seen(), list[tuple[float, float]](), asyncio.Event()
    workers = server.workers()

    async def publish() -> None:
        for number in range(1, swaps + 1):
            while seen.asked < number * requests / (swaps + 1):
                await asyncio.sleep(0.02)
            kit = Kit(version=f"v{number:03d}", champion=Fake(scale=float(number + 1)))
            await asyncio.to_thread(kit.publish, store)

    async def watch() -> None:
        while not done.is_set():
            memory.append((seen.asked / requests, sum(one.memory_info().rss for one in workers) / 1e6))
            await asyncio.sleep(1.0)

    tasks = [asyncio.create_task(publish()), asyncio.create_task(watch())]
    await asyncio.gather(*(caller(server.url, seen, requests, k) for k in range(CONNECTIONS)))
    done.set()
    await asyncio.gather(*tasks)
    return seen, memory


async def caller(url: str, seen: Seen, requests: int, first: int) -> None:
    """One connection: asks, and holds every answer against the version it names."""
    place, k = urlsplit(url), first
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    while seen.asked < requests:
        body, k = QUESTIONS[k % len(QUESTIONS)], k + 1
        seen.asked += 1
        begun = time.perf_counter()
        writer.write(
            b"POST /v1/forecast HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(
            next(line for line in head.split(b"\r\n") if line.startswith(b"content-length")).split()[1]
        )
        told = await reader.readexactly(length)
        seen.slowest = max(seen.slowest, time.perf_counter() - begun)
        judge(seen, head, told, json.loads(body)["steps"])
    writer.close()


_ALONE: dict[int, float] = {}


def judge(seen: Seen, head: bytes, told: bytes, steps: int) -> None:
    """A fault unless the answer is whole and its figures are those of the version it names."""
    if not head.startswith(b"HTTP/1.1 200"):
        seen.faults.append(head[:60].decode("latin-1"))
        return
    answer = json.loads(told)
    version = str(answer["model_version"])
    seen.versions[version] += 1
    rows = answer["forecasts"][0]["rows"]
    scale = int(version[1:]) + 1
    base = _ALONE.setdefault(steps, rows[-1]["mean"] / scale)
    wrong = [row for row in rows if not row["quantiles"]["0.5"] > 0] or len(rows) != steps
    if wrong or abs(rows[-1]["mean"] / scale / base - 1) > 1e-9:
        seen.faults.append(f"{version}: a figure of another version")


def report(
    seen: Seen, memory: list[tuple[float, float]], requests: int, swaps: int, tracebacks: int, noted: int
) -> str:
    """The page."""
    half = [size for share, size in memory if share >= 0.5]
    usual = statistics.median(half)
    flat = f"{100 * (max(half) / usual - 1):+.1f} / {100 * (min(half) / usual - 1):+.1f}%"
    grown = 100 * (statistics.mean(half[-5:]) / statistics.mean(half[:5]) - 1)
    return f"""# Champions swapped under load

{datetime.now(UTC):%Y-%m-%d} · {commit_of(ROOT)[:12]} · n = {requests:,} requests, {swaps} swaps

`python benchmarks/api_swaps/run.py`: two workers, {CONNECTIONS} connections, {len(QUESTIONS)} questions
in turn; every answer is parsed and its figures are held against the version it names (each champion's are a
multiple of its own).

| | |
|---|---|
| answers that were an error, or not of the version they name | {len(seen.faults)} |
| versions that answered | {len(seen.versions)} of {swaps + 1} |
| slowest answer, ms | {1000 * seen.slowest:.0f} |
| memory of both workers, last half, MB | median {usual:.0f}, {flat} around it |
| memory at the end of that half against its begin | {grown:+.1f}% |
| tracebacks in the log | {tracebacks} |
| answers in the journal | {noted:,} |

{chr(10).join(seen.faults[:10])}
"""


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:3]]
    main(*given, *(200_000, 50)[len(given) :])
