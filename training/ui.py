"""The command that shows the runs in a browser."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from training.tracked_at import database_uri
from training.tracking import QUIET


def ui_command(store: Path, port: int) -> list[str]:
    """Command line of the MLflow server over a store, for this machine only.

    Runs are logged straight into the database with file addresses, which the server reads from disk
    itself; the artifacts destination serves whatever is logged through the server.
    """
    artifacts = (store.resolve() / "artifacts").as_uri()
    return [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--backend-store-uri", database_uri(store)),
        *("--registry-store-uri", database_uri(store)),
        *("--default-artifact-root", artifacts),
        *("--artifacts-destination", artifacts),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1"),
    ]


def ui_environment() -> dict[str, str]:
    """Environment for ``ui_command``: this process's own, silent, offline and without job workers.

    An address of another tracking server is dropped: the server must read the store it was given.
    """
    kept = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    return {**kept, **QUIET, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def compare_url(port: int, experiment_id: str) -> str:
    """Address of the page where the runs of an experiment stand side by side, as charts and pictures."""
    page = f"http://127.0.0.1:{port}/#/experiments/{experiment_id}/runs"
    return f"{page}?workflowType=machine_learning&compareRunsMode=CHART"
