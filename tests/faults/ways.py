"""Faults, each brought about for real in the process that is about to do a job."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import socket
import subprocess
import time
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Final

import pandas as pd

import forecarbon
import training.schedule
import training.watch
from features.instants import to_second
from serving import backup, state
from tests.faults.jobs import Fault
from tests.features.test_findings import ONE

STRANGER: Final = 65534
_NEW_MOUNTS, _NEW_NETWORK = 0x00020000, 0x40000000


def both(*faults: Fault) -> Fault:
    """Several, one after the other."""

    def fault() -> None:
        for each in faults:
            each()

    return fault


def patient() -> None:
    """Nobody has all day."""
    backup._BUSY_SECONDS = 0.2  # type: ignore[misc]
    state.PATIENCE_SECONDS = 1  # type: ignore[misc]


def finds(name: str = ONE.finding_id) -> None:
    """Whoever watches finds something, always the same; else a whole year would have to go wrong."""

    def watched(*_: Any, now: datetime, **__: Any) -> training.watch.Watched:
        rows = pd.DataFrame({"ds": pd.to_datetime(["2023-01-01"])})
        return training.watch.Watched(
            rows, (), (replace(ONE, finding_id=name, at=to_second(now), serving=False),)
        )

    training.watch.watch = watched


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
