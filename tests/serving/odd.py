"""Requests that no document allows, put together at random: bytes for a raw connection."""

from __future__ import annotations

import asyncio
import gzip
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final
from urllib.parse import urlsplit

# Longer than the service awaits a body or headers.
SECONDS: Final = 15.0
LINES: Final = 16
STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")
PATHS: Final = (
    *(b"/", b"/openapi.json", b"/metrics", b"/v1/clusters", b"/v1/clusters/aa-north", b"/v1/series"),
    *(b"/v1/forecast", b"/v1/forecasts/batch", b"/v1/forecasts/x", b"/v1/actuals", b"/v1/evidence"),
    *(b"/v1/lineage", b"/v1/models/current", b"/v1/promotions", b"/v1/findings", b"/v1/health"),
    *(b"/livez", b"/readyz", b"/healthz"),
)
ODD_PATHS: Final = (
    *(b"/v1/%00", b"/v1/clusters/%ff%fe", b"/v1/clusters/../../etc", b"//v1//forecast", b"/%2e%2e/", b"*"),
    *(b"/v1/clusters/%F0%9F%8F%AD", b"/v1/clusters/" + "ж🏭".encode(), b"/v1/%66orecast", b"/v1/forecast/"),
    *(b"/v1/forecasts/" + b"%2e%2e%2f" * 30, b"/v1/clusters/%0d%0aSet-Cookie:%20a=b", b"/v1/clusters/%zz"),
    *(b"http://elsewhere/v1/health", b"elsewhere:443", b"/v1/clusters?" + b"a=b&" * 3_000, b"/v1/health#x"),
)
METHODS: Final = (
    b"PUT",
    b"HEAD",
    b"OPTIONS",
    b"DELETE",
    b"TRACE",
    b"PATCH",
    b"CONNECT",
    b"PURGE",
    b"BREW",
    b"get",
)
POSTS: Final = (b"/v1/forecast", b"/v1/forecasts/batch", b"/v1/actuals")
BODIES: Final = (
    b'{"clusters": ["aa-north"], "steps": 3}',
    b'{"rows": [{"unique_id": "aa-north", "ds": "2020-01-01", "y": 1, "source": "x"}]}',
    b'{"all": true, "steps": 2}',
    b'{"history": [{"unique_id": "a", "ds": 2019, "y": 1e308}, {"unique_id": "a", "ds": 2020, "y": 1e308}]}',
)
NUMBERS: Final = (
    *(b"1e400", b"-1e400", b"NaN", b"Infinity", b"-Infinity", b"1" * 4_000, b"9" * 5_000, b"-0", b"1e-400"),
    *(
        b"0.1" + b"0" * 9_000 + b"1",
        b"1e1000000000",
        b"2.0",
        b"true",
        b"null",
        b'"8"',
        b"[8]",
        b"18446744073709551616",
    ),
)
HEADERS: Final = (
    b"Expect: 100-continue",
    b"Expect: everything",
    b"If-None-Match: " + b'W/"a",' * 500,
    b"If-None-Match: *",
    b"Authorization: Bearer fc_0_0",
    b"Authorization: Basic",
    b"Authorization: \xff",
    b"Authorization: Bearer " + b"a" * 900,
    b"X-Api-Key: \x80\xff",
    b"X-Request-Id: a b\tc",
    b"X-Request-Id: " + b"r" * 5_000,
    b"Accept: " + b"text/csv;q=x," * 400,
    b"Accept: \xf0\x9f\x8f\xad/*",
    b"Origin: null",
    b"Origin: http://\xff",
    b"Forwarded: for=unknown",
    b"X-Forwarded-For: 127.0.0.1, \x01",
    b"Content-Type: text/csv",
    b"Content-Type: application/json; charset=utf-16",
    b"Content-Type: \xff\xfe",
    b"Content-Type: " + b"a" * 5_000,
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Transfer-Encoding: gzip, chunked",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    + b"A" * 22
    + b"==",
    b"Connection: Upgrade\r\nUpgrade: h2c",
    b"X-Long: " + b"x" * 60_000,
    b"X-Far-Too-Long: " + b"x" * 140_000,
    b"\r\n".join(b"X-%d: y" % number for number in range(1_000)),
    b"\r\n".join(b"X-%d: y" % number for number in range(9_000)),
    b": nameless",
    b"no colon at all",
    b"X-Folded: a\r\n b",
)
NONSENSE: Final = (
    b"\x00" * 50 + b"\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500) + b"\r\n\r\n",
    b"POST /v1/forecast HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/forecast HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
)  # fmt: skip


