"""Rows that `mlflow gc` leaves in MLflow's database when runs and versions of the registry are gone.

It removes a run with its metrics, parameters and tags, and leaves what the run was given; and a version that
was deleted leaves an empty row with all its tags. Nobody reads either again. Tables are MLflow's own: only
those that are there are looked at, and only rows that lead to nothing go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa

from training.registry import NAME

# By table, the sides on which a row may name a run, and the words it has for one there.
_LINKS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "inputs": {"destination": ("RUN",), "source": ("RUN_INPUT", "RUN_OUTPUT")},
    "entity_associations": {"destination": ("run",), "source": ("run",)},
}
_DELETED: Final = "Deleted_Internal"  # MLflow's word for the stage of a version that was deleted
_TABLES: Final = (
    *("runs", "inputs", "input_tags", "datasets", "entity_associations", "logged_model_metrics"),
    *("model_versions", "model_version_tags"),
)
_PATIENCE: Final = "10s"
Told = sa.ColumnElement[bool]


def is_database(uri: str) -> bool:
    """Whether runs at an address are kept in a database that we can look through ourselves."""
    return uri.partition(":")[0].partition("+")[0] in ("sqlite", "postgresql")


def clear(uri: str, *, gone: Collection[str] = (), dropped: Collection[str] = (), dry: bool = False) -> int:
    """Remove the rows that lead to no run, and those of deleted versions; how many.

    Of each registered model the newest version stays, deleted or not: the next gets the number after it.

    Args:
        gone, dropped: runs, and versions of our model, that a dry look is to take for removed.
        dry: remove nothing.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database is down or locked; nothing was removed.
    """
    engine = sa.create_engine(uri)
    try:
        # Looked at first: where nothing is to go, nobody is shut out and nothing needs to be written.
        number = _gone_through(engine, gone, dropped, dry=True)
        return number if dry or not number else _gone_through(engine, gone, dropped, dry=False)
    finally:
        engine.dispose()


def _gone_through(engine: sa.Engine, gone: Collection[str], dropped: Collection[str], *, dry: bool) -> int:
    with engine.begin() as line:
        tables = sa.MetaData()
        tables.reflect(line, only=lambda name, _: name in _TABLES, resolve_fks=False)
        if not dry:
            _shut_out_others(line, tables.tables)
        with _runs_left(line, tables.tables, gone) as left:
            doomed = [*_of_runs(tables.tables, left), *_of_versions(tables.tables, dropped)]
            return sum(_counted(line, table, told, dry) for table, told in doomed)


def _shut_out_others(line: sa.Connection, tables: Any) -> None:
    """Let nobody who found a data set there already name it while it is removed.

    MLflow looks for one and names it in one transaction. sqlite lets one writer in at a time, and the lock of
    retrains is held.
    """
    if line.dialect.name == "postgresql" and "datasets" in tables:
        line.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
        line.exec_driver_sql("LOCK TABLE datasets IN ACCESS EXCLUSIVE MODE")


@contextmanager
def _runs_left(line: sa.Connection, tables: Any, gone: Collection[str]) -> Iterator[sa.Select[Any]]:
    """The ids of the runs that are there, without those ``gone``, which wait in a table of ours alone."""
    if "runs" not in tables:
        yield sa.select(sa.null()).where(sa.false())
        return
    there = sa.select(tables["runs"].c.run_uuid)
    if not gone:
        yield there
        return
    aside = sa.Table(
        "forecarbon_gone", sa.MetaData(), sa.Column("run_uuid", sa.String), prefixes=["TEMPORARY"]
    )
    aside.create(line)
    try:
        line.execute(sa.insert(aside), [{"run_uuid": run} for run in sorted(gone)])
        yield there.where(tables["runs"].c.run_uuid.not_in(sa.select(aside.c.run_uuid)))
    finally:
        aside.drop(line)


def _of_runs(tables: Any, left: sa.Select[Any]) -> Iterator[tuple[sa.Table, Told]]:
    """Tables and the rows in them that lead to no run; none leads to a row that goes before it."""
    if "runs" not in tables:
        return
    links = {name: _leads_nowhere(tables[name], sides, left) for name, sides in _LINKS.items()
             if name in tables}  # fmt: skip
    inputs, tags, sets = (tables.get(name) for name in ("inputs", "input_tags", "datasets"))
    if inputs is not None and tags is not None:
        staying = sa.select(inputs.c.input_uuid).where(~links["inputs"])
        yield tags, tags.c.input_uuid.not_in(staying)
    if inputs is not None and sets is not None:
        named = sa.select(inputs.c.source_id).where(inputs.c.source_type == "DATASET", ~links["inputs"])
        told = sets.c.dataset_uuid.not_in(named)
        metrics = tables.get("logged_model_metrics")
        if metrics is not None:
            measured = sa.select(metrics.c.dataset_uuid).where(metrics.c.dataset_uuid.is_not(None))
            told &= sets.c.dataset_uuid.not_in(measured)
        yield sets, told
    for name, told in links.items():
        yield tables[name], told


def _leads_nowhere(table: sa.Table, sides: dict[str, tuple[str, ...]], left: sa.Select[Any]) -> Told:
    return sa.or_(
        *(table.c[f"{side}_type"].in_(words) & table.c[f"{side}_id"].not_in(left)
          for side, words in sides.items())
    )  # fmt: skip


def _of_versions(tables: Any, dropped: Collection[str]) -> Iterator[tuple[sa.Table, Told]]:
    """Tables and the rows in them of deleted versions of registered models, but for the newest of each."""
    versions, tags = tables.get("model_versions"), tables.get("model_version_tags")
    if versions is None:
        return
    keys = [name for name in ("workspace", "name") if name in versions.c]  # earlier ones know no workspace
    others, told = versions.alias(), versions.c.current_stage == _DELETED
    newest = sa.select(sa.func.max(others.c.version))
    newest = newest.where(*(others.c[key] == versions.c[key] for key in keys))
    if dropped:
        told |= (versions.c.name == NAME) & versions.c.version.in_(sorted(map(int, dropped)))
    told &= versions.c.version < newest.scalar_subquery()
    if tags is not None:
        same = [tags.c[key] == versions.c[key] for key in (*keys, "version")]
        yield tags, sa.select(sa.literal(1)).select_from(versions).where(told, *same).exists()
    yield versions, told


def _counted(line: sa.Connection, table: sa.Table, told: Told, dry: bool) -> int:
    if dry:
        return int(line.scalar(sa.select(sa.func.count()).select_from(table).where(told)) or 0)
    return int(line.execute(sa.delete(table).where(told)).rowcount)
