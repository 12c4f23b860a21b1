"""Scenarios that callers keep: by whom, in which versions, and side by side."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from features.errors import AskError
from serving import saved
from serving.edge import Edge
from serving.guard import Rules
from serving.keys import create as create_key
from serving.state import read_deeds, state_of
from tests.serving.desks import asked, bearer, code_of, desk_of
from tests.serving.test_openapi import faults, schema_of
from tests.serving.test_scenarios import ASK

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LIST = "/v1/scenarios/saved"
BOTH = ("read", "feedback")


def late(years: int = 3, name: str = "late") -> dict[str, Any]:
    told = copy.deepcopy(ASK)
    told["name"], told["projects"][0]["delay_years"] = name, years
    return told


@pytest.fixture
def edge(store: Path) -> Iterator[Edge]:
    with desk_of(store) as made:
        yield made


def save(edge: Edge, **body: Any) -> dict[str, Any]:
    reply = asked(edge, "POST", LIST, json=body)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    assert faults(schema_of("SavedScenario"), told) == []
    return told


def test_a_scenario_is_kept_with_its_history(edge: Edge) -> None:
    first = save(edge, scenario=ASK)
    assert (first["owner"], first["version"], first["shared"]) == ("local", 1, False)
    assert first["versions"][0]["differences"] is None
    second = save(edge, scenario=late(), id=first["id"], builds_on=1)
    assert (second["id"], second["version"], second["name"]) == (first["id"], 2, "late")
    assert second["versions"][1]["differences"] == [
        {"place": "/name", "one": "plan", "other": "late"},
        {"place": "/projects/catch/delay_years", "one": None, "other": 3},
    ]
    read = asked(edge, "GET", f"{LIST}/{first['id']}").json()
    assert read == second
    assert [each["fingerprint"] for each in read["versions"]] == [
        first["fingerprint"], second["fingerprint"],
    ]  # fmt: skip
    old = asked(edge, "GET", f"{LIST}/{first['id']}?version=1").json()
    assert (old["scenario"], old["fingerprint"], old["newest"]) == (ASK, first["fingerprint"], 2)
    assert old["fingerprint_now"] == old["fingerprint"]


def test_a_kept_scenario_is_computed_as_the_one_that_was_sent(edge: Edge) -> None:
    kept = save(edge, scenario=ASK)
    table = asked(edge, "GET", f"{LIST}/{kept['id']}?version=1").json()["scenario"]
    one, again = (asked(edge, "POST", "/v1/scenarios", json=each).json() for each in (ASK, table))
    assert one == again
    assert one["fingerprint"] == kept["fingerprint"]


def test_a_lost_update_is_refused_and_says_how_to_go_on(edge: Edge) -> None:
    first = save(edge, scenario=ASK)
    save(edge, scenario=late(1), id=first["id"], builds_on=1)
    reply = asked(edge, "POST", LIST, json={"scenario": late(2), "id": first["id"], "builds_on": 1})
    assert code_of(reply) == (409, "scenario-moved-on")
    error = reply.json()["error"]
    assert error["facts"] == {"newest": 2, "builds_on": 1}
    assert "builds_on 2" in error["remedy"]
    assert asked(edge, "GET", f"{LIST}/{first['id']}").json()["newest"] == 2
    gone = asked(edge, "POST", "/v1/scenarios/removed", json={"id": first["id"], "builds_on": 1})
    assert code_of(gone) == (409, "scenario-moved-on")


def test_the_same_again_is_no_new_version(edge: Edge) -> None:
    first = save(edge, scenario=ASK)
    assert save(edge, scenario=ASK, id=first["id"], builds_on=1)["newest"] == 1


def test_the_same_again_is_noted_nowhere(store: Path) -> None:
    clock = iter(f"2026-11-24T08:00:0{k}.000Z" for k in range(9))
    with desk_of(store, clock=lambda: next(clock)) as edge:
        first = save(edge, scenario=ASK)
        assert save(edge, scenario=ASK, id=first["id"], builds_on=1) == first
        assert save(edge, scenario=ASK, id=first["id"], builds_on=1, shared=False) == first
        shared = save(edge, scenario=ASK, id=first["id"], builds_on=1, shared=True)
        assert (shared["newest"], shared["shared"]) == (1, True)
        assert shared["changed_at"] > first["changed_at"]
    assert len(deeds(store)) == 2


def deeds(store: Path) -> list[str]:
    return [deed.what for deed in read_deeds(state_of(store)) if deed.what.startswith("scenario")]


def test_removal_and_return_stand_in_the_history(edge: Edge, store: Path) -> None:
    first = save(edge, scenario=ASK)
    assert first["turns"] == []
    gone = asked(edge, "POST", "/v1/scenarios/removed", json={"id": first["id"], "builds_on": 1}).json()
    assert faults(schema_of("SavedScenario"), gone) == []
    back = save(edge, scenario=ASK, id=first["id"], builds_on=1)
    assert (back["newest"], back["removed_at"]) == (1, None)
    assert [(each["what"], each["who"]) for each in back["turns"]] == [
        ("removed", "local"), ("restored", "local"),
    ]  # fmt: skip
    asked(edge, "POST", "/v1/scenarios/removed", json={"id": first["id"], "builds_on": 1})
    save(edge, scenario=late(), id=first["id"], builds_on=1)
    assert deeds(store) == [
        "scenario-save", "scenario-remove", "scenario-restore", "scenario-remove", "scenario-restore",
        "scenario-save",
    ]  # fmt: skip


def test_a_removed_one_leaves_the_list_and_keeps_its_history(edge: Edge) -> None:
    one, other = save(edge, scenario=ASK), save(edge, scenario=late())
    assert {each["id"] for each in asked(edge, "GET", LIST).json()["scenarios"]} == {one["id"], other["id"]}
    gone = asked(edge, "POST", "/v1/scenarios/removed", json={"id": one["id"], "builds_on": 1}).json()
    assert gone["removed_at"]
    told = asked(edge, "GET", LIST).json()
    assert faults(schema_of("SavedList"), told) == []
    assert [each["id"] for each in told["scenarios"]] == [other["id"]]
    assert asked(edge, "GET", f"{LIST}/{one['id']}").json()["scenario"] == ASK
    back = save(edge, scenario=late(), id=one["id"], builds_on=1)
    assert back["removed_at"] is None


def test_the_newest_stands_first(store: Path) -> None:
    clock = iter(f"2026-11-24T08:00:0{k}.000Z" for k in range(9))
    with desk_of(store, clock=lambda: next(clock)) as edge:
        ids = [save(edge, scenario=late(k))["id"] for k in range(3)]
        save(edge, scenario=late(9), id=ids[0], builds_on=1)
        listed = asked(edge, "GET", LIST).json()["scenarios"]
    assert [each["id"] for each in listed] == [ids[0], ids[2], ids[1]]


def test_nobody_reads_what_is_anothers_unless_it_is_shared(store: Path) -> None:
    state = state_of(store)
    ada, bob, mute = (
        create_key(state, name, scopes=scopes, days=1, at=NOW, who="x")[1]
        for name, scopes in (("ada", BOTH), ("bob", BOTH), ("mute", ("read",)))
    )
    state.close()
    with desk_of(store, Rules(mode="keys")) as edge:
        kept = asked(edge, "POST", LIST, json={"scenario": ASK}, headers=bearer(ada)).json()
        path = f"{LIST}/{kept['id']}"
        assert kept["owner"] == ada.split("_")[1]
        assert asked(edge, "GET", path, headers=bearer(ada)).status_code == 200
        assert code_of(asked(edge, "GET", path, headers=bearer(bob))) == (404, "unknown-scenario")
        assert asked(edge, "GET", LIST, headers=bearer(bob)).json()["count"] == 0
        more = {"scenario": ASK, "id": kept["id"], "builds_on": 1}
        assert code_of(asked(edge, "POST", LIST, json=more, headers=bearer(bob)))[0] == 404
        assert code_of(asked(edge, "POST", LIST, json={"scenario": ASK}, headers=bearer(mute)))[0] == 403
        shared = asked(edge, "POST", LIST, json={**more, "shared": True}, headers=bearer(ada)).json()
        assert (shared["shared"], shared["newest"]) == (True, 1)
        assert asked(edge, "GET", path, headers=bearer(bob)).json()["scenario"] == ASK
        assert code_of(asked(edge, "POST", LIST, json=more, headers=bearer(bob)))[0] == 404
        both = {"scenarios": [{"saved": kept["id"]}, late()]}
        assert asked(edge, "POST", "/v1/scenarios/compare", json=both, headers=bearer(bob)).status_code == 200
    assert [deed.what for deed in read_deeds(state_of(store)) if deed.what.startswith("scenario")] == [
        "scenario-save", "scenario-save",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "field-missing"),
        ({"scenario": {**ASK, "series": "nowhere"}}, 404, "unknown-series"),
        ({"scenario": {**ASK, "series": "cc-east"}}, 422, "series-absent"),
        ({"scenario": {**ASK, "grid": "3 t"}}, 422, "unit-mismatch"),
        ({"scenario": ASK, "id": "nobodys", "builds_on": 1}, 404, "unknown-scenario"),
        ({"scenario": ASK, "id": "\ud800\u0000", "builds_on": 1}, 400, "invalid-value"),
        ({"scenario": ASK, "id": "x"}, 422, "builds-on-missing"),
        ({"scenario": ASK, "builds_on": 1}, 422, "builds-on-missing"),
        ({"scenario": ASK, "id": "x", "builds_on": 0}, 400, "out-of-range"),
        ({"scenario": ASK, "odd": 1}, 400, "unknown-field"),
    ],
)
def test_what_cannot_be_saved(edge: Edge, body: dict[str, Any], status: int, code: str) -> None:
    assert code_of(asked(edge, "POST", LIST, content=_json(body), headers=HEADS)) == (status, code)


HEADS = {"content-type": "application/json"}


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("path", "status"), [("x", 404), ("%ED%A0%80", 404), ("x?version=0", 400), ("x?version=²", 400)]
)
def test_what_cannot_be_read(edge: Edge, path: str, status: int) -> None:
    assert asked(edge, "GET", f"{LIST}/{path}").status_code == status


def test_a_version_that_is_not_there(edge: Edge) -> None:
    kept = save(edge, scenario=ASK)
    assert code_of(asked(edge, "GET", f"{LIST}/{kept['id']}?version=2")) == (404, "unknown-scenario")


def test_strange_words_come_back_as_they_were_sent(edge: Edge) -> None:
    told = {**ASK, "name": "\ud800\u0000<b>"}
    reply = asked(edge, "POST", LIST, content=_json({"scenario": told}), headers=HEADS)
    assert reply.status_code == 200, reply.text
    assert reply.json()["name"] == told["name"]
    assert asked(edge, "GET", LIST).json()["scenarios"][0]["name"] == told["name"]


def test_there_is_an_end_to_what_one_owner_keeps(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MOST", 1)
    monkeypatch.setattr(saved, "MOST_VERSIONS", 1)
    kept = save(edge, scenario=ASK)
    assert code_of(asked(edge, "POST", LIST, json={"scenario": ASK})) == (422, "too-many-saved")
    more = {"scenario": late(), "id": kept["id"], "builds_on": 1}
    assert code_of(asked(edge, "POST", LIST, json=more)) == (422, "too-many-saved")
    monkeypatch.setattr(saved, "LARGEST", 10)
    with pytest.raises(AskError, match="scenario-too-large"):
        saved.create(state_of(edge.desk.store), "i", ASK, "f", key_id="", at="", shared=False)  # type: ignore[union-attr]


def test_removed_ones_count_too(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MOST", 2)
    one, _ = save(edge, scenario=ASK), save(edge, scenario=late())
    asked(edge, "POST", "/v1/scenarios/removed", json={"id": one["id"], "builds_on": 1})
    refused = asked(edge, "POST", LIST, json={"scenario": late(2)})
    assert code_of(refused) == (422, "too-many-saved")
    assert "further version" in refused.json()["error"]["remedy"]
    monkeypatch.setattr(saved, "MOST", 1)
    again = {"scenario": ASK, "id": one["id"], "builds_on": 1}
    assert code_of(asked(edge, "POST", LIST, json=again)) == (422, "too-many-saved")
    assert asked(edge, "GET", f"{LIST}/{one['id']}").json()["removed_at"]
    monkeypatch.setattr(saved, "MOST", 2)
    assert save(edge, **again)["removed_at"] is None


def test_nothing_is_kept_before_something_is(edge: Edge) -> None:
    assert asked(edge, "GET", LIST).json() == {"scenarios": [], "count": 0}


def test_up_to_four_stand_side_by_side_over_http(edge: Edge) -> None:
    kept = save(edge, scenario=ASK)
    body = {"scenarios": [{"saved": kept["id"], "version": 1}, late(), ASK]}
    told = asked(edge, "POST", "/v1/scenarios/compare", json=body).json()
    assert faults(schema_of("ScenarioComparison"), told) == []
    assert [each["name"] for each in told["scenarios"]] == ["plan", "late", "plan"]
    assert told["scenarios"][0] == told["scenarios"][2]
    assert told["differences"][0]["places"][0]["place"] == "/projects/catch/delay_years"
    alone = asked(edge, "POST", "/v1/scenarios", json=ASK).json()
    assert {**told["scenarios"][0], "answer_id": alone["answer_id"]} == alone
    again = asked(edge, "GET", f"/v1/provenance/{told['answer_id']}").json()
    assert again["same"] is True


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"scenarios": []}, 400, "out-of-range"),
        ({"scenarios": [ASK] * 5}, 400, "out-of-range"),
        ({"scenarios": [{"saved": "none"}]}, 404, "unknown-scenario"),
        ({"scenarios": [{"saved": "none", "x": 1}]}, 400, "unknown-field"),
        ({"scenarios": [{**ASK, "grid": "3 t"}]}, 422, "unit-mismatch"),
        ({"scenarios": 3}, 400, "invalid-value"),
    ],
)
def test_what_cannot_be_compared(edge: Edge, body: dict[str, Any], status: int, code: str) -> None:
    assert code_of(asked(edge, "POST", "/v1/scenarios/compare", json=body)) == (status, code)
