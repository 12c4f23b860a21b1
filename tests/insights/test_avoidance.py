from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from features.errors import AskError
from insights.avoidance import (
    Tonnes,
    Window,
    by_year,
    chance_of_promise,
    held_share,
    spread,
    summed,
    tonnes_of,
)
from insights.figures import Future
from insights.laid import Bench
from insights.scenario import Scenario
from tests.insights.plans import FACTORS, SURE, paths, scenario

GRID = 0.2
PROJECT: dict[str, Any] = {
    "name": "catch", "kind": "ccus", "capacity": "3 Mt/year", "start": 2030, "ramp_years": 2,
    "grid": f"{GRID} t/MWh",
    "risk": {"slip_chances": [0.5, 0.3, 0.2], "cancel": 0.15, "delivery": [0.6, 0.9, 1.0]},
}  # fmt: skip
BOILER: dict[str, Any] = {
    "name": "boil", "kind": "electrification", "share": 0.1, "start": 2029, "grid": f"{GRID} t/MWh",
}  # fmt: skip


def seen(made: Scenario, first: int, future: Future) -> tuple[Window, Future, Tonnes]:
    window = Window.of(first, future)
    over = window.over(future)
    bench = Bench.of(made, future.paths.shape[1], FACTORS)
    return window, over, tonnes_of(bench, over)


def slow(made: Scenario, first: int, future: Future) -> tuple[list[float], list[float]]:
    """Ten-year avoided and reference of each path: year by year, path by path, from the formulas."""
    draws = Bench.of(made, future.paths.shape[1], FACTORS).draws
    avoided, reference = [], []
    for p in range(future.paths.shape[1]):
        off, whole = 0.0, 0.0
        for year in range(first, first + 10):
            row = min(year, int(future.years[-1])) - int(future.years[0])
            emitted = left = float(future.paths[row, p])
            for kind in made.order:
                for plan in made.plans:
                    if plan.kind != kind:
                        continue
                    start, size = plan.start, 1.0
                    if plan.name in draws:
                        drawn = draws[plan.name]
                        start += int(drawn.late[p])
                        size = float(drawn.built[p]) * float(drawn.delivered[p])
                    ramp = min(max((year - start + 1) / (plan.ramp_years + 1), 0.0), 1.0)
                    gross = min(plan.reach * left, plan.gross_capacity(FACTORS)) * ramp * size
                    toll = plan.toll(FACTORS)
                    left -= gross * (1 - toll.inside)
                    off -= gross * (toll.elsewhere or 0.0)
            off += emitted - left
            whole += emitted
        avoided.append(off)
        reference.append(whole)
    return avoided, reference


@pytest.mark.parametrize("first", [2028, 2030, 2038])
def test_avoidance_is_what_loops_add_up_to(first: int) -> None:
    made, future = scenario(projects=[PROJECT], levers=[BOILER]), paths(60)
    window, over, tonnes = seen(made, first, future)
    avoided, reference = slow(made, first, future)
    assert tonnes.avoided is not None
    assert tonnes.avoided.sum(axis=0) == pytest.approx(avoided)
    assert tonnes.reference.sum(axis=0) == pytest.approx(reference)
    told = summed(tonnes, over.weights)
    assert told["absolute"]["mean"] == pytest.approx(np.mean(avoided))
    shares = [a / r for a, r in zip(avoided, reference, strict=True)]
    assert told["relative"]["mean"] == pytest.approx(np.mean(shares))
    assert told["relative"]["q0.5"] == pytest.approx(np.median(shares), rel=0.02)
    assert window.held == max(0, first + 9 - 2044)


def test_captured_is_not_avoided() -> None:
    """Means add up: captured or replaced, less the energy on the site, less what comes back elsewhere."""
    made, future = scenario(projects=[PROJECT], levers=[BOILER]), paths(60)
    _, over, tonnes = seen(made, 2030, future)
    told = {
        name: each and each["mean"]
        for name, each in summed(tonnes, over.weights).items()
        if name != "of_gross"
    }
    assert told["gross"] - told["energy_penalty"] == pytest.approx(told["direct"])
    assert told["direct"] - told["elsewhere"] == pytest.approx(told["absolute"])
    assert 0 < told["absolute"] < told["captured"] < told["gross"]
    caught = sum(rows.sum() for k, rows in tonnes.gross_by.items() if k == "catch")
    assert tonnes.captured.sum() == pytest.approx(caught)
    assert {plan.name for plan in made.plans if plan.kind == "ccus"} == {"catch"}


