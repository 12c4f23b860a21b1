from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import psycopg
import pytest

from features import archive
from features.errors import AskError, DataError
from serving import restored
from serving.actuals import Actual, note_actuals
from serving.backup import back_up
from serving.journal import Journal
from serving.restored import SCRATCH, restore
from serving.state import Deed, note_deed, read_deeds, state_of
from tests.serving.notes import entry, kept, process, spools
from tests.serving.synthetic import VERSION, Kit
from tests.training.postgres import DatabaseServer, database, programs

NOW: Final = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
# Backs up, or restores, and is killed as it comes to the call named by the last argument; or, if the name
# ends in "+", as it comes back from it.
KILLED: Final = """
import os, shutil, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from features import archive
from serving import restored
from serving.backup import back_up
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
what, a, b, place, name = sys.argv[1:6]
name, after = name.rstrip("+"), name.endswith("+")
module = {"archive": archive, "restored": restored, "os": os, "shutil": shutil}[place]
true, calls = getattr(module, name), [0]
def counted(*args, **more):
    calls[0] += 1
    last = calls[0] == int(sys.argv[6])
    if last and not after: die()
    done = true(*args, **more)
    if last: die()
    return done
setattr(module, name, counted)
if what == "backup": back_up(Path(a), Path(b), now=datetime(2026, 11, 28, tzinfo=UTC))
else: restored.restore(Path(a), Path(b), replace=False, moved=lambda *_: None)
"""


