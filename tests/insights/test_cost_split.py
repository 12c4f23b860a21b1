"""Who pays what: Shapley against brute force over all orders."""

from __future__ import annotations

import itertools
from collections.abc import Collection

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import AskError
from insights.cost_split import Cost, Scale, by_peak, by_volume, shapley

SCALE = Scale(cost=100e6, volume=5e6, exponent=0.7)


def over_orders(cost: Cost, members: int) -> list[float]:
    """The mean of what each adds, order by order."""
    paid = np.zeros(members)
    orders = list(itertools.permutations(range(members)))
    for order in orders:
        before: list[int] = []
        spent = 0.0
        for i in order:
            before.append(i)
            price = cost(sorted(before))
            paid[i] += price - spent
            spent = price
    return [float(each) for each in paid / len(orders)]


def tabled(members: int, seed: int) -> Cost:
    """Any cost at all: a number drawn for every coalition."""
    dice = np.random.default_rng(seed)
    prices = dice.uniform(0, 1e9, 1 << members)
    return lambda who: float(prices[sum(1 << k for k in who)]) if who else 0.0


@pytest.mark.parametrize("members", [1, 2, 3, 5, 6])
def test_shapley_is_the_mean_over_all_orders_and_adds_up(members: int) -> None:
    for seed in range(5):
        cost = tabled(members, seed)
        told = shapley(cost, members)
        assert told.shares.tolist() == pytest.approx(over_orders(cost, members), rel=1e-9, abs=1e-3)
        assert told.shares.sum() == pytest.approx(told.total, rel=1e-9)
        assert told.errors.tolist() == [0.0] * members


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=8), st.floats(0.3, 1.0))
@settings(max_examples=60, deadline=None)
def test_economies_of_scale_are_shared_so_that_nobody_pays_more_than_alone(
    volumes: list[float], exponent: float
) -> None:
    cost = Scale(1e8, 5e6, exponent).of_coalition(np.array(volumes))
    told = shapley(cost, len(volumes))
    assert told.shares.sum() == pytest.approx(told.total, rel=1e-9, abs=1e-6)
    assert (told.shares <= told.alone * (1 + 1e-9) + 1e-6).all()
    assert told.saved >= -1e-6


def test_symmetric_members_pay_alike() -> None:
    told = shapley(SCALE.of_coalition(np.array([3e6, 1e6, 3e6])), 3)
    assert told.shares[0] == pytest.approx(told.shares[2], rel=1e-12)


def test_dummy_members_pay_their_own() -> None:
    inner = SCALE.of_coalition(np.array([3e6, 1e6, 2e6]))

    def cost(who: Collection[int]) -> float:
        return inner([k for k in who if k < 3]) + (7e6 if 3 in who else 0.0)

    told = shapley(cost, 4)
    assert told.shares[3] == pytest.approx(7e6, rel=1e-9)
    assert told.shares.sum() == pytest.approx(told.total, rel=1e-9)


def test_twelve_members_are_exact_and_each_coalition_is_asked_once() -> None:
    asked: list[tuple[int, ...]] = []
    inner = SCALE.of_coalition(np.linspace(1e5, 1e6, 12))

    def cost(who: Collection[int]) -> float:
        asked.append(tuple(who))
        return inner(who)

    told = shapley(cost, 12)
    assert told.method == "shapley"
    assert len(asked) == len(set(asked)) == 2**12 - 1
    assert told.shares.sum() == pytest.approx(told.total, rel=1e-9)


def test_beyond_them_it_is_sampled_with_an_error_that_holds() -> None:
    volumes = np.linspace(1e5, 1e6, 14)
    told = shapley(SCALE.of_coalition(volumes), 14, orders=600, seed=1)
    assert told.method == "shapley-sampled"
    assert told.shares.sum() == pytest.approx(told.total, rel=1e-9)
    # A cost of the summed volume alone: exact shares by a fine second draw.
    fine = shapley(SCALE.of_coalition(volumes), 14, orders=20_000, seed=2)
    apart = np.abs(told.shares - fine.shares) / np.hypot(told.errors, fine.errors)
    assert (apart < 5).all()
    assert (told.errors > 0).all()
    assert told.errors.max() < 0.01 * told.total


def test_by_volume_and_by_peak() -> None:
    volumes = np.array([[1.0, 3.0], [2.0, 2.0]])
    assert by_volume(80.0, volumes).shares.tolist() == pytest.approx([40, 40])
    assert by_peak(80.0, volumes).shares.tolist() == pytest.approx([48, 32])
    with pytest.raises(AskError, match="split-implausible"):
        by_volume(80.0, np.zeros((2, 2)))


def test_a_unit_costs_less_in_a_larger_plant() -> None:
    assert SCALE.of(5e6) == pytest.approx(100e6)
    assert SCALE.per_unit(10e6) == pytest.approx(20 * 2**-0.3)
    with pytest.raises(AskError, match="exponent"):
        Scale(1.0, 1.0, 1.5)
