"""Engines: the same on each of them, in order, with nothing lost when a worker is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import AskError, DataError, ModelError
from features.series.lake import Lake
from features.spread import Here, Item, Made, Shared, Spread
from models.recipe import Recipe
from serving.bulk import forecast_parts
from tests.conftest import free_port
from tests.features.lakes import basis, same, several
from tests.training.chores import deadly, deadly_once, doubled, refused
from tests.training.panels import random_walks
from tests.training.small import NOW, small_plan
from training import fanout
from training.fanout import Asked, asked, opened
from training.judging import folds_of, heard, stand
from training.pieces import Cache
from training.plan import EnginePlan
from training.resume import resumed
from training.retrain import retrain
from training.scores import scores_frame

WORKERS = 2


@pytest.fixture(scope="module")
def cluster() -> Iterator[fanout.OverDask]:
    """Two workers of a Dask cluster on this machine."""
    with opened(Asked("dask", workers=WORKERS)) as engine:
        assert isinstance(engine, fanout.OverDask)
        yield engine


@pytest.fixture(scope="module")
def pool() -> Iterator[Spread]:
    """Two processes of joblib's."""
    with opened(Asked("local", workers=WORKERS)) as engine:
        assert isinstance(engine, fanout.Processes)
        yield engine


@pytest.fixture(params=["here", "pool", "cluster"])
def engine(request: pytest.FixtureRequest) -> Spread:
    """Each engine in turn."""
    if request.param == "here":
        return Here()
    found: Spread = request.getfixturevalue(request.param)
    return found


def test_results_come_in_order_and_none_is_lost(engine: Spread) -> None:
    assert list(engine.over(doubled, 100, range(20))) == [100 + 2 * item for item in range(20)]
    assert list(engine.over(doubled, 100, ())) == []


def test_items_are_taken_only_a_few_ahead(engine: Spread) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1000):
            taken.append(item)
            yield item

    done = engine.over(doubled, 0, items())
    assert [next(done) for _ in range(3)] == [0, 2, 4]
    assert len(taken) <= 3 + 2 * fanout.AHEAD * WORKERS
    done.close()  # type: ignore[attr-defined]


def test_a_refusal_arrives_as_it_was_made(engine: Spread) -> None:
    with pytest.raises(DataError) as caught:
        list(engine.over(refused, "a figure", range(4)))
    fault = caught.value
    assert (fault.code, fault.expected, fault.offenders, fault.more, fault.facts) == (
        "no-figures", "a figure", ("a", "b", "c"), 1, {"rows": 4},
    )  # fmt: skip
    assert str(fault) == fault.message


