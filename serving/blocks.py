"""Numbers of many series at once, read off the arrays of a pack in blocks of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from features.errors import LawBroken
from serving.layout import PLANT
from serving.opened import OpenedPack
from serving.shelf import Rung

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

BLOCK: Final = 256


def blocks_of(rungs: Sequence[Rung], size: int = BLOCK) -> Iterator[Sequence[Rung]]:
    """``rungs`` in their order, ``size`` at a time."""
    return (rungs[first : first + size] for first in range(0, len(rungs), size))


def values_of(rungs: Sequence[Rung], steps: int, wanted: Sequence[float]) -> tuple[Float, Float]:
    """(B, steps) means and (B, steps, Q) quantiles, tCO2e: what ``answer.forecast_of`` tells one by one.

    ``wanted`` must be within reach of every rung's grid where it has no paths.
    """
    mean = np.empty((len(rungs), steps))
    values = np.empty((len(rungs), steps, len(wanted)))
    for places in _alike(rungs):
        first = rungs[places[0]]
        rows = np.array([rungs[k].entry.row for k in places], dtype=np.int64)
        means, grid, levels = _arrays(first)
        mean[places] = means[rows, :steps]
        values[places] = _quantiles(first, grid, levels, rows, steps, wanted)
    return mean, values


def _alike(rungs: Sequence[Rung]) -> list[list[int]]:
    """Places of the rungs that read the same arrays."""
    groups: dict[tuple[int, bool, bool], list[int]] = {}
    for place, rung in enumerate(rungs):
        key = (id(rung.pack), rung.plain, rung.entry.kind == PLANT)
        groups.setdefault(key, []).append(place)
    return list(groups.values())


def _arrays(rung: Rung) -> tuple[Float, Float, tuple[float, ...]]:
    pack: OpenedPack = rung.pack
    if rung.entry.kind == PLANT:
        if pack.plants is None:
            raise LawBroken(
                "plants-without-arrays",
                found=f"plant {rung.entry.unique_id} in pack {pack.name} without arrays of plants",
                expected="arrays for every kind of series in a pack",
                remedy="report this",
            )
        return pack.plants.mean, pack.plants.grid, pack.plants.levels
    if rung.plain:
        return pack.naive_mean, pack.naive_grid, pack.levels
    return pack.mean, pack.grid, pack.levels


def _quantiles(
    rung: Rung, grid: Float, levels: tuple[float, ...], rows: Int, steps: int, wanted: Sequence[float]
) -> Float:
    """(B, steps, Q): from the grid where it has every level, else from the paths, else between its levels."""
    place = {level: k for k, level in enumerate(levels)}
    columns = [place.get(q, -1) for q in wanted]
    if min(columns) >= 0:
        return np.asarray(grid[rows[:, None, None], np.arange(steps)[:, None], np.array(columns)])
    if not rung.plain and rung.entry.kind != PLANT:
        paths = np.asarray(rung.pack.paths[rows, :steps])
        return np.asarray(np.moveaxis(np.quantile(paths, wanted, axis=2), 0, 2))
    return between(np.asarray(grid[rows, :steps]), levels, wanted)


def between(grid: Float, levels: Sequence[float], wanted: Sequence[float]) -> Float:
    """(…, Q) by straight lines between the quantiles (…, L) at ``levels``; numpy.interp for many rows."""
    at, asked = np.asarray(levels), np.asarray(wanted)
    left = np.clip(np.searchsorted(at, asked, side="right") - 1, 0, len(at) - 2)
    low, high = grid[..., left], grid[..., left + 1]
    told = (high - low) / (at[left + 1] - at[left]) * (asked - at[left]) + low
    return np.asarray(np.where(asked >= at[left + 1], high, told))
