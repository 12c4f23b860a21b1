from __future__ import annotations

import os
from pathlib import Path

import pytest

from features.files import append_record, read_records
from features.removal import Sweep, thin

STRANGE = b"not ours\n[1]\n"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Five lines, a strange one among them, and one that is torn."""
    path = tmp_path / "lines.jsonl"
    for number in range(5):
        append_record(path, {"n": number})
    path.write_bytes(path.read_bytes() + STRANGE + b'{"n": 5')
    path.chmod(0o640)
    return path


def test_what_stays_stays_byte_for_byte(record: Path) -> None:
    lines = record.read_bytes().splitlines(keepends=True)
    done = Sweep()
    assert thin(record, lambda line: line["n"] % 2 == 1, done, "lines") == 2
    assert record.read_bytes() == b"".join([lines[0], lines[2], lines[4], *lines[5:]])
    assert (done.counts, done.freed) == ({"lines": 2}, len(lines[1] + lines[3]))
    assert record.stat().st_mode & 0o777 == 0o640
    append_record(record, {"n": 6})
    assert [line["n"] for line in read_records(record)] == [0, 2, 4, 6]


def test_where_nothing_goes_nothing_is_written(record: Path, tmp_path: Path) -> None:
    before = record.stat()
    assert thin(record, lambda line: False, Sweep(), "lines") == 0
    assert thin(record, lambda line: True, Sweep(dry=True), "lines") == 5
    assert thin(tmp_path / "none", lambda line: True, Sweep(), "lines") == 0
    assert (record.stat().st_ino, record.stat().st_size) == (before.st_ino, before.st_size)


def test_one_that_fails_before_its_end_leaves_all_of_it(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new file is written beside and moved in whole: killed before that, the old one is there."""
    before = record.read_bytes()

    def fails(*args: object) -> None:
        assert record.read_bytes() == before
        raise OSError("no room")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="no room"):
        thin(record, lambda line: True, Sweep(), "lines")
    assert record.read_bytes() == before
    assert [path.name for path in record.parent.iterdir()] == [record.name]
