"""What can be seen of a place, and whether a job did there what it is for."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Final

from features import archive
from features.files import read_records
from features.findings import read_findings
from features.series.lake import Lake
from serving.journal import read_entries
from serving.layout import CURRENT, Pointer, read_pointer
from serving.opened import open_pack
from tests.faults.jobs import Place, Told
from tests.faults.store import OLD

Rows = list[tuple[Any, ...]]
_WELL: Final[set[tuple[tuple[str, int, int], ...]]] = set()


@dataclass(frozen=True)
class Seen:
    """What a place holds, as far as a job may change it."""

    pointer: Pointer | None
    promoted: list[dict[str, Any]]
    retrains: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    issued: list[tuple[str, str]]
    keys: Rows
    runs: Rows
    lake: list[str]
    models: list[str]
    packs: list[str]
    downloads: list[str]
    out: list[str]

    @staticmethod
    def of(place: Place) -> Seen:
        """Of a place whose files are sound."""
        store = place.store
        return Seen(
            pointer=read_pointer(store / CURRENT),
            promoted=read_records(store / "promotions.jsonl"),
            retrains=read_records(store / "retrains.jsonl"),
            findings=read_findings(store),
            issued=[(str(one["forecast_id"]), str(one["issued_at"])) for one in read_entries(store)],
            keys=rows(store / "state.db", "SELECT name, created_at FROM keys ORDER BY created_at"),
            runs=rows(store / "schedule.db", "SELECT job, state, missed FROM schedule_runs ORDER BY run"),
            lake=[one.folder for one in Lake(store / "lake").snapshots()],
            models=names(store / "models"),
            packs=names(store / "packs"),
            downloads=names(store / "downloads"),
            out=names(place.folder / "out"),
        )

    def unlike(self, before: Seen) -> set[str]:
        """What has changed."""
        return {each.name for each in fields(self) if getattr(self, each.name) != getattr(before, each.name)}


def rows(database: Path, asked: str) -> Rows:
    """What a sqlite file answers; nothing where there is none, or it has no such table."""
    if not database.is_file():
        return []
    with closing(sqlite3.connect(database)) as line:
        try:
            return line.execute(asked).fetchall()
        except sqlite3.OperationalError as fault:
            if "no such table" in str(fault):
                return []
            raise


def names(folder: Path) -> list[str]:
    """Names in a folder, hidden ones too."""
    return sorted(path.name for path in folder.glob("*")) if folder.is_dir() else []


def whole(place: Place, before: Seen) -> Seen:
    """The store is whole: its pointer opens, its records only grew, its databases are sound; what is seen."""
    now = Seen.of(place)
    pointer = now.pointer
    assert pointer is not None
    _once(lambda: open_pack(place.store, pointer), *(place.store / pointer.pack).rglob("*"))
    assert now.promoted[: len(before.promoted)] == before.promoted
    assert now.promoted[-1]["to_version"] == pointer.model_version
    assert now.retrains[: len(before.retrains)] == before.retrains
    for path in place.store.glob("*.db"):
        _once(partial(_sound, path), path, path.with_name(f"{path.name}-wal"))
    return now


def _sound(database: Path) -> None:
    with closing(sqlite3.connect(database)) as line:
        assert line.execute("PRAGMA quick_check(1)").fetchone() == ("ok",), database.name


def _once(check: Callable[[], object], *paths: Path) -> None:
    """Check files, but for those that were found well and have not been touched since, here or as copies."""
    facts = [(path.name, path.stat()) for path in paths if path.is_file()]
    key = tuple(sorted((name, told.st_mtime_ns, told.st_size) for name, told in facts))
    if key not in _WELL:
        check()
        _WELL.add(key)


# --- what each job is for ---------------------------------------------------------------------------------


def _ingested(now: Seen, before: Seen, told: Told, place: Place) -> None:
    assert len(now.lake) == 1
    assert "known already" in told.out if before.lake else "a new snapshot" in told.out


def _retrained(now: Seen, before: Seen, told: Told, place: Place) -> None:
    assert len(now.retrains) == len(before.retrains) + 1
    assert "Verdict: " in told.out
    assert now.pointer is not None
    assert f"Serving: {now.pointer.model_version}" in told.out


def _forecast(now: Seen, before: Seen, told: Told, place: Place) -> None:
    ((made, _),) = set(now.issued) - set(before.issued)
    assert f"forecast_id {made}\n" in told.out


def _served(now: Seen, before: Seen, told: Told, place: Place) -> None:
    assert len(now.issued) == len(before.issued) + 2
    assert "journal ok" in told.out


def _scheduled(now: Seen, before: Seen, told: Told, place: Place) -> None:
    assert "look: done. " in told.out
    assert [run[:2] for run in now.runs[len(before.runs) :]] == [("look", "done")]


def _watched(now: Seen, before: Seen, told: Told, place: Place) -> None:
    assert "Issued forecasts with an actual: " in told.out


def _promoted(now: Seen, before: Seen, told: Told, place: Place) -> None:
    assert now.pointer is not None
    assert now.pointer.model_version == now.promoted[-1]["to_version"] == "second"
    assert sum(line["to_version"] == "second" for line in now.promoted) == 1
    assert "Serving: second. Registry: " in told.out


def _key(now: Seen, before: Seen, told: Told, place: Place) -> None:
    assert [name for name, _ in set(now.keys) - set(before.keys)] == ["acme"]
    assert "\nfc_" in told.out


def _reproduced(now: Seen, before: Seen, told: Told, place: Place) -> None:
    assert json.loads(told.out)["identical"]
    assert now == before


def _backed_up(now: Seen, before: Seen, told: Told, place: Place) -> None:
    (made,) = sorted(set(now.out) - set(before.out))
    facts = archive.checked(place.folder / "out" / made).facts
    assert now.pointer is not None
    assert facts["champion"] == now.pointer.model_version
    assert not [name for name in now.out if not name.endswith(".tar")]


def _restored(now: Seen, before: Seen, told: Told, place: Place) -> None:
    facts = archive.checked(place.folder / "kept.tar").facts
    assert now.pointer is not None
    assert facts["champion"] == now.pointer.model_version
    assert (len(now.issued), now.keys[0][0]) == (1, "ada")
    assert not (place.store / ".restoring").exists()


def _vacuumed(now: Seen, before: Seen, told: Told, place: Place) -> None:
    assert now.pointer is not None
    assert OLD not in now.models
    assert {now.pointer.model_version, "second"} <= set(now.models)
    assert not [name for name in now.models if name.startswith(".")]
    assert now.downloads == []
    assert " MB freed." in told.out


DID: Final[dict[str, Callable[[Seen, Seen, Told, Place], None]]] = {
    "ingest": _ingested, "retrain": _retrained, "forecast": _forecast, "serve": _served,
    "schedule": _scheduled, "watch": _watched, "promote": _promoted, "keys": _key,
    "reproduce": _reproduced, "backup": _backed_up, "restore": _restored, "vacuum": _vacuumed,
}  # fmt: skip


def did(job: str, place: Place, before: Seen, told: Told) -> Seen:
    """The job ended well and did what it is for, and the store is whole; what is seen of it."""
    assert (told.status, told.plain) == (0, True), told
    now = whole(place, before)
    DID[job](now, before, told, place)
    return now
