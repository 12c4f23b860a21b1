"""Every job of the product, run in a forked process in which a fault can be brought about first."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import selectors
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final

import forecarbon
import training.schedule
from features.errors import ModelError
from features.files import read_records
from serving.entries import stamp_of
from serving.layout import CURRENT, read_pointer
from serving.opened import open_pack
from tests.serving.desks import asked, desk_of

SCHEDULE: Final = """
[[job]]
name = "look"
run = "watch"
plan = "small.toml"
cron = "0 3 1 1 *"
since = 2020-01-01T00:00:00Z
"""
# A roll-back is a promotion of an older version: one walk for both, tried by turns.
JOBS: Final = (
    *("ingest", "retrain", "forecast", "serve", "schedule", "watch", "promote", "keys", "reproduce"),
    *("backup", "restore", "vacuum"),
)
STRANGER: Final = 65534
REFUSAL: Final = ("code", "found", "expected", "remedy")
_NEW_MOUNTS, _NEW_NETWORK = 0x00020000, 0x40000000
_SECONDS: Final = 60
Fault = Callable[[], object]


@dataclass(frozen=True)
class Place:
    """A folder with a store and all that its jobs read."""

    folder: Path

    @property
    def store(self) -> Path:
        """The store."""
        return self.folder / "store"


@dataclass(frozen=True)
class Told:
    """What a job printed, and its exit status; negative if a signal ended it."""

    status: int
    out: str
    err: str

    @property
    def refused(self) -> bool:
        """Whether it ended with one refusal that says what was found, expected, and what to do."""
        said = self.err.strip().splitlines() or [""]
        if self.status not in (1, 2):
            return False
        if "failed. " in self.out:  # a schedule tells what became of its job
            said = [line for line in self.out.splitlines() if ": failed. " in line]
        return all(f" {word} " in said[-1] for word in ("found", "expected", "·"))

    @property
    def plain(self) -> bool:
        """Whether there is no traceback in it, and no bug of ours."""
        return not any(word in self.out + self.err for word in ("Traceback", "a bug of ours"))


def words_of(job: str, place: Place) -> list[str]:
    """The command line of a job."""
    at, store = place.folder, place.store
    words = {
        "ingest": ["ingest", "eutl", "--file", str(at / "eutl"), "--known-at", "2023-05-01"],
        "retrain": ["retrain", "--plan", str(at / "small.toml")],
        "forecast": ["forecast", "nl-rotterdam", "--steps", "2"],
        "schedule": ["schedule", "--once", "--file", str(at / "schedule.toml")],
        "watch": ["watch", "--plan", str(at / "small.toml")],
        "promote": ["promote", "second", "--who", "ada"],
        "rollback": ["rollback", "--to", "second", "--who", "ada"],
        "keys": ["keys", "add", "acme", "--scope", "read", "--who", "ada"],
        "reproduce": ["reproduce", (at / "issued").read_text() if (at / "issued").exists() else ""],
        "backup": ["backup", "--to", str(at / "out")],
        "restore": ["restore", str(at / "kept.tar"), "--replace"],
        "vacuum": ["vacuum", "--keep-models", "1", "--record-days", "30"],
    }  # fmt: skip
    return [*words[job], "--store", str(store)]


def started(job: str, place: Place, fault: Fault = lambda: None) -> tuple[int, int, int]:
    """The id of a forked process in which the fault is brought about and the job run, and its two pipes."""
    if job == "restore" and not (place.folder / "kept.tar").exists():
        shutil.copyfile(backup_of(place), place.folder / "kept.tar")
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    child = os.fork()
    if child:
        os.close(out_end)
        os.close(err_end)
        return child, out, err
    status = 70
    try:
        os.setsid()
        os.dup2(out_end, 1)
        os.dup2(err_end, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        fault()
        status = _serve(place) if job == "serve" else _command(words_of(job, place))
    except BaseException:  # noqa: BLE001 - whatever it is, the test is told
        with suppress(OSError):
            traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)


def _command(words: list[str]) -> int:
    try:
        return forecarbon.guarded(lambda: forecarbon.app(words))
    except SystemExit as ended:
        return int(ended.code or 0)


def _now() -> datetime:
    """What the product's command line takes for the time, which ``at_time`` moves."""
    shown: type[datetime] = vars(forecarbon)["datetime"]
    return shown.now(UTC)


def _serve(place: Place) -> int:
    """One answer of production's edge and desk, at the time that the process is shown."""

    def ask() -> None:
        with desk_of(place.store, clock=lambda: stamp_of(_now())) as edge:
            told = asked(edge, "POST", "/v1/forecast", json={"clusters": ["nl-rotterdam"], "steps": 2})
            if told.status_code != 200:
                raise ModelError(**{name: told.json()["error"][name] for name in REFUSAL})
            sys.stdout.write(f"issued_at {told.json()['issued_at']}\n")

    return forecarbon.guarded(ask)


