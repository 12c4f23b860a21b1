"""The hurdle: who may leave, what is learnt from those that did, and what it makes of the bands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from features.series.panel import Dense
from models.calibration import GRID
from models.dependence import read_quantiles
from models.exits import (
    FADING,
    LEAST_EXITS,
    Exits,
    hurdled,
    learn_exits,
    newest_of_areas,
    seen_by,
    stands_at_zero,
)
from models.fitted import areas_of
from tests.models.panels import dense_of

Float = npt.NDArray[np.float64]
YEARS = 14


def closing(count: int, seed: int, *, small: float = 0.2, large: float = 0.01) -> Dense:
    """Plants of one area, half of them small; each closes for good with a chance a year of its size."""
    draw = np.random.default_rng(seed)
    rows = []
    for b in range(count):
        level, hazard = (1e3, small) if b % 2 else (1e6, large)
        y = level * np.exp(draw.normal(0, 0.1, YEARS))
        closed = 4 + int(draw.geometric(hazard))
        rows.append(y[:closed] if closed < YEARS else y)
    traits = {"kind": ["plant"] * count, "area": ["NL"] * count}
    return dense_of(rows, traits=traits)


def _newest(history: Dense) -> npt.NDArray[np.int64]:
    return newest_of_areas(history.starts + history.lengths - 1, areas_of(history))


def test_the_chance_is_that_of_the_plants_that_closed() -> None:
    history = closing(1200, seed=1)
    exits = learn_exits(history, _newest(history))
    assert exits is not None
    alive = history.take(np.flatnonzero(history.lengths == YEARS))
    chance = exits.chance(alive, 3)
    small = np.array([y[YEARS - 1] < 1e5 for y in alive.y])
    assert chance[small, 0].mean() == pytest.approx(0.2, rel=0.25)
    assert chance[~small, 0].mean() == pytest.approx(0.01, abs=0.02)
    # A yearly hazard k is 1 - (1 - k)^h within h years, less what wears off.
    assert 0.3 < chance[small, 2].mean() < 1 - 0.8**3
    assert 1 - 0.99**3 < chance[~small, 2].mean() < 0.2
    assert (np.diff(chance, axis=1) >= 0).all()


def test_later_periods_are_survived_at_a_hazard_that_nears_the_usual_one() -> None:
    exits = Exits((0.0,) * 10, float(np.log(0.2 / 0.8)), 0.05, 1.0, 100, 40)
    history = dense_of([[5.0, 6.0, 7.0]], traits={"kind": ["plant"], "area": ["NL"]})
    stay = 1.0
    for h, chance in enumerate(exits.chance(history, 4)[0]):
        stay *= 1 - (0.05 + 0.15 * (1 - FADING) ** h)
        assert chance == pytest.approx(1 - stay, rel=1e-12)


def test_old_closures_say_little_of_the_next_year() -> None:
    """A wave of closures that has passed, and one that has just come, of as many plants."""
    usual = []
    for last in (8, YEARS - 1):
        lengths = np.where(np.arange(400) % 4 == 0, last, YEARS)
        draw = np.random.default_rng(5)
        rows = [1e5 * np.exp(draw.normal(0, 0.1, n)) for n in lengths]
        history = dense_of(rows, traits={"kind": ["plant"] * 400, "area": ["NL"] * 400})
        exits = learn_exits(history, _newest(history))
        assert exits is not None
        usual.append(exits.usual)
    assert usual[1] > 3 * usual[0]


def test_too_few_exits_teach_nothing() -> None:
    history = closing(40, seed=2, small=0.05, large=0.0001)
    assert (history.lengths < YEARS).sum() < LEAST_EXITS
    assert learn_exits(history, _newest(history)) is None


def test_sectors_and_plants_that_stand_still_do_not_leave() -> None:
    exits = Exits((0.0,) * 10, 0.0, 0.5, 1.0, 10, 5)
    history = dense_of(
        [[5.0, 6.0, 7.0], [5.0, 6.0, 7.0], [5.0, 6.0, 0.0]],
        traits={"kind": ["plant", "sector", "plant"], "area": ["NL"] * 3},
    )
    assert exits.chance(history, 2)[:, 0].tolist() == [0.5, 0.0, 0.0]


def test_what_came_true_is_told_apart() -> None:
    history = dense_of(
        [[5.0, 5.0, 5.0, 5.0, 5.0, 5.0], [5.0, 5.0, 5.0], [5.0, 5.0, 5.0, 0.0, 5.0, 5.0], [5.0, 5.0, 5.0]],
        traits={"kind": ["plant"] * 4, "area": ["NL", "NL", "NL", "BE"]},
    )
    told = stands_at_zero(history, _newest(history), history.starts + 1, 5)
    nan = np.nan
    np.testing.assert_array_equal(
        told,
        [[0, 0, 0, 0, nan], [0, 1, 1, 1, nan], [0, 1, 0, 0, nan], [0, nan, nan, nan, nan]],
    )


def test_a_scheme_that_changed_hands_closes_nobody() -> None:
    history = dense_of(
        [[5.0] * 6, [5.0] * 3], breaks=[(0, 3)], traits={"kind": ["plant"] * 2, "area": ["GB"] * 2}
    )
    told = stands_at_zero(history, _newest(history), history.starts + 1, 3)
    assert np.isnan(told[1, 1:]).all()


def test_nothing_after_the_newest_period_seen_is_read() -> None:
    history = closing(600, seed=3)
    lengths = np.where(history.lengths >= 9, 9, 0)
    areas = areas_of(history)
    first = learn_exits(*seen_by(history, lengths, areas))
    y = history.y.copy()
    y[:, 9:] = np.where(np.isfinite(y[:, 9:]), 7.0, np.nan)
    again = learn_exits(*seen_by(replace(history, y=y), lengths, areas))
    assert first is not None
    assert first == again


def test_hurdled_curves_are_the_mixture() -> None:
    curve = np.tile(GRID * 100 + 50, (2, 1, 1))
    out = hurdled(curve, np.array([[0.0], [0.15]]))
    np.testing.assert_array_equal(out[0], curve[0])
    told = read_quantiles(out, np.tile(np.array([0.1, 0.5, 0.9]), (2, 1, 1)))[1, 0]
    assert told[0] == 0.0
    for value, rank in zip(told[1:], (0.5, 0.9), strict=True):
        assert value == pytest.approx(50 + 100 * (rank - 0.15) / 0.85, abs=0.6)
    assert (np.diff(out, axis=2) >= 0).all()


def test_a_record_is_the_hurdle_again() -> None:
    exits = Exits(tuple(k / 10 for k in range(10)), -3.0, 0.02, 25_000.0, 100, 40)
    assert Exits.of_record(exits.as_record()) == exits


def test_hurdled_is_the_slow_mixture_bit_for_bit() -> None:
    draw = np.random.default_rng(3)
    curves = np.sort(draw.normal(1e5, 2e4, (300, 4, 199)), axis=2)
    chance = np.where(draw.random((300, 1)) < 0.2, 0.0, draw.random((300, 4)) * 0.6)
    slow = curves.copy()
    for b, h in np.argwhere(chance.max(axis=1, keepdims=True) * np.ones((1, 4)) > 0).tolist():
        p, curve = chance[b, h], curves[b, h]
        rank = (np.arange(199) + 1) / 200
        place = np.clip((rank - p) / (1 - p), 0.0, 1.0) * 200 - 1
        left = np.clip(np.floor(place).astype(np.int64), 0, 197)
        step = np.clip(place - left, 0.0, 1.0) * (curve[left + 1] - curve[left])
        slow[b, h] = np.where(rank < p, 0.0, curve[left] + step)
    np.testing.assert_array_equal(hurdled(curves, chance), slow)
