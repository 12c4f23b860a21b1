from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from features.errors import AskError
from features.reference.tables import load
from features.series.build import embedded
from serving import lineage
from serving.lineage import lineage_view, period_of
from serving.origin import figures_of
from serving.shelf import Shelf, Standing
from tests.serving.synthetic import Figures, Kit, figures
from tests.serving.whole import basis, model_folder


def test_a_figure_tells_its_vintage_and_what_stood_before(whole: Standing) -> None:
    told = lineage_view("aa-north/power", "2020-06-30", whole)
    assert (told["what"], told["ds"], told["kind"]) == ("figure", "2020-01-01", "sector")
    assert (told["value"], told["known_at"], told["flag"]) == (1e6, "2023-05-05T00:00:00Z", "recorded")
    assert [(item["known_at"]) for item in told["earlier"]] == ["2021-04-01T00:00:00Z"]
    assert told["earlier"][0]["value"] == pytest.approx(5e6 * 0.97**10)
    assert (told["source"], told["scope"], told["grade"]) == ("eu-ets", "eu-ets", "verified")
    assert told["publishers"][0]["publisher"] == "European Commission"
    assert told["publishers"][0]["terms"] == "CC BY 4.0"
    assert told["repairs"] is None
    assert told["origin"]["snapshots"] == ["eutl/0123456789abcdef.1"]
    digest = told["files"]["basis/vintages.parquet"]
    assert digest == whole.pack.card["files"]["model/basis/vintages.parquet"]
    json.dumps(told, allow_nan=False)


def test_a_break_of_scope_is_named_where_it_begins(whole: Standing) -> None:
    assert [b["break_id"] for b in lineage_view("aa-north/power", "2013", whole)["breaks"]] == ["eu-ets-2013"]
    assert lineage_view("aa-north/power", "2014", whole)["breaks"] == []


def test_a_sector_is_told_by_its_plants_and_what_they_leave(whole: Standing) -> None:
    told = lineage_view("aa-north/steel", "2022", whole)
    assert [part["unique_id"] for part in told["parts"]] == ["aa-north/steel/mill", "aa-north/steel/forge"]
    assert told["parts_value"] == pytest.approx(1.7e6 * 0.97**10)
    assert told["remainder"] == pytest.approx(0.3e6 * 0.97**10, abs=0.01)
    assert told["more_parts"] == 0


def test_a_total_is_the_sum_of_its_sectors_with_those_that_ended(whole: Standing) -> None:
    told = lineage_view("aa-north", "2014", whole)
    names = {part["unique_id"] for part in told["parts"]}
    assert names == {"aa-north/power", "aa-north/steel", "aa-north/glass"}
    assert told["remainder"] == pytest.approx(0, abs=0.01)
    assert told["value"] == pytest.approx(told["parts_value"])
    assert (told["source"], told["grade"], told["known_at"]) == ("eu-ets", "verified", "2015-04-01T00:00:00Z")


def test_the_initiative_is_the_sum_of_its_clusters(whole: Standing) -> None:
    told = lineage_view("initiative", "2020", whole)
    assert {part["unique_id"]: part["scope"] for part in told["parts"]} == {
        "aa-north": "eu-ets", "bb-south": "uk-ets",
    }  # fmt: skip
    assert told["remainder"] == pytest.approx(0, abs=0.01)
    assert told["scope"] == "eu-ets + uk-ets"


def test_parts_beyond_a_number_are_counted(whole: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "MOST_PARTS", 1)
    told = lineage_view("aa-north/steel", "2022", whole)
    assert [part["unique_id"] for part in told["parts"]] == ["aa-north/steel/mill"]
    assert told["more_parts"] == 1
    assert told["parts_value"] == pytest.approx(1.7e6 * 0.97**10)


