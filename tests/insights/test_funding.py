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


SAVE: dict[str, Any] = {"name": "save", "kind": "efficiency", "share": 0.1, "start": 2028}


@pytest.mark.parametrize("name", ["capex", "opex", "transport_storage", "carbon_price", "grant"])
def test_money_in_two_currencies_is_refused(name: str) -> None:
    made = scenario(projects=[{**PROJECT, "cost": "100 GBP/t"}])
    with pytest.raises(AskError) as refused:
        told(made, Terms(**{name: MONEY[name]}))
    assert refused.value.code == "currency-mixed"
    assert refused.value.facts["field"] == "currency"
    assert told(made, Terms(currency="GBP", **{name: MONEY[name]}))["costs"]["currency"] == "GBP"
    # Without an amount nothing is mixed.
    assert told(made, Terms(rate=0.05, promised=1e6))["costs"]["currency"] == "GBP"


@pytest.mark.parametrize("name", ["capex", "opex", "transport_storage"])
def test_a_cost_is_not_counted_twice(name: str) -> None:
    made = scenario(projects=[{**PROJECT, "cost": "100 EUR/t"}])
    costs = told(made, Terms(rate=0.05, grant=1e8, **{name: MONEY[name]}))["costs"]
    assert costs["known"] == [name, "per_tonne:catch"]
    assert {costs[each] for each in ("total", "per_tonne", "per_tonne_discounted")} == {None}
    assert (costs["reason"], costs["left_out"]) == ("costs-told-once", [])
    assert costs["grant_per_tonne"]["mean"] > 0


def test_a_cost_a_tonne_leaves_out_who_tells_none() -> None:
    made = scenario(projects=[{**PROJECT, "cost": "100 EUR/t"}], levers=[SAVE])
    costs = told(made)["costs"]
    assert (costs["left_out"], costs["reason"]) == (["per_tonne:save"], None)
    alone = told(scenario(projects=[{**PROJECT, "cost": "100 EUR/t"}]))["costs"]
    assert (alone["left_out"], alone["reason"]) == ([], None)


def test_capex_is_discounted_from_its_own_year() -> None:
    made = scenario(projects=[PROJECT])
    answer = told(made, Terms(**MONEY, capex_year=2030))
    costs, rows = answer["costs"], answer["by_year"]
    assert costs["money_of"] == 2028
    worth = {row["year"]: 1.06 ** -(row["year"] - 2028) for row in rows}
    running = sum(worth[r["year"]] * (MONEY["opex"] + 40.0 * r["captured"]) for r in rows)
    now = MONEY["capex"] * worth[2030] + running
    tonnes = sum(worth[r["year"]] * r["avoided"]["mean"] for r in rows)
    assert costs["per_tonne_discounted"] == pytest.approx(now / tonnes)
    share = sum(r["avoided"]["mean"] for r in rows) / sum(r["captured"] for r in rows)
    support = costs["break_even"]["support"]
    assert sum(worth[r["year"]] * r["captured"] * (90.0 * share + support) for r in rows) == pytest.approx(
        now
    )
    early = told(made, Terms(**MONEY, capex_year=2026))["costs"]
    assert early["money_of"] == 2026
    told(made, Terms(**MONEY, capex_year=2037))
    with pytest.raises(AskError) as refused:
        told(made, Terms(**MONEY, capex_year=2038))
    assert refused.value.code == "capex-after-window"
    assert refused.value.facts == {
        "field": "capex_year", "found": "2038", "allowed": "at most 2037, the last year counted",
    }  # fmt: skip


def test_opex_is_counted_from_the_planned_start_to_the_end() -> None:
    made = scenario(projects=[{**PROJECT, "start": 2030, "delay_years": 1, "end": 2034}])
    costs = told(made, Terms(first_year=2028, opex=1e6))["costs"]
    assert costs["total"] == pytest.approx(4e6)
    # 2031 to 2034, and the lever from 2036 on.
    both = scenario(projects=[{**PROJECT, "start": 2030, "delay_years": 1, "end": 2034}],
                    levers=[{**SAVE, "start": 2036}])  # fmt: skip
    assert told(both, Terms(first_year=2028, opex=1e6))["costs"]["total"] == pytest.approx(6e6)
    # The contract pays the same years: without opex the support falls by just their worth.
    whole = Terms(**{**MONEY, "opex": 2e7}, first_year=2028)
    free = Terms(**{**MONEY, "opex": 0.0}, first_year=2028)
    with_opex, without = (told(made, terms) for terms in (whole, free))
    worth = {row["year"]: 1.06 ** -(row["year"] - 2027) for row in with_opex["by_year"]}
    tonnes = sum(worth[row["year"]] * row["captured"] for row in with_opex["by_year"])
    paid = 2e7 * sum(worth[year] for year in range(2031, 2035))
    step = with_opex["costs"]["break_even"]["support"] - without["costs"]["break_even"]["support"]
    assert step == pytest.approx(paid / tonnes)


def test_a_break_even_says_what_stands_against_it() -> None:
    blind = {name: value for name, value in PROJECT.items() if name != "grid"}
    unknown = told(scenario(projects=[blind]), Terms(**MONEY))["costs"]
    assert unknown["break_even"] == {"support": None, "missing": ["elsewhere-not-known"]}
    assert (unknown["reason"], unknown["per_tonne"]) == ("elsewhere-not-known", None)
    assert unknown["total"] > 0
    # The tonnes of a lever that captures nothing are not those of the contract.
    mixed = told(scenario(projects=[PROJECT], levers=[SAVE]), Terms(**MONEY))["costs"]
    assert mixed["break_even"] == {"support": None, "missing": ["capture-alone"]}
    assert mixed["per_tonne"] > 0
    once = told(scenario(projects=[{**PROJECT, "cost": "9 EUR/t"}]), Terms(**MONEY))["costs"]
    assert once["break_even"]["missing"] == ["costs-told-once"]
    dirty = told(scenario(projects=[{**PROJECT, "grid": "20 t/MWh"}]), Terms(**MONEY))["costs"]
    assert dirty["break_even"]["missing"] == ["nothing-avoided"]
    assert dirty["reason"] == "nothing-avoided"
