from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest

from features.errors import AskError
from insights.goals import gathered
from insights.laid import Bench, under
from insights.outlook import outlook
from insights.scenario import Scenario
from insights.sensitivity import change_of
from tests.insights.grounds import goal
from tests.insights.plans import CCS, FACTORS, GOAL, PORTHOS, SCALES, SURE, TELLINGS, ground, paths, scenario

BIG: dict[str, Any] = {
    "name": "big",
    "kind": "ccus",
    "capacity": "3 Mt/year",
    "start": 2028,
    "grid": "0.1 t/MWh",
}
OWN_RISK = {"slip_chances": [0.6, 0.3, 0.1], "cancel": 0.2, "delivery": [0.5, 0.9, 1.0]}


def told(made: Scenario, count: int = 400) -> dict[str, Any]:
    answer = outlook(made, ground(count), SCALES, TELLINGS)
    json.dumps(answer, allow_nan=False)
    return answer


def test_without_a_plan_the_scenario_is_the_baseline() -> None:
    answer = told(scenario())
    for row in answer["emissions"]:
        assert row["baseline"] == row["scenario"]
    (target,) = answer["targets"]
    assert target["baseline"] == target["scenario"]
    assert set(target["change"].values()) == {0.0}
    assert answer["totals"]["in_year"] == dict.fromkeys(
        ("captured", "direct", "elsewhere", "avoided", "alone", "interaction"), 0.0
    )


@pytest.mark.parametrize(
    "idle",
    [
        {"capacity": "0 Mt/year"},
        {"start": 2090},
        {"start": 2036, "risk": SURE},
        {"share": 0},
        {"additional": 0},
        {"risk": {"cancel": 1}},
        {"delay_years": 30},
        {"risk": {"delivery": [0, 0, 0]}},
    ],
)
def test_a_project_with_no_effect_shows_none(idle: dict[str, Any]) -> None:
    """Exactly: not within a tolerance."""
    made = scenario(projects=[{**BIG, "name": "works", "risk": OWN_RISK}, {**BIG, **idle}])
    row = next(each for each in told(made)["sensitivity"] if each["name"] == "big")
    assert set(row["adds"].values()) == {0.0}
    for what in ("if_lost", "if_late"):
        assert set(row[what]["change"].values()) == {0.0}
        assert row[what]["more_up_to_year"] == 0.0
        assert row[what]["shortfall"] == row["shortfall"]
    assert (row["direct_in_year"], row["direct_up_to_year"]) == (0.0, 0.0)
    without = told(scenario(projects=[{**BIG, "name": "works", "risk": OWN_RISK}]))
    both = told(made)
    for one, other in zip(both["emissions"], without["emissions"], strict=True):
        if one["year"] <= 2035:
            assert one == other
    assert both["targets"][0]["scenario"] == without["targets"][0]["scenario"]


def test_the_chance_is_counted_on_the_paths() -> None:
    made = scenario(projects=[{**BIG, "risk": OWN_RISK, "ramp_years": 1}])
    future = paths()
    bench = Bench.of(made, 400, FACTORS)
    draws = bench.draws["big"]
    toll = made.projects[0].toll(FACTORS)
    left = []
    for k in range(400):
        at = 2028 + int(draws.late[k])
        ramp = min(max((2035 - at + 1) / 2, 0.0), 1.0)
        strength = ramp * float(draws.built[k]) * float(draws.delivered[k])
        before = float(future.paths[10, k])
        left.append(before - min(0.9 * before, 3e6) * strength * (1 - toll.inside))
    share = float((np.array(left) <= 14e6).mean())
    (target,) = told(made)["targets"]
    assert target["scenario"]["share_of_paths"] == pytest.approx(share)
    assert target["expected_shortfall"]["scenario"] == pytest.approx(
        float(np.maximum(np.array(left) - 14e6, 0).mean())
    )
    assert target["change"]["p"] == pytest.approx(share - target["baseline"]["p"])


def test_later_never_helps_and_lost_is_the_baseline() -> None:
    (row,) = told(scenario(projects=[{**BIG, "risk": OWN_RISK, "late_years": 6}]))["sensitivity"]
    base = told(scenario())["targets"][0]
    assert row["if_lost"]["chance"]["p"] == base["baseline"]["p"]
    assert row["if_lost"]["change"]["p"] == -row["adds"]["p"] < 0
    assert row["if_lost"]["chance"]["p"] <= row["if_late"]["chance"]["p"]
    assert row["if_late"]["change"]["p"] <= row["if_late"]["change"]["p_high"] <= 0
    assert row["shortfall"] <= row["if_late"]["shortfall"] <= row["if_lost"]["shortfall"]
    assert row["if_late"]["years"] == 6


