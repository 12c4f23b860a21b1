"""Every job of the product, run in a forked process in which a fault can be brought about first."""

from __future__ import annotations

import gc
import json
import os
import re
import selectors
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import typer

import forecarbon
from features.errors import ForecarbonError, ModelError
from features.files import read_records
from serving.entries import stamp_of
from serving.journal import find
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
REFUSAL: Final = ("code", "found", "expected", "remedy")
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
    def code(self) -> str:
        """The code of its refusal; "" if there is none."""
        found = re.search(
            r"(?:^forecarbon: |: failed\. )([a-z]+(?:-[a-z]+)+): found ", self.out + self.err, re.M
        )
        return found[1] if found else ""

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


def started(
    job: str, place: Place, fault: Fault = lambda: None, words: Sequence[str] = ()
) -> tuple[int, int, int]:
    """The id of a forked process in which the fault is brought about and the job run, and its two pipes.

    Args:
        words: the command line, if not that of ``words_of``; the store is added to it.
    """
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    gc.freeze()  # a collection in the child would copy every page there is
    child = os.fork()
    if child:
        gc.unfreeze()
        os.close(out_end)
        os.close(err_end)
        return child, out, err
    status = 70
    try:
        os.setsid()
        os.dup2(out_end, 1)
        os.dup2(err_end, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        # What the kernel has taken outlives a killed process: to wait for the disk shows nothing here.
        os.fsync = lambda _: None  # type: ignore[assignment]
        fault()
        status = in_process(job, place, words)
    except BaseException:  # noqa: BLE001 - whatever it is, the test is told
        with suppress(OSError):
            traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)


def in_process(job: str, place: Place, words: Sequence[str] = ()) -> int:
    """Run a job here; its exit status."""
    if job == "serve":
        return _serve(place)
    return _command([*words, "--store", str(place.store)] if words else words_of(job, place))


def _command(words: list[str]) -> int:
    try:
        return forecarbon.guarded(lambda: _commands()(words, prog_name="forecarbon"))
    except SystemExit as ended:
        return int(ended.code or 0)


@cache
def _commands() -> Callable[..., Any]:
    """The command line as the product has it, put together once and not for every process."""
    return typer.main.get_command(forecarbon.app)


def _now() -> datetime:
    """What the product's command line takes for the time, which ``at_time`` moves."""
    shown: type[datetime] = vars(forecarbon)["datetime"]
    return shown.now(UTC)


def _serve(place: Place) -> int:
    """Two answers of production's edge and desk, at the time that the process is shown, and its health.

    The second is asked for when the entry of the first is on record, or the journal has said that it is not.
    """

    def ask() -> None:
        with desk_of(place.store, clock=lambda: stamp_of(_now()), new_id=lambda: uuid4().hex) as edge:
            assert edge.desk is not None
            for _ in range(2):
                told = asked(edge, "POST", "/v1/forecast", json={"clusters": ["nl-rotterdam"], "steps": 2})
                if told.status_code != 200:
                    raise ModelError(**{name: told.json()["error"][name] for name in REFUSAL})
                said = told.json()
                while edge.desk.journal.state == "ok" and not _noted(place.store, said["forecast_id"]):
                    time.sleep(0.005)
            health = asked(edge, "GET", "/v1/health").json()
            sys.stdout.write(f"issued_at {said['issued_at']}\njournal {said['journal']}\n")
            sys.stdout.write(f"made by {said['forecasts'][0]['made_by']}\nhealth {json.dumps(health)}\n")

    return forecarbon.guarded(ask)


def _noted(store: Path, forecast_id: str) -> bool:
    try:
        return find(store, forecast_id) is not None
    except ForecarbonError:
        return False


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


def run(job: str, place: Place, fault: Fault = lambda: None, words: Sequence[str] = ()) -> Told:
    """Run a job to its end after a fault was brought about in its process."""
    return ended(started(job, place, fault, words))


def killed(job: str, place: Place, seconds: float) -> Told:
    """Start a job and kill it after so long."""
    process = started(job, place)
    time.sleep(seconds)
    with suppress(ProcessLookupError):
        os.kill(process[0], signal.SIGKILL)
    return ended(process)


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
