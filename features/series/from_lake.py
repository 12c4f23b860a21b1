"""The series to train on, from facility records with their vintages: plants, sectors, context."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from features.reference.tables import Reference
from features.series.build import TRAITS, SeriesSet
from features.series.cadence import YEAR
from features.series.facilities import Inventory, one_family, tagged
from features.series.membership import Membership
from features.series.scope_jumps import declared_breaks
from features.series.vintages import COLUMNS, Vintages
from features.series.words import CLUSTER_ID, DS, FLAG, KNOWN_AT, SCOPE, SOURCE, UNIQUE_ID, Y
from features.sources.embedded import BY_RULE, rows
from features.sources.records import FACILITY_ID

SECTOR, CONTEXT, PLANT = "sector", "context", "plant"
KINDS: Final = (PLANT, SECTOR, CONTEXT)
FEWEST_YEARS: Final = 8
RECORDED: Final = "recorded"
_AREA: Final = ["area", CLUSTER_ID, "sector"]


def series_set(
    inv: Inventory,
    members: Membership,
    reference: Reference,
    *,
    kinds: tuple[str, ...] = KINDS,
    fewest_years: int = FEWEST_YEARS,
) -> SeriesSet:
    """A SeriesSet of facility records, annual, tCO2e.

    Kinds: "sector" (``cluster/sector``) and "context" (``country/sector``, ``US-TX/sector``) are sums;
    "plant" is ``area/sector/facility`` for every facility with at least ``fewest_years`` figures above
    zero, its area its cluster, or its country or state outside all clusters. A plant begins with its first
    figure above zero; zeros after its last one are left out, so that ``ended`` lists it.

    The first vintage of a figure counts as known when its scheme publishes (flag "by-rule"), or when the
    lake recorded it if that was earlier or no rule is known ("recorded"); a restatement counts as known
    when it was recorded, so it never changes an earlier ``as_of``.
    """
    dated = replace(inv, records=_dated(inv.records, reference))
    tags, _ = one_family(tagged(dated, members))
    tags[FLAG] = np.where(tags["ruled"], BY_RULE, RECORDED)
    parts = []
    if SECTOR in kinds:
        parts.append(_sums(tags[tags["kind"] == "cluster"], SECTOR))
    if CONTEXT in kinds:
        parts.append(_sums(tags[tags["kind"] != "cluster"].assign(**{CLUSTER_ID: ""}), CONTEXT))
    if PLANT in kinds:
        parts.append(_plants(tags, fewest_years))
    whole = pd.concat(parts, ignore_index=True)
    traits = _traits(whole)
    figures = whole[[UNIQUE_ID, DS, SOURCE]].rename(columns={SOURCE: SCOPE})
    scopes = {str(s): str(s) for s in whole[SOURCE].unique()}
    scopes |= {str(r.source_id): str(r.scope_id) for r in reference.publication.itertuples()}
    return SeriesSet(
        vintages=Vintages.of(whole.loc[:, list(COLUMNS)], YEAR),
        traits=traits,
        breaks=declared_breaks(reference.scope_breaks, figures, traits),
        scope_of_source=scopes,
    )


def _dated(records: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """Records with known_at by the rules of publication; ``ruled`` says where a rule was used."""
    year = records[DS].dt.year
    begins = reference.publication.groupby("source_id")["from_year"].min()
    pairs = pd.DataFrame({SOURCE: records[SCOPE], "year": year}).drop_duplicates()
    pairs = pairs[pairs["year"] >= pairs[SOURCE].map(begins).astype(float)]
    asked = pairs.assign(area=pairs[SOURCE], sector=pairs["year"].astype(str), tco2e=0.0)
    told = rows(replace(reference, sector_emissions=asked.reset_index(drop=True)))
    rule = pairs.assign(rule=told[KNOWN_AT].to_numpy(dtype="datetime64[ns]"))
    due = records.assign(year=year).merge(
        rule.rename(columns={SOURCE: SCOPE}), on=[SCOPE, "year"], how="left"
    )["rule"]
    due.index = records.index
    first = ~records.duplicated([FACILITY_ID, DS])
    ruled = first & (due <= records[KNOWN_AT])
    return records.assign(**{KNOWN_AT: records[KNOWN_AT].where(~ruled, due), "ruled": ruled})


def _sums(rows_: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Vintages of the sums by area and sector: at each instant the sum of the newest facility figures."""
    ordered = rows_.sort_values(["area", FACILITY_ID, DS, KNOWN_AT], kind="stable")
    key = ["area", FACILITY_ID, DS]
    amount = ordered[Y].fillna(0.0)
    counted = (amount > 0).astype(float)
    groups = [ordered[name] for name in key]
    change = ordered.assign(
        amount=amount - amount.groupby(groups).shift(1, fill_value=0.0),
        counted=counted - counted.groupby(groups).shift(1, fill_value=0.0),
    )
    period = [*_AREA, SCOPE, DS]
    steps = change.groupby([*period, KNOWN_AT]).agg(
        amount=("amount", "sum"), counted=("counted", "sum"), flag=(FLAG, "first"),
        country=("country", "first"),
    )  # fmt: skip
    running = steps.groupby(level=period)[["amount", "counted"]].cumsum()
    whole = running.assign(**{FLAG: steps["flag"], "country": steps["country"]}).reset_index()
    whole[Y] = whole["amount"].round(3).where(whole["counted"] > 0)
    ever = whole["counted"].groupby([whole[name] for name in period]).cummax() > 0
    named = whole[ever].rename(columns={SCOPE: SOURCE}).assign(kind=kind)
    return named.assign(**{UNIQUE_ID: named["area"] + "/" + named["sector"]})


