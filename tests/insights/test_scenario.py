from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

from features.errors import AskError
from insights.scenario import scenario_of
from insights.scenario_diff import diff
from insights.scenario_fields import SCENARIO
from tests.insights.plans import CCS, FACTORS, PORTHOS, REFERENCE, scenario, table

OWN: dict[str, Any] = {"name": "mine", "kind": "ccus", "capacity": "1 Mt/year", "start": 2029}
FULL: dict[str, Any] = {
    "target": "t", "scope": "own", "base_year": 1990, "seed": 5, "grid": "0.2 t/MWh",
    "order": ["ccus", "hydrogen", "electrification", "efficiency"],
    "stores": [{"name": "deep", "capacity": "3 Mt/year"}],
    "levers": [
        {**CCS, "store": "deep", "heat": "0.5 MWh/t", "cost": "79 EUR/t", "ramp_years": 2, "end": 2040},
        {"name": "save", "kind": "efficiency", "share": 0.1, "start": 2026},
    ],
    "projects": [{**OWN, "store": "deep", "risk": {"slip_chances": [0.5, 0.5], "delivery": [0.5, 0.9, 1.0]}}],
}  # fmt: skip


def test_a_project_of_the_registry_fills_in_what_it_knows() -> None:
    (plan,) = scenario(projects=[PORTHOS]).projects
    assert (plan.name, plan.kind, plan.capacity, plan.start) == ("Porthos", "ccus", 2.5e6, 2026)
    half = scenario(projects=[{**PORTHOS, "share": 0.5, "start": 2027}]).projects[0]
    assert (half.capacity, half.start) == (1.25e6, 2027)


def test_the_fingerprint_is_of_what_is_meant() -> None:
    made = scenario(**FULL)
    other = copy.deepcopy(FULL)
    other["levers"][0] = {"cost": "0.079 EUR/kgCO2", "end": 2040.0, "ramp_years": 2, **CCS, "store": "deep",
                          "capacity": "2000 ktCO2/yr", "heat": "500 kWh/t"}  # fmt: skip
    again = scenario_of({**table(**other), "name": "called otherwise"}, REFERENCE.projects, FACTORS)
    assert made.fingerprint == again.fingerprint
    assert diff(made, again) == ()
    assert len(made.fingerprint) == 64
    json.dumps(made.canonical(), allow_nan=False)
    changes: list[dict[str, Any]] = [
        {"seed": 6}, {"base_year": 1991}, {"grid": "0.21 t/MWh"}, {"levers": []}, {"projects": []}
    ]  # fmt: skip
    for change in changes:
        assert scenario(**{**FULL, **change}).fingerprint != made.fingerprint


def test_differences_are_told_place_by_place() -> None:
    late = copy.deepcopy(FULL)
    late["projects"][0]["delay_years"] = 2
    late["stores"][0]["capacity"] = "4 Mt/year"
    told = {each.place: (each.one, each.other) for each in diff(scenario(**FULL), scenario(**late))}
    assert told == {"/projects/mine/delay_years": (None, 2), "/stores/deep": (3e6, 4e6)}


def test_a_scenario_is_frozen() -> None:
    with pytest.raises(AttributeError):
        scenario().seed = 3  # type: ignore[misc]


def changed(where: str, value: Any) -> dict[str, Any]:
    """``FULL`` with one place changed: "levers.0.cop"."""
    told = table(**FULL)
    *way, last = where.split(".")
    place: Any = told
    for step in way:
        place = place[int(step)] if step.isdigit() else place[step]
    place[int(last) if last.isdigit() else last] = value
    return told


