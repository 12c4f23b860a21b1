"""A store destroyed and brought back from its backup: the same champion, answers and record."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from benchmarks.api.standing import serving
from tests import warm
from tests.conftest import ROOT, run_in
from tests.journeys.test_operations import forecast_id

ASKED: Final = (
    {"clusters": ["nl-rotterdam"], "steps": 8, "levels": [80, 95]},
    {"series": ["nl-rotterdam/refining"], "steps": 4, "paths": 5},
)
# Of the moment of an answer, and no part of what was forecast.
MOMENT: Final = ("issued_at", "forecast_id", "request_id")


def answers(url: str, key: str) -> list[dict[str, Any]]:
    told = []
    with httpx.Client(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=30) as client:
        for body in ASKED:
            reply = client.post("/v1/forecast", json=body)
            assert reply.status_code == 200, reply.text
            told.append({name: value for name, value in reply.json().items() if name not in MOMENT})
        told.append(client.get("/v1/models/current").json())
    return told


def journal(store: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(store / "state.db")) as line:
        return line.execute("SELECT * FROM journal ORDER BY forecast_id").fetchall()


def test_destroyed_and_restored(trained_store: Path, tmp_path: Path, shell_env: dict[str, str]) -> None:
    """One story, for every step stands on the one before. Keys are asked for throughout."""
    store, file, after = tmp_path / "store", tmp_path / "out" / "backup.tar", tmp_path / "machine" / "store"
    shutil.copytree(trained_store, store)
    issued = forecast_id(run_in(store, ["forecarbon", "forecast", "nl-rotterdam"], shell_env))
    made = ["forecarbon", "keys", "add", "ada", "--scope", "forecast", "--scope", "read"]
    key = run_in(store, made, shell_env).split()[-1]
    with serving(store, workers=1, more={"FORECARBON_AUTH": "keys"}) as server:
        before = answers(server.url, key)
        printed = run_in(store, ["forecarbon", "backup", "--to", str(file)], shell_env)
    assert "Champion: " in printed
    noted = journal(store)
    shutil.rmtree(store)

    run_in(after, ["forecarbon", "restore", str(file)], shell_env)
    kept = journal(after)
    # What was answered last may have been noted after the backup; what is in it is as it was.
    assert len(kept) >= 1
    assert set(kept) <= set(noted)
    with serving(after, workers=1, more={"FORECARBON_AUTH": "keys"}) as server:
        assert answers(server.url, key) == before
        assert httpx.post(f"{server.url}/v1/forecast", json=ASKED[0]).status_code == 401
    told = json.loads(run_in(after, ["forecarbon", "reproduce", issued], shell_env))
    assert (told["identical"], told["made_from"]) == (True, "kept pack")
    assert json.loads(run_in(after, ["forecarbon", "history", "--json"], shell_env))
    # The champion opens from MLflow's registry too, whose addresses led to the machine that is gone.
    code = (
        "import mlflow; m = mlflow.pyfunc.load_model('models:/forecarbon@champion'); print(m.metadata.run_id)"
    )
    address = {"MLFLOW_TRACKING_URI": f"sqlite:///{after}/mlflow.db", "MLFLOW_DISABLE_TELEMETRY": "true"}
    opened = run_in(after, ["python", "-c", code], {**shell_env, **address, "PYTHONPATH": str(ROOT)})
    assert len(opened.strip().splitlines()[-1]) == 32
    for path in after.rglob("*.db"):
        assert str(store).encode() not in path.read_bytes().replace(str(after).encode(), b"")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["backup", "--to", "{out}", "--store", "{none}"], "no-store"),
        (["restore", "{none}"], "no-backup"),
        (["restore", "{text}"], "backup-damaged"),
        (["vacuum", "--store", "{none}"], "no-store"),
    ],
)
def test_refusals_are_one_line(
    tmp_path: Path, shell_env: dict[str, str], words: list[str], code: str
) -> None:
    (tmp_path / "text").write_text("no archive")
    named = {name: str(tmp_path / name) for name in ("out", "none", "text")}
    argv = ["forecarbon", *(word.format(**named) for word in words)]
    done = warm.run(argv, env={**shell_env, "FORECARBON_STORE": str(tmp_path / "store")})
    assert done.returncode == 2
    assert done.stderr.startswith(f"forecarbon: {code}: found")
    assert len(done.stderr.splitlines()) == 1
