"""Tables and verdicts of backtests: the same from pieces as made anew, whatever happened to the pieces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.training.small import NOW, small_plan
from training import kept as kept_module
from training.gate import Verdict
from training.judging import Ground, Heard, decide, folds_of, heard, stand
from training.kept import Kept
from training.pieces import Cache
from training.plan import Plan
from training.prints import Prints
from training.reliability import reliability_report
from training.scores import scores_frame, series_table

Case = tuple[Plan, Ground, Heard]


@pytest.fixture(scope="module")
def case() -> Case:
    plan = small_plan()
    ground = stand(NOW, plan.figures)
    return plan, ground, heard(ground, plan, None, folds_of(ground, plan, NOW), lambda *told: None)


def tables(case: Heard, kept: Kept) -> list[pd.DataFrame]:
    name, test = next(iter(case.tests.items()))
    return [
        kept.scores(case.tests),
        kept.series_table(name, test),
        kept.reliability_report(name, test, case.folds),
    ]


def plain(case: Heard) -> list[pd.DataFrame]:
    _, test = next(iter(case.tests.items()))
    return [scores_frame(case.tests), series_table(test), reliability_report(test, case.folds)]


def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("scores_of", "series_table", "reliability_report"):
        monkeypatch.setattr(kept_module, name, lambda *told: pytest.fail("made again"))


def test_kept_tables_are_the_made_ones_bit_for_bit(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, told = case
    kept = Kept(Cache(tmp_path), told.kept.prints)
    for _ in range(2):
        for found, true in zip(tables(told, kept), plain(told), strict=True):
            pd.testing.assert_frame_equal(found, true, check_exact=True)
        truth = plain(told)
    broken(monkeypatch)
    for found, true in zip(tables(told, kept), truth, strict=True):
        pd.testing.assert_frame_equal(found, true, check_exact=True)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:80]),
        lambda path: np.savez(path, parquet=np.frombuffer(b"PAR1 nothing", dtype=np.uint8)),
        lambda path: np.savez(path, json=np.frombuffer(b'{"rules": []}', dtype=np.uint8)),
    ],
)
def test_damaged_pieces_are_made_again(case: Case, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    plan, ground, told = case
    told = replace(told, kept=Kept(Cache(tmp_path), told.kept.prints))
    true = decide(plan, told, ground, tmp_path)
    tables(told, told.kept)
    for path in tmp_path.glob("*.npz"):
        harm(path)
    assert decide(plan, told, ground, tmp_path) == true
    for found, made in zip(tables(told, told.kept), plain(told), strict=True):
        pd.testing.assert_frame_equal(found, made, check_exact=True)


def test_a_full_disk_or_no_digest_is_no_failure(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, payload: bytes) -> None:
        raise OSError(28, "No space left on device")

    _, _, told = case
    monkeypatch.setattr("training.pieces.write_bytes", full)
    for kept in (Kept(Cache(tmp_path), told.kept.prints), Kept(Cache(tmp_path)), Kept()):
        for found, true in zip(tables(told, kept), plain(told), strict=True):
            pd.testing.assert_frame_equal(found, true, check_exact=True)
    assert not list(tmp_path.iterdir())


def test_a_kept_verdict_is_the_made_one_and_is_found_by_all_it_depends_on(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, ground, told = case
    true = decide(plan, told, ground, tmp_path)
    made: list[str] = []

    def counted(*asked: Any, **more: Any) -> Verdict:
        made.append(asked[2])
        return true

    monkeypatch.setattr("training.judging.judge_challenger", counted)
    told = replace(told, kept=Kept(Cache(tmp_path), told.kept.prints))
    for _ in range(2):
        found = decide(plan, told, ground, tmp_path)
        assert found == true
        assert isinstance(found, Verdict)
    assert made == ["naive"]
    slower = replace(told, conduct=replace(told.conduct, seconds=9.0))
    decide(plan, slower, ground, tmp_path)
    decide(plan, told, replace(ground, data_hash="other"), tmp_path)
    stricter = plan.model_copy(update={"gate": plan.gate.model_copy(update={"tolerance": 0.5})})
    decide(stricter, told, ground, tmp_path)
    other = {**told.kept.prints, "naive": "another backtest"}
    decide(plan, replace(told, kept=replace(told.kept, prints=other)), ground, tmp_path)
    assert len(made) == 5


def test_prints_tell_apart_whatever_a_backtest_reads(case: Case) -> None:
    _, ground, told = case
    prints = Prints(ground.history, told.past, told.folds, ground.hierarchy)
    recipe, history, past, folds = told.challenger, ground.history, told.past, told.folds
    first = past.members[0]
    assert prints.of(recipe) == told.kept.prints[recipe.name]
    y = history.y.copy()
    y[0, 0] += 1
    others = [
        prints.of(replace(recipe, anchor=0.9)),
        prints.of(recipe.alone(first)),
        replace(prints, history=replace(history, y=y)).of(recipe),
        replace(prints, history=replace(history, traits=history.traits.assign(kind="x"))).of(recipe),
        replace(prints, past=replace(past, point=past.point + 1)).of(recipe),
        replace(prints, past=replace(past, scale=past.scale + 1)).of(recipe),
        replace(prints, folds=replace(folds, scored=~folds.scored)).of(recipe),
    ]
    assert len({prints.of(recipe), *others}) == 1 + len(others)