REFUSED: list[tuple[str, Any, str, str, str]] = [
    ("version", 2, "invalid-value", "version", "one of 1"),
    ("version", True, "invalid-value", "version", "one of 1"),
    ("name", "", "out-of-range", "name", "1 to 200 signs"),
    ("name", 3, "invalid-value", "name", "a text"),
    ("seed", 1.5, "invalid-value", "seed", "a whole number"),
    ("seed", float("nan"), "invalid-value", "seed", "a whole number"),
    ("seed", -1, "out-of-range", "seed", "0 to"),
    ("seed", 10**400, "out-of-range", "seed", "0 to"),
    ("base_year", 1066, "out-of-range", "base_year", "1970 to 2100"),
    ("order", ["ccus"], "order-incomplete", "order", "each once of ccus, efficiency"),
    ("order", ["ccus"] * 4, "order-incomplete", "order", "each once"),
    ("order", "ccus", "invalid-value", "order", "a list"),
    ("grid", "0.2 t", "unit-mismatch", "grid", "t/MWh"),
    ("grid", "200 MWh/t", "unit-mismatch", "grid", "t/MWh"),
    ("levers", {}, "invalid-value", "levers", "a list"),
    ("levers.0", 3, "invalid-value", "levers[0]", "a table"),
    ("levers.0.kind", "magic", "invalid-value", "levers[0].kind", "one of efficiency"),
    ("levers.0.capacity", "2 TWh/year", "unit-mismatch", "levers[0].capacity", "t/year"),
    ("levers.0.capacity", "9 Mt/year", "capacity-over-store", "levers[0].capacity", "at most 3 Mt/year"),
    ("levers.0", {"name": "a", "kind": "ccus", "share": 1, "start": 2030, "store": "deep"},
     "capacity-over-store", "levers[0].capacity", "at most 3 Mt/year"),
    ("levers.0.capture_rate", 1.2, "out-of-range", "levers[0].capture_rate", "0 to 1"),
    ("levers.0.leakage", -0.1, "out-of-range", "levers[0].leakage", "0 to 1"),
    ("levers.0.share", 7, "out-of-range", "levers[0].share", "0 to 1"),
    ("levers.0.ramp_years", -1, "out-of-range", "levers[0].ramp_years", "0 to 40"),
    ("levers.0.ramp_years", 30, "ramp-impossible", "levers[0].ramp_years", "at most 12 years"),
    ("levers.0.start", 2041, "start-after-end", "levers[0].start", "up to its end in 2040"),
    ("levers.0.store", "nowhere", "store-unknown", "levers[0].store", "one of deep"),
    ("levers.0.cop", 3, "field-foreign", "levers[0].cop", "for ccus"),
    ("levers.1.heat", "1 MWh/t", "field-foreign", "levers[1].heat", "for efficiency"),
    ("levers.1.name", "catch", "name-twice", "levers", "each once"),
    ("levers.1.cost", "9 USD/t", "currency-mixed", "cost", "one currency"),
    ("levers.1.cost", "9 EUR/MWh", "unit-mismatch", "levers[1].cost", "EUR/t"),
    ("projects.0.risk.slip_chances", [0.5, 0.4], "risk-impossible", "projects[0].risk.slip_chances",
     "up to 1"),
    ("projects.0.risk.slip_chances", [1.5], "out-of-range", "projects[0].risk.slip_chances[0]", "0 to 1"),
    ("projects.0.risk.delivery", [0.9, 0.5, 1], "risk-impossible", "projects[0].risk.delivery", "lowest"),
    ("projects.0.risk.delivery", [0.9, 1], "out-of-range", "projects[0].risk.delivery", "3 entries"),
    ("projects.0.risk.certain", True, "risk-impossible", "projects[0].risk.certain", "one of both"),
    ("projects.0.risk.certain", 1, "invalid-value", "projects[0].risk.certain", "true or false"),
    ("projects.0", {"name": "x"}, "project-incomplete", "projects[0].kind", "a project_id"),
    ("projects.0", {"project_id": "x"}, "unknown-project", "projects[0].project_id", "of the registry"),
    ("projects.0", {**PORTHOS, "capacity": "3 Mt/year"}, "capacity-over-project", "projects[0].capacity",
     "2.5"),
    ("projects", [PORTHOS, PORTHOS], "project-twice", "projects", "each once"),
    ("projects", [{"project_id": "gb-hynet-liverpool-bay-ccs-phase-1"},
                  {"project_id": "gb-hynet-liverpool-bay-ccs-expansion"}],
     "project-twice", "projects", "the total holds the phase"),
    ("projects.0", {"project_id": "gb-solent-solent-co2-pipeline-and-channel-storage"}, "project-ended",
     "projects[0].project_id", "to come"),
    ("projects.0", {"project_id": "nl-brightlands-fibrant-n2o-abatement"}, "project-running",
     "projects[0].project_id", "to come"),
    ("projects.0", {"project_id": "gb-humber-east-coast-cluster-humber-teesside"}, "project-size-unknown",
     "projects[0].capacity", "your own capacity"),
    ("projects.0", {"project_id": "us-houston-hyvelocity-hub"}, "project-start-unknown", "projects[0].start",
     "your own start"),
    ("projects.0", {"project_id": "nl-rotterdam-all-projects-known-to-the-port-authority"},
     "project-kind-unknown", "projects[0].kind", "your own kind"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "value", "code", "field", "allowed"), REFUSED)
