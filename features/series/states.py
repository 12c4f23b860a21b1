"""Why a facility has no figure for a year: closed, excluded, not reported, or not yet published."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from features.series.facilities import Inventory
from features.series.words import DS, SCOPE, Y
from features.sources.records import (
    CLOSED,
    EXCLUDED,
    FACILITY_ID,
    NOT_REPORTED,
    NOT_YET_PUBLISHED,
    OPERATING,
    STATE,
)

# A silence of so many published years, up to the newest, is a closure; a shorter one may be a late report.
SILENT_YEARS: Final = 2
_COLUMNS: Final = (FACILITY_ID, DS, Y, STATE)


def told_apart(inv: Inventory, t: pd.Timestamp) -> pd.DataFrame:
    """facility_id, ds, y, state of every facility and year, none absent, as known at ``t``.

    The years of a facility run from its first figure above zero to the newest year its scheme has
    published for its country; a facility that never had such a figure has no rows. A figure above zero,
    or a zero before a later one (an idle year), is "operating". Years without a figure between two
    figures are gaps: "excluded" where the scheme says so, else "not-reported". After the last figure
    above zero: an exclusion is "excluded"; zeros, and silences of ``SILENT_YEARS`` or more, are "closed"
    (the plant closed or left the scheme: the record does not tell); a shorter silence is "not-reported",
    or "not-yet-published" while fewer than half as many sites have a figure as the year before.
    """
    known = inv.at(t).records
    known = known.assign(year=known[DS].dt.year).merge(
        inv.facilities[[FACILITY_ID, "country"]], on=FACILITY_ID, how="left"
    )
    emits = known[known[Y] > 0]
    if emits.empty:
        return pd.DataFrame(columns=list(_COLUMNS))
    span = emits.groupby(FACILITY_ID).agg(first=("year", "min"), last=("year", "max"))
    place = emits.drop_duplicates(FACILITY_ID, keep="last").set_index(FACILITY_ID)[[SCOPE, "country"]]
    span = span.join(place).join(_published(known), on=[SCOPE, "country"])
    grid = _grid(span)
    given = known.drop_duplicates([FACILITY_ID, "year"], keep="last")[[FACILITY_ID, "year", Y, STATE]]
    grid = grid.merge(given, on=[FACILITY_ID, "year"], how="left")
    grid[STATE] = _verdicts(grid)
    grid.loc[~grid[STATE].isin([OPERATING, CLOSED]), Y] = np.nan
    grid[DS] = pd.to_datetime(grid["year"].astype(str) + "-01-01").astype("datetime64[ns]")
    return grid.loc[:, list(_COLUMNS)]


def tally(told: pd.DataFrame) -> dict[str, int]:
    """Number of facility-years in each state, and of facilities closed by their newest year."""
    newest = told.drop_duplicates(FACILITY_ID, keep="last")
    counts = {str(state): int(n) for state, n in told[STATE].value_counts().sort_index().items()}
    return {**counts, "facilities": len(newest), "facilities_closed": int((newest[STATE] == CLOSED).sum())}


def _published(known: pd.DataFrame) -> pd.DataFrame:
    """By scope and country: newest published year, and whether it is only half out."""
    figures = known[known[Y].notna()]
    count = figures.groupby([SCOPE, "country", "year"]).size().rename("n").reset_index()
    newest = count.drop_duplicates([SCOPE, "country"], keep="last").set_index([SCOPE, "country"])
    before = count.groupby([SCOPE, "country"])["n"].shift(1)
    last = count.assign(before=before).drop_duplicates([SCOPE, "country"], keep="last")
    partial = (2 * last["n"] < last["before"].fillna(0)).to_numpy()
    return pd.DataFrame({"newest": newest["year"], "partial": partial}, index=newest.index)


def _grid(span: pd.DataFrame) -> pd.DataFrame:
    length = (span["newest"] - span["first"] + 1).to_numpy(dtype=np.int64)
    at = np.repeat(np.arange(len(span)), length)
    begin = np.repeat(np.cumsum(length) - length, length)
    rows = span.iloc[at].reset_index()
    return rows.assign(year=rows["first"].to_numpy() + np.arange(len(at)) - begin)


def _verdicts(grid: pd.DataFrame) -> pd.Series:
    year, last = grid["year"], grid["last"]
    excluded = grid[STATE] == EXCLUDED
    silent = grid[Y].isna() & (year > last) & ~excluded
    late = silent & (grid["newest"] - last < SILENT_YEARS)
    state = pd.Series(NOT_REPORTED, index=grid.index, dtype=object)
    state[grid[Y].notna()] = OPERATING
    state[(grid[Y] == 0) & (year > last)] = CLOSED
    state[silent & ~late] = CLOSED
    state[late & grid["partial"].astype(bool)] = NOT_YET_PUBLISHED
    state[excluded] = EXCLUDED
    return state.astype(str)
