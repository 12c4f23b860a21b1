"""Can the time of a refusal tell how near a key was? Near misses in turn, in-process and over HTTP.

Usage: python benchmarks/api_keys/run.py [EACH]     (default 20000 in-process; a tenth of it over HTTP)
Writes result.md beside this file.
"""

from __future__ import annotations

import http.client
import random
import statistics
import string
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
SIGNS = string.ascii_letters + string.digits + "-_"
NOTHING = "nothing"
CONTROL = "nothing, another key_id"
NAIVE = "naive look-up"
Times = dict[str, list[float]]
Miss = Callable[[random.Random], str]


def main(each: int) -> None:
    """All ways; then result.md."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch)
        Kit().publish(store)
        state = state_of(store)
        at = datetime(2026, 11, 1, tzinfo=UTC)
        _, token = create(state, "bench", scopes=["read"], days=90, at=at, who="bench")
        keyring = Keyring(state)
        keyring.refresh()
        kinds = misses(token)
        told = {
            "in-process": timed(lambda text: refused(keyring, text), kinds, each),
            NAIVE: timed(lambda text: naive(token, text), kinds, each),
        }
        state.close()
        with serving(store, workers=1, more={"FORECARBON_AUTH": "keys"}) as server:
            place = urlsplit(server.url)
            line = http.client.HTTPConnection(place.hostname or "", place.port)
            told["over HTTP"] = timed(lambda text: over_http(line, text), kinds, max(200, each // 10))
    (HERE / "result.md").write_text(report(told))


def misses(token: str) -> dict[str, Miss]:
    """Makers of wrong keys of equal length, ever nearer to the right one; each is drawn anew.

    One key timed again and again would show its own place in memory and among hashes, not its nearness.
    """
    head, secret = token[:16], token[16:]

    def with_signs(right: int, start: str = head) -> Miss:
        def make(draw: random.Random) -> str:
            while True:
                wrong = secret[:right] + "".join(draw.choices(SIGNS, k=len(secret) - right))
                if wrong != secret:
                    return start + wrong

        return make

    # Texts that come again and again are read faster than new ones, so a wrong key_id stays the same too.
    wrong = [f"fc_{random.Random(seed).getrandbits(48):012x}_" for seed in range(3)]
    return {
        NOTHING: with_signs(0, wrong[0]),
        CONTROL: with_signs(0, wrong[1]),
        f"{CONTROL} (2)": with_signs(0, wrong[2]),
        "the key_id": with_signs(0),
        "the key_id and 1 sign": with_signs(1),
        "the key_id and 8 signs": with_signs(8),
        "the key_id and half of the secret": with_signs(21),
        "all but the last sign": with_signs(len(secret) - 1),
    }


def timed(ask: Callable[[str], None], kinds: dict[str, Miss], each: int) -> Times:
    """Microseconds of ``each`` refusals of every kind, in an order drawn at random."""
    draw = random.Random(1)
    order = list(kinds) * each
    draw.shuffle(order)
    tokens = alike([kinds[name](draw) for name in order])
    told: Times = {name: [] for name in kinds}
    for name, token in zip(order, tokens, strict=True):
        begun = time.perf_counter_ns()
        ask(token)
        told[name].append((time.perf_counter_ns() - begun) / 1000)
    return told


def alike(tokens: list[str]) -> list[str]:
    """The same texts, each made anew in the same way: how one was put together can be seen in time."""
    whole, size = "".join(tokens), len(tokens[0])
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def refused(keyring: Keyring, token: str) -> None:
    """One look at a key that is wrong."""
    try:
        keyring.admit(token, "read", NOW)
    except AskError:
        return
    raise RuntimeError("a wrong key was let in")


def naive(right: str, token: str) -> None:
    """What this test must be able to see: sign after sign, until one is wrong."""
    for one, other in zip(right, token, strict=True):
        if one != other:
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
    n = ", ".join(f"{way}: {len(times[NOTHING]):,}" for way, times in told.items())
    lines = [
        "# Near misses of a key",
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · {commit_of(ROOT)[:12]} · n of each kind: {n}",
        "",
        "`python benchmarks/api_keys/run.py`: refusals of wrong keys in an order drawn at random, each key",
        "drawn anew. p is of the two-sided Mann-Whitney test against keys of which nothing is right; share",
        "is how often a refusal of this kind takes longer than one of those: 50% says nothing. Controls: two",
        f"more wrong key_ids, whose spread is what the texts alone make; the {NAIVE} compares sign by sign.",
        "",
        "| way | of the key is right | median, µs | share | p |",
        "|---|---|---|---|---|",
    ]
    for way, times in told.items():
        far = times[NOTHING]
        for name, some in times.items():
            tested = mannwhitneyu(some, far)
            share = float(tested.statistic) / (len(some) * len(far))
            p = "" if name == NOTHING else f"{float(tested.pvalue):.3g}"
            lines.append(f"| {way} | {name} | {statistics.median(some):.2f} | {100 * share:.1f}% | {p} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