def test_what_cannot_be_is_refused_by_field(
    where: str, value: Any, code: str, field: str, allowed: str
) -> None:
    with pytest.raises(AskError) as caught:
        scenario_of(changed(where, value), REFERENCE.projects, FACTORS)
    told = caught.value
    assert told.code == code, told
    assert told.facts["field"] == field
    assert allowed in told.facts["allowed"] == told.expected
    assert told.facts["found"]
    assert told.remedy


@pytest.mark.parametrize(
    ("where", "key", "near"),
    [("", "seris", "series"), ("levers.0", "ramp_year", "ramp_years"),
     ("projects.0.risk", "cancelled", "cancel"), ("stores.0", "capcity", "capacity"),
     ("projects.0", "project", "project_id")],
)  # fmt: skip
def test_an_unknown_key_names_the_nearest(where: str, key: str, near: str) -> None:
    with pytest.raises(AskError) as caught:
        scenario_of(changed(f"{where}.{key}".lstrip("."), 1), REFERENCE.projects, FACTORS)
    assert caught.value.code == "unknown-field"
    assert caught.value.facts["nearest"] == near
    assert near in caught.value.remedy


@pytest.mark.parametrize("field", ["version", "name", "series"])
def test_what_must_be_there_is_asked_for(field: str) -> None:
    told = {name: value for name, value in table(**FULL).items() if name != field}
    with pytest.raises(AskError) as caught:
        scenario_of(told, REFERENCE.projects, FACTORS)
    assert (caught.value.code, caught.value.facts["field"]) == ("field-missing", field)


@pytest.mark.parametrize(("gone", "code"), [("start", "start-missing"), ("capacity", "size-missing")])
def test_a_lever_needs_a_start_and_a_size(gone: str, code: str) -> None:
    lever = {name: value for name, value in CCS.items() if name != gone}
    with pytest.raises(AskError) as caught:
        scenario(levers=[lever])
    assert (caught.value.code, caught.value.facts["field"]) == (code, f"levers[0].{gone}")


@pytest.mark.parametrize("value", [None, 3, "x", [], [[]]])
def test_no_table_is_no_scenario(value: Any) -> None:
    with pytest.raises(AskError) as caught:
        scenario_of(value, REFERENCE.projects, FACTORS)
    assert caught.value.code == "invalid-value"


def refusal_of(told: Any) -> str:
    """The field that is refused, or the fingerprint where nothing is."""
    try:
        return scenario_of(told, REFERENCE.projects, FACTORS).fingerprint
    except AskError as why:
        return str(why.facts["field"])


def test_nothing_a_file_may_hold_ends_in_anything_but_a_refusal() -> None:
    """A thousand tables with a value put where it does not belong."""
    dice = np.random.default_rng(1)
    values = [
        None,
        True,
        -1,
        0,
        1,
        1e300,
        float("inf"),
        "",
        "x" * 500,
        "1 t/year",
        "\x00",
        [],
        {},
        [1],
        {"a": 1},
    ]
    places = [*SCENARIO, *(f"levers.0.{key}" for key in SCENARIO["levers"].item.rows or {}),  # type: ignore[union-attr]
              *(f"projects.0.{key}" for key in SCENARIO["projects"].item.rows or {})]  # type: ignore[union-attr]  # fmt: skip
    for _ in range(1000):
        told = changed(str(dice.choice(places)), values[int(dice.integers(len(values)))])
        assert refusal_of(told) != ""
