"""Can the time of a refusal tell how near a key was? Near misses, in-process and over HTTP.

In-process the same wrong text is refused twice, in an order drawn at random: by the keyring whose key it
nearly is and by another's, to which it is far. What a text costs by its own signs (a regular expression is
quicker over digits than over letters) is in both; only the nearness differs. Pairs of keyrings are counted.

Usage: python benchmarks/api_keys/run.py [KEYS]     (default 400; ten times as many of each kind over HTTP)
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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from scipy.stats import mannwhitneyu, wilcoxon

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
AT = datetime(2026, 11, 1, tzinfo=UTC)
SIGNS = string.ascii_letters + string.digits + "-_"
NOTHING = "nothing"
TEXTS = 100
Miss = Callable[[random.Random], str]
Times = dict[str, list[float]]
Ring = tuple[str, Callable[[str], None]]


@dataclass(frozen=True)
class Told:
    """One kind of near miss: median of (near - far) of each pair of keys, µs, and what a refusal takes."""

    gaps: list[float]
    median: float


def main(rings: int) -> None:
    """Both ways; then result.md."""
    with tempfile.TemporaryDirectory() as scratch:
        held = [ring_in(Path(scratch) / str(n)) for n in range(rings)]
        draw = random.Random(1)
        told = {
            "in-process": crossed([(token, looked_up_in(ring)) for token, ring in held], draw),
            "naive look-up": crossed([(token, naive_of(token)) for token, _ in held], draw),
        }
        store = Path(scratch) / "store"
        Kit().publish(store)
        state = state_of(store)
        _, token = create(state, "bench", scopes=["read"], days=90, at=AT, who="bench")
        state.close()
        with serving(store, workers=1, more={"FORECARBON_AUTH": "keys"}) as server:
            place = urlsplit(server.url)
            line = http.client.HTTPConnection(place.hostname or "", place.port)
            over = timed(lambda text: over_http(line, text), misses(token), 10 * rings)
    (HERE / "result.md").write_text(report(told, over))


def ring_in(store: Path) -> tuple[str, Keyring]:
    """A key and the keyring of one worker that knows only it."""
    store.mkdir()
    state = state_of(store)
    _, token = create(state, "bench", scopes=["read"], days=90, at=AT, who="bench")
    keyring = Keyring(state)
    keyring.refresh()
    state.close()
    return token, keyring


def crossed(held: list[Ring], draw: random.Random) -> dict[str, Told]:
    """Every near miss of both keys of a pair, asked of its own ring and of the other's; pair by pair."""
    gaps: dict[str, list[float]] = {}
    took: dict[str, list[float]] = {}
    for pair in zip(held[::2], held[1::2], strict=True):
        both = [misses(token) for token, _ in pair]
        for name in both[0]:
            mine = [draw.randrange(2) for _ in range(TEXTS)]
            twice = alike([text for which in mine for text in [both[which][name](draw)] * 2])
            told = []
            for which, first, second in zip(mine, twice[::2], twice[1::2], strict=True):
                own, other = pair[which][1], pair[1 - which][1]
                if draw.random() < 0.5:
                    near, far = once(own, first), once(other, second)
                else:
                    far, near = once(other, first), once(own, second)
                told.append(near - far)
                took.setdefault(name, []).append(near)
            # A refusal the machine disturbs takes a hundred times as long: the middle of them, not the mean.
            gaps.setdefault(name, []).append(statistics.median(told))
    return {name: Told(some, statistics.median(took[name])) for name, some in gaps.items()}


def once(ask: Callable[[str], None], token: str) -> float:
    """Microseconds of one refusal."""
    begun = time.perf_counter_ns()
    ask(token)
    return (time.perf_counter_ns() - begun) / 1000


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
    wrong = f"fc_{random.Random(token).getrandbits(48):012x}_"
    return {
        NOTHING: with_signs(0, wrong),
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


def looked_up_in(keyring: Keyring) -> Callable[[str], None]:
    """A look at a key that is wrong."""

    def refused(token: str) -> None:
        try:
            keyring.admit(token, "read", NOW)
        except AskError:
            return
        raise RuntimeError("a wrong key was let in")

    return refused


def naive_of(right: str) -> Callable[[str], None]:
    """What this test must be able to see: sign after sign, until one is wrong."""

    def refused(token: str) -> None:
        for one, other in zip(right, token, strict=True):
            if one != other:
                return
        raise RuntimeError("a wrong key was let in")

    return refused


def over_http(line: http.client.HTTPConnection, token: str) -> None:
    """One request with a key that is wrong."""
    line.request("GET", "/v1/series", headers={"Authorization": f"Bearer {token}"})
    reply = line.getresponse()
    reply.read()
    if reply.status != 401:
        raise RuntimeError(f"status {reply.status}")


def report(told: dict[str, dict[str, Told]], over: Times) -> str:
    """The page."""
    pairs = len(told["in-process"][NOTHING].gaps)
    lines = [
        "# Near misses of a key",
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · {commit_of(ROOT)[:12]} · n = {pairs} pairs of keys, {TEXTS} wrong"
        f" texts a kind and pair; {len(over[NOTHING]):,} of each kind over HTTP",
        "",
        "`python benchmarks/api_keys/run.py`. In-process every wrong text is refused by the keyring whose",
        "key it nearly is and by another's, in an order drawn at random; near - far is the median of a",
        "pair's texts, p of Wilcoxon's signed-rank test over pairs (six tests). The naive look-up compares",
        "sign by sign: the test must see it, and does.",
        "",
        "| way | of the key is right | a refusal, µs | near - far, ns (mean over pairs, 95%) | p |",
        "|---|---|---|---|---|",
    ]
    for way, kinds in told.items():
        for name, kind in kinds.items():
            mean = 1000 * statistics.fmean(kind.gaps)
            wide = 1960 * statistics.stdev(kind.gaps) / len(kind.gaps) ** 0.5
            p = float(wilcoxon(kind.gaps).pvalue)
            lines.append(f"| {way} | {name} | {kind.median:.2f} | {mean:+.1f} ± {wide:.1f} | {p:.3g} |")
    lines += [
        "",
        "Over HTTP, one server, another text each time; share is how often a refusal takes longer than one",
        "of which nothing is right (50% says nothing), p of the two-sided Mann-Whitney test (five tests).",
        "",
        "| of the key is right | a refusal, µs | share | p |",
        "|---|---|---|---|",
    ]
    far = over[NOTHING]
    for name, some in over.items():
        tested = mannwhitneyu(some, far)
        share = float(tested.statistic) / (len(some) * len(far))
        shown = "" if name == NOTHING else f"{float(tested.pvalue):.3g}"
        lines.append(f"| {name} | {statistics.median(some):.2f} | {100 * share:.1f}% | {shown} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
