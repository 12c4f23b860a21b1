"""A retrain as an operation: no work where nothing changed, resumed where killed, whole where it fails."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from features.errors import ModelError
from features.files import append_record, read_json, read_records
from features.series.lake import Lake
from features.series.panel import Dense
from models import saved
from models.dated import DATED_FILE, DatedRecord
from models.kinds import MEMBERS
from models.replay import replay
from models.track_record import FILES, TrackRecord
from tests.features.lakes import put
from tests.training.small import NOW, small_plan
from training import ledger, promotions, registry, tracking
from training import retrain as job
from training.gate import Verdict
from training.handover import hand_over
from training.job import Retrained
from training.judging import stand
from training.older import made_at, not_older
from training.plan import Plan
from training.report import print_retrain
from training.tracking import client_of, open_tracker


@dataclass(frozen=True)
class _Faulty:
    name: str = "faulty"

    def fit(self, history: Dense) -> _Faulty:
        return self

    def forecast(self, history: Dense, steps: int) -> npt.NDArray[np.float64]:
        raise ZeroDivisionError("the slope of nothing")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which one small plan has been retrained and promoted."""
    place = tmp_path_factory.mktemp("retrained")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert again(place, small_plan()).promoted
    return place


def again(store: Path, plan: Plan, *, hours: float = 0, told: Callable[..., None] | None = None) -> Retrained:
    return job.retrain(
        plan=plan,
        store=store,
        now=NOW + timedelta(hours=hours),
        told=told or (lambda stage, done, total: None),
    )


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Members replayed at a fold, without those read from pieces."""
    seen: list[str] = []

    def counted(history: Dense, origins: Any, recipe: Any, members: Any) -> Any:
        seen.extend(members)
        return replay(history, origins, recipe, members)

    monkeypatch.setattr("training.resume.replay", counted)
    return seen


def state(store: Path) -> tuple[bytes, list[str]]:
    """The promotion record and the champion's files."""
    folder = registry.champion_folder(store)
    assert folder is not None
    saved.read(folder)
    return (store / promotions.FILE).read_bytes(), sorted(path.name for path in folder.iterdir())


def test_nothing_new_is_a_line_in_the_record_and_no_work(
    store: Path, replayed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tracking, "quiet_mlflow", lambda: pytest.fail("the tracker was opened"))
    before, lines = state(store), len(ledger.read(store))
    result = again(store, small_plan(), hours=24)
    assert result.unchanged
    assert not result.promoted
    assert replayed == []
    assert state(store) == before
    entries = ledger.read(store)
    assert len(entries) == lines + 1
    assert (entries[-1].action, entries[-1].at) == (ledger.UNCHANGED, "2026-01-02T00:00:00Z")
    assert entries[-1].ground == entries[-2].ground
    print_retrain(result)
    assert "keep" in capsys.readouterr().out


def test_a_saved_model_keeps_its_track_record_among_its_own_files(store: Path) -> None:
    folder = registry.champion_folder(store)
    assert folder is not None
    record = TrackRecord.read(folder)
    assert record.facts["names"] == {"challenger": "blend", "baseline": "naive"}
    assert record.of_series("challenger", "nl-rotterdam") is not None
    assert set(FILES) <= set(read_json(folder / "model.json")["files"])


def test_a_saved_model_keeps_what_its_chances_of_dated_targets_were_worth(store: Path) -> None:
    folder = registry.champion_folder(store)
    assert folder is not None
    record = DatedRecord.read(folder)
    assert DATED_FILE in read_json(folder / "model.json")["files"]
    assert record.facts["names"] == {"challenger": "blend", "baseline": "naive"}
    assert record.facts["verdict_id"] == promotions.read(store)[0].verdict_id
    kinds = [row["kind"] for row in record.facts["scores"]]
    assert kinds == ["all", "sector", "cluster", "context", "country"]
    # All folds are asked, those before the scored ones too.
    assert record.facts["issued"][0] == "2014-06-15"
    assert record.facts["scores"][0]["n"] > 5_000
    assert record.recalibration.believed("cluster")


