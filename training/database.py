"""The tracker's own sqlite file: made or migrated whole, or left as it was. MLflow itself is called by
``training.tracking``."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path


def prepare(database: Path, newest: str, make_tables: Callable[[Path], None]) -> None:
    """Make or migrate the database beside itself and move it in whole.

    A process killed between two migrations would otherwise leave tables that no MLflow opens.

    Args:
        newest: schema revision that the installed MLflow writes.
        make_tables: fills an empty file.

    Raises:
        sqlite3.OperationalError: the file is locked or cannot be read.
    """
    for left in database.parent.glob(".mlflow.*"):
        shutil.rmtree(left, ignore_errors=True)  # of a process killed right here
    revision = revision_of(database)
    if revision == newest:
        return
    with tempfile.TemporaryDirectory(prefix=".mlflow.", dir=database.parent) as folder:
        scratch = Path(folder) / database.name
        if database.exists():
            with closing(sqlite3.connect(database)) as old, closing(sqlite3.connect(scratch)) as new:
                old.backup(new)
        if revision:
            upgrade = [sys.executable, "-m", "mlflow", "db", "upgrade", f"sqlite:///{scratch}"]
            subprocess.run(upgrade, check=True, capture_output=True)  # noqa: S603
        else:
            make_tables(scratch)
        os.replace(scratch, database)


def revision_of(database: Path) -> str:
    """Schema revision of an MLflow database, "" if it has none."""
    if not database.exists():
        return ""
    with closing(sqlite3.connect(database)) as connection:
        named = "select count(*) from sqlite_master where name = 'alembic_version'"
        if not connection.execute(named).fetchone()[0]:
            return ""
        row = connection.execute("select version_num from alembic_version").fetchone()
    return str(row[0]) if row else ""


_PLACES = ("artifact_uri", "artifact_location", "storage_location", "source", "default_artifact_root")


def move(database: Path, old: Path, new: Path) -> int:
    """Have the files of runs, kept by their full address, be found below ``new`` instead of ``old``.

    Returns: how many addresses were changed.
    """
    if not database.exists() or old == new:
        return 0
    before, after, changed = f"{old.as_uri()}/", f"{new.as_uri()}/", 0
    with closing(sqlite3.connect(database)) as line, line:
        for (table,) in line.execute("select name from sqlite_master where type = 'table'").fetchall():
            columns = {str(row[1]) for row in line.execute(f'pragma table_info("{table}")')}
            for column in sorted(columns & set(_PLACES)):
                done = line.execute(
                    f'update "{table}" set "{column}" = ? || substr("{column}", ?) '  # noqa: S608  # names of its own tables
                    f'where substr("{column}", 1, ?) = ?',
                    (after, len(before) + 1, len(before), before),
                )
                changed += done.rowcount
    return changed


def known(database: Path) -> tuple[set[str], set[str]]:
    """Ids of every run and of every logged model in an MLflow database, deleted ones too."""
    with closing(sqlite3.connect(database)) as line:
        runs = {str(row[0]) for row in line.execute("select run_uuid from runs")}
        models = {str(row[0]) for row in line.execute("select model_id from logged_models")}
    return runs, models
