from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.reference.tables import Reference, load
from features.series.build import SeriesSet, embedded
from features.series.vintages import Vintages

TODAY = pd.Timestamp("2026-11-23", tz="UTC")


@pytest.fixture(scope="module")
def series() -> SeriesSet:
    return embedded(load())


def break_years(series: SeriesSet, name: str, t: pd.Timestamp = TODAY) -> list[int]:
    dense = series.as_of(t)
    row = dense.row[name]
    return [int(dense.starts[row] + column + 1970) for column in np.flatnonzero(dense.breaks[row])]


def without(reference: Reference, area: str, sector: str, years: list[int]) -> SeriesSet:
    """The embedded set with some figures taken away."""
    rows = reference.sector_emissions
    gone = (rows["area"] == area) & (rows["sector"] == sector) & rows["year"].isin(years)
    assert gone.sum() == len(years)
    return embedded(replace(reference, sector_emissions=rows[~gone].reset_index(drop=True)))


def test_every_series_is_there_with_its_traits(series: SeriesSet) -> None:
    dense = series.as_of(TODAY)
    assert len(dense.ids) == 497
    assert np.isfinite(dense.y).sum() == 7471
    assert tuple(dense.traits.columns) == ("kind", "area", "cluster_id", "country", "sector", "scope_id")
    rows = dense.traits.set_index(pd.Index(dense.ids))
    assert list(rows.loc["nl-rotterdam/refining"]) == [
        "sector", "nl-rotterdam", "nl-rotterdam", "NL", "refining", "eu-ets",
    ]  # fmt: skip
    assert list(rows.loc["US-TX/chemicals"]) == ["context", "US-TX", "", "US", "chemicals", "us-ghgrp"]
    assert rows.loc["us-houston/chemicals", "country"] == "US"
    assert rows.loc["NL/refining", "kind"] == "context"


def test_the_figure_in_the_table_is_the_figure_in_the_array(series: SeriesSet) -> None:
    dense = series.as_of(TODAY)
    for row in load().sector_emissions.sample(200, random_state=1).to_dict("records"):
        i = dense.row[f"{row['area']}/{row['sector']}"]
        assert dense.y[i, int(row["year"]) - 1970 - dense.starts[i]] == row["tco2e"]


def test_only_what_was_known_is_seen(series: SeriesSet) -> None:
    dense = series.as_of(pd.Timestamp("2015-03-31"))
    assert "us-houston/chemicals" in dense.row
    last = dense.starts + dense.lengths - 1 + 1970
    assert last.max() == 2013
    assert series.as_of(pd.Timestamp("2015-04-01")).cutoffs().max() == np.datetime64("2014-01-01")
    assert not [name for name in series.as_of(pd.Timestamp("2011-12-31")).ids if name.startswith("us-")]


def test_the_scope_is_that_of_the_newest_figure_known_then(series: SeriesSet) -> None:
    for t, scope in (("2022-06-29", "eu-ets"), ("2022-06-30", "uk-ets")):
        dense = series.as_of(pd.Timestamp(t))
        assert dense.traits["scope_id"][dense.row["gb-humber/refining"]] == scope
    assert series.traits.loc["gb-hynet/ceramics", "scope_id"] == "eu-ets"  # it ended in 2020


@pytest.mark.parametrize(
    ("name", "years"),
    [
        ("nl-rotterdam/refining", [2008, 2013]),
        ("gb-humber/refining", [2008, 2013, 2021]),
        ("gb-hynet/ceramics", [2008, 2013]),
        ("gb-humber/iron-steel", [2021]),  # begins in 2013: the first figure is no change
        ("es-basque/aluminium", []),
        ("us-houston/chemicals", []),
        ("US-TX/petroleum-and-natural-gas-systems", [2011]),
        ("HR/refining", []),
    ],
)
def test_breaks_are_marked_where_the_new_scope_begins(series: SeriesSet, name: str, years: list[int]) -> None:
    assert break_years(series, name) == years


def test_a_break_is_not_marked_before_it_is_known(series: SeriesSet) -> None:
    assert break_years(series, "nl-rotterdam/refining", pd.Timestamp("2014-03-31")) == [2008]
    assert break_years(series, "nl-rotterdam/refining", pd.Timestamp("2014-04-01")) == [2008, 2013]


