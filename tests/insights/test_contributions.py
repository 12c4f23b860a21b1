"""Contributions add up exactly; entries, exits and changes of scope are told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import AskError
from features.series.panel import Dense
from insights.contributions import Contributions, contributions
from tests.models.panels import NAN, dense_of


def window(rows: Sequence[Sequence[float]], breaks: Iterable[tuple[int, int]] = ()) -> Dense:
    """Rows of one calendar; leading and trailing gaps stay inside."""
    y = np.array(rows, dtype=float)
    full = dense_of(np.ones_like(y).tolist(), breaks=breaks)
    return replace(full, y=y)


def kinds(rows: Sequence[Sequence[float]], breaks: Iterable[tuple[int, int]] = ()) -> Contributions:
    return contributions(window(rows, breaks))


def test_who_stays_comes_and_goes() -> None:
    told = kinds([[10, 11, 12], [NAN, 4, 5], [7, 3, NAN], [0, 2, 2], [NAN, NAN, NAN], [NAN, 1, NAN]])
    assert told.kinds == ("continuing", "entry", "exit", "entry", "absent", "absent")
    np.testing.assert_allclose(told.change, [2, 5, -7, 2, 0, 0])
    np.testing.assert_allclose(told.scope, 0)
    assert told.reported == pytest.approx(2)


def test_a_break_is_bridged_and_what_it_did_is_told_apart() -> None:
    """100 → 110 (+10%), then the scope doubles to 220, then 198 (−10%): like for like 200 → 198."""
    told = kinds([[100, 110, 220, 198]], breaks=[(0, 2)])
    np.testing.assert_allclose(told.change, [-2])
    np.testing.assert_allclose(told.scope, [100])
    assert told.reported == pytest.approx(98)


def test_a_part_that_comes_or_goes_with_the_scope_did_not_move() -> None:
    rows: list[list[float]] = [[100, 100, 90, 90], [NAN, NAN, 40, 45], [30, 33, NAN, NAN], [NAN, 5, 6, 7]]
    told = kinds(rows, breaks=[(0, 2)])
    assert told.kinds == ("continuing", "scope-entry", "scope-exit", "entry")
    np.testing.assert_allclose(told.change, [0, 5, 3, 7])
    np.testing.assert_allclose(told.scope, [-10, 40, -33, 0])
    assert told.reported == pytest.approx(142 - 130)


def test_a_break_that_nothing_bridges_is_refused_or_told_as_scope() -> None:
    rows, breaks = [[100.0, 0.0, 50.0, 60.0], [10.0, 10.0, 10.0, 20.0]], [(0, 2)]
    with pytest.raises(AskError) as refused:
        kinds(rows, breaks)
    assert refused.value.code == "scope-break-inside"
    assert refused.value.offenders == ("s000",)
    assert refused.value.remedy.endswith("2012")
    told = contributions(window(rows, breaks), strict=False)
    assert told.kinds == ("unbridged", "continuing")
    np.testing.assert_allclose(told.change, [0, 10])
    np.testing.assert_allclose(told.scope, [-40, 0])


def test_a_break_into_the_first_year_is_none() -> None:
    told = kinds([[100, 110]], breaks=[(0, 0)])
    np.testing.assert_allclose([told.change[0], told.scope[0]], [10, 0])


def test_records_are_ordered_by_size_and_their_shares_add_up() -> None:
    records = kinds([[10, 11], [20, 15], [NAN, NAN], [3, 3]]).as_records()
    assert [row["unique_id"] for row in records] == ["s001", "s000", "s003"]
    assert sum(row["share"] for row in records) == pytest.approx(1)
    assert records[0]["start"] == 20
    still = kinds([[10, 11], [20, 19]]).as_records()
    assert {row["share"] for row in still} == {None}


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_change_and_scope_add_up_to_what_is_reported(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.lognormal(3, 2, (int(rng.integers(1, 9)), int(rng.integers(2, 9))))
    y[rng.random(y.shape) < 0.2] = NAN
    y[rng.random(y.shape) < 0.05] = 0.0
    marked = [(i, t) for i in range(y.shape[0]) for t in range(1, y.shape[1]) if rng.random() < 0.15]
    told = contributions(window(y.tolist(), marked), strict=False)
    assert np.isfinite(told.change).all()
    size = np.nansum(np.abs(y)) + 1
    assert float((told.change + told.scope).sum()) == pytest.approx(told.reported, abs=1e-9 * size)
