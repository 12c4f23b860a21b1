from __future__ import annotations

from pathlib import Path

import pytest

from serving.journal import Journal
from serving.spool import FOLDER, Spool, append_to, entry_in
from tests.serving.notes import entry, kept, spools


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"null", b"1", b'{"forecast_id": "a"}', b"\xff"])
def test_what_is_no_entry_is_passed_over(line: bytes) -> None:
    assert entry_in(line) is None


def test_an_entry_is_read_back_as_it_was(tmp_path: Path) -> None:
    assert entry_in(entry(1).body.encode() + b"\n") == entry(1)


def test_a_spool_in_use_is_left_alone(tmp_path: Path) -> None:
    living = Spool(tmp_path)
    living.put([entry(1)])
    assert list(Spool(tmp_path).backlog()) == []
    living.close()
    assert list(Spool(tmp_path).backlog()) == [[entry(1)]]
    assert spools(tmp_path) == []


def test_a_backlog_that_is_not_taken_whole_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put([entry(number) for number in range(1500)])
    backlog = spool.backlog()
    assert len(next(backlog)) == 1000
    backlog.close()
    assert [len(chunk) for chunk in spool.backlog()] == [1000, 500]
    assert spools(tmp_path) == []


def test_a_torn_line_spoils_only_itself(tmp_path: Path) -> None:
    place = tmp_path / FOLDER / "spool-1-a.jsonl"
    place.parent.mkdir()
    place.write_bytes(entry(1).body.encode() + b"\n" + entry(2).body.encode()[:100])
    Journal(tmp_path).close()
    assert kept(tmp_path) == [1]
    place.write_bytes(entry(3).body.encode()[:50])
    with place.open("a+b", buffering=0) as stream:
        append_to(stream.fileno(), entry(4).body.encode() + b"\n")
    Journal(tmp_path).close()
    assert kept(tmp_path) == [1, 4]
