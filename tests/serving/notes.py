"""Entries for tests of the journal, and what is kept of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from serving.journal import read_entries
from serving.spool import FOLDER, Entry
from tests.conftest import ROOT

DAY = "2026-11-23"


def entry(number: int, day: str = DAY) -> Entry:
    """An entry of the size that a forecast's has."""
    name, at = f"{day.replace('-', '')}-{number:08d}", f"{day}T10:00:{number % 60:02d}.{number % 1000:03d}Z"
    body = {"forecast_id": name, "issued_at": at, "key_id": "", "model_version": "m", "fill": "x" * 1200}
    return Entry(name, at, "", "m", json.dumps(body))


def kept(store: Path, url: str | None = None) -> list[int]:
    """Numbers of the entries, as often as they are there, in increasing order."""
    return sorted(int(str(item["forecast_id"])[9:]) for item in read_entries(store, url))


def spools(store: Path) -> list[Path]:
    """The spool files of a store."""
    return sorted((store / FOLDER).glob("spool-*.jsonl"))


def wait_for(what: Callable[[], bool], seconds: float = 10.0) -> None:
    """Until ``what`` holds."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def process(code: str, *args: object) -> subprocess.Popen[str]:
    """Another process of ours that runs ``code``."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
