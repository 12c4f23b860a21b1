from __future__ import annotations

import numpy as np
import pytest

from features.errors import AskError, DataError
from insights.goals import check_user_goal, gathered, refuse_conflicts, slip_of
from insights.resolve import resolve
from tests.insights.grounds import goal, port

PERCENT = goal(base_year=1990, base_mt=20.6, scope="registered", scope_id="co2", target_id="percent")
LEVEL = goal(
    "level", 9.3, base_year=1990, base_mt=20.6, scope="registered", scope_id="co2", target_id="level"
)
CUT = goal(
    "reduction", 9.3, base_year=1990, base_mt=20.6, scope="registered", scope_id="co2", target_id="cut"
)


def code_of(*args: object, **more: object) -> str:
    with pytest.raises((AskError, DataError)) as told:
        resolve(*args, **more)  # type: ignore[arg-type]
    assert told.value.remedy
    assert told.value.found
    assert told.value.expected
    return told.value.code


def test_9_3_is_the_level_and_one_goal_told_twice() -> None:
    (told,) = gathered([LEVEL, PERCENT])
    assert (told.goal, told.same, told.conflicts) == (PERCENT, (LEVEL,), ())
    assert resolve(told.goal, port()).level == pytest.approx(9.27e6)


def test_9_3_told_as_a_cut_is_the_classic_slip() -> None:
    assert "read as a reduction" in slip_of(CUT, [PERCENT])
    assert slip_of(LEVEL, [PERCENT]) == ""
    eleven = goal("level", 11.3, base_year=1990, base_mt=20.6, target_id="eleven")
    assert "read as a level" in slip_of(eleven, [PERCENT])


def test_conflicting_tellings_are_shown_and_refused_of_a_caller() -> None:
    other = goal(value=30.0, scope="zone", in_force=False, target_id="other")
    (told,) = gathered([PERCENT, other])
    assert told.conflicts == (other,)
    with pytest.raises(AskError, match="target-contradicts"):
        refuse_conflicts([PERCENT, goal(value=40.0, base_year=1990, scope_id="co2", target_id="b")])
    refuse_conflicts([PERCENT, LEVEL, goal("net-zero", 0.0, scope_id="co2")])


def test_scopes() -> None:
    words = goal(base_year=2010, scope="the whole region, all gases")
    assert code_of(words, port()) == "scope-unlike"
    assert resolve(words, port(), assume="eu-ets").notes == ("scope-assumed",)
    assert resolve(goal(base_year=2010), port()).notes == ("scope-not-stated",)
    assert code_of(PERCENT, port(), assume="eu-ets") == "scope-unlike"
    assert code_of(PERCENT, port(), assume="nothing") == "scope-unknown"
    assert code_of(goal(base_year=1990, scope_id="elsewhere"), port()) == "scope-unlike"
    assert code_of(goal(base_year=2023, scope_id="ghg"), port()) == "bridge-without-overlap"


def test_net_zero_can_be_measured_in_any_part() -> None:
    told = resolve(goal("net-zero", 0.0, 2050, scope="all of it"), port())
    assert (told.level, told.scope, told.base) == (0.0, "eu-ets", None)
    assert "part-of-the-pledge" in told.notes


def test_bases() -> None:
    assert code_of(goal(), port()) == "base-year-missing"
    assert resolve(goal(), port(), base_year=2012).base == pytest.approx(22e6)
    assert code_of(goal(base_year=1995), port()) == "base-year-outside-series"
    assert code_of(goal("intensity", 0.4), port()) == "activity-missing"
    assert resolve(goal("intensity", 0.4, activity=1e7), port()).level == pytest.approx(4e6)


def test_a_base_only_in_the_own_series_is_read_over_the_same_bridge() -> None:
    told = resolve(goal(base_year=2012, scope_id="co2"), port())
    assert told.notes == ("base-over-a-bridge",)
    assert told.base == pytest.approx(22e6 * 1.1)
    assert np.allclose(told.levels, 0.45 * 22e6 * 1.1)


def test_a_cut_larger_than_its_base_is_refused() -> None:
    assert code_of(goal("reduction", 90.0, base_year=2012, scope_id="co2"), port()) == "target-implausible"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"value": 0.0}, "value"),
        ({"value": 101.0}, "value"),
        ({"kind": "net-zero", "value": 1.0}, "value"),
        ({"base_year": 2031}, "base_year"),
        ({"kind": "reduction", "value": 30.0, "base_mt": 20.0}, "value"),
        ({"kind": "level", "value": 30.0, "base_mt": 20.0}, "value"),
        ({"base_mt": 0.0}, "base_value_mt"),
        ({"kind": "intensity", "activity": 0.0}, "activity"),
        ({"year": 1950}, "target_year"),
        ({"kind": "odd"}, "kind"),
    ],
)
def test_impossible_targets_name_the_field(more: dict[str, object], field: str) -> None:
    with pytest.raises(AskError, match="target-implausible") as told:
        check_user_goal(goal(**more))  # type: ignore[arg-type]
    assert told.value.facts["field"] == field