def ended(process: tuple[int, int, int], seconds: float = _SECONDS) -> Told:
    """Wait for a job; what became of it. One that hangs is killed, and fails the test."""
    child, out, err = process
    said, alarm = {out: b"", err: b""}, time.monotonic() + seconds
    with selectors.DefaultSelector() as pipes:
        for pipe in said:
            pipes.register(pipe, selectors.EVENT_READ)
        while pipes.get_map() and (left := alarm - time.monotonic()) > 0:
            for ready, _ in pipes.select(left):
                part = os.read(ready.fd, 65_536)
                said[ready.fd] += part
                if not part:
                    pipes.unregister(ready.fd)
        hung = bool(pipes.get_map())
    for pipe in said:
        os.close(pipe)
    if hung:  # with what it started: a job has a session of its own
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    told = Told(status, *(each.decode("utf-8", "replace") for each in said.values()))
    assert not hung, f"a job hung: {told}"
    return told


def run(job: str, place: Place, fault: Fault = lambda: None) -> Told:
    """Run a job to its end after a fault was brought about in its process."""
    return ended(started(job, place, fault))


def killed(job: str, place: Place, seconds: float) -> Told:
    """Start a job and kill it after so long."""
    process = started(job, place)
    time.sleep(seconds)
    with suppress(ProcessLookupError):
        os.kill(process[0], signal.SIGKILL)
    return ended(process)


def backup_of(place: Place) -> Path:
    """A backup of a place, made now."""
    told = run("backup", place)
    assert told.status == 0, told
    found = sorted((place.folder / "out").glob("*.tar"))[-1]
    return found.rename(place.folder / "made.tar")


def whole(place: Place, before: list[dict[str, Any]]) -> None:
    """The store is whole: its pointer opens, its record only grew, its databases are sound."""
    pointer = read_pointer(place.store / CURRENT)
    assert pointer is not None
    open_pack(place.store, pointer)
    assert promoted(place)[: len(before)] == before
    for path in place.store.glob("*.db"):
        with closing(sqlite3.connect(path)) as line:
            assert line.execute("PRAGMA integrity_check").fetchone() == ("ok",), path.name


def promoted(place: Place) -> list[dict[str, Any]]:
    """The record of promotions."""
    return read_records(place.store / "promotions.jsonl")


# --- faults, brought about in the forked process ---------------------------------------------------------


def no_network() -> None:
    """No address can be reached: a network of its own for root, else every call to connect fails."""
    if os.geteuid() == 0 and _libc().unshare(_NEW_NETWORK) == 0:
        return

    def refused(self: socket.socket, address: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    socket.socket.connect = refused  # type: ignore[method-assign,assignment]


def no_room() -> None:
    """No file can grow by a byte; a full disk says the same in another number."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def read_only(folder: Path) -> Fault:
    """A folder mounted read-only in a namespace of its own for root; else its permissions say so."""

    def fault() -> None:
        if os.geteuid() == 0 and _libc().unshare(_NEW_MOUNTS) == 0:
            for words in (
                ["--make-rprivate", "/"],
                ["--bind", folder, folder],
                ["-o", "remount,bind,ro", folder],
            ):
                subprocess.run(["mount", *map(str, words)], check=True)
            return
        for path in [folder, *folder.rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o222)

    return fault


def of_a_stranger(folder: Path) -> Fault:
    """All in a folder belongs to somebody else, who lets nobody in; root gives up its right to pass."""

    def fault() -> None:
        for path in folder.iterdir():
            path.chmod(0)
        if os.geteuid() == 0:
            for path in folder.iterdir():
                os.chown(path, STRANGER, STRANGER)
            header = (ctypes.c_uint32 * 2)(0x20080522, 0)
            assert _libc().capset(ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)())) == 0

    return fault


def let_in(folder: Path) -> None:
    """Take ``of_a_stranger`` and ``read_only`` back."""
    folder.chmod(0o755)
    for path in folder.iterdir():
        if os.geteuid() == 0:
            os.chown(path, 0, 0)
        path.chmod(0o755 if path.is_dir() else 0o644)
    for path in folder.rglob("*"):
        path.chmod(path.stat().st_mode | 0o200)


def at_time(moment: datetime, zone: str = "UTC") -> Fault:
    """The clock of the process shows ``moment``, in a machine that keeps the time of ``zone``."""

    class Shown(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return moment.astimezone(tz)

    def fault() -> None:
        os.environ["TZ"] = zone
        time.tzset()
        forecarbon.datetime = Shown  # type: ignore[attr-defined]
        training.schedule.datetime = Shown  # type: ignore[attr-defined]

    return fault


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
