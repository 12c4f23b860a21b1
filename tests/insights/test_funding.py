from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from features.errors import AskError
from insights.fund_costs import Terms
from insights.funding import funding
from insights.laid import Bench
from insights.outlook import outlook
from insights.scenario import Scenario
from tests.insights.plans import FACTORS, SCALES, SURE, TELLINGS, ground, scenario

PROJECT: dict[str, Any] = {
    "name": "catch", "kind": "ccus", "capacity": "3 Mt/year", "start": 2028, "grid": "0.1 t/MWh",
    "risk": {"slip_chances": [0.6, 0.4], "cancel": 0.1},
}  # fmt: skip
MONEY: dict[str, Any] = {
    "capex": 9e8, "opex": 2e7, "transport_storage": 40.0, "carbon_price": 90.0, "rate": 0.06, "grant": 2e8,
}  # fmt: skip


def told(made: Scenario, terms: Terms | None = None) -> dict[str, Any]:
    answer = funding(made, ground(), SCALES, TELLINGS, terms or Terms())
    json.dumps(answer, allow_nan=False)
    return answer


def test_the_outlook_is_that_of_the_scenario() -> None:
    made = scenario(projects=[PROJECT])
    answer = told(made)
    assert answer["outlook"] == outlook(made, ground(), SCALES, TELLINGS)
    assert answer["window"]["first_year"] == 2028
    assert sum(row["avoided"]["mean"] for row in answer["by_year"]) == pytest.approx(
        answer["avoidance"]["absolute"]["mean"]
    )
    assert "recalled" in answer["formulas"]["evidence"]


def test_nothing_is_made_up_where_no_cost_is_told() -> None:
    costs = told(scenario(projects=[PROJECT]))["costs"]
    assert costs["known"] == []
    assert costs["left_out"] == ["capex", "opex", "transport_storage"]
    names = ("total", "per_tonne", "per_tonne_discounted", "grant", "grant_per_tonne")
    assert {costs[name] for name in names} == {None}
    assert costs["break_even"] == {
        "support": None, "missing": ["capex", "opex", "transport_storage", "carbon_price", "rate"],
    }  # fmt: skip


def test_costs_are_what_loops_add_up_to() -> None:
    answer = told(scenario(projects=[PROJECT]), Terms(**MONEY))
    costs, rows = answer["costs"], answer["by_year"]
    spent = MONEY["capex"] + sum(MONEY["opex"] + 40.0 * row["captured"] for row in rows)
    tonnes = sum(row["avoided"]["mean"] for row in rows)
    assert costs["money_of"] == 2027
    assert costs["total"] == pytest.approx(spent)
    assert costs["per_tonne"] == pytest.approx(spent / tonnes)
    worth = {row["year"]: 1.06 ** -(row["year"] - 2027) for row in rows}
    now = MONEY["capex"] + sum(worth[r["year"]] * (MONEY["opex"] + 40.0 * r["captured"]) for r in rows)
    later = sum(worth[r["year"]] * r["avoided"]["mean"] for r in rows)
    assert costs["per_tonne_discounted"] == pytest.approx(now / later)
    assert costs["grant_per_tonne"]["mean"] == pytest.approx(2e8 / tonnes)
    ends = answer["avoidance"]["absolute"]
    assert costs["grant_per_tonne"]["low"] == pytest.approx(2e8 / ends["q0.9"])
    # At the break-even support, what comes in is worth what goes out.
    support = costs["break_even"]["support"]
    share = tonnes / sum(row["captured"] for row in rows)
    income = sum(worth[r["year"]] * r["captured"] * (90.0 * share + support) for r in rows)
    assert income == pytest.approx(now)


def test_costs_a_tonne_of_the_plan_are_used_and_named() -> None:
    made = scenario(projects=[{**PROJECT, "cost": "100 EUR/t"}])
    costs = told(made, Terms(carbon_price=90.0, rate=0.05))["costs"]
    assert costs["known"] == ["per_tonne:catch"]
    caught = told(made)["avoidance"]["captured"]["mean"]
    assert costs["total"] == pytest.approx(100 * caught)
    assert costs["break_even"]["support"] is None


def test_a_promise_in_full_and_on_time_is_kept_where_nothing_goes_wrong() -> None:
    answer = told(scenario(projects=[PROJECT]))
    made = Bench.of(scenario(projects=[PROJECT]), 400, FACTORS).draws["catch"]
    clean = np.mean((made.late == 0) & made.built)
    assert answer["promise"]["chance"] == pytest.approx(clean, abs=0.01)
    sure = told(scenario(projects=[{**PROJECT, "risk": SURE}]))
    assert sure["promise"]["chance"] == pytest.approx(1.0)
    own = told(scenario(projects=[PROJECT]), Terms(promised=1e6))
    assert own["promise"] == {
        "tonnes": 1e6,
        "told_by": "the applicant",
        "chance": pytest.approx(0.9, abs=0.05),
    }


def test_the_tornado_is_the_plan_asked_again() -> None:
    made = scenario(projects=[PROJECT])
    answer = told(made)
    rows = {row["case"]: row for row in answer["tornado"]}
    mean = answer["avoidance"]["absolute"]["mean"]
    assert rows["lost"]["tonnes"] == 0.0
    assert rows["lost"]["change"] == pytest.approx(-mean)
    sure = told(scenario(projects=[{**PROJECT, "risk": SURE}]))
    assert rows["in-full-and-on-time"]["tonnes"] == pytest.approx(sure["avoidance"]["absolute"]["mean"])
    # Late by two years, on the same draws and in the same ten years.
    late = told(scenario(projects=[{**PROJECT, "delay_years": 2}]), Terms(first_year=2028))
    assert rows["late"]["years"] == 2
    assert rows["late"]["tonnes"] == pytest.approx(late["avoidance"]["absolute"]["mean"])
    sizes = [abs(row["change"]) for row in answer["tornado"]]
    assert sizes == sorted(sizes, reverse=True)


def test_an_empty_plan_is_refused() -> None:
    with pytest.raises(AskError) as refused:
        told(scenario())
    assert refused.value.code == "plan-empty"


def test_a_start_before_the_forecast_is_counted_from_it_and_said() -> None:
    lever = {"name": "save", "kind": "efficiency", "share": 0.1, "start": 2020}
    answer = told(scenario(levers=[lever]))
    assert answer["window"]["first_year"] == 2025
    assert answer["notes"] == ["years-before-these-not-counted"]