@pytest.mark.parametrize("name", ["pool", "cluster"])
def test_a_killed_worker_costs_its_blocks_only(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    engine: Spread = request.getfixturevalue(name)
    mark = tmp_path / "killed"
    done = list(engine.over(deadly_once, (str(mark), 5), range(12)))
    assert done == [item * item for item in range(12)]
    assert int(mark.read_text()) != os.getpid()


def test_a_block_that_kills_every_worker_is_named(pool: Spread) -> None:
    with pytest.raises(ModelError, match="block-kills-workers"):
        list(pool.over(deadly, 0, range(3)))


def test_members_and_folds_are_the_same_on_every_engine(engine: Spread, tmp_path: Path) -> None:
    history = random_walks(40, seed=3)
    origins = np.stack([np.full(40, n) for n in (10, 14)])
    recipe = Recipe("blend", ("naive", "trend", "arima", "boosted"), reach=3)
    plain = resumed(history, origins, recipe, Cache())
    cache = Cache(tmp_path / "cache")
    spread = resumed(history, origins, recipe, cache, spread=engine)
    assert np.array_equal(plain.past.point, spread.past.point, equal_nan=True)
    assert spread.conduct.refused == ()
    assert len(list((tmp_path / "cache").iterdir())) == 8
    # Whatever made the pieces, they are kept: nothing is left to do.
    again = resumed(history, origins, recipe, cache, spread=Nobody())
    assert np.array_equal(plain.past.point, again.past.point, equal_nan=True)
    assert again.conduct == spread.conduct


def test_a_backtest_is_the_same_on_dask(cluster: fanout.OverDask) -> None:
    plan = small_plan()
    ground = stand(NOW)
    folds = folds_of(ground, plan, NOW)
    here = heard(ground, plan, None, folds, lambda stage, done, total: None)
    there = heard(ground, plan, None, folds, lambda stage, done, total: None, spread=cluster)
    assert list(here.tests) == list(there.tests) == ["naive", "drift", "blend"]
    for name, test in here.tests.items():
        assert np.array_equal(test.values, there.tests[name].values, equal_nan=True)
    pd.testing.assert_frame_equal(scores_frame(here.tests), scores_frame(there.tests))


def test_a_lake_is_the_same_on_every_engine_and_workers_write_nothing(engine: Spread, tmp_path: Path) -> None:
    lake = several(Lake(tmp_path / "lake"))
    before = {name: lake.ground.read(name) for name in lake.ground.names()}
    whole = basis(lake, 1 << 30)
    for rows in (200, 40):
        same(whole, basis(lake, rows, spread=engine))
    assert {name: lake.ground.read(name) for name in lake.ground.names()} == before


class Nobody:
    """An engine that has nothing to do."""

    def over(
        self, work: Callable[[Shared, Item], Made], shared: Shared, items: Iterable[Item]
    ) -> Iterator[Made]:
        assert list(items) == []
        return iter(())


def test_blocks_of_a_panel_are_the_same_on_every_engine(engine: Spread, panel: Path, tmp_path: Path) -> None:
    plain, told = tmp_path / "plain.parquet", tmp_path / "told.parquet"
    forecast_parts(panel, steps=3, out=plain, spread=Here(), learnt_from=60, block=16)
    forecast_parts(panel, steps=3, out=told, spread=engine, learnt_from=60, block=16)
    assert told.read_bytes() == plain.read_bytes()
    frame = pd.read_parquet(told)
    assert frame["unique_id"].drop_duplicates().tolist() == [f"s{i:03d}" for i in range(90)]
    assert len(frame) == 270


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 annual series in a Parquet file of small row groups."""
    draw = np.random.default_rng(5)
    y = 1000 * np.exp(np.cumsum(draw.normal(0, 0.1, (90, 12)), axis=1))
    frame = pd.DataFrame({
        "unique_id": np.repeat([f"s{i:03d}" for i in range(90)], 12),
        "ds": np.tile(np.arange(2011, 2023), 90),
        "y": y.ravel(),
    })  # fmt: skip
    path = tmp_path_factory.mktemp("panel") / "panel.parquet"
    frame.to_parquet(path, index=False, row_group_size=100)
    return path


def test_a_scheduler_that_does_not_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "CONNECT_SECONDS", 0.5)
    address = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(AskError) as caught, opened(Asked("dask", address)):
        pass
    assert caught.value.code == "scheduler-unreachable"
    assert address in caught.value.found
    assert "dask scheduler" in caught.value.remedy


def test_a_scheduler_that_answers_is_used(cluster: fanout.OverDask) -> None:
    with opened(Asked("dask", cluster.client.scheduler.address)) as engine:
        assert list(engine.over(doubled, 1, range(3))) == [1, 3, 5]


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (("ray", "", 0), "unknown-engine"),
        (("local", "tcp://127.0.0.1:1", 0), "scheduler-without-dask"),
        (("dask", "tcp://127.0.0.1:1", 2), "workers-unfit"),
        (("dask", "", -1), "workers-unfit"),
    ],
)
def test_engines_that_cannot_be(told: tuple[str, str, int], code: str) -> None:
    with pytest.raises(AskError, match=code):
        Asked(*told)


def test_the_command_line_goes_before_the_plan() -> None:
    planned = EnginePlan(name="dask", scheduler="tcp://a:1").asked()
    assert asked(None, None, None, planned) == planned
    assert asked("local", None, None, planned) == Asked()
    assert asked(None, None, 3, planned) == Asked("dask", workers=3)
    assert asked(None, "tcp://b:2", None, Asked()) == Asked("dask", "tcp://b:2")
    assert asked("dask", None, 2, Asked()) == Asked("dask", workers=2)


def test_an_engine_changes_no_fingerprint() -> None:
    other = small_plan(engine={"name": "dask", "workers": 2})
    assert other.engine.asked() == Asked("dask", workers=2)
    assert other.fingerprint() == small_plan().fingerprint()


def test_a_retrain_uses_the_engine_of_its_plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fanout, "CONNECT_SECONDS", 0.5)
    # The tracker is asked before; it takes its time and has no part in this.
    monkeypatch.setattr("training.retrain._opened", lambda job, store: None)
    plan = small_plan(engine={"name": "dask", "scheduler": f"tcp://127.0.0.1:{free_port()}"})
    with pytest.raises(AskError, match="scheduler-unreachable"):
        retrain(plan=plan, store=tmp_path, now=NOW)
