"""Carrying the whole state from one database to another: from PostgreSQL into a backup's file, and back."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from features.errors import AskError
from serving.state import State
from serving.tables import JOURNAL, VERSIONS

_ROWS: Final = 1000


def tables() -> list[sa.Table]:
    """Every table of the state that holds rows of ours."""
    return [table for table in JOURNAL.metadata.sorted_tables if table.name != VERSIONS]


def carry(source: State, target: State, *, replace: bool = False) -> int:
    """Copy every row of ``source``, as of one instant, into ``target``, in one transaction.

    Args:
        replace: what ``target`` holds goes first.

    Returns: how many rows.

    Raises:
        AskError: ``target`` holds rows (``state-not-empty``), or a database does not answer.
    """
    copied = 0
    source.prepare()
    with target.writing() as new, source.reading() as old:
        if source.backend == "postgresql":
            old.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for table in tables():
            if new.scalar(sa.select(sa.func.count()).select_from(table)):
                if not replace:
                    raise _not_empty(table.name)
                new.execute(sa.delete(table))
            copied += _copy(old, new, table)
    return copied


def refuse_rows(target: State) -> None:
    """Raises AskError if ``target`` holds rows (``state-not-empty``), or does not answer."""
    with target.reading() as line:
        for table in tables():
            if line.scalar(sa.select(sa.func.count()).select_from(table)):
                raise _not_empty(table.name)


def _copy(old: sa.Connection, new: sa.Connection, table: sa.Table) -> int:
    copied = 0
    rows = old.execution_options(stream_results=True).execute(sa.select(table))
    for part in rows.mappings().partitions(_ROWS):
        new.execute(sa.insert(table), [dict(row) for row in part])
        copied += len(part)
    counter = next((column for column in table.primary_key if isinstance(column.type, sa.Integer)), None)
    if new.dialect.name == "postgresql" and counter is not None:
        # Rows came with their numbers: the next one must get a number after them.
        top = sa.select(sa.func.coalesce(sa.func.max(counter), 0) + 1).scalar_subquery()
        place = sa.func.pg_get_serial_sequence(table.name, counter.name)
        new.execute(sa.select(sa.func.setval(place, top, False)))
    return copied


def _not_empty(table: str) -> AskError:
    return AskError(
        "state-not-empty",
        found=f"rows in the table {table} of serving's state",
        expected="an empty database to restore into",
        remedy="name an empty one in FORECARBON_STATE_URL, or say --replace; nothing was changed",
    )
