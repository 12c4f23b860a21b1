from __future__ import annotations

import pytest

from features.errors import AskError
from serving.call import Call
from serving.listing import USUAL
from serving.queries import accepted, ask_of_query, limit, needed, one

OFFERED = {"application/json": "json", "text/csv": "csv"}


def with_accept(*values: bytes) -> Call:
    scope = {"type": "http", "headers": [(b"accept", value) for value in values]}
    return Call.of(scope, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "form"),
    [
        (b"", "json"),
        (b"*/*", "json"),
        (b"text/csv", "csv"),
        (b"TEXT/CSV; charset=utf-8", "csv"),
        (b"text/*", "csv"),
        (b"application/*;q=0.5", "json"),
        (b"image/png, text/csv;q=0.1", "csv"),
        (b"application/json; q=0, */*", "json"),
        (b"application/json;q=0,text/csv", "csv"),
        (b"text/html,application/xhtml+xml,*/*;q=0.8", "json"),
    ],
)
def test_the_first_form_that_is_offered_is_taken(asked: bytes, form: str) -> None:
    assert accepted(with_accept(asked), OFFERED) == form


@pytest.mark.parametrize("asked", [b"image/png", b"text/csv;q=0", b",", b";", b"\xff/*", b"text/"])
def test_a_form_that_is_not_offered_is_refused(asked: bytes) -> None:
    with pytest.raises(AskError, match="not-acceptable"):
        accepted(with_accept(asked), OFFERED)


def test_a_question_of_a_query_is_that_of_a_body() -> None:
    told = {"clusters": ["a", "b"], "steps": ["3"], "levels": ["80", "95.5"]}
    ask = ask_of_query(told, ["x"])
    assert (ask.clusters, ask.steps, ask.levels) == (["a", "b"], 3, [80.0, 95.5])
    assert ask_of_query({}, ["x", "y"]).clusters == ["x", "y"]
    assert ask_of_query({"series": ["s"]}, ["x"]).clusters == []


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"steps": ["1", "2"]}, "invalid-value"),
        ({"steps": ["³"]}, "steps-out-of-range"),
        ({"steps": ["+3"]}, "steps-out-of-range"),
        ({"steps": ["9" * 5_000]}, "steps-out-of-range"),
        ({"steps": ["31"]}, "steps-out-of-range"),
        ({"levels": ["nan"]}, "level-out-of-range"),
        ({"levels": ["1e999"]}, "level-out-of-range"),
        ({"levels": ["x"]}, "level-out-of-range"),
        ({"clusters": [""]}, "out-of-range"),
        ({"clusters": ["c" * 201]}, "out-of-range"),
    ],
)
def test_what_is_no_question_is_refused(told: dict[str, list[str]], code: str) -> None:
    with pytest.raises(AskError) as refused:
        ask_of_query(told, ["x"])
    assert refused.value.code == code


def test_fields_that_may_be_there_once() -> None:
    assert one({}, "kind") is None
    assert (one({"kind": ["a"]}, "kind"), needed({"ds": ["d"]}, "ds")) == ("a", "d")
    assert (limit({}), limit({"limit": ["7"]})) == (USUAL, 7)
    for told in ({}, {"ds": [""]}):
        with pytest.raises(AskError, match="field-missing"):
            needed(told, "ds")
    with pytest.raises(AskError, match="invalid-value"):
        needed({"ds": ["a", "b"]}, "ds")
    with pytest.raises(AskError, match="limit-out-of-range"):
        limit({"limit": ["-1"]})