def test_a_planned_delay_is_told_before_and_after() -> None:
    plan = {**BIG, "risk": OWN_RISK, "start": 2033}
    (row,) = told(scenario(projects=[{**plan, "delay_years": 2}]))["sensitivity"]
    in_time, late = (told(scenario(projects=[{**plan, "delay_years": years}])) for years in (0, 2))
    assert in_time["sensitivity"][0]["delay"] is None
    delay = row["delay"]
    assert delay["before"]["p"] == in_time["targets"][0]["scenario"]["p"]
    assert delay["after"]["p"] == late["targets"][0]["scenario"]["p"]
    assert delay["change"]["p"] == pytest.approx(delay["after"]["p"] - delay["before"]["p"])
    assert delay["change"]["p_low"] <= delay["change"]["p"] < 0
    assert delay["more_up_to_year"] > 0
    assert late["measures"][0]["planned_start"] == 2035


def test_tonnes_add_up() -> None:
    made = scenario(
        levers=[CCS, {"name": "save", "kind": "efficiency", "share": 0.2, "start": 2027, "cost": "10 EUR/t"},
                {"name": "boilers", "kind": "electrification", "capacity": "5 TWh/year", "start": 2026,
                 "grid": "0.4 t/MWh"}],
        projects=[{**BIG, "cost": "79 EUR/t", "risk": SURE}],
    )  # fmt: skip
    answer = told(made)
    rows, totals = answer["measures"], answer["totals"]
    assert [row["kind"] for row in rows] == ["efficiency", "electrification", "ccus", "ccus"]
    future = paths()
    laid = Bench.of(made, 400, FACTORS).laid(future)
    fall = (future.paths - under(future, laid).paths)[10].mean()
    assert sum(row["in_year"]["direct"] for row in rows) == pytest.approx(fall)
    assert totals["in_year"]["direct"] == pytest.approx(fall)
    assert totals["in_year"]["alone"] == pytest.approx(fall + totals["in_year"]["interaction"])
    assert totals["in_year"]["avoided"] is None  # the grid of the first capture is not known
    assert totals["cost"] == {
        **dict.fromkeys(("in_year", "up_to_year", "present_value")), "not_known_of": ["boilers", "catch"],
    }  # fmt: skip
    by_name = {row["name"]: row for row in rows}
    assert by_name["boilers"]["flags"] == ["raises-emissions"]
    assert by_name["boilers"]["in_year"]["avoided"] < 0 < by_name["boilers"]["in_year"]["direct"]
    assert by_name["boilers"]["break_even_grid"] == pytest.approx(0.218, abs=1e-3)
    assert by_name["catch"]["flags"] == ["grid-not-known"]
    big = by_name["big"]
    assert big["in_year"]["captured"] > big["in_year"]["direct"] > big["in_year"]["avoided"]
    assert big["cost"]["in_year"] == pytest.approx(79 * big["in_year"]["captured"])
    assert big["cost"]["per_tonne_avoided"] == pytest.approx(
        79 * big["in_year"]["captured"] / big["in_year"]["avoided"]
    )
    assert sum(each["direct"] for each in big["by_year"] if each["year"] <= 2035) == pytest.approx(
        big["up_to_year"]["direct"]
    )


def test_what_is_assumed_and_how_weak_is_told() -> None:
    answer = told(scenario(levers=[CCS], projects=[{**BIG, "heat": "0.3 MWh/t"}]))
    taken = {(row["of"], row["field"]): row for row in answer["assumed"]}
    assert taken["catch", "heat"]["value"] == 0.72
    assert ("big", "heat") not in taken
    assert taken["catch", "leakage"]["value"] is None
    made = {"name": "h", "kind": "hydrogen", "share": 0.1, "start": 2030}
    ways: dict[str, dict[str, Any]] = {
        "electrolyser_efficiency_2030": {},
        "smr_efficiency": {"made_from": "gas"},
        "smr_cc_capture_rate": {"made_from": "gas-ccs"},
    }
    for key, way in ways.items():
        rows = told(scenario(levers=[{**made, **way}]))["assumed"]
        assert key in [row["taken_from"] for row in rows if row["field"] == "h2_intensity"]
    by_hand = told(scenario(levers=[{**made, "h2_intensity": "0.1 t/MWh"}]))["assumed"]
    assert "h2_intensity" not in [row["field"] for row in by_hand]
    assert "weak-priors" in answer["notes"]
    assert answer["priors"]["weak"] is True
    assert "weak-priors" not in told(scenario(projects=[{**BIG, "risk": SURE}]))["notes"]
    assert answer["measures"][-1]["risk"]["from"]["slip"] == "weak-prior"


