from __future__ import annotations

import numpy as np
import pytest

from insights import chance
from insights.figures import Future, weighted_quantiles
from insights.progress import Course
from tests.insights.grounds import future, record

FOUR = future({2025: [5.0, 3.0, 9.0, 9.0], 2026: [4.0, 6.0, 2.0, 9.0], 2027: [3.0, 2.0, 2.0, 9.0]})


def test_the_share_of_paths_at_or_below() -> None:
    assert chance.share_met(FOUR, 2026, 4e6) == pytest.approx(0.5)
    assert chance.share_met(FOUR, 2025, np.array([5e6, 1e6, 9e6, 1e6])) == pytest.approx(0.5)
    with pytest.raises(KeyError):
        chance.share_met(FOUR, 2040, 4e6)


def test_first_and_lasting_crossing() -> None:
    told = chance.crossing(FOUR, 4e6)
    assert {y: s for y, s in told.first.items() if s} == {2025: 0.25, 2026: 0.5}
    # The second dips in 2025 and comes back: for good it is below only from 2027 on.
    assert {y: s for y, s in told.lasting.items() if s} == {2026: 0.5, 2027: 0.25}
    assert (told.not_before, told.not_lasting) == (0.25, 0.25)
    assert (told.median_of("first"), told.median_of("lasting")) == (2026, 2026)


def test_not_before_the_horizon_is_an_answer() -> None:
    told = chance.crossing(FOUR, 1e6)
    assert (told.not_before, told.median_of("first"), told.median_of("lasting")) == (1.0, None, None)
    assert told.as_record()["first"] == []


def test_crossing_against_plain_loops() -> None:
    rng = np.random.default_rng(3)
    paths = rng.normal(10, 3, (12, 300))
    told = chance.crossing(Future.plain("x", np.arange(2025, 2037), paths), 8.0)
    first = dict.fromkeys(range(2025, 2037), 0)
    lasting = dict(first)
    for column in paths.T:
        below = [v <= 8.0 for v in column]
        if any(below):
            first[2025 + below.index(True)] += 1
        for k in range(12):
            if all(below[k:]):
                lasting[2025 + k] += 1
                break
    assert told.first == pytest.approx({y: n / 300 for y, n in first.items()})
    assert told.lasting == pytest.approx({y: n / 300 for y, n in lasting.items()})


def test_the_budget_is_the_trapezoid_between_now_and_the_target() -> None:
    now = record({2023: 10.0, 2024: 8.0}, "x")
    flat = future({2025: [8.0, 6.0], 2026: [8.0, 4.0]})
    told = chance.budget(now, flat, Course(2023, 10e6, 2026, 4e6))
    assert told is not None
    # Straight path: 10, 8, 6, 4; from 2024 on 8+6+4 by trapezoid: 12. Paths: 16 and 12.
    assert told.allowed == pytest.approx(12e6)
    assert min(told.spent) == pytest.approx(12e6, rel=0.05)
    assert max(told.spent) == pytest.approx(16e6, rel=0.05)
    assert told.chance_over == pytest.approx(0.5)
    assert told.so_far == pytest.approx(0.0)


def test_no_budget_where_figures_and_paths_do_not_join() -> None:
    apart = future({2027: [8.0, 6.0]})
    assert chance.budget(record({2024: 8.0}, "x"), apart, Course(2020, 9e6, 2030, 1e6)) is None


def test_a_budget_stops_at_the_horizon() -> None:
    told = chance.budget(record({2024: 5.0}, "x"), FOUR, Course(2020, 9e6, 2040, 1e6))
    assert told is not None
    assert told.to_year == 2027


def test_weighted_quantiles_are_plain_ones_for_even_weights() -> None:
    rng = np.random.default_rng(1)
    draws, levels = rng.normal(size=999), np.array([0.1, 0.5, 0.9])
    even = weighted_quantiles(draws, np.full(999, 1 / 999), levels)
    assert even == pytest.approx(np.quantile(draws, levels, method="hazen"))


def test_noise_shrinks_with_the_paths_worth() -> None:
    weights = np.array([0.97, 0.01, 0.01, 0.01])
    few = Future("x", FOUR.years, FOUR.paths, weights, FOUR.paths, np.ones(4))
    assert chance.noise_of(0.5, few) > chance.noise_of(0.5, FOUR)
