"""Forecasts read in the boundary of a published total, and the score cards that travel with all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.errors import AskError, DataError
from features.series.bridges import Bridge
from features.series.panel import Dense
from features.series.quality import CARD
from insights.figures import Future, Record, weighted_quantiles
from models.forecast import STANDARD_QUANTILES
from serving.answer import answer
from serving.beside import Beside
from serving.crossing import bridge_records, later_of
from serving.ground import read_over
from serving.printed import bridge_line
from serving.shelf import Shelf, Standing
from serving.views import cluster_view
from serving.wire import read_ask
from tests.serving.synthetic import Fake, Kit, figures

YEARS = (2018, 2019, 2020, 2021)
PORT = Bridge("aa-north", "eu-ets", "port-total", "CO2", YEARS, (1.1, 1.2, 1.15, 1.12), ("read",) * 4)
THIN = replace(PORT, to_scope="port-ghg", years=YEARS[:2], ratios=(1.1, 1.2), evidence=("read",) * 2)
NONE = AskError(
    "bridge-without-overlap", found="no common year", expected="one", remedy="add figures",
    facts={"cluster_id": "aa-north", "to_scope": "port-new"},
)  # fmt: skip
CARDS = pd.DataFrame(
    [["eu-ets", "verified", 13, 1.0, 700, 1, 0.0, 4, np.nan, 0, ""]] * 2,
    columns=list(CARD),
    index=["aa-north/power", "aa-north/steel"],
)


@pytest.fixture
def crossed(tmp_path: Path) -> Standing:
    beside = Beside(CARDS, bridge_records([PORT, THIN, NONE]))
    Kit().publish(tmp_path, beside=beside)
    return shelf_of(tmp_path)


def shelf_of(store: Path) -> Standing:
    shelf = Shelf(store)
    shelf.refresh()
    return shelf.standing


def asked(standing: Standing, **question: Any) -> dict[str, Any]:
    text = pd.Series(question).to_json().encode()
    return answer(read_ask(text), standing, issued_at="", request_id="", forecast_id="")


def test_a_forecast_over_a_bridge_names_it_and_is_wider(crossed: Standing) -> None:
    own = asked(crossed, clusters=["aa-north"], steps=3)["forecasts"][0]
    told = asked(crossed, clusters=["aa-north"], steps=3, scope="port-total")["forecasts"][0]
    assert (own["scope"], own["bridge"]) == ("eu-ets", None)
    assert told["scope"] == "port-total"
    assert told["bridge"] == {**PORT.named(), "informed_by": []}
    assert told["bridge"]["years"] == list(YEARS)
    for before, after in zip(own["rows"], told["rows"], strict=True):
        assert after["mean"] == pytest.approx(before["mean"] * PORT.ratio, rel=0.02)
        values = list(after["quantiles"].values())
        assert values == sorted(values)
        spread = [row["quantiles"]["0.975"] / row["quantiles"]["0.025"] for row in (before, after)]
        assert spread[1] > spread[0]
    assert asked(crossed, clusters=["aa-north"], steps=3, scope="port-total")["forecasts"][0] == told


def test_totals_published_since_weigh_a_forecast_as_they_weigh_an_insight(tmp_path: Path) -> None:
    loose = replace(PORT, ratios=(0.9, 1.2, 1.4, 1.0))
    Kit().publish(tmp_path / "plain", beside=Beside(CARDS, bridge_records([loose])))
    question = {"clusters": ["aa-north"], "steps": 3, "quantiles": [0.1, 0.5, 0.9], "scope": "port-total"}
    plain = asked(shelf_of(tmp_path / "plain"), **question)["forecasts"][0]
    low = plain["rows"][0]["quantiles"]["0.1"]
    since = replace(loose, later=((2023, low),))
    Kit().publish(tmp_path / "since", beside=Beside(CARDS, bridge_records([since])))
    standing = shelf_of(tmp_path / "since")
    told = asked(standing, **question)["forecasts"][0]
    assert told["bridge"]["informed_by"] == [2023]
    assert low < told["rows"][0]["quantiles"]["0.5"] < plain["rows"][0]["quantiles"]["0.5"]
    assert told["rows"][0]["mean"] < plain["rows"][0]["mean"]
    # One step or three: the year is the same.
    assert asked(standing, **{**question, "steps": 1})["forecasts"][0]["rows"] == told["rows"][:1]
    rung = standing.rungs["aa-north"]
    own = Future.plain("eu-ets", np.arange(2023, 2023 + len(rung.mean)), np.asarray(rung.paths))
    record = Record("port-total", np.array([2023]), np.array([low]), published=True)
    read = read_over("aa-north", own, {"port-total": record}, rung.pack)[0]["port-total"]
    assert read.informed_by == (2023,)
    for row, draws in zip(told["rows"], read.paths, strict=False):
        expected = weighted_quantiles(draws, read.weights, np.array([0.1, 0.5, 0.9]))
        assert list(row["quantiles"].values()) == expected.tolist()


def test_a_total_that_contradicts_the_forecast_is_told_by_an_empty_list(tmp_path: Path) -> None:
    absurd = replace(PORT, later=((2023, 9e9),))
    Kit().publish(tmp_path, beside=Beside(CARDS, bridge_records([absurd])))
    told = asked(shelf_of(tmp_path), clusters=["aa-north"], steps=2, scope="port-total")["forecasts"][0]
    assert told["bridge"]["informed_by"] == []
    assert "published totals" not in bridge_line(told["bridge"])
    assert "published totals of 2023 and 2024" in bridge_line({**told["bridge"], "informed_by": [2023, 2024]})


def test_a_pack_of_before_takes_later_totals_from_the_tables() -> None:
    of_before = {"cluster_id": "nl-rotterdam", "to_scope": "rotterdam-co2-registered"}
    assert later_of(of_before)[2024] == pytest.approx(18.33e6)
    assert later_of({**PORT.as_record()}) == {}


def test_a_series_own_scope_needs_no_bridge(crossed: Standing) -> None:
    told = asked(crossed, clusters=["aa-north"], steps=2, scope="eu-ets")["forecasts"][0]
    assert told == asked(crossed, clusters=["aa-north"], steps=2)["forecasts"][0]


@pytest.mark.parametrize(
    ("scope", "kind", "code"),
    [
        ("port-ghg", DataError, "bridge-too-thin"),
        ("port-new", DataError, "bridge-without-overlap"),
        ("nobody", AskError, "scope-unknown"),
    ],
)
def test_no_bridge_no_answer_but_a_reason(
    crossed: Standing, scope: str, kind: type[Exception], code: str
) -> None:
    with pytest.raises(kind, match=code):
        asked(crossed, clusters=["aa-north"], scope=scope)


def test_asked_is_answered_or_refused_across_a_bridge_too(crossed: Standing) -> None:
    told = asked(crossed, clusters=["aa-north", "bb-south"], include_sectors=True, scope="port-total")
    assert [item["unique_id"] for item in told["forecasts"]] == ["aa-north"]
    assert {item["code"] for item in told["refusals"]} == {"scope-unknown"}


def test_a_scope_is_not_asked_of_own_history() -> None:
    row = {"unique_id": "a", "ds": "2020-01-01", "y": 1.0}
    with pytest.raises(AskError, match=r"two-questions.*scope"):
        read_ask(pd.Series({"history": [row], "scope": "port-total"}).to_json().encode())


def test_the_naive_rung_crosses_by_its_grid(tmp_path: Path) -> None:
    spoilt = Kit(champion=Fake(broken=("aa-north/power",)))
    spoilt.publish(tmp_path, beside=Beside(CARDS, bridge_records([PORT])))
    standing = shelf_of(tmp_path)
    rung = replace(standing.rungs["aa-north"], plain=True)
    plain = replace(standing, rungs={**standing.rungs, "aa-north": rung})
    own = asked(plain, clusters=["aa-north"], steps=2, quantiles=[0.1, 0.9])["forecasts"][0]
    told = asked(plain, clusters=["aa-north"], steps=2, quantiles=[0.1, 0.9], scope="port-total")
    row, before = told["forecasts"][0]["rows"][1], own["rows"][1]
    assert row["quantiles"]["0.5"] == pytest.approx(before["quantiles"]["0.5"] * PORT.ratio, rel=0.02)
    assert row["mean"] == pytest.approx(before["mean"] * PORT.ratio, rel=0.02)


def test_cards_travel_with_series_and_their_sums(crossed: Standing) -> None:
    told = asked(crossed, clusters=["aa-north", "bb-south"], include_sectors=True)["forecasts"]
    cards = {item["unique_id"]: item["quality"] for item in told}
    assert cards["aa-north/power"]["source_grade"] == "verified"
    assert cards["aa-north/power"]["agreement"] is None
    assert cards["aa-north"]["contributors"] == 8
    assert cards["bb-south"] is None
    view = cluster_view("aa-north", crossed)
    assert [item["to_scope"] for item in view["bridges"]] == ["port-total", "port-ghg", "port-new"]


class Outlooking(Fake):
    """A champion that also forecasts series by themselves."""

    def outlook(self, history: Dense, steps: int, levels: tuple[float, ...]) -> Any:
        paths = self.paths(history, steps, 400, 1)

        class Told:
            mean = paths.mean(axis=2)
            values = np.moveaxis(np.quantile(paths, levels, axis=2), 0, 2)

        return Told


def with_plants() -> Dense:
    dense, _ = figures()
    traits = dense.traits.copy()
    traits.loc[traits["sector"] == "steel", "kind"] = "plant"
    return replace(dense, traits=traits)


def test_plants_are_served_by_themselves(tmp_path: Path) -> None:
    names = {"aa-north/steel": "Steelworks North"}
    Kit(champion=Outlooking()).publish(tmp_path, history=with_plants(), beside=Beside(CARDS, (), names))
    standing = shelf_of(tmp_path)
    told = asked(standing, series=["aa-north/steel"], steps=4)["forecasts"][0]
    assert told["kind"] == "plant"
    assert told["quality"]["periods"] == 13
    assert len(told["rows"]) == 4
    # A plant is no part of the sum a second time.
    assert standing.rungs["aa-north"].entry.made_by.startswith("sum of 1 ")
    plants = cluster_view("aa-north", standing)["plants"]
    assert [(item["unique_id"], item["name"]) for item in plants] == [("aa-north/steel", "Steelworks North")]
    assert plants[0]["latest"]["ds"] == "2022-01-01"
    rung = standing.rungs["aa-north/steel"]
    assert rung.levels == STANDARD_QUANTILES
    assert rung.paths is None
    with pytest.raises(DataError, match=r"quantile-out-of-reach"):
        asked(standing, series=["aa-north/steel"], quantiles=[0.001])


def test_a_plant_without_finite_quantiles_is_answered_by_naive_which_says_so(tmp_path: Path) -> None:
    broken = Outlooking(broken=("aa-north/steel",))
    Kit(champion=broken).publish(
        tmp_path, history=with_plants(), naive=lambda: Outlooking(name="naive", scale=2.0)
    )
    told = asked(shelf_of(tmp_path), series=["aa-north/steel"], steps=2)["forecasts"][0]
    assert told["made_by"].startswith("naive (because")
