"""Why it moved, what drives a forecast, and a caller's own split: answers that add up, refusals that help."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from features.errors import AskError, DataError, ForecarbonError, ModelError
from models.engine import fit_panel
from models.recipe import champion_recipe
from models.saved import write
from serving.driven import drivers_view
from serving.own_split import decomposition_of
from serving.shelf import Shelf, Standing
from serving.why import why_view
from tests.serving.synthetic import Kit, figures
from tests.serving.whole import Outlooker

ADDS: Final = 1e-9


def parts_of(view: dict[str, Any]) -> float:
    return float(sum(row["change"] + row["scope_change"] for row in view["contributions"]))


def test_the_contributions_of_the_sectors_add_up_to_the_change(whole: Standing) -> None:
    view = why_view("aa-north", whole, 2014, 2022)
    json.dumps(view, allow_nan=False)
    assert view["change"] == pytest.approx(view["end"] - view["start"])
    days, values = whole.pack.history["aa-north"]
    assert view["end"] == pytest.approx(values[days.index("2022-01-01")])
    assert parts_of(view) == pytest.approx(view["change"], rel=ADDS)
    assert view["like_for_like"]["change"] == pytest.approx(view["change"])
    kinds = {row["unique_id"]: row["kind"] for row in view["contributions"]}
    assert kinds == {
        "aa-north/power": "continuing", "aa-north/steel": "continuing", "aa-north/glass": "exit",
    }  # fmt: skip


def test_a_break_inside_is_declared_bridged_and_told_apart(whole: Standing) -> None:
    view = why_view("aa-north", whole, 2012, 2022)
    assert [(item["year"], item["break_id"]) for item in view["scope"]["breaks"]] == [(2013, "eu-ets-2013")]
    assert view["scope"]["bridge"].startswith("neutral")
    # Power falls by 3% a year; the bridge takes the fall of 2013 for the new scope's.
    assert view["scope"]["change"] == pytest.approx(-0.03 * 5e6 * 0.97**2)
    assert view["like_for_like"]["change"] + view["scope"]["change"] == pytest.approx(view["change"])
    assert parts_of(view) == pytest.approx(view["change"], rel=ADDS)
    assert any(event["kind"] == "scope-break" and event["year"] == 2013 for event in view["events"])


def test_a_break_that_cannot_be_bridged_is_refused(whole: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    days, values = whole.pack.history["aa-north/power"]
    holed = values.copy()
    holed[days.index("2012-01-01")] = 0.0
    history = {**whole.pack.history, "aa-north/power": (days, holed)}
    monkeypatch.setitem(whole.pack.__dict__, "history", history)
    with pytest.raises(AskError) as told:
        why_view("aa-north", whole, 2011, 2022)
    assert told.value.code == "scope-break-inside"
    assert told.value.offenders == ("aa-north/power",)
    assert "2013" in told.value.remedy
    assert why_view("aa-north", whole, 2013, 2022)["scope"]["breaks"] == []


def test_plants_and_the_rest_add_up_to_the_sector(whole: Standing) -> None:
    view = why_view("aa-north/steel", whole, 2014, 2022)
    plants = view["plants"]
    assert plants["known"]
    assert [row["unique_id"] for row in plants["rows"]] == ["aa-north/steel/mill", "aa-north/steel/forge"]
    told = sum(row["change"] for row in plants["rows"]) + plants["rest"]["change"]
    assert told == pytest.approx(view["like_for_like"]["change"], rel=ADDS)


def test_restatements_are_among_the_events(whole: Standing) -> None:
    view = why_view("aa-north", whole, 2014, 2022)
    told = [event for event in view["events"] if event["kind"] == "restatement"]
    assert [(event["unique_id"], event["year"]) for event in told] == [("aa-north/power", 2020)]
    assert told[0]["evidence"]["vintages"][-1] == {
        "known_at": "2023-05-05", "value": 1e6, "source": "eu-ets", "flag": "recorded",
    }  # fmt: skip
    assert why_view("aa-north", whole, 2014, 2019)["events"] == []


def test_emissions_alone_never_tell_an_intensity(whole: Standing) -> None:
    split = why_view("aa-north", whole, 2014, 2022)["split"]
    assert split["possible"] is False
    assert split["code"] == "activity-unknown"
    assert "intensity" in split["cannot_say"]
    assert split["remedy"]


def test_without_years_the_newest_five_are_told(standing: Standing) -> None:
    view = why_view("bb-south", standing)
    assert (view["start_year"], view["end_year"]) == (2019, 2024)


def test_a_pack_without_figures_still_answers(standing: Standing) -> None:
    view = why_view("aa-north", standing, 2012, 2020)
    assert parts_of(view) == pytest.approx(view["change"], rel=ADDS)
    assert not view["scope"]["known"]
    assert not view["plants"]["known"]
    assert view["plants"]["remedy"]


@pytest.mark.parametrize(
    ("name", "start", "end", "code"),
    [
        ("nowhere", 2014, 2022, "unknown-series"),
        ("cc-east", 2014, 2022, "series-absent"),
        ("aa-north", 2022, 2014, "span-empty"),
        ("aa-north", 2014, 2014, "span-empty"),
        ("aa-north", 1990, 2022, "year-without-figure"),
        ("aa-north", 2014, 2023, "year-without-figure"),
    ],
)
def test_questions_that_have_no_answer(whole: Standing, name: str, start: int, end: int, code: str) -> None:
    with pytest.raises(AskError) as told:
        why_view(name, whole, start, end)
    assert told.value.code == code
    assert told.value.remedy
    assert told.value.expected


@pytest.fixture(scope="module")
def blended(tmp_path_factory: pytest.TempPathFactory) -> Standing:
    """A standing whose pack keeps a real, small blend."""
    place = tmp_path_factory.mktemp("blended")
    dense, _ = figures()
    fitted = fit_panel(dense, champion_recipe(seasonal=False, reach=3, origins=4, trees=8))
    write(fitted, dense, place / "model")
    Kit(champion=Outlooker()).publish(place / "store", fitted=fitted, model_folder=place / "model")
    shelf = Shelf(place / "store")
    shelf.refresh()
    return shelf.standing


@pytest.mark.parametrize("name", ["aa-north/power", "aa-north", "initiative"])
@pytest.mark.parametrize("step", [1, 3, 30])
def test_members_and_drivers_add_up_to_the_centre(blended: Standing, name: str, step: int) -> None:
    view = drivers_view(name, blended, step)
    json.dumps(view, allow_nan=False)
    whole = view["anchor"] + sum(member["contribution"] for member in view["members"])
    assert whole == pytest.approx(view["centre"], rel=ADDS)
    assert view["centre"] + view["after_centre"] == pytest.approx(view["served_mean"])
    booster = view["booster"]
    groups = sum(row["contribution"] for row in booster["groups"])
    told = groups + booster["base"] + booster["floor_at_zero"]
    assert told == pytest.approx(booster["contribution"], abs=ADDS * view["centre"])
    mine = next(member for member in view["members"] if member["member"] == "boosted")
    assert mine["contribution"] == booster["contribution"]


def test_a_sum_is_the_sum_of_its_sectors(blended: Standing) -> None:
    whole = drivers_view("aa-north", blended, 2)
    assert whole["summed"] == ["aa-north/power", "aa-north/steel"]
    parts = [drivers_view(name, blended, 2) for name in whole["summed"]]
    assert whole["centre"] == pytest.approx(sum(part["centre"] for part in parts))
    for k, member in enumerate(whole["members"]):
        assert member["contribution"] == pytest.approx(sum(p["members"][k]["contribution"] for p in parts))
        assert member["weight"] is None
        assert 0 <= parts[0]["members"][k]["weight"] <= 1


def test_drivers_that_cannot_be_told(blended: Standing, standing: Standing, tmp_path: Path) -> None:
    for name, step, code in (("nowhere", 1, "unknown-series"), ("aa-north", 0, "step-out-of-range"),
                             ("aa-north", 31, "step-out-of-range")):  # fmt: skip
        with pytest.raises(AskError) as told:
            drivers_view(name, blended, step)
        assert told.value.code == code
    with pytest.raises(ModelError, match="model-not-kept"):
        drivers_view("aa-north", standing, 1)
    Kit(champion=Outlooker(broken=("bb-south/power",))).publish(tmp_path / "broken")
    shelf = Shelf(tmp_path / "broken")
    shelf.refresh()
    with pytest.raises(AskError, match="drivers-unknown"):
        drivers_view("bb-south/power", shelf.standing, 1)


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


def test_the_served_clusters_have_answers(trained_store: Path) -> None:
    """On the embedded figures: every cluster and sector adds up, over every kind of span."""
    shelf = Shelf(trained_store)
    shelf.refresh()
    standing, answered, refused = shelf.standing, 0, set()
    sectors = [name for name, entry in standing.pack.series.items() if entry.kind == "sector"]
    for name in (set(standing.pack.series) - set(sectors)) | set(sectors[::8]):
        for start, end in ((None, None), (2012, 2022), (2018, 2021)):
            try:
                view = why_view(name, standing, start, end)
            except AskError as refusal:
                refused.add(refusal.code)
                continue
            size = view["start"] + view["end"]
            assert abs(parts_of(view) - view["change"]) <= 1e-12 * size
            json.dumps(view, allow_nan=False)
            answered += 1
    assert refused <= {"year-without-figure"}
    assert answered >= 80
    view = why_view("nl-rotterdam", standing, 2005, 2022)
    shocks = {event["year"]: event["codes"] for event in view["shocks"]}
    assert shocks[2009] == ["down"]
    assert shocks[2020] == ["down"]
    assert {event["year"] for event in view["events"] if event["kind"] == "scope-break"} == {2008, 2013}
    told = drivers_view("nl-rotterdam", standing, 5)
    whole = told["anchor"] + sum(member["contribution"] for member in told["members"])
    assert whole == pytest.approx(told["centre"], rel=ADDS)
