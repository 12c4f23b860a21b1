"""The embedded sector figures, rebuilt from the facilities of the public records."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from features.reference.tables import load
from features.series.bridges import bridge
from features.series.build import embedded
from features.series.coordinates import country_boxes
from features.series.facilities import Inventory, of_batches, one_family, sums, tagged, totals
from features.series.from_lake import series_set
from features.series.membership import Membership, assign, of_reference
from features.series.scope_jumps import found
from features.series.states import tally, told_apart
from features.sources import eutl, ghgrp, uk_ets

TODAY = pd.Timestamp("2026-11-23")
KEY = ["area", "kind", "sector", "year", "source"]


@pytest.fixture(scope="module")
def inv(shared_data: Path) -> Inventory:
    folder = shared_data / "eutl"
    batches = [
        eutl.read(folder),
        uk_ets.read(
            shared_data / "uk_ets" / "permit_matched_to_eutl.csv.gz",
            operators=folder / "operators_daily.csv.gz",
            coordinates=folder / "installation_coordinates.csv.gz",
        ),
        ghgrp.read(next((shared_data / "ghgrp").glob("*.xlsx"))),
    ]
    return of_batches(batches, TODAY, country_boxes())


@pytest.fixture(scope="module")
def members(inv: Inventory) -> Membership:
    return assign(inv.facilities, of_reference(load()))


def test_the_embedded_figures_come_out_to_the_tonne(inv: Inventory, members: Membership) -> None:
    rebuilt = sums(inv, members, TODAY)
    both = load().sector_emissions.merge(
        rebuilt, on=KEY, how="outer", suffixes=("", "_again"), indicator=True
    )
    same = both[both["_merge"] == "both"]
    assert len(same) == 7351
    assert (same["tco2e"] == same["tco2e_again"]).all()
    assert (same["installations"] == same["installations_again"]).all()
    # Decision 9: the by-year workbook begins in 2011.
    rest = both[both["_merge"] != "both"]
    assert set(rest["_merge"]) == {"left_only"}
    assert rest.groupby(["source", "year", "kind"]).size().to_dict() == {
        ("us-ghgrp", 2010, "cluster"): 49,
        ("us-ghgrp", 2010, "state"): 71,
    }


def test_no_point_needs_repair_and_overseas_sites_are_kept(inv: Inventory) -> None:
    assert inv.changes.empty
    assert inv.counts["kept"] + inv.counts["absent"] == len(inv.facilities)
    assert (inv.facilities["lat"] < 27).sum() >= 17


def test_the_series_to_train_on_are_the_embedded_ones_and_the_plants(
    inv: Inventory, members: Membership
) -> None:
    series, old = series_set(inv, members, load()), embedded(load())
    assert (series.traits["kind"] == "plant").sum() > 10_000
    names = old.traits.index
    for trait in old.traits:
        assert (series.traits[trait].reindex(names) == old.traits[trait]).all(), trait
    for day in ("2010-06-01", "2020-06-01", "2026-11-23"):
        t = pd.Timestamp(day)
        was = old.vintages.as_of(t)
        now = series.vintages.as_of(t).merge(was, on=["unique_id", "ds"], suffixes=("", "_was"))
        assert (now["y"] - now["y_was"]).abs().max() <= 0.5
        us_2010 = was["unique_id"].str.upper().str.startswith("US-") & (was["ds"].dt.year == 2010)
        assert len(now) == len(was) - us_2010.sum()
    us = old.breaks["break_id"] == "us-ghgrp-2011"
    mine = series.breaks[series.breaks["unique_id"].isin(names)]
    pd.testing.assert_frame_equal(mine.reset_index(drop=True), old.breaks[~us].reset_index(drop=True))


def test_rotterdam_is_bridged_to_the_port_s_registered_total(inv: Inventory, members: Membership) -> None:
    over = bridge(
        load().published_history, totals(sums(inv, members, TODAY)), cluster="nl-rotterdam",
        to_scope="rotterdam-co2-registered", from_scope="eu-ets", since=2013,
    )  # fmt: skip
    assert over.years == (2016, 2018, 2020, 2022)
    assert over.ratio == pytest.approx(1.1103, abs=1e-4)
    assert over.spread == pytest.approx(0.0535, abs=1e-4)


def test_declared_breaks_are_found_and_states_told(inv: Inventory, members: Membership) -> None:
    rows, _ = one_family(tagged(inv, members))
    jumps = found(rows[rows["kind"] != "cluster"], load().scope_breaks)
    told = {(r.scheme, r.from_year): r.declared for r in jumps.itertuples()}
    assert told == {
        ("eu-ets", 2008): True, ("eu-ets", 2013): True, ("eu-ets", 2021): False,
        ("uk-ets", 2021): True, ("us-ghgrp", 2016): False,
    }  # fmt: skip
    states = tally(told_apart(inv, TODAY))
    figures = inv.records[inv.records["y"] > 0]
    assert states["operating"] >= len(figures)
    assert states["facilities"] == figures["facility_id"].nunique()
