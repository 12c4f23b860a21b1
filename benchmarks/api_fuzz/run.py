"""Does anything a caller can send break the API? The OpenAPI document's cases, and bytes that are none.

Usage: python benchmarks/api_fuzz/run.py [--cases 20000] [--odd 20000]
Writes result.md beside this file. The document's cases are schemathesis' (see schemathesis.toml).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks" / "api")]

from standing import serving  # noqa: E402

from tests.serving.synthetic import Kit  # noqa: E402
from training.report import commit_of  # noqa: E402

# Examples a property: with all phases about nineteen cases come of each.
CASES_EACH = 19
SECONDS = 8.0
PATHS = [
    *(b"/", b"/openapi.json", b"/metrics", b"/v1/clusters", b"/v1/clusters/aa-north", b"/v1/series"),
    *(b"/v1/forecast", b"/v1/forecasts/batch", b"/v1/forecasts/x", b"/v1/actuals", b"/v1/evidence"),
    *(b"/v1/lineage", b"/v1/models/current", b"/v1/promotions", b"/v1/findings", b"/v1/health"),
    *(b"/v1/%00", b"/v1/clusters/%ff%fe", b"/v1/clusters/../../etc", b"//v1//forecast", b"/%2e%2e/", b"*"),
]
METHODS = [
    b"GET",
    b"POST",
    b"POST",
    b"POST",
    b"PUT",
    b"HEAD",
    b"OPTIONS",
    b"DELETE",
    b"TRACE",
    b"BREW",
    b"get",
]
KINDS = [
    b"application/json",
    b"application/json; charset=utf-16",
    b"text/csv",
    b"",
    b"\xff\xfe",
    b"a" * 5_000,
]
BODIES = [
    b'{"clusters": ["aa-north"], "steps": 3}',
    b'{"clusters": ["aa-north"], "steps": 1e400}',
    b'{"clusters": ["aa-north"], "levels": [NaN]}',
    b'{"series": ["aa-north/power"], "quantiles": [-Infinity]}',
    b'{"history": [{"unique_id": "a", "ds": 2019, "y": 1e308}, {"unique_id": "a", "ds": 2020, "y": 1e308}]}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"clusters": ["' + b"\\ud800" * 50 + b'"]}',
    b"\xff\xfe\x00{}",
    b"\x1f\x8b\x08" + bytes(200),
    b"",
    b"null",
    b'{"rows": [{"unique_id": "aa-north", "ds": "2020-01-01", "y": 1, "source": "x"}]}',
    b'{"all": true, "steps": 2}',
]


def main(cases: int, odd: int) -> None:
    """Both kinds; then result.md."""
    with tempfile.TemporaryDirectory() as scratch:
        store, log = Path(scratch) / "store", Path(scratch) / "log"
        Kit().publish(store)
        with serving(store, workers=2, log=log) as server:
            before = {one.pid for one in server.workers()}
            told = of_document(server.url, cases)
            statuses = asyncio.run(of_bytes(server.url, odd))
            after = {one.pid for one in server.workers()}
        said = log.read_text(errors="replace")
    bad = {status: n for status, n in statuses.items() if status.startswith("5")}
    text = f"""# What callers can send

{datetime.now(UTC):%Y-%m-%d} · {commit_of(ROOT)[:12]} · n = {cases:,} of the document, {odd:,} odd ones

`python benchmarks/api_fuzz/run.py`: the production server with two workers. First schemathesis over
/openapi.json, all checks and phases (schemathesis.toml says which refusals count as an answer); then
requests put together at random of odd methods, paths, headers and bodies (deep JSON, numbers beyond all
bounds, no UTF-8, compressed, cut short), on raw connections.

| | |
|---|---|
| schemathesis | {told} |
| odd requests by status | {", ".join(f"{status}: {n:,}" for status, n in sorted(statuses.items()))} |
| of these 5xx | {sum(bad.values())} |
| workers that died | {len(before - after)} |
| tracebacks in the log | {said.count("Traceback")} |
| bugs in the log | {said.count('"event": "bug"')} |
"""
    (HERE / "result.md").write_text(text)
    print(text)


def of_document(url: str, cases: int) -> str:
    """What schemathesis says of the document's cases."""
    st = str(Path(sys.executable).parent / "st")
    command = [st, "--config-file", str(HERE / "schemathesis.toml"), "run", f"{url}/openapi.json"]
    command += ["--checks", "all", "-n", str(max(1, cases // CASES_EACH)), "--workers", "2"]
    command += ["--continue-on-failure", "--no-color"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tempfile.gettempdir())
    found = re.search(r"Test cases:\s+(.+)", done.stdout)
    failed = re.findall(r"❌ (ST\d+ .+)", done.stdout)
    counted = found[1] if found else done.stdout[-200:]
    return f"{counted}; status {done.returncode}; {', '.join(failed) or 'no failure'}"


async def of_bytes(url: str, count: int) -> Counter[str]:
    """Statuses of ``count`` odd requests; "closed" where the connection was cut instead."""
    place, draw, statuses = urlsplit(url), random.Random(1), Counter[str]()
    left = iter(range(count))

    async def one() -> None:
        for _ in left:
            raw = request(draw)
            try:
                reader, writer = await asyncio.open_connection(place.hostname, place.port)
                writer.write(raw)
                line = await asyncio.wait_for(reader.readline(), SECONDS)
                statuses[line.split(b" ")[1].decode() if line else "closed"] += 1
                writer.close()
            except TimeoutError:
                statuses["silent"] += 1
            except OSError:
                statuses["closed"] += 1

    await asyncio.gather(*(one() for _ in range(16)))
    return statuses


def request(draw: random.Random) -> bytes:
    """One odd request."""
    body = draw.choice(BODIES) if draw.random() < 0.8 else draw.randbytes(draw.randrange(2_000))
    if draw.random() < 0.3 and body:
        cut = bytearray(body)
        cut[draw.randrange(len(cut))] = draw.randrange(256)
        body = bytes(cut)
    path = draw.choice(PATHS)
    if draw.random() < 0.2:
        path += b"?" + bytes(draw.choice(b"abc=&%+;[]{}\x7f!") for _ in range(draw.randrange(60)))
    heads = [b"Host: x", b"Content-Type: " + draw.choice(KINDS)]
    if draw.random() < 0.2:
        heads.append(
            draw.choice([b"Content-Encoding: gzip", b"Content-Encoding: br", b"Expect: 100-continue"])
        )
    if draw.random() < 0.2:
        heads.append(
            b"X-" + bytes(draw.choice(b"abcd") for _ in range(5)) + b": " + draw.randbytes(20).hex().encode()
        )
    if draw.random() < 0.1:
        heads += [b"If-None-Match: " + bytes(draw.choice(b'"W/*,a') for _ in range(9))] * 2
    if draw.random() < 0.1:
        heads.append(
            b"Authorization: " + draw.choice([b"Bearer fc_0_0", b"Basic", b"\xff", b"Bearer " + b"a" * 900])
        )
    # A length that promises more is a caller who never sends the rest: the answer is 408 after five seconds.
    length = len(body) if draw.random() < 0.995 else len(body) + 5
    heads.append(b"Content-Length: %d" % length)
    return draw.choice(METHODS) + b" " + path + b" HTTP/1.1\r\n" + b"\r\n".join(heads) + b"\r\n\r\n" + body


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--odd", type=int, default=20_000)
    asked = parser.parse_args()
    main(asked.cases, asked.odd)
