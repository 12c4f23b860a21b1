"""The journal of issued forecasts: one row an answer in SQL, written beside the answer, never before it.

Entries are queued and written by one thread, a batch at a time. While the database is away they go to a
spool file, and while the disk is away too they are held in memory; the journal then says "degraded" and
tries again. Each entry has a name of its own, so that writing it twice changes nothing (docs/adr/0016).
"""

from __future__ import annotations

import heapq
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from features.errors import AskError
from features.logins import without_logins
from serving.spool import CHUNK, Spool, entry_in, waiting
from serving.spool import Entry as Entry  # known to others as the journal's
from serving.state import PATIENCE_SECONDS, State, state_of
from serving.tables import JOURNAL

HELD: Final = 50_000
BATCH_SECONDS: Final = 0.05
RETRY_SECONDS: Final = 1.0
SWEEP_SECONDS: Final = 30.0
_FIRST_RETRY: Final = 0.05
_PAGE: Final = 1000
_LOG: Final = logging.getLogger("bentoml.forecarbon.journal")
_COLUMNS: Final = "forecast_id, issued_at, key_id, model_version, entry"
# A batch is one parameter and one statement: a driver that is handed rows one by one asks for the
# interpreter's lock at each, and under load waits for it each time.
_ENTER: Final = {
    "sqlite": (
        f"INSERT INTO journal ({_COLUMNS}) "  # noqa: S608  # constant text
        + "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), "
        + "json_extract(value, '$[3]'), json_extract(value, '$[4]') FROM json_each(?) WHERE true "
        + "ON CONFLICT (forecast_id) DO NOTHING"
    ),
    "postgresql": (
        f"INSERT INTO journal ({_COLUMNS}) "  # noqa: S608  # constant text
        + "SELECT e->>0, e->>1, e->>2, e->>3, e->>4 FROM json_array_elements(CAST(%s AS json)) AS e "
        + "ON CONFLICT (forecast_id) DO NOTHING"
    ),
}


class Journal:
    """Append-only record of the forecasts that one process issues.

    One thread notes; another, of the journal's own, writes.
    """

    def __init__(self, store: Path, url: str | None = None) -> None:
        """The journal of a store, in the state at ``url`` or where ``state_url`` says.

        Raises:
            AskError: no address of a database (``state-database``); one that is down is none.
        """
        self._state = state_of(store, url)
        self._spool = Spool(store)
        self._held: deque[Entry] = deque(maxlen=HELD)
        self._batch: list[Entry] = []
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._failed = False
        self._lost = 0
        self._pause = _FIRST_RETRY
        # In time.monotonic(): when to try the database again, and to look for spools left over.
        self._retry_at = self._sweep_at = 0.0
        self._begun: float | None = None  # when the writer last turned to the database, while it is there
        self._writer = threading.Thread(target=self._write_on, name="journal", daemon=True)
        self._writer.start()

    @property
    def state(self) -> str:
        """Either "ok", or "degraded" while the database is away or hangs, or a spool is not drained."""
        begun = self._begun
        hangs = begun is not None and time.monotonic() - begun > PATIENCE_SECONDS
        return "degraded" if self._failed or hangs else "ok"

    @property
    def lost(self) -> int:
        """Entries dropped because database and disk stayed away for too long."""
        return self._lost

    def note(self, entry: Entry) -> None:
        """Queue one entry; returns at once, whatever the database does."""
        if len(self._held) >= HELD:
            self._lost += 1  # the oldest makes room
        self._held.append(entry)
        if not self._wake.is_set():
            self._wake.set()

    def close(self, seconds: float = 5.0) -> None:
        """Write what is held, into the spool at the least, and stop."""
        self._closing.set()
        self._wake.set()
        self._writer.join(seconds)

    def _write_on(self) -> None:
        while not self._closing.is_set():
            # Cleared before the queue is looked at: what is noted from here on wakes us again.
            self._wake.clear()
            self._round()
            if len(self._held) < CHUNK or self._batch:
                self._closing.wait(BATCH_SECONDS)
                self._wake.wait(self._pause if self._failed else SWEEP_SECONDS)
        self._round()
        while self._held and not self._batch:
            self._round()
        self._lost += len(self._batch) + len(self._held)
        self._spool.close()
        self._state.close()

    def _round(self) -> None:
        """Write a batch: into the database if it is there, else into the spool, else keep it in hand."""
        now = time.monotonic()
        self._take()
        try:
            if now < self._retry_at:
                self._put_aside()
                return
            self._begun = now
            self._enter()
            if self._failed or now >= self._sweep_at:
                self._catch_up()
                self._sweep_at = now + SWEEP_SECONDS
        except Exception as fault:  # noqa: BLE001 - a writer that dies would lose all that is noted after it
            self._fail(fault)
            self._put_aside()
        else:
            self._failed, self._pause = False, _FIRST_RETRY
        finally:
            self._begun = None

    def _take(self) -> None:
        """Into the batch what is held, up to a thousand; a batch that is still in hand goes first."""
        if not self._batch:
            self._batch = [self._held.popleft() for _ in range(min(len(self._held), CHUNK))]

    def _enter(self) -> None:
        enter(self._state, self._batch)
        self._batch = []

    def _catch_up(self) -> None:
        """Enter what waits in spools; what is noted meanwhile does not wait for all of it."""
        with closing(self._spool.backlog()) as backlog:
            for entries in backlog:
                enter(self._state, entries)
                self._take()
                self._enter()

    def _put_aside(self) -> None:
        try:
            self._spool.put(self._batch)
        except OSError:
            return  # kept in hand: the disk is full or gone
        self._batch = []

    def _fail(self, fault: Exception) -> None:
        if not self._failed:
            _LOG.warning(json.dumps({"event": "journal-degraded", "said": without_logins(str(fault))[:500]}))
        self._failed = True
        self._retry_at = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, RETRY_SECONDS)


