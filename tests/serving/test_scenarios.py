from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from features.errors import AskError, ForecarbonError
from insights.fields import Field, read
from insights.scenario_fields import SCENARIO
from serving.edge import Edge
from serving.errors import STATUS_OF_CODE, status_of
from serving.openapi_scenarios import field_schema, table_schema
from serving.provenance import digest_of
from serving.scenario_view import compare_scenarios, read_scenario, scenario_view
from serving.shelf import Standing
from tests.serving.test_edge import call
from tests.serving.test_edge import edge as edge
from tests.serving.test_openapi import faults, schema_of

PROJECT = {
    "name": "catch", "kind": "ccus", "capacity": "0.4 Mt/year", "start": 2026, "grid": "0.1 t/MWh",
    "cost": "79 EUR/t", "risk": {"slip_chances": [0.5, 0.5], "cancel": 0.1, "delivery": [0.5, 0.9, 1]},
}  # fmt: skip
ASK: dict[str, Any] = {
    "version": 1, "name": "plan", "series": "aa-north", "projects": [PROJECT],
    "levers": [{"name": "boilers", "kind": "electrification", "share": 0.1, "start": 2025,
                "grid": "0.5 t/MWh"}],
}  # fmt: skip


def without(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key != "answer_id"}


def test_a_scenario_is_what_the_document_promises(whole: Standing) -> None:
    told = {**scenario_view(ASK, whole), "answer_id": None}
    assert faults(schema_of("ScenarioOutlook"), told) == []
    assert (told["unique_id"], told["unit"], told["currency"]) == ("aa-north", "tCO2e", "EUR")
    assert [row["kind"] for row in told["measures"]] == ["electrification", "ccus"]
    assert "raises-emissions" in told["measures"][0]["flags"]
    json.dumps(told, allow_nan=False)
    bare = {**scenario_view({"version": 1, "name": "n", "series": "initiative"}, whole), "answer_id": None}
    assert faults(schema_of("ScenarioOutlook"), bare) == []
    assert bare["targets"] == []


def test_the_same_scenario_is_the_same_answer(whole: Standing) -> None:
    one, again = scenario_view(ASK, whole), scenario_view(read_scenario(ASK), whole)
    assert digest_of(one) == digest_of(again)


def test_up_to_four_are_compared(whole: Standing) -> None:
    late = copy.deepcopy(ASK)
    late["name"], late["projects"][0]["delay_years"] = "late", 3
    told = compare_scenarios([ASK, late, ASK], whole)
    assert [each["name"] for each in told["scenarios"]] == ["plan", "late", "plan"]
    assert told["scenarios"][0] == told["scenarios"][2]
    first, second = told["differences"]
    assert first == {
        "from": "plan", "to": "late",
        "places": [{"place": "/projects/catch/delay_years", "one": None, "other": 3}],
    }  # fmt: skip
    assert second["places"][0]["other"] is None
    for wrong in ([], [ASK] * 5):
        with pytest.raises(AskError) as caught:
            compare_scenarios(wrong, whole)
        assert caught.value.code == "too-many-scenarios"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"series": "nowhere"}, 404, "unknown-series"),
        ({"series": "cc-east"}, 422, "series-absent"),
        ({"target": "no-such"}, 404, "unknown-target"),
        ({"scope": "no-such"}, 404, "scope-unknown"),
        ({"projects": [{"project_id": "no-such"}]}, 404, "unknown-project"),
        ({"grid": "3 t"}, 422, "unit-mismatch"),
        ({"version": 2}, 400, "invalid-value"),
        ({"sries": "x"}, 400, "unknown-field"),
        ({"seed": "x"}, 400, "invalid-value"),
        ({"base_year": 1}, 400, "out-of-range"),
    ],
)
def test_refusals_over_http(edge: Edge, change: dict[str, Any], status: int, code: str) -> None:
    asked = {**ASK, "target": "aa-north-2030-percent", **change}
    reply = call(edge, "POST", "/v1/scenarios", json=asked)
    told = reply.json()
    assert (reply.status_code, told["error"]["code"]) == (status, code), told
    assert told["error"]["remedy"]
    assert faults(schema_of("Problem"), told) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"3", b"null", b'{"version": NaN}', b"{" * 5000])
def test_no_object_is_no_scenario(edge: Edge, body: bytes) -> None:
    heads = {"content-type": "application/json"}
    assert call(edge, "POST", "/v1/scenarios", content=body, headers=heads).status_code == 400


def test_an_answer_is_made_again(edge: Edge) -> None:
    reply = call(edge, "POST", "/v1/scenarios", json=ASK)
    assert reply.status_code == 200, reply.text
    answer = reply.json()
    assert faults(schema_of("ScenarioOutlook"), answer) == []
    again = call(edge, "GET", f"/v1/provenance/{answer['answer_id']}").json()
    assert again["same"] is True
    assert again["question"] == ASK
    assert again["answer"] == without(answer)
    assert faults(schema_of("Provenance"), again) == []