@pytest.mark.parametrize("size", [{"share": 0.3}, {"capacity": "2 Mt/year"}, {"capacity": "9 TWh/year"}])
def test_what_the_trend_holds_is_left_out(size: dict[str, Any]) -> None:
    lever = {"name": "save", "kind": "efficiency", "start": 2026, **size}
    whole, half = (told(scenario(levers=[{**lever, "additional": part}])) for part in (1, 0.5))
    fall = [each["totals"]["in_year"]["direct"] for each in (whole, half)]
    assert fall[1] == pytest.approx(fall[0] / 2)


def test_a_project_of_another_cluster_is_told() -> None:
    assert "project-of-another-cluster" in told(scenario(projects=[PORTHOS]))["notes"]
    assert "project-of-another-cluster" not in told(scenario(projects=[BIG]))["notes"]


def test_a_scenario_again_is_the_same_to_the_bit() -> None:
    made = scenario(projects=[{**BIG}, {**BIG, "name": "second"}])
    assert told(made) == told(made)
    # Another project in the plan leaves the draws of the first alone.
    alone = Bench.of(scenario(projects=[BIG]), 400, FACTORS).draws["big"]
    assert (alone.late == Bench.of(made, 400, FACTORS).draws["big"].late).all()


def test_targets_that_cannot_be_measured_are_refused_beside_the_others() -> None:
    goals = gathered([GOAL, goal("percent", 50.0, 2036, target_id="u", scope="something else")])
    answer = outlook(scenario(), ground(), SCALES, goals)
    assert [each["status"] for each in answer["targets"]] == ["measured", "refused"]
    with pytest.raises(AskError) as caught:
        outlook(scenario(target="u"), ground(), SCALES, goals[1:])
    assert caught.value.code == "scope-unlike"
    for wanted in ([], goals):
        with pytest.raises(AskError) as caught:
            outlook(scenario(scope="no-such"), ground(), SCALES, wanted)
        assert caught.value.code == "scope-unknown"
    none = outlook(scenario(projects=[BIG]), ground(), SCALES, [])
    assert (none["targets"], none["sensitivity"], none["year"]) == ([], [], 2044)
    past = outlook(scenario(projects=[BIG]), ground(), SCALES, gathered([goal("level", 14.0, 2020)]))
    assert (past["targets"][0]["change"], past["sensitivity"]) == (None, [])
    assert set(past["targets"][0]["baseline"]["outcome"]) == {"value", "met"}
    far = outlook(scenario(projects=[BIG]), ground(), SCALES, gathered([goal("level", 9.0, 2060)]))
    assert (far["targets"][0]["baseline"]["status"], far["sensitivity"]) == ("beyond-horizon", [])


def test_thirty_projects_on_a_thousand_paths_take_seconds() -> None:
    many = [{**BIG, "name": f"p{k}", "capacity": "0.2 Mt/year", "start": 2026 + k % 9} for k in range(30)]
    begun = time.perf_counter()
    answer = told(scenario(projects=many), 1000)
    assert time.perf_counter() - begun < 20
    assert len(answer["sensitivity"]) == 30


def test_a_change_is_zero_or_has_noise() -> None:
    future = paths(100)
    before = np.zeros(100, bool)
    after = before.copy()
    after[:10] = True
    change = change_of(before, after, future, SCALES)
    noise = 1.645 * np.sqrt(0.1 * 0.9 / 100)
    assert change["p"] == pytest.approx(0.1)
    assert change["p_low"] == pytest.approx(0.1 - noise)
    assert change["p_high"] == pytest.approx(0.1 + noise)
    assert set(change_of(after, after, future, SCALES).values()) == {0.0}
    after[:] = False
    after[0] = True
    assert change_of(before, after, future, SCALES)["p_low"] == 0.0


def test_costs_are_told_plain_and_as_a_present_value() -> None:
    sure = {**CCS, "cost": "50 EUR/t", "risk": SURE, "capacity": "1 Mt/year"}
    told = outlook(scenario(projects=[sure]), ground(), SCALES, TELLINGS)
    assert told["discount"] == {"rate": 0.03, "from": "usual", "year": 2025}
    cost = told["totals"]["cost"]
    years = np.arange(2028, 2036)
    assert cost["up_to_year"] == pytest.approx(50e6 * len(years))
    assert cost["present_value"] == pytest.approx(sum(50e6 / 1.03 ** (year - 2025) for year in years))
    flat = outlook(scenario(projects=[sure], discount_rate=0), ground(), SCALES, TELLINGS)
    assert flat["totals"]["cost"]["present_value"] == pytest.approx(cost["up_to_year"])
    assert flat["discount"]["from"] == "own"
    assert flat["fingerprint"] != told["fingerprint"]
    same = scenario(projects=[sure], discount_rate=0.03)
    assert same.fingerprint == told["fingerprint"], "the usual rate, said or not"
    bare = outlook(scenario(projects=[CCS]), ground(), SCALES, TELLINGS)
    assert bare["totals"]["cost"]["present_value"] is None
