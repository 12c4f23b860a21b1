from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from serving.journal import Journal, append_lines, keep, read_day

DAY = "2026-11-23"


def line(number: int, day: str = DAY) -> dict[str, Any]:
    return {"forecast_id": str(number), "issued_at": f"{day}T10:00:00Z"}


def wait_for(what: Any) -> None:
    deadline = time.monotonic() + 5
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_line_is_kept_in_order_a_file_a_day(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(50):
        journal.note(line(number, DAY if number < 30 else "2026-11-24"))
    journal.close()
    assert [item["forecast_id"] for item in read_day(tmp_path, DAY)] == [str(n) for n in range(30)]
    assert len(read_day(tmp_path, "2026-11-24")) == 20
    assert journal.state == "ok"


def test_a_failing_disk_degrades_and_loses_nothing_once_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.journal.RETRY_SECONDS", 0.02)
    (tmp_path / "journal").write_text("a file where a folder should be")
    journal = Journal(tmp_path)
    begun = time.monotonic()
    for number in range(5):
        journal.note(line(number))
    assert time.monotonic() - begun < 0.5
    wait_for(lambda: journal.state == "degraded")
    (tmp_path / "journal").unlink()
    wait_for(lambda: journal.state == "ok")
    journal.close()
    assert [item["forecast_id"] for item in read_day(tmp_path, DAY)] == ["0", "1", "2", "3", "4"]


def test_what_cannot_be_held_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.journal.HELD", 3)
    monkeypatch.setattr("serving.journal.RETRY_SECONDS", 30.0)
    (tmp_path / "journal").write_text("")
    journal = Journal(tmp_path)
    journal.note(line(0))
    wait_for(lambda: journal.state == "degraded")
    for number in range(1, 10):
        journal.note(line(number))
    assert journal.lost > 0
    journal.close(1.0)


def test_a_torn_line_spoils_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "journal" / f"{DAY}.jsonl"
    path.parent.mkdir()
    path.write_bytes(b'{"forecast_id": "0"}\n{"forecast_id": "to')
    append_lines(path, b'{"forecast_id": "1"}\n')
    assert [item["forecast_id"] for item in read_day(tmp_path, DAY)] == ["0", "1"]


def test_a_process_that_issues_few_keeps_each_at_once(tmp_path: Path) -> None:
    keep(tmp_path, line(1))
    keep(tmp_path, line(2))
    assert [item["forecast_id"] for item in read_day(tmp_path, DAY)] == ["1", "2"]
