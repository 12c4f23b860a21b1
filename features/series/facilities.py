"""From facility records to sums: facility, sector, cluster and country, one scope at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from features.errors import DataError
from features.series import exact
from features.series.coordinates import mend
from features.series.membership import Membership
from features.series.words import CLUSTER_ID, DS, KNOWN_AT, SCOPE, SOURCE, Y
from features.sources.records import FACILITY, FACILITY_ID, STATE, Batch

INVENTORY: Final = (FACILITY_ID, DS, Y, STATE, SOURCE, SCOPE, KNOWN_AT)
SUMS: Final = ("area", "kind", "sector", "year", "tco2e", "installations", SOURCE)
# Scopes that follow one another in one series (over a declared break). Any other scope stands alone.
FAMILIES: Final = (("eu-ets", "uk-ets"), ("us-ghgrp",))
_FAMILY: Final = {scope: members[0] for members in FAMILIES for scope in members}
ANNUAL: Final = "year"
TWICE: Final = "facility-counted-twice"
_ADDED: Final = ["area", "kind", "sector", "year", SCOPE]


@dataclass(frozen=True)
class Inventory:
    """Annual facility records of all sources, with points that can be relied on.

    Attributes:
        records: facility_id, ds, y (tCO2e or NaN), state, source, scope_id, known_at; sorted by facility, ds
            and known_at. A facility may change its scope (a British site after 2020), but has one source
            with a figure for each year.
        facilities: one row a facility_id with the columns of a Batch; lat and lon repaired or NaN.
        changes: repaired and refused points (see ``coordinates.Mended``).
        counts: verdicts on points; left_aside: facilities that are not annual.
    """

    records: pd.DataFrame
    facilities: pd.DataFrame
    changes: pd.DataFrame
    counts: dict[str, int]

    def at(self, t: pd.Timestamp) -> Inventory:
        """What was known at ``t`` (UTC without a zone): the newest row of each facility and year."""
        seen = self.records[self.records[KNOWN_AT] <= t].drop_duplicates([FACILITY_ID, DS], keep="last")
        return Inventory(seen.reset_index(drop=True), self.facilities, self.changes, self.counts)


def of_batches(batches: Sequence[Batch], known_at: pd.Timestamp, boxes: pd.DataFrame) -> Inventory:
    """The inventory of freshly read batches, all of it known at ``known_at``."""
    records = [b.records.assign(source=b.source, known_at=known_at) for b in batches]
    facilities = [b.facilities.assign(**{SOURCE: b.source}) for b in batches]
    return inventory(pd.concat(records, ignore_index=True), pd.concat(facilities, ignore_index=True), boxes)


def inventory(records: pd.DataFrame, facilities: pd.DataFrame, boxes: pd.DataFrame) -> Inventory:
    """The inventory of records with known_at and their facilities, as the lake gives them.

    Where two sources speak of one facility and year, the one with a figure stands.

    Args:
        records: facility_id, ds, y, state, source, known_at; one or more vintages of each key.
        facilities: the columns of a Batch and source; one row a facility and source.
        boxes: see ``coordinates.country_boxes``.

    Raises:
        DataError: two sources give a figure for one facility and year (``facility-counted-twice``).
    """
    ordered = facilities.sort_values([FACILITY_ID, SOURCE], kind="stable")
    single = ordered.drop_duplicates(FACILITY_ID).reset_index(drop=True)
    aside = single["cadence"] != ANNUAL
    mended = mend(single.loc[~aside, list(FACILITY)].reset_index(drop=True), boxes)
    known = records.merge(facilities[[FACILITY_ID, SOURCE, SCOPE]], on=[FACILITY_ID, SOURCE], how="inner")
    known = known[known[FACILITY_ID].isin(mended.facilities[FACILITY_ID])]
    known = known.loc[:, list(INVENTORY)].sort_values([FACILITY_ID, DS, KNOWN_AT], kind="stable")
    counts = {**mended.counts, "left_aside": int(aside.sum())}
    return Inventory(_one_voice(known), mended.facilities, mended.changes, counts)


def _one_voice(records: pd.DataFrame) -> pd.DataFrame:
    key = [FACILITY_ID, DS]
    codes = pd.Series(pd.factorize(records[SOURCE])[0], index=records.index)
    pair = [records[FACILITY_ID], records[DS]]
    several = codes.groupby(pair).transform("min") != codes.groupby(pair).transform("max")
    if not several.any():
        return records.reset_index(drop=True)
    mixed = records[several]
    speaks = mixed[Y].notna().groupby([mixed[FACILITY_ID], mixed[DS], mixed[SOURCE]]).transform("any")
    voices = mixed[speaks].drop_duplicates([*key, SOURCE]).groupby(key).size()
    twice = voices[voices > 1]
    if len(twice):
        raise DataError(
            TWICE,
            found=f"{len(twice)} facilities and years with a figure from two sources",
            expected="one source a facility and year",
            offenders=[f"{name} {ds.year}" for name, ds in twice.index],
            remedy="leave one of the sources out",
        )
    heard = pd.MultiIndex.from_frame(mixed.loc[speaks, key])
    silent = mixed[~speaks & ~pd.MultiIndex.from_frame(mixed[key]).isin(heard)]
    silent = silent.sort_values([*key, SOURCE], kind="stable")
    first = silent.groupby(key)[SOURCE].transform("first")
    kept = pd.concat([records[~several], mixed[speaks], silent[silent[SOURCE] == first]])
    return kept.sort_values([*key, KNOWN_AT], kind="stable").reset_index(drop=True)


def tagged(inv: Inventory, members: Membership, *, context: bool = True) -> pd.DataFrame:
    """The records of ``inv`` with area, kind, sector, country and cluster_id.

    A member of a cluster has a row of kind "cluster"; with ``context`` every facility has one more of
    kind "country" or, in the United States, "state" (area "US-TX").
    """
    traits = inv.facilities[[FACILITY_ID, "country", "region", "sector"]]
    rows = inv.records.merge(traits, on=FACILITY_ID, how="inner")
    rows[CLUSTER_ID] = rows[FACILITY_ID].map(members.cluster_of()).astype("str").fillna("")
    inside = rows[rows[CLUSTER_ID] != ""]
    parts = [inside.assign(area=inside[CLUSTER_ID], kind="cluster")]
    if context:
        state = ((rows["country"] == "US") & (rows["region"] != "")).to_numpy()
        area = rows["country"].where(~state, "US-" + rows["region"])
        parts.append(rows.assign(area=area, kind=np.where(state, "state", "country")))
    return pd.concat(parts, ignore_index=True).drop(columns="region")


def one_family(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of the scopes that speak for each area, and the rows left aside (see ``speakers``)."""
    speaks = speakers([heard(rows)]).among(rows)
    return rows[speaks].reset_index(drop=True), rows[~speaks].reset_index(drop=True)


