from __future__ import annotations

import json

import pytest

from features.errors import AskError
from serving.errors import body_of, status_of
from serving.wire import quantile_key, read_ask, write_json_bytes


def refusal(question: object) -> AskError:
    body = question if isinstance(question, bytes) else json.dumps(question).encode()
    with pytest.raises(AskError) as caught:
        read_ask(body)
    error = caught.value
    assert status_of(error) == 400
    form = body_of(error, "r")["error"]
    assert all(form[name] for name in ("code", "found", "expected", "remedy"))
    json.dumps(form, allow_nan=False)
    return error


@pytest.mark.parametrize(
    ("question", "code", "place"),
    [
        ({"clusters": ["a"], "steps": 0}, "steps-out-of-range", "steps"),
        ({"clusters": ["a"], "steps": 31}, "steps-out-of-range", "steps"),
        ({"clusters": ["a"], "steps": "8"}, "invalid-value", "steps"),
        ({"clusters": ["a"], "steps": True}, "invalid-value", "steps"),
        ({"clusters": ["a"], "steps": 8.5}, "invalid-value", "steps"),
        ({"clusters": ["a"], "levels": [101]}, "level-out-of-range", "levels[0]"),
        ({"clusters": ["a"], "levels": [80, 0]}, "level-out-of-range", "levels[1]"),
        ({"clusters": ["a"], "levels": []}, "level-out-of-range", "levels"),
        ({"clusters": ["a"], "quantiles": [1.0]}, "quantile-out-of-range", "quantiles[0]"),
        ({"clusters": ["a"], "colour": 1}, "unknown-field", "colour"),
        ({"clusters": [7]}, "invalid-value", "clusters[0]"),
        ({"clusters": ["a" * 300]}, "out-of-range", "clusters[0]"),
        ({"history": [{"unique_id": "a", "y": 1.0}]}, "field-missing", "history[0].ds"),
        ({"history": [{"unique_id": "a", "ds": [], "y": 1.0}]}, "invalid-value", "history[0].ds"),
        ({"history": [{"unique_id": "a", "ds": 2019, "y": "1"}]}, "invalid-value", "history[0].y"),
        ([], "invalid-value", "body"),
        (b"{clusters: []}", "malformed-json", ""),
        (b"", "malformed-json", ""),
        (b"\xff", "malformed-json", ""),
        (b"[" * 100_000, "malformed-json", ""),
        (b'{"steps":' + b"9" * 6000 + b"}", "malformed-json", ""),
        (b'{"clusters":["a"],"levels":[NaN]}', "level-out-of-range", "levels[0]"),
        ({}, "nothing-asked", ""),
        ({"clusters": [], "history": []}, "nothing-asked", ""),
        ({"clusters": ["a"], "paths": 201}, "out-of-range", "paths"),
        ({"history": [{"unique_id": "a", "ds": 2019, "y": 1}], "paths": 1}, "two-questions", ""),
        ({"history": [{"unique_id": "a", "ds": 2019, "y": 1}], "as_of": "2026"}, "two-questions", ""),
        ({"clusters": ["a"], "cadence": "year"}, "two-questions", ""),
        ({"clusters": ["a"], "history": [{"unique_id": "a", "ds": 2019, "y": 1}]}, "two-questions", ""),
    ],
)
def test_a_bad_question_is_refused_by_name(question: object, code: str, place: str) -> None:
    error = refusal(question)
    assert error.code == code
    assert error.facts.get("field", "") == place


def test_every_fault_is_counted_and_the_first_is_told() -> None:
    error = refusal({"clusters": ["a"], "levels": [101, 102, 103, 104, 105]})
    assert error.offenders == ("levels[0]", "levels[1]", "levels[2]")
    assert error.more == 2


def test_long_foreign_text_is_cut_and_control_signs_are_masked() -> None:
    error = refusal({"clusters": ["a"], "x" * 500 + "\n": 1})
    assert len(error.found) < 100
    assert "\n" not in error.found


def test_a_nan_in_history_reaches_the_check_that_can_name_its_row() -> None:
    ask = read_ask(
        b'{"history":[{"unique_id":"a","ds":"2019","y":NaN},{"unique_id":"a","ds":2020,"y":null}]}'
    )
    assert ask.history is not None
    assert ask.history[0].y != ask.history[0].y
    assert ask.history[1].ds == 2020


def test_the_median_is_always_there_and_levels_become_quantiles() -> None:
    assert read_ask(b'{"clusters":["a"]}').wanted == (0.025, 0.1, 0.5, 0.9, 0.975)
    assert read_ask(b'{"clusters":["a"],"quantiles":[0.9,0.1,0.9]}').wanted == (0.1, 0.5, 0.9)
    assert read_ask(b'{"clusters":["a"],"levels":[99.9]}').wanted == (0.0005, 0.5, 0.9995)


@pytest.mark.parametrize(
    ("quantile", "key"),
    [(0.1, "0.1"), (0.025, "0.025"), (0.5, "0.5"), (0.0005, "0.0005"), (0.9995, "0.9995")],
)
def test_quantiles_are_named_by_their_shortest_decimal(quantile: float, key: str) -> None:
    assert quantile_key(quantile) == key


def test_nan_never_goes_out() -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json_bytes({"y": float("nan")})


def test_bands_and_single_quantiles_may_be_asked_together() -> None:
    ask = read_ask(b'{"clusters": ["a"], "levels": [80], "quantiles": [0.05, 0.9]}')
    assert ask.wanted == (0.05, 0.1, 0.5, 0.9)
    assert read_ask(b'{"clusters": ["a"], "quantiles": [0.05]}').wanted == (0.05, 0.5)
    assert read_ask(b'{"clusters": ["a"]}').wanted == (0.025, 0.1, 0.5, 0.9, 0.975)
