from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from serving.journal import Journal, append_lines, entry_of, read_day
from serving.wire import read_ask

DAY = "2026-11-23"


def line(number: int, day: str = DAY) -> dict[str, Any]:
    return {"journal_id": str(number), "issued_at": f"{day}T10:00:00Z"}


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
    assert [item["journal_id"] for item in read_day(tmp_path, DAY)] == [str(n) for n in range(30)]
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
    assert [item["journal_id"] for item in read_day(tmp_path, DAY)] == ["0", "1", "2", "3", "4"]


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
    path.write_bytes(b'{"journal_id": "0"}\n{"journal_id": "to')
    append_lines(path, b'{"journal_id": "1"}\n')
    assert [item["journal_id"] for item in read_day(tmp_path, DAY)] == ["0", "1"]


def test_an_entry_can_be_checked_against_its_answer() -> None:
    ask = read_ask(b'{"clusters":["a","b"],"steps":3}')
    told = {
        "journal_id": "j", "request_id": "r", "issued_at": f"{DAY}T00:00:00Z", "model_version": "v",
        "forecasts": [{"rows": [1.0]}], "refusals": [{}],
    }  # fmt: skip
    entry = entry_of(ask, told)
    assert (entry["asked"], entry["steps"], entry["answered"], entry["refused"]) == (["a", "b"], 3, 1, 1)
    assert entry["digest"] != entry_of(ask, {**told, "forecasts": [{"rows": [1.1]}]})["digest"]
    json.dumps(entry)
