"""Where pieces of work are kept: plain arrays (.npz, no pickles) named by a hash of what made them."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.files import write_bytes

FOLDER: Final = "cache"
KEPT_DAYS: Final = 400  # a yearly retrain still finds the folds of the year before
KEPT_BYTES: Final = 2_000_000_000

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Cache:
    """Pieces in a folder; without a folder nothing is kept."""

    folder: Path | None = None

    def read(self, key: str) -> Arrays | None:
        """The arrays of that key; None if there are none, or they are damaged."""
        if self.folder is None:
            return None
        path = self.folder / f"{key}.npz"
        try:
            # Straight from the file: read into memory first, a large piece takes three times as long.
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as held:
                arrays = {name: held[name] for name in held.files}
            os.utime(path)  # the piece was of use: it is pruned last
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return arrays

    def write(self, key: str, arrays: Arrays) -> None:
        """Keep arrays, whole or not at all. A full disk is no failure here: they are then made again."""
        if self.folder is None:
            return
        drawn = io.BytesIO()
        np.savez(drawn, allow_pickle=False, **arrays)
        try:
            write_bytes(self.folder / f"{key}.npz", drawn.getbuffer())
        except OSError:
            return

    def prune(self, now: datetime, *, days: float = KEPT_DAYS, size: int = KEPT_BYTES) -> int:
        """Remove pieces not used for ``days`` before ``now`` (aware), and the longest unused beyond
        ``size`` bytes. Returns: how many."""
        if self.folder is None or not self.folder.is_dir():
            return 0
        found = [(path.stat(), path) for path in self.folder.iterdir() if path.is_file()]
        found.sort(key=lambda item: item[0].st_mtime, reverse=True)
        gone, held = 0, 0
        for status, path in found:
            held += status.st_size
            if held > size or now.timestamp() - status.st_mtime > days * 86400:
                path.unlink(missing_ok=True)
                gone += 1
        return gone
