"""What a row of each reference table must look like, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandera.pandas as pa

EVIDENCE: Final = ("read", "derived", "recalled")
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2100


@dataclass(frozen=True)
class Table:
    """One CSV of the reference folder.

    Attributes:
        name: file name without ending.
        key: columns that name a row; no two rows share them.
        columns: every column in file order with its checks. Text that is unknown is "", a number or
            a year that is unknown is missing.
    """

    name: str
    key: tuple[str, ...]
    columns: dict[str, pa.Column]


def _text(pattern: str = "") -> pa.Column:
    return pa.Column(str, pa.Check.str_matches(pattern) if pattern else None)


def _needed() -> pa.Column:
    return pa.Column(str, pa.Check.str_length(min_value=1))


def _one_of(*words: str) -> pa.Column:
    return pa.Column(str, pa.Check.isin(words))


def _number(low: float = 0.0, high: float = 1e12, known: bool = False) -> pa.Column:
    return pa.Column("float64", pa.Check.in_range(low, high), nullable=not known)


def _year(known: bool = False) -> pa.Column:
    return pa.Column("Int64", pa.Check.in_range(_FIRST_YEAR, _LAST_YEAR), nullable=not known)


def _whole(low: int, high: int, known: bool = True) -> pa.Column:
    return pa.Column("Int64", pa.Check.in_range(low, high), nullable=not known)


def _evidence() -> pa.Column:
    return _one_of(*EVIDENCE)


def _flag() -> pa.Column:
    return pa.Column(bool)


_MONTH: Final = r"^(\d{4}-(0[1-9]|1[0-2]))?$"
_CLUSTER: Final = r"^[a-z]{2}-[a-z0-9]+$"

TABLES: Final = (
    Table("sources", ("source_id",), {
        "source_id": _needed(), "title": _text(), "publisher": _needed(), "url": _text(r"^(https?://\S+)?$"),
        "licence": _text(), "evidence": _evidence(),
    }),
    Table("clusters", ("cluster_id",), {
        "cluster_id": _text(_CLUSTER), "name": _needed(), "country": _text(r"^[A-Z]{2}$"),
        "lat": _number(-90, 90), "lon": _number(-180, 180), "type": _needed(), "main_sectors": _needed(),
        "joined": _text(_MONTH), "joined_note": _text(), "left": _text(_MONTH),
        "baseline_mt": _number(), "baseline_year": _year(), "baseline_bound": _one_of("", "exact", "lower"),
        "baseline_scope": _text(), "gdp_low": _number(), "gdp_high": _number(), "gdp_unit": _text(),
        "jobs": _number(), "jobs_note": _text(), "flagship_projects": _text(), "notes": _text(),
        "membership_evidence": _needed(), "confidence": _one_of("high", "medium", "low"), "source": _needed(),
    }),
    Table("boundaries", ("box_id",), {
        "box_id": _needed(), "cluster_id": _needed(), "west": _number(-180, 180, known=True),
        "south": _number(-90, 90, known=True), "east": _number(-180, 180, known=True),
        "north": _number(-90, 90, known=True), "basis": _needed(), "source": _needed(),
    }),
    Table("targets", ("target_id",), {
        "target_id": _needed(), "cluster_id": _needed(),
        "kind": _one_of("percent", "level", "reduction", "net-zero"), "value": _number(0, 1e4, known=True),
        "base_year": _year(), "base_value_mt": _number(), "target_year": _year(known=True), "scope": _text(),
        "scope_id": _text(), "in_force": _flag(), "evidence": _evidence(), "source": _needed(),
        "pledged_by": _one_of("cluster", "region", "state", "nation", "union", "company", "industry"),
        "note": _text(),
    }),
    Table("claims", ("claim_id",), {
        "claim_id": _needed(), "cluster_id": _needed(), "value_mt_per_yr": _number(known=True),
        "year": _year(), "year_text": _text(),
        "kind": _one_of("on-site", "avoided-elsewhere", "capacity", "potential", "unstated"),
        "source": _needed(), "evidence": _evidence(), "note": _text(),
    }),
    Table("projects", ("project_id",), {
        "project_id": _needed(), "cluster_id": _needed(), "project": _needed(), "technology": _needed(),
        "capacity": _number(), "unit": _text(), "status": _needed(),
        "stage": _one_of("planned", "agreed", "under-construction", "running", "cancelled", "not-selected",
                         "mixed", "unknown"),
        "first_announced_start": _year(), "latest_start": _year(), "latest_start_text": _text(),
        "announced_in": _year(), "latest_as_of": _year(), "slip_years": _number(-30, 30),
        "abatement_mt_per_yr": _number(), "note": _text(), "source": _needed(), "evidence": _evidence(),
    }),
    Table("factors", ("key",), {
        "key": _needed(), "value": _number(known=True), "low": _number(), "high": _number(), "unit": _text(),
        "condition": _text(), "source": _needed(), "source_detail": _needed(), "evidence": _evidence(),
        "check_needed": _flag(),
    }),
    Table("published_history", ("cluster_id", "scope_id", "year"), {
        "cluster_id": _needed(), "scope_id": _needed(), "year": _year(known=True),
        "value_mt": _number(known=True), "gas_scope": _needed(), "evidence": _evidence(), "note": _text(),
        "source": _needed(),
    }),
    Table("initiative_totals", ("kind", "date"), {
        "kind": _one_of("reported", "aim"), "date": _text(_MONTH), "clusters": _whole(1, 1000),
        "countries": _whole(1, 250, known=False), "reduction_potential_mt": _number(),
        "gdp_usd_bn": _number(), "jobs_m": _number(), "source": _needed(), "evidence": _evidence(),
    }),
    Table("sector_emissions", ("area", "sector", "year"), {
        "area": _needed(), "kind": _one_of("cluster", "country", "state"), "sector": _text(r"^[a-z0-9-]+$"),
        "year": _year(known=True), "tco2e": _number(known=True), "installations": _whole(1, 100_000),
        "source": _needed(),
    }),
    Table("scope_breaks", ("break_id",), {
        "break_id": _needed(), "scheme": _needed(), "from_year": _year(known=True), "applies_to": _needed(),
        "sectors": _needed(), "title": _needed(), "why": _needed(), "source": _needed(),
        "evidence": _evidence(),
    }),
    Table("publication", ("source_id", "from_year"), {
        "source_id": _needed(), "scope_id": _needed(), "from_year": _year(known=True),
        "years_after": _whole(1, 10), "month": _whole(1, 12), "day": _whole(1, 31), "source": _needed(),
        "evidence": _evidence(), "note": _needed(),
    }),
    Table("absent_series", ("cluster_id",), {
        "cluster_id": _needed(), "code": _needed(), "reason": _needed(), "remedy": _needed(),
        "source": _needed(),
    }),
)  # fmt: skip
