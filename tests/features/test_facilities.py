from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import DataError
from features.reference.tables import load
from features.series.facilities import one_family, sums, tagged, totals
from features.series.from_lake import series_set
from features.series.membership import Boundary
from features.series.scope_jumps import found
from tests.features.places import OUTSIDE, SEEN, TODAY, facility, held, in_clusters, records, run

BOX = (Boundary("nl-rotterdam", ("NL",), shapely.box(3.95, 51.83, 4.55, 52.02)),)
LATER = pd.Timestamp("2025-02-01")


def test_sums_count_who_emits_and_have_no_row_where_nobody_does() -> None:
    rows = records([*run("a", 2010, [1.4, 0.0]), *run("b", 2010, [2.2, 3.0, 0.0]), *run("c", 2010, [10.0])])
    inv = held(rows, [facility("a"), facility("b"), facility("c", at=OUTSIDE)])
    told = sums(inv, in_clusters(inv, BOX), TODAY)
    assert told.to_dict("list") == {
        "area": ["NL", "NL", "nl-rotterdam", "nl-rotterdam"],
        "kind": ["country", "country", "cluster", "cluster"],
        "sector": ["refining"] * 4,
        "year": [2010, 2011, 2010, 2011],
        "tco2e": [14, 3, 4, 3],
        "installations": [3, 1, 2, 1],
        "source": ["eu-ets"] * 4,
    }
    assert totals(told)["tco2e"].tolist() == [4, 3]


def test_a_series_goes_on_under_the_next_scheme_and_a_silent_source_does_not_speak() -> None:
    sites = [facility("a", country="GB", at=(53.7, -0.3)),
             facility("a", country="GB", at=(53.7, -0.3), scope="uk-ets", source="uk-ets")]  # fmt: skip
    old = records([*run("a", 2020, [5.0]), ("a", 2021, None, "closed")])
    new = records(run("a", 2021, [6.0]), source="uk-ets")
    told = sums(inv := held(pd.concat([old, new]), sites), in_clusters(inv, ()), TODAY)
    assert told[["year", "tco2e", "source"]].to_numpy().tolist() == [[2020, 5, "eu-ets"], [2021, 6, "uk-ets"]]


def test_two_sources_with_a_figure_for_one_site_and_year_are_refused() -> None:
    sites = [facility("a"), facility("a", scope="uk-ets", source="uk-ets")]
    rows = pd.concat([records(run("a", 2021, [5.0])), records(run("a", 2021, [6.0]), source="uk-ets")])
    with pytest.raises(DataError, match="facility-counted-twice.*a 2021"):
        held(rows, sites)


def test_scopes_are_never_added() -> None:
    sites = [facility("a"), facility("t", scope="climate-trace-co2e100", source="climate-trace")]
    rows = pd.concat([records(run("a", 2010, [5.0])), records(run("t", 2010, [9.0]), source="climate-trace")])
    inv = held(rows, sites)
    members = in_clusters(inv, BOX)
    assert set(sums(inv, members, TODAY)["tco2e"]) == {5}
    _, aside = one_family(tagged(inv, members))
    assert set(aside["scope_id"]) == {"climate-trace-co2e100"}
    other = [facility("a"), facility("b", scope="uk-ets", source="uk-ets")]
    both = held(
        pd.concat([records(run("a", 2021, [5.0])), records(run("b", 2021, [9.0]), source="uk-ets")]), other
    )
    with pytest.raises(DataError, match="area-crosses-scopes.*2021"):
        sums(both, in_clusters(both, BOX), TODAY)


def test_months_are_left_aside_and_counted() -> None:
    inv = held(records(run("a", 2010, [5.0])), [facility("a", cadence="month")])
    assert inv.counts["left_aside"] == 1
    assert inv.records.empty


def test_states_of_america_are_areas() -> None:
    inv = held(records(run("a", 2012, [5.0])), [facility("a", country="US", region="TX", at=(29.7, -95.2))])
    assert sums(inv, in_clusters(inv, ()), TODAY)[["area", "kind"]].to_numpy().tolist() == [
        ["US-TX", "state"]
    ]


