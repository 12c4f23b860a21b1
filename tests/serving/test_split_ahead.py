"""A forecast split on a caller's activity adds up on every path, or says what is missing."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from features.errors import AskError, ForecarbonError
from serving.shelf import Standing
from serving.split_ahead import forecast_split_view

SCENARIO: Final[dict[str, Any]] = {
    "activity": {"aa-north/power": 40.0, "aa-north/steel": 10.0}, "yearly": -0.03, "steps": 4,
}  # fmt: skip


def test_a_forecast_is_split_on_the_callers_activity(standing: Standing) -> None:
    view = forecast_split_view("aa-north", standing, SCENARIO)
    json.dumps(view, allow_nan=False)
    assert view["summed"] == ["aa-north/power", "aa-north/steel"]
    means = standing.pack.paths[standing.pack.series["aa-north"].row][:4].mean(axis=1)
    for step, mean in zip(view["steps"], means, strict=True):
        assert sum(step["effects"].values()) == pytest.approx(mean - view["start"], rel=1e-6)
        assert step["effects"]["activity"] < 0
        assert step["below_zero"]["activity"] == 1
        assert 0 <= step["same_code"] <= 1
    assert [step["step"] for step in view["steps"]] == [1, 2, 3, 4]


def test_a_scenario_may_be_given_step_by_step(standing: Standing) -> None:
    ahead = {name: [now * 0.97**h for h in (1, 2, 3, 4)] for name, now in SCENARIO["activity"].items()}
    given = {"activity": SCENARIO["activity"], "ahead": ahead, "steps": 4}
    one, two = (forecast_split_view("aa-north", standing, body) for body in (SCENARIO, given))
    for a, b in zip(one["steps"], two["steps"], strict=True):
        assert a["effects"] == pytest.approx(b["effects"])
    single = forecast_split_view("bb-south/power", standing, {"activity": {"bb-south/power": 3}, "yearly": 0})
    assert len(single["steps"]) == 8
    assert single["steps"][0]["code"] == "real-cut"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"activity": {"aa-north/power": 40.0}}, "cells-unreadable", "activity.aa-north/steel"),
        ({"activity": {**SCENARIO["activity"], "x": 1}}, "cells-unreadable", "activity.x"),
        ({"activity": {**SCENARIO["activity"], "aa-north/steel": -1}}, "cells-unreadable", "aa-north/steel"),
        ({"activity": {**SCENARIO["activity"], "aa-north/steel": float("nan")}}, "cells-unreadable", "steel"),
        ({"activity": 5}, "field-unreadable", "activity"),
        ({"yearly": 9}, "cells-unreadable", "yearly.aa-north/power"),
        ({"ahead": {}}, "field-unreadable", "yearly and ahead"),
        ({"steps": 99}, "field-unreadable", "steps"),
        ({"mix": 1}, "field-unreadable", "mix"),
        ({"colour": 1}, "field-unknown", "colour"),
    ],
)
def test_a_scenario_that_cannot_be_read(
    standing: Standing, change: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(ForecarbonError) as told:
        forecast_split_view("aa-north", standing, {**SCENARIO, **change})
    assert told.value.code == code
    assert field in told.value.message
    assert told.value.remedy


def test_series_without_joint_paths_are_not_split(whole: Standing) -> None:
    with pytest.raises(AskError, match="paths-unknown"):
        forecast_split_view(
            "aa-north/steel/mill", whole, {"activity": {"aa-north/steel/mill": 1}, "yearly": 0}
        )
    with pytest.raises(AskError, match="unknown-series"):
        forecast_split_view("nowhere", whole, {})
