"""Paths of a single plant, drawn from its own bands: for questions of that plant alone.

The pack holds a plant's quantiles and no draws. Every path value is read off the served quantiles of its
year, so that the bands stay as they are served, and the years hang together as past errors did. These paths
are not joint with those of the plant's cluster: what is asked of several series at once needs the pack's own.
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from models.dependence import DEFAULT_KAPPA, Dependence, sample_ranks
from serving.shelf import Rung

Float = npt.NDArray[np.float64]

PATHS: Final = 2000


def alone_paths(rung: Rung) -> Float:
    """(H, ``PATHS``) tCO2e of one plant; the same for the same pack and plant.

    Raises:
        ModelError: what the pack keeps of the model is not as it was written.
    """
    grid = np.asarray(rung.grid, dtype=np.float64)
    held = rung.pack.kept.dependence
    kappa = DEFAULT_KAPPA if held is None else held.kappa
    name = rung.entry.unique_id
    ranks = sample_ranks(Dependence(0.0, 0.0, kappa), (name,), len(grid), PATHS, crc32(name.encode()))[0]
    scores, asked = (np.asarray(ndtri(at), dtype=np.float64) for at in (np.asarray(rung.levels), ranks))
    drawn = np.stack([_read(line, scores, at) for line, at in zip(grid, asked, strict=True)])
    return np.maximum(drawn, 0.0) if (grid >= 0).all() else drawn


def _read(line: Float, scores: Float, at: Float) -> Float:
    """Values at normal scores of a curve (Q,) that is linear in the score, and goes on along its last slopes.

    So reads ``models.dated.chance_at_most``, which the chances were held against what came with.
    """
    left = np.clip(np.searchsorted(scores, at, side="right") - 1, 0, len(scores) - 2)
    share = (at - scores[left]) / (scores[left + 1] - scores[left])
    return np.asarray(line[left] + share * (line[left + 1] - line[left]))
