from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from features.errors import AskError
from serving import migrations, tables
from serving.state import Deed, State, note_deed, read_deeds, state_of, state_url, upgrade
from tests.serving.notes import process

STARTING = """
import sys
from serving.state import upgrade
print("ready", flush=True)
sys.stdin.readline()
upgrade(sys.argv[1])
"""
TABLES = {
    *("journal", "keys", "actuals", "audit", "forecarbon_state_version"),
    *("scenarios", "scenario_versions", "inventories"),
}


def tables_of(store: Path) -> set[str]:
    line = sqlite3.connect(store / "state.db")
    found = {name for (name,) in line.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    line.close()
    return found


def start_together(url: str, workers: int = 3) -> list[int]:
    """Exit statuses of processes that upgrade at once."""
    started = [process(STARTING, url) for _ in range(workers)]
    for one in started:
        assert one.stdout is not None
        one.stdout.readline()
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in started:
        one.communicate(timeout=60)
    return [one.returncode for one in started]


def test_the_address_is_that_of_the_environment_or_lies_in_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORECARBON_STATE_URL", raising=False)
    assert state_url(tmp_path) == f"sqlite:///{tmp_path.resolve()}/state.db"
    monkeypatch.setenv("FORECARBON_STATE_URL", "postgresql://somewhere/else")
    assert state_url(tmp_path) == "postgresql://somewhere/else"


def test_tables_are_made_from_nothing_and_only_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/folder/state.db"
    before = [
        logging.getLogger().level,
        list(logging.getLogger().handlers),
        logging.getLogger("serving").disabled,
    ]
    upgrade(url)
    assert tables_of(tmp_path / "new" / "folder") == TABLES
    state = State(url)
    with state.writing() as line:
        note_deed(line, Deed("2026", "", "ada", "w", "p", "done"))
    upgrade(url)
    assert [deed.who for deed in read_deeds(state)] == ["ada"]
    state.close()
    after = [
        logging.getLogger().level,
        list(logging.getLogger().handlers),
        logging.getLogger("serving").disabled,
    ]
    assert before == after, "steps leave the logging of the process alone"


def test_several_workers_may_start_at_once(tmp_path: Path) -> None:
    assert start_together(f"sqlite:///{tmp_path}/state.db") == [0, 0, 0]
    assert tables_of(tmp_path) == TABLES


def test_the_newest_step_is_the_one_the_code_reads() -> None:
    script = ScriptDirectory(Path(str(migrations.__file__)).parent)
    assert script.get_current_head() == tables.HEAD


def test_tables_are_those_that_queries_name(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path}/state.db")
    line = sqlite3.connect(tmp_path / "state.db")
    for table in (
        *(tables.JOURNAL, tables.KEYS, tables.ACTUALS, tables.AUDIT),
        *(tables.SCENARIOS, tables.SCENARIO_VERSIONS, tables.INVENTORIES),
    ):
        made = [row[1] for row in line.execute(f"PRAGMA table_info({table.name})")]
        assert made == [column.name for column in table.columns]
    line.close()


def test_a_database_of_a_newer_release_is_refused_and_left(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    upgrade(url)
    with sqlite3.connect(tmp_path / "state.db") as line:
        line.execute("UPDATE forecarbon_state_version SET version_num = '9999'")
    line.close()
    with pytest.raises(AskError, match="state-newer"):
        upgrade(url)


@pytest.mark.parametrize(
    "url",
    [
        *("no url", "nosuch://x", "mysql://u:hidden@127.0.0.1/x", "sqlite://", "sqlite:///:memory:"),
        *(
            "postgresql://u:hidden@127.0.0.1:1/x",
            "postgres://u:hidden@127.0.0.1:1/x",
            "sqlite:////proc/none/x.db",
        ),
    ],
)
def test_a_database_that_does_not_answer_is_refused_without_its_address(url: str) -> None:
    with pytest.raises(AskError, match="state-database") as caught:
        upgrade(url)
    assert "hidden" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


def test_what_fails_half_way_is_undone(tmp_path: Path) -> None:
    state = state_of(tmp_path)

    def half_way() -> None:
        with state.writing() as line:
            note_deed(line, Deed("2026", "", "ada", "w", "p", "done"))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        half_way()
    assert read_deeds(state) == []
    state.close()


def test_the_audit_takes_any_words(tmp_path: Path) -> None:
    state = state_of(tmp_path)
    with state.writing() as line:
        note_deed(line, Deed("2026", "k", "a\x00\ud800\n", "w" * 999, "é", "done"))
    assert read_deeds(state) == [Deed("2026", "k", "a???", "w" * 100, "é", "done")]
    state.close()


def test_reading_makes_no_database(tmp_path: Path) -> None:
    state = state_of(tmp_path)
    assert not state.exists
    state.close()
    assert list(tmp_path.iterdir()) == []
