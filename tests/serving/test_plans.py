"""Networks, plans, corridors and contracts as views: what is told, and what is refused with which field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from features.errors import AskError, DataError, ForecarbonError
from serving.errors import status_of
from serving.openapi import document
from serving.plan_ask import read_plan_ask
from serving.plan_views import PLAN_VIEWS
from serving.provenance import with_id
from serving.shelf import Standing
from tests.serving.test_openapi import faults, schema_of

SCHEMAS = {"network": "SharedNetwork", "plan": "Plan", "corridors": "Corridors", "contract": "Contract"}
NORTH, POWER, STEEL = "aa-north", "aa-north/power", "aa-north/steel"


def example(view: str) -> dict[str, Any]:
    told = document()["paths"][f"/v1/insights/{view}"]["post"]["requestBody"]["content"]["application/json"]
    copied: dict[str, Any] = json.loads(json.dumps(told["example"]))
    return copied


def told_of(view: str, body: dict[str, Any], standing: Standing) -> dict[str, Any]:
    question = read_plan_ask(view, json.dumps(body).encode())
    answer = with_id(view, question, PLAN_VIEWS[view](standing, question), standing)
    assert faults(schema_of(SCHEMAS[view]), answer) == []
    json.dumps(answer, allow_nan=False)
    return answer


def refused(view: str, body: dict[str, Any], standing: Standing) -> ForecarbonError:
    with pytest.raises((AskError, DataError)) as refusal:
        told_of(view, body, standing)
    error: ForecarbonError = refusal.value
    assert error.found
    assert error.expected
    assert error.remedy
    return error


def network(**more: Any) -> dict[str, Any]:
    told = {
        "start_year": 2030,
        "sources": [
            {"name": "power", "cluster": NORTH, "node": "a", "series": POWER, "rate": 1.0},
            {"name": "other", "cluster": "tees", "node": "b", "emissions": [1e6], "rate": 1.0},
        ],
        "links": [
            {"name": "north", "start": "a", "end": "sea", "capacity": [9e6]},
            {"name": "south", "start": "b", "end": "sea", "capacity": [9e6]},
        ],
        "sinks": [{"name": "store", "node": "sea", "limit": [2e6]}],
    }
    return {**told, **more}


def plan(**more: Any) -> dict[str, Any]:
    told = {
        "series": NORTH,
        "target": {"kind": "level", "value": 2.0, "target_year": 2030},
        "probability": 0.6,
        "options": [
            {"name": "a", "tonnes": [1e6], "earliest": 2026, "capex": 1e8},
            {"name": "b", "tonnes": [2e6], "earliest": 2026, "capex": 3e8, "built": 0.9, "slip": [0.5, 0.5]},
        ],
    }
    return {**told, **more}


def test_a_network_of_a_served_cluster_and_another(whole: Standing) -> None:
    answer = told_of("network", network(paths=10), whole)
    assert answer["paths"] == 10
    (year,) = answer["years"]
    assert year["abated"]["q0.9"] <= 2e6 + 1
    assert answer["clusters"]["tees"][0] <= 1e6 + 1
    assert sum(row[0] for row in answer["clusters"].values()) == pytest.approx(year["abated"]["mean"])


def test_a_network_is_split_three_ways(whole: Standing) -> None:
    scale = {"cost": 1e8, "volume": 1e6, "exponent": 0.7}
    split = told_of("network", network(split=scale), whole)["split"]
    for way in ("shapley", "volume", "peak"):
        assert sum(each[way] for each in split["members"]) == pytest.approx(split["total"])
    assert split["saved"] > 0
    nothing = network(split=scale, sinks=[{"name": "store", "node": "sea", "limit": [0]}])
    assert told_of("network", nothing, whole)["split"]["members"] == []


def test_hydrogen_and_the_least_cost(whole: Standing) -> None:
    body = {
        "commodity": "hydrogen", "start_year": 2030, "objective": "cost", "asked": [100],
        "sources": [{"name": "plant", "node": "x", "limit": [50], "intensity": 1, "cost": 7}],
        "sinks": [{"name": "user", "node": "x", "limit": [40], "saved": 5, "emissions": [1000]}],
    }  # fmt: skip
    answer = told_of("network", body, whole)
    assert answer["reached"] == 1.0
    assert answer["sinks"][0]["moved"][0] == pytest.approx(25)
    assert answer["years"][0]["cost"] == pytest.approx(175)
    unreachable = told_of("network", {**body, "asked": [1e6]}, whole)
    assert unreachable["reached"] == 0.0


def test_nothing_is_counted_twice(whole: Standing) -> None:
    sources = [{"name": n, "node": "a", "series": n} for n in (NORTH, POWER)]
    error = refused("network", network(sources=sources), whole)
    assert (error.code, status_of(error)) == ("emissions-counted-twice", 422)
    halves = [{"name": n, "node": "a", "series": POWER, "share": 0.6} for n in ("one", "other")]
    assert refused("network", network(sources=halves), whole).code == "emissions-counted-twice"


@pytest.mark.parametrize(
    ("more", "code", "status"),
    [
        ({"start_year": 2099}, "year-not-forecast", 422),
        ({"objective": "cost"}, "network-implausible", 422),
        ({"sources": [{"name": "x", "node": "a"}]}, "network-implausible", 422),
        ({"sources": [{"name": "x", "node": "a", "series": "nowhere"}]}, "unknown-series", 404),
        ({"asked": [1, 2, 3]}, "years-unlike", 422),
        ({"commodity": "hydrogen"}, "network-implausible", 422),
        ({"links": []}, "network-implausible", 422),
        ({"sinks": [{"name": "s", "node": "sea", "limit": [1], "saved": 2}]}, "network-implausible", 422),
        ({"years": 0}, "out-of-range", 400),
        ({"colour": 1}, "unknown-field", 400),
        ({"sinks": [{"name": "s", "node": "sea", "limit": [-1]}]}, "out-of-range", 400),
    ],
)
def test_networks_that_cannot_be_are_refused(
    more: dict[str, Any], code: str, status: int, whole: Standing
) -> None:
    error = refused("network", network(**more), whole)
    assert (error.code, status_of(error)) == (code, status)


def test_a_plan_meets_the_target_as_surely_as_asked(whole: Standing) -> None:
    answer = told_of("plan", plan(), whole)
    assert answer["status"] == "met"
    chosen = answer["plan"]
    assert chosen["proven"]
    assert chosen["chance"]["p"] >= 0.6
    assert answer["without"]["p"] < 0.6
    assert chosen["cost"] == pytest.approx(sum(each["cost"] for each in chosen["options"]))
    assert [step["option"] for step in answer["curve"]["steps"]] == ["a", "b"]
    assert told_of("plan", plan(), whole) == answer


def test_more_certainty_costs_no_less(whole: Standing) -> None:
    costs = [told_of("plan", plan(probability=p), whole)["plan"]["cost"] for p in (0.2, 0.5, 0.7)]
    assert costs == sorted(costs)


def test_what_is_out_of_reach_gets_the_nearest_and_what_binds(whole: Standing) -> None:
    answer = told_of("plan", plan(budget=1e7), whole)
    assert (answer["status"], answer["plan"]) == ("infeasible", None)
    near = answer["nearest"]
    assert near["binds"] == ["budget"]
    assert near["likeliest"]["cost"] <= 1e7
    assert near["likeliest"]["chance"]["p"] < 0.6
    assert near["without_budget"]["cost"] > 1e7
    small = [{"name": "a", "tonnes": [1000], "earliest": 2026}]
    none = told_of("plan", plan(options=small), whole)
    assert none["nearest"]["binds"] == ["options"]
    assert none["nearest"]["without_budget"] is None


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"series": "nowhere"}, "unknown-series", None),
        ({"target": None, "target_id": "x"}, "unknown-target", None),
        ({"target": {"kind": "level", "value": 1, "target_year": 2090}}, "year-not-forecast", "target_year"),
        ({"exclusions": [["a", "z"]]}, "plan-implausible", "rules"),
        (
            {"requires": [{"option": "a", "needs": "b"}, {"option": "b", "needs": "a"}]},
            "plan-implausible", "requires",
        ),
        (
            {"options": [{"name": "a", "tonnes": [1], "earliest": 2026, "slip": [0.2]}]},
            "plan-implausible", "options.a.slip",
        ),
        ({"options": [{"name": "a", "tonnes": [1], "earliest": 2026}] * 2}, "plan-implausible", "options"),
        ({"yearly_budget": [1] * 29}, "years-unlike", "yearly_budget"),
        ({"probability": 0}, "out-of-range", "probability"),
    ],
)  # fmt: skip
def test_plans_that_cannot_be_are_refused(
    more: dict[str, Any], code: str, field: str | None, whole: Standing
) -> None:
    error = refused("plan", {k: v for k, v in plan(**more).items() if v is not None}, whole)
    assert (error.code, error.facts.get("field")) == (code, field)


def test_corridors_say_who_supplies_whom(whole: Standing) -> None:
    answer = told_of("corridors", example("corridors"), whole)
    assert answer["routes"][0]["sent"] == pytest.approx([1e5])
    # A unit costs 3000 and its way 900, where 6000 would be paid for what it replaces.
    assert answer["saved"] == pytest.approx(1e5 * (6000 - 3900))
    body = example("corridors")
    body["routes"][0]["end"] = "mars"
    assert refused("corridors", body, whole).facts == {"field": "routes[0].end"}


def test_a_contract_says_what_makes_it_pay_and_who_pays_when_it_is_late(whole: Standing) -> None:
    together = {
        "members": [{"name": "a", "volume": 1e6}, {"name": "b", "volume": 3e6}],
        "scale": {"cost": 1e8, "volume": 4e6, "exponent": 0.7},
    }
    body = {**example("contract"), "together": together}
    answer = told_of("contract", body, whole)
    paying = told_of("contract", {**body, "support": answer["break_even_support"]}, whole)
    assert paying["npv"] == pytest.approx(0, abs=1)
    assert answer["late"]["break_even_support"] > answer["break_even_support"]
    for row in answer["late"]["who_pays"]:
        assert row["emitter"] + row["state"] + row["operator"] == pytest.approx(row["missing"])
    assert answer["together"]["total"] == pytest.approx(1e8)
    assert answer["together"]["saved"] > 0


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"late_years": 9}, "contract-without-volumes"),
        ({"booked": [0, 5, 5]}, "contract-implausible"),
        ({"opex": [1, 2]}, "years-unlike"),
        (
            {
                "together": {
                    "members": [{"name": "a", "volume": 0}],
                    "scale": {"cost": 1, "volume": 1, "exponent": 1},
                }
            },
            "split-implausible",
        ),
        ({"take_or_pay": 2}, "out-of-range"),
    ],
)  # fmt: skip
def test_contracts_that_cannot_be_are_refused(more: dict[str, Any], code: str, whole: Standing) -> None:
    assert refused("contract", {**example("contract"), **more}, whole).code == code


def test_a_project_of_the_registry_brings_its_weak_priors(whole: Standing) -> None:
    option = {"name": "a", "tonnes": [2e6], "earliest": 2026, "capex": 1e8}
    known = {**option, "project_id": "nl-rotterdam-porthos"}
    sure, weak, own = (
        told_of("plan", plan(options=[each]), whole)
        for each in (option, known, {**known, "built": 1.0, "slip": [1.0]})
    )
    assert [each["risks"][0]["built"] for each in (sure, weak, own)] == ["certain", "weak-prior", "own"]
    assert weak["risks"][0]["priors"]["weak"] is True
    chances = [(each["plan"] or each["nearest"]["likeliest"])["chance"]["p"] for each in (sure, weak, own)]
    assert chances[1] < chances[0] == chances[2], "what may fail is less likely to meet the target"


@pytest.mark.parametrize(
    ("project_id", "code"),
    [("no-such", "unknown-project"), ("gb-solent-solent-co2-pipeline-and-channel-storage", "project-ended")],
)
def test_a_project_that_is_not_to_come_has_no_priors(project_id: str, code: str, whole: Standing) -> None:
    options = [{"name": "a", "tonnes": [2e6], "earliest": 2026, "project_id": project_id}]
    error = refused("plan", plan(options=options), whole)
    assert (error.code, error.facts["field"]) == (code, "options.a.project_id")
