"""Sectors and the plants inside them, made to agree path by path before either is served.

A sector has a forecast of its own, and so has each of its plants. What the plants with a series do not
account for is one more part, the rest. On every path and step all are moved as little as possible, in units
of their variance over the paths, until the parts make the sector and none is below zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.series.panel import Dense
from models.reconcile import shared_out

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

# A rest this small beside its sector is rounding, and one this much below zero means unlike boundaries.
LEAST_REST: Final = 1e-3
# Least standard deviation beside the sector's last figure: a part that never moves still has an answer.
LEAST_SPREAD: Final = 1e-6


@dataclass(frozen=True)
class Group:
    """A sector, the rows of its plants and what they leave of its last figure, tCO2e."""

    sector: int
    plants: Int
    last: float
    rest: float


def groups_of(sectors: Dense, plants: Dense) -> list[Group]:
    """Sectors with plants that end in the same period under the same scheme, and add up to no more."""
    place = {key: row for row, key in enumerate(_keys(sectors))}
    inside: dict[int, list[int]] = {}
    for row, key in enumerate(_keys(plants)):
        if key in place:
            inside.setdefault(place[key], []).append(row)
    newest, parts = _newest(sectors), _newest(plants)
    out = []
    for sector, rows in sorted(inside.items()):
        rest = float(newest[sector] - parts[rows].sum())
        if newest[sector] > 0 and rest >= -LEAST_REST * newest[sector]:
            out.append(Group(sector, np.array(rows), float(newest[sector]), max(rest, 0.0)))
    return out


def agree(groups: list[Group], sectors: Float, plants: Float) -> tuple[Float, Float]:
    """Paths (S, H, P) of sectors and (B, H, P) of plants that add up wherever a group says they should.

    A group with a path that is not finite stays as it was.
    """
    sectors, plants = sectors.copy(), plants.copy()
    for group in groups:
        total, parts = sectors[group.sector], plants[group.plants]
        if not (np.isfinite(total).all() and np.isfinite(parts).all()):
            continue
        made = _shared(group, total, parts)
        plants[group.plants] = made[: len(parts)]
        sectors[group.sector] = made.sum(axis=0)
    return sectors, plants


def _shared(group: Group, total: Float, parts: Float) -> Float:
    """(k or k + 1, H, P) parts of one sector, the rest last where there is one."""
    steps, drawn = total.shape
    least = (LEAST_SPREAD * group.last) ** 2
    variance = parts.var(axis=2)
    if group.rest > LEAST_REST * group.last:
        # Of the rest nothing is known but its size: it errs as the plants do together, by share of level.
        level = max(group.last - group.rest, LEAST_REST * group.last)
        rest = np.full((1, steps, drawn), group.rest)
        parts = np.concatenate([parts, rest])
        variance = np.vstack([variance, variance.sum(axis=0) * (group.rest / level) ** 2])
    flat = np.moveaxis(parts, 0, 2).reshape(steps * drawn, len(parts))
    spread = np.repeat(np.maximum(variance, least).T, drawn, axis=0)
    own = np.repeat(np.maximum(total.var(axis=1), least), drawn)
    made = shared_out(total.reshape(-1), flat, own, spread)
    return np.asarray(np.moveaxis(made.reshape(steps, drawn, len(parts)), 2, 0))


def _keys(dense: Dense) -> list[tuple[str, str, str, int]]:
    traits = dense.traits
    ends = (dense.starts + dense.lengths - 1).tolist()
    named = (traits[name].astype(str) for name in ("cluster_id", "sector", "scope_id"))
    return list(zip(*named, ends, strict=True))


def _newest(dense: Dense) -> Float:
    return dense.y[np.arange(len(dense.ids)), dense.lengths - 1]
