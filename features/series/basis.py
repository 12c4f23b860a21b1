"""What a retrain and its forecasts rest on: series with their vintages, score cards, cluster totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from features.errors import AskError
from features.reference.tables import Reference
from features.series.bridges import Bridge, bridge
from features.series.build import SeriesSet, embedded
from features.series.coordinates import country_boxes
from features.series.facilities import SUMS, Inventory, inventory, summed, totals
from features.series.from_lake import FEWEST_YEARS, KINDS, plant_names, series_of
from features.series.lake import Lake
from features.series.membership import Boundary, Membership, assign, of_reference, redrawn
from features.series.portions import Portion, Work, portion, refuse
from features.series.quality import cards, compared
from features.series.snapshots import Stretch
from features.series.stretches import ROWS, Told, checked, read, stretches
from features.series.words import CLUSTER_ID, DS, SCOPE, UNIQUE_ID
from features.spread import Here, Spread

PLACES: Final = (CLUSTER_ID, "name", "country", "basis")
SOURCES: Final = ("eutl", "uk-ets", "ghgrp")


@dataclass(frozen=True)
class Basis:
    """The figures of a retrain, and what is told about them beside every forecast.

    Attributes:
        series: all series with their vintages.
        totals: cluster totals by year: cluster_id, year, scope_id, tco2e, installations.
        quality: one score card a series (index unique_id, see ``quality.cards``).
        places: clusters that a user added or redrew: cluster_id, name, country, basis.
        names: what a plant is called, by unique_id; empty where the figures are sums.
        origin: where the figures are from, JSON-ready.
    """

    series: SeriesSet
    totals: pd.DataFrame
    quality: pd.DataFrame
    places: pd.DataFrame
    names: dict[str, str]
    origin: dict[str, Any]


@dataclass(frozen=True)
class Stock:
    """Facilities of the lake and the clusters they belong to, as known at one instant."""

    inventory: Inventory
    members: Membership
    boundaries: tuple[Boundary, ...]
    snapshots: tuple[str, ...]


def of_embedded(reference: Reference, t: pd.Timestamp) -> Basis:
    """The embedded sector figures as known at ``t`` (UTC without a zone)."""
    series = embedded(reference).until(t)
    figures = reference.sector_emissions.loc[:, list(SUMS)]
    return Basis(
        series=series,
        totals=totals(figures),
        quality=cards(series, t, summed=figures),
        places=pd.DataFrame(columns=list(PLACES)),
        names={},
        origin={"figures": "embedded", "from": "features/reference/sector_emissions.csv"},
    )


def stock_of(
    lake: Lake,
    reference: Reference,
    t: pd.Timestamp,
    *,
    sources: Sequence[str] = SOURCES,
    own: Sequence[Boundary] = (),
) -> Stock:
    """The facilities that ``sources`` of the lake told of up to ``t``, and their clusters.

    Raises:
        AskError: the lake holds none of these sources at ``t`` (``lake-empty``).
        DataError: boundaries that overlap, or figures that would be counted twice.
    """
    told = lake.sightings(t, sources)
    checked(lake, told)
    known = read(lake, told, Stretch())
    if known.records.empty:
        raise _nothing(lake, t, sources)
    boundaries = redrawn(of_reference(reference), own)
    inv = inventory(known.records, known.facilities, country_boxes())
    return Stock(inv, assign(inv.facilities, boundaries), boundaries, _shown(told))


def of_lake(
    lake: Lake,
    reference: Reference,
    t: pd.Timestamp,
    *,
    sources: Sequence[str] = SOURCES,
    own: Sequence[Boundary] = (),
    kinds: Sequence[str] = KINDS,
    fewest_years: int = FEWEST_YEARS,
    spread: Spread = Here(),  # noqa: B008  # it holds nothing
    rows: int = ROWS,
) -> Basis:
    """Plants, sectors and context of the lake's facilities, read and summed by stretches of about ``rows``
    records.

    Whoever does the work, and however it is cut, the basis is the same, bit for bit. Workers read the lake
    from its place, and write nothing.

    Raises:
        AskError, DataError: as ``stock_of``; an area with figures of two scopes for one year.
    """
    told = lake.sightings(t, sources)
    checked(lake, told)
    work = Work(
        root=lake.root,
        told=told,
        boundaries=redrawn(of_reference(reference), own),
        boxes=country_boxes(),
        reference=replace(reference, sector_emissions=reference.sector_emissions.head(0)),
        t=t,
        kinds=tuple(kinds),
        fewest_years=fewest_years,
    )
    cut = stretches(lake, told, rows)
    # One stretch is not worth sending.
    portions = list((spread if len(cut) > 1 else Here()).over(portion, work, cut))
    refuse(portions)
    full = [one for one in portions if one.drawn is not None]
    if not full:
        raise _nothing(lake, t, sources)
    return basis_of(full, reference, t, own, _shown(told))


def basis_of(
    portions: Sequence[Portion],
    reference: Reference,
    t: pd.Timestamp,
    own: Sequence[Boundary],
    snapshots: Sequence[str],
) -> Basis:
    """Plants, sectors and context of all facilities, from what stretches of them come to, in their order."""
    told = [one.drawn for one in portions if one.drawn is not None]
    series = series_of(told, reference)
    speaking, aside = summed([one.added for one in portions if one.added is not None])
    return Basis(
        series=series,
        totals=totals(speaking),
        quality=cards(series, t, summed=speaking, agreement=compared(speaking, aside)),
        places=_places(own),
        names=plant_names(told, series.traits),
        origin={"figures": "lake", "snapshots": list(snapshots)},
    )


def _nothing(lake: Lake, t: pd.Timestamp, sources: Sequence[str]) -> AskError:
    held = sorted({snapshot.source for snapshot in lake.snapshots()})
    return AskError(
        "lake-empty",
        found=f"nothing of {', '.join(sources)} known at {t:%Y-%m-%d}; the lake holds "
        + (", ".join(held) or "nothing"),
        expected="facility records of at least one of these sources",
        remedy=f"read one in first: forecarbon ingest {sources[0]} --file PATH (with --known-at DAY "
        "for what was published earlier)",
    )


def _shown(told: Told) -> tuple[str, ...]:
    return tuple(sorted({one.snapshot.folder for seen in told.values() for one in seen}))


def bridges_of(basis: Basis, reference: Reference) -> list[Bridge | AskError]:
    """For every cluster and every total published for it: the bridge to it, or why there is none."""
    published = reference.published_history
    own = basis.totals
    scopes = own.sort_values("year").drop_duplicates(CLUSTER_ID, keep="last").set_index(CLUSTER_ID)[SCOPE]
    pairs = published[[CLUSTER_ID, SCOPE]].drop_duplicates()
    told: list[Bridge | AskError] = []
    for cluster, to_scope in pairs.itertuples(index=False):
        if cluster not in scopes.index:
            continue
        try:
            told.append(
                bridge(
                    published,
                    own,
                    cluster=cluster,
                    to_scope=to_scope,
                    from_scope=str(scopes[cluster]),
                    since=_since(basis.series, cluster),
                )
            )
        except AskError as why:
            why.facts.update({CLUSTER_ID: cluster, "to_scope": to_scope})
            told.append(why)
    return told


def _since(series: SeriesSet, cluster: str) -> int:
    """First year under the cluster's present scope: that of the last declared break of its sectors."""
    traits = series.traits
    mine = traits.index[(traits[CLUSTER_ID] == cluster) & (traits["kind"] == "sector")]
    breaks = series.breaks[series.breaks[UNIQUE_ID].isin(mine)]
    return int(breaks[DS].dt.year.max()) if len(breaks) else 0


def _places(own: Sequence[Boundary]) -> pd.DataFrame:
    rows = [(b.cluster_id, b.name, b.countries[0] if len(b.countries) == 1 else "", b.basis) for b in own]
    return pd.DataFrame(rows, columns=list(PLACES)).astype(str)
