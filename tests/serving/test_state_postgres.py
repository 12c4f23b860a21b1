"""Serving's state on a real PostgreSQL, stopped and started while forecasts are noted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from features.errors import AskError
from serving import inventories, saved
from serving.actuals import Actual, note_actuals, read_actuals
from serving.entries import stamp_of
from serving.journal import Journal, enter, find, read_entries
from serving.keys import Keyring, create, revoke
from serving.spool import FOLDER
from serving.state import PATIENCE_SECONDS, State, read_deeds, upgrade
from tests.serving.notes import entry, kept, wait_for
from tests.serving.test_state import TABLES, start_together
from tests.training.postgres import DatabaseServer, programs

AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[DatabaseServer]:
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL here: install the package `postgresql` of your system")
    made = DatabaseServer(found)
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
def server(running: DatabaseServer) -> Iterator[DatabaseServer]:
    """It, running and empty."""
    yield running
    running.stop()
    running.start()
    with psycopg.connect(running.address) as line:
        line.execute("DROP SCHEMA public CASCADE")
        line.execute("CREATE SCHEMA public")


def tables_of(server: DatabaseServer) -> set[str]:
    with psycopg.connect(server.address) as line:
        found = line.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {name for (name,) in found}


def test_several_workers_make_the_tables_at_once(server: DatabaseServer) -> None:
    assert start_together(server.address) == [0, 0, 0]
    assert tables_of(server) == TABLES
    upgrade(server.address.replace("postgresql://", "postgres://"))
    assert tables_of(server) == TABLES


def test_stopped_and_started_while_noting(server: DatabaseServer, tmp_path: Path) -> None:
    journal, slowest, noted = Journal(tmp_path, server.address), 0.0, 0

    def note_for(seconds: float) -> None:
        nonlocal slowest, noted
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            begun = time.perf_counter()
            journal.note(entry(noted))
            slowest, noted = max(slowest, time.perf_counter() - begun), noted + 1
            time.sleep(0.001)

    note_for(0.5)
    assert journal.state == "ok"
    for _ in range(2):
        server.stop()
        note_for(1.5)
        assert journal.state == "degraded"
        assert list((tmp_path / FOLDER).glob("spool-*"))
        server.start()
        note_for(0.5)
        wait_for(lambda: journal.state == "ok")
    journal.close()
    assert slowest < 0.5, "no answer waits for the database"
    assert journal.lost == 0
    assert kept(tmp_path, server.address) == list(range(noted))
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_database_that_hangs_holds_no_answer_up(server: DatabaseServer, tmp_path: Path) -> None:
    journal = Journal(tmp_path, server.address)
    journal.note(entry(0))
    wait_for(lambda: find(tmp_path, entry(0).forecast_id, server.address) is not None)
    with psycopg.connect(server.address) as line:
        line.execute("LOCK TABLE journal IN ACCESS EXCLUSIVE MODE")
        begun = time.perf_counter()
        journal.note(entry(1))
        assert time.perf_counter() - begun < PATIENCE_SECONDS / 2
        wait_for(lambda: journal.state == "degraded")
    wait_for(lambda: journal.state == "ok")
    journal.close()
    assert kept(tmp_path, server.address) == [0, 1]


def test_a_server_that_starts_before_its_database_catches_up(server: DatabaseServer, tmp_path: Path) -> None:
    server.stop()
    journal = Journal(tmp_path, server.address)
    journal.note(entry(1))
    wait_for(lambda: journal.state == "degraded")
    server.start()
    wait_for(lambda: journal.state == "ok")
    journal.close()
    assert kept(tmp_path, server.address) == [1]


def test_entries_hold_any_text_and_come_in_order(server: DatabaseServer, tmp_path: Path) -> None:
    said = {"said": "\x00 \ud800 % %s ' \n é"}
    made = []
    for name in ("20261123-b", "20261123-A", "20261123-a"):
        told = {"forecast_id": name, "issued_at": "2026-11-23", "model_version": "m", **said}
        made.append(entry(1)._replace(forecast_id=name, issued_at="2026-11-23", body=json.dumps(told)))
    state = State(server.address)
    enter(state, made)
    enter(state, made)
    state.close()
    read = list(read_entries(tmp_path, server.address))
    assert [one["forecast_id"] for one in read] == ["20261123-A", "20261123-a", "20261123-b"]
    assert read[0]["said"] == said["said"]
    assert find(tmp_path, "20261123-b", server.address) == read[2]


def test_keys_and_claims(server: DatabaseServer, tmp_path: Path) -> None:
    state = State(server.address)
    key, token = create(state, "acme", scopes=["read"], days=3, at=AT, who="ada")
    ring = Keyring(state)
    assert ring.refresh()
    assert ring.admit(token, "read", stamp_of(AT)) == key
    rows = [Actual(f"s{number}", "2023-01-01", 1.0 * number) for number in range(500)]
    assert [note_actuals(state, rows, key.key_id, AT) for _ in range(2)] == [500, 0]
    assert len(read_actuals(tmp_path, server.address)) == 500
    server.stop()
    assert not ring.refresh()
    assert ring.admit(token, "read", stamp_of(AT)) == key
    with pytest.raises(AskError, match="state-database"):
        revoke(state, key.key_id, at=AT, who="ada")
    server.start()
    revoke(state, key.key_id, at=AT, who="ada")
    assert ring.refresh()
    with pytest.raises(AskError, match="key-revoked"):
        ring.admit(token, "read", stamp_of(AT))
    assert [deed.what for deed in read_deeds(state)] == ["keys add", "keys revoke"]
    state.close()


def test_of_writers_that_build_on_one_version_one_is_told(server: DatabaseServer) -> None:
    state = State(server.address)
    table = {"name": "\ud800\u0000", "series": "aa-north"}
    saved.create(state, "s", table, "f", key_id="ada", at="t", shared=False)

    def write(k: int) -> str:
        try:
            saved.add_version(
                state, "s", {**table, "seed": k}, f"f{k}", builds_on=1, key_id="ada", at="t", shared=None
            )
        except AskError as refusal:
            return refusal.code
        return "saved"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(write, (1, 2))) == ["saved", "scenario-moved-on"]
    kept = saved.read(state, "s", "ada")
    assert ([each.version for each in kept.versions], kept.at(1).table) == ([1, 2], table)
    assert saved.listed(state, "ada")[0].newest.version == 2
    with pytest.raises(AskError, match="unknown-scenario"):
        saved.read(state, "s", "bob")
    state.close()


def test_an_inventory_is_kept_once(server: DatabaseServer) -> None:
    state = State(server.address)
    rows = [{"unique_id": "a", "ds": "2020-01-01", "y": 1.0}]
    one, again = (inventories.keep(state, "d", {"name": "n"}, rows, key_id="", at="t") for _ in range(2))
    assert one.inventory_id == again.inventory_id
    assert [each.rows for each in inventories.listed(state, "")] == [rows]
    assert inventories.read(state, one.inventory_id, "").about == {"name": "n"}
    state.close()
