"""Where the lake lies: a local folder or any fsspec URL, under one small set of verbs.

Whatever the ground, a snapshot appears whole or not at all, and nothing that is there is ever changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from features.errors import AskError
from features.files import whole_folder, write_bytes


class Ground(Protocol):
    """Files by relative name with slashes. Names of unfinished things start with a dot and are not listed."""

    def names(self) -> list[str]:
        """Every file, sorted."""

    def read(self, name: str) -> bytes:
        """The bytes of one file."""

    def open(self, name: str) -> BinaryIO:
        """One file, to read any part of it; to be closed."""

    def place(self, name: str, payload: bytes) -> str:
        """The name under which a part of a snapshot is kept here."""

    def commit(self, folder: str, parts: Mapping[str, bytes], mark: tuple[str, bytes]) -> bool:
        """Write the parts and then the mark that makes them count; False where the mark is there already."""

    def put(self, name: str, payload: bytes) -> None:
        """Write one small file whole."""


@dataclass(frozen=True)
class LocalGround:
    """A folder. A snapshot is made beside its place and renamed into it."""

    root: Path

    def names(self) -> list[str]:
        """Every file, sorted; what a killed writer left is hidden and not among them."""
        return sorted(path.relative_to(self.root).as_posix() for path in _shown_files(self.root))

    def read(self, name: str) -> bytes:
        """The bytes of one file."""
        return (self.root / name).read_bytes()

    def open(self, name: str) -> BinaryIO:
        """One file, to read any part of it."""
        return (self.root / name).open("rb")

    def place(self, name: str, payload: bytes) -> str:
        """The plain name: a folder appears whole, so nobody can have written it in part."""
        return name

    def commit(self, folder: str, parts: Mapping[str, bytes], mark: tuple[str, bytes]) -> bool:
        """Rename a finished folder into place; of two writers at once the second finds it there."""
        target = self.root / folder
        with self._writing():
            try:
                if (target / mark[0]).exists():
                    return False
                with whole_folder(target) as scratch:
                    for name, payload in (*parts.items(), mark):
                        (scratch / name).parent.mkdir(exist_ok=True)
                        (scratch / name).write_bytes(payload)
            except OSError:
                if (target / mark[0]).exists():
                    return False
                raise
        return True

    def put(self, name: str, payload: bytes) -> None:
        """Write one small file whole."""
        write_bytes(self.root / name, payload)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Mark a writer at work; one that finds itself alone first sweeps what killed writers left."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".writers").open("a+b") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                for left in self.root.glob("*/.*"):
                    shutil.rmtree(left, ignore_errors=True)
            fcntl.flock(stream, fcntl.LOCK_SH)
            yield


@dataclass(frozen=True)
class RemoteGround:
    """Any fsspec file system. Parts are named by their content and the mark is written last."""

    system: Any
    root: str

    def names(self) -> list[str]:
        """Every file, sorted."""
        self.system.invalidate_cache()
        try:
            found = self.system.find(self.root)
        except FileNotFoundError:
            return []
        relative = (PurePosixPath(name).relative_to(self.root) for name in found)
        return sorted(path.as_posix() for path in relative if not _hidden(path))

    def read(self, name: str) -> bytes:
        """The bytes of one file."""
        return bytes(self.system.cat_file(f"{self.root}/{name}"))

    def open(self, name: str) -> BinaryIO:
        """One file, to read any part of it; what is not asked for is not fetched."""
        stream: BinaryIO = self.system.open(f"{self.root}/{name}", "rb")
        return stream

    def place(self, name: str, payload: bytes) -> str:
        """A name that holds the content's hash: two writers never overwrite one another's bytes."""
        path = PurePosixPath(name)
        digest = hashlib.sha256(payload).hexdigest()
        return str(path.with_name(f"{path.stem}-{digest[:16]}{path.suffix}"))

    def commit(self, folder: str, parts: Mapping[str, bytes], mark: tuple[str, bytes]) -> bool:
        """Write the parts, then the mark: parts without it are not part of the lake."""
        if self.system.exists(f"{self.root}/{folder}/{mark[0]}"):
            return False
        for name, payload in (*parts.items(), mark):
            self.put(f"{folder}/{name}", payload)
        return True

    def put(self, name: str, payload: bytes) -> None:
        """Write one small file."""
        path = f"{self.root}/{name}"
        self.system.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        self.system.pipe_file(path, payload)


def _shown_files(root: Path) -> Iterator[Path]:
    """Files below root outside hidden folders, which other writers make, rename and sweep at any moment."""
    for folder, inner, names in os.walk(root, onerror=_unless_gone):
        inner[:] = [name for name in inner if not name.startswith(".")]
        yield from (Path(folder, name) for name in names if not name.startswith("."))


def _unless_gone(error: OSError) -> None:
    """A folder that vanished since it was listed is no fault; one that may not be read is."""
    if not isinstance(error, FileNotFoundError):
        raise error


def ground_at(root: str | Path) -> Ground:
    """The ground at a folder or at an fsspec URL such as s3://bucket/lake or memory://lake.

    Raises:
        AskError: no file system for this kind of URL.
    """
    text = str(root)
    if "://" not in text:
        return LocalGround(Path(root))
    if text.startswith("file://"):
        return LocalGround(Path(unquote(urlsplit(text).path)))
    import fsspec  # only where a lake is not local

    try:
        system, path = fsspec.core.url_to_fs(text)
    except (ImportError, ValueError) as fault:
        raise AskError(
            "lake-place-unknown",
            found=f"lake at {text.split('://')[0]}://: {fault}",
            expected="a folder, or a URL whose fsspec file system is installed",
            remedy="install the file system's package (s3fs, gcsfs, adlfs), or name a folder",
        ) from None
    return RemoteGround(system, str(path).rstrip("/"))


def _hidden(path: PurePath) -> bool:
    return any(part.startswith(".") for part in path.parts)
