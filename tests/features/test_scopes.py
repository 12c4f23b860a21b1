"""Scope breaks: bridged where both sides speak, blanked where one is silent, never crossed."""

from __future__ import annotations

import numpy as np

from features.series.scopes import bridge, same_scope_ahead
from tests.models.panels import NAN, dense_of


def test_the_past_is_put_on_the_new_scope() -> None:
    history = dense_of([[10.0, 20.0, 60.0, 66.0]], breaks=[(0, 2)])
    assert bridge(history).y.tolist() == [[30.0, 60.0, 60.0, 66.0]]
    assert history.y.tolist() == [[10.0, 20.0, 60.0, 66.0]]


def test_two_breaks_chain() -> None:
    history = dense_of([[1.0, 2.0, 4.0, 8.0, 80.0]], breaks=[(0, 2), (0, 4)])
    known = bridge(history).y[0]
    assert known[4] == known[3] == 80.0
    assert known[2] == known[1] == 40.0
    assert known[0] == 20.0


def test_gaps_beside_the_break_are_looked_past() -> None:
    history = dense_of([[10.0, NAN, NAN, 30.0]], breaks=[(0, 2)])
    np.testing.assert_array_equal(bridge(history).y, [[30.0, NAN, NAN, 30.0]])


def test_a_side_of_zero_blanks_the_past() -> None:
    for before, after in ((0.0, 5.0), (5.0, 0.0), (-5.0, 5.0)):
        history = dense_of([[7.0, before, after, 6.0]], breaks=[(0, 2)])
        np.testing.assert_array_equal(bridge(history).y, [[NAN, NAN, after, 6.0]])


def test_a_break_that_no_figure_follows_changes_nothing() -> None:
    history = dense_of([[7.0, 8.0, NAN, NAN]], breaks=[(0, 2)])
    np.testing.assert_array_equal(bridge(history).y, [[7.0, 8.0, NAN, NAN]])


def test_a_break_in_the_first_period_changes_nothing() -> None:
    history = dense_of([[7.0, 8.0, 9.0]], breaks=[(0, 0)])
    assert bridge(history).y.tolist() == [[7.0, 8.0, 9.0]]


def test_without_breaks_nothing_is_copied() -> None:
    history = dense_of([[1.0, 2.0]])
    assert bridge(history) is history


def test_other_series_are_untouched() -> None:
    history = dense_of([[1.0, 2.0, 30.0], [1.0, 2.0, 30.0]], breaks=[(0, 2)])
    assert bridge(history).y.tolist() == [[15.0, 30.0, 30.0], [1.0, 2.0, 30.0]]


def test_steps_beyond_a_break_are_of_another_scope() -> None:
    history = dense_of([[1.0, 2.0, 3.0, 4.0, 5.0]], breaks=[(0, 3)])
    for seen, expected in ((1, [True, True, False]), (2, [True, False, False]), (3, [False, False, False])):
        assert same_scope_ahead(history, np.array([seen]), 3).tolist() == [expected]
    assert same_scope_ahead(history, np.array([4]), 3).tolist() == [[True, True, True]]
