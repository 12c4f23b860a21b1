from __future__ import annotations

import pandas as pd
import pytest

from features.reference.tables import load
from features.sources.embedded import BY_RULE, rows


@pytest.fixture(scope="module")
def known() -> pd.DataFrame:
    return rows(load())


@pytest.mark.parametrize(
    ("name", "year", "published"),
    [
        ("nl-rotterdam/refining", 2005, "2006-05-15"),
        ("nl-rotterdam/refining", 2022, "2023-04-01"),
        ("GB/refining", 2020, "2021-04-01"),
        ("GB/refining", 2021, "2022-06-30"),
        ("US-TX/chemicals", 2010, "2012-01-31"),
        ("US-TX/chemicals", 2011, "2013-02-28"),
        ("US-TX/chemicals", 2023, "2024-10-31"),
    ],
)
def test_a_figure_is_known_when_its_scheme_publishes(
    known: pd.DataFrame, name: str, year: int, published: str
) -> None:
    mine = known[(known["unique_id"] == name) & (known["ds"] == pd.Timestamp(year=year, month=1, day=1))]
    assert mine["known_at"].tolist() == [pd.Timestamp(published)]


def test_every_figure_arrives_unchanged_and_says_that_its_date_is_by_rule(known: pd.DataFrame) -> None:
    figures = load().sector_emissions
    assert len(known) == len(figures)
    assert known["y"].sum() == figures["tco2e"].sum()
    assert set(known["flag"]) == {BY_RULE}
    assert known.notna().all(axis=None)
    assert set(known["source"]) == {"eu-ets", "uk-ets", "us-ghgrp"}
