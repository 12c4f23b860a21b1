"""The record of retrains: what stands on equal ground, and what does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from training import ledger
from training.ledger import Entry, ground_of

FIRST = Entry(
    at="2026-01-01T00:00:00Z",
    who="test",
    plan="annual",
    ground="g1",
    action=ledger.JUDGED,
    verdict_id="v1",
    decision="keep",
    model_version="",
    data_hash="d",
    commit="c",
    whole=True,
)


def test_the_newest_whole_judgement_on_equal_ground_stands(tmp_path: Path) -> None:
    assert ledger.standing(tmp_path, "g1") is None
    second = replace(FIRST, at="2026-01-02T00:00:00Z")
    for entry in (FIRST, second, replace(FIRST, ground="g2"), replace(FIRST, ground="g3", whole=False)):
        ledger.append(tmp_path, entry)
    ledger.append(tmp_path, replace(FIRST, action=ledger.UNCHANGED, ground="g4"))
    assert ledger.standing(tmp_path, "g1") == second
    assert ledger.standing(tmp_path, "g3") is None
    assert ledger.standing(tmp_path, "g4") is None
    assert len(ledger.read(tmp_path)) == 5


def test_torn_and_strange_lines_are_passed_over(tmp_path: Path) -> None:
    ledger.append(tmp_path, FIRST)
    record = tmp_path / ledger.FILE
    record.write_bytes(record.read_bytes() + b'{"at": "2027"}\n{"at": ')
    ledger.append(tmp_path, FIRST)
    assert ledger.read(tmp_path) == [FIRST, FIRST]


def test_every_part_of_the_ground_counts_in_its_place() -> None:
    assert ground_of("a", "b") == ground_of("a", "b")
    assert len({ground_of("a", "b"), ground_of("b", "a"), ground_of("ab"), ground_of("a", "b", "")}) == 4
