"""EU ETS: the Union Registry's daily extracts, and its yearly workbooks of verified emissions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from features.sources.ets_figures import Bool, read_figures, read_years, states
from features.sources.ets_sites import Sites, read_coordinates, read_operators, site_keys
from features.sources.eutl_workbook import FREE, long_table, wide_table
from features.sources.records import (
    ALLOCATION,
    DS,
    FACILITY_ID,
    STATE,
    Batch,
    Y,
    changed_shape,
    complaint_frame,
)
from features.sources.textfile import Table, read_table, refuse_if_many

SOURCE: Final = "eutl"
READER: Final = "eutl/1"
YEARLY: Final = (
    *("REGISTRY_CODE", "INSTALLATION_IDENTIFIER", "PERIOD_YEAR", "VERIFIED_EMISSIONS", "EXCLUDED"),
)
YES: Final = frozenset({"y", "yes", "true", "1"})
NO: Final = frozenset({"n", "no", "false", "0", ""})


def read(files: Path | Sequence[Path]) -> Batch:
    """Read whatever the registry published: a folder or list of daily extracts, or one yearly workbook.

    Raises:
        DataError: ``source-changed-shape`` if neither a workbook nor both daily extracts are there,
            and all that ``read_daily`` and ``read_workbook`` raise.
    """
    paths = sorted(files.iterdir()) if isinstance(files, Path) and files.is_dir() else files
    given = [paths] if isinstance(paths, Path) else list(paths)
    if len(given) == 1 and given[0].suffix.lower() == ".xlsx":
        return read_workbook(given[0])
    named = {
        word: [path for path in given if word in path.name.lower()] for word in ("yearly", "coordinates")
    }
    rest = [path for path in given if path not in named["yearly"] + named["coordinates"]]
    operators = [path for path in rest if "operators" in path.name.lower()]
    if len(operators) != 1 or len(named["yearly"]) != 1 or len(named["coordinates"]) > 1:
        raise changed_shape(
            ", ".join(path.name for path in given) or "an empty folder",
            found=f"{len(given)} files",
            expected="operators_daily and operators_yearly_activity_daily (CSV or gzipped), with or "
            "without installation_coordinates; or one verified_emissions workbook",
            remedy="give the folder that holds the extracts, or name the files",
        )
    return read_daily(
        operators=operators[0],
        yearly=named["yearly"][0],
        coordinates=named["coordinates"][0] if named["coordinates"] else None,
    )


def read_daily(*, operators: Path, yearly: Path, coordinates: Path | None = None) -> Batch:
    """Read the daily extracts: sites, their years, and where they stand if that is known.

    Raises:
        DataError: ``source-unreadable``, ``source-changed-shape``.
    """
    sites = read_operators(operators)
    table = read_table(yearly, need=YEARLY, may=FREE)
    rows, left_out = _joined(_years(table), sites)
    counts = {"rows_read": table.rows_read, **sites.left_out, **left_out}
    complaints = [*sites.complaints, *rows.complaints]
    facilities = sites.facilities
    if coordinates is not None:
        facilities, wrong = read_coordinates(coordinates, facilities)
        complaints += wrong
    return _batch(rows, facilities, complaints, counts, drop_unborn=False)


def read_workbook(path: Path) -> Batch:
    """Read a workbook such as verified_emissions_2023_en.xlsx: one row a site, one column a year.

    Raises:
        DataError: ``source-unreadable``, ``source-changed-shape``.
    """
    wide = wide_table(path)
    sites = Sites.of(wide)
    known = site_keys(wide.cells).isin([*sites.facilities["key"], *sites.dropped]).to_numpy()
    rows, left_out = _joined(_years(long_table(wide.where(known))), sites)
    counts = {"rows_read": wide.rows_read, **sites.left_out, **left_out}
    complaints = [*sites.complaints, *rows.complaints]
    return _batch(rows, sites.facilities, complaints, counts, drop_unborn=True)


def _years(table: Table) -> Table:
    """The rows with a lawful key, year and flag, and one row a site and year."""
    text = "no registry of two letters and installation of digits"
    table = table.without(
        (site_keys(table.cells) == "").to_numpy(), "key-unreadable", text, shows="INSTALLATION_IDENTIFIER"
    )
    table = table.without(
        read_years(table.cells["PERIOD_YEAR"]) == 0,
        "year-unreadable",
        "no year of the scheme",
        shows="PERIOD_YEAR",
    )
    flag = table.cells["EXCLUDED"].str.lower()
    table = table.without(
        ~flag.isin(YES | NO).to_numpy(), "flag-unreadable", "neither Y nor N", shows="EXCLUDED"
    )
    codes = read_figures(table.cells["VERIFIED_EMISSIONS"]).code
    table = table.without_coded(codes, "not whole tonnes", shows="VERIFIED_EMISSIONS")
    return _once(table)


def _once(table: Table) -> Table:
    """Rows repeated word for word are read once; rows that contradict one another are all left out."""
    cells = table.cells.assign(KEY=site_keys(table.cells))
    key = ["KEY", "PERIOD_YEAR"]
    if not cells.duplicated(key).any():
        return table
    same = cells.duplicated([*key, "VERIFIED_EMISSIONS", "EXCLUDED"]).to_numpy()
    table = table.without(same, "row-repeated", "given before", shows="INSTALLATION_IDENTIFIER")
    cells = table.cells.assign(KEY=site_keys(table.cells))
    clash = cells.duplicated(key, keep=False).to_numpy()
    return table.without(clash, "figures-disagree", "two figures for one year", shows="VERIFIED_EMISSIONS")


def _joined(table: Table, sites: Sites) -> tuple[Table, dict[str, int]]:
    """The rows of stationary sites; rows of operators left out knowingly are only counted."""
    keys = site_keys(table.cells)
    known = keys.isin(sites.facilities["key"]).to_numpy()
    counts = {}
    for reason in sorted(set(sites.dropped.values())):
        mine = keys.isin([key for key, why in sites.dropped.items() if why == reason]).to_numpy()
        counts[f"rows_{reason}"] = int(mine.sum())
    strangers = ~known & ~keys.isin(list(sites.dropped)).to_numpy()
    told = table.without(strangers, "site-unknown", "no such site", shows="INSTALLATION_IDENTIFIER")
    refuse_if_many(table.file, told.complaints, table.rows_read)
    stays = site_keys(told.cells).isin(sites.facilities["key"]).to_numpy()
    counts["rows_left_out"] = len(told.complaints)
    return told.where(stays), counts


def _batch(
    table: Table, facilities: pd.DataFrame, complaints: list[tuple[int, str, str]], counts: dict[str, int],
    *, drop_unborn: bool,
) -> Batch:  # fmt: skip
    figures = read_figures(table.cells["VERIFIED_EMISSIONS"])
    flagged = table.cells["EXCLUDED"].str.lower().isin(YES).to_numpy() | figures.excluded
    contradicted = flagged & (figures.y > 0)
    complaints += [
        (int(line), "excluded-with-figure", "excluded that year, yet a figure: the figure is left out")
        for line in table.lines[contradicted]
    ]
    codes, keys = pd.factorize(site_keys(table.cells))
    year = read_years(table.cells["PERIOD_YEAR"])
    state, y = states(codes, year, np.where(flagged, np.nan, figures.y), flagged)
    records = pd.DataFrame(
        {
            FACILITY_ID: (f"{SOURCE}:" + pd.Series(keys, dtype="str")).to_numpy()[codes],
            DS: (year - 1970).astype("datetime64[Y]").astype("datetime64[ns]"),
            Y: y,
            STATE: state,
            ALLOCATION: _free(table, complaints),
        }
    )
    if drop_unborn:
        records = records[_born(codes, year, state)]
    return Batch.of(
        source=SOURCE, records=records, facilities=facilities, complaints=complaint_frame(complaints),
        counts=counts, reader=READER,
    )  # fmt: skip


def _born(site: np.ndarray, year: np.ndarray, state: np.ndarray) -> Bool:
    """A wide table has cells for years in which a site was not in the scheme yet: those are no records."""
    first = np.full(int(site.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    lived = state != "not-reported"
    np.minimum.at(first, site[lived], year[lived])
    return np.asarray(year >= first[site])


def _free(table: Table, complaints: list[tuple[int, str, str]]) -> np.ndarray:
    """(N,) free allowances of all kinds; NaN where none of the columns has a figure."""
    total = np.full(len(table.cells), np.nan)
    for column in FREE:
        figures = read_figures(table.cells[column])
        wrong = figures.code != ""
        complaints += [
            (int(line), "allocation-unreadable", f"{column} is not read: {cell[:40]!r}")
            for line, cell in zip(table.lines[wrong], table.cells.loc[wrong, column], strict=True)
        ]
        total = np.where(np.isnan(total), figures.y, total + np.nan_to_num(figures.y))
    return total