def nothing(*_: Path) -> None:
    """No tracker here."""


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A store with a champion, a journal, a claim, a deed, and entries that wait in a spool."""
    store = tmp_path / "store"
    Kit().publish(store)
    noting = Journal(store)
    for number in range(50):
        noting.note(entry(number))
    noting.close()
    state = state_of(store)
    note_actuals(state, [Actual("aa-north/power", "2023-01-01", 4e6, "a claim")], "k", NOW)
    with state.writing() as line:
        note_deed(line, Deed("2026", "", "ada", "w", "p", "done"))
    state.close()
    (store / "journal").mkdir(exist_ok=True)
    (store / "journal" / "spool-1-aa.jsonl").write_text(entry(60).body + "\n")
    (store / "promotions.jsonl").write_text('{"to_version": "x"}\n')
    (store / "cache").mkdir()
    (store / "cache" / "piece.npz").write_bytes(b"made again")
    (store / ".scratch").write_text("of a writer")
    return store


def rows(store: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(store / "state.db")) as line:
        return {name: line.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()
                for name in ("journal", "keys", "actuals", "audit")}  # fmt: skip


def test_it_comes_back_as_it_was_somewhere_else(full: Path, tmp_path: Path) -> None:
    done = back_up(full, tmp_path / "out.tar", now=NOW)
    assert done.manifest.facts["champion"] == VERSION
    before, pack = rows(full), {p.name: p.read_bytes() for p in (full / "packs").rglob("*") if p.is_file()}
    restore(done.file, tmp_path / "new", replace=False, moved=nothing)
    assert rows(tmp_path / "new") == before
    assert kept(tmp_path / "new") == [*range(50), 60]
    assert {p.name: p.read_bytes() for p in (tmp_path / "new" / "packs").rglob("*") if p.is_file()} == pack
    assert (tmp_path / "new" / "current.json").read_bytes() == (full / "current.json").read_bytes()
    assert not {"cache", ".scratch", SCRATCH} & {path.name for path in (tmp_path / "new").iterdir()}
    with closing(sqlite3.connect(tmp_path / "new" / "state.db")) as line:
        assert line.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_what_is_noted_meanwhile_is_whole_or_not_there(full: Path, tmp_path: Path) -> None:
    noting = Journal(full)
    for number in range(100, 3000):
        noting.note(entry(number))
        if number == 1500:
            done = back_up(full, tmp_path / "out.tar", now=NOW)
    noting.close()
    restore(done.file, tmp_path / "new", replace=False, moved=nothing)
    there = kept(tmp_path / "new")
    assert there == sorted(set(there))
    assert set(range(50)) <= set(there) <= set(kept(full))


def test_a_folder_gets_a_file_with_a_name_of_its_own(full: Path, tmp_path: Path) -> None:
    names = [back_up(full, tmp_path / "out", now=NOW).file.name for _ in range(2)]
    assert names == ["forecarbon-20261128T120000Z.tar", "forecarbon-20261128T120000Z-2.tar"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names)
    with pytest.raises(AskError, match="backup-exists"):
        back_up(full, tmp_path / "out" / names[0], now=NOW)


@pytest.mark.parametrize(("place", "name", "call"), [("archive", "_put", "1"), ("archive", "_put", "4"),
                                                     ("os", "replace", "1")])  # fmt: skip
def test_a_killed_backup_leaves_no_file_and_is_run_again(
    full: Path, tmp_path: Path, place: str, name: str, call: str
) -> None:
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "b.tar"
    killed = process(KILLED, "backup", full, target, place, name, call)
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    assert not target.exists()
    back_up(full, target, now=NOW)
    assert archive.checked(target).files
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.tar"]


@pytest.mark.parametrize(
    ("place", "name", "call"),
    [("archive", "_unpack_one", "3"), ("restored", "_swap", "1"), ("os", "replace", "-1")],
)
def test_a_killed_restore_shows_no_champion_and_is_run_again(
    full: Path, tmp_path: Path, place: str, name: str, call: str
) -> None:
    done, new = back_up(full, tmp_path / "b.tar", now=NOW), tmp_path / "new"
    # Every file is renamed once, then the mark, then each thing at the top: the pointer is the last.
    tops = {name.split("/")[0] for name in done.manifest.files}
    number = str(len(done.manifest.files) + 1 + len(tops)) if call == "-1" else call
    killed = process(KILLED, "restore", done.file, new, place, name, number)
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    assert not (new / "current.json").exists()
    restore(done.file, new, replace=False, moved=nothing)
    assert rows(new) == rows(full)
    assert (new / "current.json").exists()
    assert not (new / SCRATCH).exists()


def test_the_mark_of_a_killed_restore_allows_no_other_backup(full: Path, tmp_path: Path) -> None:
    done, new = back_up(full, tmp_path / "b.tar", now=NOW), tmp_path / "new"
    other = back_up(full, tmp_path / "other.tar", now=datetime(2026, 11, 29, tzinfo=UTC))
    tops = {name.split("/")[0] for name in done.manifest.files}
    number = str(len(done.manifest.files) + 1 + len(tops))
    process(KILLED, "restore", done.file, new, "os", "replace", number).communicate(timeout=60)
    there = sorted(path.name for path in new.iterdir())
    assert "packs" in there
    assert "current.json" not in there
    with pytest.raises(AskError, match="store-not-empty"):
        restore(other.file, new, replace=False, moved=nothing)
    assert sorted(path.name for path in new.iterdir() if not path.name.endswith(".lock")) == [
        name for name in there if not name.endswith(".lock")
    ]  # fmt: skip
    restore(done.file, new, replace=False, moved=nothing)
    assert (new / "current.json").exists()


def test_killed_when_everything_is_in_nothing_is_allowed_any_more(full: Path, tmp_path: Path) -> None:
    done, new = back_up(full, tmp_path / "b.tar", now=NOW), tmp_path / "new"
    # What was unpacked before, what was put aside before, and then the room as a whole.
    killed = process(KILLED, "restore", done.file, new, "shutil", "rmtree", "3")
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    assert (new / SCRATCH).exists()
    assert (new / "current.json").exists()
    with pytest.raises(AskError, match="store-not-empty"):
        restore(done.file, new, replace=False, moved=nothing)
    assert (new / "current.json").exists()


def test_what_fails_keeps_the_mark_of_the_restore_before(
    full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, new = back_up(full, tmp_path / "b.tar", now=NOW), tmp_path / "new"
    other = back_up(full, tmp_path / "other.tar", now=datetime(2026, 11, 29, tzinfo=UTC))
    process(KILLED, "restore", done.file, new, "restored", "_swap", "1").communicate(timeout=60)
    (new / "notes.txt").write_text("of the half")

    monkeypatch.setenv("FORECARBON_STATE_URL", "postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(AskError, match="state-database"):
        restore(other.file, new, replace=True, moved=nothing)
    monkeypatch.undo()
    restore(done.file, new, replace=False, moved=nothing)
    assert rows(new) == rows(full)


def test_a_store_that_holds_something_is_left_alone(full: Path, tmp_path: Path) -> None:
    done = back_up(full, tmp_path / "b.tar", now=NOW)
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    with pytest.raises(AskError, match="store-not-empty"):
        restore(done.file, other, replace=False, moved=nothing)
    assert (other / "notes.txt").read_text() == "mine"
    assert not (other / "current.json").exists()
    restore(done.file, other, replace=True, moved=nothing)
    assert not (other / "notes.txt").exists()
    assert rows(other) == rows(full)


def test_a_damaged_backup_changes_nothing(full: Path, tmp_path: Path) -> None:
    done = back_up(full, tmp_path / "b.tar", now=NOW)
    whole = done.file.read_bytes()
    done.file.write_bytes(whole[:5000] + bytes([whole[5000] ^ 255]) + whole[5001:])
    with pytest.raises(DataError, match="backup-damaged"):
        restore(done.file, tmp_path / "new", replace=False, moved=nothing)
    assert not (tmp_path / "new").exists()


def test_a_store_in_use_is_not_replaced(full: Path, tmp_path: Path) -> None:
    done = back_up(full, tmp_path / "b.tar", now=NOW)
    serving = state_of(full)
    with serving.reading():
        pass
    with pytest.raises(AskError, match="store-in-use"):
        restore(done.file, full, replace=True, moved=nothing)
    serving.close()
    restore(done.file, full, replace=True, moved=nothing)


def test_what_fails_on_the_way_in_leaves_the_old_store(full: Path, tmp_path: Path) -> None:
    done = back_up(full, tmp_path / "b.tar", now=NOW)

    def fails(*_: Path) -> None:
        raise OSError(28, "No space left on device")

    before = rows(full)
    with pytest.raises(OSError, match="No space"):
        restore(done.file, full, replace=True, moved=fails)
    assert rows(full) == before
    assert (full / "current.json").exists()
    assert not (full / SCRATCH).exists()


def test_without_room_nothing_is_unpacked(
    full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, before = back_up(full, tmp_path / "b.tar", now=NOW), rows(full)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    monkeypatch.setattr(archive, "_unpack_one", None)
    with pytest.raises(AskError) as refused:
        restore(done.file, full, replace=True, moved=nothing)
    assert refused.value.code == "no-room"
    assert rows(full) == before
    assert not (full / SCRATCH).exists()


def test_two_at_once_are_refused(full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    true = archive.write

    def while_writing(*args: object, **more: object) -> object:
        with pytest.raises(AskError, match="job-already-running") as refused:
            back_up(full, tmp_path / "second.tar", now=NOW)
        seen.append(refused.value.code)
        return true(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(archive, "write", while_writing)
    back_up(full, tmp_path / "b.tar", now=NOW)
    assert seen == ["job-already-running"]


def test_a_store_that_cannot_be_written_to_is_backed_up(full: Path, tmp_path: Path) -> None:
    """In a namespace of its own, where the store is mounted read-only; elsewhere by permission."""
    with closing(sqlite3.connect(full / "state.db")) as line:
        line.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    code = (
        "import os, sys\nfrom datetime import UTC, datetime\nfrom pathlib import Path\n"
        "from serving.backup import back_up\n"
        "assert not os.access(sys.argv[1], os.W_OK)\n"
        "back_up(Path(sys.argv[1]), Path(sys.argv[2]), now=datetime(2026, 11, 28, tzinfo=UTC))\n"
    )
    argv = [sys.executable, "-c", code, str(full), str(tmp_path / "b.tar")]
    if os.geteuid() == 0:
        mount = f'mount --bind "{full}" "{full}" && mount -o remount,bind,ro "{full}" && exec "$@"'
        argv = ["unshare", "-m", "sh", "-c", mount, "sh", *argv]
    else:
        full.chmod(0o555)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    full.chmod(0o755)
    assert done.returncode == 0, done.stderr
    restore(tmp_path / "b.tar", tmp_path / "new", replace=False, moved=nothing)
    assert rows(tmp_path / "new") == rows(full)


@pytest.fixture(scope="module")
def installed() -> Path:
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL here: install the package `postgresql` of your system")
    return found


@pytest.fixture(scope="module")
def postgres(installed: Path) -> Iterator[DatabaseServer]:
    made = DatabaseServer(installed)
    try:
        made.start()
        yield made
    finally:
        made.remove()


def test_a_state_in_postgresql_goes_there_and_back(
    full: Path, tmp_path: Path, postgres: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(full)
    first = back_up(full, tmp_path / "sqlite.tar", now=NOW)
    monkeypatch.setenv("FORECARBON_STATE_URL", postgres.address)
    restore(first.file, tmp_path / "two", replace=False, moved=nothing)
    assert not (tmp_path / "two" / "state.db").exists()
    assert kept(tmp_path / "two") == [*range(50), 60]
    state = state_of(tmp_path / "two")
    with state.writing() as line:
        note_deed(line, Deed("2027", "", "ada", "again", "p", "done"))
    assert [deed.at for deed in read_deeds(state)] == ["2026", "2027"]
    state.close()
    second = back_up(tmp_path / "two", tmp_path / "postgres.tar", now=NOW)
    assert second.manifest.facts["state"] == "postgresql"
    with pytest.raises(AskError, match="state-not-empty"):
        restore(second.file, tmp_path / "three", replace=False, moved=nothing)
    restore(second.file, tmp_path / "three", replace=True, moved=nothing)
    with psycopg.connect(postgres.address) as line_:
        assert line_.execute("SELECT count(*) FROM audit").fetchone() == (2,)
    monkeypatch.delenv("FORECARBON_STATE_URL")
    restore(second.file, tmp_path / "four", replace=False, moved=nothing)
    after = rows(tmp_path / "four")
    assert {**after, "audit": after["audit"][:1]} == before
    postgres.stop()
    monkeypatch.setenv("FORECARBON_STATE_URL", postgres.address)
    with pytest.raises(AskError, match="state-database"):
        back_up(tmp_path / "two", tmp_path / "none.tar", now=NOW)
    assert not (tmp_path / "none.tar").exists()
    assert spools(tmp_path / "two")
    with pytest.raises(AskError, match="state-database"):
        restored.restore(second.file, tmp_path / "five", replace=False, moved=nothing)
    assert not (tmp_path / "five" / "current.json").exists()


def test_killed_with_the_state_in_postgresql_it_is_run_again(
    full: Path, tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database(installed) as address:
        killed_and_again(full, tmp_path, address, monkeypatch)


def killed_and_again(full: Path, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done, new = back_up(full, tmp_path / "b.tar", now=NOW), tmp_path / "new"
    monkeypatch.setenv("FORECARBON_STATE_URL", address)
    killed = process(KILLED, "restore", done.file, new, "restored", "_into_server+", "1")
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    for _ in range(2):  # a refusal leaves no mark that would allow the second try
        with pytest.raises(AskError, match="state-not-empty"):
            restore(done.file, tmp_path / "elsewhere", replace=False, moved=nothing)
    restore(done.file, new, replace=False, moved=nothing)
    assert kept(new) == [*range(50), 60]
    assert not (new / SCRATCH).exists()
