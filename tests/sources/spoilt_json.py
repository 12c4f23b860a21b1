"""Replies in JSON spoilt in every way we could think of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any, Final

from tests.sources.mutations import SHORTER, TOLD, WHOLE, Way

Place = tuple[Any, Any]


def json_ways(payload: bytes, *, figure: str, leave_out: Sequence[str] = ()) -> list[Way]:
    """Ways to spoil a JSON reply whose figures are under the key ``figure``."""

    def on_body(change: Callable[[Any, Random], Any], rng: Random) -> bytes:
        return json.dumps(change(json.loads(payload), rng), indent=rng.choice([None, 1])).encode()

    def on_figure(spoil: Callable[[float], Any], rng: Random) -> bytes:
        body = json.loads(payload)
        there = [place for place in places(body) if place[1] == figure]
        node, key = rng.choice([(node, key) for node, key in there if node[key] is not None])
        node[key] = spoil(node[key])
        return json.dumps(body).encode()

    raw: list[tuple[str, str, Callable[[bytes, Random], bytes]]] = [
        ("as it is", WHOLE, lambda text, _: text),
        ("BOM", WHOLE, lambda text, _: b"\xef\xbb\xbf" + text),
        ("spaces", WHOLE, lambda text, _: b" \r\n\t" + text + b"\n\n"),
        *((name, TOLD, change) for name, change in RAW),
    ]
    ways: list[Way] = [(name, owed, partial(change, payload)) for name, owed, change in raw]
    ways += [(name, owed, partial(on_body, change)) for name, owed, change in BODY]
    ways += [(name, TOLD, partial(on_figure, spoil)) for name, spoil in FIGURES]
    ways.append(("no figure", SHORTER, partial(on_figure, lambda _: None)))
    return [way for way in ways if way[0] not in leave_out]


def places(body: Any) -> list[Place]:
    """Every (object or list, key or index) of the JSON."""
    return list(_places(body))


def _places(node: Any) -> Iterator[Place]:
    keys: Sequence[Any] = list(node) if isinstance(node, dict) else range(len(node))
    for key in keys:
        yield node, key
        if isinstance(node[key], dict | list):
            yield from _places(node[key])


def _shuffled(body: Any, rng: Random) -> Any:
    if isinstance(body, dict):
        return {key: _shuffled(body[key], rng) for key in rng.sample(list(body), len(body))}
    return [_shuffled(item, rng) for item in body] if isinstance(body, list) else body


def _extra(body: Any, rng: Random) -> Any:
    for node, _ in places(body):
        if isinstance(node, dict):
            node["addedLater"] = {"value": [1, None, "x"]}
    return body


def _lost(body: Any, rng: Random) -> Any:
    node, key = rng.choice(places(body))
    del node[key]
    return body


def _renamed(body: Any, rng: Random) -> Any:
    node, key = rng.choice([place for place in places(body) if isinstance(place[0], dict)])
    node[rng.choice([f"{key}_", str(key).upper(), ""])] = node.pop(key)
    return body


def _of_another_kind(body: Any, rng: Random) -> Any:
    node, key = rng.choice(places(body))
    node[key] = rng.choice([None, "", "12,5", -1, True, [], {}, [[]], 1e300, 2.5, "x" * 2000])
    return body


def _repeated(body: Any, rng: Random) -> Any:
    lists = [node[key] for node, key in places(body) if isinstance(node[key], list) and node[key]]
    chosen = rng.choice([*lists, body] if isinstance(body, list) else lists)
    chosen.append(rng.choice(chosen))
    return body


def _emptied(body: Any, rng: Random) -> Any:
    lists = [node[key] for node, key in places(body) if isinstance(node[key], list)]
    rng.choice([*lists, body] if isinstance(body, list) else lists).clear()
    return body


def _one_byte(text: bytes, rng: Random) -> bytes:
    """A quote, bracket, brace, comma or colon gone."""
    at = rng.choice([i for i, byte in enumerate(text) if byte in b'"[]{},:'])
    return text[:at] + text[at + 1 :]


def _stray(text: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(text))
    return text[:at] + bytes(rng.choice(b'\x00\xff\x80"') for _ in range(rng.randint(1, 4))) + text[at:]


RAW: Final[list[tuple[str, Callable[[bytes, Random], bytes]]]] = [
    ("cut short", lambda text, rng: text[: rng.randrange(len(text))]),
    ("empty", lambda *_: b""),
    ("an empty list", lambda *_: b"[]"),
    ("an error's page", lambda *_: b"<html><body>502 Bad Gateway</body></html>\n"),
    ("an error's words", lambda *_: b'{"message": "limit exceeded"}'),
    ("UTF-16", lambda text, _: text.decode().encode("utf-16")),
    ("UTF-32", lambda text, _: text.decode().encode("utf-32")),
    ("footer", lambda text, _: text + b"\n# source: the publisher"),
    ("twice", lambda text, _: text + text),
    ("a mark gone", _one_byte),
    ("stray bytes", _stray),
    ("zero bytes", lambda text, rng: text + bytes(rng.randint(1, 4096))),
    ("nested deep", lambda *_: b"[" * 100_000),
]
BODY: Final[list[tuple[str, str, Callable[[Any, Random], Any]]]] = [
    ("keys shuffled", WHOLE, _shuffled),
    ("new keys", WHOLE, _extra),
    ("something lost", SHORTER, _lost),
    ("something renamed", SHORTER, _renamed),
    ("something of another kind", SHORTER, _of_another_kind),
    ("something repeated", TOLD, _repeated),
    ("something emptied", SHORTER, _emptied),
]
FIGURES: Final[list[tuple[str, Callable[[float], Any]]]] = [
    ("figure as text", str),
    ("decimal comma", lambda v: str(v).replace(".", ",")),
    ("thousands", lambda v: f"{v:,}"),
    ("a unit", lambda v: f"{v} t"),
    ("negative", lambda v: -abs(v) - 1),
    ("huge", lambda v: (abs(v) + 1) * 1e15),
    ("infinite", lambda _: float("inf")),
    ("not a number", lambda _: float("nan")),
    ("yes or no", lambda _: True),
    ("a list", lambda v: [v]),
    ("a formula", lambda v: f"={v}"),
]
