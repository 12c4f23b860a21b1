"""The figures of a retrain, kept: what reading the lake finds, and read once by a retrain that is killed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.series.lake import Lake
from tests.training.test_footing import NOW, PLAN, add
from training import footing, stood
from training.footing import Footing
from training.judging import Ground, folds_of, stand
from training.pieces import Cache
from training.retrain import retrain

MOMENT = NOW.tz_localize("UTC").to_pydatetime()


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    for number in range(6):
        add(tmp_path / "lake", last=1e6 * (number + 2), at="2024-06-01", name=f"s{number}")
    return tmp_path / "lake"


def read(lake: Path, now: pd.Timestamp = NOW) -> Ground:
    return stand(now.tz_localize("UTC").to_pydatetime(), PLAN.figures, lake)


def known(ground: Ground) -> Footing:
    return Footing.of(ground, folds_of(ground, PLAN, MOMENT))


def alike(one: Ground, other: Ground) -> None:
    assert one.data_hash == other.data_hash
    assert known(one).history == known(other).history
    assert one.hierarchy == other.hierarchy
    for name in ("totals", "quality", "places"):
        ours, theirs = getattr(one.basis, name), getattr(other.basis, name)
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    for name in ("traits", "breaks"):
        pd.testing.assert_frame_equal(getattr(one.figures, name), getattr(other.figures, name))
    pd.testing.assert_frame_equal(one.figures.vintages.frame, other.figures.vintages.frame)
    assert (one.basis.names, one.basis.origin) == (other.basis.names, other.basis.origin)
    assert one.figures.scope_of_source == other.figures.scope_of_source


@pytest.mark.parametrize("days", [0, 45])
def test_what_is_kept_is_what_reading_finds_on_any_later_day(lake: Path, tmp_path: Path, days: int) -> None:
    cache, key, true = Cache(tmp_path / "cache"), footing.key_of(PLAN, lake, (), NOW), read(lake)
    assert stood.read(cache, key, known(true), NOW) is None
    stood.keep(cache, key, true)
    now = NOW + pd.Timedelta(days=days)
    found = stood.read(cache, key, known(true), now)
    assert found is not None
    alike(found, read(lake, now))


def test_other_figures_a_spoiled_piece_or_no_footing_are_not_taken(lake: Path, tmp_path: Path) -> None:
    cache, key, true = Cache(tmp_path / "cache"), footing.key_of(PLAN, lake, (), NOW), read(lake)
    stood.keep(cache, key, true)
    assert stood.read(cache, key, None, NOW) is None
    assert stood.read(cache, key, replace(known(true), data_hash="other"), NOW) is None
    assert stood.read(cache, key, replace(known(true), history="other"), NOW) is None
    (piece,) = (tmp_path / "cache").iterdir()
    held = cache.read(piece.stem)
    assert held is not None
    for name in held:
        cache.write(piece.stem, {**held, name: np.zeros(9, dtype=np.uint8)})
        assert stood.read(cache, key, known(true), NOW) is None
    cache.write(piece.stem, {name: payload for name, payload in held.items() if name != "traits.parquet"})
    assert stood.read(cache, key, known(true), NOW) is None
    piece.write_bytes(piece.read_bytes()[:90])
    assert stood.read(cache, key, known(true), NOW) is None
    stood.keep(Cache(tmp_path / "none"), "", true)
    assert not (tmp_path / "none").exists()


@pytest.mark.usefixtures("short")
def test_a_killed_retrain_reads_the_lake_once(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    asked: dict[str, Any] = {"plan": PLAN, "lake": lake}

    def kill(stage: str, done: int, total: int) -> None:
        if stage == "backtest":
            raise KeyboardInterrupt

    whole = retrain(**asked, store=tmp_path / "whole", now=MOMENT)
    with pytest.raises(KeyboardInterrupt):
        retrain(**asked, store=tmp_path / "store", now=MOMENT, told=kill)
    with monkeypatch.context() as fenced:
        fenced.setattr("training.retrain.stand", lambda *told: pytest.fail("the lake was read"))
        again = retrain(**asked, store=tmp_path / "store", now=MOMENT + timedelta(days=1))
    assert not again.unchanged
    pd.testing.assert_frame_equal(again.scores, whole.scores, check_exact=True)
    assert again.verdict.decision == whole.verdict.decision
    add(Path(Lake(lake).root), last=8e6, at="2025-06-01", name="s0")
    monkeypatch.setattr("training.retrain.stand", lambda *told: pytest.fail("the lake was read"))
    with pytest.raises(pytest.fail.Exception, match="the lake was read"):
        retrain(**asked, store=tmp_path / "store", now=MOMENT)
