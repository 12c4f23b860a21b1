"""Dear questions are bounded: in places, in time, and in what one caller takes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import pytest

from features.errors import AskError, ModelError
from serving import bench
from serving.bench import LIMITS, Bench, Limits, bench_of
from serving.edge import Edge
from serving.openapi import document
from tests.serving.desks import asked, code_of, desk_of
from tests.serving.test_scenarios import ASK

CSV: Final = {"content": b"site,year,t\na,2020,1\n", "headers": {"content-type": "text/csv"}}
DEAR: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "/v1/insights/portfolio": (bench.PORTFOLIOS, "POST", {"json": {"scenarios": [ASK]}}),
    "/v1/insights/decomposition": (bench.SPLITS, "POST", {}),
    "/v1/insights/forecast-split": (bench.SPLITS, "POST", {}),
    "/v1/scenarios": (bench.SCENARIOS, "POST", {"json": ASK}),
    "/v1/scenarios/compare": (bench.SCENARIOS, "POST", {"json": {"scenarios": [ASK]}}),
    "/v1/insights/funding": (bench.REPORTS, "POST", {}),
    "/v1/reports": (bench.REPORTS, "POST", {}),
    "/v1/reports/aa-north": (bench.REPORTS, "GET", {}),
    "/v1/insights/plan": (bench.PLANS, "POST", {}),
    "/v1/insights/network": (bench.PLANS, "POST", {}),
    "/v1/inventories/check": (bench.INVENTORIES, "POST", CSV),
    "/v1/provenance/a.b.c": (bench.PROVENANCE, "GET", {}),
}


@pytest.fixture
def edge(store: Path) -> Iterator[Edge]:
    with desk_of(store) as made:
        yield made


@pytest.mark.parametrize("path", DEAR)
def test_a_full_bench_sends_away_at_once(edge: Edge, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, method, sent = DEAR[path]
    if method == "POST" and not sent:
        told = document()["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        sent = {"json": told["example"]}
    places = LIMITS[name].at_once + LIMITS[name].waiting
    monkeypatch.setattr(bench_of(name), "_held", {Future(): "somebody" for _ in range(places)})
    reply = asked(edge, method, path, **sent)
    assert code_of(reply) == (503, "too-busy"), reply.text
    assert int(reply.headers["retry-after"]) > 0


def test_the_registered_portfolio_is_dear_once(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/v1/insights/portfolio"
    assert asked(edge, "GET", path).status_code == 200
    limits = LIMITS[bench.PORTFOLIOS]
    held = {Future[Any](): "somebody" for _ in range(limits.at_once + limits.waiting)}
    monkeypatch.setattr(bench_of(bench.PORTFOLIOS), "_held", held)
    kept = asked(edge, "GET", path)
    assert kept.status_code == 200, "from memory"
    assert asked(edge, "GET", path, headers={"if-none-match": kept.headers["etag"]}).status_code == 304
    assert code_of(asked(edge, "GET", f"{path}?year=2024")) == (503, "too-busy")


def codes(ended: list[Any]) -> list[str]:
    return sorted(each.code if isinstance(each, ModelError) else each for each in ended)


def test_the_line_is_short_and_time_runs_out() -> None:
    go_on = threading.Event()

    async def scene() -> None:
        one = Bench("trials", Limits(0.2, waiting=2))
        many = [asyncio.create_task(one.run("", go_on.wait, 10)) for _ in range(5)]
        ended = await asyncio.gather(*many, return_exceptions=True)
        assert codes(ended) == ["too-busy"] * 2 + ["took-too-long"] * 3
        # The one that has begun still holds its place; those in line do not.
        assert len(one._held) == 1
        go_on.set()
        assert await one.run("", lambda: "done") == "done"
        assert not one._held

    try:
        asyncio.run(scene())
    finally:
        go_on.set()


def test_who_asks_the_same_waits_for_the_one_answer() -> None:
    go_on, begun = threading.Event(), []

    def work() -> str:
        begun.append(1)
        go_on.wait(10)
        return "done"

    async def scene() -> None:
        one = Bench("trials", Limits(10, waiting=0))
        many = [asyncio.create_task(one.run_once("same", work)) for _ in range(5)]
        await asyncio.sleep(0)
        many[0].cancel()  # whoever goes takes nothing from the others
        with pytest.raises(ModelError, match="too-busy"):
            await one.run_once("other", work)
        go_on.set()
        assert await asyncio.gather(*many[1:]) == ["done"] * 4
        assert len(begun) == 1
        assert await one.run_once("same", work) == "done"
        assert len(begun) == 2

    try:
        asyncio.run(scene())
    finally:
        go_on.set()


def test_a_caller_leaves_a_place_to_the_others() -> None:
    go_on = threading.Event()

    def work() -> str:
        go_on.wait(10)
        return "done"

    async def scene() -> None:
        one = Bench("trials", Limits(10, waiting=2))
        greedy = [asyncio.create_task(one.run("ada", work)) for _ in range(5)]
        await asyncio.sleep(0.05)
        other = asyncio.create_task(one.run("bob", work))
        await asyncio.sleep(0.05)
        go_on.set()
        ended = await asyncio.gather(*greedy, return_exceptions=True)
        assert codes(ended) == ["done"] * 2 + ["too-busy"] * 3
        assert await other == "done"

    try:
        asyncio.run(scene())
    finally:
        go_on.set()


def test_a_refusal_of_the_work_passes_and_frees_its_place() -> None:
    def work() -> None:
        raise AskError("odd", found="a", expected="b", remedy="c")

    async def scene() -> None:
        one = Bench("trials", Limits(1, waiting=0))
        for _ in range(3):
            with pytest.raises(AskError, match="odd"):
                await one.run("", work)

    asyncio.run(scene())
