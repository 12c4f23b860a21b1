"""What a retrain stands on: built from the lake or the embedded figures, kept, and read back alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from features.errors import AskError, DataError
from features.reference.tables import load
from features.series.basis import Basis, basis_of, bridges_of, of_embedded, stock_of
from features.series.basis_files import read_basis, write_basis
from features.series.bridges import Bridge
from features.series.facilities import added
from features.series.from_lake import FEWEST_YEARS, KINDS, drawn
from features.series.inventory_report import compared_with, plants_of, print_inventory
from features.series.lake import Lake
from features.series.membership import Boundary, of_reference
from features.series.portions import Portion
from features.series.quality import UNGRADED, of_own, of_total
from features.sources.records import FACILITY, Batch
from tests.features.places import TODAY, facility, held, in_clusters, records, run

OWN = (Boundary("xx-home", ("NL",), shapely.box(6.0, 52.5, 6.5, 52.7), basis="drawn", name="Home"),)
SINCE_2013 = [10e6 + k * 1e5 for k in range(10)]


def two_places() -> Basis:
    rows = records([*run("eutl:a", 2013, SINCE_2013), *run("eutl:b/1", 2013, [5.0] * 10)])
    inv = held(rows, [facility("eutl:a"), facility("eutl:b/1", at=(52.6, 6.2))])
    members = in_clusters(inv, (*of_reference(load()), *OWN))
    told = drawn(inv, members, load(), kinds=KINDS, fewest_years=FEWEST_YEARS)
    return basis_of([Portion(told, added(inv, members, TODAY))], load(), TODAY, OWN, ("eutl/abc.1",))


def test_the_embedded_basis_is_the_embedded_figures() -> None:
    basis = of_embedded(load(), TODAY)
    assert len(basis.series.traits) == len(basis.quality) == 497
    rotterdam = basis.totals[(basis.totals["cluster_id"] == "nl-rotterdam") & (basis.totals["year"] == 2022)]
    figures = load().sector_emissions
    mine = figures[(figures["area"] == "nl-rotterdam") & (figures["year"] == 2022)]
    assert rotterdam["tco2e"].tolist() == [mine["tco2e"].sum()]


def test_facilities_make_plants_sectors_and_the_user_s_own_clusters() -> None:
    basis = two_places()
    kinds = basis.series.traits["kind"].to_dict()
    assert kinds["nl-rotterdam/refining/eutl:a"] == "plant"
    assert kinds["xx-home/refining"] == "sector"
    assert basis.names == {"nl-rotterdam/refining/eutl:a": "eutl:a", "xx-home/refining/eutl:b_1": "eutl:b/1"}
    assert basis.places.to_dict("records") == [
        {"cluster_id": "xx-home", "name": "Home", "country": "NL", "basis": "drawn"}
    ]
    assert basis.origin == {"figures": "lake", "snapshots": ["eutl/abc.1"]}


def test_a_basis_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    basis = two_places()
    write_basis(basis, tmp_path)
    again = read_basis(tmp_path)
    assert again.series.data_hash() == basis.series.data_hash()
    assert (again.names, again.origin) == (basis.names, basis.origin)
    pd.testing.assert_frame_equal(again.series.breaks, basis.series.breaks)
    pd.testing.assert_frame_equal(again.series.traits, basis.series.traits.rename_axis("unique_id"))
    pd.testing.assert_frame_equal(again.quality, basis.quality.rename_axis("unique_id"))
    pd.testing.assert_frame_equal(again.totals, basis.totals)
    assert bridges_of(again, load())[0] == bridges_of(basis, load())[0]
    ours, theirs = basis.series.as_of(TODAY), again.series.as_of(TODAY)
    np.testing.assert_array_equal(ours.y, theirs.y)
    np.testing.assert_array_equal(ours.breaks, theirs.breaks)


def test_every_published_total_has_a_bridge_or_a_reason() -> None:
    told = bridges_of(of_embedded(load(), TODAY), load())
    published = load().published_history
    here = published[published["cluster_id"].isin(of_embedded(load(), TODAY).totals["cluster_id"])]
    assert len(told) == len(here[["cluster_id", "scope_id"]].drop_duplicates())
    bridges = {(b.cluster_id, b.to_scope): b for b in told if isinstance(b, Bridge)}
    port = bridges["nl-rotterdam", "rotterdam-co2-registered"]
    assert port.ratio == pytest.approx(1.1103, abs=1e-4)
    assert min(port.years) >= 2013
    assert bridges["nl-brightlands", "chemelot-site-ghg"].thin
    reasons = {item.facts["to_scope"]: item.code for item in told if isinstance(item, AskError)}
    assert reasons["rotterdam-all-ghg"] == "bridge-without-overlap"
    assert Bridge.of_record(port.as_record()) == port


def lake_of(tmp_path: Path) -> Lake:
    rows = records([*run("eutl:a", 2013, SINCE_2013)]).drop(columns=["source", "known_at"])
    lake = Lake(tmp_path / "lake")
    sites = pd.DataFrame([facility("eutl:a")]).loc[:, list(FACILITY)]
    batch = Batch.of(source="eutl", records=rows, facilities=sites, reader="eutl/1")
    lake.add(batch, known_at=pd.Timestamp("2024-05-01"), content_hash="a" * 64)
    return lake


def test_the_lake_tells_what_it_held_at_an_instant(tmp_path: Path) -> None:
    lake = lake_of(tmp_path)
    assert len(stock_of(lake, load(), TODAY).snapshots) == 1
    for t, sources in ((pd.Timestamp("2024-04-30"), ("eutl",)), (TODAY, ("ghgrp",))):
        with pytest.raises(AskError, match=r"lake-empty.*forecarbon ingest"):
            stock_of(lake, load(), t, sources=sources)


def test_the_inventory_is_printed_listed_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake, out = lake_of(tmp_path), tmp_path / "plants.csv"
    print_inventory(lake.root, cluster="nl-rotterdam", t=TODAY, out=out, compare=True)
    printed = capsys.readouterr().out
    assert "1 facilities" in printed
    assert "10,900,000" in printed
    assert "0 same" in printed
    assert pd.read_csv(out)[["facility_id", "year", "y", "state"]].to_numpy().tolist() == [
        ["eutl:a", 2022, SINCE_2013[-1], "operating"]
    ]
    print_inventory(lake.root, cluster=None, t=TODAY.tz_localize("UTC"))
    assert "10.900" in capsys.readouterr().out
    with pytest.raises(AskError, match=r"unknown-cluster.*nowhere"):
        plants_of("nowhere", stock_of(lake, load(), TODAY), TODAY)
    with pytest.raises(AskError, match=r"file-kind-unknown"):
        print_inventory(lake.root, cluster=None, t=TODAY, out=tmp_path / "x.doc")
    bad = tmp_path / "own.toml"
    bad.write_text("[[cluster]]\nid = 'Nope!'\n")
    with pytest.raises(DataError, match=r"boundary-invalid"):
        print_inventory(lake.root, cluster=None, t=TODAY, boundaries=bad)


def test_a_comparison_tells_same_from_different_and_missing() -> None:
    figures = load().sector_emissions
    assert set(compared_with(figures, load())["verdict"]) == {"same"}
    off = figures.copy()
    off.loc[off.index[0], "tco2e"] += 1
    new = off.iloc[[1]].assign(year=1999)
    told = compared_with(pd.concat([off.iloc[:-1], new]), load())["verdict"].value_counts().to_dict()
    assert told == {"same": len(figures) - 2, "differs": 1, "embedded-only": 1, "rebuilt-only": 1}


def test_the_card_of_a_sum_takes_the_worst_and_weighs_the_rest() -> None:
    basis = of_embedded(load(), TODAY)
    parts = basis.quality.loc[["nl-rotterdam/refining", "us-houston/chemicals"]]
    weights = {"nl-rotterdam/refining": 3.0, "us-houston/chemicals": 1.0}
    card = of_total(parts.assign(completeness=[1.0, 0.5]), weights)
    assert card["completeness"] == pytest.approx(0.875)
    assert card["source_grade"] == "reported"
    assert card["source"] == "eu-ets + us-ghgrp"
    assert card["contributors"] == parts["contributors"].sum()
    assert card["age_days"] == parts["age_days"].max()


def test_a_caller_s_rows_have_a_card_too() -> None:
    card = of_own(np.array([1.0, np.nan, 3.0, 4.0]), "own")
    assert (card["periods"], card["completeness"], card["source_grade"]) == (3, 0.75, UNGRADED)
    assert card["age_days"] is None