def heard(rows: pd.DataFrame) -> pd.DataFrame:
    """area, year and scope_id of every figure above zero, each once."""
    emits = rows.loc[rows[Y] > 0, ["area", DS, SCOPE]]
    return emits.assign(year=emits[DS].dt.year)[["area", "year", SCOPE]].drop_duplicates()


def family(scopes: pd.Series) -> pd.Series:
    """The name of each scope's family: of ``FAMILIES`` its first scope, else the scope itself."""
    return scopes.map(lambda scope: _FAMILY.get(scope, scope)).astype("str")


@dataclass(frozen=True)
class Speakers:
    """Which scopes speak for which area.

    Attributes:
        rank: of each scope; those of one family share theirs.
        best: index area; the rank of the family that speaks for it.
    """

    rank: dict[str, int]
    best: pd.Series

    def among(self, rows: pd.DataFrame) -> pd.Series:
        """True for the rows (area, scope_id) whose scope speaks for their area."""
        return rows[SCOPE].map(self.rank) == rows["area"].map(self.best)


def speakers(told: Sequence[pd.DataFrame]) -> Speakers:
    """Figures of unlike scopes (schemes, gases, GWP sets) are never added: of the families in ``FAMILIES``
    the first with a figure in an area speaks for it, after them other scopes by name.

    Args:
        told: ``heard``, of any parts of the facilities.

    Raises:
        DataError: an area has figures of two scopes of a family for one year (``area-crosses-scopes``).
    """
    known = pd.concat(list(told), ignore_index=True)[["area", "year", SCOPE]].drop_duplicates()
    rank = {scope: place for place, family in enumerate(FAMILIES) for scope in family}
    others = sorted(set(known[SCOPE].unique()) - set(rank))
    rank |= {str(scope): len(FAMILIES) + place for place, scope in enumerate(others)}
    found = Speakers(rank, known[SCOPE].map(rank).groupby(known["area"]).min())
    scopes = known[found.among(known)]
    twice = scopes[scopes.duplicated(["area", "year"])].sort_values(["area", "year"])
    if len(twice):
        raise DataError(
            "area-crosses-scopes",
            found=f"{len(twice)} years in which an area has figures of two scopes",
            expected="facilities of one scheme a year in one area",
            offenders=[f"{row.area} {row.year}" for row in twice.itertuples()],
            remedy="give the cluster one country, or draw one cluster on each side of the border",
        )
    return found


