"""A store that has been used, small and made once a run of the tests; copies of it cost next to nothing."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

import operations
from serving import written
from serving.keys_report import add_key
from tests.cheaper import shared, without_pictures
from tests.faults.jobs import SCHEDULE, Place, run
from tests.journeys.test_facilities import write_extracts
from tests.journeys.test_retrain import SMALL
from training.tracking import quiet_mlflow

# A saved model that nobody has used for long, and an old piece: what a vacuum takes away.
OLD: Final = "2001-01-01T000000Z-00000000"
LONG_AGO: Final = datetime(2001, 1, 1, tzinfo=UTC).timestamp()
# Written to where they lie; all other files are only ever replaced whole.
_CHANGED: Final = re.compile(r".*(\.db|\.db-\w+|\.jsonl|\.lock|\.toml|current\.json)")
_PATHS: Final = 40
# What an operator's settings hold and nobody else may ever read; tests/security looks for it everywhere.
CANARY: Final = "c4nary"
_TRACKING: Final = f"""
[tracking]
uri = "https://ada:{CANARY}-plan@mlflow.example"
artifact_root = "s3://bucket/runs?signature={CANARY}-files"
"""


def planted(store: Path) -> dict[str, str]:
    """Settings with secrets; runs are kept in the store all the same."""
    return {
        "FORECARBON_TRACKING_URI": f"sqlite:///{store.resolve() / 'mlflow.db'}",
        "FORECARBON_ARTIFACT_ROOT": (store.resolve() / "artifacts").as_uri(),
        "MLFLOW_TRACKING_URI": f"https://ada:{CANARY}-mlflow@mlflow.example",
        "MLFLOW_TRACKING_PASSWORD": f"{CANARY}-password",
        "FORECARBON_WEBHOOK": f"https://hooks.example/{CANARY}-webhook",
        "HTTPS_PROXY": f"http://ada:{CANARY}-proxy@127.0.0.1:9",
        "AWS_SECRET_ACCESS_KEY": f"{CANARY}-cloud",
    }


@contextmanager
def small_packs() -> Iterator[None]:
    """Packs of few sample paths, and no pictures: nothing to what is tested, and most of its cost."""
    with pytest.MonkeyPatch.context() as patch, without_pictures():
        patch.setitem(written.write_pack.__kwdefaults__ or {}, "paths", _PATHS)
        yield


def made_once(base: Path, worker: str) -> Place:
    """The store of this run of the tests; under xdist the first worker makes it for all."""
    folder = shared(base, worker, "used")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "place" / "kept.tar").exists():
            shutil.rmtree(folder / "place", ignore_errors=True)
            make(Place(folder / "place"))
    return Place(folder / "place")


def make(place: Place) -> None:
    """A champion by a small plan, a second version and an old one, a forecast, a key, and what jobs read."""
    quiet_mlflow()
    (place.folder / "out").mkdir(parents=True)
    (place.folder / "small.toml").write_text(SMALL.format(seed=1) + _TRACKING)
    (place.folder / "schedule.toml").write_text(SCHEDULE)
    write_extracts(place.folder / "eutl", plants=6)
    with pytest.MonkeyPatch.context() as patch, small_packs():
        for name, value in planted(place.store).items():
            patch.setenv(name, value)
        now = datetime.now(UTC)
        operations.train(place.folder / "small.toml", store=place.store, lake="", now=now, who="a test")
        for name in planted(place.store):
            patch.delenv(name)
        (place.folder / "small.toml").write_text(SMALL.format(seed=1))
        (first,) = (place.store / "models").iterdir()
        for name in ("second", OLD):
            shutil.copytree(first, place.store / "models" / name, copy_function=os.link)
        os.utime(place.store / "models" / OLD, (LONG_AGO, LONG_AGO))
        (place.store / "downloads").mkdir()
        (place.store / "downloads" / "old.part").write_text("begun long ago")
        os.utime(place.store / "downloads" / "old.part", (LONG_AGO, LONG_AGO))
        with contextlib.redirect_stdout(io.StringIO()):
            add_key(place.store, "ada", scopes=["read"], days=30, rate=None, at=now, who="a test")
        told = run("forecast", place)
        found = re.search(r"forecast_id (\S+)", told.out)
        assert found is not None, told
        (place.folder / "issued").write_text(found[1])
        told = run("backup", place)
        assert told.status == 0, told
        (kept,) = (place.folder / "out").glob("*.tar")
        kept.rename(place.folder / "kept.tar")


def copied(place: Place, to: Path) -> Place:
    """A copy of a place: files that are only ever replaced are the same ones."""

    def copy(source: str, target: str) -> None:
        if _CHANGED.fullmatch(source):
            shutil.copy2(source, target)
        else:
            os.link(source, target)

    shutil.copytree(place.folder, to, copy_function=copy)
    return Place(to)
