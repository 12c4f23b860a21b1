"""The record of retrains: what stands on equal ground, and what does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from features.removal import Sweep
from training import ledger
from training.ledger import Entry, ground_of
from training.retention import sweep_retrains

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


def test_thinning_leaves_what_is_still_gone_by(tmp_path: Path) -> None:
    let_in = replace(FIRST, decision="promote", model_version="kept")
    lines = [
        replace(FIRST, verdict_id="gone"),
        let_in,
        replace(let_in, model_version="not kept"),
        replace(FIRST, ground="rested on", verdict_id="older"),
        replace(FIRST, ground="rested on"),
        replace(FIRST, ground="newest"),
        replace(FIRST, ground="not whole", whole=False),
        replace(FIRST, plan="other", ground="other"),
        replace(FIRST, action=ledger.UNCHANGED, ground="rested on"),
        replace(FIRST, at="2026-02-01T00:00:00Z", plan="third", action=ledger.UNCHANGED, ground="rested on"),
        replace(FIRST, at="2026-02-01T00:00:00Z", plan="third", ground="late", whole=False),
    ]
    for line in lines:
        ledger.append(tmp_path, line)
    before = {ground: ledger.standing(tmp_path, ground) for ground in ("rested on", "newest", "other")}
    done = Sweep()
    sweep_retrains(tmp_path, {"kept"}, done, "2026-02-01T00:00:00Z")
    assert ledger.read(tmp_path) == [lines[at] for at in (1, 4, 5, 7, 9, 10)]
    assert {ground: ledger.standing(tmp_path, ground) for ground in before} == before
    assert done.counts == {"retrains on record": 5}
    assert done.told[0].startswith("5 retrains before 2026-02-01 are no longer on record")


def test_thinning_leaves_lines_it_does_not_understand(tmp_path: Path) -> None:
    (tmp_path / ledger.FILE).write_bytes(b'{"at": "2020"}\ntorn')
    sweep_retrains(tmp_path, set(), Sweep(), "2026-02-01T00:00:00Z")
    assert (tmp_path / ledger.FILE).read_bytes() == b'{"at": "2020"}\ntorn'
