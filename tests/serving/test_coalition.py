"""The portfolio over HTTP: the coalition under all plans."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.coalition_view import coalition_view
from serving.edge import Edge
from serving.shelf import Standing
from tests.serving.desks import asked, code_of, desk_of
from tests.serving.test_openapi import faults, schema_of
from tests.serving.test_scenarios import ASK, PROJECT

PATH = "/v1/insights/portfolio"
SEA = {"name": "sea", "capacity": "0.3 Mt/year"}


@pytest.fixture
def edge(store: Path) -> Iterator[Edge]:
    with desk_of(store) as made:
        yield made


def plan(series: str = "aa-north", **more: Any) -> dict[str, Any]:
    return {**ASK, "series": series, **more}


def test_the_portfolio_is_what_the_document_promises(whole: Standing) -> None:
    told = {**coalition_view(whole, {"scenarios": [ASK]}), "answer_id": None}
    assert faults(schema_of("Portfolio"), told) == []
    assert told["correlation"]["from"] == "weak-default"
    assert "claim-is-no-inventory" in told["notes"]
    own = {each["cluster_id"]: each["from"] for each in told["clusters"]}
    assert own["aa-north"] == "own"
    assert "registry" in own.values()
    assert told["claim"]["reduction_potential_mt"] == 832
    assert [each["share"] for each in told["claim"]["passes"]] == [0.1, 0.25, 0.5, 1.0]
    rows = [row for row in told["measures"] if row["cluster_id"] == "aa-north"]
    assert {row["name"] for row in rows} == {"catch", "boilers"}
    at = next(row for row in told["years"] if row["year"] == told["year"])
    assert sum(row["direct"]["mean"] for row in told["measures"]) == pytest.approx(at["abated"]["mean"])
    assert at["planned"]["q0.5"] <= at["baseline"]["q0.5"]


def test_the_registrys_portfolio_is_one_that_can_be_posted(edge: Edge) -> None:
    told = asked(edge, "GET", PATH).json()
    assert faults(schema_of("Portfolio"), told) == []
    assert told == asked(edge, "POST", PATH, json={}).json()
    claim = told["claim"]["reduction_potential_mt"] * 1e6
    for row in told["years"]:
        for name, share in row["share_of_claim"].items():
            assert share == pytest.approx(row["abated"][name] / claim)
    assert asked(edge, "GET", f"/v1/provenance/{told['answer_id']}").json()["same"] is True
    assert code_of(asked(edge, "GET", f"{PATH}?year=2099")) == (422, "year-not-forecast")
    # Nobody sent a table: no place in one is told.
    assert not any("projects[0]" in row["reason"] for row in told["left_out"])


def test_clusters_without_paths_are_named_with_the_reason(whole: Standing) -> None:
    told = coalition_view(whole, {})
    named = {each["cluster_id"] for each in (*told["clusters"], *told["without_paths"])}
    assert named == set(whole.pack.clusters)
    assert all(each["code"] and each["found"] for each in told["without_paths"])
    assert all(each["reason"] for each in told["left_out"])


def test_a_store_of_one_name_is_one_store(whole: Standing) -> None:
    clusters = [each["cluster_id"] for each in coalition_view(whole, {})["clusters"]][:2]
    own = {**PROJECT, "capacity": "0.3 Mt/year", "store": "sea", "risk": {"certain": True}}
    both = [plan(name, projects=[own], levers=[], stores=[SEA]) for name in clusters]
    told = coalition_view(whole, {"scenarios": both})
    years = told["stores"][0]["by_year"]
    assert all(each["stored"] <= 3e5 * (1 + 1e-9) for each in years)
    assert any(each["asked"] > 3e5 for each in years)


def test_it_is_asked_over_http_and_made_again(edge: Edge) -> None:
    kept = asked(edge, "POST", "/v1/scenarios/saved", json={"scenario": ASK}).json()
    body = {"scenarios": [{"saved": kept["id"]}], "correlation": 0.6, "registered": False}
    reply = asked(edge, "POST", PATH, json=body)
    told = reply.json()
    assert reply.status_code == 200, told
    assert told["correlation"] == {**told["correlation"], "value": 0.6, "from": "own"}
    assert told == asked(edge, "POST", PATH, json={**body, "scenarios": [ASK]}).json()
    assert asked(edge, "GET", f"/v1/provenance/{told['answer_id']}").json()["same"] is True


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"scenarios": [ASK, ASK]}, 422, "portfolio-implausible"),
        ({"scenarios": [plan("aa-north/power")]}, 422, "portfolio-implausible"),
        ({"scenarios": [plan("nowhere")]}, 422, "portfolio-implausible"),
        ({"scenarios": [plan("cc-east")]}, 422, "series-absent"),
        ({"scenarios": [{**ASK, "grid": "3 t"}]}, 422, "unit-mismatch"),
        ({"scenarios": [{"saved": "none"}]}, 404, "unknown-scenario"),
        ({"year": 2099}, 422, "year-not-forecast"),
        ({"correlation": 1.5}, 400, "out-of-range"),
        ({"odd": 1}, 400, "unknown-field"),
    ],
)
def test_what_cannot_be_asked(edge: Edge, body: dict[str, Any], status: int, code: str) -> None:
    reply = asked(edge, "POST", PATH, json=body)
    assert code_of(reply) == (status, code), reply.text
    assert reply.json()["error"]["remedy"]


def test_more_of_a_project_than_there_is(edge: Edge) -> None:
    porthos = {"project_id": "nl-rotterdam-porthos", "share": 0.6}
    names = ["aa-north", "bb-south"]
    body = {"scenarios": [plan(name, projects=[porthos], levers=[]) for name in names]}
    assert code_of(asked(edge, "POST", PATH, json=body)) == (422, "portfolio-implausible")


def test_stores_of_one_name_tell_one_capacity(edge: Edge) -> None:
    more = {"name": "sea", "capacity": "0.4 Mt/year"}
    body = {"scenarios": [plan("aa-north", stores=[SEA]), plan("bb-south", stores=[more])]}
    reply = asked(edge, "POST", PATH, json=body)
    assert code_of(reply) == (422, "portfolio-implausible")
    assert "sea" in reply.json()["error"]["found"]
