"""Where pieces of work are kept: plain arrays (.npz, no pickles) named by a hash of what made them.

Of a large piece the .npz holds the arrays' sums only; the arrays lie beside it, one a file (.npy), and are
read when they are looked at.
"""

from __future__ import annotations

import io
import os
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.files import replacing, write_bytes

FOLDER: Final = "cache"
KEPT_DAYS: Final = 400  # a yearly retrain still finds the folds of the year before
KEPT_BYTES: Final = 2_000_000_000

# Whatever numpy and zipfile raise over bytes that are not as they were written: numpy reads headers by
# Python's tokenizer, and a header may ask for more memory than there is.
HARMED: Final = (
    OSError, ValueError, KeyError, TypeError, EOFError, ArithmeticError, MemoryError, RuntimeError,
    SyntaxError, tokenize.TokenError, zipfile.BadZipFile,
)  # fmt: skip
_NAMES: Final = "_names"  # of all arrays, written last: a harmed list of members may leave some out

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
            if sorted(arrays.pop(_NAMES).tolist()) != sorted(arrays):
                return None
            os.utime(path)  # the piece was of use: it is pruned last
        except HARMED:
            return None
        return arrays

    def write(self, key: str, arrays: Arrays) -> bool:
        """Keep arrays, whole or not at all. A full disk is no failure here: they are then made again.

        Returns: whether they are kept.
        """
        if self.folder is None:
            return False
        drawn = io.BytesIO()
        names = {_NAMES: np.array(sorted(arrays), dtype=np.str_)}
        np.savez(drawn, allow_pickle=False, **arrays, **names)
        try:
            write_bytes(self.folder / f"{key}.npz", drawn.getbuffer())
        except OSError:
            return False
        return True

    def write_large(self, key: str, arrays: Arrays) -> bool:
        """As ``write``, for arrays of a hundred megabytes. Their sums are written last."""
        if self.folder is None:
            return False
        try:
            for name, array in arrays.items():
                with replacing(self.folder / f"{key}-{name}.npy") as stream:
                    np.save(stream, array, allow_pickle=False)
        except OSError:
            return False
        return self.write(key, {name: np.array(_sum_of(array)) for name, array in arrays.items()})

    def read_large(self, key: str) -> Arrays | None:
        """What ``write_large`` kept, mapped into memory: to fill that much anew takes ten times as long."""
        sums, arrays = self.read(key), dict[str, npt.NDArray[Any]]()
        if self.folder is None or sums is None:
            return None
        try:
            for name, told in sums.items():
                path = self.folder / f"{key}-{name}.npy"
                # Copied where it is written to: the file stays as it is.
                arrays[name] = np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))
                if told.shape or _sum_of(arrays[name]) != int(told):
                    return None
                os.utime(path)
        except HARMED:
            return None
        return arrays

    def drop(self, keys: Iterable[str]) -> None:
        """Remove small pieces that a larger one has made needless."""
        if self.folder is not None:
            for key in keys:
                with suppress(OSError):
                    (self.folder / f"{key}.npz").unlink()

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


def _sum_of(array: npt.NDArray[Any]) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data)
