from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.errors import AskError
from training.timetable import Timetable, default_database, text_of

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Timetable]:
    made = Timetable(default_database(tmp_path / "store"))
    yield made
    made.close()


def test_a_job_keeps_its_due_time_until_its_cron_changes(table: Timetable) -> None:
    table.settle({"a": "x", "b": "y"}, {"a": NOW, "b": NOW - MINUTE})
    table.settle({"a": "x", "b": "z"}, {"a": NOW + MINUTE, "b": NOW + MINUTE})
    assert table.due(["a", "b"]) == {"a": NOW, "b": NOW + MINUTE}
    assert list(table.due(["b"])) == ["b"]


def test_the_turn_is_one_holders_until_it_runs_out(table: Timetable) -> None:
    assert table.take("one", now=NOW, until=NOW + MINUTE)
    assert not table.take("two", now=NOW + MINUTE, until=NOW + 2 * MINUTE)
    assert table.renew("one", until=NOW + 2 * MINUTE)
    assert not table.take("two", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    assert table.take("two", now=NOW + 3 * MINUTE, until=NOW + 4 * MINUTE)
    assert not table.renew("one", until=NOW + 9 * MINUTE)
    table.release("one")
    assert not table.take("three", now=NOW + 3 * MINUTE, until=NOW + 4 * MINUTE)
    table.release("two")
    assert table.take("three", now=NOW, until=NOW + MINUTE)


def test_of_many_who_reach_for_the_turn_one_gets_it(tmp_path: Path) -> None:
    """Each with its own connection, all at once, on a database none of them has made yet."""
    got: list[bool] = []
    ready = threading.Barrier(8)

    def reach(number: int) -> None:
        ready.wait()
        table = Timetable(default_database(tmp_path))
        got.append(table.take(str(number), now=NOW, until=NOW + MINUTE))
        table.close()

    threads = [threading.Thread(target=reach, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]


def test_a_run_is_entered_and_ended(table: Timetable) -> None:
    table.settle({"a": "x"}, {"a": NOW})
    run = table.begin("a", due=NOW, missed=2, holder="one", now=NOW)
    assert table.end(run, job="a", state="done", told="t" * 5000, now=NOW + MINUTE, due=NOW + 5 * MINUTE)
    (kept,) = table.runs()
    assert (kept.state, kept.missed, kept.ended) == ("done", 2, text_of(NOW + MINUTE))
    assert len(kept.told) == 1000
    assert table.due(["a"]) == {"a": NOW + 5 * MINUTE}


def test_a_run_whose_scheduler_vanished_is_lost_and_cannot_end(table: Timetable) -> None:
    table.settle({"a": "x"}, {"a": NOW})
    gone = table.begin("a", due=NOW, missed=0, holder="one", now=NOW)
    table.begin("a", due=NOW, missed=0, holder="two", now=NOW + MINUTE)
    assert not table.end(gone, job="a", state="done", told="", now=NOW, due=NOW + 9 * MINUTE)
    assert [run.state for run in table.runs()] == ["lost", "running"]
    assert table.due(["a"]) == {"a": NOW}


def test_nothing_in_it_is_a_pickle(table: Timetable, tmp_path: Path) -> None:
    table.settle({"a": "x"}, {"a": NOW})
    table.begin("a", due=NOW, missed=0, holder="one", now=NOW)
    with sqlite3.connect(tmp_path / "store" / "schedule.db") as line:
        for name in ("schedule_jobs", "schedule_runs", "schedule_lease"):
            for row in line.execute(f"select * from {name}"):
                assert {type(cell) for cell in row} <= {str, int}
    line.close()


@pytest.mark.parametrize(
    "url", ["no url", "nosuch://x", "postgresql://u:hidden@127.0.0.1:1/x", "sqlite:////proc/none/x.db"]
)
def test_a_database_that_does_not_answer_is_refused_without_its_address(url: str) -> None:
    with pytest.raises((AskError, OSError)) as refused:
        Timetable(url)
    assert "hidden" not in str(refused.value)
