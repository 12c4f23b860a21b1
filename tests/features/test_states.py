from __future__ import annotations

import pandas as pd

from features.series.states import tally, told_apart
from tests.features.places import TODAY, Row, facility, held, records, run


def told(rows: list[Row], *extra: Row) -> dict[tuple[str, int], str]:
    """States of the facilities, beside ten that report every year from 2010 to 2020."""
    steady = [row for k in range(10) for row in run(f"s:{k}", 2010, [5.0] * 11)]
    names = sorted({row[0] for row in [*rows, *extra]})
    inv = held(
        records([*steady, *rows, *extra]),
        [facility(f"s:{k}") for k in range(10)] + [facility(name) for name in names],
    )
    frame = told_apart(inv, TODAY)
    frame = frame[frame["facility_id"].isin(names)]
    pairs = zip(frame["facility_id"], frame["ds"].dt.year, strict=True)
    return {
        (str(name), int(year)): str(state) for (name, year), state in zip(pairs, frame["state"], strict=True)
    }


def years(found: dict[tuple[str, int], str], name: str) -> list[str]:
    return [found[key] for key in sorted(found) if key[0] == name]


def test_a_gap_is_not_a_closure() -> None:
    found = told(run("f", 2010, [1.0, None, 2.0, 0.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0]))
    assert years(found, "f") == ["operating", "not-reported", *["operating"] * 9]


def test_absent_years_are_told_too() -> None:
    found = told([*run("f", 2010, [1.0]), *run("f", 2013, [2.0])])
    assert years(found, "f") == ["operating", *["not-reported"] * 2, "operating", *["closed"] * 7]


def test_years_before_the_first_figure_are_not_its_life() -> None:
    found = told(run("f", 2010, [0.0, 0.0, None, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0]))
    assert min(found) == ("f", 2013)
    assert told(run("f", 2010, [0.0, None])) == {}


def test_a_last_silent_year_may_be_a_late_report() -> None:
    assert years(told(run("f", 2010, [1.0] * 10)), "f")[-1] == "not-reported"
    assert years(told(run("f", 2010, [1.0] * 9)), "f")[-2:] == ["closed", "closed"]
    assert years(told(run("f", 2010, [1.0] * 10 + [0.0])), "f")[-1] == "closed"


def test_an_exclusion_is_no_closure() -> None:
    out: list[Row] = [("f", year, None, "excluded") for year in range(2013, 2021)]
    assert years(told([*run("f", 2010, [1.0] * 3), *out]), "f")[3:] == ["excluded"] * 8


def test_a_newest_year_that_is_half_out_is_not_yet_published() -> None:
    rows = [row for k in range(9) for row in run(f"f:{k}", 2010, [1.0, 1.0])] + run("g", 2010, [1.0] * 3)
    inv = held(records(rows), [facility(name) for name in sorted({row[0] for row in rows})])
    frame = told_apart(inv, TODAY)
    newest = frame[frame["ds"].dt.year == 2012].set_index("facility_id")["state"]
    assert newest["g"] == "operating"
    assert set(newest.drop("g")) == {"not-yet-published"}


def test_a_site_that_changes_scheme_goes_on_and_one_that_does_not_ends_with_its_own() -> None:
    eu = [row for name in ("moves", "stays") for row in run(name, 2018, [1.0, 1.0, 1.0])]
    closed: list[Row] = [("moves", 2021, None, "closed")]
    sites = [facility(name, country="GB", at=(53.7, -0.3)) for name in ("moves", "stays")]
    uk = facility("moves", country="GB", at=(53.7, -0.3), scope="uk-ets", source="uk-ets")
    rows = pd.concat([records([*eu, *closed]), records(run("moves", 2021, [2.0, 2.0]), source="uk-ets")])
    frame = told_apart(held(rows, [*sites, uk]), TODAY)
    assert frame.groupby("facility_id")["ds"].max().dt.year.to_dict() == {"moves": 2022, "stays": 2020}
    assert set(frame["state"]) == {"operating"}
    assert tally(frame) == {"operating": 8, "facilities": 2, "facilities_closed": 0}


def test_nothing_known_tells_nothing() -> None:
    inv = held(records(run("f", 2010, [1.0])), [facility("f")])
    assert told_apart(inv, pd.Timestamp("2000-01-01")).empty
