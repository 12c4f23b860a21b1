"""Scenarios as a user asks for them: over HTTP and at the terminal, on a trained champion."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import warm
from tests.conftest import run_in
from tests.serving.test_openapi import faults, schema_of

EXAMPLE = "docs/examples/porthos-two-years-late.toml"
COMMAND = ["forecarbon", "scenario"]


@pytest.fixture(scope="module")
def api(served: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served, timeout=30) as client:
        yield client


@pytest.fixture
def example(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / EXAMPLE).read_text("utf-8"))


def asked(api: httpx.Client, scenario: dict[str, Any]) -> dict[str, Any]:
    reply = api.post("/v1/scenarios", json=scenario)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    assert faults(schema_of("ScenarioOutlook"), told) == []
    return told


def test_porthos_two_years_late(api: httpx.Client, example: dict[str, Any]) -> None:
    """The chance of Rotterdam before and after, each with its interval, and the change with its own."""
    told = asked(api, example)
    in_time = copy.deepcopy(example)
    del in_time["projects"][0]["delay_years"]
    before = asked(api, in_time)
    (target,) = told["targets"]
    assert target["level"] == pytest.approx(9.27e6)
    assert told["scope"] == "rotterdam-co2-registered"
    (row,) = told["sensitivity"]
    delay = row["delay"]
    assert delay["years"] == 2
    for chance in (delay["before"], delay["after"]):
        assert 0 <= chance["p_low"] <= chance["p"] <= chance["p_high"] <= 1
    assert delay["before"]["p"] == before["targets"][0]["scenario"]["p"]
    assert delay["after"]["p"] == target["scenario"]["p"]
    assert delay["change"]["p_low"] <= delay["change"]["p"] <= delay["change"]["p_high"] <= 0
    assert delay["more_up_to_year"] > 1e6
    assert delay["shortfall_before"] < row["shortfall"] < row["if_lost"]["shortfall"]
    # Lost, Rotterdam is where it is without a plan.
    assert row["if_lost"]["chance"]["p"] == target["baseline"]["p"]
    progress = api.get("/v1/insights/progress", params={"series": "nl-rotterdam"}).json()
    assert target["baseline"] == progress["targets"][0]["chance"]


def test_a_project_with_no_effect_shows_none(api: httpx.Client, example: dict[str, Any]) -> None:
    told = asked(api, example)
    idle = {"name": "idle", "kind": "ccus", "capacity": "1 Mt/year", "start": 2045, "grid": "0.1 t/MWh"}
    more = asked(api, {**example, "projects": [*example["projects"], idle]})
    row = next(each for each in more["sensitivity"] if each["name"] == "idle")
    assert set(row["adds"].values()) == {0.0}
    assert row["if_lost"]["more_up_to_year"] == row["if_late"]["more_up_to_year"] == 0.0
    assert more["targets"] == told["targets"]


def test_a_registry_project_late_is_the_delay_asked_for(api: httpx.Client, example: dict[str, Any]) -> None:
    in_time = copy.deepcopy(example)
    del in_time["projects"][0]["delay_years"]
    (row,) = asked(api, in_time)["sensitivity"]
    assert row["if_late"]["years"] == 2
    assert row["if_late"]["chance"]["p"] == asked(api, example)["targets"][0]["scenario"]["p"]


def test_an_answer_is_made_again(api: httpx.Client, example: dict[str, Any]) -> None:
    told = asked(api, example)
    again = api.get(f"/v1/provenance/{told['answer_id']}").json()
    assert again["same"] is True
    assert again["question"] == example
    assert faults(schema_of("Provenance"), again) == []


def test_every_cluster_takes_a_plan_or_says_why_not(api: httpx.Client) -> None:
    lever = {"name": "save", "kind": "efficiency", "share": 0.1, "start": 2027}
    answered = 0
    for each in api.get("/v1/clusters").json()["clusters"]:
        asked_of = {"version": 1, "name": "n", "series": each["cluster_id"], "levers": [lever]}
        reply = api.post("/v1/scenarios", json=asked_of)
        if reply.status_code == 422:
            assert reply.json()["error"]["code"] == "series-absent"
            continue
        told = reply.json()
        assert faults(schema_of("ScenarioOutlook"), told) == []
        last = told["emissions"][-1]
        assert last["scenario"]["q0.5"] == pytest.approx(0.9 * last["baseline"]["q0.5"])
        answered += 1
    assert answered == 17


def test_the_example_runs_at_the_terminal(
    trained_store: Path, root: Path, shell_env: dict[str, str], tmp_path: Path, example: dict[str, Any]
) -> None:
    printed = run_in(trained_store, [*COMMAND, EXAMPLE], shell_env)
    assert "Porthos 2 years late: chance" in printed
    assert "weak priors" in printed
    in_time = copy.deepcopy(example)
    del in_time["projects"][0]["delay_years"]
    file = tmp_path / "in-time.json"
    file.write_text(json.dumps({**in_time, "name": "in time"}))
    both = run_in(trained_store, [*COMMAND, str(file), str(root / EXAMPLE)], shell_env)
    assert "/projects/Porthos/delay_years: None -> 2" in both
    told = json.loads(run_in(trained_store, [*COMMAND, EXAMPLE, "--json"], shell_env))
    assert told["fingerprint"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = 1\nname = 'n'\nseries = 'nl-rotterdam'\nlever = []\n", "write levers"),
        ("version = [", "scenario-unreadable"),
        ("version = 1\nname = 'n'\nseries = 'nowhere'\n", "unknown-series"),
    ],
)
def test_a_bad_file_is_refused_in_words(
    trained_store: Path, shell_env: dict[str, str], tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    env = {**shell_env, "FORECARBON_STORE": str(trained_store)}
    done = warm.run([*COMMAND, str(file)], env=env)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
