from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import ModelError
from features.series.panel import Dense, Panel
from models import saved
from models.fitted import fit
from models.kinds import recipe_named
from models.replay import past_origins, replay
from training import promotions, registry
from training.facts import RunFacts
from training.promotions import Promotion
from training.tracking import Tracker, client_of, log_run, open_tracker, quiet_mlflow

EXAMPLE = pd.DataFrame({"unique_id": ["s1"], "steps": [3]})


@pytest.fixture(scope="module")
def history() -> Dense:
    rng = np.random.default_rng(3)
    years = pd.to_datetime([f"{year}-01-01" for year in range(2005, 2023)])
    frames = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": years, "y": 1e6 * np.exp(rng.normal(0, 0.05, 18).cumsum())})
        for i in range(6)
    ]
    return Panel.of(pd.concat(frames)).dense


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory, history: Dense) -> Tracker:
    """A store with two saved, logged and registered versions, none promoted yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        opened = open_tracker(store=tmp_path_factory.mktemp("store"), experiment="forecarbon")
    recipe = recipe_named("naive", seasonal=False, reach=3)
    past = replay(history, past_origins(history, recipe), recipe, recipe.members)
    model = fit(history, past, recipe)
    for version in ("v1", "v2"):
        saved.write(model, history, registry.model_folder(opened.store, version))
    return opened


def logged(tracker: Tracker, version: str) -> str:
    run_id = log_run(tracker, RunFacts(name=version, forecaster="naive"))
    folder = registry.model_folder(tracker.store, version)
    uri = registry.log_model(tracker, run_id, folder, example=EXAMPLE)
    number = registry.register(
        tracker, model_uri=uri, run_id=run_id, model_version=version, sentence=f"{version} errs less."
    )
    again = registry.register(
        tracker, model_uri=uri, run_id=run_id, model_version=version, sentence=f"{version} errs less."
    )
    assert again == number
    return number


def promotion(before: str, after: str, number: str) -> Promotion:
    return Promotion(
        at="2026-01-01T00:00:00Z",
        who="test",
        from_version=before,
        to_version=after,
        verdict_id=f"verdict-{after}",
        decision="promote",
        data_hash="d",
        plan_fingerprint="p",
        recipe_fingerprint="r",
        run_id="run",
        registry_version=number,
        sentence=f"{after} errs less.",
    )


def carrier(tracker: Tracker) -> str:
    return str(client_of(tracker).get_model_version_by_alias("forecarbon", "champion").version)


def test_the_life_of_a_champion(
    tracker: Tracker, history: Dense, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One story, for every step stands on the one before."""
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = tracker.store

    # Nothing promoted: no champion, and a promotion of what is not there changes nothing.
    assert registry.champion_folder(store) is None
    assert registry.settle(tracker).action == "nothing-promoted"
    with pytest.raises(ModelError, match="promotion-without-model"):
        registry.promote(tracker, promotion("", "v1", "1"))
    assert promotions.read(store) == []

    # The first promotion hands over the alias; run again it changes nothing.
    first = promotion("", "v1", logged(tracker, "v1"))
    registry.promote(tracker, first)
    registry.promote(tracker, first)
    assert len(promotions.read(store)) == 1
    assert carrier(tracker) == first.registry_version
    assert registry.champion_folder(store) == store / "models" / "v1"
    assert registry.settle(tracker).action == "agrees"
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert capfd.readouterr() == ("", "")

    # Killed between record and alias: the record decides.
    second = promotion("v1", "v2", logged(tracker, "v2"))
    promotions.append(store, second)
    assert carrier(tracker) == first.registry_version
    assert registry.settle(tracker) == registry.Settled("alias-set", second.registry_version)
    assert carrier(tracker) == second.registry_version

    # It opens by its alias and says what the saved folder says.
    mlflow = quiet_mlflow()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.uri)
    answer = mlflow.pyfunc.load_model("models:/forecarbon@champion").predict(EXAMPLE)
    model, kept = saved.read(store / "models" / "v2")
    told = model.outlook(kept, 3, (0.025, 0.1, 0.5, 0.9, 0.975)).frame()
    expected = told[told["unique_id"] == "s1"].reset_index(drop=True)
    pd.testing.assert_frame_equal(answer, expected)

    # The version says why it won, and what it needs.
    version = client_of(tracker).get_model_version("forecarbon", second.registry_version)
    assert version.description == "v2 errs less."
    assert version.tags["model_version"] == "v2"


def test_a_lost_database_is_made_good_from_the_record(tracker: Tracker, tmp_path: Path) -> None:
    for name in ("v1", "v2"):
        shutil.copytree(tracker.store / "models" / name, tmp_path / "models" / name)
    promotions.append(tmp_path, promotion("", "v1", "7"))
    fresh = replace(tracker, store=tmp_path)
    client = client_of(fresh)
    for known in client.search_registered_models():
        client.delete_registered_model(known.name)
    assert registry.settle(fresh) == registry.Settled("restored", "1")
    assert registry.settle(fresh) == registry.Settled("agrees", "1")
    shutil.rmtree(tmp_path / "models" / "v1")
    assert registry.champion_folder(tmp_path) is None
    client.delete_registered_model("forecarbon")
    with pytest.raises(ModelError, match="champion-lost"):
        registry.settle(fresh)


def test_the_champion_is_found_without_mlflow(tmp_path: Path) -> None:
    promotions.append(tmp_path, promotion("", "v1", "1"))
    (tmp_path / "models" / "v1").mkdir(parents=True)
    code = (
        "import sys; from pathlib import Path;"
        "import training.ui, training.loader, training.fans; from training import registry;"
        f"assert registry.champion_folder(Path({str(tmp_path)!r})).name == 'v1';"
        "sys.exit(any(name in sys.modules for name in ('mlflow', 'matplotlib.pyplot')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
