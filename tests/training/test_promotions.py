from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import DataError, LawBroken
from training import promotions
from training.promotions import Promotion

FIRST = Promotion(
    at="2026-01-01T00:00:00Z",
    who="retrain",
    from_version="",
    to_version="a",
    verdict_id="v1",
    decision="promote",
    data_hash="d",
    plan_fingerprint="p",
    recipe_fingerprint="r",
    run_id="run",
    registry_version="1",
    sentence="The first model.",
)
SECOND = replace(FIRST, from_version="a", to_version="b", verdict_id="v2", sentence="It errs less.")


def test_nothing_is_current_before_the_first(tmp_path: Path) -> None:
    assert promotions.current(tmp_path) is None
    assert promotions.read(tmp_path) == []


def test_the_newest_promotion_is_current_and_names_the_one_before(tmp_path: Path) -> None:
    assert promotions.append(tmp_path, FIRST)
    assert promotions.append(tmp_path, SECOND)
    assert promotions.current(tmp_path) == SECOND
    assert promotions.read(tmp_path) == [FIRST, SECOND]


def test_the_same_decision_is_recorded_once(tmp_path: Path) -> None:
    promotions.append(tmp_path, FIRST)
    assert not promotions.append(tmp_path, FIRST)
    assert len(promotions.read(tmp_path)) == 1


def test_a_decision_to_keep_leaves_the_champion(tmp_path: Path) -> None:
    promotions.append(tmp_path, FIRST)
    promotions.append(tmp_path, replace(SECOND, decision="keep", to_version="a"))
    assert promotions.current(tmp_path) == FIRST


def test_a_roll_back_makes_the_old_version_current_again(tmp_path: Path) -> None:
    back = replace(FIRST, from_version="b", to_version="a", verdict_id="v3", decision="roll-back")
    for line in (FIRST, SECOND, back):
        promotions.append(tmp_path, line)
    assert promotions.current(tmp_path) == back


def test_a_promotion_must_follow_the_champion_on_record(tmp_path: Path) -> None:
    promotions.append(tmp_path, FIRST)
    with pytest.raises(LawBroken, match="promotion-out-of-order"):
        promotions.append(tmp_path, replace(SECOND, from_version="z"))
    assert promotions.current(tmp_path) == FIRST


def test_a_torn_line_is_passed_over_and_closed_off(tmp_path: Path) -> None:
    promotions.append(tmp_path, FIRST)
    record = tmp_path / promotions.FILE
    record.write_bytes(record.read_bytes() + b'{"at": "2026-02')
    assert promotions.current(tmp_path) == FIRST
    promotions.append(tmp_path, SECOND)
    assert promotions.read(tmp_path) == [FIRST, SECOND]


def test_a_whole_line_without_its_fields_is_refused(tmp_path: Path) -> None:
    (tmp_path / promotions.FILE).write_text('{"at": "2026"}\n')
    with pytest.raises(DataError, match="promotion-record-unreadable"):
        promotions.read(tmp_path)