def test_strange_names_come_back_as_they_were_sent(edge: Edge) -> None:
    body = json.dumps(
        {**ASK, "name": "\ud800\u0000<b>", "levers": [], "projects": [{**PROJECT, "name": "\udfff"}]}
    )
    heads = {"content-type": "application/json"}
    reply = call(edge, "POST", "/v1/scenarios", content=body.encode(), headers=heads)
    assert reply.status_code == 200, reply.text
    assert json.loads(reply.text)["name"] == "\ud800\u0000<b>"


def test_a_scenario_is_only_posted(edge: Edge) -> None:
    reply = call(edge, "GET", "/v1/scenarios")
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST, OPTIONS")


VALUES: list[Any] = [
    None, True, False, -1, 0, 1, 1.0, 2.5, 40, 1970, 2100, 2101, 1e300, "", "x", "x" * 201, "ccus", "gas",
    [], [0.5], [0.2, 0.3, 0.5], ["ccus"], {}, {"name": "x"}, {"zz": 1},
]  # fmt: skip


def allowed(schema: dict[str, Any], value: Any) -> bool:
    """Whether a value fits a schema made of a field, in the plain and slow way."""
    if "enum" in schema:
        return any(value == one and not isinstance(value, bool) for one in schema["enum"])
    if schema["type"] in ("integer", "number"):
        held = isinstance(value, (int, float)) and not isinstance(value, bool)
        whole = schema["type"] == "number" or (held and value == int(value))
        return held and whole and schema["minimum"] <= value <= schema["maximum"]
    if schema["type"] == "string":
        return isinstance(value, str) and schema["minLength"] <= len(value) <= schema["maxLength"]
    if schema["type"] == "boolean":
        return isinstance(value, bool)
    if schema["type"] == "array":
        fits = isinstance(value, list) and schema["minItems"] <= len(value) <= schema["maxItems"]
        return fits and all(allowed(schema["items"], item) for item in value)
    if not isinstance(value, dict) or not set(schema["required"]) <= set(value) <= set(schema["properties"]):
        return False
    return all(allowed(schema["properties"][name], item) for name, item in value.items())


def fields_in(table: Any) -> list[Field]:
    inside = list(table.values())
    for field in table.values():
        part = field.item if field.kind == "list" else field
        if part is not None and part.rows:
            inside += fields_in(part.rows)
    return inside


def test_the_document_and_the_reader_agree_on_every_field() -> None:
    for field in fields_in(SCENARIO):
        schema = field_schema(field)
        for value in VALUES:
            assert allowed(schema, value) == taken(field, value), (field, value)
    closed = table_schema(SCENARIO)
    assert closed["additionalProperties"] is False
    assert closed["required"] == ["name", "series", "version"]


def taken(field: Field, value: Any) -> bool:
    try:
        read(value, field, "f")
    except AskError as why:
        if status_of(why) != 400:
            raise
        return False
    return True


def test_what_fits_the_document_is_never_called_malformed(whole: Standing) -> None:
    """Refusals of fields that fit one by one are 404 or 422."""
    told = copy.deepcopy(ASK)
    wrong: list[dict[str, Any]] = [
        {"levers": [{"name": "a", "kind": "ccus"}]},
        {"levers": [{"name": "a", "kind": "ccus", "start": 2030}]},
        {"levers": [{"name": "a", "kind": "ccus", "start": 2030, "end": 2029, "share": 1}]},
        {"levers": [{"name": "a", "kind": "ccus", "start": 2030, "end": 2031, "ramp_years": 9, "share": 1}]},
        {"levers": [{"name": "a", "kind": "ccus", "start": 2030, "share": 1, "cop": 3}]},
        {"levers": [{"name": "a", "kind": "ccus", "start": 2030, "share": 1, "store": "x"}]},
        {"levers": [{"name": "a", "kind": "ccus", "start": 2030, "capacity": "x"}]},
        {"stores": [{"name": "a", "capacity": "3 t"}]},
        {"stores": [{"name": "a", "capacity": "3 t/year"}, {"name": "a", "capacity": "3 t/year"}]},
        {"order": ["ccus"] * 4},
        {"projects": [{}]},
        {"projects": [{**PROJECT, "risk": {"certain": True, "cancel": 0}}]},
        {"projects": [PROJECT, PROJECT]},
        {"projects": [PROJECT, {**PROJECT, "name": "b", "cost": "1 USD/t"}]},
        {"grid": "9999999999999 t/MWh"},
    ]
    for change in wrong:
        with pytest.raises(ForecarbonError) as caught:
            scenario_view({**told, **change}, whole)
        assert status_of(caught.value) in (404, 422), caught.value
        assert caught.value.code in STATUS_OF_CODE