def test_years_after_the_forecast_stand_at_its_last_level_and_are_told() -> None:
    future = paths(40)
    lever = {"name": "save", "kind": "efficiency", "share": 0.1, "start": 2040}
    window, over, tonnes = seen(scenario(levers=[lever]), 2040, future)
    assert (window.first, window.last, window.held) == (2040, 2049, 5)
    for row in range(5, 10):
        assert (over.paths[row] == future.paths[-1]).all()
    rows = by_year(tonnes, window, over.weights)
    assert [row["held"] for row in rows] == [False] * 5 + [True] * 5
    assert tonnes.avoided is not None
    total = float(tonnes.avoided.sum(axis=0) @ over.weights)
    after = sum(row["avoided"]["mean"] for row in rows if row["held"])
    assert held_share(tonnes, window, over.weights) == pytest.approx(after / total)
    # A plan that ends does so in held years too.
    _, _, ending = seen(scenario(levers=[{**lever, "end": 2046}]), 2040, future)
    assert (ending.direct[7:] == 0).all()
    assert (ending.direct[:7] > 0).all()


def test_a_window_begins_with_the_forecast_and_not_after_it() -> None:
    future = paths(10)
    assert Window.of(2019, future).first == 2025
    assert Window.of(2044, future).held == 9
    with pytest.raises(AskError) as refused:
        Window.of(2045, future)
    assert refused.value.code == "start-after-forecast"


def test_what_is_not_known_elsewhere_makes_avoided_unknown() -> None:
    blind = {**PROJECT}
    del blind["grid"]
    _, over, tonnes = seen(scenario(projects=[blind]), 2030, paths(20))
    told = summed(tonnes, over.weights)
    assert told["absolute"] is told["relative"] is told["elsewhere"] is told["of_gross"] is None
    assert told["direct"]["mean"] > 0


def test_a_promise_is_kept_on_as_many_paths_as_keep_it() -> None:
    rng = np.random.default_rng(1)
    avoided, weights = rng.uniform(0, 10, 50), rng.uniform(0, 1, 50)
    weights /= weights.sum()
    expected = sum(w for a, w in zip(avoided, weights, strict=True) if a >= 4)
    assert chance_of_promise(avoided, 4.0, weights) == pytest.approx(expected)
    # The noise of adding up breaks no promise.
    assert chance_of_promise(np.array([0.1 + 0.2]), 0.30000000000000004, np.ones(1)) == 1.0
    assert chance_of_promise(np.array([3.0]), 3.0 * (1 + 1e-12), np.ones(1)) == 1.0


def test_a_plan_that_raises_emissions_keeps_what_it_says_of_itself() -> None:
    """Below zero the allowance for rounding goes down too."""
    assert chance_of_promise(np.array([-3.0]), -3.0, np.ones(1)) == 1.0
    assert chance_of_promise(np.array([-3.0]), -3.0 * (1 - 1e-12), np.ones(1)) == 1.0
    assert chance_of_promise(np.array([-3.1]), -3.0, np.ones(1)) == 0.0


def test_a_spread_is_of_the_weighted_draws() -> None:
    told = spread(np.arange(101.0), np.full(101, 1 / 101))
    assert told["mean"] == pytest.approx(50)
    assert (told["q0.1"], told["q0.5"], told["q0.9"]) == pytest.approx((9.6, 50.0, 90.4))


def test_a_certain_project_has_no_spread_where_it_is_bound_by_its_capacity() -> None:
    sure = {**PROJECT, "risk": SURE, "ramp_years": 0, "capacity": "1 Mt/year"}
    _, over, tonnes = seen(scenario(projects=[sure]), 2030, paths(30))
    told = summed(tonnes, over.weights)
    assert told["captured"]["q0.1"] == told["captured"]["q0.9"] == pytest.approx(1e7)
    assert told["of_gross"] == pytest.approx(told["absolute"]["mean"] / 1e7)
