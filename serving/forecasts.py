"""From a champion and the figures to the arrays of a pack: sectors, clusters, initiative."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.series.hierarchy import Hierarchy, Totals, total_history, total_paths
from features.series.panel import Dense, long_frame, stacked
from features.series.words import DS, INITIATIVE, UNIQUE_ID, Y
from models.forecast import STANDARD_QUANTILES
from serving.agreed import agree, groups_of
from serving.layout import GRID

Float = npt.NDArray[np.float64]

# A plant's quantiles are few: there are thousands of plants, and none is asked for its tails beyond these.
PLANT_LEVELS: Final = STANDARD_QUANTILES
BLOCK: Final = 1000
NOT_FINITE: Final = "naive (because the champion gave no finite paths for this series)"


class Forecasting(Protocol):
    """Whatever draws joint sample paths (``models.fitted.FittedRecipe``)."""

    def paths(self, history: Dense, steps: int, count: int, seed: int) -> Float:
        """(B, steps, count) joint sample paths, tCO2e."""
        ...


class Fitted(Forecasting, Protocol):
    """What a champion can do (``models.fitted.FittedRecipe``)."""

    def outlook(self, history: Dense, steps: int, levels: tuple[float, ...]) -> Any:
        """mean (B, steps) and values (B, steps, Q), tCO2e, of each series by itself."""
        ...

    @property
    def recipe(self) -> Any:
        """Has ``name`` and ``as_record()``."""
        ...


class Figures(Protocol):
    """Where figures come from (``features.series.build.SeriesSet``)."""

    @property
    def vintages(self) -> Any:
        """Has ``frame`` with unique_id and source."""
        ...

    def data_hash(self) -> str:
        """sha256 over the sorted figures."""
        ...

    def ended(self, t: pd.Timestamp) -> pd.DataFrame:
        """Series that are not forecast: unique_id, reason, remedy."""
        ...


@dataclass(frozen=True)
class Table:
    """What a pack holds of S series, rows in the order of ``series``.

    Attributes:
        series: facts of each series, JSON-ready, without sources.
        below: the bottom series each one consists of.
        arrays: mean (S, H), grid (S, H, Q), paths (S, H, P), naive_mean, naive_grid.
        history: unique_id, ds, y of every served series.
    """

    series: list[dict[str, Any]]
    below: list[tuple[str, ...]]
    arrays: Mapping[str, Float]
    history: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """Names of the served series."""
        return [str(item[UNIQUE_ID]) for item in self.series]


def table_of(
    champion: Forecasting,
    naive: Forecasting,
    sectors: Dense,
    ended: Iterable[str],
    *,
    made_by: str,
    steps: int,
    count: int,
    seed: int,
    inside: Dense | None = None,
) -> tuple[Table, Float]:
    """Forecast every cluster sector that has not ended, and sum the paths upwards.

    Args:
        sectors: all cluster sectors: the ``ended`` ones are not forecast, but are part of past totals.
        inside: plants of the clusters, drawn jointly with the sectors and made to agree with them.

    Returns:
        The table of sectors and totals, and the paths (B, H, P) of ``inside``.
    """
    gone = set(ended)
    bottom = sectors.take([row for row, name in enumerate(sectors.ids) if name not in gone])
    plain = np.asarray(naive.paths(bottom, steps, count, seed), dtype=np.float64)
    paths, within = _drawn(champion, bottom, inside, steps, count, seed)
    makers = [made_by] * len(bottom.ids)
    for row in np.flatnonzero(~np.isfinite(paths).all(axis=(1, 2))):
        paths[row], makers[row] = plain[row], NOT_FINITE
    hierarchy = Hierarchy.of(sectors.traits.set_axis(pd.Index(sectors.ids)))
    totals = total_paths(sectors, bottom.ids, paths, hierarchy)
    plain_totals = total_paths(sectors, bottom.ids, plain, hierarchy)
    below = _members(totals, bottom.ids, hierarchy)
    every = np.concatenate([paths, totals.paths])
    every_plain = np.concatenate([plain, plain_totals.paths])
    table = Table(
        series=[*_bottom_items(bottom, makers, "sector"), *_total_items(bottom, totals, below, makers)],
        below=[*((name,) for name in bottom.ids), *below],
        arrays={
            "mean": every.mean(axis=2),
            "grid": _grid(every),
            "paths": every,
            "naive_mean": every_plain.mean(axis=2),
            "naive_grid": _grid(every_plain),
        },
        history=pd.concat([long_frame(bottom), _past(sectors, totals, hierarchy)], ignore_index=True),
    )
    return table, within


def _drawn(
    champion: Forecasting, bottom: Dense, inside: Dense | None, steps: int, count: int, seed: int
) -> tuple[Float, Float]:
    """Paths of the sectors and of the plants inside them, which agree."""
    if inside is None or not inside.ids:
        return np.array(champion.paths(bottom, steps, count, seed), dtype=np.float64), np.zeros(
            (0, steps, count)
        )
    both = np.asarray(champion.paths(stacked(bottom, inside), steps, count, seed), dtype=np.float64)
    return agree(groups_of(bottom, inside), both[: len(bottom.ids)], both[len(bottom.ids) :])


def with_plants(
    table: Table,
    champion: Fitted,
    naive: Any,
    plants: Dense,
    *,
    made_by: str,
    steps: int,
    agreed: Mapping[str, Float],
) -> Table:
    """``table`` with every plant: quantiles at ``PLANT_LEVELS``, read off the paths (H, P) that ``agreed``
    with its sector where there are such, else forecast by itself."""
    blocks = [plants.take(list(rows)) for rows in _blocks(len(plants.ids))]
    means, grids, makers = [], [], []
    for block in blocks:
        told = champion.outlook(block, steps, PLANT_LEVELS)
        mean, grid = np.array(told.mean), np.array(told.values)
        for row, name in enumerate(block.ids):
            if name in agreed:
                mean[row] = agreed[name].mean(axis=1)
                grid[row] = np.quantile(agreed[name], PLANT_LEVELS, axis=1).T
        sound = np.isfinite(mean).all(axis=1) & np.isfinite(grid).all(axis=(1, 2))
        if not sound.all():
            rows = np.flatnonzero(~sound)
            plain = naive.outlook(block.take(rows), steps, PLANT_LEVELS)
            mean[rows], grid[rows] = plain.mean, plain.values
        means.append(mean)
        grids.append(grid)
        makers += [made_by if good else NOT_FINITE for good in sound]
    nothing = np.zeros((0, steps))
    arrays = {
        "plant_mean": np.concatenate([nothing, *means]),
        "plant_grid": np.concatenate([np.zeros((0, steps, len(PLANT_LEVELS))), *grids]),
    }
    return Table(
        series=[*table.series, *_bottom_items(plants, makers, "plant")],
        below=[*table.below, *((name,) for name in plants.ids)],
        arrays={**table.arrays, **arrays},
        history=pd.concat([table.history, long_frame(plants)], ignore_index=True),
    )


def _blocks(count: int) -> Iterable[range]:
    """Row numbers in blocks whose curves fit into memory."""
    return (range(first, min(first + BLOCK, count)) for first in range(0, count, BLOCK))


def _grid(paths: Float) -> Float:
    """(S, H, Q) quantiles of the paths."""
    return np.ascontiguousarray(np.moveaxis(np.quantile(paths, GRID, axis=2), 0, 2))


def _members(totals: Totals, live: tuple[str, ...], hierarchy: Hierarchy) -> list[tuple[str, ...]]:
    known = set(live)
    return [
        live if name == INITIATIVE else tuple(m for m in hierarchy.members[name] if m in known)
        for name in totals.ids
    ]


def _iso(history: Dense, ordinal: int) -> str:
    return str(history.cadence.instant(np.array([ordinal], dtype=np.int64))[0].astype("datetime64[D]"))


def _bottom_items(bottom: Dense, makers: Sequence[str], kind: str) -> list[dict[str, Any]]:
    days = bottom.cutoffs().astype("datetime64[D]")
    names = ("cluster_id", "sector", "scope_id")
    traits = {trait: bottom.traits[trait].astype(str).tolist() for trait in names}
    return [
        {
            UNIQUE_ID: name,
            "kind": kind,
            **{trait: traits[trait][row] for trait in names},
            "cutoff": str(days[row]),
            "made_by": makers[row],
        }
        for row, name in enumerate(bottom.ids)
    ]


def _total_items(
    bottom: Dense, totals: Totals, below: Sequence[tuple[str, ...]], makers: Sequence[str]
) -> list[dict[str, Any]]:
    items = []
    for name, cutoff, members in zip(totals.ids, totals.cutoffs, below, strict=True):
        rows = [bottom.row[member] for member in members]
        scopes = sorted({str(bottom.traits["scope_id"].iloc[row]) for row in rows})
        spoken = "; ".join(sorted({makers[row] for row in rows}))
        whole = name == INITIATIVE
        items.append(
            {
                UNIQUE_ID: name,
                "kind": INITIATIVE if whole else "cluster",
                "cluster_id": "" if whole else name,
                "sector": "",
                "scope_id": " + ".join(scopes),
                "cutoff": _iso(bottom, int(cutoff)),
                "made_by": f"sum of {len(rows)} sector paths by {spoken}",
            }
        )
    return items


def _past(sectors: Dense, totals: Totals, hierarchy: Hierarchy) -> pd.DataFrame:
    """Past totals from the first period that has one up to each cutoff."""
    first = int(sectors.starts.min())
    figures = total_history(sectors, hierarchy, first, int(totals.cutoffs.max()) - first + 1)
    place = {name: row for row, name in enumerate((*hierarchy.clusters, INITIATIVE))}
    frames = []
    for name, cutoff in zip(totals.ids, totals.cutoffs, strict=True):
        y = figures[place[name], : int(cutoff) - first + 1]
        skipped = int(np.isfinite(y).argmax())
        days = sectors.cadence.instant(first + np.arange(skipped, len(y)))
        frames.append(pd.DataFrame({UNIQUE_ID: name, DS: days, Y: y[skipped:]}))
    return pd.concat(frames, ignore_index=True)