def test_a_forecast_leads_to_its_model_and_the_paths_it_sums(whole: Standing) -> None:
    told = lineage_view("aa-north", "2025", whole)
    assert (told["what"], told["step"], told["cutoff"]) == ("forecast", 3, "2022-01-01")
    assert told["value"] == pytest.approx(float(whole.rungs["aa-north"].mean[2]))
    assert told["summed"] == ["aa-north/power", "aa-north/steel"]
    assert (told["plan"], told["plan_fingerprint"], told["rung"]) == ("annual", "abc", "champion")
    assert (told["git_commit"], told["data_hash"]) == ("0" * 40, "f" * 64)
    assert lineage_view("aa-north/steel/mill", "2025", whole)["summed"] == ["aa-north/steel/mill"]
    assert "bb-south/power" in lineage_view("initiative", "2026", whole)["summed"]
    json.dumps(told, allow_nan=False)


def test_a_figure_goes_before_a_forecast_that_was_made_before_it(whole: Standing) -> None:
    name = "aa-north/power"
    rung = whole.rungs[name]
    entry = replace(rung.entry, ds=("2022-01-01", *rung.entry.ds[:-1]), cutoff="2021-01-01")
    older = replace(rung, level="previous", entry=entry)
    standing = replace(whole, rungs={**whole.rungs, name: older})
    assert lineage_view(name, "2022", standing)["what"] == "figure"
    told = lineage_view(name, "2023", standing)
    assert (told["what"], told["step"], told["rung"]) == ("forecast", 2, "previous")


def test_a_series_that_ended_keeps_its_past(whole: Standing) -> None:
    assert lineage_view("aa-north/glass", "2015", whole)["value"] == pytest.approx(1e5 * 0.97**5)
    with pytest.raises(AskError, match="unknown-period"):
        lineage_view("aa-north/glass", "2016", whole)


def test_without_kept_figures_the_unknown_stays_null(standing: Standing) -> None:
    told = lineage_view("aa-north", "2020", standing)
    assert told["value"] == pytest.approx(5e6 * 0.97**10 + 2e6 * 0.97**8)
    assert told["source"] is told["known_at"] is told["origin"] is told["publishers"] is None
    assert {part["unique_id"] for part in told["parts"]} == {"aa-north/power", "aa-north/steel"}
    assert told["parts"][0]["known_at"] is None
    forecast = lineage_view("aa-north", "2030", standing)
    assert forecast["plan"] is None


def test_figures_that_are_the_embedded_ones_are_told_from_the_reference_tables(tmp_path: Path) -> None:
    class Embedded(Figures):
        def data_hash(self) -> str:
            return embedded(load()).until(pd.Timestamp("2026-11-23T20:45:01")).data_hash()

    Kit().publish(tmp_path, series_set=Embedded(figures()[1].frame))
    shelf = Shelf(tmp_path)
    shelf.refresh()
    told = figures_of(shelf.standing.pack).figure("nl-rotterdam/refining", "2020-01-01")
    assert told is not None
    assert told["source"] == "eu-ets"
    assert told["value"] > 1e6


@pytest.mark.parametrize(
    ("ds", "code"),
    [
        ("2100", "unknown-period"),
        ("1990-01-01", "unknown-period"),
        ("", "ds-unreadable"),
        ("20x0", "ds-unreadable"),
        ("2020-13-01", "ds-unreadable"),
        ("٢٠٢٠", "ds-unreadable"),
        ("NaT", "ds-unreadable"),
        ("9999999999", "ds-unreadable"),
        ("0001-01-01", "ds-unreadable"),
        ("2604-07-21", "ds-unreadable"),
    ],
)
def test_periods_without_anything_are_refused(whole: Standing, ds: str, code: str) -> None:
    with pytest.raises(AskError) as refusal:
        lineage_view("aa-north/power", ds, whole)
    assert refusal.value.code == code


def test_an_unknown_series_is_refused(whole: Standing) -> None:
    with pytest.raises(AskError, match="unknown-series"):
        lineage_view("nowhere", "2020", whole)


def test_any_day_names_its_period(whole: Standing) -> None:
    assert {period_of(ds, whole.pack) for ds in ("2020", "2020-07", "2020-12-31")} == {"2020-01-01"}


def test_the_basis_of_the_tests_can_be_written(tmp_path: Path) -> None:
    assert (model_folder(tmp_path / "m") / "basis" / "vintages.parquet").exists()
    assert basis().origin["figures"] == "lake"
