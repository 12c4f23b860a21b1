"""The journal of issued forecasts: one line an answer, a file a day, written beside the answer.

Lines are queued and written by one thread, so that a slow or full disk never holds an answer up. While
the last write failed the journal says "degraded", keeps what it holds and tries again.
"""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from features.files import read_records

FOLDER: Final = "journal"
HELD: Final = 10_000
RETRY_SECONDS: Final = 1.0


class Journal:
    """Append-only record of issued forecasts under ``store/journal/``."""

    def __init__(self, store: Path) -> None:
        self._folder = store / FOLDER
        self._held: deque[tuple[str, bytes]] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._failed = False
        self._lost = 0
        self._writer = threading.Thread(target=self._write_on, name="journal", daemon=True)
        self._writer.start()

    @property
    def state(self) -> str:
        """Either "ok", or "degraded" while the last write failed."""
        return "degraded" if self._failed else "ok"

    @property
    def lost(self) -> int:
        """Lines dropped because the disk stayed away for too long."""
        return self._lost

    def note(self, record: Mapping[str, Any]) -> None:
        """Queue one line; returns at once. ``record["issued_at"]`` names the day's file."""
        item = _line(record)
        with self._wake:
            if len(self._held) >= HELD:
                self._held.popleft()
                self._lost += 1
            self._held.append(item)
            self._wake.notify()

    def close(self, seconds: float = 5.0) -> None:
        """Write what is held and stop."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._writer.join(seconds)

    def _write_on(self) -> None:
        while True:
            with self._wake:
                while not self._held and not self._closing:
                    self._wake.wait()
                batch = list(self._held)
                self._held.clear()
            if not batch:
                return
            unwritten = self._write(batch)
            if not unwritten:
                continue
            with self._wake:
                self._held.extendleft(reversed(unwritten))
                if self._closing:
                    return
                self._wake.wait(RETRY_SECONDS)

    def _write(self, batch: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        """Append ``batch``; what could not be written comes back."""
        for day in dict.fromkeys(day for day, _ in batch):
            try:
                append_lines(self._folder / f"{day}.jsonl", b"".join(line for at, line in batch if at == day))
            except OSError:
                self._failed = True
                return batch
            batch = [item for item in batch if item[0] != day]
        self._failed = False
        return batch


def append_lines(path: Path, lines: bytes) -> None:
    """Append whole lines in one write and fsync; several processes may share the file.

    A torn last line (a writer killed, a disk that filled up) is closed off first, so that it spoils
    nothing but itself.

    Raises:
        OSError: nothing, or not everything, could be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            lines = b"\n" + lines
        if os.write(handle, lines) != len(lines):
            raise OSError("only part of the lines was written")
        os.fsync(handle)
    finally:
        os.close(handle)


def keep(store: Path, record: Mapping[str, Any]) -> None:
    """Append one line at once, for a process that issues few.

    Raises:
        OSError: it could not be written.
    """
    day, line = _line(record)
    append_lines(store / FOLDER / f"{day}.jsonl", line)


def _line(record: Mapping[str, Any]) -> tuple[str, bytes]:
    """The day whose file a record belongs to, and its line."""
    line = json.dumps(record, sort_keys=True, allow_nan=False).encode() + b"\n"
    return str(record["issued_at"])[:10], line


def read_day(store: Path, day: str) -> list[dict[str, Any]]:
    """Every whole line of one day (ISO date), oldest first."""
    return read_records(store / FOLDER / f"{day}.jsonl")
