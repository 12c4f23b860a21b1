"""Callers of a service until they are ended: python benchmarks/soak/load.py URL OUT A_SECOND

Four callers share the rate. On SIGTERM the answers are counted into OUT as JSON.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx

CALLERS = 4
ASKED = (
    ("POST", "/v1/forecast", {"clusters": ["nl-rotterdam"], "steps": 8, "levels": [80, 95]}),
    ("POST", "/v1/forecast", {"clusters": ["nl-rotterdam", "nl-east"], "steps": 3}),
    ("GET", "/v1/models/current", None),
    ("GET", "/v1/clusters/nl-rotterdam", None),
    ("GET", "/v1/insights/progress?series=nl-rotterdam", None),
    ("GET", "/v1/promotions", None),
)


def main(url: str, out: Path, rate: float) -> None:
    """Ask until told to stop."""
    ended, lock = threading.Event(), threading.Lock()
    statuses: Counter[str] = Counter()
    seconds: list[float] = []
    signal.signal(signal.SIGTERM, lambda *_: ended.set())

    def caller(number: int) -> None:
        draw = random.Random(number)
        with httpx.Client(base_url=url, timeout=30) as client:
            while not ended.wait(draw.expovariate(rate / CALLERS)):
                method, path, body = draw.choice(ASKED)
                begun = time.perf_counter()
                try:
                    status = str(client.request(method, path, json=body).status_code)
                except httpx.HTTPError as fault:
                    status = type(fault).__name__
                with lock:
                    statuses[f"{status} {path.split('?')[0]}"] += 1
                    seconds.append(time.perf_counter() - begun)

    crowd = [threading.Thread(target=caller, args=(number,)) for number in range(CALLERS)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    seconds.sort()
    p99 = seconds[int(0.99 * len(seconds))] if seconds else 0.0
    out.write_text(json.dumps({"statuses": statuses, "n": len(seconds), "p99": p99}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
