"""What every retrain of a test would do again to the same end, done once a run of the tests or left out."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import url2pathname

import pytest

from training import database, tracking


def shared(base: Path, worker: str, name: str) -> Path:
    """A folder of this run of the tests, which its workers share; ``base`` is the worker's own."""
    folder = (base if worker == "master" else base.parent) / name
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def tables_made_once(folder: Path) -> Iterator[None]:
    """MLflow's tables come of some sixty migrations; MLflow makes them once, and stores get a copy."""
    truly, kept = tracking._make_tables, folder / "mlflow.db"

    def make(scratch: Path, artifacts: str) -> None:
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                truly(folder / "new.db", (folder / "artifacts").as_uri())
                os.replace(folder / "new.db", kept)
        shutil.copyfile(kept, scratch)
        database.move(scratch, folder / "artifacts", Path(url2pathname(artifacts.removeprefix("file://"))))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracking, "_make_tables", make)
        yield


@contextmanager
def short_retrains() -> Iterator[None]:
    """Retrains draw nothing and replay no dated targets, as where the baseline is not replayed."""
    with without_pictures(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.retrain.dated_record", lambda *_: None)
        yield


@contextmanager
def without_pictures() -> Iterator[None]:
    """Retrains draw nothing: where pictures are not what is looked at, they are most of the cost."""
    from training import book  # brings the drawing library, which most tests do without

    with pytest.MonkeyPatch.context() as patch:
        for name in ("of_all", "of_one", "of_dated"):
            patch.setattr(book, name, lambda *_: {})
        yield
