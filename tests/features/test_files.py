from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features import files
from features.errors import AskError


class Crash(Exception):
    pass


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_write_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "a.txt"
    files.write_bytes(target, b"one")
    files.write_bytes(target, b"two")
    assert target.read_bytes() == b"two"
    assert names(target.parent) == ["a.txt"]


def failing(*_: object) -> None:
    raise Crash


@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_a_failed_write_keeps_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    target = tmp_path / "a.txt"
    files.write_bytes(target, b"old")
    monkeypatch.setattr(os, step, failing)
    with pytest.raises(Crash):
        files.write_bytes(target, b"new")
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a.txt"]


def test_json_goes_round_and_equal_records_are_equal_bytes(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a", {"x": 1, "a": [1.5, None]})
    files.write_json(tmp_path / "b", {"a": [1.5, None], "x": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert files.read_json(tmp_path / "a") == {"x": 1, "a": [1.5, None]}


def test_json_refuses_nan_and_keeps_what_was_there(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a", {"x": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "a", {"x": float("nan")})
    assert files.read_json(tmp_path / "a") == {"x": 1}


def test_reading_a_list_where_an_object_is_meant_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("[1]")
    with pytest.raises(ValueError, match="list"):
        files.read_json(tmp_path / "a")


def test_a_whole_folder_appears_at_once(tmp_path: Path) -> None:
    target = tmp_path / "store" / "model"
    with files.whole_folder(target) as scratch:
        (scratch / "sub").mkdir()
        (scratch / "sub" / "x").write_text("1")
        assert not target.exists()
    assert (target / "sub" / "x").read_text() == "1"
    assert names(target.parent) == ["model"]
    assert target.stat().st_mode & 0o777 == 0o755


def test_a_crash_inside_a_whole_folder_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with pytest.raises(Crash), files.whole_folder(target) as scratch:
        failing((scratch / "x").write_text("half"))
    assert names(tmp_path) == []


def test_a_finished_folder_is_never_changed(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with files.whole_folder(target) as scratch:
        (scratch / "x").write_text("first")
    with pytest.raises(OSError, match="not empty"), files.whole_folder(target) as scratch:
        (scratch / "x").write_text("second")
    assert (target / "x").read_text() == "first"
    assert names(tmp_path) == ["model"]


def test_records_are_read_in_the_order_appended(tmp_path: Path) -> None:
    path = tmp_path / "log" / "a.jsonl"
    assert files.read_records(path) == []
    for n in range(3):
        files.append_record(path, {"n": n})
    assert [r["n"] for r in files.read_records(path)] == [0, 1, 2]


@pytest.mark.parametrize("torn", [b'{"n": 1', b'{"n"', b"[1, 2]\n", b"\xff\xfe"])
def test_a_torn_line_is_skipped_and_the_next_one_kept(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "a.jsonl"
    files.append_record(path, {"n": 0})
    with path.open("ab") as stream:
        stream.write(torn)
    assert [r["n"] for r in files.read_records(path)] == [0]
    files.append_record(path, {"n": 2})
    assert [r["n"] for r in files.read_records(path)] == [0, 2]
    assert json.loads(path.read_bytes().splitlines()[-1]) == {"n": 2}


def hold(path: Path, ready: Any, leave: Any) -> None:
    with files.one_at_a_time(path, "retrain"):
        ready.set()
        leave.wait(30)


def in_another_process(job: Callable[..., None], *args: object) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("spawn").Process(target=job, args=args)
    process.start()
    return process


def test_the_lock_refuses_a_second_and_dies_with_its_process(tmp_path: Path) -> None:
    lock = tmp_path / "store" / "retrain.lock"
    context = multiprocessing.get_context("spawn")
    ready, leave = context.Event(), context.Event()
    process = in_another_process(hold, lock, ready, leave)
    try:
        assert ready.wait(30)
        with pytest.raises(AskError) as refusal, files.one_at_a_time(lock, "retrain"):
            pass
        assert refusal.value.code == "job-already-running"
    finally:
        process.kill()
        process.join(30)
    with files.one_at_a_time(lock, "retrain"):
        pass


def test_the_lock_is_free_again_after_a_failed_job(tmp_path: Path) -> None:
    lock = tmp_path / "retrain.lock"
    with pytest.raises(Crash), files.one_at_a_time(lock, "retrain"):
        raise Crash
    with files.one_at_a_time(lock, "retrain"):
        pass
