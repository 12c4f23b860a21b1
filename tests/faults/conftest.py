"""A store that has been used, and jobs to be run on a copy of it in a process of their own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import operations
import upkeep  # noqa: F401  # forked processes find it loaded
from serving.keys_report import add_key
from tests.faults.jobs import SCHEDULE, Place, run
from tests.journeys.test_facilities import write_extracts
from tests.journeys.test_retrain import SMALL
from training import book  # noqa: F401  # forked processes find it loaded, as MLflow
from training.tracking import quiet_mlflow


@pytest.fixture(scope="session")
def used(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A champion by a small plan, a second version, one issued forecast, a key, and what jobs read."""
    quiet_mlflow()
    place = Place(tmp_path_factory.mktemp("faults"))
    (place.folder / "small.toml").write_text(SMALL.format(seed=1))
    (place.folder / "schedule.toml").write_text(SCHEDULE)
    (place.folder / "out").mkdir()
    write_extracts(place.folder / "eutl", plants=6)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        now = datetime.now(UTC)
        operations.train(place.folder / "small.toml", store=place.store, lake="", now=now, who="a test")
    (first,) = (place.store / "models").iterdir()
    shutil.copytree(first, place.store / "models" / "second")
    add_key(place.store, "ada", scopes=["read"], days=30, rate=None, at=now, who="a test")
    told = run("forecast", place)
    found = re.search(r"forecast_id (\S+)", told.out)
    assert found is not None, told
    (place.folder / "issued").write_text(found[1])
    return place


@pytest.fixture
def place(used: Place, tmp_path: Path) -> Iterator[Place]:
    """A copy of it."""
    shutil.copytree(used.folder, tmp_path / "place")
    yield Place(tmp_path / "place")
    shutil.rmtree(tmp_path / "place", ignore_errors=True)
