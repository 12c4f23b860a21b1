"""Runs: what was tried, on which figures, with which scores and pictures, kept in MLflow.

MLflow is imported inside the functions only, for the import takes seconds.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from features.files import in_turn
from features.table_files import write_frame
from training.database import prepare
from training.facts import DatasetFacts, RunFacts
from training.tracked_at import DECLINED, address_of, declined, files_at, unavailable

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric

QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # A server that is down is told within seconds; the defaults wait for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
OPENABLE_ROWS: Final = 5000  # tables up to here are kept as CSV too, which the UI shows as a table
_BATCH: Final = {"metrics": 800, "params": 90}  # MLflow takes 1000 metrics and 100 parameters a call
_DIGEST: Final = 36  # MLflow keeps no more characters of a data set's digest
_KIND: Final = {"mlflow.experimentKind": "custom_model_development"}  # else the UI opens on chat traces
_PARENT: Final = "mlflow.parentRunId"
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_\-. /:]")


@dataclass(frozen=True)
class Tracker:
    """Where runs are kept: the tracking address, the experiment's id and the store's folder."""

    store: Path
    uri: str
    experiment: str
    experiment_id: str


def quiet_mlflow() -> ModuleType:
    """The mlflow package, imported now, offline, and silent about its own affairs; errors are raised."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its libraries say of one another while they load
        import mlflow
        import mlflow.store.tracking.sqlalchemy_store

    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # ``answering`` says it, shorter
    return mlflow


def client_of(tracker: Tracker) -> MlflowClient:
    """An MLflow client bound to the tracker's address for runs and models alike."""
    mlflow = quiet_mlflow()
    client: MlflowClient = mlflow.MlflowClient(tracking_uri=tracker.uri, registry_uri=tracker.uri)
    return client


def open_tracker(
    *,
    store: Path,
    experiment: str,
    uri: str | None = None,
    artifact_root: str | None = None,
    planned: str = "",
) -> Tracker:
    """Open (and at first use create) the place runs are kept.

    The address is that of ``address_of``. Files of a new experiment's runs go to
    FORECARBON_ARTIFACT_ROOT, else to ``artifact_root``, else to ``store/artifacts``; a tracking server,
    unless told, chooses itself.
    """
    store, address = store.resolve(), address_of(store, uri, planned)
    artifact_root = files_at(artifact_root)
    quiet_mlflow()
    if address.startswith("sqlite:///"):
        with in_turn(store / "mlflow.lock"):
            artifacts = (store / "artifacts").as_uri()
            database = Path(address.removeprefix("sqlite:///"))
            prepare(database, _newest_revision(), lambda scratch: _make_tables(scratch, artifacts))
            return _opened(store, address, experiment, artifact_root)
    return _opened(store, address, experiment, artifact_root)


@contextmanager
def answering(uri: str) -> Iterator[None]:
    """Turn whatever a tracking store says when it is down, locked, full or gone, or when it answers and
    refuses, into a named refusal.

    Raises:
        ModelError: the store did not do what it was asked for in the block.
    """
    quiet_mlflow()
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MlflowException as fault:
        code = str(fault.error_code)
        raise (declined(code, fault, uri) if code in DECLINED else unavailable(fault, uri)) from fault
    except (SQLAlchemyError, sqlite3.Error, subprocess.SubprocessError, OSError) as fault:
        raise unavailable(fault, uri) from fault


def _opened(store: Path, address: str, experiment: str, artifact_root: str | None) -> Tracker:
    tracker = Tracker(store=store, uri=address, experiment=experiment, experiment_id="")
    try:
        client = client_of(tracker)
    except ValueError as fault:  # a port that is no number, which may be the end of a password
        raise unavailable(ValueError("an address that cannot be read"), address) from fault
    known = client.get_experiment_by_name(experiment)
    if known is not None:
        return Tracker(store, address, experiment, str(known.experiment_id))
    root = artifact_root
    if root is None and not address.startswith(("http://", "https://")):
        root = (store / "artifacts").as_uri()
    return Tracker(store, address, experiment, client.create_experiment(experiment, root, _KIND))


def _make_tables(database: Path, artifacts: str) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(f"sqlite:///{database}", artifacts).engine.dispose()  # type: ignore[no-untyped-call]


def _newest_revision() -> str:
    """Schema revision that the installed MLflow writes."""
    from alembic.script import ScriptDirectory
    from mlflow.store import db_migrations

    return str(ScriptDirectory(next(iter(db_migrations.__path__))).get_current_head())