@dataclass(frozen=True)
class Odd:
    """One request: what is odd about it, its bytes, and whether an answer has no body."""

    kind: str
    raw: bytes
    bodyless: bool = False


@dataclass
class Told:
    """What came of many.

    Attributes:
        statuses: of every kind how often; "closed" where the connection ended without an answer, "silent"
            where it did not end.
        formless: refusals that are no problem documents, a few of them.
    """

    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    formless: list[tuple[str, bytes]] = field(default_factory=list)


def written(method: bytes, path: bytes, body: bytes, *heads: bytes, length: int | None = None) -> bytes:
    """A request; whoever answers it is to close the connection."""
    lines = [method + b" " + path + b" HTTP/1.1", b"Host: x"]
    if not any(head.lower().startswith(b"content-type") for head in heads):
        lines.append(b"Content-Type: application/json")
    if not any(head.lower().startswith(b"connection") for head in heads):
        lines.append(b"Connection: close")
    if not any(head.lower().startswith((b"content-length", b"transfer-encoding")) for head in heads):
        lines.append(b"Content-Length: %d" % (len(body) if length is None else length))
    return b"\r\n".join([*lines, *heads]) + b"\r\n\r\n" + body


@cache
def bomb() -> bytes:
    """A hundred kilobytes that are a hundred megabytes of JSON."""
    return gzip.compress(b'{"clusters": ["' + b"a" * 100_000_000 + b'"]}', compresslevel=9)


