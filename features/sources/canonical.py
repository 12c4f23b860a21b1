"""The hash of what files say: packing, names and order left aside, so that equal content is known again."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from features.errors import AskError
from features.sources.records import unreadable

_GZIP: Final = b"\x1f\x8b"
_CHUNK: Final = 1 << 20
# More than this out of one packed file is no public register but a trap.
MOST_UNPACKED: Final = 8 << 30


def content_hash(paths: Sequence[Path], *, most: int = MOST_UNPACKED) -> str:
    """sha256 over the sorted sha256 of each file's content, gzip undone; hexadecimal.

    Raises:
        AskError: a file is not there.
        DataError: a gzip file is cut short or damaged, or holds more than ``most`` bytes.
    """
    digests = sorted(_digest(path, most) for path in paths)
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _digest(path: Path, most: int) -> str:
    if not path.is_file():
        raise AskError(
            "file-not-there",
            found=f"no file {path}",
            expected="files of the source, or a folder of them",
            remedy="correct the path",
        )
    with path.open("rb") as stream:
        packed = stream.read(2) == _GZIP
    if not packed:
        with path.open("rb") as stream:
            return _of_stream(stream, path, None)
    try:
        with gzip.open(path, "rb") as unpacking:
            return _of_stream(unpacking, path, most)
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise unreadable(path.name, found=f"gzip: {fault}", expected="a whole gzip file") from None


def _of_stream(stream: IO[bytes] | gzip.GzipFile, path: Path, most: int | None) -> str:
    digest = hashlib.sha256()
    size = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if most is not None and size > most:
            raise unreadable(path.name, found=f"more than {most:,} bytes unpacked", expected="at most that")
        digest.update(chunk)
    return digest.hexdigest()
