from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from models.forecast import STANDARD_QUANTILES
from serving.answer import answer, quantile_rows
from serving.entries import entry_of, forecast_id_of, rendered
from serving.issued import issued
from serving.journal import keep
from serving.shelf import Standing
from serving.wire import read_ask
from tests.serving.synthetic import Fake, Kit

LATER = datetime(2024, 6, 1, tzinfo=UTC)
ISSUED_AT = "2023-06-01T00:00:00.000Z"


def ask(store: Path, standing: Standing, fresh: str = "a", **question: Any) -> None:
    wanted = read_ask(json.dumps(question).encode())
    marks = {"issued_at": ISSUED_AT, "request_id": "r", "forecast_id": forecast_id_of(ISSUED_AT, fresh)}
    keep(store, rendered(entry_of(wanted, answer(wanted, standing, **marks), standing)))


def test_a_cluster_counts_as_its_sectors_and_only_steps_that_were_asked(
    store: Path, standing: Standing
) -> None:
    ask(store, standing, clusters=["aa-north"], steps=1)
    told = issued(store, LATER).frame
    assert told["unique_id"].tolist() == ["aa-north/power", "aa-north/steel"]
    assert told["step"].tolist() == [1, 1]
    ask(store, standing, "b", series=["aa-north/steel"], steps=8)
    told = issued(store, LATER).frame
    assert told.groupby("unique_id")["step"].max().to_dict() == {"aa-north/power": 1, "aa-north/steel": 2}


def test_the_initiative_counts_as_every_sector(store: Path, standing: Standing) -> None:
    ask(store, standing, series=["initiative"], steps=2)
    assert set(issued(store, LATER).frame["unique_id"]) == {"aa-north/power", "aa-north/steel"}
    later = datetime(2025, 6, 1, tzinfo=UTC)
    assert "bb-south/power" in set(issued(store, later).frame["unique_id"])


def test_quantiles_are_those_that_were_served(store: Path, standing: Standing) -> None:
    ask(store, standing, series=["aa-north/steel"], steps=3)
    told = issued(store, LATER)
    expected = quantile_rows(standing.rungs["aa-north/steel"], 2, STANDARD_QUANTILES)
    assert np.array_equal(told.values, expected)


def test_each_model_counts_by_itself_and_a_request_repeated_counts_once(
    store: Path, standing: Standing
) -> None:
    for fresh in "abc":
        ask(store, standing, fresh, series=["aa-north/steel"], steps=1)
    Kit(version="next", champion=Fake(scale=2.0)).publish(store)
    assert len(issued(store, LATER).frame) == 1


def test_own_rows_old_lines_and_lost_packs_are_passed_over(store: Path, standing: Standing) -> None:
    marks = {"issued_at": ISSUED_AT, "key_id": "", "model_version": "m"}
    keep(store, rendered({**marks, "forecast_id": "1", "own_rows": 5}))
    keep(store, rendered({**marks, "forecast_id": "2", "said": "before packs were named"}))
    assert len(issued(store, LATER).frame) == 0
    ask(store, standing, series=["aa-north/steel"])
    shutil.rmtree(store / "packs")
    assert len(issued(store, LATER).frame) == 0


def test_what_naive_said_is_not_the_champions(tmp_path: Path) -> None:
    from serving.shelf import Shelf

    Kit(champion=Fake(broken=("aa-north/steel",))).publish(tmp_path)
    shelf = Shelf(tmp_path)
    shelf.refresh()
    ask(tmp_path, shelf.standing, clusters=["aa-north"])
    assert set(issued(tmp_path, LATER).frame["unique_id"]) == {"aa-north/power"}
