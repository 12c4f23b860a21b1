from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import pytest

from features.errors import AskError
from serving.journal import Journal, enter, find, keep, read_entries
from serving.spool import FOLDER, Spool
from serving.state import state_of
from tests.serving.notes import DAY, entry, kept, process, spools, wait_for

# Notes entries until it is ended; says how many it has noted once the first are safe.
NOTING = """
import sys, time
from pathlib import Path
from serving.journal import Journal
from tests.serving.notes import entry
store, first = Path(sys.argv[1]), int(sys.argv[2])
journal = Journal(store, *sys.argv[3:])
for number in range(first, first + 1_000_000):
    journal.note(entry(number))
    if number % 100 == 0:
        print(number, flush=True)
    time.sleep(0.0002)
"""
# On a disk with room for a few entries only: notes, waits for room, and closes.
FULL = """
import resource, signal, sys, time
from pathlib import Path
import serving.journal
from serving.journal import Journal
from tests.serving.notes import entry, wait_for
store = Path(sys.argv[1])
Journal(store).close()
whole = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, whole[1]))
journal = Journal(store)
begun = time.monotonic()
for number in range(300):
    journal.note(entry(number))
assert time.monotonic() - begun < 5  # a wait for room at each would be longer
wait_for(lambda: journal.state == "degraded")
time.sleep(0.3)
assert journal.state == "degraded"
resource.setrlimit(resource.RLIMIT_FSIZE, whole)
wait_for(lambda: journal.state == "ok")
journal.close()
print(journal.lost)
"""


@pytest.fixture
def away(tmp_path: Path) -> str:
    """Address of a database whose folder is not there until somebody makes it one."""
    (tmp_path / "away").write_text("a file where a folder should be")
    return f"sqlite:///{tmp_path / 'away' / 'state.db'}"


def back(tmp_path: Path) -> None:
    (tmp_path / "away").unlink()


def test_every_entry_is_kept_once_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(2500):
        journal.note(entry(number, DAY if number < 1500 else "2026-11-24"))
        if number % 2:
            journal.note(entry(number, DAY if number < 1500 else "2026-11-24"))
    journal.close()
    entries = list(read_entries(tmp_path))
    assert kept(tmp_path) == list(range(2500))
    assert [e["issued_at"] for e in entries] == sorted(e["issued_at"] for e in entries)
    assert entries[0] == json.loads(entry(0).body)
    assert (journal.state, journal.lost, spools(tmp_path)) == ("ok", 0, [])


def test_noting_takes_microseconds_even_without_a_database(tmp_path: Path, away: str) -> None:
    journal, made = Journal(tmp_path, away), [entry(number) for number in range(3000)]
    took = []
    for one in made:
        begun = time.perf_counter()
        journal.note(one)
        took.append(time.perf_counter() - begun)
    journal.close()
    assert statistics.median(took) < 20e-6


def test_a_database_that_is_away_degrades_and_nothing_is_lost_once_it_is_back(
    tmp_path: Path, away: str
) -> None:
    journal = Journal(tmp_path, away)
    for number in range(50):
        journal.note(entry(number))
    wait_for(lambda: journal.state == "degraded" and bool(spools(tmp_path)))
    for number in range(50, 80):
        journal.note(entry(number))
    back(tmp_path)
    wait_for(lambda: journal.state == "ok")
    journal.close()
    assert kept(tmp_path, away) == list(range(80))
    assert spools(tmp_path) == []


def test_what_waits_in_a_spool_is_read_and_found_beside_the_database(tmp_path: Path, away: str) -> None:
    spool = Spool(tmp_path)
    spool.put([entry(1)])
    spool.close()
    keep(tmp_path, entry(2))
    keep(tmp_path, entry(1))
    assert kept(tmp_path) == [1, 2]
    for number in (1, 2):
        assert find(tmp_path, entry(number).forecast_id) == json.loads(entry(number).body)
    assert find(tmp_path, entry(3).forecast_id) is None
    assert find(tmp_path, entry(1).forecast_id, away) is not None
    with pytest.raises(AskError, match="state-database"):
        find(tmp_path, entry(2).forecast_id, "postgresql://nobody:hidden@127.0.0.1:1/none")


