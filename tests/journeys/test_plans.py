"""Networks, plans, corridors and contracts as a user asks for them over HTTP, on a trained champion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from serving.openapi import document
from tests.serving.test_openapi import faults, schema_of

SCHEMAS = {"network": "SharedNetwork", "plan": "Plan", "corridors": "Corridors", "contract": "Contract"}
HUMBER = "gb-humber"


@pytest.fixture(scope="module")
def api(served: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served, timeout=60) as client:
        yield client


def example(view: str) -> dict[str, Any]:
    told = document()["paths"][f"/v1/insights/{view}"]["post"]["requestBody"]["content"]["application/json"]
    copied: dict[str, Any] = json.loads(json.dumps(told["example"]))
    return copied


def asked(api: httpx.Client, view: str, body: dict[str, Any]) -> dict[str, Any]:
    reply = api.post(f"/v1/insights/{view}", json=body)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    assert faults(schema_of(SCHEMAS[view]), told) == []
    return told


@pytest.mark.parametrize("view", sorted(SCHEMAS))
def test_examples_of_the_document_are_answered_and_made_again(api: httpx.Client, view: str) -> None:
    answer = asked(api, view, example(view))
    again = api.get(f"/v1/provenance/{answer['answer_id']}")
    assert again.status_code == 200, again.text
    assert again.json()["same"] is True


def test_the_humber_shares_its_network_with_a_second_cluster(api: httpx.Client) -> None:
    body = {**example("network"), "paths": 50, "split": {"cost": 1e8, "volume": 1e7, "exponent": 0.7}}
    answer = asked(api, "network", body)
    for t, (year, trunk) in enumerate(zip(answer["years"], (4e6, 1e7), strict=True)):
        assert year["abated"]["q0.9"] <= trunk * (1 + 1e-6)
        assert sum(row[t] for row in answer["clusters"].values()) == pytest.approx(year["abated"]["mean"])
        assert answer["clusters"]["teesside"][t] <= 0.9 * 4e6 * (1 + 1e-6)
    assert answer["links"][2]["full_years"][0] == 2030
    split = answer["split"]
    assert {each["name"] for each in split["members"]} == {HUMBER, "teesside"}
    assert sum(each["shapley"] for each in split["members"]) == pytest.approx(split["total"], rel=1e-9)
    whole = body["sources"][0] | {"share": 1.0}
    twice = {**body, "sources": [whole, {**whole, "name": "again"}]}
    reply = api.post("/v1/insights/network", json=twice)
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "emissions-counted-twice")


def test_a_plan_for_the_humber_and_the_nearest_where_there_is_none(api: httpx.Client) -> None:
    answer = asked(api, "plan", example("plan"))
    assert answer["status"] == "met"
    assert answer["plan"]["proven"]
    assert answer["plan"]["chance"]["p"] >= 0.5 > answer["without"]["p"]
    poor = asked(api, "plan", {**example("plan"), "budget": 1e6})
    assert poor["status"] == "infeasible"
    assert poor["nearest"]["binds"] == ["budget"]
    assert poor["nearest"]["without_budget"]["cost"] == pytest.approx(answer["plan"]["cost"])


def test_a_target_of_the_registry_is_planned_for(api: httpx.Client) -> None:
    body = {
        "series": "nl-rotterdam",
        "probability": 0.6,
        "options": [
            {
                "name": "Porthos",
                "tonnes": [1e6, 2.5e6],
                "earliest": 2026,
                "capex": 1.3e9,
                "slip": [0.5, 0.3, 0.2],
            }
        ],
    }
    answer = asked(api, "plan", body)
    assert answer["scope"] == "rotterdam-co2-registered"
    assert answer["level"] == pytest.approx(9.27e6)
    found = answer["plan"] or answer["nearest"]["likeliest"]
    assert found["chance"]["p"] >= answer["without"]["p"]


def test_the_front_door_refuses_what_cannot_be(api: httpx.Client) -> None:
    bad = example("plan")
    bad["options"][0]["capex"] = -1
    reply = api.post("/v1/insights/plan", json=bad)
    told = reply.json()["error"]
    assert (reply.status_code, told["facts"]["field"]) == (400, "options[0].capex")
    assert told["remedy"]
    late = {**example("contract"), "late_years": 9}
    reply = api.post("/v1/insights/contract", json=late)
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "contract-without-volumes")
