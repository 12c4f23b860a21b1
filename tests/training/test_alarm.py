from __future__ import annotations

import json
import logging
from collections.abc import Callable

import httpx
import pytest

from tests.features.test_findings import ONE
from training.alarm import post_findings

ADDRESS = "https://hooks.example.org/very-secret"
Answer = Callable[[httpx.Request], httpx.Response]


def posted(answer: Answer, pauses: list[float]) -> bool:
    client = httpx.Client(transport=httpx.MockTransport(answer))
    return post_findings(ADDRESS, [ONE], client=client, pause=pauses.append)


def test_findings_are_posted_as_json() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    assert posted(answer, [])
    (request,) = seen
    assert str(request.url) == ADDRESS
    assert json.loads(request.content) == {"findings": [ONE.as_record()]}


def test_it_is_tried_three_times_and_no_redirect_is_followed(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []
    turns = iter([httpx.Response(307, headers={"location": "https://evil.example.org"}), httpx.Response(503)])

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return next(turns, httpx.Response(200))

    pauses: list[float] = []
    assert posted(answer, pauses)
    assert seen == ["hooks.example.org"] * 3
    assert pauses == [1.0, 4.0]


def test_a_webhook_that_never_answers_is_given_up_and_its_address_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout(f"no answer from {ADDRESS}")

    with caplog.at_level(logging.DEBUG):
        assert not posted(answer, [])
    assert "ConnectTimeout" in caplog.text
    assert caplog.text.count("webhook-failed") == 3
    assert "secret" not in caplog.text


def test_an_address_that_is_none_is_told_as_a_failure() -> None:
    assert not post_findings("https://", [ONE], pause=lambda seconds: None)