def sums(inv: Inventory, members: Membership, t: pd.Timestamp) -> pd.DataFrame:
    """Sums known at ``t`` in the layout of the reference table sector_emissions.

    area, kind, sector, year, tco2e (whole tonnes), installations (contributors: figures above zero),
    source (the scope); sorted. A sector in which nobody emits has no row.
    """
    return summed([added(inv, members, t)])[0]


def added(inv: Inventory, members: Membership, t: pd.Timestamp) -> pd.DataFrame:
    """The figures known at ``t`` of any part of the facilities, added up by area, kind, sector, year and
    scope_id: parts of the tonnes (see ``exact``), and installations."""
    rows = tagged(inv.at(t), members)
    emits = rows[rows[Y] > 0]
    told = emits[[*_ADDED[:3], SCOPE]].assign(
        year=emits[DS].dt.year, **exact.split(emits[Y].to_numpy(dtype=float)), installations=1
    )
    return told.groupby(_ADDED)[[*exact.PARTS, "installations"]].sum().reset_index()


def summed(told: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``sums`` of all facilities, from what was ``added`` of parts of them; and the same of the scopes that
    do not speak for their area: what another source says of it."""
    whole = pd.concat(list(told), ignore_index=True)
    total = whole.groupby(_ADDED)[[*exact.PARTS, "installations"]].sum().reset_index()
    speaks = speakers([total]).among(total)
    tonnes = exact.joined(*(total[part].to_numpy(dtype=np.int64) for part in exact.PARTS))
    total = total.assign(tco2e=np.rint(tonnes).astype("int64")).rename(columns={SCOPE: SOURCE})
    ordered = [
        total.loc[mine, list(SUMS)].sort_values(["area", "sector", "year"], ignore_index=True)
        for mine in (speaks, ~speaks)
    ]
    return ordered[0], ordered[1]


def totals(summed: pd.DataFrame) -> pd.DataFrame:
    """Cluster totals by year: cluster_id, year, scope_id, tco2e, installations; from ``sums``."""
    own = summed[summed["kind"] == "cluster"]
    keys = ["area", "year", SOURCE]
    total = own.groupby(keys)[["tco2e", "installations"]].sum().reset_index()
    return total.rename(columns={"area": CLUSTER_ID, SOURCE: SCOPE})
