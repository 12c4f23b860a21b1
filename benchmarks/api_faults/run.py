"""A worker killed, a drain under load, PostgreSQL stopped and started, a full disk: is what is promised kept?

Usage: python benchmarks/api_faults/run.py      (as root: it mounts a small file system; needs PostgreSQL)
Writes result.md beside this file.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks" / "api")]

import httpx  # noqa: E402
from standing import serving  # noqa: E402

from serving.journal import read_entries  # noqa: E402
from tests.serving.synthetic import Kit  # noqa: E402
from tests.training.postgres import DatabaseServer, programs  # noqa: E402
from training.report import commit_of  # noqa: E402

CALLERS = 8
BODY = json.dumps({"clusters": ["aa-north"], "steps": 4}).encode()
JSON = {"content-type": "application/json"}


@dataclass
class Heard:
    """What callers heard: names of answered forecasts, faults, and what the journal said of itself."""

    answered: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    journal: set[str] = field(default_factory=set)
    slowest: float = 0.0


async def load(url: str, heard: Heard, until: asyncio.Event) -> None:
    """Callers, each on a connection of its own that it opens again when it breaks."""

    async def one() -> None:
        while not until.is_set():
            async with httpx.AsyncClient(base_url=url, timeout=20) as client:
                try:
                    while not until.is_set():
                        await ask(client, heard)
                except httpx.TransportError as fault:
                    heard.broken.append(type(fault).__name__)
                    await asyncio.sleep(0.02)

    await asyncio.gather(*(one() for _ in range(CALLERS)))


async def ask(client: httpx.AsyncClient, heard: Heard) -> None:
    """One question."""
    begun = time.perf_counter()
    reply = await client.post("/v1/forecast", content=BODY, headers=JSON)
    heard.slowest = max(heard.slowest, time.perf_counter() - begun)
    if reply.status_code == 200:
        told = reply.json()
        heard.answered.append(told["forecast_id"])
        heard.journal.add(told["journal"])
    else:
        heard.odd.append(str(reply.status_code))


async def loaded(url: str, deed: Callable[[], Awaitable[None]], *, after: float = 3.0) -> Heard:
    """Load for two seconds, ``deed``, load for ``after`` more."""
    heard, until = Heard(), asyncio.Event()
    callers = asyncio.create_task(load(url, heard, until))
    await asyncio.sleep(2.0)
    await deed()
    await asyncio.sleep(after)
    until.set()
    await callers
    return heard


def unjournalled(store: Path, heard: Heard, url: str | None = None) -> int:
    """Answers that the journal does not hold."""
    kept = {entry["forecast_id"] for entry in read_entries(store, url)}
    return len(set(heard.answered) - kept)


def killed(store: Path) -> str:
    """SIGKILL to one of two workers."""
    with serving(store) as server:

        async def kill() -> None:
            server.workers()[0].send_signal(signal.SIGKILL)

        heard = asyncio.run(loaded(server.url, kill, after=15.0))
        alive = len(server.workers())
    lost = unjournalled(store, heard)
    return (
        f"| SIGKILL to one of two workers | {len(heard.answered):,} answers, {len(heard.odd)} errors, "
        f"{len(heard.broken)} connections of the killed one broken; {alive} workers after it; {lost} answers "
        "of its last moment not in the journal |"
    )


def drained(store: Path) -> str:
    """SIGTERM under load."""
    with serving(store) as server:

        async def end() -> None:
            server.process.send_signal(signal.SIGTERM)

        heard = asyncio.run(loaded(server.url, end, after=6.0))
        status = server.process.wait(timeout=40)
    torn = [name for name in heard.broken if name not in ("ConnectError", "ConnectTimeout")]
    return (
        f"| SIGTERM under load | {len(heard.answered):,} answers, {len(heard.odd)} errors, status {status}; "
        f"{len(torn)} connections closed on a caller ({', '.join(sorted(set(torn))) or 'none'}); "
        f"{unjournalled(store, heard)} answers not in the journal |"
    )


def database_away(store: Path) -> str:
    """PostgreSQL stopped for five seconds and started."""
    found = programs()
    if found is None:
        return "| PostgreSQL stopped and started | NOT RUN: no PostgreSQL here |"
    database = DatabaseServer(found)
    try:
        database.start()
        with serving(store, more={"FORECARBON_STATE_URL": database.address}) as server:

            async def away() -> None:
                await asyncio.to_thread(database.stop)
                await asyncio.sleep(5.0)
                await asyncio.to_thread(database.start)

            heard = asyncio.run(loaded(server.url, away, after=5.0))
            after = httpx.post(f"{server.url}/v1/forecast", content=BODY, headers=JSON).json()["journal"]
        lost = unjournalled(store, heard, database.address)
    finally:
        database.remove()
    return (
        f"| PostgreSQL stopped for 5 s | {len(heard.answered):,} answers, {len(heard.odd)} errors, "
        f"slowest {1000 * heard.slowest:.0f} ms; the journal said {' and '.join(sorted(heard.journal))}, "
        f"then {after}; {lost} answers not in it |"
    )


def fill(ballast: Path) -> None:
    """Take all the room there is, in ever smaller pieces."""
    with ballast.open("wb", buffering=0) as stream:
        for size in (1 << 20, 1 << 16, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    stream.write(bytes(size))


def disk_full(scratch: Path) -> str:
    """The store's disk filled to the last byte for five seconds."""
    disk = scratch / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120M", "tmpfs", str(disk)], check=True)
    try:
        store = disk / "store"
        Kit().publish(store)
        with serving(store) as server:

            async def full() -> None:
                ballast = disk / "ballast"
                await asyncio.to_thread(fill, ballast)
                await asyncio.sleep(5.0)
                ballast.unlink()

            heard = asyncio.run(loaded(server.url, full, after=5.0))
            after = httpx.post(f"{server.url}/v1/forecast", content=BODY, headers=JSON).json()["journal"]
        lost = unjournalled(store, heard)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
    return (
        f"| disk full for 5 s | {len(heard.answered):,} answers, {len(heard.odd)} errors, slowest "
        f"{1000 * heard.slowest:.0f} ms; the journal said {' and '.join(sorted(heard.journal))}, "
        f"then {after}; {lost} answers not in it |"
    )


def fresh(scratch: Path, name: str) -> Path:
    """A store with a small champion."""
    store = scratch / name
    Kit().publish(store)
    return store


def main() -> None:
    """Every fault once; then result.md."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        rows = [
            killed(fresh(scratch, "killed")),
            drained(fresh(scratch, "drained")),
            database_away(fresh(scratch, "away")),
            disk_full(scratch),
        ]
    text = f"""# Faults under load

{datetime.now(UTC):%Y-%m-%d} · commit {commit_of(ROOT)[:12]} · n = 1 each, {CALLERS} callers, two workers

`python benchmarks/api_faults/run.py`. Every answered forecast_id is looked for in the journal afterwards.

| fault | what callers met |
|---|---|
"""
    (HERE / "result.md").write_text(text + "\n".join(rows) + "\n")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
