"""Serving's state in SQL: journal, keys, actuals and audit; sqlite in the store, or PostgreSQL by address.

A database that is down says so within seconds: nobody who answers requests may wait for it.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from features.errors import AskError
from serving.tables import AUDIT, HEAD, VERSION, VERSIONS

STATE_URL: Final = "FORECARBON_STATE_URL"
DOWN: Final = "state-database"
PATIENCE_SECONDS: Final = 3
LONGEST: Final = 100  # characters of a word in the audit
_PRIVATE: Final = 0o640
_STATEMENT_SECONDS: Final = 10
_MIGRATION_SECONDS: Final = 60
_MIGRATIONS: Final = Path(__file__).resolve().parent / "migrations"
# Any number of our own; whoever migrates holds it.
_ADVISORY_LOCK: Final = 706_172_626
_MEMORY: Final = (None, "", ":memory:")


def state_url(store: Path) -> str:
    """Address of the state of a store: FORECARBON_STATE_URL, else sqlite in the store."""
    return os.environ.get(STATE_URL) or f"sqlite:///{store.resolve() / 'state.db'}"


def state_of(store: Path, url: str | None = None) -> State:
    """The state of a store, at ``url`` or where ``state_url`` says."""
    return State(url or state_url(store))


class State:
    """The database at an address (SQLAlchemy URL). Nothing is opened before it is needed.

    Threads may share it. The tables are made, or brought up to date, before the first use.
    """

    def __init__(self, url: str) -> None:
        """Raises AskError: no address of sqlite or PostgreSQL (``state-database``)."""
        self._url = _address(url)
        with answering():
            self._engine = _engine(self._url)
        self._ready = False
        self._lock = threading.Lock()

    @property
    def backend(self) -> str:
        """Either "sqlite" or "postgresql"."""
        return self._url.get_backend_name()

    @property
    def exists(self) -> bool:
        """False for a sqlite file that is not there yet: nothing has been kept, and reading makes none."""
        return self.backend != "sqlite" or Path(str(self._url.database)).exists()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to read with, in one transaction.

        Raises:
            AskError: the database does not answer (``state-database``), or is newer than this release.
        """
        self.prepare()
        with answering(), self._engine.begin() as line:
            yield line

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection to write with, in one transaction; errors as of ``reading``."""
        self.prepare()
        with answering(), self._engine.execution_options(immediate=True).begin() as line:
            yield line

    def prepare(self) -> None:
        """Make the tables or bring them up to date, once; errors as of ``reading``."""
        if self._ready:
            return
        with self._lock, answering():
            if not self._ready:
                fresh = not self.exists
                _upgrade(self._engine, self._url)
                if fresh:
                    # Callers' figures and digests of keys: nobody's but the account's and its group's.
                    Path(str(self._url.database)).chmod(_PRIVATE)
                self._ready = True

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


@dataclass(frozen=True)
class Deed:
    """One line of the audit: when, by which key ("" none), who, what, where, and what came of it."""

    at: str
    key_id: str
    who: str
    what: str
    place: str
    outcome: str


def note_deed(line: sa.Connection, deed: Deed) -> None:
    """Append to the audit, within the transaction of what was done.

    Words may come from callers: they are cut, and signs that a database may refuse are replaced.
    """
    told = {name: "".join(c if c.isprintable() else "?" for c in getattr(deed, name)) for name in _DEED}
    line.execute(sa.insert(AUDIT).values(**{name: text[:LONGEST] for name, text in told.items()}))


def read_deeds(state: State) -> list[Deed]:
    """The whole audit, oldest first."""
    with state.reading() as line:
        asked = sa.select(*(AUDIT.c[name] for name in _DEED)).order_by(AUDIT.c.row)
        return [Deed(*row) for row in line.execute(asked)]


_DEED: Final = ("at", "key_id", "who", "what", "place", "outcome")


def upgrade(url: str) -> None:
    """Bring the tables at ``url`` up to date; several processes may do it at once, and again.

    Raises:
        AskError: the database does not answer, or is newer than this release (``state-newer``).
    """
    state = State(url)
    try:
        state.prepare()
    finally:
        state.close()


@contextmanager
def answering() -> Iterator[None]:
    """The database's errors in our own form; neither address nor password is told."""
    try:
        yield
    except (SQLAlchemyError, ImportError) as fault:
        raise _away(getattr(fault, "orig", None) or fault) from None


def _away(cause: BaseException) -> AskError:
    return AskError(
        DOWN, found=f"{type(cause).__name__} from the database of serving's state",
        expected="a database that answers, with its driver installed",
        remedy=f"check the address in {STATE_URL}, the database and the disk",
    )  # fmt: skip


