from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import AskError, ModelError
from features.files import one_at_a_time
from features.series.panel import Panel
from models import saved
from models.fitted import fit
from models.kinds import recipe_named
from models.replay import past_origins, replay
from training import handover, promotions
from training.handover import HandedOver, hand_over
from training.history_report import history_records, print_history
from training.promotions import Promotion

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
FIRST = Promotion(
    at="2026-01-01T00:00:00Z", who="retrain", from_version="", to_version="v1", verdict_id="verdict-v1",
    decision="promote", data_hash="d1", plan_fingerprint="p", recipe_fingerprint="r", run_id="run",
    registry_version="1", sentence="v1 errs less.",
)  # fmt: skip
LATER = [
    replace(
        FIRST, from_version=f"v{k - 1}", to_version=f"v{k}", verdict_id=f"verdict-v{k}", data_hash=f"d{k}"
    )
    for k in (2, 3)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small saved model."""
    rng = np.random.default_rng(3)
    years = pd.to_datetime([f"{year}-01-01" for year in range(2005, 2023)])
    frames = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": years, "y": 1e6 * np.exp(rng.normal(0, 0.05, 18).cumsum())})
        for i in range(3)
    ]
    history = Panel.of(pd.concat(frames)).dense
    recipe = recipe_named("naive", seasonal=False, reach=3)
    past = replay(history, past_origins(history, recipe), recipe, recipe.members)
    place = tmp_path_factory.mktemp("model") / "v"
    saved.write(fit(history, past, recipe), history, place, evidence={"verdict": {"verdict_id": "own"}})
    return place


@pytest.fixture
def store(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three champions one after another, and a fourth version that never served; no registry."""
    for name in ("v1", "v2", "v3", "v4"):
        shutil.copytree(folder, tmp_path / "models" / name)
    for line in (FIRST, *LATER):
        promotions.append(tmp_path, line)
    monkeypatch.setattr(handover, "_followed", lambda store, experiment: "agrees")
    return tmp_path


class Served:
    """Stands in for the pack and its pointer."""

    def __init__(self) -> None:
        self.built: list[str] = []
        self.version = "v3"

    def __call__(self, folder: Path) -> Callable[[], object]:
        self.built.append(folder.name)

        def publish() -> None:
            self.version = folder.name

        return publish


def hand(store: Path, served: Served, version: str = "", **more: str) -> HandedOver:
    decision = "promote" if version and "to" not in more else "roll-back"
    return hand_over(
        store=store, version=version or more.get("to", ""), decision=decision,  # type: ignore[arg-type]
        who="ada", now=NOW, serve=served, experiment="e", why=more.get("why", ""),
    )  # fmt: skip


def test_a_rollback_appends_a_line_and_serves_the_one_before(store: Path) -> None:
    served = Served()
    done = hand(store, served, why="bands too narrow")
    assert served.version == "v2"
    line = promotions.read(store)[-1]
    assert done == HandedOver(line, True, "agrees")
    assert (line.who, line.from_version, line.to_version) == ("ada", "v3", "v2")
    assert (line.at, line.decision) == ("2026-11-28T09:00:00Z", "roll-back")
    assert (line.verdict_id, line.data_hash) == ("verdict-v2", "d2")
    assert "bands too narrow" in line.sentence
    assert "v1 errs less" in line.sentence


def test_a_second_rollback_goes_further_back_and_a_third_finds_nothing(store: Path) -> None:
    served = Served()
    hand(store, served)
    hand(store, served)
    assert served.version == "v1"
    with pytest.raises(AskError, match="nothing-before"):
        hand(store, served)
    assert promotions.current(store) == promotions.read(store)[-1]
    hand(store, served, "v3")
    assert served.version == "v3"
    hand(store, served)
    assert served.version == "v1"


def test_a_named_version_may_be_one_that_never_served(store: Path) -> None:
    served = Served()
    done = hand(store, served, "v4")
    assert (done.line.decision, done.line.verdict_id, done.line.data_hash) == ("promote", "own", "")
    assert done.line.recipe_fingerprint
    assert served.version == "v4"


def test_the_present_champion_is_published_again_without_a_line(store: Path) -> None:
    """What a kill between record and pointer left behind is ended by the same command."""
    served = Served()
    served.version = "v2"
    done = hand(store, served, "v3")
    assert not done.changed
    assert served.version == "v3"
    assert len(promotions.read(store)) == 3


@pytest.mark.parametrize("version", ["v9", "../v1", "", "."])
def test_unknown_versions_are_refused(store: Path, version: str) -> None:
    served = Served()
    (store / promotions.FILE).unlink()
    with pytest.raises(AskError, match="unknown-version" if version else "nothing-before"):
        hand(store, served, version)
    assert (served.built, served.version) == ([], "v3")


def test_a_version_that_cannot_be_read_is_refused_and_nothing_changes(store: Path) -> None:
    (store / "models" / "v2" / "model.json").write_text("{}")
    served = Served()
    with pytest.raises(ModelError):
        hand(store, served)
    assert promotions.read(store) == [FIRST, *LATER]
    assert served.version == "v3"


def test_a_pack_that_cannot_be_built_changes_nothing(store: Path) -> None:
    def serve(folder: Path) -> Callable[[], object]:
        raise ModelError("no-pack", found="x", expected="y", remedy="z")

    with pytest.raises(ModelError, match="no-pack"):
        hand_over(
            store=store, version="", decision="roll-back", who="ada", now=NOW, serve=serve, experiment="e"
        )
    assert promotions.read(store) == [FIRST, *LATER]


def test_it_waits_for_no_retrain(store: Path) -> None:
    with one_at_a_time(store / "retrain.lock", "retrain"), pytest.raises(AskError, match="job-already"):
        hand(store, Served())


def test_the_history_tells_who_serves_and_what_is_saved(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand(store, Served())
    shutil.rmtree(store / "models" / "v1")
    records = history_records(store)
    assert [item["serving"] for item in records] == [False, False, False, True]
    assert [item["saved"] for item in records] == [False, True, True, True]
    print_history(store, as_json=True)
    assert json.loads(capsys.readouterr().out) == records
    print_history(store, as_json=False)
    printed = capsys.readouterr().out
    assert "roll-back" in printed
    assert "ada" in printed


def test_a_history_of_nothing_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_history(tmp_path, as_json=False)
    assert "forecarbon retrain" in capsys.readouterr().out