def enter(state: State, entries: Sequence[Entry]) -> None:
    """Enter entries in one transaction; those that are there already stay as they are.

    Raises:
        AskError: the database does not answer (``state-database``); nothing was entered.
    """
    if entries or state.exists:
        state.prepare()
    if entries:
        with state.writing() as line:
            line.exec_driver_sql(_ENTER[state.backend], (json.dumps(entries),))


def keep(store: Path, entry: Entry, url: str | None = None) -> None:
    """Enter one entry at once, for a process that issues few; into the spool if the database is away.

    Raises:
        OSError: neither took it.
    """
    state = state_of(store, url)
    try:
        enter(state, [entry])
    except AskError:
        spool = Spool(store)
        try:
            spool.put([entry])
        finally:
            spool.close()
    finally:
        state.close()


def find(store: Path, forecast_id: str, url: str | None = None) -> dict[str, Any] | None:
    """The entry of a forecast as JSON, from the database or a spool; None if there is none.

    Raises:
        AskError: the database does not answer (``state-database``).
    """
    # Spools first, as in read_entries; only a line that has the name somewhere is worth reading.
    mark = forecast_id.encode()
    for entry in map(entry_in, (line for line in waiting(store) if mark in line)):
        if entry is not None and entry.forecast_id == forecast_id:
            return _read(entry.body)
    state = state_of(store, url)
    try:
        if not state.exists:
            return None
        with state.reading() as line:
            body = line.scalar(sa.select(JOURNAL.c.entry).where(JOURNAL.c.forecast_id == forecast_id))
        return None if body is None else _read(body)
    finally:
        state.close()


def read_entries(store: Path, url: str | None = None) -> Iterator[dict[str, Any]]:
    """Every entry as JSON, each once, oldest first, those too that wait in a spool.

    Raises:
        AskError: the database does not answer (``state-database``).
    """
    # Spools first: what is drained while we read is then seen twice rather than not at all.
    aside = [entry for entry in map(entry_in, waiting(store)) if entry is not None]
    state = state_of(store, url)
    last = ""
    try:
        for entry in heapq.merge(_entered(state), sorted(aside, key=_order), key=_order):
            if entry.forecast_id != last:
                last = entry.forecast_id
                yield _read(entry.body)
    finally:
        state.close()


def _entered(state: State) -> Iterator[Entry]:
    """The rows of the database in order, a page at a time, so that no transaction stays open."""
    if not state.exists:
        return
    order = sa.tuple_(JOURNAL.c.issued_at, JOURNAL.c.forecast_id)
    columns = [JOURNAL.c[name] for name in _COLUMNS.split(", ")]
    after = ("", "")
    while True:
        asked = sa.select(*columns).where(order > sa.tuple_(*after)).order_by(*order.clauses).limit(_PAGE)
        with state.reading() as line:
            page = [Entry(*row) for row in line.execute(asked)]
        yield from page
        if len(page) < _PAGE:
            return
        after = _order(page[-1])


def _order(entry: Entry) -> tuple[str, str]:
    return entry.issued_at, entry.forecast_id


def _read(body: str) -> dict[str, Any]:
    return dict(json.loads(body))
