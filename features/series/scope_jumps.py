"""Scope breaks: found where many contributors come or go at once, and declared series by series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from features.series.words import DS, SCOPE, UNIQUE_ID, Y
from features.sources.records import FACILITY_ID

JUMP: Final = 0.08
SHARE_OF_AREAS: Final = 0.25
FEWEST: Final = 10
# Tonnes that came or went, as a share of all: below it a jump is one of paperwork.
MATERIAL: Final = 0.01
FOUND: Final = (
    "scheme", "from_year", "areas", "areas_jumping", "entered", "left", "entered_tonnes", "left_tonnes",
    "material", "declared",
)  # fmt: skip
# Which declared breaks change what one plant reports, and in which sectors ("all" for every one). The
# others change who reports, which moves sums alone.
PLANT_BREAKS: Final[Mapping[str, str]] = {
    "eu-ets-2013": "aluminium;chemicals",
    "uk-ets-2021": "all",
    "us-ghgrp-2011": "all",
}


def found(rows: pd.DataFrame, declared: pd.DataFrame) -> pd.DataFrame:
    """Years in which a scheme's contributors jump in several areas at once.

    An area with at least ``FEWEST`` contributors jumps when more than ``JUMP`` of them report for the
    first time, or more than ``JUMP`` of the year before have reported for the last time. A year is found
    when at least ``SHARE_OF_AREAS`` of a scheme's areas jump, two or more where there are as many. An
    area that goes on under another scope is found whatever the count. The newest year's leavers are
    seen only a year later.

    Args:
        rows: newest records of the areas to watch (see ``facilities.tagged``; one scope family, countries
            and states): area, facility_id, ds, y, scope_id.
        declared: the reference table scope_breaks.

    Returns:
        One row a scheme and year: areas watched, areas_jumping, and over those that jump the median
        shares entered and left (of contributors, and of tonnes); ``material`` where the tonnes that came
        and went reach ``MATERIAL`` or the scheme is new; ``declared`` where the reference lists the year.
    """
    flow = _flow(rows)
    watched = flow[(flow["n"] >= FEWEST) & ~flow["opening"]]
    jumps = (watched["entered"] > JUMP) | (watched["left"] > JUMP) | watched["moved"]
    keys = [watched[SCOPE], watched["year"]]
    areas = jumps.groupby(keys).size()
    jumping = jumps.groupby(keys).sum()
    enough = (jumping >= np.minimum(2, areas)) & (jumping >= SHARE_OF_AREAS * areas)
    shares = ["entered", "left", "entered_tonnes", "left_tonnes"]
    inside = watched[jumps]
    middle = inside.groupby([SCOPE, "year"])[[*shares, "moved"]].median()
    out = middle[enough.reindex(middle.index)].assign(areas=areas, areas_jumping=jumping).reset_index()
    out["material"] = (out["entered_tonnes"] + out["left_tonnes"] >= MATERIAL) | (out["moved"] > 0)
    listed = set(zip(declared["scheme"], declared["from_year"].astype(int), strict=True))
    pairs = zip(out[SCOPE], out["year"].astype(int), strict=True)
    out["declared"] = [pair in listed for pair in pairs]
    return out.rename(columns={SCOPE: "scheme", "year": "from_year"}).loc[:, list(FOUND)]


def _flow(rows: pd.DataFrame) -> pd.DataFrame:
    """By scope, area and year: contributors, shares that entered and left, whether it opens or moved."""
    own = rows.loc[rows[Y] > 0, ["area", FACILITY_ID, DS, Y, SCOPE]].assign(year=lambda f: f[DS].dt.year)
    life = own.groupby(["area", FACILITY_ID])["year"]
    own = own.assign(new=own["year"] == life.transform("min"), gone=own["year"] == life.transform("max"))
    own = own.assign(new_y=own[Y] * own["new"], gone_y=own[Y] * own["gone"])
    flow = (
        own.groupby(["area", "year", SCOPE])
        .agg(n=(Y, "size"), y=(Y, "sum"), new=("new", "sum"), gone=("gone", "sum"), new_y=("new_y", "sum"),
             gone_y=("gone_y", "sum"))
        .reset_index()
    )  # fmt: skip
    before = flow.groupby("area")[["n", "y", "gone", "gone_y", SCOPE]].shift(1)
    return flow.assign(
        opening=before["n"].isna(),
        moved=(before[SCOPE] != flow[SCOPE]) & before["n"].notna(),
        entered=flow["new"] / flow["n"],
        left=(before["gone"] / before["n"]).fillna(0.0),
        entered_tonnes=flow["new_y"] / flow["y"],
        left_tonnes=(before["gone_y"] / before["y"]).fillna(0.0),
    )


def declared_breaks(breaks: pd.DataFrame, figures: pd.DataFrame, traits: pd.DataFrame) -> pd.DataFrame:
    """unique_id, ds, break_id: one row a series and break it lives through.

    A series lives through a break when it has a figure before it and one under its scheme from then on. A
    series of kind "plant" crosses those of ``PLANT_BREAKS`` alone.

    Args:
        breaks: the reference table scope_breaks, more rows of its layout welcome.
        figures: unique_id, ds, scope_id of every figure.
        traits: index unique_id; kind, country, sector.
    """
    first = figures.groupby(UNIQUE_ID)[DS].min()
    parts = [pd.DataFrame({UNIQUE_ID: pd.Series(dtype=str), DS: pd.Series(dtype="datetime64[ns]"),
                           "break_id": pd.Series(dtype=str)})]  # fmt: skip
    for row in breaks.itertuples():
        begin = pd.Timestamp(year=int(str(row.from_year)), month=1, day=1)
        after = figures.loc[(figures[DS] >= begin) & (figures[SCOPE] == row.scheme), UNIQUE_ID].unique()
        mine = traits.loc[after]
        plants = PLANT_BREAKS.get(str(row.break_id), "")
        named = _named(mine["country"], str(row.applies_to)) & _named(mine["sector"], str(row.sectors))
        named &= (mine["kind"] != "plant") | _named(mine["sector"], plants)
        names = mine.index[named & (first.reindex(mine.index) < begin)]
        parts.append(pd.DataFrame({UNIQUE_ID: names, DS: begin, "break_id": str(row.break_id)}))
    joined = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    return joined.astype({DS: "datetime64[ns]"}).sort_values([UNIQUE_ID, DS, "break_id"], ignore_index=True)


def _named(values: pd.Series, cell: str) -> pd.Series:
    return pd.Series(data=True, index=values.index) if cell == "all" else values.isin(cell.split(";"))
