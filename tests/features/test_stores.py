"""A folder that is no store is refused, and nothing is made in it or of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import forecarbon
import operations
import upkeep
from features.errors import AskError
from features.stores import expect_store
from training.retention import Retention

ASKED: dict[str, Callable[[Path], object]] = {
    "schedule": lambda store: operations.schedule(once=True, database=None, store=store),
    "vacuum": lambda store: upkeep.vacuum(store=store),
    "backup": lambda store: upkeep.backup(store.parent / "backup.tar", store=store),
    "promote": lambda store: operations.promote("some", who="me", store=store),
    "rollback": lambda store: operations.rollback(who="me", store=store),
}
# All but one refuse for want of a champion or of the forecast.
READS: dict[str, list[str]] = {
    "reproduce": ["reproduce", "20260101-00000000"],
    "report": ["report", "nl-rotterdam", "--out", "{out}"],
    "progress": ["progress"],
    "portfolio": ["portfolio"],
    "scenario": ["scenario", "{told}"],
    "clusters": ["clusters"],
    "history": ["history"],
}


@pytest.fixture(params=["none", "others"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """No folder at all, or one with somebody else's files."""
    folder = tmp_path / "place"
    if request.param == "others":
        folder.mkdir()
        (folder / "letters.txt").write_text("mine")
    return folder


def seen(folder: Path) -> list[str]:
    """Every name below the folder and beside it."""
    return sorted(str(path) for path in folder.parent.rglob("*"))


@pytest.mark.parametrize("command", ASKED)
def test_a_job_of_a_store_makes_nothing_where_there_is_none(place: Path, command: str) -> None:
    before = seen(place)
    with pytest.raises(AskError) as refusal:
        ASKED[command](place)
    assert refusal.value.code == "no-store"
    assert str(place) in refusal.value.found
    assert "forecarbon retrain" in refusal.value.remedy
    assert seen(place) == before


@pytest.mark.parametrize("command", READS)
def test_what_only_reads_makes_nothing_where_there_is_none(place: Path, command: str) -> None:
    (place.parent / "told.json").write_text('{"cluster": "nl-rotterdam"}')
    named = {"told": str(place.parent / "told.json"), "out": str(place.parent / "out.html")}
    before = seen(place)
    words = [*(word.format(**named) for word in READS[command]), "--store", str(place)]
    status = forecarbon.guarded(lambda: forecarbon.app(words, standalone_mode=False))
    assert (status == 0) == (command == "history")  # that none was promoted is an answer
    assert seen(place) == before


def test_a_fresh_volume_may_be_scheduled_in_and_only_that(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    expect_store(tmp_path, "to keep", new=True)
    with pytest.raises(AskError) as refusal:
        expect_store(tmp_path, "to back up")
    assert refusal.value.found.startswith("nothing in ")


def test_whatever_is_kept_makes_it_a_store(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "lake").mkdir()
    expect_store(tmp_path, "to clear up")


def test_folders_that_anybody_has_make_no_store(tmp_path: Path) -> None:
    theirs = [tmp_path / "models" / f"run-{number}" for number in range(12)]
    for folder in (*theirs, tmp_path / "cache"):
        folder.mkdir(parents=True)
    with pytest.raises(AskError, match="no-store"):
        upkeep.clear_up(tmp_path, Retention(), now=datetime.now(UTC))
    assert all(folder.exists() for folder in theirs)
    # A retrain that was killed early has left its lock beside them.
    (tmp_path / "retrain.lock").touch()
    expect_store(tmp_path, "to clear up")
