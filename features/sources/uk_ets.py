"""UK ETS: the compliance report, and the continuation of British sites of the EU registry from 2021 on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from features.errors import DataError
from features.sources.ets_figures import FIRST_YEAR, LAST_YEAR, Int, States, read_figures, read_years, states
from features.sources.ets_sites import read_coordinates, read_operators, site_keys
from features.sources.eutl_activities import sector_of_nace
from features.sources.records import (
    CLOSED,
    DS,
    FACILITY,
    FACILITY_ID,
    NOT_REPORTED,
    STATE,
    Batch,
    Y,
    changed_shape,
    complaint_frame,
)
from features.sources.textfile import Complaints, Table, read_table, refuse_if_many
from features.sources.uk_ets_report import (
    ACCOUNT,
    AIRCRAFT,
    ENDED,
    NACE,
    NAME,
    OPENED,
    PERMIT,
    RECORDED,
    lawful_sites,
    report_table,
)

SOURCE: Final = "uk-ets"
READER: Final = "uk-ets/1"
CONTINUATION: Final = ("REGISTRY_CODE", "INSTALLATION_IDENTIFIER", "year", "verified_tco2e")


def read(
    files: Path | Sequence[Path], *, operators: Path | None = None, coordinates: Path | None = None
) -> Batch:
    """Read a compliance report (xlsx) or, where there is none, a continuation file (CSV or gzipped).

    Args:
        files: the file, a list of files, or the folder that holds them.
        operators: operators_daily of the EU registry: with it British sites keep their EU identity.
        coordinates: installation_coordinates of the EU registry.

    Raises:
        DataError: ``source-incomplete`` (a continuation without operators) and all that
            ``read_report`` and ``read_continuation`` raise.
    """
    paths = sorted(files.iterdir()) if isinstance(files, Path) and files.is_dir() else files
    given = [paths] if isinstance(paths, Path) else list(paths)
    reports = [path for path in given if path.suffix.lower() == ".xlsx"]
    if len(reports) == 1:
        beside = [path.name for path in given if path not in reports]
        return read_report(reports[0], operators=operators, coordinates=coordinates, beside=beside)
    if reports or len(given) != 1:
        raise changed_shape(
            ", ".join(path.name for path in given) or "an empty folder",
            found=f"{len(reports)} workbooks among {len(given)} files",
            expected="one compliance report (xlsx), or one continuation file",
            remedy="name the one file to read",
        )
    if operators is None:
        raise DataError(
            "source-incomplete",
            found=f"{given[0].name} without operators",
            expected="the EU registry's operators_daily beside it: it tells what each site does",
            remedy="name the file with operators, or read the compliance report instead",
        )
    return read_continuation(given[0], operators=operators, coordinates=coordinates)


def read_report(
    path: Path, *, operators: Path | None = None, coordinates: Path | None = None, beside: Sequence[str] = ()
) -> Batch:
    """Read the compliance report as published; aircraft operators are left out and counted.

    The report holds all that a continuation file does: files ``beside`` it are only named in a complaint.

    A site whose permit stands once among the British sites of ``operators`` keeps its identity there
    ("eutl:GB_100"), so that its series goes on after 2020 under the scope "uk-ets"; any other is
    "uk-ets:" and its permit.

    Raises:
        DataError: ``source-unreadable``, ``source-changed-shape``.
    """
    table = report_table(path)
    aircraft = (table.cells[ACCOUNT] == AIRCRAFT).to_numpy()
    counts = {"rows_read": table.rows_read, "sites_aviation": int(aircraft.sum())}
    complaints: Complaints = [
        (int(line), "aviation", "no stationary site: left out") for line in table.lines[aircraft]
    ]
    complaints += [(0, "file-not-read", f"{name}: the report is read instead") for name in beside]
    table = lawful_sites(table.where(~aircraft))
    facilities = _own(table.cells)
    if operators is not None:
        facilities = _matched(table.cells, facilities, british(operators, coordinates))
        counts["sites_matched"] = int(facilities[FACILITY_ID].str.startswith("eutl:").sum())
    long = _long(table, facilities[FACILITY_ID])
    counts["rows_left_out"] = len(table.complaints) + len(long.complaints)
    return Batch.of(
        source=SOURCE,
        records=long.records,
        facilities=facilities,
        counts=counts,
        reader=READER,
        complaints=complaint_frame([*complaints, *table.complaints, *long.complaints]),
    )


def read_continuation(path: Path, *, operators: Path, coordinates: Path | None = None) -> Batch:
    """Read figures from 2021 on that are already matched to sites of the EU registry.

    Raises:
        DataError: ``source-unreadable``, ``source-changed-shape``.
    """
    table = read_table(path, need=CONTINUATION)
    rows = table.rows_read
    sites = british(operators, coordinates)
    known = site_keys(table.cells).isin(sites["key"]).to_numpy()
    table = table.without(~known, "site-unknown", "no such British site", shows="INSTALLATION_IDENTIFIER")
    year = read_years(table.cells["year"])
    table = table.without(year == 0, "year-unreadable", "no year of the scheme", shows="year")
    codes = read_figures(table.cells["verified_tco2e"]).code
    table = table.without_coded(codes, "not whole tonnes", shows="verified_tco2e")
    cells = table.cells.assign(KEY=site_keys(table.cells))
    same = cells.duplicated(["KEY", "year", "verified_tco2e"]).to_numpy()
    table = table.without(same, "row-repeated", "given before", shows="INSTALLATION_IDENTIFIER")
    cells = table.cells.assign(KEY=site_keys(table.cells))
    clash = cells.duplicated(["KEY", "year"], keep=False).to_numpy()
    table = table.without(clash, "figures-disagree", "two figures for one year", shows="verified_tco2e")
    refuse_if_many(path.name, table.complaints, rows)
    keys, year = site_keys(table.cells), read_years(table.cells["year"])
    figures = read_figures(table.cells["verified_tco2e"])
    site, _ = pd.factorize(keys)
    state, y = states(site, year, figures.y, figures.excluded)
    return Batch.of(
        source=SOURCE, records=_records("eutl:" + keys, year, y, state),
        facilities=sites[sites["key"].isin(keys)], complaints=complaint_frame(table.complaints),
        counts={"rows_read": rows, "rows_left_out": len(table.complaints)}, reader=READER,
    )  # fmt: skip


def british(operators: Path, coordinates: Path | None) -> pd.DataFrame:
    """British sites of the EU registry under the scope "uk-ets", with ``key`` and ``permit``."""
    sites = read_operators(operators)
    facilities = sites.facilities
    if coordinates is not None:
        facilities, _ = read_coordinates(coordinates, facilities)
    facilities = facilities.assign(permit=facilities[FACILITY_ID].map(sites.permits), scope_id=SOURCE)
    return facilities[facilities["country"] == "GB"].reset_index(drop=True)


@dataclass(frozen=True)
class _Long:
    records: pd.DataFrame
    complaints: Complaints


def _own(cells: pd.DataFrame) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            FACILITY_ID: f"{SOURCE}:" + cells[PERMIT].str.upper(),
            "name": cells[NAME],
            "country": "GB",
            "region": "",
            "activity": cells[NACE],
            "sector": [sector_of_nace(code) for code in cells[NACE]],
            "lat": np.nan,
            "lon": np.nan,
            "scope_id": SOURCE,
            "cadence": "year",
        }
    )
    return frame[list(FACILITY)]


def _matched(cells: pd.DataFrame, own: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    """``own`` (N,), each row replaced by the EU registry's site of the same permit if there is just one."""
    single = sites[~sites["permit"].duplicated(keep=False)].set_index("permit")
    place = single.index.get_indexer(pd.Index(cells[PERMIT]))
    found = place >= 0
    merged = own.astype(dict.fromkeys(FACILITY, "object"))
    theirs = single.iloc[place[found]]
    for column in FACILITY:
        merged.loc[found, column] = theirs[column].to_numpy()
    return merged


