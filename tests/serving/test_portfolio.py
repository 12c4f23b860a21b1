from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from features.errors import AskError, DataError
from serving import portfolio as module
from serving.batch_ask import BatchAsk
from serving.portfolio import Portfolio, portfolio
from serving.shelf import Standing


def asked(standing: Standing, **question: Any) -> Portfolio:
    return portfolio(BatchAsk(**question), standing)


def names(told: Portfolio) -> list[str]:
    return [rung.entry.unique_id for rung in told.rungs]


def test_all_is_every_series_and_what_cannot_be_forecast(whole: Standing) -> None:
    told = asked(whole, all=True)
    assert names(told) == list(whole.rungs)
    assert {item["unique_id"]: item["code"] for item in told.refusals} == {
        "cc-east": "no-public-facility-series", "aa-north/glass": "series-ended",
    }  # fmt: skip


@pytest.mark.parametrize(("kinds", "cluster", "answered", "refused"), [
    (["plant"], None, {"AA/power/=cmd", "aa-north/steel/forge", "aa-north/steel/mill"}, set()),
    (["plant"], "aa-north", {"aa-north/steel/forge", "aa-north/steel/mill"}, set()),
    (["sector"], None, {"aa-north/power", "aa-north/steel", "bb-south/power"}, {"aa-north/glass"}),
    (["cluster", "initiative"], None, {"aa-north", "bb-south", "initiative"}, {"cc-east"}),
    (None, "bb-south", {"bb-south", "bb-south/power"}, set()),
])  # fmt: skip
def test_filters(
    whole: Standing, kinds: Any, cluster: str | None, answered: set[str], refused: set[str]
) -> None:
    told = asked(whole, all=True, kinds=kinds, cluster_id=cluster)
    assert set(names(told)) == answered
    assert {item["unique_id"] for item in told.refusals} == refused


def test_each_name_is_answered_or_refused_once(whole: Standing) -> None:
    question = ["aa-north/power", "nowhere", "aa-north/power", "aa-north/glass", "aa-north"]
    told = asked(whole, clusters=["aa-north", "aa-north/steel"], series=question)
    assert names(told) == ["aa-north", "aa-north/power"]
    assert [item["unique_id"] for item in told.refusals] == ["aa-north/steel", "nowhere", "aa-north/glass"]
    assert [item["code"] for item in told.refusals] == ["unknown-cluster", "unknown-series", "series-ended"]


def test_out_of_reach_of_a_grid_is_refused(whole: Standing) -> None:
    told = asked(whole, all=True, quantiles=[0.001])
    assert {item["code"] for item in told.refusals if item["unique_id"].count("/") == 2} == {
        "quantile-out-of-reach"
    }
    assert "aa-north" in names(told)


@pytest.mark.parametrize(("question", "kind", "code"), [
    ({"series": ["a", "b"]}, AskError, "unknown-series"),
    ({"clusters": ["a"]}, AskError, "unknown-cluster"),
    ({"series": ["aa-north/glass", "b"]}, DataError, "series-absent"),
    ({"series": ["AA/power/=cmd"], "quantiles": [0.001]}, DataError, "quantile-out-of-reach"),
    ({"all": True, "cluster_id": "nowhere"}, AskError, "unknown-cluster"),
    ({"all": True, "kinds": ["plant"], "cluster_id": "bb-south"}, AskError, "nothing-found"),
    ({"all": True, "cluster_id": "cc-east"}, DataError, "series-absent"),
])  # fmt: skip
def test_nothing_to_answer_is_a_refusal(
    whole: Standing, question: dict[str, Any], kind: type[Exception], code: str
) -> None:
    with pytest.raises(kind) as refusal:
        asked(whole, **question)
    assert refusal.value.code == code  # type: ignore[attr-defined]


def test_more_values_than_one_answer_holds_are_refused(
    whole: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_VALUES", 9 * 8 * 6 - 1)
    with pytest.raises(AskError, match="9 series × 8 steps × 6 numbers") as refusal:
        asked(whole, all=True)
    assert refusal.value.code == "batch-too-large"


def test_numbers_that_are_not_finite_are_refused_before_anything_is_sent(whole: Standing) -> None:
    plants = whole.pack.plants
    assert plants is not None
    mean = np.array(plants.mean)
    mean[0, 1] = np.nan
    pack = replace(whole.pack, plants=replace(plants, mean=mean))
    rungs = {name: replace(rung, pack=pack) for name, rung in whole.rungs.items()}
    told = asked(replace(whole, pack=pack, rungs=rungs), all=True)
    assert "AA/power/=cmd" not in names(told)
    assert told.refusals[-1]["code"] == "forecast-not-finite"
    assert "AA/power/=cmd" in names(asked(replace(whole, pack=pack, rungs=rungs), all=True, steps=1))
