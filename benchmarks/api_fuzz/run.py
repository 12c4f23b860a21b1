"""Does anything a caller can send break the API? The OpenAPI document's cases, and bytes that are none.

Usage: python benchmarks/api_fuzz/run.py [--cases 20000] [--odd 20000]
Writes result.md beside this file. The document's cases are schemathesis' (see schemathesis.toml).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks" / "api")]

from standing import Server, serving  # noqa: E402

from tests.serving.odd import Told, send_all  # noqa: E402
from tests.serving.synthetic import Kit  # noqa: E402
from training.report import commit_of  # noqa: E402

# Cases that come of an example a property, over all operations and phases.
CASES_EACH = 22


@dataclass(frozen=True)
class Document:
    """What schemathesis said: its own line of cases, its exit status, what failed."""

    cases: str
    status: int
    failed: list[str]


def main(cases: int, odd: int) -> None:
    """Both kinds; then result.md."""
    with tempfile.TemporaryDirectory() as scratch:
        store, log = Path(scratch) / "store", Path(scratch) / "log"
        Kit().publish(store)
        with serving(store, workers=2, log=log) as server:
            before = {one.pid for one in server.workers()}
            document = of_document(server.url, cases)
            of_cases, memory = counted(server), [held(server)]
            told = asyncio.run(send_all(server.url, odd))
            memory.append(held(server))
            died = before - {one.pid for one in server.workers()}
        said = log.read_text(errors="replace")
    text = report(document, of_cases, told, odd)
    text += f"""
| | |
|---|---|
| workers that died | {len(died)} |
| tracebacks in the log | {said.count("Traceback")} |
| bugs in the log | {said.count('"event": "bug"')} |
| memory of the two workers before and after the odd requests, MB | {memory[0]:.0f}, {memory[1]:.0f} |
"""
    (HERE / "result.md").write_text(text)
    print(text, *told.formless, sep="\n")


def report(document: Document, of_cases: Counter[str], told: Told, odd: int) -> str:
    """The page, but for how the server fared."""
    by_kind: dict[str, Counter[str]] = {}
    for (kind, status), number in told.statuses.items():
        by_kind.setdefault(kind, Counter())[status] += number
    bad = sum(n for (_, status), n in told.statuses.items() if status.startswith("5"))
    lines = [f"| {kind} | {spelt(statuses)} |" for kind, statuses in sorted(by_kind.items())]
    failed = ", ".join(document.failed) or "no failure"
    n = f"{document.cases.split(' ')[0]} cases of the document, {odd:,} odd requests"
    return f"""# What callers can send

{datetime.now(UTC):%Y-%m-%d} · {commit_of(ROOT)[:12]} · n = {n}

`python benchmarks/api_fuzz/run.py`: the production server with two workers. First schemathesis over
/openapi.json, all checks and phases (schemathesis.toml says which refusals count as an answer); then
requests put together at random by tests/serving/odd.py, on raw connections. One of these may hold many
requests (pipelined), or none. "closed": no answer, but the connection ended; "silent": it did not end.

| | |
|---|---|
| schemathesis | {document.cases}; exit status {document.status}; {failed} |
| answers by status, as the server counted them | {spelt(of_cases)} |
| of these 5xx | {sum(n for status, n in of_cases.items() if status.startswith("5"))} |
| odd requests answered 5xx | {bad} |
| odd requests refused in another form than ours | {len(told.formless)} |

| odd requests | answers by status |
|---|---|
{chr(10).join(lines)}
"""


def spelt(statuses: Counter[str]) -> str:
    """Statuses and how often."""
    return ", ".join(f"{status}: {number:,}" for status, number in sorted(statuses.items()))


def counted(server: Server) -> Counter[str]:
    """Answers by status since the start, of both workers."""
    text = httpx.get(f"{server.url}/metrics").text
    found = re.findall(r'^forecarbon_requests_total\{.*status="(\d+)"\} ([\d.e+]+)$', text, re.M)
    told = Counter[str]()
    for status, number in found:
        told[status] += int(float(number))
    return told


def held(server: Server) -> float:
    """Megabytes of memory of the workers."""
    return float(sum(one.memory_info().rss for one in server.workers())) / 1e6


def of_document(url: str, cases: int) -> Document:
    """What schemathesis says of the document's cases."""
    st = str(Path(sys.executable).parent / "st")
    command = [st, "--config-file", str(HERE / "schemathesis.toml"), "run", f"{url}/openapi.json"]
    command += ["--checks", "all", "-n", str(max(1, cases // CASES_EACH)), "--workers", "2"]
    command += ["--continue-on-failure", "--no-color"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tempfile.gettempdir(), env={**os.environ}
    )
    found = re.search(r"Test cases:\s+(.+)", done.stdout) or re.search(r"(\d+ generated, .+)", done.stdout)
    if found is None or done.returncode:
        print(done.stdout[-8_000:], done.stderr[-2_000:])
    failed = re.findall(r"❌ (ST\d+ .+)", done.stdout)
    return Document(found[1] if found else "0 (not run)", done.returncode, failed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--odd", type=int, default=20_000)
    asked = parser.parse_args()
    main(asked.cases, asked.odd)
