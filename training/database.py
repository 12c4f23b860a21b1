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
