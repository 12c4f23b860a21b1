from __future__ import annotations

import json
from dataclasses import replace

import pytest

from features.errors import AskError
from serving.evidence import evidence_view
from serving.shelf import Standing


def test_a_judged_series_is_told_beside_the_baseline_and_its_kind(whole: Standing) -> None:
    told = evidence_view("aa-north/power", whole)
    assert told["judged"]
    assert told["scores"] == {
        "n": 10, "n_missing": 2, "folds": 5, "mase": 0.8, "sql": 0.3, "coverage_80": 0.8, "coverage_95": 1.0,
    }  # fmt: skip
    assert told["baseline_scores"]["mase"] == 1.0
    assert told["skill"] == pytest.approx({"mase": 0.2, "sql": 0.25})
    assert (told["kind_scores"]["mase"], told["kind_baseline_scores"]["mase"]) == (0.9, 1.1)
    assert [(row["role"], row["step"]) for row in told["kind_by_step"]] == [("challenger", 1)]
    assert (told["forecaster"], told["baseline"], told["plan"]) == ("blend", "naive", "annual")
    assert told["issued"] == ["2020-06-15", "2021-06-15"]
    assert told["model_version"] == whole.pack.model_version
    for words in ("10 forecasts", "5 past cutoffs", "MASE 0.80", "80%", "naive: MASE 1.00"):
        assert words in told["sentence"]


def test_past_fans_are_told_beside_what_came_true(whole: Standing) -> None:
    told = evidence_view("aa-north/power", whole)["fans"]
    assert [(fan["issued"], fan["cutoff"]) for fan in told] == [
        ("2021-06-15", "2019-01-01"), ("2022-06-15", "2020-01-01"),
    ]  # fmt: skip
    assert [row["y"] for fan in told for row in fan["rows"]] == [7.0, 7.0, 7.0, None]
    first = told[0]["rows"][0]
    assert (first["ds"], first["step"], first["quantiles"]["0.5"]) == ("2020-01-01", 1, 2020.5)
    json.dumps(told, allow_nan=False)
    assert evidence_view("aa-north/steel", whole)["fans"] == []


def test_a_model_that_keeps_no_fans_tells_none(standing: Standing) -> None:
    assert evidence_view("aa-north/power", standing)["fans"] == []


@pytest.mark.parametrize("name", ["aa-north/steel", "aa-north/steel/mill", "initiative", "aa-north/glass"])
def test_what_was_not_judged_has_no_numbers(whole: Standing, name: str) -> None:
    told = evidence_view(name, whole)
    assert not told["judged"]
    assert told["scores"] is told["baseline_scores"] is told["skill"] is None
    assert f"No backtest of {name}" in told["sentence"]


def test_scores_over_nothing_are_null(whole: Standing) -> None:
    told = evidence_view("bb-south/power", whole)
    assert (told["scores"]["n"], told["scores"]["mase"]) == (0, None)
    assert told["skill"] is None
    assert "not known" in told["sentence"]
    json.dumps(told, allow_nan=False)


def test_a_model_without_a_track_record_says_that_nothing_is_known(standing: Standing) -> None:
    told = evidence_view("aa-north/power", standing)
    assert told["kind"] == "sector"
    assert told["scores"] is told["kind_scores"] is told["forecaster"] is None
    assert "nothing is known" in told["sentence"]


def test_an_unknown_series_is_refused(whole: Standing) -> None:
    with pytest.raises(AskError, match=r"did you mean aa-north/power\? see GET /v1/series") as refusal:
        evidence_view("aa-north/pwoer", whole)
    assert refusal.value.code == "unknown-series"


def test_scores_of_a_champion_that_does_not_speak_are_told_as_such(whole: Standing) -> None:
    name = "aa-north/power"
    spoken = replace(whole.rungs[name], level="naive", made_by="naive (because of a test)", plain=True)
    told = evidence_view(name, replace(whole, rungs={**whole.rungs, name: spoken}))
    assert told["judged"]
    assert "now speaks naive (because of a test)" in told["sentence"]