def test_a_restatement_moves_the_sum_from_its_day_on() -> None:
    first = records([*run("a", 2010, [1.0] * 9), *run("b", 2010, [10.0] * 9)])
    again = records(run("a", 2012, [3.0]), known_at=LATER)
    withdrawn = records(run("b", 2013, [None]), known_at=LATER)
    inv = held(pd.concat([first, again, withdrawn]), [facility("a"), facility("b")])
    series = series_set(inv, in_clusters(inv, BOX), load())
    before, after = series.as_of(SEEN), series.as_of(TODAY)
    row = before.row["nl-rotterdam/refining"]
    assert before.y[row].tolist() == [11.0] * 9
    assert after.y[after.row["nl-rotterdam/refining"]].tolist() == [11.0, 11.0, 13.0, 1.0, *[11.0] * 5]
    assert np.isnan(after.y[after.row["nl-rotterdam/refining/b"]][3])
    # By the rules of publication the figure of 2010 was public in April 2011, whenever the lake saw it.
    early = series.as_of(pd.Timestamp("2012-05-01"))
    assert early.y[early.row["nl-rotterdam/refining"]].tolist() == [11.0, 11.0]


def test_plants_need_eight_years_and_end_with_their_last_figure() -> None:
    rows = [
        *run("a", 2010, [0.0, *[1.0] * 8, 0.0, 0.0]),
        *run("b", 2010, [1.0] * 7),
        *run("c", 2010, [2.0] * 11),
    ]
    inv = held(records(rows), [facility("a"), facility("b"), facility("c", at=OUTSIDE)])
    series = series_set(inv, in_clusters(inv, BOX), load())
    kinds = series.traits["kind"].to_dict()
    assert kinds == {
        "NL/refining": "context", "NL/refining/c": "plant", "nl-rotterdam/refining": "sector",
        "nl-rotterdam/refining/a": "plant",
    }  # fmt: skip
    dense = series.as_of(TODAY)
    assert dense.y[dense.row["nl-rotterdam/refining/a"]][:8].tolist() == [1.0] * 8
    assert dense.lengths[dense.row["nl-rotterdam/refining/a"]] == 8
    assert series.traits.loc["NL/refining/c", "cluster_id"] == ""
    assert set(series.breaks["break_id"]) == {"eu-ets-2013"}
    assert not series.breaks["unique_id"].str.count("/").eq(2).any(), "a refinery's own figure has no break"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(2010, 2012), st.one_of(st.none(), st.integers(0, 9)),
                  st.integers(0, 3)),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_vintages_of_sums_are_sums_of_vintages(rows: list[tuple[str, int, int | None, int]]) -> None:
    """Oracle: at every instant, add up the newest row of each facility by hand."""
    newest = {(name, year, age): y for name, year, y, age in rows}
    frames = [
        records([(name, year, y, "operating" if y is not None else "not-reported")],
                known_at=SEEN + pd.Timedelta(days=age))
        for (name, year, age), y in newest.items()
    ]  # fmt: skip
    inv = held(pd.concat(frames), [facility(name) for name in "abc"])
    if not (inv.records["y"] > 0).any():
        return
    reference = load()
    late = reference.publication.assign(source_id="nobody")
    series = series_set(inv, in_clusters(inv, BOX), replace(reference, publication=late), kinds=("sector",))
    for age in range(4):
        t = SEEN + pd.Timedelta(days=age)
        known = series.vintages.as_of(t).dropna(subset=["y"])
        expected: dict[int, float] = {}
        for name in "abc":
            for year in (2010, 2011, 2012):
                ages = [k for k in range(age + 1) if (name, year, k) in newest]
                value = newest[name, year, ages[-1]] if ages else None
                if value:
                    expected[year] = expected.get(year, 0.0) + value
        assert dict(zip(known["ds"].dt.year, known["y"], strict=True)) == expected


def test_a_year_in_which_many_areas_change_is_found_and_known_as_declared() -> None:
    rows, sites = [], []
    for country, at in (("NL", OUTSIDE), ("BE", (51.2, 4.4)), ("DE", (50.0, 8.0))):
        for k in range(30):
            name = f"{country}:{k}"
            late = k < 6 and country != "DE"
            rows += run(name, 2013 if late else 2010, [5.0] * (5 if late else 8))
            sites.append(facility(name, country=country, at=at))
    inv = held(records(rows), sites)
    tags = tagged(inv, in_clusters(inv, ()))
    (jump,) = found(tags, load().scope_breaks).to_dict("records")
    assert (jump["scheme"], jump["from_year"], jump["areas_jumping"], jump["declared"]) == (
        "eu-ets",
        2013,
        2,
        True,
    )
    assert jump["entered"] == pytest.approx(0.2)
    assert jump["material"]
    undeclared = found(tags, load().scope_breaks.iloc[:1])
    assert undeclared["declared"].tolist() == [False]
