"""Taking files and lines away: what was removed, and how much room that made; or what would be."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from features.files import record_in, replacing

LEFT_OVER_SECONDS: Final = 86_400.0  # scratch of a writer that lives is never as old


@dataclass
class Sweep:
    """One clearing up.

    Attributes:
        dry: nothing is removed, all is counted.
        counts, sizes: how many things of each kind went, and their bytes.
        told: what is worth a sentence.
    """

    dry: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def count(self, kind: str, number: int, size: int = 0) -> None:
        """Note ``number`` things of a kind and their bytes."""
        if number:
            self.counts[kind] = self.counts.get(kind, 0) + number
            self.sizes[kind] = self.sizes.get(kind, 0) + size

    def remove(self, kind: str, path: Path, *, first: str = "") -> None:
        """Remove a file or folder; of a folder the file ``first`` goes before all others.

        A folder gets a name that nobody reads before it is emptied: killed on the way it is a left-over.
        """
        self.count(kind, 1, weigh(path))
        if self.dry:
            return
        if not path.is_dir() or path.is_symlink():
            path.unlink(missing_ok=True)
            return
        if first:
            (path / first).unlink(missing_ok=True)
        gone = path if path.name.startswith(".") else path.with_name(f".{path.name}.removed")
        os.replace(path, gone)
        shutil.rmtree(gone)

    @property
    def freed(self) -> int:
        """Bytes of all that went."""
        return sum(self.sizes.values())


def thin(path: Path, goes: Callable[[dict[str, Any]], bool], sweep: Sweep, kind: str) -> int:
    """Take the lines that ``goes`` names out of a record of JSON lines, in one step; how many they are.

    What stays is not changed by a byte, and what cannot be read stays. Hold whatever lock its writers hold: a
    line that is appended meanwhile would be lost.
    """
    if not path.exists():
        return 0
    lines = path.read_bytes().splitlines(keepends=True)
    records = map(record_in, lines)
    gone = [record is not None and goes(record) for record in records]
    if any(gone) and not sweep.dry:
        with replacing(path, stat.S_IMODE(path.stat().st_mode)) as stream:
            stream.writelines(line for line, out in zip(lines, gone, strict=True) if not out)
    sweep.count(kind, sum(gone), sum(len(line) for line, out in zip(lines, gone, strict=True) if out))
    return sum(gone)


def weigh(path: Path) -> int:
    """Bytes of a file, or of all files below a folder."""
    if path.is_dir() and not path.is_symlink():
        return sum(item.lstat().st_size for item in path.rglob("*") if not item.is_dir())
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def left_over(folder: Path, now: float) -> Iterator[Path]:
    """Scratch files and folders of writers that were killed more than a day before ``now`` (Unix seconds)."""
    if folder.is_dir():
        for path in sorted(folder.glob(".*")):
            if now - path.lstat().st_mtime > LEFT_OVER_SECONDS:
                yield path
