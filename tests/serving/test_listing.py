from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.errors import AskError
from features.files import append_record
from serving.listing import PROMOTIONS, promotions_page, series_page
from serving.shelf import Shelf, Standing
from tests.serving.synthetic import Kit
from training import promotions

Page = Callable[[str | None], dict[str, Any]]


def walked(page: Page, name: str) -> list[Any]:
    lines, cursor = [], None
    for _ in range(100):
        told = page(cursor)
        lines += told[name]
        cursor = told["next"]
        if cursor is None:
            return lines
    raise AssertionError("pages without end")


@pytest.mark.parametrize("limit", [1, 2, 3, 9, 500])
def test_pages_tell_every_series_once_in_order(whole: Standing, limit: int) -> None:
    lines = walked(lambda cursor: series_page(whole, limit=limit, cursor=cursor), "series")
    assert [line["unique_id"] for line in lines] == list(whole.pack.series)


def test_filters_and_counts(whole: Standing) -> None:
    told = series_page(whole, kind="plant", cluster_id="aa-north", limit=1)
    assert (told["count"], told["series"][0]["unique_id"]) == (2, "aa-north/steel/forge")
    assert series_page(whole, kind="plant", cluster_id="bb-south") | {"as_of": ""} == {
        "series": [], "count": 0, "next": None, "model_version": whole.pack.model_version, "as_of": "",
        "degraded": "",
    }  # fmt: skip


def test_a_cursor_is_good_for_its_own_list_alone(whole: Standing, tmp_path: Path) -> None:
    cursor = series_page(whole, limit=1)["next"]
    with pytest.raises(AskError) as refusal:
        series_page(whole, kind="plant", cursor=cursor)
    assert refusal.value.code == "cursor-of-another-question"
    Kit(version="2027-01-01T000000Z-00000000").publish(tmp_path / "other")
    shelf = Shelf(tmp_path / "other")
    shelf.refresh()
    with pytest.raises(AskError, match="begin at the first page") as refusal:
        series_page(shelf.standing, cursor=cursor)
    assert refusal.value.code == "cursor-of-another-list"


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "A" * 300,
        base64.urlsafe_b64encode(b'["a","b",-1]').decode(),
        base64.urlsafe_b64encode(b'["a","b",true]').decode(),
        "e30",
        "W1tbW1s=",
    ],
)
def test_a_cursor_of_no_list_is_refused(whole: Standing, cursor: str) -> None:
    with pytest.raises(AskError) as refusal:
        series_page(whole, cursor=cursor)
    assert refusal.value.code == "cursor-unreadable"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"limit": 0}, "limit-out-of-range"),
        ({"limit": 501}, "limit-out-of-range"),
        ({"kind": "mill"}, "kind-unknown"),
        ({"cluster_id": "nowhere"}, "unknown-cluster"),
    ],
)
def test_what_cannot_be_listed_is_refused(whole: Standing, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(AskError) as refusal:
        series_page(whole, **asked)
    assert refusal.value.code == code


def test_promotions_come_newest_first_and_pages_stay_true_when_lines_are_added(tmp_path: Path) -> None:
    for k in range(5):
        append_record(tmp_path / PROMOTIONS, {"at": f"t{k}", "decision": "promote", "to_version": f"v{k}"})
    first = promotions_page(tmp_path, limit=2)
    assert [line["at"] for line in first["promotions"]] == ["t4", "t3"]
    assert first["promotions"][0]["sentence"] is None
    append_record(tmp_path / PROMOTIONS, {"at": "t5"})
    rest = walked(
        lambda cursor: promotions_page(tmp_path, limit=2, cursor=cursor or first["next"]), "promotions"
    )
    assert [line["at"] for line in rest] == ["t2", "t1", "t0"]
    assert promotions_page(tmp_path)["count"] == 6


def test_a_store_without_promotions_has_an_empty_list(tmp_path: Path) -> None:
    assert promotions_page(tmp_path) == {"promotions": [], "count": 0, "next": None}
    with pytest.raises(AskError, match="limit-out-of-range"):
        promotions_page(tmp_path, limit=501)


def test_the_record_is_the_one_that_training_keeps() -> None:
    assert PROMOTIONS == promotions.FILE
