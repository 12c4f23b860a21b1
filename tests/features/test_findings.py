from __future__ import annotations

import threading
from collections.abc import Set
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features import findings
from features.findings import FILE, Finding, append_new, finding_id, read_findings, sweep_findings
from features.removal import Sweep, thin

ONE = Finding(
    finding_id=finding_id("bias", "v1"), at="2026-11-28T09:00:00Z", plan="annual", kind="bias",
    model_version="v1", series_kind="sector", value=0.5, expected=0.0, p_value=0.001, threshold=0.01, n=80,
    years=(2022, 2023), serving=True, sentence="too high",
)  # fmt: skip
OTHER = replace(ONE, finding_id=finding_id("error", "v1"), kind="error")


def test_a_finding_is_recorded_once(tmp_path: Path) -> None:
    assert append_new(tmp_path, [ONE]) == [ONE]
    assert append_new(tmp_path, [replace(ONE, at="2026-12-28T09:00:00Z"), OTHER]) == [OTHER]
    kept = read_findings(tmp_path)
    assert [item["kind"] for item in kept] == ["bias", "error"]
    assert kept[0] == {**ONE.as_record()}


def test_two_that_find_the_same_at_once_record_it_once(tmp_path: Path) -> None:
    ready, found = threading.Barrier(4), [replace(ONE, finding_id=str(number)) for number in range(20)]
    taken: list[Finding] = []

    def look() -> None:
        ready.wait()
        for finding in found:
            taken.extend(append_new(tmp_path, [finding]))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_findings(tmp_path)) == len(taken) == 20


def test_a_torn_line_spoils_only_itself(tmp_path: Path) -> None:
    append_new(tmp_path, [ONE])
    with (tmp_path / FILE).open("a") as stream:
        stream.write('{"finding_id": "to')
    append_new(tmp_path, [OTHER])
    assert len(read_findings(tmp_path)) == 2


def test_names_tell_findings_apart() -> None:
    assert ONE.finding_id != OTHER.finding_id
    assert finding_id("a", "bc") != finding_id("ab", "c")


def swept(store: Path, watched: Set[str], *, dry: bool = False) -> Sweep:
    done = Sweep(dry)
    sweep_findings(store, watched, done, "2026-12-01T00:00:00Z")
    return done


NEW = replace(OTHER, finding_id=finding_id("new"), at="2026-12-01T00:00:00Z")


def test_old_findings_go_but_for_those_a_watch_would_tell_anew(tmp_path: Path) -> None:
    watched = replace(ONE, finding_id=finding_id("watched"), model_version="v2")
    append_new(tmp_path, [ONE, watched, OTHER, NEW])
    before = (tmp_path / FILE).read_bytes().splitlines()
    told = swept(tmp_path, {"v2"}, dry=True)
    assert (tmp_path / FILE).read_bytes().splitlines() == before
    done = swept(tmp_path, {"v2"})
    assert (tmp_path / FILE).read_bytes().splitlines() == [before[1], before[3]]
    assert (told.counts, told.sizes, told.told) == (done.counts, done.sizes, done.told)
    assert done.counts == {"findings on record": 2}
    assert ["2 findings" in done.told[0], "1 findings" in done.told[1]] == [True, True]
    assert append_new(tmp_path, [watched, ONE]) == [ONE]
    assert swept(tmp_path / "none", set()).told == []


def test_what_is_found_while_old_findings_go_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append_new(tmp_path, [ONE])
    watch = threading.Thread(target=append_new, args=(tmp_path, [NEW]))

    def thin_meanwhile(*args: Any) -> int:
        watch.start()
        watch.join(0.1)  # unless it waits, it is done by now
        return thin(*args)

    monkeypatch.setattr(findings, "thin", thin_meanwhile)
    swept(tmp_path, set())
    watch.join()
    assert [item["finding_id"] for item in read_findings(tmp_path)] == [NEW.finding_id]
