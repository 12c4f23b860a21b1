"""A person's way from facility records to bridged forecasts: ingest, inventory, retrain, forecast."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd

from features.files import read_json
from serving.printed import opened_shelf
from tests import warm
from tests.conftest import run_in

PLAN = """
name = "plants"
experiment = "plants"
[figures]
from = "lake"
sources = ["eutl"]
boundaries = "clusters.toml"
[folds]
issue_month = 6
issue_day = 15
first_year = 2013
last_year = 2021
scored = 4
[recipe]
name = "blend"
members = ["naive", "drift"]
reach = 3
memory = 0.9
anchor = 0.4
pull = 0.01
arima_final = "grid"
[gate]
baseline = "naive"
primary = "sql"
tolerance = 1.0
least_pairs = 50
least_folds = 3
coverage_gap = 0.4
worst_kind = 1.0
"""
OWN = """
[[cluster]]
id = "nl-east"
name = "East of the country"
country = "NL"
boxes = [[6.0, 52.0, 7.0, 53.0]]
"""
# Rotterdam, and a place that only the user's own cluster holds.
PLACES = {"NL": ((51.95, 4.1), (52.5, 6.5))}
YEARS = range(2005, 2023)


def write_extracts(folder: Path, *, plants: int = 40) -> dict[tuple[str, int], int]:
    """Daily extracts of made-up plants; returns Rotterdam's tonnes by (place, year)."""
    rng = np.random.default_rng(7)
    folder.mkdir()
    sums: dict[tuple[str, int], int] = {}
    operators, years, points = [], [], []
    for number in range(1, plants + 1):
        at = PLACES["NL"][number % 2]
        where = "nl-rotterdam" if number % 2 == 0 else "nl-east"
        operators.append(["NL", number, f"Works {number}", f"P-{number}", (21, 20, 42)[number % 3]])
        points.append(["NL", number, *at])
        level = 5e5 * np.exp(np.cumsum(rng.normal(0, 0.08, len(YEARS))))
        for year, tonnes in zip(YEARS, level.astype(int), strict=True):
            years.append(["NL", number, year, int(tonnes), "N", int(tonnes), ""])
            sums[where, year] = sums.get((where, year), 0) + int(tonnes)
    tables = {
        "operators_daily": (
            "REGISTRY_CODE,INSTALLATION_IDENTIFIER,INSTALLATION_NAME,PERMIT_IDENTIFIER,ACTIVITY_TYPE_CODE",
            operators,
        ),
        "operators_yearly_activity_daily": (
            "REGISTRY_CODE,INSTALLATION_IDENTIFIER,PERIOD_YEAR,VERIFIED_EMISSIONS,EXCLUDED,ALLOCATION,"
            "ALLOCATION_RES",
            years,
        ),
        "installation_coordinates": ("REGISTRY_CODE,INSTALLATION_IDENTIFIER,LATITUDE,LONGITUDE", points),
    }
    for name, (head, rows) in tables.items():
        with (folder / f"{name}.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([head.split(","), *rows])
    return sums


def test_from_facility_records_to_a_bridged_forecast(tmp_path: Path, shell_env: dict[str, str]) -> None:
    store, records = tmp_path / "store", tmp_path / "eutl"
    sums = write_extracts(records)
    (tmp_path / "plants.toml").write_text(PLAN)
    (tmp_path / "clusters.toml").write_text(OWN)

    def run(*words: str) -> str:
        return run_in(store, ("forecarbon", *words), {**shell_env, warm.SHORT: "yes"})

    assert "40 facilities" in re.sub(r"facilities (\d+)", r"\1 facilities", run(
        "ingest", "eutl", "--file", str(records), "--known-at", "2023-05-01"
    ))  # fmt: skip
    out = tmp_path / "sums.csv"
    told = run("inventory", "--boundaries", str(tmp_path / "clusters.toml"), "--out", str(out))
    assert "In clusters: 40" in told
    written = pd.read_csv(out)
    own = written[written["kind"] == "cluster"].groupby(["area", "year"])["tco2e"].sum()
    assert {key: int(own[key]) for key in sums} == sums

    printed = run("retrain", "--plan", str(tmp_path / "plants.toml"))
    assert "single plants" in printed
    assert "promote" in printed
    listed = run("clusters")
    assert "nl-east" in listed
    assert "East of the country" in listed

    plain = run("forecast", "nl-rotterdam")
    assert "quality: figures verified (eu-ets), 18 periods, 100% complete" in plain
    port = run("forecast", "nl-rotterdam", "--scope", "rotterdam-co2-registered")
    assert "over a bridge from eu-ets" in port
    assert "2016, 2018, 2020, 2022" in port
    run("forecast", "nl-east/refining/eutl:NL_3", "--out", str(tmp_path / "plant.csv"))
    plant = pd.read_csv(tmp_path / "plant.csv")
    assert plant["made_by"].iloc[0] == "blend"
    assert plant["quality_source_grade"].iloc[0] == "verified"

    standing = opened_shelf(store)
    kept = read_json(store / "models" / standing.pack.model_version / "basis" / "basis.json")
    assert kept["origin"]["figures"] == "lake"
    assert standing.pack.clusters["nl-east"]["facts"]["country"] == "NL"


def test_without_records_a_retrain_says_what_to_ingest(tmp_path: Path, shell_env: dict[str, str]) -> None:
    (tmp_path / "plants.toml").write_text(PLAN)
    (tmp_path / "clusters.toml").write_text(OWN)
    words = ["forecarbon", "retrain", "--plan", str(tmp_path / "plants.toml"), "--store", str(tmp_path / "s")]
    done = warm.run(words, env=shell_env)
    assert done.returncode == 2
    assert "lake-empty" in done.stderr
    assert "forecarbon ingest eutl" in done.stderr
