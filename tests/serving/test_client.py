from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.files import append_record
from serving import client as module
from serving.client import Client, Refused
from serving.listing import PROMOTIONS
from serving.replies import Series, made
from serving.shelf import Shelf
from tests.serving.contract import Contract, served
from tests.serving.whole import publish_whole


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("client")
    publish_whole(place / "store", place / "scratch")
    for k in range(3):
        line = {"at": f"t{k}", "who": "w", "decision": "promote", "from_version": "", "to_version": f"v{k}"}
        append_record(place / "store" / PROMOTIONS, {**line, "verdict_id": "x", "sentence": "s"})
    shelf = Shelf(place / "store")
    shelf.refresh()
    with served(Contract(shelf.standing, place / "store").app()) as url:
        yield url


@pytest.fixture
def api(address: str) -> Iterator[Client]:
    with Client(address) as one:
        yield one


def test_a_forecast(api: Client) -> None:
    told = api.forecast(clusters=["aa-north", "cc-east"], steps=3, levels=[80])
    assert [item.unique_id for item in told.refusals] == ["cc-east"]
    forecast = told["aa-north"]
    assert [row.step for row in forecast.rows] == [1, 2, 3]
    assert forecast.rows[0].quantiles["0.1"] < forecast.rows[0].quantiles["0.9"]
    assert forecast.unit == "tCO2e"
    assert told.model_version
    with pytest.raises(KeyError):
        _ = told["bb-south"]


def test_own_history(api: Client) -> None:
    rows = [{"unique_id": "mine", "ds": str(2010 + k), "y": 100.0 + k} for k in range(10)]
    told = api.own_history(rows, cadence="year", steps=2)
    assert len(told["mine"].rows) == 2


def test_a_refusal_carries_everything(api: Client) -> None:
    with pytest.raises(Refused, match="unknown-cluster") as refusal:
        api.forecast(clusters=["nowhere"])
    told = refusal.value
    assert (told.code, told.status, told.request_id) == ("unknown-cluster", 404, "r1")
    assert told.found
    assert told.expected
    assert told.remedy
    assert told.facts["refusals"][0]["unique_id"] == "nowhere"


def test_a_batch_is_read_as_it_comes_and_ends_with_its_summary(api: Client) -> None:
    batch = api.batch(all=True, steps=2)
    names = [forecast.unique_id for forecast in batch]
    assert len(names) == 9
    assert batch.summary is not None
    assert (batch.summary["answered"], batch.summary["refused"]) == (9, 2)


def test_a_batch_as_a_table(api: Client) -> None:
    table = api.batch_table(all=True, kinds=["plant"], steps=2)
    assert table.num_rows == 6
    assert json.loads(table.schema.metadata[b"forecarbon"])["answered"] == 3


def test_lists_are_walked_to_their_end(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 2)
    assert len(list(api.series())) == 9
    assert [one.unique_id for one in api.series(kind="cluster")] == ["aa-north", "bb-south"]
    assert [one.at for one in api.promotions()] == ["t2", "t1", "t0"]
    assert {item["cluster_id"] for item in api.clusters()} == {"aa-north", "bb-south", "cc-east"}


def test_views(api: Client) -> None:
    assert api.evidence("aa-north/power").skill == pytest.approx({"mase": 0.2, "sql": 0.25})
    assert api.lineage("aa-north/power", "2020").value == 1e6
    assert api.lineage("aa-north/power", "2030").raw["made_by"] == "blend"
    assert api.model()["recipe"] == "blend"
    assert api.health().status == "ok"
    assert api.forecast_by_id("a/../b?c")["forecast_id"] == "a/../b?c"
    assert api.send_actuals([{"unique_id": "a", "ds": "2025-01-01", "y": 1.0, "source": "s"}]).accepted == 1


def faked(answer: Callable[[httpx.Request], httpx.Response], **more: Any) -> tuple[Client, list[float]]:
    waits: list[float] = []
    return Client("http://x", transport=httpx.MockTransport(answer), sleep=waits.append, **more), waits


def problem(status: int, **headers: str) -> httpx.Response:
    error = {"code": "busy", "found": "a", "expected": "b", "remedy": "c"}
    return httpx.Response(status, json={"error": error, "request_id": "q"}, headers=headers)


@pytest.mark.parametrize("status", [429, 503])
def test_busy_is_tried_again_after_the_time_told(status: int) -> None:
    replies = [problem(status, **{"retry-after": "7"}), problem(status), httpx.Response(200, json={"ok": 1})]
    api, waits = faked(lambda request: replies.pop(0))
    assert api.model() == {"ok": 1}
    assert waits == [7.0, 2.0]


def test_patience_ends() -> None:
    api, waits = faked(lambda request: problem(429, **{"retry-after": "1"}), tries=3)
    with pytest.raises(Refused) as refusal:
        api.model()
    assert (refusal.value.code, refusal.value.status, waits) == ("busy", 429, [1.0, 1.0])
    api, waits = faked(lambda request: problem(503, **{"retry-after": "3600"}))
    with pytest.raises(Refused):
        api.model()
    assert waits == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 500, 502])
def test_nothing_else_is_tried_again(status: int) -> None:
    asked: list[int] = []

    def once(request: httpx.Request) -> httpx.Response:
        asked.append(1)
        return problem(status)

    with pytest.raises(Refused):
        faked(once)[0].model()
    assert asked == [1]


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(502, text="<html>"),
        httpx.Response(500, json=[]),
        httpx.Response(400, json={"error": {"code": "x"}}),
        httpx.Response(200, text="no"),
        httpx.Response(200, json=[1]),
    ],
)
def test_what_is_no_answer_of_ours_is_told_as_such(reply: httpx.Response) -> None:
    with pytest.raises(Refused) as refusal:
        faked(lambda request: reply)[0].model()
    assert refusal.value.code == "answer-unreadable"


def test_a_batch_cut_short_is_refused() -> None:
    names = ("unique_id", "kind", "unit", "scope", "cadence", "cutoff", "made_by")
    line = json.dumps({**dict.fromkeys(names, "x"), "rows": []}).encode()
    for body in (line + b"\n", line + b"\n" + line[:30]):
        api, _ = faked(lambda request, body=body: httpx.Response(200, content=body))  # type: ignore[misc]
        batch = api.batch(all=True)
        with pytest.raises(Refused, match="answer-cut-short"):
            list(batch)
        assert batch.summary is None


def test_the_key_travels_in_the_header() -> None:
    seen: list[str | None] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization"))
        return httpx.Response(200, json={})

    faked(note, key="secret")[0].model()
    faked(note)[0].model()
    assert seen == ["Bearer secret", None]


def test_fields_added_in_time_are_passed_over_and_missing_ones_named() -> None:
    names = ("unique_id", "kind", "cluster_id", "sector", "name", "scope", "cutoff", "made_by")
    assert made(Series, {**dict.fromkeys(names, "x"), "new": 1}).made_by == "x"
    with pytest.raises(KeyError, match="made_by"):
        made(Series, dict.fromkeys(names[:-1], "x"))


def test_the_client_needs_nothing_of_the_server(root: Path) -> None:
    code = (
        "import sys, serving.client\n"
        "heavy = ('bentoml', 'starlette', 'pandas', 'numpy', 'pyarrow', 'training')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
