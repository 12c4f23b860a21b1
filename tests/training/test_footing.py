"""The footing of a retrain on the lake: what reading it would find, and found by its content alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.series.lake import Lake
from features.sources.records import FACILITY, Batch
from tests.features.places import facility, records, run
from tests.training.small import small_plan
from training import footing, ledger
from training.footing import Footing
from training.judging import folds_of, stand
from training.pieces import Cache
from training.plan import Plan
from training.retrain import retrain

NOW = pd.Timestamp("2026-01-01")
PLAN = small_plan(figures={"from": "lake", "sources": ["eutl"]})


def add(root: Path, *, last: float, at: str, name: str = "a") -> None:
    values = [*(10e6 + k * 1e5 for k in range(9)), last]
    rows = records([*run(f"eutl:{name}", 2010, values)]).drop(columns=["source", "known_at"])
    sites = pd.DataFrame([facility(f"eutl:{name}")]).loc[:, list(FACILITY)]
    batch = Batch.of(source="eutl", records=rows, facilities=sites, reader="eutl/1")
    content = f"{int(last):x}".zfill(64)
    Lake(root).add(batch, known_at=pd.Timestamp(at), content_hash=content)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    add(tmp_path / "lake", last=7e6, at="2024-05-01")
    return tmp_path / "lake"


def read(lake: Path, now: pd.Timestamp = NOW, plan: Plan = PLAN) -> Footing:
    moment = now.tz_localize("UTC").to_pydatetime()
    ground = stand(moment, plan.figures, lake)
    return Footing.of(ground, folds_of(ground, plan, moment))


def told(one: Footing) -> list[object]:
    return [
        one.data_hash, one.history, one.rows, one.series, one.folds.issued, one.folds.lengths.tolist(),
        one.folds.scored.tolist(), one.newest,
    ]  # fmt: skip


def test_what_is_kept_is_what_reading_finds(lake: Path, tmp_path: Path) -> None:
    cache, true = Cache(tmp_path / "cache"), read(lake)
    key = footing.key_of(PLAN, lake, (), NOW)
    assert footing.read(cache, key, PLAN, NOW) is None
    footing.keep(cache, key, true, NOW)
    for now in (NOW, NOW + pd.Timedelta(days=30)):
        found = footing.read(cache, footing.key_of(PLAN, lake, (), now), PLAN, now)
        assert found is not None
        assert told(found) == told(read(lake, now)) == told(true)
        assert found.digest(tmp_path, PLAN) == true.digest(tmp_path, PLAN)


@pytest.mark.usefixtures("short")
def test_on_ground_judged_before_the_lake_is_not_read_again(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        add(lake, last=1e6 * (number + 2), at="2024-06-01", name=f"s{number}")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store, moment = tmp_path / "store", NOW.tz_localize("UTC").to_pydatetime()
    first = retrain(plan=PLAN, store=store, lake=lake, now=moment)
    assert not first.unchanged
    monkeypatch.setattr("training.retrain.stand", lambda *asked: pytest.fail("the lake was read"))
    again = retrain(plan=PLAN, store=store, lake=lake, now=moment + timedelta(days=1))
    assert again.unchanged
    assert (again.rows_read, again.series) == (first.rows_read, first.series)
    assert again.folds.issued == first.folds.issued
    assert [entry.action for entry in ledger.read(store)] == [ledger.JUDGED, ledger.UNCHANGED]
    for piece in (store / "cache").glob("*.npz"):
        piece.write_bytes(b"")
    with pytest.raises(pytest.fail.Exception, match="the lake was read"):
        retrain(plan=PLAN, store=store, lake=lake, now=moment)


def _others(lake: Path) -> Iterator[str]:
    yield footing.key_of(PLAN, lake, (), pd.Timestamp("2018-01-01"))
    yield footing.key_of(small_plan(figures={"from": "lake", "sources": ["uk-ets"]}), lake, (), NOW)
    yield footing.key_of(replace_fewest(9), lake, (), NOW)
    add(lake, last=7e6, at="2025-05-01")  # the same bytes, shown once more
    yield footing.key_of(PLAN, lake, (), NOW)
    add(lake, last=8e6, at="2025-06-01")
    yield footing.key_of(PLAN, lake, (), NOW)
    records_file = next(lake.rglob("records.parquet"))
    records_file.write_bytes(records_file.read_bytes() + b" ")
    yield footing.key_of(PLAN, lake, (), NOW)


def replace_fewest(years: int) -> Plan:
    return small_plan(figures={"from": "lake", "sources": ["eutl"], "fewest_years": years})


def test_it_is_found_by_the_bytes_of_the_lake_and_by_when_they_were_shown(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = footing.key_of(PLAN, lake, (), NOW)
    assert footing.key_of(PLAN, lake, (), NOW) == first
    keys = [first, *_others(lake)]
    monkeypatch.setattr(footing, "made_with", lambda *floors: "other code")
    keys.append(footing.key_of(PLAN, lake, (), NOW))
    monkeypatch.setattr(footing, "_reference", lambda: [["publication.csv", "other"]])
    keys.append(footing.key_of(PLAN, lake, (), NOW))
    assert len(set(keys)) == len(keys)


def test_a_lake_in_another_place_is_the_same_ground(lake: Path) -> None:
    first = footing.key_of(PLAN, lake, (), NOW)
    assert footing.key_of(PLAN, lake.rename(lake.parent / "moved"), (), NOW) == first


def test_nothing_is_kept_for_embedded_figures_or_figures_known_later(lake: Path, tmp_path: Path) -> None:
    assert footing.key_of(small_plan(), lake, (), NOW) == ""
    cache, true = Cache(tmp_path / "cache"), read(lake)
    footing.keep(cache, "", true, NOW)
    footing.keep(cache, "a" * 64, replace(true, newest=NOW.as_unit("ns").value + 1), NOW)
    assert footing.read(cache, "", PLAN, NOW) is None
    assert not (tmp_path / "cache").exists()


def test_a_damaged_piece_is_none(lake: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    footing.keep(cache, "a" * 64, read(lake), NOW)
    path = tmp_path / f"{'a' * 64}.npz"
    path.write_bytes(path.read_bytes()[:90])
    assert footing.read(cache, "a" * 64, PLAN, NOW) is None
    cache.write("a" * 64, {"lengths": np.zeros(3)})
    assert footing.read(cache, "a" * 64, PLAN, NOW) is None
