"""A store that has been used, and jobs to be run on a copy of it in a process of their own."""

from __future__ import annotations

import contextlib
import importlib
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.jobs import JOBS, Place, in_process
from tests.faults.store import copied, made_once, small_packs

# What jobs import when they are run, and cannot be run here for: they set up logging.
_LATE = ("apscheduler.triggers.cron", "training.timetable", "sqlalchemy.dialects.sqlite", "training.book")


@pytest.fixture(scope="session")
def used(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Place:
    """The used store, and every job run here once: forked processes then find loaded what jobs load."""
    made = made_once(tmp_path_factory.getbasetemp(), worker_id)
    scratch = tmp_path_factory.mktemp("warm")
    with small_packs(), contextlib.redirect_stdout(io.StringIO()):
        for name in _LATE:
            importlib.import_module(name)
        for job in JOBS:
            if job != "schedule":
                in_process(job, copied(made, scratch / job))
                shutil.rmtree(scratch / job)
    return made


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """Packs are small here."""
    with small_packs():
        yield


@pytest.fixture
def place(used: Place, tmp_path: Path) -> Iterator[Place]:
    """A copy of it."""
    yield copied(used, tmp_path / "place")
    shutil.rmtree(tmp_path / "place", ignore_errors=True)