def test_a_journal_closed_while_the_database_is_away_leaves_a_spool_for_the_next(
    tmp_path: Path, away: str
) -> None:
    journal = Journal(tmp_path, away)
    for number in range(10):
        journal.note(entry(number))
    journal.close()
    assert len(spools(tmp_path)) == 1
    assert journal.lost == 0
    back(tmp_path)
    Journal(tmp_path, away).close()
    assert spools(tmp_path) == []
    assert kept(tmp_path, away) == list(range(10))


def test_files_a_day_of_earlier_releases_are_read_and_left(tmp_path: Path) -> None:
    old = tmp_path / FOLDER / f"{DAY}.jsonl"
    old.parent.mkdir()
    old.write_text(entry(5).body + "\n" + '{"journal_id": "before forecasts had names"}\n')
    keep(tmp_path, entry(6))
    Journal(tmp_path).close()
    assert kept(tmp_path) == [5, 6]
    assert find(tmp_path, entry(5).forecast_id) is not None
    assert old.exists()


def test_a_full_disk_holds_in_memory_and_loses_nothing_once_there_is_room(tmp_path: Path) -> None:
    done = process(FULL, tmp_path)
    printed, _ = done.communicate(timeout=60)
    assert (done.returncode, printed.strip()) == (0, "0")
    assert kept(tmp_path) == list(range(300))
    assert spools(tmp_path) == []


def test_what_cannot_be_held_is_counted(tmp_path: Path, away: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.journal.HELD", 3)
    (tmp_path / FOLDER).write_text("no folder")
    journal = Journal(tmp_path, away)
    journal.note(entry(0))
    wait_for(lambda: journal.state == "degraded" and not journal._held)
    for number in range(1, 10):
        journal.note(entry(number))
    assert journal.lost == 6
    journal.close(5.0)
    assert journal.lost == 10


def test_a_process_that_issues_few_keeps_each_at_once_or_puts_it_aside(tmp_path: Path, away: str) -> None:
    keep(tmp_path, entry(1))
    assert kept(tmp_path) == [1]
    keep(tmp_path, entry(2), away)
    assert len(spools(tmp_path)) == 1
    Journal(tmp_path).close()
    assert kept(tmp_path) == [1, 2]
    (tmp_path / FOLDER).rmdir()
    (tmp_path / FOLDER).write_text("no folder")
    with pytest.raises(OSError, match="journal"):
        keep(tmp_path, entry(3), away)


@pytest.mark.parametrize("there", [True, False], ids=["database there", "database away"])
def test_a_killed_process_leaves_what_it_had_written_and_nothing_twice(
    tmp_path: Path, away: str, *, there: bool
) -> None:
    if there:
        back(tmp_path)
    noting = process(NOTING, tmp_path, 0, away)
    assert noting.stdout is not None
    told = [int(noting.stdout.readline()) for _ in range(20)]
    noting.kill()
    noting.communicate()
    assert bool(spools(tmp_path)) != there
    if not there:
        back(tmp_path)
    Journal(tmp_path, away).close()
    numbers = kept(tmp_path, away)
    assert numbers == list(range(len(numbers))), "no gap, none twice"
    # At most what was noted within the last batches is missing.
    assert len(numbers) > told[-1] - 1000
    assert spools(tmp_path) == []


def test_two_processes_note_at_once(tmp_path: Path) -> None:
    both = [process(NOTING, tmp_path, first) for first in (0, 10_000_000)]
    for one in both:
        assert one.stdout is not None
        for _ in range(15):
            one.stdout.readline()

    def both_are_there() -> bool:
        numbers = kept(tmp_path)
        return any(n < 1_000_000 for n in numbers) and any(n >= 10_000_000 for n in numbers)

    wait_for(both_are_there, 60.0)
    for one in both:
        one.kill()
        one.communicate()
    Journal(tmp_path).close()
    numbers = kept(tmp_path)
    for first in (0, 10_000_000):
        own = [n - first for n in numbers if first <= n < first + 1_000_000]
        assert own == list(range(len(own)))
        assert own


def test_entries_hold_any_text(tmp_path: Path) -> None:
    odd = {
        "forecast_id": "20261123-a",
        "issued_at": DAY,
        "model_version": "m",
        "said": "\x00 \ud800 % %s ' \n é",
    }
    state = state_of(tmp_path)
    one = entry(1)._replace(forecast_id="20261123-a", issued_at=DAY, body=json.dumps(odd))
    enter(state, [one])
    state.close()
    assert list(read_entries(tmp_path)) == [odd]
