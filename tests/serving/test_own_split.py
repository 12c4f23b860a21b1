"""A caller's own table is split exactly, or every bad cell is named."""

from __future__ import annotations

import copy
import json
from typing import Any, Final

import numpy as np
import pytest

from features.errors import AskError, DataError, ForecarbonError
from serving.own_split import decomposition_of

ADDS: Final = 1e-9
TABLE: Final[dict[str, Any]] = {
    "periods": [2019, 2020, 2021],
    "parts": ["steel", "cement", "new"],
    "emissions": [[10, 8, 6], [5, 5, 5.5], [None, None, 1]],
    "activity": [[5, 4, 4], [5, 5, 6], [None, None, 2]],
}


def test_a_table_is_split_exactly() -> None:
    view = decomposition_of(TABLE)
    json.dumps(view, allow_nan=False)
    assert view["change"] == pytest.approx(-2.5)
    for effects in (view["effects"], view["chained"]):
        assert sum(effects.values()) == pytest.approx(view["change"], rel=ADDS)
    for step in view["steps"]:
        assert sum(step["effects"].values()) == pytest.approx(step["change"], rel=ADDS)
    for part in view["parts"]:
        assert sum(part["effects"].values()) == pytest.approx(part["change"], rel=ADDS, abs=1e-12)
    assert np.prod(list(view["ratios"].values())) == pytest.approx(12.5 / 15)
    assert {part["part"]: part["kind"] for part in view["parts"]}["new"] == "entry"
    assert view["answer"]["code"] == "real-cut"
    assert view["answer"]["sure"] is None


def test_a_table_with_spreads_says_how_sure_it_is() -> None:
    told = {**TABLE, "emissions_spread": 0.05, "activity_spread": 0.02}
    answer = decomposition_of(told)["answer"]
    assert 0 <= answer["same_code"] <= 1
    assert decomposition_of(told) == decomposition_of(told)


def test_parts_of_unlike_units_have_no_mix() -> None:
    view = decomposition_of({**TABLE, "mix": False, "activity_unit": "own unit of each"})
    assert set(view["effects"]) == {"activity", "intensity"}
    assert view["activity_unit"] == "own unit of each"


@pytest.mark.parametrize(
    ("table", "row", "column", "cell", "expected"),
    [
        ("emissions", 0, 1, "8", "a number or null"),
        ("emissions", 0, 1, True, "a number or null"),
        ("emissions", 0, 1, float("nan"), "a number of at most 1e+15"),
        ("emissions", 0, 1, -float("inf"), "a number of at most 1e+15"),
        ("emissions", 0, 1, None, "a number where the other table has one"),
        ("emissions", 0, 1, [1], "a number or null"),
        ("activity", 0, 1, -1, "activity of zero or more"),
        ("activity", 0, 1, float("nan"), "a number of at most 1e+15"),
        ("activity", 0, 1, 1e16, "a number of at most 1e+15"),
        ("activity", 0, 1, 1e-300, "0, or 1e-09 and more"),
        ("activity", 0, 1, 0, "activity above zero wherever emissions are not zero"),
        ("activity", 2, 2, None, "a number where the other table has one"),
    ],
)
def test_a_bad_cell_is_named_with_what_was_expected(
    table: str, row: int, column: int, cell: Any, expected: str
) -> None:
    body = copy.deepcopy(TABLE)
    body[table][row][column] = cell
    with pytest.raises(DataError) as told:
        decomposition_of(body)
    assert told.value.code == "cells-unreadable"
    cells = told.value.facts["cells"]
    assert [item["field"] for item in cells] == [f"{table}[{row}][{column}]"]
    assert set(cells[0]) == {"field", "part", "period", "found", "expected", "remedy"}
    assert cells[0]["expected"] == expected
    assert (cells[0]["part"], cells[0]["period"]) == (TABLE["parts"][row], str(TABLE["periods"][column]))


def test_every_bad_cell_is_named() -> None:
    body = copy.deepcopy(TABLE)
    body["emissions"][0][0], body["activity"][1][2], body["activity"][2][0] = "x", -1, 4
    with pytest.raises(DataError) as told:
        decomposition_of(body)
    fields = {item["field"] for item in told.value.facts["cells"]}
    assert fields == {"emissions[0][0]", "activity[1][2]", "emissions[2][0]"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"parts": ["steel", "steel", "new"]}, "field-unreadable"),
        ({"parts": ["steel", "", "new"]}, "field-unreadable"),
        ({"parts": ["steel", None, "new"]}, "field-unreadable"),
        ({"parts": "steel"}, "field-unreadable"),
        ({"parts": [f"p{i}" for i in range(201)]}, "field-unreadable"),
        ({"periods": list(range(101))}, "field-unreadable"),
        ({"periods": [2019]}, "field-unreadable"),
        ({"periods": [2021, 2020, 2019]}, "field-unreadable"),
        ({"emissions": [[1, 2, 3]]}, "field-unreadable"),
        ({"emissions": [[1, 2], [3, 4], [5, 6]]}, "field-unreadable"),
        ({"activity": None}, "field-unreadable"),
        ({"mix": "no"}, "field-unreadable"),
        ({"activity_unit": 5}, "field-unreadable"),
        ({"emissions_spread": 2}, "field-unreadable"),
        ({"activity_spread": float("nan")}, "field-unreadable"),
        ({"colour": 1}, "field-unknown"),
    ],
)
def test_a_bad_field_is_refused_by_name(change: dict[str, Any], code: str) -> None:
    with pytest.raises(AskError) as told:
        decomposition_of({**TABLE, **change})
    assert told.value.code == code
    assert next(iter(change)) in told.value.message
    assert told.value.remedy


@pytest.mark.parametrize("body", [None, [], "table", {}, {"parts": ["a"]}])
def test_what_is_no_table_is_refused(body: Any) -> None:
    with pytest.raises(ForecarbonError) as told:
        decomposition_of(body)
    assert told.value.code in ("field-unreadable", "field-missing")


def test_the_largest_table_is_answered() -> None:
    rng = np.random.default_rng(1)
    body = {
        "periods": list(range(1900, 2000)),
        "parts": [f"p{i}" for i in range(200)],
        "emissions": rng.lognormal(size=(200, 100)).tolist(),
        "activity": rng.lognormal(size=(200, 100)).tolist(),
    }
    view = decomposition_of(body)
    assert sum(view["effects"].values()) == pytest.approx(view["change"], rel=ADDS)
    assert len(view["steps"]) == 99
