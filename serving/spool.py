"""The spool: where entries of the journal wait while its database is away; one file a process.

Whoever has a spool file open holds its lock, so that a file without a holder is known to be left over
from a process that ended, and is taken over by the next.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, NamedTuple

from features.files import fsync_folder

FOLDER: Final = "journal"
CHUNK: Final = 1000


class Entry(NamedTuple):
    """One issued forecast as the journal keeps it; ``body`` is the whole of it, one line of JSON."""

    forecast_id: str
    issued_at: str
    key_id: str
    model_version: str
    body: str


class Spool:
    """This process's own spool under ``store/journal/``, made when something is first put aside."""

    def __init__(self, store: Path) -> None:
        self._folder = store / FOLDER
        self._path = self._folder / f"spool-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self._stream: IO[bytes] | None = None

    def put(self, entries: Sequence[Entry]) -> None:
        """Append entries and fsync them.

        Raises:
            OSError: nothing, or not everything, could be written; put them again.
        """
        if entries:
            if self._stream is None:
                self._stream = _opened(self._path)
            append_to(self._stream.fileno(), b"".join(entry.body.encode() + b"\n" for entry in entries))

    def backlog(self) -> Generator[list[Entry], None, None]:
        """What waits in our own spool and in those without a holder, a thousand entries at a time.

        A file is removed once all of it has been taken: take the next only when the last is safe.
        """
        if self._stream is not None:
            yield from _chunks(self._path)
            self._path.unlink(missing_ok=True)
            self.close()
        for path in sorted(self._folder.glob("spool-*.jsonl")):
            with _taken_over(path) as ours:
                if ours:
                    yield from _chunks(path)
                    path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file; what is in it waits for the next process."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def append_to(handle: int, lines: bytes) -> None:
    """Append whole lines in one write to a file opened for appending and reading, and fsync.

    A torn last line (a writer killed, a disk that filled up) is closed off first, so that it spoils
    nothing but itself.

    Raises:
        OSError: nothing, or not everything, could be written.
    """
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        lines = b"\n" + lines
    if os.write(handle, lines) != len(lines):
        raise OSError("only part of the lines was written")
    os.fsync(handle)


def entry_in(line: bytes) -> Entry | None:
    """The entry of a line; None for a torn line and for what is no entry of a forecast."""
    try:
        told = json.loads(line)
        return Entry(
            str(told["forecast_id"]),
            str(told["issued_at"]),
            str(told.get("key_id", "")),
            str(told["model_version"]),
            line.decode().strip(),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def waiting(store: Path) -> Iterator[bytes]:
    """Every line of every file of the folder: spools, and the files a day of earlier releases."""
    for path in sorted((store / FOLDER).glob("*.jsonl")):
        # It may just have been drained: then its entries are in the database.
        with suppress(FileNotFoundError), path.open("rb") as stream:
            yield from stream


def _chunks(path: Path) -> Iterator[list[Entry]]:
    chunk: list[Entry] = []
    with path.open("rb") as stream:
        for line in stream:
            entry = entry_in(line)
            if entry is not None:
                chunk.append(entry)
            if len(chunk) >= CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


def _opened(path: Path) -> IO[bytes]:
    """``path`` opened for appending, with its lock.

    Another process may have taken it for left over, and removed it, between our opening and locking.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        stream = path.open("a+b", buffering=0)
        try:
            fcntl.flock(stream, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                fsync_folder(path.parent)
                return stream
        except FileNotFoundError:
            pass
        except BaseException:
            stream.close()
            raise
        stream.close()


@contextmanager
def _taken_over(path: Path) -> Iterator[bool]:
    """Hold the lock of a file that nobody holds; False if somebody does, or it is gone or not ours."""
    try:
        stream = path.open("rb")
    except (FileNotFoundError, PermissionError):
        yield False
        return
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield path.exists()
