from __future__ import annotations

import json
from typing import Any

import pytest

from features.errors import AskError
from serving.batch_ask import read_batch


def test_defaults_and_quantiles() -> None:
    ask = read_batch(b'{"all": true}')
    assert (ask.steps, ask.wanted) == (8, (0.025, 0.1, 0.5, 0.9, 0.975))
    assert read_batch(b'{"all": true, "quantiles": [0.9, 0.1]}').wanted == (0.1, 0.5, 0.9)


@pytest.mark.parametrize(("asked", "code"), [
    ({}, "nothing-asked"), ({"kinds": ["plant"]}, "nothing-asked"), ({"all": False}, "nothing-asked"),
    ({"all": True, "series": ["a"]}, "two-questions"),
    ({"series": ["a"], "kinds": ["plant"]}, "two-questions"),
    ({"clusters": ["a"], "cluster_id": "b"}, "two-questions"),
    ({"all": True, "steps": 0}, "steps-out-of-range"), ({"all": True, "steps": 31}, "steps-out-of-range"),
    ({"all": True, "levels": [100.0]}, "level-out-of-range"), ({"all": True, "more": 1}, "unknown-field"),
    ({"all": True, "kinds": ["mill"]}, "invalid-value"), ({"all": True, "kinds": []}, "out-of-range"),
    ({"all": "yes"}, "invalid-value"), ({"series": [""]}, "out-of-range"), ([], "invalid-value"),
    ({"series": ["a"] * 20_001}, "out-of-range"),
])  # fmt: skip
def test_what_cannot_be_asked_is_refused(asked: Any, code: str) -> None:
    with pytest.raises(AskError) as refusal:
        read_batch(json.dumps(asked).encode())
    assert refusal.value.code == code


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(AskError, match="malformed-json"):
        read_batch(body)
