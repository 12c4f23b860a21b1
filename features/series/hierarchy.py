"""Sums up the staircase: sectors to clusters, clusters to the initiative, path by path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import LawBroken
from features.series.panel import Dense
from features.series.words import INITIATIVE

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Hierarchy:
    """Which sectors a cluster is made of.

    Attributes:
        clusters: cluster ids, sorted.
        members: cluster -> its bottom series, sorted.
    """

    clusters: tuple[str, ...]
    members: dict[str, tuple[str, ...]]

    @staticmethod
    def of(traits: pd.DataFrame) -> Hierarchy:
        """Read from traits (index unique_id, columns kind and cluster_id); context series belong nowhere."""
        bottom = traits[traits["kind"] == "sector"]
        groups = {str(k): tuple(sorted(map(str, v))) for k, v in bottom.groupby("cluster_id").groups.items()}
        return Hierarchy(clusters=tuple(sorted(groups)), members=groups)


@dataclass(frozen=True)
class Totals:
    """Forecast paths of cluster totals and, last where it can be formed, of the initiative.

    Attributes:
        ids: (N,) clusters in the order of the hierarchy, then "initiative".
        cutoffs: (N,) ordinal of the last period whose total is known.
        paths: (N, H, P) tCO2e; row k, step h is period ``cutoffs[k] + 1 + h``.
    """

    ids: tuple[str, ...]
    cutoffs: Int
    paths: Float


def align(values: Float, cutoffs: Int, first: int, width: int) -> Float:
    """Lay rows that begin after their own cutoff on one calendar.

    ``values`` (B, H, …): column h of row b is period ``cutoffs[b] + 1 + h``. Returns (B, width, …):
    column j is period ``first + j``; NaN where a row has nothing.
    """
    count, depth = values.shape[:2]
    column = first + np.arange(width)[None, :] - (np.asarray(cutoffs)[:, None] + 1)
    inside = (column >= 0) & (column < depth)
    taken = values[np.arange(count)[:, None], np.clip(column, 0, depth - 1)]
    spread = inside.reshape(inside.shape + (1,) * (values.ndim - 2))
    return np.asarray(np.where(spread, taken, np.nan), dtype=np.float64)


def align_history(dense: Dense, first: int, width: int) -> Float:
    """The history of every series on one calendar: (B, width), column j is period ``first + j``."""
    return align(dense.y, dense.starts - 1, first, width)


def cluster_history(aligned: Float, ids: tuple[str, ...], hierarchy: Hierarchy) -> Float:
    """(C, W) cluster totals: the sum of the sectors with a figure; NaN where no sector has one.

    A sector without a figure is absent, not zero, so it is left out of the sum.
    """
    row = {name: i for i, name in enumerate(ids)}
    totals = np.full((len(hierarchy.clusters), aligned.shape[1]), np.nan)
    for c, cluster in enumerate(hierarchy.clusters):
        part = aligned[[row[name] for name in hierarchy.members[cluster] if name in row]]
        known = np.isfinite(part)
        totals[c] = np.where(known.any(axis=0), np.where(known, part, 0.0).sum(axis=0), np.nan)
    return totals


def cluster_totals(aligned: Float, ids: tuple[str, ...], hierarchy: Hierarchy) -> Float:
    """(C, W, …) sums over the members among ``ids``, path by path; NaN where any of them is NaN.

    Meant for forecasts: ``ids`` are the live series, and a total of half its parts would be a wrong
    total. A cluster none of whose members is live is NaN throughout.
    """
    row = {name: i for i, name in enumerate(ids)}
    totals = np.full((len(hierarchy.clusters), *aligned.shape[1:]), np.nan)
    for c, cluster in enumerate(hierarchy.clusters):
        live = [row[name] for name in hierarchy.members[cluster] if name in row]
        if live:
            totals[c] = aligned[live].sum(axis=0)
    return totals


def initiative_history(clusters: Float) -> Float:
    """(W,) sums of (C, W) cluster totals for periods in which every cluster has one, NaN elsewhere."""
    return np.asarray(clusters.sum(axis=0) if len(clusters) else np.full(clusters.shape[1], np.nan))


def initiative_cutoff(clusters: Float, first: int) -> int | None:
    """Ordinal of the last period for which every cluster has a total; None where there is none."""
    whole = np.flatnonzero(np.isfinite(initiative_history(clusters)))
    return first + int(whole[-1]) if len(whole) else None


def initiative_total(history: Float, paths: Float) -> Float:
    """(W, …) initiative paths from cluster totals on one calendar.

    ``history`` (C, W) what is known, ``paths`` (C, W, …) what is forecast. Where a cluster's total is
    known already it stands in every path; NaN where some cluster has neither.
    """
    known = history.reshape(history.shape + (1,) * (paths.ndim - 2))
    return np.asarray(np.where(np.isfinite(known), known, paths).sum(axis=0))


def total_paths(dense: Dense, live: tuple[str, ...], paths: Float, hierarchy: Hierarchy) -> Totals:
    """Cluster and initiative paths from sector paths.

    Args:
        dense: everything known at the issue time, ended sectors included.
        live: the cluster sectors that were forecast, a subset of ``dense.ids``.
        paths: (len(live), H, P) their joint paths, each from its own cutoff.
        hierarchy: of the traits of ``dense``; a cluster without live members gets no total, and then
            there is none of the initiative either.

    Raises:
        LawBroken: live members of one cluster that end in different years, or paths that are missing.
    """
    steps = paths.shape[1]
    rows = np.array([dense.row[name] for name in live], dtype=np.int64)
    ends = (dense.starts + dense.lengths - 1)[rows]
    cutoffs = _cluster_cutoffs(live, ends, hierarchy)
    names = tuple(name for name in hierarchy.clusters if name in cutoffs)
    own = np.array([cutoffs[name] for name in names], dtype=np.int64)
    first, last = int(dense.starts.min()), int(own.max())
    width = last + steps - first + 1
    part = Hierarchy(names, {name: hierarchy.members[name] for name in names})
    known = cluster_history(align_history(dense, first, width), dense.ids, part)
    future = cluster_totals(align(paths, ends, first, width), live, part)
    result = np.stack([future[c, end - first + 1 :][:steps] for c, end in enumerate(own)])
    whole = initiative_cutoff(known, first) if names == hierarchy.clusters else None
    if whole is not None:
        start = whole - first + 1
        total = initiative_total(known[:, start : start + steps], future[:, start : start + steps])
        names, own = (*names, INITIATIVE), np.append(own, whole)
        result = np.concatenate([result, total[None]])
    return Totals(ids=names, cutoffs=own, paths=_all_there(names, result))


def total_history(dense: Dense, hierarchy: Hierarchy, first: int, width: int) -> Float:
    """(C + 1, width) totals of every cluster and, last, of the initiative on one calendar.

    The actuals a backtest holds against ``total_paths``: give it what is known now.
    """
    clusters = cluster_history(align_history(dense, first, width), dense.ids, hierarchy)
    return np.concatenate([clusters, initiative_history(clusters)[None]])


def _cluster_cutoffs(live: tuple[str, ...], ends: Int, hierarchy: Hierarchy) -> dict[str, int]:
    end = dict(zip(live, map(int, ends), strict=True))
    found = {c: {end[name] for name in hierarchy.members[c] if name in end} for c in hierarchy.clusters}
    split = [cluster for cluster, years in found.items() if len(years) > 1]
    if split:
        raise LawBroken(
            "cutoffs-differ-in-cluster",
            found=f"{len(split)} clusters whose live sectors end in different periods",
            expected="live sectors of a cluster with one last period",
            offenders=split,
            remedy="leave the sectors that ended out of the forecast",
        )
    return {cluster: years.pop() for cluster, years in found.items() if years}


def _all_there(ids: tuple[str, ...], paths: Float) -> Float:
    holes = ~np.isfinite(paths).all(axis=(1, 2))
    if holes.any():
        raise LawBroken(
            "total-not-finite",
            found=f"{int(holes.sum())} totals with missing paths",
            expected="a path for every live sector and step",
            offenders=[ids[i] for i in np.flatnonzero(holes)],
            remedy="forecast every live sector for the same steps",
        )
    return paths
