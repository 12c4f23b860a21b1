"""Which facility belongs to which cluster: by boundary, by declared ids, at most one cluster a scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from features.errors import DataError
from features.reference.tables import Reference
from features.series.words import CLUSTER_ID
from features.sources.records import FACILITY_ID

HOW: Final = "how"
OVERLAP: Final = "boundaries-overlap"
BY_BOUNDARY, BY_NAME = "boundary", "named"
COLUMNS: Final = (FACILITY_ID, CLUSTER_ID, "scope_id", HOW)


@dataclass(frozen=True)
class Boundary:
    """What makes a facility a member of one cluster.

    Attributes:
        cluster_id: the cluster.
        countries: registries whose facilities the shape may take in; empty for any. A box beside a border
            takes in nothing from across it.
        shape: area in degrees (x = longitude, y = latitude), or None: then only ``include`` counts.
        include: facility ids that belong whatever the shape says.
        exclude: facility ids that do not belong whatever the shape says.
        basis: how the boundary was drawn, in words.
        name: what people call the cluster ("" where the reference tables name it).
    """

    cluster_id: str
    countries: tuple[str, ...] = ()
    shape: BaseGeometry | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    basis: str = ""
    name: str = ""


@dataclass(frozen=True)
class Membership:
    """The outcome of an assignment.

    Attributes:
        frame: facility_id, cluster_id, scope_id, how ("boundary" or "named"); a facility has one row at
            most.
        unmatched: ids that an include or exclude list names and no facility has.
        counts: members, by boundary, by name, excluded, facilities without a point.
    """

    frame: pd.DataFrame
    unmatched: tuple[str, ...]
    counts: dict[str, int]

    def cluster_of(self) -> pd.Series:
        """cluster_id by facility_id."""
        return self.frame.set_index(FACILITY_ID)[CLUSTER_ID]


def of_reference(reference: Reference) -> tuple[Boundary, ...]:
    """The boundaries of the reference tables, one a cluster: the union of its boxes, in its country."""
    country = reference.clusters.set_index(CLUSTER_ID)["country"]
    found = []
    for cluster, rows in reference.boundaries.groupby(CLUSTER_ID):
        edges = rows[["west", "south", "east", "north"]].to_numpy(dtype=float)
        found.append(
            Boundary(
                cluster_id=str(cluster),
                countries=(str(country[cluster]),),
                shape=shapely.union_all([shapely.box(*edge) for edge in edges]),
                basis=str(rows["basis"].iloc[0]),
            )
        )
    return tuple(found)


def redrawn(boundaries: Sequence[Boundary], own: Sequence[Boundary]) -> tuple[Boundary, ...]:
    """``boundaries`` with those of ``own`` put in their place, or added; sorted by cluster."""
    merged = {b.cluster_id: b for b in boundaries} | {b.cluster_id: b for b in own}
    return tuple(merged[name] for name in sorted(merged))


def assign(facilities: pd.DataFrame, boundaries: Sequence[Boundary]) -> Membership:
    """Assign every facility to the one cluster that names it, or whose shape (edge included) holds it.

    Args:
        facilities: facility_id, country, scope_id, lat, lon (see ``coordinates.mend``; NaN: no point).
        boundaries: one a cluster.

    Raises:
        DataError: two clusters name the same facility (``facility-named-twice``), or a facility lies in
            two shapes and no list decides (``boundaries-overlap``).
    """
    ids = facilities[FACILITY_ID].astype(str)
    named = _named(boundaries)
    claims = [_claims(facilities, b, named) for b in boundaries]
    hits = np.array([hit for hit, _ in claims], dtype=bool).reshape(len(claims), len(facilities))
    excluded = np.array([out for _, out in claims], dtype=bool).reshape(hits.shape)
    _refuse_overlap(ids, hits, boundaries)
    at = np.flatnonzero(hits.any(axis=0))
    names = np.array([b.cluster_id for b in boundaries], dtype=object)
    member = ids.iloc[at]
    frame = pd.DataFrame(
        {
            FACILITY_ID: member.to_numpy(),
            CLUSTER_ID: names[hits[:, at].argmax(axis=0)] if len(at) else names[:0],
            "scope_id": facilities["scope_id"].astype(str).to_numpy()[at],
            HOW: np.where(member.isin(list(named)), BY_NAME, BY_BOUNDARY),
        }
    ).astype(str)
    listed = {i for b in boundaries for i in (*b.include, *b.exclude)}
    counts = {
        "members": len(frame),
        "by_boundary": int((frame[HOW] == BY_BOUNDARY).sum()),
        "by_name": int((frame[HOW] == BY_NAME).sum()),
        "excluded": int(excluded.sum()),
        "without_point": int((facilities["lat"].isna() | facilities["lon"].isna()).sum()),
    }
    return Membership(frame, tuple(sorted(listed - set(ids))), counts)


def _named(boundaries: Sequence[Boundary]) -> dict[str, str]:
    """Facility id to the cluster whose include list names it."""
    pairs = [(i, b.cluster_id) for b in boundaries for i in dict.fromkeys(b.include)]
    named = dict(pairs)
    if len(named) < len(pairs):
        twice = sorted({i for i, cluster in pairs if named[i] != cluster})
        raise DataError(
            "facility-named-twice",
            found=f"{len(twice)} facilities in the include lists of two clusters",
            expected="a facility in at most one cluster",
            offenders=twice,
            remedy="take it off one of the lists",
        )
    return named


def _claims(
    facilities: pd.DataFrame, boundary: Boundary, named: dict[str, str]
) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """(N,) True for facilities the boundary takes, and (N,) True for those it would but excludes."""
    ids = facilities[FACILITY_ID].astype(str)
    inside = np.zeros(len(ids), dtype=bool)
    if boundary.shape is not None:
        lon, lat = facilities["lon"].to_numpy(dtype=float), facilities["lat"].to_numpy(dtype=float)
        known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
        shapely.prepare(boundary.shape)
        inside[known] = shapely.intersects_xy(boundary.shape, lon[known], lat[known])
        if boundary.countries:
            inside &= facilities["country"].isin(boundary.countries).to_numpy()
    elsewhere = ids.isin([i for i, cluster in named.items() if cluster != boundary.cluster_id]).to_numpy()
    out = ids.isin(boundary.exclude).to_numpy()
    mine = ids.isin(boundary.include).to_numpy()
    return mine | (inside & ~elsewhere & ~out), inside & out & ~mine


def _refuse_overlap(
    ids: pd.Series, hits: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], boundaries: Sequence[Boundary]
) -> None:
    twice = np.flatnonzero(hits.sum(axis=0) > 1)
    if len(twice):
        names = [b.cluster_id for b in boundaries]
        raise DataError(
            OVERLAP,
            found=f"{len(twice)} facilities inside two clusters",
            expected="a facility in at most one cluster",
            offenders=[
                f"{ids.iloc[k]} in {' and '.join(n for n, hit in zip(names, hits[:, k], strict=True) if hit)}"
                for k in twice
            ],
            remedy="move a boundary, or name the facility in one include list or one exclude list",
        )
