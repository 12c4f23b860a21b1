from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from features.errors import AskError, ModelError
from serving.answer import answer
from serving.desk import own_answer
from serving.entries import digest_of, entry_of, rendered
from serving.journal import keep
from serving.own_history import own_forecasts
from serving.reproduce import reproduce
from serving.shelf import Shelf, Standing
from serving.spool import FOLDER
from serving.state import state_of
from serving.wire import read_ask
from tests.serving.synthetic import Fake, Kit
from tests.serving.test_own_history import fake_engine

NAME = "20261128-a1"
MARKS = {"issued_at": "2026-11-28T09:30:00.000Z", "request_id": "r", "forecast_id": NAME}
ROWS = [{"unique_id": "mine", "ds": str(year), "y": 100 + year % 5} for year in range(2010, 2022)]


def alter(store: Path, old: str, new: str) -> None:
    state = state_of(store)
    with state.writing() as line:
        line.exec_driver_sql("UPDATE journal SET entry = replace(entry, ?, ?)", (old, new))
    state.close()


def issue(store: Path, standing: Standing, question: dict[str, Any]) -> dict[str, Any]:
    ask = read_ask(json.dumps(question).encode())
    told = answer(ask, standing, **MARKS)
    keep(store, rendered(entry_of(ask, told, standing)))
    return told


def test_a_forecast_comes_out_again_bit_for_bit_after_another_champion(
    store: Path, standing: Standing
) -> None:
    told = issue(store, standing, {"clusters": ["aa-north", "zz"], "steps": 5, "quantiles": [0.123, 0.9]})
    Kit(version="next", champion=Fake(scale=3.0)).publish(store)
    again = reproduce(store, NAME, engine=fake_engine)
    assert again.identical
    assert again.source == "kept pack"
    assert again.answer == told
    assert json.loads(json.dumps(again.as_record()))["answer"]["model_version"] == told["model_version"]


def test_what_the_ladder_said_comes_out_again(tmp_path: Path) -> None:
    """The previous champion speaks for a series that the present one cannot forecast."""
    Kit(version="old").publish(tmp_path)
    pack = Kit(version="new").publish(tmp_path)
    shelf = Shelf(tmp_path)
    shelf.refresh()
    whole = shelf.standing
    older = whole.older
    assert older is None, "nothing needs the previous champion yet"
    (pack / "pack.json").unlink()
    fallen = Shelf(tmp_path)
    fallen.refresh()
    told = issue(tmp_path, fallen.standing, {"clusters": ["aa-north"]})
    assert "the previous champion answers" in told["degraded"]
    assert reproduce(tmp_path, NAME, engine=fake_engine).identical


def test_an_altered_record_differs(store: Path, standing: Standing) -> None:
    issue(store, standing, {"clusters": ["aa-north"], "steps": 5})
    alter(store, '"steps": 5', '"steps": 6')
    again = reproduce(store, NAME, engine=fake_engine)
    assert not again.identical
    assert again.as_record()["digest_now"] != again.as_record()["digest_issued"]


def test_an_entry_of_an_earlier_release_is_made_again(store: Path, standing: Standing) -> None:
    """Its digest left out one field only, and it lies in a file a day."""
    ask = read_ask(b'{"clusters": ["aa-north"]}')
    told = answer(ask, standing, **MARKS)
    entry = {**entry_of(ask, told, standing), "digest": digest_of(told, ("journal",))}
    del entry["digest_without"], entry["key_id"]
    (store / FOLDER).mkdir()
    (store / FOLDER / "2026-11-28.jsonl").write_text(json.dumps(entry) + "\n")
    assert reproduce(store, NAME, engine=fake_engine).identical


def test_without_pack_and_model_it_is_refused(store: Path, standing: Standing) -> None:
    issue(store, standing, {"clusters": ["aa-north"]})
    shutil.rmtree(store / "packs")
    with pytest.raises(ModelError, match="model-missing"):
        reproduce(store, NAME, engine=fake_engine)


def issue_own(store: Path, standing: Standing) -> None:
    ask = read_ask(json.dumps({"history": ROWS, "steps": 2}).encode())
    told = own_answer(own_forecasts(ask, fake_engine), standing, **MARKS)
    keep(store, rendered(entry_of(ask, told, standing)))


def test_own_rows_are_asked_for_and_checked(store: Path, standing: Standing, tmp_path: Path) -> None:
    issue_own(store, standing)
    sent = tmp_path / "sent.json"
    for body in (ROWS, {"history": ROWS, "steps": 2}):
        sent.write_text(json.dumps(body))
        assert reproduce(store, NAME, engine=fake_engine, history=sent).identical
    with pytest.raises(AskError, match="history-needed"):
        reproduce(store, NAME, engine=fake_engine)
    sent.write_text(json.dumps([*ROWS[:-1], {**ROWS[-1], "y": 7}]))
    with pytest.raises(AskError, match="other-history"):
        reproduce(store, NAME, engine=fake_engine, history=sent)
    sent.write_text("unique_id,ds,y")
    with pytest.raises(AskError, match="malformed-json"):
        reproduce(store, NAME, engine=fake_engine, history=sent)


def test_rows_beside_a_registry_forecast_are_refused(store: Path, standing: Standing, tmp_path: Path) -> None:
    issue(store, standing, {"clusters": ["aa-north"]})
    with pytest.raises(AskError, match="history-not-asked"):
        reproduce(store, NAME, engine=fake_engine, history=tmp_path / "any.json")
