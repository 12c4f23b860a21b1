"""An archive of files: one tar that ends in a manifest, written whole or not at all, read through before
anything of it is unpacked."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from features.errors import AskError, DataError
from features.files import READABLE, fsync_folder, json_bytes, replacing

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
PRIVATE: Final = 0o600
_PIECE: Final = 1 << 20
_LARGEST_MANIFEST: Final = 1 << 28
_SPARE: Final = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """What an archive holds.

    Attributes:
        facts: of whoever wrote it, JSON-ready.
        files: name -> (bytes, hex sha256).
    """

    facts: Mapping[str, Any]
    files: Mapping[str, tuple[int, str]]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for size, _ in self.files.values())

    def as_bytes(self) -> bytes:
        """As it stands in the archive, with a digest of itself."""
        files = {name: {"bytes": size, "sha256": told} for name, (size, told) in self.files.items()}
        record = {"format": FORMAT, "facts": dict(self.facts), "files": files}
        return json_bytes({**record, "digest": hashlib.sha256(json_bytes(record)).hexdigest()})


def write(target: Path, members: Iterable[tuple[str, Path]], facts: Mapping[str, Any]) -> Manifest:
    """Write an archive of ``members``, name and source, each read when its turn comes.

    A member that is gone when its turn comes is left out; one that grows is taken as long as it was.

    Raises:
        OSError: it does not fit or cannot be read; there is then no new ``target``.
    """
    files: dict[str, tuple[int, str]] = {}
    # It may hold what only the owner of a store may read.
    with replacing(target, PRIVATE) as stream, tarfile.open(fileobj=stream, mode="w") as tar:
        for name, path in members:
            try:
                source = path.open("rb")
            except FileNotFoundError:
                continue
            with source:
                files[name] = _put(tar, name, source)
        manifest = Manifest(facts, files)
        told = manifest.as_bytes()
        tar.addfile(_head(MANIFEST, len(told)), io.BytesIO(told))
    return manifest


def _put(tar: tarfile.TarFile, name: str, source: IO[bytes]) -> tuple[int, str]:
    size = source.seek(0, io.SEEK_END)
    source.seek(0)
    reader = _Digesting(source)
    tar.addfile(_head(name, size), reader)  # it reads, which is all that tar asks
    return size, reader.whole.hexdigest()


def _head(name: str, size: int) -> tarfile.TarInfo:
    head = tarfile.TarInfo(name)
    head.size, head.mode = size, READABLE
    return head


class _Digesting:
    """A stream that digests what is read of it."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self.whole = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(size)
        self.whole.update(piece)
        return piece


def checked(source: Path) -> Manifest:
    """Read an archive from its first byte to its last; its manifest.

    Raises:
        AskError: there is no such file.
        DataError: it is none, is cut off or damaged, or holds a name that leads out of its folder
            (``backup-damaged``); or a newer release wrote it (``backup-newer``).
    """
    found: dict[str, tuple[int, str]] = {}
    with _opened(source) as tar:
        for head, stream in _members(tar):
            if head.name == MANIFEST:
                manifest = _read_manifest(stream, head.size)
                break
            found[head.name] = head.size, _copied(stream, None)
        else:
            raise _damaged("no manifest at its end: it was cut off, or is no backup")
    wrong = sorted(name for name in {*found, *manifest.files} if found.get(name) != manifest.files.get(name))
    if wrong:
        raise _damaged("files unlike its manifest", wrong)
    return manifest


def unpack(source: Path, folder: Path, manifest: Manifest) -> None:
    """Unpack into the new ``folder`` what ``checked`` has read, checking it once more.

    Raises:
        AskError: there is no room for it (``no-room``).
        DataError: it is not what was checked. Of ``folder`` nothing is left in either case.
    """
    folder.mkdir(parents=True)
    try:
        free = shutil.disk_usage(folder).free
        if free < manifest.size + _SPARE:
            raise AskError(
                "no-room",
                found=f"{free / 1e6:,.0f} MB free at {folder.parent}",
                expected=f"room for {manifest.size / 1e6:,.0f} MB",
                remedy="make room, or name another place, and run again: nothing was changed",
            )
        with _opened(source) as tar:
            for head, stream in _members(tar):
                if head.name != MANIFEST:
                    _unpack_one(head, stream, folder, manifest)
        for place in {path.parent for path in folder.rglob("*")}:
            fsync_folder(place)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _unpack_one(head: tarfile.TarInfo, stream: IO[bytes], folder: Path, manifest: Manifest) -> None:
    target = folder.joinpath(*PurePosixPath(head.name).parts)
    with replacing(target) as out:
        told = _copied(stream, out)
    if manifest.files.get(head.name) != (head.size, told):
        raise _damaged("a file that changed while it was read", [head.name])


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with source.open("rb") as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            yield tar
    except (FileNotFoundError, IsADirectoryError):
        raise AskError(
            "no-backup",
            found=f"no file {source}",
            expected="an archive that `forecarbon backup` wrote",
            remedy="name the file itself",
        ) from None
    except (tarfile.TarError, EOFError, ValueError) as fault:
        raise _damaged(f"{type(fault).__name__}: {fault}") from None


def _members(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    seen: set[str] = set()
    for head in tar:
        stream = tar.extractfile(head) if head.isreg() else None
        if stream is None or not _lawful(head.name) or head.name in seen:
            raise _damaged("a member that is no plain file below its folder", [repr(head.name)[:100]])
        seen.add(head.name)
        yield head, stream


def _lawful(name: str) -> bool:
    parts = name.split("/")
    return not any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts)


def _copied(stream: IO[bytes], out: IO[bytes] | None) -> str:
    whole = hashlib.sha256()
    while piece := stream.read(_PIECE):
        whole.update(piece)
        if out is not None:
            out.write(piece)
    return whole.hexdigest()


def _read_manifest(stream: IO[bytes], size: int) -> Manifest:
    if size > _LARGEST_MANIFEST:
        raise _damaged(f"a manifest of {size} bytes")
    try:
        record = json.loads(stream.read())
        told = record.pop("digest")
        if record["format"] > FORMAT:
            raise DataError(
                "backup-newer",
                found=f"a backup of format {record['format']}",
                expected=f"format {FORMAT} at the most, which this release knows",
                remedy="restore it with the release that wrote it, or a newer one",
            )
        if hashlib.sha256(json_bytes(record)).hexdigest() != told:
            raise _damaged("a manifest unlike its own digest")
        files = {
            str(name): (int(item["bytes"]), str(item["sha256"])) for name, item in record["files"].items()
        }
        return Manifest(record["facts"], files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise _damaged(f"a manifest that cannot be read ({type(fault).__name__})") from None


def _damaged(found: str, offenders: Iterable[str] = ()) -> DataError:
    return DataError(
        "backup-damaged",
        found=found,
        expected="a backup as it was written",
        offenders=list(offenders),
        remedy="take another copy of it, or an older backup; nothing was changed",
    )
