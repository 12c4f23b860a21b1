"""An operator's day: hand service over, roll it back, and make what was issued again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.files import read_json
from serving.actuals import Actual, note_actuals
from serving.state import state_of
from tests import warm
from tests.conftest import run_in


@pytest.fixture(scope="module")
def store(trained_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the trained store with a second version of its model."""
    place = tmp_path_factory.mktemp("operations") / "store"
    shutil.copytree(trained_store, place)
    (first,) = (place / "models").iterdir()
    shutil.copytree(first, place / "models" / "second")
    return place


def test_promote_forecast_roll_back_reproduce(store: Path, shell_env: dict[str, str]) -> None:
    """One story, for every step stands on the one before."""
    first = read_json(store / "current.json")["model_version"]
    issued = {first: forecast_id(run_in(store, ["forecarbon", "forecast", "nl-rotterdam"], shell_env))}
    printed = run_in(store, ["forecarbon", "promote", "second", "--who", "ada"], shell_env)
    assert "Registry: restored" in printed
    assert read_json(store / "current.json")["model_version"] == "second"
    issued["second"] = forecast_id(run_in(store, ["forecarbon", "forecast", "nl-rotterdam"], shell_env))

    printed = run_in(store, ["forecarbon", "rollback", "--who", "ada", "--why", "a drill"], shell_env)
    assert "Registry: alias-set" in printed
    assert read_json(store / "current.json")["model_version"] == first
    record = json.loads(run_in(store, ["forecarbon", "history", "--json"], shell_env))
    assert [(line["decision"], line["to_version"]) for line in record] == [
        ("promote", first), ("promote", "second"), ("roll-back", first),
    ]  # fmt: skip
    assert "a drill" in run_in(store, ["forecarbon", "history"], shell_env)

    shutil.rmtree(store / "packs")
    for version, name in issued.items():
        told = json.loads(run_in(store, ["forecarbon", "reproduce", name], shell_env))
        assert (told["identical"], told["made_from"]) == (True, "saved model")
        assert told["model_version"] == told["answer"]["model_version"] == version

    with sqlite3.connect(store / "state.db") as line:
        line.execute("UPDATE journal SET entry = replace(entry, '\"steps\": 8', '\"steps\": 7')")
    line.close()
    done = warm.run(["forecarbon", "reproduce", issued[first], "--store", str(store)], env=shell_env)
    assert done.returncode == 3
    assert not json.loads(done.stdout)["identical"]
    assert "differs" in done.stderr


def test_keys_are_made_listed_and_revoked(tmp_path: Path, shell_env: dict[str, str]) -> None:
    made = ["forecarbon", "keys", "add", "acme", "--scope", "read", "--scope", "forecast", "--days", "30"]
    token = run_in(tmp_path, [*made, "--per-second", "5", "--who", "ada"], shell_env).split()[-1]
    (told,) = json.loads(run_in(tmp_path, ["forecarbon", "keys", "list", "--json"], shell_env))
    assert token.startswith(f"fc_{told['key_id']}_")
    assert (told["name"], told["scopes"], told["state"]) == ("acme", ["read", "forecast"], "valid")
    run_in(tmp_path, ["forecarbon", "keys", "revoke", told["key_id"]], shell_env)
    listed = run_in(tmp_path, ["forecarbon", "keys", "list"], shell_env)
    assert "revoked" in listed
    assert token not in listed


def test_a_watch_scores_claims_only_if_asked_and_apart(
    trained_store: Path, tmp_path: Path, shell_env: dict[str, str]
) -> None:
    store = tmp_path / "store"
    shutil.copytree(trained_store, store)
    run_in(store, ["forecarbon", "forecast", "nl-rotterdam"], shell_env)
    state = state_of(store)
    rows = [Actual("nl-rotterdam/refining", f"{year}-01-01", 1e9, "a claim") for year in (2024, 2025)]
    assert note_actuals(state, rows, "k", datetime(2026, 11, 28, tzinfo=UTC)) == 2
    state.close()
    assert "claims" not in run_in(store, ["forecarbon", "watch"], shell_env)
    told = run_in(store, ["forecarbon", "watch", "--with-feedback"], shell_env)
    public, claimed = told.split("Against callers' claims")
    assert "with an actual: 0" in public
    assert "with an actual: 2, of [2024, 2025]" in claimed
    assert not (store / "findings.jsonl").exists()


def forecast_id(printed: str) -> str:
    return printed.split("forecast_id ")[1].split()[0]
