"""The end of the journal: which models answered lately, and rows that are older than they are kept."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from serving.spool import entry_in, waiting
from serving.state import State
from serving.tables import JOURNAL

_AT_ONCE: Final = 5000


def answered(state: State, since: str) -> set[str]:
    """Model versions that issued a forecast at or after ``since`` (as entries write instants)."""
    asked = sa.select(JOURNAL.c.model_version).where(JOURNAL.c.issued_at >= since).distinct()
    with state.reading() as line:
        return {str(row[0]) for row in line.execute(asked)}


def waiting_versions(store: Path) -> set[str]:
    """Model versions of entries that still wait in spools."""
    entries = (entry_in(line) for line in waiting(store))
    return {entry.model_version for entry in entries if entry is not None}


def cannot_be_made_again(state: State, versions: Set[str], since: str) -> int:
    """How many entries at or after ``since`` are of a model that is not among ``versions``."""
    asked = sa.select(sa.func.count()).select_from(JOURNAL)
    asked = asked.where(JOURNAL.c.issued_at >= since, JOURNAL.c.model_version.not_in(sorted(versions)))
    with state.reading() as line:
        return int(line.scalar(asked) or 0)


def older(state: State, before: str) -> tuple[int, int]:
    """How many entries were issued before ``before``, and the characters they take."""
    size = sa.func.coalesce(sa.func.sum(sa.func.length(JOURNAL.c.entry)), 0)
    with state.reading() as line:
        row = line.execute(sa.select(sa.func.count(), size).where(JOURNAL.c.issued_at < before)).one()
    return int(row[0]), int(row[1])


def forget(state: State, before: str) -> int:
    """Remove entries issued before ``before``, some thousands a transaction, so that nobody waits long."""
    gone = 0
    some = sa.select(JOURNAL.c.forecast_id).where(JOURNAL.c.issued_at < before).limit(_AT_ONCE)
    while True:
        with state.writing() as line:
            done = line.execute(sa.delete(JOURNAL).where(JOURNAL.c.forecast_id.in_(some.scalar_subquery())))
        gone += done.rowcount
        if done.rowcount < _AT_ONCE:
            return gone