def log_run(tracker: Tracker, facts: RunFacts, *, parent: str = "") -> str:
    """Write one run down, from start to end, nested in the run ``parent`` if one is given.

    Returns: the run's id. Failures as in ``open_run``.
    """
    with open_run(tracker, facts, parent=parent) as run_id:
        return run_id


@contextmanager
def open_run(tracker: Tracker, facts: RunFacts, *, parent: str = "") -> Iterator[str]:
    """Write one run down and keep it open for the block, in which others may be nested; yields its id.

    A failure on the way leaves the run marked FAILED and is raised on; a killed process leaves it
    RUNNING, for ``close_orphans``.
    """
    client = client_of(tracker)
    silent = facts.missing_metrics()
    tags = {"forecaster": facts.forecaster, **facts.tags}
    if silent:
        tags["missing_metrics"] = ", ".join(silent)
    if parent:
        tags[_PARENT] = parent
    run = client.create_run(
        tracker.experiment_id, start_time=_millis(facts.started), tags=tags, run_name=facts.name
    )
    run_id = str(run.info.run_id)
    try:
        _log_values(client, run_id, facts, int(run.info.start_time))
        if facts.datasets:
            client.log_inputs(run_id, datasets=[_dataset(d) for d in facts.datasets])
        _log_files(client, run_id, facts)
        yield run_id
    except BaseException:
        client.set_terminated(run_id, "FAILED", end_time=_millis(facts.ended))
        raise
    client.set_terminated(run_id, "FINISHED", end_time=_millis(facts.ended))


def close_orphans(tracker: Tracker, *, older_than: datetime) -> list[str]:
    """Mark as KILLED the runs still RUNNING that began before ``older_than`` (aware instant).

    Call it while holding the store's retrain lock, so that no living run is meant. Returns: their ids.
    """
    client = client_of(tracker)
    before = _millis(older_than)
    found = client.search_runs(
        [tracker.experiment_id], f"attributes.status = 'RUNNING' and attributes.start_time < {before}"
    )
    closed = [str(run.info.run_id) for run in found]
    for run_id in closed:
        client.set_terminated(run_id, "KILLED", end_time=before)
    return closed


def _millis(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp() * 1000)


def _fit(name: str) -> str:
    """A name MLflow takes: other signs than letters, digits and _-. /: become _."""
    return _UNFIT.sub("_", name)


def _log_values(client: MlflowClient, run_id: str, facts: RunFacts, at: int) -> None:
    from mlflow.entities import Metric, Param

    metrics: list[Metric] = [
        Metric(_fit(name), float(value), at, 0)
        for name, value in facts.metrics.items()
        if math.isfinite(value)
    ]
    for name, values in facts.step_metrics.items():
        metrics += [
            Metric(_fit(name), float(v), at, int(step)) for step, v in values.items() if math.isfinite(v)
        ]
    params = [Param(_fit(name), str(value)) for name, value in facts.params.items()]
    calls = max(-(-len(metrics) // _BATCH["metrics"]), -(-len(params) // _BATCH["params"]))
    for i in range(calls):
        part = slice(i * _BATCH["metrics"], (i + 1) * _BATCH["metrics"])
        some = slice(i * _BATCH["params"], (i + 1) * _BATCH["params"])
        client.log_batch(run_id, metrics=metrics[part], params=params[some])


def _dataset(facts: DatasetFacts) -> DatasetInput:
    """Written out plainly: MLflow's own reader of frames warns of whole-number columns and local paths."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    described = Dataset(
        name=facts.name,
        digest=facts.digest[:_DIGEST],
        source_type="http" if facts.on_the_web else "local",
        source=json.dumps({"url" if facts.on_the_web else "uri": facts.source}),
        schema=json.dumps({"mlflow_colspec": facts.columns()}),
        profile=json.dumps({"num_rows": len(facts.frame), "num_elements": int(facts.frame.size)}),
    )
    return DatasetInput(described, [InputTag("mlflow.data.context", facts.context)])


def _log_files(client: MlflowClient, run_id: str, facts: RunFacts) -> None:
    import mlflow

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, table in facts.tables.items():
            target = folder / "tables" / f"{title}.parquet"
            write_frame(table, target)
            if len(table) <= OPENABLE_ROWS:
                write_frame(table, target.with_suffix(".csv"))
        copies = {f"pictures/{title}.png": path for title, path in facts.pictures.items()}
        for inside, path in {**copies, **facts.files}.items():
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / inside)
        if any(folder.iterdir()):
            client.log_artifacts(run_id, name)
    for title, path in facts.pictures.items():
        # Logged a second time as an image series: only those stand side by side in the UI's charts.
        client.log_image(run_id, mlflow.Image(str(path)), key=_fit(title), step=0, synchronous=True)