def _plants(tags: pd.DataFrame, fewest_years: int) -> pd.DataFrame:
    home = tags[(tags["kind"] == "cluster") == (tags[CLUSTER_ID] != "")]
    newest = home.drop_duplicates([FACILITY_ID, DS], keep="last")
    emits = newest[newest[Y] > 0]
    life = emits.groupby(FACILITY_ID)[DS].agg(["min", "max", "size"])
    life = life[life["size"] >= fewest_years]
    own = home[home[FACILITY_ID].isin(life.index)]
    inside = (own[DS] >= own[FACILITY_ID].map(life["min"])) & (own[DS] <= own[FACILITY_ID].map(life["max"]))
    own = own[inside]
    # A row without a figure says something only where it withdraws an earlier one.
    own = own[own[Y].notna() | own.duplicated([FACILITY_ID, DS])]
    named = own.drop(columns=SOURCE).rename(columns={SCOPE: SOURCE}).assign(kind=PLANT)
    return named.assign(**{UNIQUE_ID: named["area"] + "/" + named["sector"] + "/" + _plain(named)})


def plant_names(traits: pd.DataFrame, facilities: pd.DataFrame) -> dict[str, str]:
    """What each plant among the series is called, by unique_id."""
    plants = traits.index[traits["kind"] == PLANT]
    called = dict(zip(_plain(facilities), facilities["name"].astype(str), strict=True))
    return {str(name): called[str(name).rsplit("/", 1)[1]] for name in plants}


def _plain(rows_: pd.DataFrame) -> pd.Series:
    """facility_id as the last part of a unique_id."""
    return rows_[FACILITY_ID].astype(str).str.replace("/", "_", regex=False)


def _traits(whole: pd.DataFrame) -> pd.DataFrame:
    newest = whole.sort_values([UNIQUE_ID, DS, KNOWN_AT], kind="stable").drop_duplicates(
        UNIQUE_ID, keep="last"
    )
    traits = newest.set_index(UNIQUE_ID).rename(columns={SOURCE: SCOPE})
    return traits.loc[:, list(TRAITS)].sort_index()
