"""What the store keeps of its work: retrains, reliability, sources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.errors import AskError
from features.files import append_record
from features.removal import Sweep, thin
from serving.edge import Edge
from serving.origin import figures_of
from serving.record_views import (
    RETRAINS,
    reliability_view,
    restated,
    retrains_page,
    sources_view,
    tracking,
    vintages,
)
from serving.shelf import Standing
from tests.serving.desks import asked, code_of, desk_of
from tests.serving.test_openapi import faults, schema_of

LINE = {
    "at": "2026-11-24T08:00:00Z", "who": "ada", "plan": "annual", "ground": "g", "action": "judged",
    "verdict_id": "v", "decision": "keep", "model_version": "m", "data_hash": "d", "commit": "c",
    "whole": True,
}  # fmt: skip


@pytest.fixture
def edge(store: Path) -> Iterator[Edge]:
    with desk_of(store) as made:
        yield made


def test_retrains_come_newest_first_in_pages_with_their_rules(edge: Edge, store: Path) -> None:
    verdict = json.loads(next((store / "packs").glob("*/pack.json")).read_text())["verdict"]
    ids = ["old", "older", verdict.get("verdict_id", "")]
    for k, name in enumerate(ids):
        append_record(store / RETRAINS, {**LINE, "at": f"2026-11-2{k}", "verdict_id": name})
    page = asked(edge, "GET", "/v1/retrains?limit=2").json()
    assert faults(schema_of("RetrainsPage"), page) == []
    assert [each["at"] for each in page["retrains"]] == ["2026-11-22", "2026-11-21"]
    if ids[2]:
        assert page["retrains"][0]["verdict"] == verdict
    assert page["retrains"][1]["verdict"] is None
    rest = asked(edge, "GET", "/v1/retrains", params={"cursor": page["next"]}).json()
    assert ([each["at"] for each in rest["retrains"]], rest["next"], rest["count"]) == (
        ["2026-11-20"], None, 3,
    )  # fmt: skip
    assert code_of(asked(edge, "GET", "/v1/retrains?limit=0"))[0] == 400
    assert code_of(asked(edge, "GET", "/v1/retrains?cursor=x"))[0] == 404


def test_a_page_goes_on_where_older_lines_were_thinned_out(tmp_path: Path) -> None:
    for k in range(9):
        append_record(tmp_path / RETRAINS, {**LINE, "at": f"2026-11-2{k}"})
    first = retrains_page(tmp_path, limit=3)
    thin(tmp_path / RETRAINS, lambda line: line["at"] in ("2026-11-21", "2026-11-24"), Sweep(), "")
    rest = retrains_page(tmp_path, limit=3, cursor=first["next"])
    assert [line["at"][-2:] for line in rest["retrains"]] == ["25", "23", "22"]
    last = retrains_page(tmp_path, cursor=rest["next"])
    assert ([line["at"][-2:] for line in last["retrains"]], last["next"]) == (["20"], None)
    # Where the line that a cursor names has gone too, nobody can say what was shown: begin again.
    thin(tmp_path / RETRAINS, lambda line: line["at"] == "2026-11-26", Sweep(), "")
    with pytest.raises(AskError, match="cursor-of-another-list"):
        retrains_page(tmp_path, cursor=first["next"])


def test_a_store_without_retrains_has_an_empty_page(tmp_path: Path) -> None:
    assert retrains_page(tmp_path)["retrains"] == []


@pytest.mark.parametrize(("told", "url"), [
    ({}, None), ({"MLFLOW_TRACKING_URI": "sqlite:///x.db"}, None),
    ({"FORECARBON_TRACKING_URI": "https://runs.example/"}, "https://runs.example"),
    ({"FORECARBON_TRACKING_URI": "https://me:secret@runs.example"}, None),
])  # fmt: skip
def test_runs_are_at_an_address_or_behind_the_command(told: dict[str, str], url: str | None) -> None:
    assert tracking(told) == {"url": url, "command": "forecarbon mlflow"}


def test_reliability_is_told_by_kind_and_step(whole: Standing, edge: Edge) -> None:
    told = reliability_view(whole)
    assert faults(schema_of("Reliability"), told) == []
    track = whole.pack.kept.track
    assert track is not None
    assert len(told["rows"]) == len(track.steps)
    assert told["forecasters"] == {"challenger": "blend", "baseline": "naive"}
    reply = asked(edge, "GET", "/v1/models/reliability")
    assert reply.status_code == 200
    assert reply.headers["etag"]


def test_sources_are_told_with_their_vintages_and_restatements(whole: Standing, edge: Edge) -> None:
    told = sources_view(whole)
    assert faults(schema_of("Sources"), told) == []
    by_name = {each["source_id"]: each for each in told["sources"]}
    assert by_name["eu-ets"]["licence"] == "CC BY 4.0"
    figures = whole.pack.kept.figures
    assert figures is not None
    assert sum(each["figures"] for each in told["sources"]) == sum(v["figures"] for v in told["vintages"])
    row = next(each for each in told["restated"]["rows"] if each["unique_id"] == "aa-north/power")
    assert (row["ds"], row["known_at"], row["value"]) == ("2020-01-01", "2023-05-05", 1e6)
    assert row["before"] != row["value"]
    assert told["restated"]["count"] == 1
    once = restated(vintages(figures_of(whole.pack)).drop_duplicates(["unique_id", "ds"]))
    assert once == {"count": 0, "rows": []}
    bare = asked(edge, "GET", "/v1/sources").json()
    assert faults(schema_of("Sources"), bare) == []
