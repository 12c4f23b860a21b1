"""Can the time of a refusal tell how near a key was? Near misses in turn, in-process and over HTTP.

Usage: python benchmarks/api_keys/run.py [EACH]     (default 20000 in-process; a tenth of it over HTTP)
Writes result.md beside this file.
"""

from __future__ import annotations

import http.client
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from scipy.stats import mannwhitneyu

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks" / "api")]

from standing import serving  # noqa: E402

from features.errors import AskError  # noqa: E402
from serving.keys import Keyring, create  # noqa: E402
from serving.state import state_of  # noqa: E402
from tests.serving.synthetic import Kit  # noqa: E402
from training.report import commit_of  # noqa: E402

NOW = "2026-11-24T08:00:00.000Z"
FAR = "key_id right"
Times = dict[str, list[float]]


def main(each: int) -> None:
    """Both ways; then result.md."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch)
        Kit().publish(store)
        state = state_of(store)
        at = datetime(2026, 11, 1, tzinfo=UTC)
        _, token = create(state, "bench", scopes=["read"], days=90, at=at, who="bench")
        keyring = Keyring(state)
        keyring.refresh()
        tokens = misses(token)
        inside = timed(lambda text: refused(keyring, text), tokens, each)
        state.close()
        with serving(store, workers=1, more={"FORECARBON_AUTH": "keys"}) as server:
            place = urlsplit(server.url)
            line = http.client.HTTPConnection(place.hostname or "", place.port)
            outside = timed(lambda text: over_http(line, text), tokens, max(200, each // 10))
    (HERE / "result.md").write_text(report({"in-process": inside, "over HTTP": outside}))


def misses(token: str) -> dict[str, str]:
    """Keys of equal length that are ever nearer to the right one."""
    head, secret = token[:16], token[16:]
    other = "".join("A" if sign != "A" else "B" for sign in secret)
    return {
        FAR: head + other,
        "key_id and half of the secret": head + secret[:21] + other[21:],
        "all but the last sign": head + secret[:-1] + other[-1],
        "nothing, not the key_id": "fc_" + "0" * 12 + "_" + other,
    }


def timed(ask: Callable[[str], None], tokens: dict[str, str], each: int) -> Times:
    """Microseconds of ``each`` refusals of every kind, in an order drawn at random."""
    order = list(tokens) * each
    random.Random(1).shuffle(order)
    told: Times = {name: [] for name in tokens}
    for name in order:
        begun = time.perf_counter_ns()
        ask(tokens[name])
        told[name].append((time.perf_counter_ns() - begun) / 1000)
    return told


def refused(keyring: Keyring, token: str) -> None:
    """One look at a key that is wrong."""
    try:
        keyring.admit(token, "read", NOW)
    except AskError:
        return
    raise RuntimeError("a wrong key was let in")


def over_http(line: http.client.HTTPConnection, token: str) -> None:
    """One request with a key that is wrong."""
    line.request("GET", "/v1/series", headers={"Authorization": f"Bearer {token}"})
    reply = line.getresponse()
    reply.read()
    if reply.status != 401:
        raise RuntimeError(f"status {reply.status}")


def report(told: dict[str, Times]) -> str:
    """The page."""
    n = {way: len(times[FAR]) for way, times in told.items()}
    lines = [
        "# Near misses of a key",
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · {commit_of(ROOT)[:12]} · n = {n} of each kind",
        "",
        "`python benchmarks/api_keys/run.py`: refusals of wrong keys in a random order. p is of the",
        "two-sided Mann-Whitney test against keys of which the key_id, no secret, is right; share is",
        "how often a refusal of this kind takes longer than one of those: 50% says nothing.",
        "",
        "| way | of the key is right | median, µs | share | p |",
        "|---|---|---|---|---|",
    ]
    for way, times in told.items():
        far = times[FAR]
        for name, some in times.items():
            tested = mannwhitneyu(some, far)
            share = float(tested.statistic) / (len(some) * len(far))
            p = "" if name == FAR else f"{float(tested.pvalue):.3f}"
            lines.append(f"| {way} | {name} | {statistics.median(some):.2f} | {100 * share:.1f}% | {p} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
