"""When each job is due, which runs there were, and whose turn it is: three SQL tables, sqlite or PostgreSQL.

Plain columns only, so that no job is ever a pickle. The turn is a lease: one row, taken and renewed by
single statements that name the holder, and free again once it runs out, however its holder ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from features.errors import AskError
from features.instants import to_milli

TOLD: Final = 1000
_TURN: Final = "jobs"
_META: Final = sa.MetaData()
_JOBS: Final = sa.Table(
    "schedule_jobs",
    _META,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("cron", sa.String(200), nullable=False),
    sa.Column("due", sa.String(24), nullable=False),
)
_RUNS: Final = sa.Table(
    "schedule_runs",
    _META,
    sa.Column("run", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("job", sa.String(60), nullable=False),
    sa.Column("due", sa.String(24), nullable=False),
    sa.Column("missed", sa.Integer, nullable=False),
    sa.Column("holder", sa.String(200), nullable=False),
    sa.Column("started", sa.String(24), nullable=False),
    sa.Column("ended", sa.String(24), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("told", sa.String(TOLD), nullable=False),
)
_LEASE: Final = sa.Table(
    "schedule_lease",
    _META,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("holder", sa.String(200), nullable=False),
    sa.Column("until", sa.String(24), nullable=False),
)
_FREE: Final = ""


@dataclass(frozen=True)
class Run:
    """One run of a job.

    Attributes:
        due: when it should have started; ``missed``: later due times that it also stands for.
        holder: the scheduler that ran it.
        state: running, done, failed, or lost (its scheduler ended without a word).
        told: what it said.
    """

    run: int
    job: str
    due: str
    missed: int
    holder: str
    started: str
    ended: str
    state: str
    told: str


def text_of(moment: datetime) -> str:
    """An instant as it is kept: UTC, milliseconds, texts in the order of time."""
    return to_milli(moment)


def default_database(store: Path) -> str:
    """Address of the timetable of a store that is given no other."""
    return f"sqlite:///{store.resolve() / 'schedule.db'}"


class Timetable:
    """The tables at a database address (SQLAlchemy URL)."""

    def __init__(self, url: str) -> None:
        """Open the database, making tables that are not there yet.

        Raises:
            AskError: no such database, or it does not answer (``schedule-database``).
        """
        with _answering():
            address = _address_in(url)
            if address.get_backend_name() == "sqlite" and address.database:
                Path(address.database).parent.mkdir(parents=True, exist_ok=True)
                self._engine = _one_at_a_time(sa.create_engine(address, connect_args={"timeout": 30}))
            else:
                self._engine = sa.create_engine(address, pool_pre_ping=True)
        try:
            self._prepare()
        except AskError:
            # Two processes that make the tables at once: the slower one finds them made.
            self._prepare()

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def settle(self, jobs: Mapping[str, str], first: Mapping[str, datetime]) -> None:
        """Enter jobs (name -> cron) not seen before, or with another cron, as due at ``first``."""
        with self._begun() as line:
            known = {str(row.name): str(row.cron) for row in line.execute(sa.select(_JOBS))}
        for name, cron in jobs.items():
            if known.get(name) == cron:
                continue
            values = {"cron": cron, "due": text_of(first[name])}
            with self._begun() as line:
                if name in known:
                    line.execute(sa.update(_JOBS).where(_JOBS.c.name == name).values(**values))
                else:
                    _insert_once(line, _JOBS, {"name": name, **values})

    def due(self, names: Sequence[str]) -> dict[str, datetime]:
        """When each of the jobs is due, soonest first."""
        asked = sa.select(_JOBS).where(_JOBS.c.name.in_(names)).order_by(_JOBS.c.due, _JOBS.c.name)
        with self._begun() as line:
            return {str(row.name): datetime.fromisoformat(row.due) for row in line.execute(asked)}

    def take(self, holder: str, *, now: datetime, until: datetime) -> bool:
        """Take the turn if it is free or has run out at ``now``; whether ``holder`` has it."""
        free = sa.or_(_LEASE.c.holder.in_([_FREE, holder]), _LEASE.c.until < text_of(now))
        return self._turn(free, holder, text_of(until))

    def renew(self, holder: str, *, until: datetime) -> bool:
        """Hold the turn on; False if it has gone to another."""
        return self._turn(_LEASE.c.holder == holder, holder, text_of(until))

    def release(self, holder: str) -> None:
        """Give the turn back, if ``holder`` still has it."""
        self._turn(_LEASE.c.holder == holder, _FREE, "")

    def begin(self, job: str, *, due: datetime, missed: int, holder: str, now: datetime) -> int:
        """Enter a run; its number. Runs that were begun and never ended are lost: the turn is ours now."""
        with self._begun() as line:
            lost = sa.update(_RUNS).where(_RUNS.c.state == "running")
            line.execute(lost.values(state="lost", ended=text_of(now)))
            entered = line.execute(
                sa.insert(_RUNS).values(
                    job=job, due=text_of(due), missed=missed, holder=holder, started=text_of(now),
                    ended="", state="running", told="",
                )
            )  # fmt: skip
            key = entered.inserted_primary_key
        return int(key[0]) if key else 0

    def end(self, run: int, *, job: str, state: str, told: str, now: datetime, due: datetime) -> bool:
        """End a run and say when its job is due next; False if it had been given up for lost."""
        with self._begun() as line:
            mine = sa.update(_RUNS).where(_RUNS.c.run == run, _RUNS.c.state == "running")
            ended = line.execute(mine.values(state=state, told=told[:TOLD], ended=text_of(now)))
            if ended.rowcount != 1:
                return False
            line.execute(sa.update(_JOBS).where(_JOBS.c.name == job).values(due=text_of(due)))
        return True

    def runs(self) -> list[Run]:
        """Every run, oldest first."""
        with self._begun() as line:
            return [Run(**row._mapping) for row in line.execute(sa.select(_RUNS).order_by(_RUNS.c.run))]  # noqa: SLF001  # SQLAlchemy's public name for a row as a mapping

    def _turn(self, where: Any, holder: str, until: str) -> bool:
        changed = sa.update(_LEASE).where(_LEASE.c.name == _TURN, where)
        with self._begun() as line:
            return line.execute(changed.values(holder=holder, until=until)).rowcount == 1

    def _prepare(self) -> None:
        with self._begun() as line:
            _META.create_all(line)
        with self._begun() as line:
            if not line.execute(sa.select(_LEASE.c.name)).first():
                _insert_once(line, _LEASE, {"name": _TURN, "holder": _FREE, "until": ""})

    @contextmanager
    def _begun(self) -> Iterator[sa.Connection]:
        with _answering(), self._engine.begin() as line:
            yield line


def _address_in(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except ValueError:
        # A port that is no number, which may be the end of a password: nothing of it is repeated.
        raise ArgumentError("a port that is no number") from None


def _one_at_a_time(engine: sa.Engine) -> sa.Engine:
    """Each transaction of a sqlite file waits for its turn as it begins.

    The driver by itself makes tables outside of any transaction, and turns a reader into a writer without
    waiting: two processes that open a new file at once then fail one another.
    """

    def connected(raw: Any, _: object) -> None:
        raw.isolation_level = None

    def begun(line: sa.Connection) -> None:
        line.exec_driver_sql("BEGIN IMMEDIATE")

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", begun)
    return engine


def _insert_once(line: sa.Connection, table: sa.Table, values: Mapping[str, str]) -> None:
    try:
        with line.begin_nested():
            line.execute(sa.insert(table).values(**values))
    except IntegrityError:
        return  # another scheduler entered it just now


@contextmanager
def _answering() -> Iterator[None]:
    """The database's errors in our own form; neither address nor password is told."""
    try:
        yield
    except (SQLAlchemyError, ImportError) as fault:
        cause = getattr(fault, "orig", None) or fault
        raise AskError(
            "schedule-database",
            found=f"{type(cause).__name__} from the schedule's database",
            expected="a database that answers, with its driver installed",
            remedy="check the address given by --database or FORECARBON_SCHEDULE_DB, and the disk",
        ) from None
