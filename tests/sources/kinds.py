"""Every kind of file that a reader of features/sources/readers.py takes: small, true, ready to be spoilt."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from features.sources import carbon_price, eutl, gcb, owid_co2, uk_ets, us_power
from features.sources.climate_trace_bulk import COLUMNS as BULK
from features.sources.ets_sites import COORDINATES, OPERATORS
from features.sources.readers import reader_of
from features.sources.records import Batch
from tests.sources import counts
from tests.sources.mutations import Subject, Truth, Way
from tests.sources.spoilt_csv import csv_ways
from tests.sources.spoilt_json import json_ways
from tests.sources.spoilt_xlsx import xlsx_ways
from tests.sources.workbooks import (
    EMITTED_BY_PIPELINES,
    PIPELINES,
    as_workbook,
    ghgrp_by_year,
    ghgrp_one_year,
    ghgrp_pipelines,
)

FIXTURES: Final = Path(__file__).resolve().parents[1] / "fixtures" / "sources"
EUTL: Final = FIXTURES / "eutl"
YEARS: Final = EUTL / "operators_yearly_activity_daily.csv"
SITES: Final = EUTL / "operators_daily.csv"
KNOWN_AT: Final = pd.Timestamp("2026-06-01")
# What a price or an index is printed with already: a second mark is no harmless change.
MARKED: Final = ("point and zero",)


@dataclass(frozen=True)
class Kind:
    """One kind of file of one source.

    Attributes:
        source: whose reader takes it.
        name: of the file; readers go by it.
        make: the unspoilt bytes, made in a folder.
        truth: its figures, counted without the reader.
        ways: how such bytes can be spoilt.
        beside: the files that are read with it.
    """

    source: str
    name: str
    make: Callable[[Path], bytes]
    truth: Callable[[bytes], Truth]
    ways: Callable[[bytes], list[Way]]
    beside: tuple[Path, ...] = ()

    def subject(self, folder: Path) -> Subject:
        """The kind made ready in an empty ``folder``."""
        payload = self.make(folder)
        reader = reader_of(self.source)

        def read(path: Path) -> Batch:
            return reader.read([path, *self.beside], known_at=KNOWN_AT)

        return Subject(read, folder / self.name, self.truth(payload), self.ways(payload))


def _file(path: Path) -> Callable[[Path], bytes]:
    return lambda _: path.read_bytes()


def _csv(
    source: str, path: Path, truth: Callable[[bytes], Truth], *, figure: str, need: Sequence[str],
    leave_out: Sequence[str] = (), beside: tuple[Path, ...] = (), faults: str = "(?!)",
) -> Kind:  # fmt: skip
    """A CSV of the fixtures without its lines that match ``faults``: they would hide what is done to it."""

    def make(_: Path) -> bytes:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        return "".join(line for line in lines if not re.match(faults, line)).encode()

    def ways(payload: bytes) -> list[Way]:
        return csv_ways(payload, figure=figure, need=need, leave_out=leave_out)

    return Kind(source, path.name, make, truth, ways, beside)


def _json(name: str, path: Path, truth: Callable[[bytes], Truth], figure: str) -> Kind:
    return Kind("climate-trace", name, _file(path), truth, lambda payload: json_ways(payload, figure=figure))


def _xlsx(
    source: str, name: str, make: Callable[[Path], bytes], truth: Callable[[bytes], Truth], **how: Any
) -> Kind:
    return Kind(source, name, make, truth, lambda payload: xlsx_ways(payload, **how))


def _eutl_book(folder: Path) -> bytes:
    above = [["Verified emissions and allowances"], [], ["Read the notes before use"]]
    return as_workbook(FIXTURES / "eutl_verified_emissions.csv", folder / "a.xlsx", sheet="data", above=above)


def _uk_book(folder: Path) -> bytes:
    return as_workbook(FIXTURES / "uk_ets_report.csv", folder / "a.xlsx", sheet="Data", above=[])


_GHGRP: Final[Mapping[str, Any]] = MappingProxyType({
    "sheet": "Direct Point Emitters",
    "header": 4,
    "need": ("Facility Id", "Facility Name", "State", "Latitude", "Longitude", "Primary NAICS Code"),
    # The programme publishes fractions of a tonne: one more is nobody's to find.
    "leave_out": ("fraction",),
})  # fmt: skip

KINDS: Final[Mapping[str, Kind]] = MappingProxyType({
    "carbon-price": _csv(
        "carbon-price", FIXTURES / "carbon_price.csv", counts.carbon_price, figure="price",
        need=carbon_price.NEED, leave_out=(*MARKED, "marks lost"),
    ),
    "climate-trace bulk": _csv(
        "climate-trace", FIXTURES / "climate_trace_bulk.csv", counts.climate_trace_bulk,
        figure="emissions_quantity", need=BULK, leave_out=MARKED, faults="103,",
    ),
    "climate-trace v6 assets": _json(
        "assets-2022.json", FIXTURES / "climate_trace_v6.json", counts.climate_trace_v6, "EmissionsQuantity"
    ),
    "climate-trace v7 sources": _json(
        "sources.json", FIXTURES / "climate_trace_v7_sources.json", counts.climate_trace_sources,
        "emissionsQuantity",
    ),
    "climate-trace v7 source": _json(
        "source.json", FIXTURES / "climate_trace_v7_source.json", counts.climate_trace_source,
        "emissionsQuantity",
    ),
    "climate-trace v7 totals": _json(
        "totals.json", FIXTURES / "climate_trace_v7_totals.json", counts.climate_trace_totals,
        "emissionsQuantity",
    ),
    "eurostat-ipi": _csv(
        "eurostat-ipi", FIXTURES / "eurostat_ipi.csv", counts.eurostat_ipi, figure="DE", need=("month",),
        leave_out=MARKED,
    ),
    "eutl years": _csv(
        "eutl", YEARS, counts.eutl, figure="VERIFIED_EMISSIONS", need=eutl.YEARLY, beside=(SITES,),
    ),
    "eutl operators": _csv(
        "eutl", SITES, lambda _: counts.eutl(YEARS.read_bytes()), figure="POSTAL_CODE", need=OPERATORS,
        beside=(YEARS,),
    ),
    "eutl coordinates": _csv(
        "eutl", EUTL / "installation_coordinates.csv", lambda _: counts.eutl(YEARS.read_bytes()),
        figure="LATITUDE", need=COORDINATES, leave_out=MARKED, beside=(SITES, YEARS),
        faults="AT,2,|DE,5,|NL,10,|XI,",
    ),
    "eutl workbook": _xlsx(
        "eutl", "verified_emissions_2022_en.xlsx", _eutl_book, lambda _: counts.eutl(YEARS.read_bytes()),
        sheet="data", header=4, figures=[f"VERIFIED_EMISSIONS_{year}" for year in (2017, 2019, 2022)],
        need=["REGISTRY_CODE", "INSTALLATION_IDENTIFIER", "INSTALLATION_NAME", "MAIN_ACTIVITY_TYPE_CODE"],
    ),
    "gcb": _csv("gcb", FIXTURES / "gcb.csv", counts.gcb, figure="Total", need=gcb.COLUMNS),
    "ghgrp by year": _xlsx(
        "ghgrp", "ghgp_data_by_year.xlsx", ghgrp_by_year, counts.ghgrp,
        figures=[f"{year} Total reported direct emissions" for year in range(2020, 2024)], **_GHGRP,
    ),
    "ghgrp one year": _xlsx(
        "ghgrp", "ghgp_data_2022.xlsx", ghgrp_one_year, counts.ghgrp,
        figures=["Total reported direct emissions"], **_GHGRP,
    ),
    "owid-co2": _csv(
        "owid-co2", FIXTURES / "owid_co2.csv", counts.owid_co2, figure="co2", need=owid_co2.NEED
    ),
    "uk-ets report": _xlsx(
        "uk-ets", "report.xlsx", _uk_book, lambda _: counts.uk_report(FIXTURES / "uk_ets_report.csv"),
        sheet="Data", header=1, figures=[f"Recorded emissions {year}" for year in range(2021, 2025)],
        need=["Account type", "Permit ID or Monitoring plan ID", "NACE Code", "Last Year of Operation"],
    ),
    "uk-ets continuation": _csv(
        "uk-ets", FIXTURES / "uk_ets_permit_matched.csv", counts.uk_continuation, figure="verified_tco2e",
        need=uk_ets.CONTINUATION, beside=(SITES,), leave_out=MARKED,
    ),
    "us-power": _csv(
        "us-power", FIXTURES / "us_power.csv", counts.us_power, figure=us_power.CO2, need=us_power.COLUMNS
    ),
    "ghgrp-segments": _xlsx(
        "ghgrp-segments", "ghgp_data_by_year.xlsx", ghgrp_pipelines, counts.ghgrp_pipelines,
        sheet=PIPELINES, header=4, leave_out=("fraction",),
        need=["Facility Id", "Facility Name", "State where Emissions Occur", "Primary NAICS Code"],
        figures=[f"{year} {EMITTED_BY_PIPELINES}" for year in range(2020, 2024)],
    ),
})  # fmt: skip


def share_of(name: str, a_reader: int) -> int:
    """How many of ``a_reader`` mutants fall to the kind ``name``: the kinds of one reader share them."""
    mine = [other for other, kind in KINDS.items() if kind.source == KINDS[name].source]
    whole, rest = divmod(a_reader, len(mine))
    return whole + (mine.index(name) < rest)


def seed_of(name: str) -> int:
    """A seed of each kind's own."""
    return 1000 + list(KINDS).index(name)
