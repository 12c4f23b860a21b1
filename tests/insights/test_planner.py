"""The plan finder against exhaustive search, a programme with a binary for every path, and by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from features.errors import AskError
from insights.macc import BUDGET, LATE, RULES, UNSURE, WHOLE, curve, marginal_cost
from insights.options import Aim, Option, Question, Rules, starts_of
from insights.plan_milp import is_even
from insights.planner import find_plan
from insights.tolls import annuity
from tests.insights.plan_questions import exhaustive, large_question, small_question

INSTANCES = 200
YEARS = np.array([2028, 2029, 2030])
SPREAD = np.linspace(9e6, 11e6, 11)


def aim(probability: float = 0.5, level: float = 8e6) -> Aim:
    paths = np.tile(SPREAD, (3, 1))
    return Aim(YEARS, paths, np.full(11, 1 / 11), 2030, level, probability)


def option(name: str, tonnes: Any, capex: float, **more: Any) -> Option:
    told: dict[str, Any] = {"earliest": 2028, "life": 25}
    return Option(name, np.atleast_1d(np.asarray(tonnes, dtype=np.float64)), capex=capex, **{**told, **more})


def asked(options: list[Option], rules: Rules | None = None, **more: Any) -> Question:
    return Question(aim(**more), tuple(options), rules or Rules())


def test_it_finds_what_exhaustive_search_finds() -> None:
    told: dict[str, int] = {}
    for seed in range(INSTANCES):
        question = small_question(seed)
        best, likeliest = exhaustive(question)
        plan = find_plan(question)
        kind = f"{plan.status}, {'even' if is_even(question) else 'by path'}"
        told[kind] = told.get(kind, 0) + 1
        if best is None:
            assert plan.nearest is not None, seed
            assert plan.nearest.likeliest is not None, seed
            assert plan.nearest.likeliest.chance == pytest.approx(likeliest, abs=1e-9), seed
            assert plan.nearest.binds
        else:
            assert plan.choice is not None, seed
            assert plan.choice.proven
            assert plan.choice.cost == pytest.approx(best, rel=1e-9, abs=1e-3), seed
            assert plan.choice.chance >= question.aim.probability - 1e-9
    assert min(told.values()) >= 15, told
    assert len(told) == 4


def with_binaries(question: Question) -> float:
    """Least cost by the textbook's programme: sum of abatement >= need - M (1 - z), a binary z a path."""
    columns = [(o.name, s) for o in question.options for s in starts_of(o, question)]
    abates = np.array([np.broadcast_to(s.abates, SPREAD.shape) for _, s in columns]).T / 1e6
    needs = question.aim.needs / 1e6
    most = needs - np.minimum(abates, 0).sum(axis=1)
    rows = np.hstack([abates, -np.diag(most)])
    owners = np.array([[float(name == one) for name, _ in columns] for one in {n for n, _ in columns}])
    count, paths = len(columns), len(needs)
    told: Any = milp(
        np.concatenate([[s.cost / 1e6 for _, s in columns], np.zeros(paths)]),
        constraints=[
            LinearConstraint(rows, needs - most, np.inf),
            LinearConstraint(np.hstack([owners, np.zeros((len(owners), paths))]), -np.inf, 1),
            LinearConstraint(
                np.concatenate([np.zeros(count), question.aim.weights])[None], question.aim.probability - 1e-9
            ),
        ],
        integrality=np.ones(count + paths, dtype=np.int64),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    return float(told.fun) * 1e6


@pytest.mark.parametrize("seed", range(6))
def test_it_finds_what_a_programme_with_a_binary_for_every_path_finds(seed: int) -> None:
    dice = np.random.default_rng(seed)
    made = [
        option(
            f"o{k}", dice.uniform(0, 2e6, (2, 11)) * (dice.random(11) < 0.8), float(dice.uniform(1e7, 1e8))
        )
        for k in range(8)
    ]
    question = asked(made, Rules(rate=0.1), probability=0.6)
    plan = find_plan(question)
    assert plan.choice is not None
    assert plan.choice.cost == pytest.approx(with_binaries(question), rel=1e-6)


@pytest.mark.parametrize("seed", range(60))
def test_overlapping_exclusions_and_yearly_limits_change_no_answer(seed: int) -> None:
    drawn = small_question(1000 + seed)
    names = [o.name for o in drawn.options]
    dice = np.random.default_rng(seed)
    sets = tuple(
        tuple(dice.choice(names, size=min(len(names), 2 + k), replace=False).tolist())
        for k in range(int(dice.integers(0, 3)))
    )
    limits = dice.uniform(2e7, 2e8, len(drawn.aim.years)) if dice.random() < 0.6 else None
    question = replace(drawn, rules=replace(drawn.rules, exclusions=sets, requires=(), yearly=limits))
    best, likeliest = exhaustive(question)
    plan = find_plan(question)
    if best is None:
        assert plan.nearest is not None
        assert plan.nearest.likeliest is not None
        assert plan.nearest.likeliest.chance == pytest.approx(likeliest, abs=1e-9)
    else:
        assert plan.choice is not None
        assert plan.choice.cost == pytest.approx(best, rel=1e-9, abs=1e-3)


class Ticks:
    """A clock on which every look takes a second: seconds of it count steps of the search, on any machine."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.mark.parametrize(("seed", "starts"), [(0, 1), (0, 3), (3, 3)])
def test_thirty_projects_on_a_thousand_paths_are_proven(seed: int, starts: int) -> None:
    # 312 steps at most; it took 1,349 of sixteen times the plans, and no proof, when the cheapest came first.
    plan = find_plan(large_question(seed, starts=starts), seconds=1000, clock=Ticks())
    assert plan.choice is not None
    assert plan.choice.proven
    assert plan.choice.chance >= 0.8


def test_projects_that_exclude_one_another_are_proven() -> None:
    drawn = large_question(3, starts=3)
    sets = tuple((f"p{k}", f"p{k + 1}", f"p{k + 2}") for k in range(0, 30, 3))
    plan = find_plan(replace(drawn, rules=replace(drawn.rules, exclusions=sets)), seconds=6000, clock=Ticks())
    assert plan.choice is not None
    assert plan.choice.proven
    assert max(sum(name in plan.choice.starts for name in group) for group in sets) == 1


def test_yearly_limits_bound_what_is_spent_in_all() -> None:
    drawn = large_question(0)
    poor = replace(drawn, rules=replace(drawn.rules, yearly=np.full(1, 1e9)))
    plan = find_plan(poor, seconds=2000, clock=Ticks())
    assert (plan.status, plan.nearest and plan.nearest.binds) == ("infeasible", ("yearly",))


def test_time_that_runs_out_is_told_with_what_could_still_be() -> None:
    plan = find_plan(large_question(3, starts=3), seconds=100, clock=Ticks())
    assert plan.choice is None or not plan.choice.proven
    if plan.choice is not None:
        assert plan.choice.bound < plan.choice.cost
    else:
        assert plan.status == "undecided"


def test_the_latest_start_that_is_ready_in_time_is_the_cheapest() -> None:
    question = asked([option("slow", [0.5e6, 1e6, 2.5e6], 1e8)], Rules(rate=0.1))
    assert find_plan(question).choice.starts["slow"].year == 2028  # type: ignore[union-attr]
    ready = asked([option("quick", [2.5e6], 1e8)], Rules(rate=0.1))
    plan = find_plan(ready).choice
    assert plan is not None
    assert plan.starts["quick"].year == 2030
    assert plan.cost == pytest.approx(1e8 / 1.21)


def test_nothing_to_be_done_costs_nothing() -> None:
    plan = find_plan(asked([option("a", 1e6, 1e8)], level=12e6))
    assert plan.choice is not None
    assert (plan.choice.starts, plan.choice.cost, plan.choice.chance) == ({}, 0.0, 1.0)
    assert plan.without == 1.0


def test_a_yearly_budget_spreads_the_starts() -> None:
    two = [option("a", 1.2e6, 1e8), option("b", 1.2e6, 1e8)]
    plan = find_plan(asked(two, Rules(yearly=np.full(3, 1e8)))).choice
    assert plan is not None
    assert len({start.year for start in plan.starts.values()}) == 2


@pytest.mark.parametrize(
    ("rules", "options", "binds", "reachable"),
    [
        (Rules(budget=5e7), [option("a", 2.5e6, 1e8)], ("budget",), True),
        (Rules(yearly=np.full(3, 5e7)), [option("a", 2.5e6, 1e8)], ("yearly",), True),
        (
            Rules(exclusions=(("a", "b"),)), [option("a", 1.2e6, 1e8), option("b", 1.2e6, 1e8)],
            ("exclusions",), False,
        ),
        (
            Rules(requires=(("a", "b"),)), [option("a", 2.5e6, 1e8), option("b", 1, 1, earliest=2031)],
            ("requires",), False,
        ),
        (Rules(), [option("a", 0.5e6, 1e8)], ("options",), False),
        (
            Rules(budget=5e7, yearly=np.full(3, 5e7)), [option("a", 2.5e6, 1e8)], ("budget", "yearly"), True,
        ),
    ],
)  # fmt: skip
def test_where_it_cannot_be_done_the_nearest_and_what_binds_are_told(
    rules: Rules, options: list[Option], binds: tuple[str, ...], reachable: bool
) -> None:
    plan = find_plan(asked(options, rules))
    assert plan.status == "infeasible"
    assert plan.nearest is not None
    assert plan.nearest.binds == binds
    assert (plan.nearest.without_budget is not None) == reachable
    if reachable and plan.nearest.without_budget is not None:
        assert plan.nearest.without_budget.cost == pytest.approx(1e8)


def test_the_marginal_cost_by_hand() -> None:
    assert annuity(0.0, 20) == 0.05
    assert annuity(0.08, 25) == pytest.approx(0.0936788, rel=1e-6)
    made = option("a", [1e5, 5e5], 1e8, opex=4e6, savings=1e6)
    assert marginal_cost(made, 0.08) == pytest.approx((9.36788e6 + 3e6) / 5e5, rel=1e-5)
    assert marginal_cost(option("dirty", -1e5, 1e8), 0.08) is None


def test_the_curve_says_why_the_plan_is_another() -> None:
    cheap_late = option("late", [0.0, 0.0, 0.0, 3e6], 1e8)
    sure = option("sure", 2.6e6, 9e8)
    question = asked([cheap_late, sure], probability=0.8)
    plan = find_plan(question)
    told = curve(question, plan.choice)
    assert [step["option"] for step in told.steps] == ["late", "sure"]
    assert [step["followed"] for step in told.steps] == [True, False]
    assert plan.choice is not None
    assert set(plan.choice.starts) == {"sure"}
    assert set(told.reasons) >= {LATE, UNSURE}


def test_the_curve_takes_what_the_rules_and_the_budget_forbid_and_too_much() -> None:
    two = [option("a", 1.5e6, 1e8), option("b", 1.5e6, 1.1e8), option("c", 2.2e6, 3e8)]
    question = asked(two, Rules(exclusions=(("a", "b"),), budget=1e9))
    told = curve(question, find_plan(question).choice)
    assert RULES in told.reasons
    whole = [option("a", 1.9e6, 1e8), option("b", 2.2e6, 1.2e8)]
    question = asked(whole)
    assert WHOLE in curve(question, find_plan(question).choice).reasons
    poor = asked([option("a", 2.5e6, 2e8)], Rules(budget=1e8))
    assert BUDGET in curve(poor, None).reasons


def test_a_plan_that_follows_the_curve_has_no_reason_to_differ() -> None:
    question = asked([option("a", 2.5e6, 1e8), option("b", 2.5e6, 9e8)])
    assert curve(question, find_plan(question).choice).reasons == ()


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (lambda: asked([option("a", 1, 1), option("a", 1, 1)]), "options"),
        (lambda: asked([option("a", 1, -1)]), "options.a.cost"),
        (lambda: asked([option("a", np.nan, 1)]), "options.a.tonnes"),
        (lambda: asked([option("a", np.ones((2, 3)), 1)]), "options.a.tonnes"),
        (lambda: asked([option("a", 1, 1, life=0)]), "options.a.life"),
        (lambda: asked([option("a", 1, 1)], probability=0.0), "probability"),
        (lambda: asked([option("a", 1, 1)], Rules(exclusions=(("a", "z"),))), "rules"),
        (lambda: asked([option("a", 1, 1)], Rules(yearly=np.ones(2))), "yearly_budget"),
        (lambda: asked([option("a", 1, 1)], Rules(requires=(("a", "a"),))), "requires"),
        (lambda: asked([option("a", 1, 1)], Rules(rate=-1.0)), "discount_rate"),
        (lambda: Question(replace(aim(), target_year=2040), (), Rules()), "target_year"),
    ],
)
def test_what_cannot_be_is_refused(made: Any, field: str) -> None:
    with pytest.raises(AskError) as refusal:
        made()
    assert (refusal.value.code, refusal.value.facts) == ("plan-implausible", {"field": field})
