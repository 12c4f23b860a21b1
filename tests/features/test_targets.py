from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from features.errors import DataError
from features.reference.tables import load
from features.reference.targets import check_targets, half_digit

ROTTERDAM = {
    "cluster_id": "nl-rotterdam", "base_year": 1990, "base_value_mt": 20.6, "target_year": 2030,
    "scope": "registered", "scope_id": "", "in_force": True,
}  # fmt: skip


def check(*rows: dict[str, Any]) -> None:
    table = pd.DataFrame([{**ROTTERDAM, "target_id": f"t{n}", **row} for n, row in enumerate(rows)])
    check_targets({"targets": table, "published_history": load().published_history})


def refused(*rows: dict[str, Any]) -> DataError:
    with pytest.raises(DataError) as refusal:
        check(*rows)
    return refusal.value


def cut(percent: float, **more: Any) -> dict[str, Any]:
    return {"kind": "percent", "value": percent, **more}


def level(mt: float, **more: Any) -> dict[str, Any]:
    return {"kind": "level", "value": mt, **more}


def test_a_percent_and_its_level_agree_within_rounding() -> None:
    check(cut(55.0), level(9.3))
    check(cut(55.0), level(9.27))
    check(cut(55.0), level(9.4))  # 54.4% is printed as 55? no: 54.5% is, and leaves 9.37


@pytest.mark.parametrize("value", [8.5, 10.0, 11.3, 20.6])
def test_a_percent_that_contradicts_its_level_is_refused(value: float) -> None:
    error = refused(cut(55.0), level(value))
    assert error.code == "target-contradicts"
    assert error.offenders == ("targets.csv line 3: t1",)
    assert "9.27" in error.message


def test_a_reduction_mistaken_for_a_level_is_named() -> None:
    assert "looks like the reduction, read as the level" in refused(cut(55.0), level(11.3)).message
    assert "looks like the reduction, read as the level" in refused(level(11.3), cut(55.0)).message


def test_the_press_trap_a_level_told_as_a_reduction_is_named() -> None:
    error = refused(cut(55.0), {"kind": "reduction", "value": 9.3})
    assert "9.3 Mt looks like the level to reach, read as a reduction" in error.message
    check(cut(55.0), {"kind": "reduction", "value": 11.3})
    check(level(9.3), {"kind": "reduction", "value": 11.3})


def test_the_base_may_stand_in_one_row_of_the_two() -> None:
    check(cut(55.0, base_value_mt=None), level(9.3))
    assert refused(cut(55.0, base_value_mt=None), level(11.3)).code == "target-contradicts"


@pytest.mark.parametrize(
    "other",
    [
        {"in_force": False},
        {"scope": "all gases"},
        {"target_year": 2040},
        {"base_year": 2010},
        {"base_year": None},
        {"cluster_id": "fr-dunkirk"},
    ],
)
def test_unlike_targets_are_not_held_against_each_other(other: dict[str, Any]) -> None:
    check(cut(55.0), level(15.0, **other))


def test_one_target_of_a_kind_is_in_force() -> None:
    assert refused(cut(55.0, base_year=None), cut(30.0, base_year=None)).code == "target-in-force-twice"
    check(cut(55.0), cut(30.0, in_force=False))


@pytest.mark.parametrize(
    "row",
    [cut(0.0), cut(101.0), level(9.3, base_year=2030), {"kind": "net-zero", "value": 1.0},
     {"kind": "reduction", "value": 25.0}],
)  # fmt: skip
def test_an_implausible_target_is_refused(row: dict[str, Any]) -> None:
    error = refused(level(9.3, target_year=2040), row)
    assert error.code == "target-implausible"
    assert error.offenders == ("targets.csv line 3: t1",)


def test_base_values_must_agree_with_each_other_and_with_what_is_published() -> None:
    assert refused(cut(55.0), level(9.3, base_value_mt=20.9)).code == "target-base-contradicts"
    known = {"scope_id": "rotterdam-co2-registered"}
    check(cut(55.0, **known))
    assert refused(cut(55.0, base_value_mt=22.0, **known)).code == "target-base-contradicts"


@pytest.mark.parametrize(
    ("value", "half"), [(9.3, 0.05), (20.6, 0.05), (0.862, 0.0005), (55.0, 0.5), (100.0, 0.5)]
)
def test_rounding_is_read_off_the_figure(value: float, half: float) -> None:
    assert half_digit(value) == pytest.approx(half)


@settings(max_examples=60, deadline=None)
@given(st.integers(5, 95), st.integers(20, 9999).map(lambda n: n / 10))
def test_any_target_told_twice_agrees_with_itself_and_not_with_its_mirror(percent: int, base: float) -> None:
    left = round(base * (1 - percent / 100), 1)
    check(cut(float(percent), base_value_mt=base), level(left, base_value_mt=base))
    mirror = round(base * percent / 100, 1)
    assume(abs(mirror - left) > 0.02 * base + 0.5)
    error = refused(cut(float(percent), base_value_mt=base), level(mirror, base_value_mt=base))
    assert "looks like the reduction" in error.message