def _address(url: str) -> sa.URL:
    try:
        # Some hosts hand out the short name, which SQLAlchemy does not know.
        known = sa.make_url(url.replace("postgres://", "postgresql://", 1))
    except (SQLAlchemyError, ValueError) as fault:  # a port that is no number may be the end of a password
        raise _away(fault) from None
    backend = known.get_backend_name()
    if backend not in ("sqlite", "postgresql") or (backend == "sqlite" and known.database in _MEMORY):
        raise AskError(
            DOWN,
            found=f"an address of {backend} without a file" if backend == "sqlite" else f"one of {backend}",
            expected="sqlite:///FILE or postgresql://USER@HOST/NAME",
            remedy=f"mend {STATE_URL}",
        )
    return known.set(drivername="postgresql+psycopg") if known.drivername == "postgresql" else known


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": PATIENCE_SECONDS})
        sa.event.listen(engine, "connect", _open_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    # A connection whose server has gone is found out and replaced before it is used.
    engine = sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_size=2,
        pool_timeout=PATIENCE_SECONDS,
        connect_args={
            "connect_timeout": PATIENCE_SECONDS,
            "tcp_user_timeout": PATIENCE_SECONDS * 1000,
            # Poolers that hand a connection round by the transaction know no prepared statements.
            "prepare_threshold": None,
        },
    )
    sa.event.listen(engine, "connect", _open_postgresql)
    return engine


def _open_sqlite(raw: Any, _: object) -> None:
    # The driver would begin transactions by itself, and late: two writers could then only fail.
    raw.isolation_level = None
    # Every commit reaches the disk, as every line of the journal did.
    raw.execute("PRAGMA synchronous=FULL")


def _begin_sqlite(line: sa.Connection) -> None:
    now = line.get_execution_options().get("immediate", False)
    line.exec_driver_sql("BEGIN IMMEDIATE" if now else "BEGIN")


def _open_postgresql(raw: Any, _: object) -> None:
    with raw.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = '{_STATEMENT_SECONDS}s'")
        cursor.execute(f"SET lock_timeout = '{PATIENCE_SECONDS}s'")
    raw.commit()


def _upgrade(engine: sa.Engine, url: sa.URL) -> None:
    sqlite = url.get_backend_name() == "sqlite"
    file = Path(str(url.database))
    try:
        if sqlite:
            file.parent.mkdir(parents=True, exist_ok=True)
        if (not sqlite or file.exists()) and _stands_at(engine) == HEAD:
            return
        with _locked(file.with_name(f"{file.name}.lock")) if sqlite else nullcontext():
            if sqlite:
                _prefer_wal(engine)
            with engine.execution_options(immediate=True).begin() as line:
                _run_steps(line)
    except OSError as fault:
        raise AskError(
            DOWN,
            found=f"{type(fault).__name__} at the folder of serving's state",
            expected="a folder that can be written",
            remedy=f"check the disk, or name a database in {STATE_URL}",
        ) from None


def _stands_at(engine: sa.Engine) -> str:
    """The step a database stands at; "" if it has no tables yet."""
    with engine.begin() as line:
        if not sa.inspect(line).has_table(VERSIONS):
            return ""
        return str(line.scalar(sa.select(VERSION.c.version_num)) or "")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``; the kernel frees it if the process dies."""
    with path.open("a+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _prefer_wal(engine: sa.Engine) -> None:
    """Readers and the writer of a sqlite file do not wait for one another; kept in the file."""
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode=WAL")
    finally:
        raw.close()


def _run_steps(line: sa.Connection) -> None:
    # Imported now: it takes long, and a database that is up to date does not need it. Without an env.py
    # nothing of it touches the logging of the process.
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    if line.dialect.name == "postgresql":
        line.exec_driver_sql(f"SET LOCAL statement_timeout = '{_MIGRATION_SECONDS}s'")
        line.exec_driver_sql(f"SET LOCAL lock_timeout = '{_MIGRATION_SECONDS}s'")
        line.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
    context = MigrationContext.configure(line, opts={"version_table": VERSIONS})
    script = ScriptDirectory(_MIGRATIONS)
    known = [step.revision for step in script.walk_revisions()]
    present = context.get_current_revision()
    if present is not None and present not in known:
        raise AskError(
            "state-newer",
            found=f"tables of serving's state at step {present}",
            expected=f"step {HEAD} at the most, which this release knows",
            remedy="run the release that made them, or a newer one",
        )
    for step in reversed(list(script.iterate_revisions("head", present or "base"))):
        if step.revision == present:
            continue
        with Operations.context(context):
            step.module.upgrade()
        context.stamp(script, step.revision)
