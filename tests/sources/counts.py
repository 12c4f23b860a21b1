"""Figures of public files counted the slow, obvious way: the csv module and json, nothing of a reader's."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import openpyxl
import pandas as pd

Counted = dict[tuple[str, pd.Timestamp], float]
FUELS: Final = ("Total", "Coal", "Oil", "Gas", "Cement", "Flaring", "Other")
OWID: Final = {
    "co2": "total", "coal_co2": "coal", "oil_co2": "oil", "gas_co2": "gas", "cement_co2": "cement",
    "flaring_co2": "flaring", "other_industry_co2": "other",
}  # fmt: skip
STATIONARY: Final = "OPERATOR_HOLDING_ACCOUNT"
_DIRECT: Final = "total reported direct emissions"


def rows_of(payload: bytes) -> list[dict[str, str]]:
    """Rows of a CSV, plain or gzipped."""
    text = (gzip.decompress(payload) if payload[:2] == b"\x1f\x8b" else payload).decode()
    return list(csv.DictReader(io.StringIO(text)))


def at(year: int | str, month: int | str = 1) -> pd.Timestamp:
    """First instant of a year or month."""
    return pd.Timestamp(year=int(year), month=int(month), day=1)


def eutl(payload: bytes) -> Counted:
    """Tonnes by site and year; codes 900 and up of the handmade files are no stationary sites."""
    return {
        (f"eutl:{row['REGISTRY_CODE']}_{row['INSTALLATION_IDENTIFIER']}", at(row["PERIOD_YEAR"])): float(
            row["VERIFIED_EMISSIONS"]
        )
        for row in rows_of(payload)
        if int(row["VERIFIED_EMISSIONS"]) >= 0 and int(row["INSTALLATION_IDENTIFIER"]) < 900
    }


def uk_report(path: Path) -> Counted:
    """Tonnes of stationary sites by permit and year, from the table of the report."""
    return {
        (f"uk-ets:{row['Permit ID or Monitoring plan ID']}", at(year)): float(
            row[f"Recorded emissions {year}"]
        )
        for row in rows_of(path.read_bytes())
        if row["Account type"] == STATIONARY
        for year in range(2021, 2025)
        if row[f"Recorded emissions {year}"].isdigit()
    }


def uk_continuation(payload: bytes) -> Counted:
    """Tonnes by site of the EU registry and year."""
    return {
        (f"eutl:{row['REGISTRY_CODE']}_{row['INSTALLATION_IDENTIFIER']}", at(row["year"])): float(
            row["verified_tco2e"]
        )
        for row in rows_of(payload)
    }


def ghgrp(payload: bytes) -> Counted:
    """Tonnes by facility and year of a workbook with its header on row 4; one year: 2022."""
    book = openpyxl.load_workbook(io.BytesIO(payload), read_only=True)
    rows = list(book["Direct Point Emitters"].iter_rows(values_only=True))
    found: Counted = {}
    for row in rows[4:]:
        for name, value in zip(rows[3], row, strict=True):
            told = str(name).lower()
            if told.endswith(_DIRECT) and isinstance(value, int | float):
                found[f"ghgrp:{row[0]}", at(2022 if told == _DIRECT else told[:4])] = float(value)
    return found


def ghgrp_pipelines(payload: bytes) -> Counted:
    """Tonnes by pipeline, state and year of a workbook with its header on row 4."""
    book = openpyxl.load_workbook(io.BytesIO(payload), read_only=True)
    rows = list(book["Transmission Pipelines"].iter_rows(values_only=True))
    found: Counted = {}
    for row in rows[4:]:
        for name, value in zip(rows[3], row, strict=True):
            if str(name)[:2] == "20" and isinstance(value, int | float):
                found[f"ghgrp-segments:transmission/{row[0]}/{row[3]}", at(str(name)[:4])] = float(value)
    return found


def gcb(payload: bytes) -> Counted:
    """Tonnes by area, fuel and year, from million tonnes."""
    found: Counted = {}
    for row in rows_of(payload):
        area = row["ISO 3166-1 alpha-3"] or f"M49-{row['UN M49']}"
        for fuel in FUELS:
            if row[fuel]:
                found[f"gcb:{area}/{fuel.lower()}", at(row["Year"])] = round(float(row[fuel]) * 1e6, 6)
    return found


def owid_co2(payload: bytes) -> Counted:
    """Tonnes by area, fuel and year, from million tonnes."""
    found: Counted = {}
    for row in rows_of(payload):
        area = row["iso_code"] or row["country"].lower().replace(" ", "-")
        for column, fuel in OWID.items():
            if row.get(column):
                found[f"owid-co2:{area}/{fuel}", at(row["year"])] = round(float(row[column]) * 1e6, 6)
    return found


def us_power(payload: bytes) -> Counted:
    """Tonnes by state and month, from kilograms."""
    return {
        (f"us-power:{row['state']}", at(row["year"], row["month"])): float(row["final co2 (kg)"]) / 1000
        for row in rows_of(payload)
    }


def eurostat_ipi(payload: bytes) -> Counted:
    """Indices by country and month."""
    found: Counted = {}
    for row in rows_of(payload):
        year, month = row.pop("month").split("-")
        found |= {
            (f"eurostat-ipi:{code}", at(year, month)): float(cell) for code, cell in row.items() if cell
        }
    return found


def carbon_price(payload: bytes) -> Counted:
    """Prices by scheme, currency and year."""
    return {
        (f"carbon-price:{row['scheme']}/{row['currency']}", at(row["year"])): float(row["price"])
        for row in rows_of(payload)
    }


def climate_trace_bulk(payload: bytes) -> Counted:
    """Tonnes by source and year, of years with twelve months."""
    months: dict[tuple[str, pd.Timestamp], list[float]] = defaultdict(list)
    for row in rows_of(payload):
        assert row["temporal_granularity"] == "month"
        key = (f"climate-trace:{row['source_id']}", at(row["start_time"][:4]))
        months[key].append(float(row["emissions_quantity"]))
    return {key: sum(values) for key, values in months.items() if len(values) == 12}


def climate_trace_v6(payload: bytes) -> Counted:
    """Tonnes by asset of a reply asked for 2022."""
    return {
        (f"climate-trace:{asset['Id']}", at(2022)): entry["EmissionsQuantity"]
        for asset in json.loads(payload)["assets"]
        for entry in asset["EmissionsSummary"]
        if entry["Gas"] == "co2e_100yr" and entry["EmissionsQuantity"] is not None
    }


def climate_trace_sources(payload: bytes) -> Counted:
    """Tonnes by source and year."""
    return {
        (f"climate-trace:{item['id']}", at(item["year"])): item["emissionsQuantity"]
        for item in json.loads(payload)
    }


def climate_trace_source(payload: bytes) -> Counted:
    """Tonnes of one source by year, of years with twelve months."""
    body: dict[str, Any] = json.loads(payload)
    months: dict[int, list[float]] = defaultdict(list)
    for entry in body["emissions"]:
        months[entry["year"]].append(entry["emissionsQuantity"])
    return {
        (f"climate-trace:{body['id']}", at(year)): sum(values)
        for year, values in months.items()
        if len(values) == 12
    }


def climate_trace_totals(payload: bytes) -> Counted:
    """Tonnes of an area by subsector and month."""
    body: dict[str, Any] = json.loads(payload)
    area = body["location"]["gadmId"]
    return {
        (f"climate-trace:{area}/{row['sector']}/{row['subsector']}", at(row["year"], row["month"])): row[
            "emissionsQuantity"
        ]
        for row in body["subsectors"]["timeseries"]
    }
