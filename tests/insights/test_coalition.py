"""The coalition under all plans: on paths that are easy to check by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from insights.coalition import Coalition, Side, coalition, measures_of, newest, passes, stores_of, years_of
from insights.figures import Future
from insights.laid import Bench
from insights.projects import Common, Counts, Risk, drawn
from insights.scenario import Scenario
from tests.insights.plans import FACTORS, SURE, scenario

COUNTS = Counts((2, 1, 1), 3, 29)
STORE = [{"name": "sea", "capacity": "3 Mt/year"}]


def catch(mt: float = 2.0, start: int = 2026, name: str = "catch", **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": "ccus", "capacity": f"{mt} Mt/year", "start": start, "risk": SURE, **more}


def side(name: str, plan: Scenario, level: float = 20.0, first: int = 2025, count: int = 200) -> Side:
    years = np.arange(first, 2036)
    fan = level * np.linspace(0.8, 1.2, count)[None, :] * np.ones((len(years), 1))
    return Side(name, level * 1e6, Future.plain("own", years, fan * 1e6), plan, own=True)


def of(*sides: Side, stores: dict[str, float] | None = None, correlation: float = 0.0) -> Coalition:
    return coalition(sides, FACTORS, stores=stores or {}, correlation=correlation)


def test_sums_are_sums_of_paths() -> None:
    plans = [scenario(projects=[catch(mt)]) for mt in (2.0, 3.0)]
    found = of(side("a", plans[0]), side("b", plans[1], first=2027))
    assert found.years[0] == 2027, "only years that all have"
    alone = [of(side("a", plans[0])).abated, of(side("b", plans[1], first=2027)).abated]
    assert np.allclose(found.abated, alone[0][2:] + alone[1])
    told = years_of(found, 10e6)[0]
    assert told["abated"]["q0.5"] == pytest.approx(float(np.median(found.abated[0])), rel=1e-6)
    assert newest(found) == 40e6
    rows = measures_of(found, 2030)
    assert sum(row["direct"]["mean"] for row in rows) == pytest.approx(told["abated"]["mean"])


def test_no_plan_abates_nothing() -> None:
    found = of(side("a", scenario()))
    assert not found.abated.any()
    assert all(each["plans"] == 0.0 for part in passes(found, 1e6) for each in part["by_year"])


def test_a_chance_is_the_share_of_paths_that_pass() -> None:
    half = {"cancel": 0.5, "slip_chances": [1.0]}
    found = of(side("a", scenario(projects=[{**catch(2.0), "risk": half}]), count=4000))
    claim = float(found.abated.max()) * 4
    told = {part["share"]: part["by_year"][-1] for part in passes(found, claim)}
    assert told[0.1]["plans"] == pytest.approx(0.5, abs=0.03)
    assert told[0.25]["plans"] == pytest.approx(float((found.abated[-1] >= claim / 4).mean()))
    assert told[1.0]["plans"] == 0.0
    levels = [told[share]["fall"] for share in (0.1, 0.25, 0.5, 1.0)]
    assert levels == sorted(levels, reverse=True)


def test_a_shared_store_never_takes_more_than_it_holds() -> None:
    plans = [scenario(projects=[catch(2.5, store="sea")], stores=STORE) for _ in range(2)]
    found = of(side("a", plans[0]), side("b", plans[1]), stores={"sea": 3e6})
    into = np.sum([m.applied.captured(0) for m in found.members], axis=0)
    assert into.max() <= 3e6 * (1 + 1e-9)
    assert into[-1] == pytest.approx(3e6)
    free = of(side("a", plans[0]), side("b", plans[1]))
    assert found.abated.sum() < free.abated.sum()
    assert np.allclose(found.members[0].applied.captured(0)[-1], 1.5e6), "cut alike"
    told = stores_of(found)[0]["by_year"][-1]
    assert (told["asked"], told["stored"], told["chance_full"]) == (
        pytest.approx(5e6), pytest.approx(3e6), 1.0,
    )  # fmt: skip


def test_a_project_has_one_draw_wherever_it_stands() -> None:
    risky = {"project_id": "nl-rotterdam-porthos", "share": 0.5}
    found = of(side("a", scenario(projects=[risky])), side("b", scenario(projects=[risky])))
    one, other = (member.bench.draws["Porthos"] for member in found.members)
    assert np.array_equal(one.late, other.late)
    assert np.array_equal(one.built, other.built)


def test_correlation_widens_the_sum_and_leaves_each_project_alone() -> None:
    risk = Risk(slips=(0.6, 0.4), cancel=0.3)
    many = [f"p{k}" for k in range(12)]

    def draws(correlation: float) -> list[Any]:
        return [drawn(risk, name, 20, 20_000, COUNTS, Common("ccus", correlation)) for name in many]

    free, tied = draws(0.0), draws(0.5)
    for each in (*free, *tied):
        assert each.built.mean() == pytest.approx(0.7, abs=0.015)
        assert each.late.mean() == pytest.approx(0.4, abs=0.015)
    spread = [np.std(sum(d.built.astype(float) for d in some)) for some in (free, tied)]
    assert spread[1] > 1.5 * spread[0]
    assert np.corrcoef(tied[0].late, tied[0].built)[0, 1] < -0.1, "a bad year is late and not built"
    apart = drawn(risk, "q", 20, 20_000, COUNTS, Common("hydrogen", 0.5))
    assert abs(np.corrcoef(apart.built, tied[0].built)[0, 1]) < 0.03


def test_without_correlation_draws_are_those_of_a_scenario() -> None:
    plan = scenario(projects=[{"project_id": "nl-rotterdam-porthos"}])
    one, other = Bench.of(plan, 100, FACTORS), Bench.of(plan, 100, FACTORS, seed=plan.seed, correlation=0.0)
    assert np.array_equal(one.draws["Porthos"].late, other.draws["Porthos"].late)
    moved = Bench.of(plan, 100, FACTORS, correlation=0.9)
    assert not np.array_equal(one.draws["Porthos"].late, moved.draws["Porthos"].late)


def test_clusters_without_a_common_year_have_no_sum() -> None:
    early = side("a", scenario())
    years = np.arange(2040, 2045)
    late = Side("b", 1.0, Future.plain("own", years, np.ones((5, 200))), scenario(), own=False)
    with pytest.raises(ValueError, match="no year"):
        of(early, late)
