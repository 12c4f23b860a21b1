"""Scores on hand-worked numbers, and against scikit-learn where it has them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss

from training.scoring import inside, interval_score, mean_of, pinball, usual_step


def test_usual_step_by_hand() -> None:
    rows = np.array([[1.0, 3.0, 2.0, np.nan], [5.0, 5.0, 5.0, 5.0], [np.nan, 4.0, np.nan, 6.0]])
    mean, square = usual_step(rows, 1)
    assert mean[0] == pytest.approx(1.5)
    assert square[0] == pytest.approx(np.sqrt((4 + 1) / 2))
    assert np.isnan(mean[1])
    assert np.isnan(mean[2])


def test_usual_step_ignores_changes_too_small_to_divide_by() -> None:
    rows = np.array([[1000.0, 1000.1, 1000.0]])
    assert np.isnan(usual_step(rows, 1)[0][0])


def test_pinball_has_no_factor_two() -> None:
    assert pinball(np.array([[8.0]]), np.array([10.0]), np.array([0.9]))[0] == pytest.approx(1.8)
    assert pinball(np.array([[12.0]]), np.array([10.0]), np.array([0.9]))[0] == pytest.approx(0.2)


def test_pinball_equals_scikit_learn() -> None:
    draw = np.random.default_rng(3)
    y, values = draw.normal(size=50), draw.normal(size=(50, 3))
    levels = np.array([0.1, 0.5, 0.9])
    theirs = np.mean([mean_pinball_loss(y, values[:, k], alpha=a) for k, a in enumerate(levels)])
    assert pinball(values, y, levels).mean() == pytest.approx(theirs)


def test_interval_score_by_hand() -> None:
    low, high = np.array([1.0, 1.0, 1.0]), np.array([3.0, 3.0, 3.0])
    y = np.array([2.0, 0.5, 4.0])
    assert interval_score(low, high, y, 80).tolist() == pytest.approx([2.0, 2 + 10 * 0.5, 2 + 10 * 1.0])


def test_inside_does_not_guess_unknown_actuals() -> None:
    hit = inside(np.zeros(3), np.ones(3), np.array([0.5, 2.0, np.nan]))
    assert hit[:2].tolist() == [1.0, 0.0]
    assert np.isnan(hit[2])


def test_a_mean_over_nothing_is_not_a_mean() -> None:
    value, n, missing = mean_of(np.array([np.nan, np.nan]))
    assert np.isnan(value)
    assert (n, missing) == (0, 2)
