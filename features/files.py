"""Writes that happen whole or not at all, and a lock that dies with its process."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from features.errors import AskError

READABLE: Final = 0o644


def fsync_folder(folder: Path) -> None:
    """Make a rename inside ``folder`` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, payload: bytes | memoryview) -> None:
    """Replace ``path`` by ``payload`` in one step (temp file, fsync, rename)."""
    with replacing(path) as stream:
        stream.write(payload)


@contextmanager
def replacing(path: Path, mode: int = READABLE) -> Iterator[IO[bytes]]:
    """Yield a stream whose content replaces ``path`` in one step when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            # mkstemp makes files private; a service under another account must be able to read them.
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Replace ``path`` by the JSON of ``record``, as ``json_bytes`` has it."""
    write_bytes(path, json_bytes(record))


def json_bytes(record: Mapping[str, Any]) -> bytes:
    """The JSON of ``record``, keys sorted so that equal records are equal bytes."""
    return json.dumps(record, sort_keys=True, indent=1, allow_nan=False).encode() + b"\n"


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object stored at ``path``."""
    loaded = json.loads(path.read_bytes())
    if not isinstance(loaded, dict):
        raise ValueError(f"{path.name} holds {type(loaded).__name__}, not an object")
    return loaded


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield a scratch folder that becomes ``target`` when the block ends well, and vanishes otherwise.

    ``target`` must not exist yet: a finished folder is never changed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    scratch.chmod(0o755)
    try:
        yield scratch
        for item in sorted(scratch.rglob("*")):
            if item.is_file():
                with item.open("rb") as stream:
                    os.fsync(stream.fileno())
        fsync_folder(scratch)
        os.rename(scratch, target)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    fsync_folder(target.parent)


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield a folder below ``parent`` that is gone after the block; those that killed processes left go too.

    Whoever works in one holds its lock, which the kernel frees.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with _flocked(parent, wait=True):
        for left in parent.glob(f"{prefix}*"):
            with _flocked(left, wait=False) as free:
                if free:
                    shutil.rmtree(left, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        handle = os.open(scratch, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        os.close(handle)


@contextmanager
def one_after_another(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder for the block, waiting for whoever has it; the kernel frees it."""
    with _flocked(folder, wait=True):
        yield


@contextmanager
def _flocked(folder: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of a folder for the block; False if another does, and we do not ``wait``."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)


def append_record(path: Path, record: Mapping[str, Any]) -> None:
    """Append one JSON line and fsync it; a torn last line of a killed writer is closed off first.

    Raises:
        OSError: the line did not fit; readers pass over what did.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(record, sort_keys=True, allow_nan=False).encode() + b"\n"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            line = b"\n" + line
        written = os.write(handle, line)
        if written != len(line):
            # A disk that fills up takes part of a line and says nothing; the next line closes it off.
            raise OSError(errno.ENOSPC, f"only {written} of {len(line)} bytes fitted", str(path))
        os.fsync(handle)
    finally:
        os.close(handle)


def read_records(path: Path) -> list[dict[str, Any]]:
    """All whole JSON lines of ``path``; torn lines (a writer killed mid-line) are skipped."""
    if not path.exists():
        return []
    records = []
    for line in path.read_bytes().splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


@contextmanager
def one_at_a_time(path: Path, job: str) -> Iterator[None]:
    """Hold the lock file ``path`` for the block; the kernel frees it if the process dies.

    Raises:
        AskError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AskError(
                "job-already-running",
                found=f"another process holds {path.name}",
                expected=f"one {job} at a time on a store",
                remedy=f"wait for the running {job} to end, then run it again",
            ) from None
        yield