def of_body(draw: random.Random) -> bytes:
    """No JSON, or none that was expected."""
    kind = draw.randrange(7)
    if kind == 0:
        return draw.randbytes(draw.randrange(3_000))
    if kind == 1:
        deep = draw.choice([b"[", b'{"a":', b'{"clusters":[', b'[{"history":'])
        return deep * 100_000
    if kind == 2:
        field_ = draw.choice([b'"steps"', b'"levels"', b'"quantiles"', b'"paths"', b'"clusters"', b'"as_of"'])
        number = draw.choice(NUMBERS)
        return (
            b'{"clusters": ["aa-north"], ' + field_ + b": " + draw.choice([number, b"[%s]" % number]) + b"}"
        )
    if kind == 3:
        sign = draw.choice([b"\xff", b"\xc3\x28", b"\\ud800", b"\\u0000", b"\xed\xa0\x80", b"\xef\xbb\xbf"])
        return b'{"clusters": ["' + sign * draw.randrange(1, 50) + b'"]}'
    if kind == 4:
        return draw.choice(
            [b"", b"null", b"0", b'""', b"[]", b"{}", b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00"]
        )
    body = bytearray(draw.choice(BODIES))
    for _ in range(draw.randrange(1, 6)):
        body[draw.randrange(len(body))] = draw.randrange(256)
    return bytes(body) if kind == 5 else bytes(body[: draw.randrange(len(body))])


def odd_body(draw: random.Random) -> Odd:
    """A body that is none."""
    return Odd("body", written(b"POST", draw.choice(POSTS), of_body(draw)))


def odd_head(draw: random.Random) -> Odd:
    """One to three odd headers, or the same twice."""
    heads = draw.choices(HEADERS, k=draw.randrange(1, 4))
    heads = heads * 2 if draw.random() < 0.3 else heads
    path = draw.choice(PATHS)
    post = path in POSTS and draw.random() < 0.7
    return Odd(
        "header", written(b"POST" if post else b"GET", path, draw.choice(BODIES) if post else b"", *heads)
    )


def odd_path(draw: random.Random) -> Odd:
    """An odd path, or an odd query."""
    path = draw.choice(ODD_PATHS)
    if draw.random() < 0.5:
        signs = b"abc=&%+;[]{}|^`\\\x7f!\xc3\xbc0"
        path = draw.choice(PATHS) + b"?" + bytes(draw.choice(signs) for _ in range(draw.randrange(90)))
    return Odd("path", written(draw.choice([b"GET", b"GET", b"POST"]), path, b""))


def odd_method(draw: random.Random) -> Odd:
    """Another method than the path's."""
    method = draw.choice(METHODS)
    return Odd("method", written(method, draw.choice(PATHS), b""), method == b"HEAD")


def odd_bomb(draw: random.Random) -> Odd:
    """Little that unpacks to much, or that cannot be unpacked."""
    coding = b"Content-Encoding: " + draw.choice([b"gzip", b"br", b"deflate", b"identity, gzip", b"x"])
    body = bomb() if draw.random() < 0.5 else draw.randbytes(500)
    return Odd("compressed", written(b"POST", draw.choice(POSTS), body, coding))


def odd_pipeline(draw: random.Random) -> Odd:
    """Several requests at once, the last of them odd."""
    good = written(b"POST", b"/v1/forecast", BODIES[0], b"Connection: keep-alive")
    many = good * draw.choice([1, 2, 20])
    last = draw.choice([odd_body, odd_path, odd_method])(draw)
    return Odd("pipelined", many + last.raw, last.bodyless)


def odd_chunks(draw: random.Random) -> Odd:
    """A body in chunks, some of them wrong."""
    size = draw.choice([b"5", b"0005", b"5;x=y", b"-5", b"x", b"FFFFFFFF"])
    body = (
        size
        + b"\r\n"
        + draw.choice([b"[1,2]", b"[1,2]xx"])
        + b"\r\n"
        + draw.choice([b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n"])
    )
    return Odd("chunked", written(b"POST", draw.choice(POSTS), body, b"Transfer-Encoding: chunked"))


def odd_nonsense(draw: random.Random) -> Odd:
    """No HTTP."""
    raw = draw.randbytes(200) + b"\r\n\r\n" if draw.random() < 0.3 else draw.choice(NONSENSE)
    return Odd("nonsense", raw)


def odd_cut(draw: random.Random) -> Odd:
    """A body of which the rest never comes: 408 after some seconds, so there are few of these."""
    body = draw.choice(BODIES)
    return Odd(
        "cut short",
        written(b"POST", draw.choice(POSTS), body, length=len(body) + draw.choice([1, 500, 10**8])),
    )


KINDS: Final[tuple[tuple[Callable[[random.Random], Odd], float], ...]] = (
    (odd_body, 30), (odd_head, 20), (odd_path, 20), (odd_method, 10), (odd_bomb, 5), (odd_pipeline, 6),
    (odd_chunks, 4), (odd_nonsense, 4.5), (odd_cut, 0.5),
)  # fmt: skip


def request(draw: random.Random) -> Odd:
    """One of any kind."""
    make = draw.choices([make for make, _ in KINDS], [weight for _, weight in KINDS])[0]
    return make(draw)


async def send_all(url: str, count: int, seed: int = 1) -> Told:
    """Send ``count`` of them to a server, some at a time."""
    place, draw, told = urlsplit(url), random.Random(seed), Told()
    left = iter(range(count))

    async def line() -> None:
        for _ in left:
            odd = request(draw)
            said, ended = await _said(str(place.hostname), int(place.port or 80), odd.raw)
            statuses = [status.decode() for status in STATUS.findall(said)]
            told.statuses.update((odd.kind, status) for status in statuses)
            if not ended:
                told.statuses[odd.kind, "silent"] += 1
            elif not statuses:
                told.statuses[odd.kind, "closed"] += 1
            refused = statuses and statuses[-1] >= "400" and not odd.bodyless
            if refused and b"application/problem+json" not in said and len(told.formless) < 20:
                told.formless.append((odd.kind, odd.raw[:90] + b" -> " + said[:300]))

    await asyncio.gather(*(line() for _ in range(LINES)))
    return told


async def _said(host: str, port: int, raw: bytes) -> tuple[bytes, bool]:
    """All that comes back, and whether the connection ended."""
    said = bytearray()
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return b"", True
    try:
        async with asyncio.timeout(SECONDS):
            writer.write(raw)
            while part := await reader.read(65_536):
                said += part
    except TimeoutError:
        return bytes(said), False
    except OSError:
        pass
    finally:
        writer.transport.abort()
    return bytes(said), True
