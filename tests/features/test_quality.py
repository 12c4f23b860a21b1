from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import shapely

from features.reference.tables import load
from features.series.build import embedded
from features.series.facilities import one_family, sums, tagged
from features.series.from_lake import series_set
from features.series.membership import Boundary
from features.series.quality import CARD, aged, as_records, cards, compared, grade
from tests.features.places import TODAY, facility, held, in_clusters, records, run

BOX = (Boundary("nl-rotterdam", ("NL",), shapely.box(3.95, 51.83, 4.55, 52.02)),)


def test_every_series_has_a_card() -> None:
    told = cards(embedded(load()), TODAY)
    assert tuple(told.columns) == CARD
    assert len(told) == 497
    assert told["completeness"].between(0, 1).all()
    assert (told["age_days"] > 0).all()
    assert set(told["source_grade"]) == {"verified", "reported"}
    record = as_records(told.loc[["gb-humber/refining"]])["gb-humber/refining"]
    assert json.loads(json.dumps(record)) == record
    assert record["breaks"] == 3
    assert record["agreement"] is None


def test_a_card_of_an_earlier_day_ages() -> None:
    series, later = embedded(load()), TODAY + pd.Timedelta(days=400, hours=7)
    told = aged(cards(series, TODAY), series, later)
    pd.testing.assert_frame_equal(told, cards(series, later), check_exact=True)
    assert not told.equals(cards(series, TODAY))


def test_a_card_counts_gaps_and_early_ends_and_contributors() -> None:
    rows = [*run("a", 2010, [1.0] * 10), *run("b", 2010, [1.0, None, 1.0, 1.0])]
    inv = held(records(rows), [facility("a"), facility("b", sector="coke")])
    members = in_clusters(inv, BOX)
    series = series_set(inv, members, load(), kinds=("sector", "plant"))
    told = cards(series, TODAY, summed=sums(inv, members, TODAY), imputed={"nl-rotterdam/coke": 0.25})
    assert told.loc["nl-rotterdam/coke", "completeness"] == pytest.approx(3 / 10)
    assert told.loc["nl-rotterdam/refining", "completeness"] == 1.0
    assert told["contributors"].tolist() == [1, 1, 1]
    assert told.loc["nl-rotterdam/coke", "share_imputed"] == 0.25
    assert told.loc["nl-rotterdam/refining", "age_days"] == (TODAY - pd.Timestamp("2020-01-01")).days


def test_estimates_are_graded_as_estimates() -> None:
    site = facility("t", scope="climate-trace-co2e100", source="climate-trace")
    inv = held(records(run("t", 2010, [1.0] * 9), source="climate-trace"), [site])
    told = cards(series_set(inv, in_clusters(inv, BOX), load()), TODAY)
    assert set(told["source_grade"]) == {"estimated"}
    assert (told["share_imputed"] == 1.0).all()
    assert grade("anything") == "ungraded"


def test_agreement_is_measured_where_two_sources_cover_a_year() -> None:
    sites = [facility("a"), facility("t", scope="climate-trace-co2e100", source="climate-trace")]
    rows = [
        records(run("a", 2010, [10.0] * 9)),
        records(run("t", 2011, [12.0, 8.0, 10.0]), source="climate-trace"),
    ]
    inv = held(pd.concat(rows), sites)
    members = in_clusters(inv, BOX)
    one, aside = one_family(tagged(inv, members))
    tables = [
        frame.assign(year=frame["ds"].dt.year, tco2e=frame["y"], source=frame["scope_id"])
        for frame in (one, aside)
    ]
    told = compared(*[frame[frame["kind"] == "cluster"] for frame in tables])
    assert told.loc["nl-rotterdam/refining", "agreement"] == pytest.approx(0.2)
    card = cards(series_set(inv, members, load()), TODAY, agreement=told)
    row = card.loc["nl-rotterdam/refining"]
    assert (row["agreement_years"], row["agreement_with"]) == (3, "climate-trace-co2e100")
    assert np.isnan(card["agreement"]["NL/refining"])


def test_a_card_knows_only_what_was_known() -> None:
    early = cards(embedded(load()), pd.Timestamp("2015-06-01"))
    assert (early["age_days"] <= 365 * 11).all()
    assert early.loc["nl-rotterdam/refining", "periods"] == 10