def test_no_break_ever_stands_in_the_first_column(series: SeriesSet) -> None:
    for t in ("2009-01-01", "2014-06-01", "2026-01-01"):
        dense = series.as_of(pd.Timestamp(t))
        assert not dense.breaks[:, 0].any()
        assert np.isfinite(dense.y[dense.breaks]).all()


def test_a_missing_break_year_moves_the_mark_to_the_first_figure_after_it() -> None:
    gapped = without(load(), "nl-rotterdam", "refining", [2008, 2009])
    assert break_years(gapped, "nl-rotterdam/refining") == [2010, 2013]
    merged = without(load(), "nl-rotterdam", "refining", list(range(2008, 2015)))
    assert break_years(merged, "nl-rotterdam/refining") == [2015]


def test_a_series_that_begins_with_the_break_has_none() -> None:
    late = without(load(), "nl-rotterdam", "refining", [2005, 2006, 2007])
    assert break_years(late, "nl-rotterdam/refining") == [2013]
    assert set(late.breaks.loc[late.breaks["unique_id"] == "nl-rotterdam/refining", "break_id"]) == {
        "eu-ets-2013"
    }


def test_ended_series_are_named_with_the_reason(series: SeriesSet) -> None:
    ended = series.ended(TODAY).set_index("unique_id")
    clusters = [name for name in ended.index if series.traits.loc[name, "kind"] == "sector"]
    assert len(clusters) == 11
    glass = ended.loc["nl-rotterdam/glass"]
    assert (glass["last_ds"].year, glass["area_last_ds"].year) == (2017, 2022)
    assert "2017" in glass["reason"]
    assert glass["remedy"]
    assert "nl-rotterdam/refining" not in ended.index


def test_what_ends_later_has_not_ended_yet(series: SeriesSet) -> None:
    assert "nl-rotterdam/glass" not in set(series.ended(pd.Timestamp("2018-06-01"))["unique_id"])
    assert "nl-rotterdam/glass" in set(series.ended(pd.Timestamp("2019-06-01"))["unique_id"])


def test_one_scheme_being_later_than_another_ends_nothing(series: SeriesSet) -> None:
    # between April and June 2022 the EU has 2021 and Great Britain still 2020
    assert "gb-humber/refining" not in set(series.ended(pd.Timestamp("2022-05-01"))["unique_id"])


def test_the_hash_follows_the_figures_and_not_their_order(series: SeriesSet) -> None:
    frame = series.vintages.frame
    shuffled = Vintages.of(frame.sample(frac=1, random_state=5), series.vintages.cadence)
    assert replace(series, vintages=shuffled).data_hash() == series.data_hash()
    assert len(series.data_hash()) == 64
    for column, value in (("y", 1.0), ("source", "x"), ("known_at", pd.Timestamp("2030-01-01"))):
        other = frame.copy()
        other.loc[17, column] = value
        changed = Vintages.of(other, series.vintages.cadence)
        assert replace(series, vintages=changed).data_hash() != series.data_hash()


def test_what_came_later_is_neither_seen_nor_hashed() -> None:
    whole = embedded(load())
    early = whole.until(pd.Timestamp("2022-02-01"))
    assert early.vintages.frame["known_at"].max() <= pd.Timestamp("2022-02-01")
    assert set(early.traits.index) == set(early.vintages.frame["unique_id"])
    assert early.data_hash() != whole.data_hash()
    # Nothing was published in between, so the figures are the same ones.
    assert whole.until(pd.Timestamp("2022-03-01")).data_hash() == early.data_hash()
    assert whole.until(pd.Timestamp("2100-01-01")).data_hash() == whole.data_hash()
    then, now = early.as_of(pd.Timestamp("2022-02-01")), whole.as_of(pd.Timestamp("2022-02-01"))
    assert then.ids == now.ids
    assert np.array_equal(then.y, now.y, equal_nan=True)
    assert np.array_equal(then.breaks, now.breaks)
    assert then.traits.equals(now.traits)
