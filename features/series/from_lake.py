"""The series to train on, from facility records with their vintages: plants, sectors, context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import DataError
from features.reference.tables import Reference
from features.series import exact
from features.series.build import TRAITS, SeriesSet
from features.series.cadence import YEAR
from features.series.facilities import Inventory, Speakers, family, heard, speakers, tagged
from features.series.membership import Membership
from features.series.replay import stacked
from features.series.scope_jumps import declared_breaks
from features.series.vintages import COLUMNS, Vintages
from features.series.words import CLUSTER_ID, DS, FLAG, KNOWN_AT, SCOPE, SOURCE, UNIQUE_ID, Y
from features.sources.embedded import BY_RULE, rows
from features.sources.records import FACILITY_ID

SECTOR, CONTEXT, PLANT = "sector", "context", "plant"
KINDS: Final = (PLANT, SECTOR, CONTEXT)
FEWEST_YEARS: Final = 8
RECORDED: Final = "recorded"
_PERIOD: Final = ["area", CLUSTER_ID, "sector", SCOPE, DS]
_ADDED: Final = (*exact.PARTS, "counted")
_STEP: Final = (*_PERIOD, KNOWN_AT, *_ADDED, FLAG, "country", "kind")
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Drawn:
    """What any part of the facilities gives to the series of all.

    Attributes:
        plants: vintages of its plants (the columns of Vintages), with area and scope_id.
        traits: index unique_id; traits of those plants, and their name.
        steps: what its facilities add to sums: by area, cluster_id, sector, scope_id, ds and known_at the
            change in tonnes (see ``exact``) and in contributors, the kind, flag and country.
        heard: see ``facilities.heard``.
    """

    plants: pd.DataFrame
    traits: pd.DataFrame
    steps: pd.DataFrame
    heard: pd.DataFrame


def series_set(
    inv: Inventory,
    members: Membership,
    reference: Reference,
    *,
    kinds: Sequence[str] = KINDS,
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
    return series_of([drawn(inv, members, reference, kinds=kinds, fewest_years=fewest_years)], reference)


def drawn(
    inv: Inventory, members: Membership, reference: Reference, *, kinds: Sequence[str], fewest_years: int
) -> Drawn:
    """The part that these facilities have in ``series_set``; of ``reference`` the publication is read."""
    dated = replace(inv, records=_dated(inv.records, reference))
    tags = tagged(dated, members)
    tags[FLAG] = np.where(tags["ruled"], BY_RULE, RECORDED)
    inside = tags["kind"] == "cluster"
    own, around = tags[inside], tags[~inside].assign(**{CLUSTER_ID: ""})
    steps = [_steps(rows_, kind) for rows_, kind in ((own, SECTOR), (around, CONTEXT)) if kind in kinds]
    plants = _plants(tags if PLANT in kinds else tags.head(0), fewest_years)
    last = plants.drop_duplicates([UNIQUE_ID, "life"], keep="last")
    called = dict(zip(inv.facilities[FACILITY_ID], inv.facilities["name"].astype(str), strict=True))
    return Drawn(
        plants=plants[[*COLUMNS, "area", SCOPE]].reset_index(drop=True),
        traits=last.assign(name=last[FACILITY_ID].map(called)).set_index(UNIQUE_ID)[[*TRAITS, "name"]],
        steps=stacked(steps, _STEP),
        heard=heard(tags),
    )


def series_of(told: Sequence[Drawn], reference: Reference) -> SeriesSet:
    """The series of all facilities, from what was ``drawn`` of parts of them, in their order.

    Raises:
        DataError: an area has figures of two scopes of a family for one year (``area-crosses-scopes``);
            nobody emits anything (``figures-absent``).
    """
    speak = speakers([part.heard for part in told])
    steps = stacked([part.steps for part in told], _STEP)
    summed = _sums(steps[speak.among(steps)])
    whole = stacked([summed, *(_spoken(part.plants, speak) for part in told)], COLUMNS)
    if whole.empty:
        raise DataError(
            "figures-absent", found="facilities without a single figure above zero",
            expected="at least one sector that emits, or one plant with enough years",
            remedy="read in a file with figures, or lower fewest_years",
        )  # fmt: skip
    traits = [_spoken(part.traits, speak) for part in told]
    known = stacked([_traits(summed), *(one.reset_index() for one in traits)], [UNIQUE_ID, *TRAITS])
    known = known.set_index(UNIQUE_ID).sort_index()
    figures = whole[[UNIQUE_ID, DS, SOURCE]].rename(columns={SOURCE: SCOPE})
    scopes = {str(s): str(s) for s in sorted(whole[SOURCE].unique())}
    scopes |= {str(r.source_id): str(r.scope_id) for r in reference.publication.itertuples()}
    return SeriesSet(
        vintages=Vintages.of(whole, YEAR),
        traits=known,
        breaks=declared_breaks(reference.scope_breaks, figures, known),
        scope_of_source=scopes,
    )


def _spoken(rows_: pd.DataFrame, speak: Speakers) -> pd.DataFrame:
    """The rows whose scope speaks for their area: nearly always all, which are then not copied."""
    mine = speak.among(rows_)
    return rows_ if mine.all() else rows_[mine]


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


def _steps(rows_: pd.DataFrame, kind: str) -> pd.DataFrame:
    """What these rows add to the sums of a kind, at each instant at which something changed."""
    ordered = rows_.sort_values(["area", FACILITY_ID, DS, KNOWN_AT], kind="stable")
    again = ordered.duplicated(["area", FACILITY_ID, DS]).to_numpy()
    amount = ordered[Y].fillna(0.0).to_numpy()
    # What stood before is taken out as it was put in: a difference of figures would round.
    parts = {name: _change(part, again) for name, part in exact.split(amount).items()}
    change = ordered.assign(**parts, counted=_change((amount > 0).astype(np.int64), again))
    steps = change.groupby([*_PERIOD, KNOWN_AT]).agg(
        **{name: (name, "sum") for name in _ADDED}, flag=(FLAG, "first"), country=("country", "first")
    )
    return steps.reset_index().assign(kind=kind)[list(_STEP)]


def _change(values: Int, again: Bool) -> Int:
    """(n,) values less the one before, where a row speaks of the same as the row before it."""
    before = np.zeros_like(values)
    before[1:] = np.where(again[1:], values[:-1], 0)
    return values - before


def _sums(steps: pd.DataFrame) -> pd.DataFrame:
    """Vintages of the sums by area and sector: at each instant the sum of the newest facility figures."""
    if steps.empty:
        return pd.DataFrame(columns=[*COLUMNS, *TRAITS])
    told = steps.groupby(["kind", *_PERIOD, KNOWN_AT]).agg(
        **{name: (name, "sum") for name in _ADDED}, flag=(FLAG, "first"), country=("country", "first")
    )
    period = ["kind", *_PERIOD]
    running = told.groupby(level=period)[list(_ADDED)].cumsum()
    whole = running.assign(**{FLAG: told["flag"], "country": told["country"]}).reset_index()
    amount = pd.Series(exact.joined(*(whole[part].to_numpy() for part in exact.PARTS)), index=whole.index)
    whole[Y] = amount.round(3).where(whole["counted"] > 0)
    ever = whole["counted"].groupby([whole[name] for name in period]).cummax() > 0
    named = whole[ever]
    return named.assign(**{SOURCE: named[SCOPE], UNIQUE_ID: named["area"] + "/" + named["sector"]})


def _plants(tags: pd.DataFrame, fewest_years: int) -> pd.DataFrame:
    """Vintages of the plants; where scopes of two families tell of one, a life in each: one will speak."""
    home = tags[(tags["kind"] == "cluster") == (tags[CLUSTER_ID] != "")]
    home = home.assign(life=home[FACILITY_ID] + "|" + family(home[SCOPE]))
    newest = home.drop_duplicates([FACILITY_ID, DS], keep="last")
    emits = newest[newest[Y] > 0]
    life = emits.groupby("life")[DS].agg(["min", "max", "size"])
    life = life[life["size"] >= fewest_years]
    own = home[home["life"].isin(life.index)]
    if len(own):
        inside = (own[DS] >= own["life"].map(life["min"])) & (own[DS] <= own["life"].map(life["max"]))
        own = own[inside]
    # A row without a figure says something only where it withdraws an earlier one.
    own = own[own[Y].notna() | own.duplicated([FACILITY_ID, DS])].assign(kind=PLANT)
    return own.assign(
        **{SOURCE: own[SCOPE], UNIQUE_ID: own["area"] + "/" + own["sector"] + "/" + _plain(own)}
    )


def plant_names(told: Sequence[Drawn], traits: pd.DataFrame) -> dict[str, str]:
    """What each plant among the series is called, by unique_id."""
    called = {str(name): str(title) for part in told for name, title in part.traits["name"].items()}
    return {str(name): called[str(name)] for name in traits.index[traits["kind"] == PLANT]}


def _plain(rows_: pd.DataFrame) -> pd.Series:
    """facility_id as the last part of a unique_id."""
    return rows_[FACILITY_ID].astype(str).str.replace("/", "_", regex=False)


def _traits(summed: pd.DataFrame) -> pd.DataFrame:
    ordered = summed.sort_values([UNIQUE_ID, DS, KNOWN_AT], kind="stable")
    return ordered.drop_duplicates(UNIQUE_ID, keep="last")[[UNIQUE_ID, *TRAITS]]
