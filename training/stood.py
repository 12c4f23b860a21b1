"""The figures of a retrain, kept as they were read from the lake: one that goes on after a kill then need not
read and sum the lake again. Found by the key of the footing, and held against it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from features.errors import DataError
from features.series.basis_files import packed, unpacked
from features.series.quality import aged
from training.footing import Footing
from training.judging import Ground
from training.pieces import Cache
from training.prints import joined


def read(cache: Cache, key: str, known: Footing | None, now: pd.Timestamp) -> Ground | None:
    """The ground kept beside the footing ``known`` of ``key``, as it is at ``now`` (UTC without a zone); None
    if there is none, it is damaged, or holds other figures."""
    held = cache.read(_name(key)) if known is not None else None
    if known is None or held is None:
        return None
    try:
        basis = unpacked({name: payload.tobytes() for name, payload in held.items()})
        basis = replace(basis, quality=aged(basis.quality, basis.series, now))
        ground = Ground.of(basis, now)
    except (OSError, ValueError, KeyError, TypeError, DataError):
        return None
    found = Footing.of(ground, known.folds)
    alike = (found.data_hash, found.history, found.newest) == (known.data_hash, known.history, known.newest)
    return ground if alike else None


def keep(cache: Cache, key: str, ground: Ground) -> None:
    """Keep what the footing of ``key`` was made from; without that footing it is never read."""
    if key:
        files = packed(ground.basis)
        cache.write(
            _name(key), {name: np.frombuffer(payload, dtype=np.uint8) for name, payload in files.items()}
        )


def _name(key: str) -> str:
    return joined("ground", key)
