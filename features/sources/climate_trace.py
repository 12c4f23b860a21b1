"""Climate TRACE: modelled emissions of single sources, from bulk files and from replies of its API.

Its monthly values are mostly annual totals spread over the days of the year, so sources are summed to years;
only totals of whole areas stay monthly. Tonnes of CO2e over 100 years, over 20 years and of CO2 alone are
different scopes and different facility ids: they never meet in one series.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from features.errors import AskError, DataError
from features.sources.climate_trace_api import read_reply
from features.sources.climate_trace_bulk import read_bulk
from features.sources.climate_trace_rows import Site, site_frame, span_frame
from features.sources.climate_trace_sectors import HOUSE, SCOPES, USUAL, prefix
from features.sources.climate_trace_years import Complaints, yearly
from features.sources.countries import iso2_by_iso3
from features.sources.points import WORLD, point
from features.sources.records import (
    DS,
    FACILITY_ID,
    NOT_REPORTED,
    OPERATING,
    STATE,
    Batch,
    Y,
    complaint_frame,
    unreadable,
)

SOURCE: Final = "climate-trace"
READER: Final = "climate-trace/1"
WHOLE: Final = frozenset(range(1, 13))


def read(
    *paths: Path, gas: str | None = None, year: int | None = None, whole_until: int | None = None
) -> Batch:
    """Yearly emissions of sources, and monthly totals of areas, in one scope.

    Args:
        paths: bulk CSV (plain or gzipped) and JSON replies, told apart by what they hold.
        gas: "co2e_100yr", "co2e_20yr" or "co2". Left out: the one there is, or co2e_100yr among several;
            the others are left out with a complaint.
        year: the year a v6 reply was asked for, which the reply does not repeat. Left out: the one year
            that the file's name tells.
        whole_until: the newest year known to be published whole. A list of v7 sources gives a running
            year as the sum of the months so far, so without this, or a reply of totals among ``paths``
            that holds all twelve months, its figures are "not-yet-published". A reply of totals that
            holds fewer months outweighs it.

    Raises:
        AskError: no path, or an unknown gas.
        DataError: ``source-unreadable``, ``source-changed-shape``, ``source-repeats``, or
            ``source-gas-absent`` when no figure is in a usable gas.
    """
    if not paths or (gas is not None and gas not in SCOPES):
        raise AskError(
            "gas-unknown" if paths else "file-missing",
            found=f"gas {gas!r}" if paths else "no file",
            expected="one of " + ", ".join(SCOPES) if paths else "bulk CSV or JSON replies",
            remedy="name one of these gases" if paths else "name a file",
        )
    tables, sites, complaints, rows_read, months = _gathered(paths, year)
    spans = pd.concat(tables, ignore_index=True)
    used = _gas(spans, gas, complaints)
    spans = spans[spans["gas"] == used].reset_index(drop=True)
    _prove(spans, used, whole_until, months)
    places = _places(sites, spans, complaints)
    by_month = set(places.loc[places["cadence"] == "month", "id"])
    monthly = spans["id"].isin(by_month)
    annual, more = yearly(spans[~monthly], SOURCE)
    records = pd.concat([annual, _months(spans[monthly])], ignore_index=True)
    complaints += more
    return Batch.of(
        source=SOURCE,
        records=records.assign(**{FACILITY_ID: prefix(used) + records["id"].astype(str)}),
        facilities=_facilities(places, used, complaints),
        complaints=complaint_frame(complaints),
        counts={
            "rows_read": rows_read,
            "rows_in_gas": len(spans),
            "dropped": sum(code in ("row-unreadable", "row-repeated") for _, code, _ in complaints),
        },
        reader=READER,
    )


def _gathered(
    paths: Sequence[Path], year: int | None
) -> tuple[list[pd.DataFrame], pd.DataFrame, Complaints, int, dict[tuple[str, int], set[int]]]:
    tables: list[pd.DataFrame] = []
    sites: list[pd.DataFrame] = []
    complaints: Complaints = []
    rows_read = 0
    months: dict[tuple[str, int], set[int]] = {}
    for path in paths:
        if _is_json(path):
            reply = read_reply(path, year, alone=len(paths) == 1)
            tables.append(span_frame(reply.spans))
            sites.append(site_frame(reply.sites))
            complaints += reply.complaints
            rows_read += reply.rows_read
            months |= reply.months
        else:
            spans, places, told, read_here = read_bulk(path)
            tables.append(spans)
            sites.append(places)
            complaints += told
            rows_read += read_here
    return tables, pd.concat(sites, ignore_index=True), complaints, rows_read, months


def _is_json(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            start = stream.read(64)
    except OSError as problem:
        found = str(problem.strerror)
        raise unreadable(path.name, found=found, expected="a file that can be read") from problem
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{", b"n")


def _gas(spans: pd.DataFrame, asked: str | None, complaints: Complaints) -> str:
    there = Counter(spans["gas"])
    usable = [name for name in SCOPES if there[name]]
    used = asked if asked is not None else USUAL if USUAL in usable else usable[0] if usable else None
    if used is None or not there[used] or (asked is None and len(usable) > 1 and used != USUAL):
        raise DataError(
            "source-gas-absent",
            found="figures in " + (", ".join(sorted(there)) or "no gas"),
            expected=f"figures in {asked or ' or '.join(SCOPES)}, one of them named when there are several",
            remedy="name a gas the file holds; methane and nitrous oxide in their own tonnes are not CO2e",
        )
    complaints += [
        (0, "gas-left-out", f"{number} figures in {name}: only {used} is read")
        for name, number in sorted(there.items())
        if name != used
    ]
    return used


def _prove(
    spans: pd.DataFrame, gas: str, whole_until: int | None, months: dict[tuple[str, int], set[int]]
) -> None:
    years = spans["start"].dt.year
    told = {year: held == WHOLE for (name, year), held in months.items() if name == gas}
    known = years.isin([year for year, whole in told.items() if whole])
    if whole_until is not None:
        known |= (years <= whole_until) & ~years.isin([year for year, whole in told.items() if not whole])
    spans["proved"] = spans["proved"] | known


def _places(sites: pd.DataFrame, spans: pd.DataFrame, complaints: Complaints) -> pd.DataFrame:
    """One row a source that has figures in the gas: as it was told first."""
    told = sites[sites["id"].isin(set(spans["id"]))]
    kept = told.drop_duplicates("id")
    unlike = told.drop_duplicates(["id", "iso3", "subsector", "cadence"])
    complaints += [
        (0, "source-told-twice", f"source {name}: country or subsector varies; the first is kept")
        for name in sorted(set(unlike.loc[unlike.duplicated("id"), "id"]))
    ]
    return kept


def _months(spans: pd.DataFrame) -> pd.DataFrame:
    spans = spans.drop_duplicates(["id", "start", "y"])
    state = pd.Series(NOT_REPORTED, index=spans.index, dtype="str").mask(spans["y"].notna(), OPERATING)
    return pd.DataFrame({"id": spans["id"], DS: spans["start"], Y: spans["y"], STATE: state})


def _facilities(places: pd.DataFrame, gas: str, complaints: Complaints) -> pd.DataFrame:
    rows = []
    codes = iso2_by_iso3()
    for site in map(Site._make, places.itertuples(index=False, name=None)):
        lat, lon, wrong = point(site.lat, site.lon, boxes=WORLD)
        country = codes.get(site.iso3, "")
        sector = HOUSE.get(site.subsector, "")
        faults = (wrong, "" if country else "country-unknown", "" if sector else "sector-new")
        complaints += [(0, code, f"source {site.id}: {code}") for code in faults if code]
        rows.append({
            FACILITY_ID: prefix(gas) + str(site.id), "name": site.name, "country": country, "region": "",
            "activity": site.subsector, "sector": sector or "other", "lat": lat, "lon": lon,
            "scope_id": SCOPES[gas], "cadence": site.cadence,
        })  # fmt: skip
    return pd.DataFrame(rows)
