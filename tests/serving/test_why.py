"""Why it moved: contributions that add up, events with their causes, refusals that help."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from features.errors import AskError, DataError
from serving.driven import drivers_view
from serving.shelf import Shelf, Standing
from serving.why import why_view

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
    with pytest.raises((AskError, DataError)) as told:
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


def test_a_plant_is_answered_by_itself(whole: Standing) -> None:
    view = why_view("aa-north/steel/mill", whole, 2014, 2022)
    assert [row["unique_id"] for row in view["contributions"]] == ["aa-north/steel/mill"]
    assert not view["plants"]["known"]
    json.dumps(view, allow_nan=False)


def test_the_plant_behind_an_unusual_year_is_named(whole: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steel halves in 2020, which its series' own rule calls unusual; the mill fell by as much as steel."""
    history = dict(whole.pack.history)
    for name in ("aa-north/steel", "aa-north/steel/mill"):
        days, values = history[name]
        history[name] = (days, np.where(np.arange(len(days)) == days.index("2020-01-01"), values / 2, values))
    monkeypatch.setitem(whole.pack.__dict__, "history", history)
    monkeypatch.setitem(whole.pack.__dict__, "digest", "of this test alone")
    events = why_view("aa-north/steel", whole, 2018, 2020)["events"]
    told = next(event for event in events if event["kind"] == "unusual-change" and event["year"] == 2020)
    assert told["codes"] == ["down", "mad-log-changes"]
    assert told["cause"]["unique_id"] == "aa-north/steel/mill"
    assert told["cause"]["level"] == "plant"
    assert 0.5 < told["cause"]["share"] < 1


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
    with pytest.raises((AskError, DataError)) as told:
        why_view(name, whole, start, end)
    assert told.value.code == code
    assert told.value.remedy
    assert told.value.expected


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
