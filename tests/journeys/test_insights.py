"""Insights as a user asks for them: over HTTP and at the terminal, on a trained champion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from insights.brief import at
from tests import warm
from tests.conftest import run_in
from tests.serving.test_openapi import faults, schema_of

WITH_SERIES = 17
OF = 33
REGISTERED = "rotterdam-co2-registered"
PROGRESS = ["forecarbon", "progress"]
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def api(served: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served, timeout=30) as client:
        yield client


def progress(api: httpx.Client, **asked: Any) -> dict[str, Any]:
    reply = api.get("/v1/insights/progress", params=asked)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    assert faults(schema_of("Progress"), told) == []
    return told


def refused(reply: httpx.Response, status: int, code: str) -> dict[str, Any]:
    told: dict[str, Any] = reply.json()
    assert (reply.status_code, told["error"]["code"]) == (status, code), told
    assert told["error"]["remedy"]
    assert told["error"]["found"]
    return told


def test_the_worked_case_of_rotterdam(api: httpx.Client) -> None:
    told = progress(api, series="nl-rotterdam")
    first = told["targets"][0]
    assert (first["scope"], first["tellings"], first["conflicts"]) == (REGISTERED, 2, [])
    assert first["level"] == pytest.approx(9.27e6)
    assert first["needed"]["linear"] == pytest.approx(1.51e6)
    assert first["needed"]["compound"] == pytest.approx(10.74, abs=0.01)
    assert first["needed"]["achieved"] == pytest.approx(1.571e6, rel=1e-3)
    assert first["on_track"]["gap"] == pytest.approx(18.33e6 - 10.9695e6)
    assert first["informed_by"] == [2023, 2024]
    chance = first["chance"]
    assert 0 <= chance["p_low"] <= chance["p"] <= chance["p_high"] <= 1
    changes = {each["scope"]: each["change_percent"] for each in told["figures"]}
    assert changes[REGISTERED] == pytest.approx(-9.7, abs=0.05)
    assert changes["rotterdam-all-ghg"] == pytest.approx(-8.1, abs=0.05)
    text = " ".join(each["text"] for each in told["brief"])
    assert "9.27 Mt" in text
    assert "1.51 Mt a year" in text
    assert "10.7% a year" in text


def test_a_forecast_in_the_scope_of_a_target_says_what_progress_says(api: httpx.Client) -> None:
    asked = {"clusters": ["nl-rotterdam"], "scope": REGISTERED, "steps": 10, "levels": [80]}
    reply = api.post("/v1/forecast", json=asked)
    assert reply.status_code == 200, reply.text
    forecast = reply.json()["forecasts"][0]
    figures = progress(api, series="nl-rotterdam")["figures"]
    told = next(each for each in figures if each["scope"] == REGISTERED)
    assert forecast["bridge"]["informed_by"] == told["informed_by"] == [2023, 2024]
    rows = {int(row["ds"][:4]): row["quantiles"] for row in forecast["rows"]}
    for fan in told["fan"]:
        if fan["year"] in rows:
            for q in ("0.1", "0.5", "0.9"):
                assert rows[fan["year"]][q] == pytest.approx(fan[f"q{q}"], rel=1e-12)


def test_every_sentence_is_tied_to_a_value(api: httpx.Client) -> None:
    told = progress(api, series="nl-rotterdam")
    for said in told["brief"]:
        assert said["values"]
        for value in said["values"]:
            assert at(told, value["place"]) == value["value"]


def test_each_cluster_answers_or_says_what_is_missing(api: httpx.Client) -> None:
    clusters = [each["cluster_id"] for each in api.get("/v1/clusters").json()["clusters"]]
    assert len(clusters) == OF
    answered = 0
    for name in clusters:
        reply = api.get("/v1/insights/progress", params={"series": name})
        if reply.status_code == 422:
            told = refused(reply, 422, "series-absent")
            assert "targets" in told["error"]["facts"]
            continue
        answer = reply.json()
        answered += 1
        assert answer["status"] == "answered" or answer["missing"], name
        assert all(gap["remedy"] for gap in answer["missing"])
    assert answered == WITH_SERIES


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"series": "in-mundra"}, 422, "series-absent"),
        ({"series": "nowhere"}, 404, "unknown-series"),
        ({}, 400, "field-missing"),
        ({"series": "nl-rotterdam", "target_id": "no-such"}, 404, "unknown-target"),
        ({"series": "nl-rotterdam", "base_year": "1066"}, 400, "base_year-out-of-range"),
        ({"series": "nl-rotterdam", "language": "xx"}, 400, "language-unknown"),
        ({"series": "be-antwerp", "target_id": "be-antwerp-2030-percent"}, 422, "scope-unlike"),
        (
            {"series": "be-antwerp", "target_id": "be-antwerp-2030-percent", "scope": "eu-ets"},
            422,
            "base-year-missing",
        ),
        (
            {
                "series": "nl-rotterdam",
                "target_id": "nl-rotterdam-2050-net-zero",
                "scope": "rotterdam-all-ghg",
            },
            422,
            "bridge-without-overlap",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_remedy(
    api: httpx.Client, asked: dict[str, str], status: int, code: str
) -> None:
    refused(api.get("/v1/insights/progress", params=asked), status, code)


def test_a_missing_base_year_can_be_supposed(api: httpx.Client) -> None:
    asked = {"series": "be-antwerp", "target_id": "be-antwerp-2030-percent", "scope": "eu-ets"}
    told = progress(api, **asked, base_year=2010)["targets"][0]
    assert {"scope-assumed", "base-year-of-the-caller", "base-over-a-break"} <= set(told["notes"])
    assert told["conflicts"][0]["target_id"] == "be-antwerp-2030-percent-other"
    assert told["level"] == pytest.approx(0.5 * told["base"])


def own(api: httpx.Client, *targets: dict[str, Any]) -> httpx.Response:
    return api.post("/v1/insights/progress", json={"series": "nl-rotterdam", "targets": list(targets)})


def test_own_targets(api: httpx.Client) -> None:
    base = {"target_year": 2030, "base_year": 1990, "base_value_mt": 20.6, "scope_id": REGISTERED}
    told = own(api, {"kind": "percent", "value": 55, **base}).json()["targets"][0]
    assert told["level"] == pytest.approx(9.27e6)
    refused(own(api, {"kind": "reduction", "value": 9.3, **base}), 422, "target-slip")
    refused(own(api, {"kind": "percent", "value": 55, **base}, {"kind": "percent", "value": 40, **base}), 422,
            "target-contradicts")  # fmt: skip
    refused(own(api, {"kind": "percent", "value": 40, "target_year": 2030}), 422, "base-year-missing")
    refused(own(api, {"kind": "level", "value": 30, **base}), 422, "target-implausible")
    refused(own(api, {"kind": "intensity", "value": 0.4, "target_year": 2030}), 422, "activity-missing")
    over = {"kind": "percent", "value": 40, "target_year": 2030, "base_year": 2010, "scope_id": REGISTERED}
    assert "base-over-a-bridge" in own(api, over).json()["targets"][0]["notes"]
    cement = {"sector": "cement", "base_intensity": 0.6, "base_year": 2020, "activity": 1e7, "value": 0.45}
    held = own(api, {"kind": "intensity", "target_year": 2030, **cement}).json()["targets"][0]
    assert held["level"] == pytest.approx(4.5e6)
    assert held["science"]["intensity_asked"] == pytest.approx(0.469, abs=0.001)
    assert held["science"]["passes"] is True
    outside = {"kind": "percent", "value": 40, "target_year": 2030, "base_year": 1995}
    refused(own(api, outside), 422, "base-year-outside-series")


def test_a_harder_target_is_no_likelier(api: httpx.Client) -> None:
    def chance(level: float) -> float:
        target = {"kind": "level", "value": level, "target_year": 2030}
        p: float = own(api, target).json()["targets"][0]["chance"]["p"]
        return p

    told = [chance(level) for level in (8, 14, 18, 22, 30)]
    assert told == sorted(told)
    assert told[-1] - told[0] > 0.5


def test_an_answer_is_made_again_with_what_it_rests_on(api: httpx.Client) -> None:
    for path, asked in (
        ("progress", {"series": "nl-rotterdam"}),
        ("compare", {"scope": "uk-ets"}),
        ("initiative", {}),
    ):
        answer = api.get(f"/v1/insights/{path}", params=asked).json()
        again = api.get(f"/v1/provenance/{answer['answer_id']}")
        assert again.status_code == 200, again.text
        told = again.json()
        assert faults(schema_of("Provenance"), told) == []
        assert told["same"] is True
        assert told["answer"] == {key: value for key, value in answer.items() if key != "answer_id"}
    posted = own(api, {"kind": "level", "value": 14, "target_year": 2030}).json()
    assert api.get(f"/v1/provenance/{posted['answer_id']}").json()["same"] is True


def test_the_figures_behind_an_answer_are_told(api: httpx.Client) -> None:
    answer = progress(api, series="nl-rotterdam")
    told = api.get(f"/v1/provenance/{answer['answer_id']}").json()
    newest = next(each for each in told["figures"] if each["what"] == "figure")
    assert (newest["grade"], newest["value"]) == ("verified", answer["figures"][0]["latest"]["value"])
    published = [each for each in told["figures"] if each["what"] == "published"]
    assert {each["year"] for each in published} >= {1990, 2024}
    assert all(each["source"] for each in published)
    assert {each["key"] for each in told["factors"]} >= {"tcre_ar6", "sbti_aca_1p5"}
    assert told["bridges"][0]["ratio"] > 0


@pytest.mark.parametrize(
    "text", ["x", "a.b.c.d", "progress.0000000000000000.0.eNq", "%00", "progress....", "é"]
)
def test_no_answer_is_made_up(api: httpx.Client, text: str) -> None:
    refused(api.get(f"/v1/provenance/{text}"), 404, "unknown-answer")


def test_comparisons_keep_to_one_scope(api: httpx.Client) -> None:
    told = api.get("/v1/insights/compare", params={"scope": "eu-ets"}).json()
    assert faults(schema_of("Comparison"), told) == []
    assert [each["rank"] for each in told["ranks"]] == list(range(1, 9))
    assert all(each["rank_low"] <= each["rank"] <= each["rank_high"] for each in told["ranks"])
    assert sum(each["first"] for each in told["ranks"]) == pytest.approx(1.0)
    refused(api.get("/v1/insights/compare"), 422, "scope-unlike")
    unlike = {"clusters": ["nl-rotterdam", "us-houston", "gb-humber"]}
    groups = refused(api.get("/v1/insights/compare", params=unlike), 422, "scope-unlike")["error"]["facts"]
    assert set(groups["groups"]) == {"eu-ets", "us-ghgrp", "uk-ets"}
    refused(api.get("/v1/insights/compare", params={"by": "intensity"}), 422, "activity-missing")
    few = {"clusters": ["gb-humber", "gb-hynet"]}
    refused(api.get("/v1/insights/compare", params=few), 422, "group-too-small")
    activity = {"gb-humber": 2e7, "gb-hynet": 5e6, "gb-solent": 1e7}
    ranked = api.post("/v1/insights/compare", json={"activity": activity}).json()
    assert ranked["unit"] == "tCO2e a unit of activity"
    refused(
        api.post("/v1/insights/compare", json={"activity": {**activity, "gb-hynet": 0}}), 400, "out-of-range"
    )


def test_the_initiative_keeps_claims_apart(api: httpx.Client) -> None:
    told = api.get("/v1/insights/initiative").json()
    assert faults(schema_of("InitiativeView"), told) == []
    assert told["claimed"]["reduction_potential_mt"] == 832
    assert (told["inventories"]["clusters"], told["inventories"]["of"]) == (WITH_SERIES, OF)
    assert told["forecast"]["now"] == pytest.approx(told["inventories"]["newest_sum"])
    assert told["targets"]["clusters"] == ["nl-rotterdam"]
    assert told["targets"]["cut"] == pytest.approx(18.33e6 - 9.27e6)
    assert told["share_of_claim"]["asked_by_targets"] == pytest.approx(9.06 / 832)
    humber = next(each for each in told["indicators"] if each["cluster_id"] == "gb-humber")
    assert humber["tonnes_per_job"] == pytest.approx(humber["emissions"] / humber["jobs"])
    names = [each["project"] for each in told["projects"]]
    assert len(names) == len(set(names))
    # The sum of paths is what the forecast of the initiative itself says.
    bands = {"series": ["initiative"], "steps": 9, "quantiles": [0.1, 0.5, 0.9]}
    rows = api.post("/v1/forecast", json=bands).json()["forecasts"][0]["rows"]
    total = next(row["quantiles"] for row in rows if row["ds"].startswith("2030"))
    for mine, theirs in (("q0.1", "0.9"), ("q0.5", "0.5"), ("q0.9", "0.1")):
        fall = told["forecast"]["now"] - total[theirs]
        assert told["forecast"]["fall"][mine] == pytest.approx(fall, abs=0.002 * told["forecast"]["now"])


def test_the_command_line_tells_the_same(
    trained_store: Path, shell_env: dict[str, str], tmp_path: Path
) -> None:
    printed = json.loads(run_in(trained_store, [*PROGRESS, "nl-rotterdam", "--json"], shell_env))
    assert printed["targets"][0]["needed"]["linear"] == pytest.approx(1.51e6)
    every = run_in(trained_store, PROGRESS, shell_env)
    assert "nl-rotterdam" in every
    assert "series-absent" in every
    file = tmp_path / "own.toml"
    file.write_text('[[targets]]\nkind = "level"\nvalue = 14\ntarget_year = 2030\n')
    argv = [*PROGRESS, "nl-rotterdam", "--targets", str(file)]
    told = json.loads(run_in(trained_store, [*argv, "--json"], shell_env))
    assert told["targets"][0]["level"] == 14e6
    file.write_text("[[targets]]\nknd = 1\n")
    env = {**shell_env, "FORECARBON_STORE": str(trained_store)}
    bad = warm.run(argv, env=env)
    assert bad.returncode == 2
    assert "knd" in bad.stderr
    assert "Traceback" not in bad.stderr


def test_why_emissions_fell_in_2020(api: httpx.Client) -> None:
    reply = api.get(
        "/v1/insights/why", params={"series": "nl-rotterdam", "start_year": 2019, "end_year": 2020}
    )
    told = reply.json()
    assert faults(schema_of("Why"), told) == []
    assert told["change"] == pytest.approx(sum(part["change"] for part in told["contributions"]))
    assert told["contributions"][0]["unique_id"] == "nl-rotterdam/combustion"
    assert [shock["year"] for shock in told["shocks"]] == [2020]
    for said in told["brief"]:
        for value in said["values"]:
            assert at(told, value["place"]) == value["value"]
    text = " ".join(said["text"] for said in told["brief"])
    assert "-11.5%" in text
    assert "real cut or lost output cannot be told" in text
    assert api.get(f"/v1/provenance/{told['answer_id']}").json()["same"] is True


def test_what_drives_a_forecast_adds_up(api: httpx.Client) -> None:
    told = api.get("/v1/insights/drivers", params={"series": "nl-rotterdam", "step": 3}).json()
    assert faults(schema_of("Drivers"), told) == []
    parts = told["anchor"] + sum(each["contribution"] for each in told["members"])
    assert parts == pytest.approx(told["centre"])
    booster = told["booster"]
    whole = booster["base"] + booster["floor_at_zero"] + sum(g["contribution"] for g in booster["groups"])
    assert whole == pytest.approx(booster["contribution"])
    assert told["centre"] + told["after_centre"] == pytest.approx(told["served_mean"])


def test_own_tables_and_scenarios_are_split(api: httpx.Client) -> None:
    table = {
        "periods": [2019, 2024],
        "parts": ["a", "b"],
        "emissions": [[10e6, 8e6], [4e6, None]],
        "activity": [[5e6, 4.4e6], [6e6, None]],
    }
    told = api.post("/v1/insights/decomposition", json=table).json()
    assert faults(schema_of("Decomposition"), told) == []
    assert sum(told["effects"].values()) == pytest.approx(told["change"], rel=1e-9)
    assert told["answer"]["code"]
    bad = {**table, "activity": [[5e6, -1], [6e6, None]]}
    cells = refused(api.post("/v1/insights/decomposition", json=bad), 422, "cells-unreadable")
    assert cells["error"]["facts"]["cells"][0]["field"] == "activity[0][1]"
    refused(api.post("/v1/insights/decomposition", json={"periods": [1]}), 400, "field-missing")
    refused(api.post("/v1/insights/decomposition", content=b"[]", headers=JSON), 400, "malformed-json")
    series = "gb-humber/combustion"
    scenario = {"series": series, "activity": {series: 1e7}, "yearly": 0.02, "steps": 3}
    ahead = api.post("/v1/insights/forecast-split", json=scenario).json()
    assert faults(schema_of("ForecastSplit"), ahead) == []
    assert len(ahead["steps"]) == 3
    refused(
        api.post("/v1/insights/forecast-split", json={**scenario, "series": "nowhere"}), 404, "unknown-series"
    )
    refused(api.post("/v1/insights/forecast-split", json={"activity": {}}), 400, "field-missing")


def test_chances_are_published_with_how_they_came_true(api: httpx.Client) -> None:
    told = api.get("/v1/insights/calibration").json()
    assert faults(schema_of("Calibration"), told) == []
    whole = told["scores"][0]
    assert whole["n"] > 5000
    assert whole["skill"] > 0.25
    assert progress(api, series="nl-rotterdam")["targets"][0]["chance"]["calibrated"] is True


@pytest.mark.parametrize("view", ["why", "drivers", "progress"])
def test_no_series_is_refused_everywhere(api: httpx.Client, view: str) -> None:
    refused(api.get(f"/v1/insights/{view}"), 400, "field-missing")
    refused(api.get(f"/v1/insights/{view}", params={"series": "nowhere"}), 404, "unknown-series")
    absent = api.get(f"/v1/insights/{view}", params={"series": "in-mundra"})
    assert absent.json()["error"]["remedy"]
    refused(absent, 422, "series-absent")


def test_the_standings_are_what_progress_says_of_each(api: httpx.Client) -> None:
    told = api.get("/v1/insights/standings").json()
    assert faults(schema_of("Standings"), told) == []
    lines = {line["cluster_id"]: line for line in told["clusters"]}
    assert len(lines) == OF
    assert sum(line["status"] == "served" for line in lines.values()) == WITH_SERIES
    for name in ("nl-rotterdam", "gb-humber"):
        whole, line = progress(api, series=name), lines[name]
        first = whole["targets"][0]
        assert line["target"]["target_id"] == first["target"]["target_id"]
        assert line["target"]["chance"]["p"] == first["chance"]["p"]
        assert line["trend"]["percent_a_year"] == -whole["figures"][0]["achieved_compound"]
    assert lines["nl-rotterdam"]["target"]["gap"] == pytest.approx(18.33e6 - 10.9695e6)
    assert [each["code"] for each in lines["se-gothenburg"]["refused"]] == ["scope-unlike"]
    absent = lines["au-kwinana"]
    assert (absent["trend"], absent["target"], absent["refused"]) == (None, None, [])
    assert "no public" in absent["reason"]


def test_the_fan_of_a_scope_is_what_its_chances_are_read_from(api: httpx.Client) -> None:
    told = progress(api, series="nl-rotterdam")
    fans = {each["scope"]: {row["year"]: row for row in each["fan"]} for each in told["figures"]}
    first = told["targets"][0]
    assert first["scope"] == REGISTERED
    for q in ("q0.1", "q0.5", "q0.9"):
        assert fans[REGISTERED][2030][q] == pytest.approx(first["chance"]["emissions"][q])
    assert min(fans[REGISTERED]) == 1 + first["latest"]["year"]
    assert fans["rotterdam-all-ghg"] == {}