def _long(table: Table, ids: pd.Series) -> _Long:
    """One record a site and year in which it was in the scheme."""
    columns = sorted(name for name in table.columns if name.startswith(RECORDED))
    years = np.array([int(name[-4:]) for name in columns], dtype=np.int64)
    if years.min() < FIRST_YEAR or years.max() > LAST_YEAR:
        raise changed_shape(
            table.file, found=f"years {years.min()} to {years.max()}", expected="years of the scheme"
        )
    sites = len(table.cells)
    text = pd.concat([table.cells[name] for name in columns], ignore_index=True)
    figures = read_figures(text)
    site, year = np.tile(np.arange(sites), len(years)), np.repeat(years, sites)
    lines = np.tile(table.lines, len(years))
    bad = np.asarray(figures.code != "")
    complaints: Complaints = [
        (int(line), str(code), f"{RECORDED}{when}: {cell[:40]!r}")
        for line, code, when, cell in zip(lines[bad], figures.code[bad], year[bad], text[bad], strict=True)
    ]
    refuse_if_many(table.file, complaints, sites)
    state, y = states(site, year, figures.y, figures.excluded)
    opened, ended = read_years(table.cells[OPENED]), read_years(table.cells[ENDED])
    state[(state == NOT_REPORTED) & np.isnan(y) & (ended[site] > 0) & (year > ended[site])] = CLOSED
    kept = ~bad & ~((state == NOT_REPORTED) & (year < opened[site]))
    return _Long(_records(ids.to_numpy()[site[kept]], year[kept], y[kept], state[kept]), complaints)


def _records(ids: pd.Series | np.ndarray, year: Int, y: np.ndarray, state: States) -> pd.DataFrame:
    ds = (year - 1970).astype("datetime64[Y]").astype("datetime64[ns]")
    return pd.DataFrame({FACILITY_ID: np.asarray(ids, dtype=object), DS: ds, Y: y, STATE: state})