def test_the_chances_are_logged_and_drawn_for_the_challenger_alone(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    tracker, folder = open_tracker(store=store, experiment="small"), registry.champion_folder(store)
    client = client_of(tracker)
    runs = {run.info.run_name.split(" ")[0]: run for run in client.search_runs([tracker.experiment_id])}
    assert folder is not None
    told, metrics = DatedRecord.read(folder).of_kind("cluster"), runs["blend"].data.metrics
    assert told is not None
    names = ("brier", "brier_skill", "brier_skill_over_naive", "reliability_slope", "n")
    found = [metrics[f"dated_{name}_cluster"] for name in names]
    keys = ("brier", "skill", "skill_over_naive", "reliability_slope", "n")
    assert found == pytest.approx([told[key] for key in keys])
    assert {f"dated_{name}" for name in names} <= set(metrics)
    assert not any(name.startswith("dated") for name in runs["naive"].data.metrics)

    def drawn(name: str) -> list[str]:
        files = client.list_artifacts(runs[name].info.run_id, "pictures")
        return [file.path for file in files if "dated" in file.path]

    assert drawn("blend") == ["pictures/dated_targets.png"]
    assert drawn("naive") == []


def test_one_run_a_retrain_and_nested_in_it_one_a_candidate(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    tracker = open_tracker(store=store, experiment="small")
    client = client_of(tracker)
    runs = {run.info.run_name.split(" ")[0]: run for run in client.search_runs([tracker.experiment_id])}
    assert set(runs) == {"small", "naive", "drift", "blend"}
    whole = runs.pop("small")
    assert whole.info.run_name == "small 2026-01-01T000000Z promote"
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {whole.info.run_id}
    promotion = promotions.read(store)[0]
    for run in (whole, runs["blend"]):
        assert run.data.tags["verdict"] == "promote"
        assert run.data.tags["verdict_sentence"] == promotion.sentence
        assert {"plan", "as_of", "git_commit", "data_hash", "forecaster", "retrain"} <= set(run.data.tags)
        assert run.inputs is not None
        assert run.inputs.dataset_inputs[0].dataset.digest == promotion.data_hash[:32]
    assert {name: run.data.tags["role"] for name, run in runs.items()} == {
        "naive": "baseline", "drift": "beside it", "blend": "challenger",
    }  # fmt: skip
    assert whole.data.metrics["gate_sql_threshold"] == 1.0
    assert "| passed | coverage-80 |" in whole.data.tags["mlflow.note.content"]
    assert len(client.get_metric_history(runs["naive"].info.run_id, "mase_by_step")) == 2
    pictures = {item.path for item in client.list_artifacts(whole.info.run_id, "pictures")}
    assert pictures == {f"pictures/{name}.png" for name in ("scores", "error_by_step", "by_cutoff")}
    version = client.get_model_version_by_alias("forecarbon", "champion")
    assert version.description == promotion.sentence
    assert version.run_id == runs["blend"].info.run_id


@pytest.mark.usefixtures("short")
def test_a_retrain_killed_on_the_way_goes_on_where_it_was(
    store: Path, replayed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    plan = small_plan(seed=2, members=("naive", "drift", "trend"))

    def kill(stage: str, done: int, total: int) -> None:
        if stage == "replay" and done == total - 2:
            raise KeyboardInterrupt

    before = state(store)
    with pytest.raises(KeyboardInterrupt):
        again(store, plan, hours=1, told=kill)
    # Naive and drift are kept from the first retrain: their settings do not know the seed.
    assert replayed == ["trend"] * 6
    assert state(store) == before
    replayed.clear()
    assert again(store, plan, hours=2).promoted
    assert replayed == ["trend"]


def test_killed_before_its_promotion_the_next_takes_over_the_saved_model_and_the_pictures(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    plan = small_plan(seed=5, members=("naive", "drift"))

    def kill(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("tracking", 2):
            raise KeyboardInterrupt

    def never(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("made a second time")

    serving, known = registry.champion(store), set((store / "models").iterdir())
    with pytest.raises(KeyboardInterrupt):
        again(store, plan, hours=2.5, told=kill)
    assert registry.champion(store) == serving
    (left,) = set((store / "models").iterdir()) - known
    # What it left is damaged: it is made again, and its pictures are not.
    whole = (left / "model.json").read_bytes()
    (left / "model.json").write_bytes(whole[:-9])
    monkeypatch.setattr("training.album.fan_charts", never)
    monkeypatch.setattr("training.pictures.coverage", never)
    with pytest.raises(KeyboardInterrupt):
        again(store, plan, hours=2.6, told=kill)
    (left / "model.json").write_bytes(whole)
    monkeypatch.setattr(job, "refitted", never)
    assert again(store, plan, hours=2.7).model_version == left.name


@pytest.mark.usefixtures("short")
def test_a_member_that_fails_is_refused_by_name_and_the_rest_is_judged(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setitem(MEMBERS, "faulty", lambda recipe: _Faulty())
    plan = small_plan(seed=3, members=("naive", "faulty", "drift"))
    result = again(store, plan, hours=3)
    assert result.promoted
    assert result.refused == ("faulty: ZeroDivisionError: the slope of nothing",)
    rule = next(rule for rule in result.verdict.rules if rule.name == "members")
    assert (rule.value, rule.passed) == (1.0, True)
    assert "judged without faulty" in result.verdict.sentence
    folder = registry.champion_folder(store)
    assert folder is not None
    assert saved.read(folder)[0].recipe.members == ("naive", "drift")
    print_retrain(result)
    assert "faulty: ZeroDivisionError" in capsys.readouterr().out
    # A failure may have been a passing one: equal ground is judged again.
    assert not ledger.read(store)[-1].whole
    strict = small_plan(seed=4, members=("naive", "faulty", "drift"))
    gate = strict.gate.model_copy(update={"refused_members": 0})
    refused = again(store, strict.model_copy(update={"gate": gate}), hours=4)
    assert refused.verdict.decision == "keep"


@pytest.mark.usefixtures("short")
def test_without_its_baseline_nothing_can_be_judged(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(registry, "champion", lambda store: None)
    monkeypatch.setitem(MEMBERS, "naive", lambda recipe: _Faulty())
    result = again(store, small_plan(seed=5), hours=5)
    assert result.verdict.decision == "cannot-judge"
    assert "no backtest of naive" in result.verdict.sentence


def _locked(store: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Another process writes to the tracker's database and does not let go."""
    lock = sqlite3.connect(store / "mlflow.db")
    lock.execute("begin exclusive")
    return lock.close


def _model_disk_full(store: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saved, "write_json", full)
    return lambda: None


def _record_disk_full(store: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A line that only half fits."""

    def half(path: Path, record: dict[str, Any]) -> None:
        append_record(path, record)
        path.write_bytes(path.read_bytes()[:-40])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.promotions.append_record", half)
    return lambda: None


def _tracker_disk_full(store: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    (store / "artifacts").rename(store / "artifacts-kept")
    (store / "artifacts").write_text("no folder")

    def undo() -> None:
        (store / "artifacts").unlink()
        (store / "artifacts-kept").rename(store / "artifacts")

    return undo


# In the order in which a retrain would meet them: what one had done, the next takes over.
FAULTS: Final = (
    (_locked, "tracking-unavailable"),
    (_model_disk_full, "model-unwritten"),
    (_tracker_disk_full, "tracking-unavailable"),
    (_record_disk_full, "promotion-unwritten"),
)


@pytest.mark.usefixtures("short")
def test_what_fails_is_refused_by_name_and_the_next_retrain_succeeds(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One fault after the other meets the same retrain, which then succeeds."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    before, plan = promotions.read(store), small_plan(seed=10)
    champion = registry.champion_folder(store)
    for hours, (fault, code) in enumerate(FAULTS, 10):
        with monkeypatch.context() as broken:
            undo = fault(store, broken)
            try:
                with pytest.raises(ModelError) as refused:
                    again(store, plan, hours=hours)
            finally:
                undo()
        assert refused.value.code == code
        assert promotions.read(store) == before
        assert registry.champion_folder(store) == champion
    assert again(store, plan, hours=10 + len(FAULTS)).promoted
    assert promotions.read(store)[:-1] == before
    assert [run for run in read_records(store / ledger.FILE) if run["plan"] == "small"]


@pytest.mark.usefixtures("short")
def test_a_registry_that_falls_silent_after_the_record_is_settled_by_the_next(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    plan = small_plan(seed=77)
    true = registry.settle
    calls: list[int] = []

    def silent_second(tracker: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise sqlite3.OperationalError("database is locked")
        return true(tracker)

    monkeypatch.setattr(registry, "settle", silent_second)
    result = again(store, plan, hours=50)
    assert result.promoted
    assert promotions.read(store)[-1].to_version == result.model_version
    assert not ledger.read(store)[-1].whole
    monkeypatch.setattr(registry, "settle", true)
    assert not again(store, plan, hours=51).unchanged
    client = client_of(open_tracker(store=store, experiment="small"))
    version = client.get_model_version_by_alias("forecarbon", "champion")
    assert version.tags["model_version"] == result.model_version


def test_the_database_is_whole_after_all_of_this(store: Path) -> None:
    with closing(sqlite3.connect(store / "mlflow.db")) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)


def test_a_clock_set_back_promotes_nothing_by_itself(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "behind"
    shutil.copytree(store, place)
    before, early = registry.champion(place), -24 * 365 * 3
    result = again(place, small_plan(), hours=early)
    assert (result.promoted, result.verdict.decision) == (False, "keep")
    assert registry.champion(place) == before
    last = result.verdict.rules[-1]
    assert (last.name, last.passed) == ("older-figures", False)
    assert [rule.name for rule in result.verdict.rules if not rule.passed] == ["older-figures"]
    for words in ("found figures known on 2023-01-02", "expected", "set the clock right", "promote"):
        assert words in result.verdict.sentence
    line = ledger.read(place)[-1]
    assert (line.decision, line.verdict_id) == ("keep", result.verdict.verdict_id)
    print_retrain(result)
    assert f"Saved, not serving: {result.left}" in capsys.readouterr().out
    saved.read(registry.model_folder(place, result.left))
    assert again(place, small_plan(), hours=early).unchanged
    # A person may decide otherwise; what is judged next on newer figures is promoted as ever.
    hand_over(
        store=place, version=result.left, decision="promote", who="me", now=NOW,
        serve=lambda folder: lambda: None, experiment=small_plan().experiment,
    )  # fmt: skip
    assert again(place, small_plan(), hours=48).promoted


def test_older_is_what_was_known_a_day_before_and_differs(store: Path) -> None:
    ground, standing = stand(NOW), registry.champion(store)
    assert standing is not None
    moment = made_at(standing.to_version)
    assert moment is not None
    won = Verdict("id", "promote", "blend", "naive", (), "won")

    def at(days: float, data_hash: str, version: str = standing.to_version) -> str:
        serving = replace(standing, data_hash=data_hash, to_version=version)
        return not_older(won, ground, moment + pd.Timedelta(days=days), serving).decision

    assert at(0.5, "other") == "promote", "figures restated on one day"
    assert at(-0.5, "other") == "promote", "clocks of two machines"
    assert at(-2, "other") == "keep"
    assert at(-2, ground.data_hash) == "promote", "a clock behind with the same figures"
    assert at(-2000, ground.data_hash) == "keep", "the same file, less of which was known"
    assert at(-2000, "other", "by-hand") == "promote", "a name that says nothing"
    assert not_older(won, ground, moment, None) is won
    assert not_older(replace(won, decision="keep"), ground, moment, standing).decision == "keep"


def test_a_lake_without_a_plant_in_a_cluster_has_an_example_too(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake, "eutl", {("eutl:c", year): 1e5 for year in range(2008, 2018)}, 1)
    ground = stand(NOW, small_plan(figures={"from": "lake", "sources": ["eutl"]}).figures, lake.root)
    assert job.example_of(ground).to_dict("records") == [
        {"unique_id": name, "steps": 8} for name in ("DE/refining", "DE/refining/eutl:c")
    ]
    embedded = stand(NOW)
    first = [embedded.hierarchy.members[cluster][0] for cluster in embedded.hierarchy.clusters[:2]]
    assert job.example_of(embedded)["unique_id"].tolist() == first
