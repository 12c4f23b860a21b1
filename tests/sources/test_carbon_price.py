from __future__ import annotations

import csv
from pathlib import Path

import pytest

from features.errors import DataError
from features.sources import carbon_price
from features.sources.records import Batch


@pytest.fixture
def small(fixtures: Path) -> Path:
    return fixtures / "carbon_price.csv"


def counted(path: Path) -> dict[tuple[str, int], float]:
    with path.open(newline="") as stream:
        return {
            (f"carbon-price:{row['scheme']}/{row['currency']}", int(row["year"])): float(row["price"])
            for row in csv.DictReader(stream)
        }


def figures(batch: Batch) -> dict[tuple[str, int], float]:
    records = batch.records
    keys = zip(records["facility_id"], records["ds"].dt.year, strict=True)
    return dict(zip(keys, records["y"], strict=True))


def test_a_small_file(small: Path) -> None:
    batch = carbon_price.read(small)
    assert figures(batch) == counted(small)
    assert batch.facilities[["facility_id", "activity", "cadence"]].to_numpy().tolist() == [
        ["carbon-price:eu-ets/EUR", "EUR/tCO2", "year"], ["carbon-price:uk-ets/GBP", "GBP/tCO2", "year"],
    ]  # fmt: skip


def test_without_a_scheme_the_currency_names_the_series(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("year,price,currency,source\n2023,83.2,EUR,exchange\n2024,65.1,EUR,exchange\n")
    assert carbon_price.read(path).facilities["facility_id"].tolist() == ["carbon-price:EUR"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("2023,83.2,EUR,", "source-missing"),
        ('2023,"83,2",EUR,exchange', "figure-unreadable"),
        ("2023,8320,EUR,exchange", "figure-unlawful"),
        ("2023,-1,EUR,exchange", "figure-unlawful"),
        ("2023,83.2,euro,exchange", "currency-unreadable"),
        ("next,83.2,EUR,exchange", "year-unreadable"),
    ],
)
def test_a_row_at_fault_is_named_and_left_out(tmp_path: Path, row: str, code: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"year,price,currency,source\n2024,65.1,EUR,exchange\n{row}\n")
    batch = carbon_price.read(path)
    assert batch.complaints[["row", "code"]].to_numpy().tolist() == [[3, code]]
    assert batch.records["y"].tolist() == [65.1]


@pytest.mark.parametrize("scheme", ["", "2024-02-30", "EU ETS", "nan"])
def test_a_scheme_that_is_lost_among_others_makes_no_new_series(tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"year,price,currency,source,scheme\n2023,83.2,EUR,a,{scheme}\n2024,65.1,EUR,a,eu-ets\n")
    batch = carbon_price.read(path)
    assert batch.facilities["facility_id"].tolist() == ["carbon-price:eu-ets/EUR"]
    assert batch.complaints["code"].tolist() == ["scheme-unreadable"]


def test_two_prices_for_one_year_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("year,price,currency,source\n2024,65.1,EUR,a\n2024,66,EUR,b\n")
    with pytest.raises(DataError, match="source-repeats"):
        carbon_price.read(path)
