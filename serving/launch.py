"""How the production server is started; imports neither BentoML nor anything heavy."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from features.errors import AskError

STORE: Final = "FORECARBON_STORE"
TARGET: Final = "serving.service:Forecarbon"
SERVICE: Final = "forecarbon"
TRAFFIC_SECONDS: Final = 10
GRACE_SECONDS: Final = 15


def serve_command(
    *, host: str, port: int, workers: int, store: Path, base_env: Mapping[str, str] | None = None
) -> tuple[list[str], dict[str, str]]:
    """The command and environment that serve ``store`` in production mode; ``exec`` them.

    ``host`` is an IP address or "localhost"; ``workers`` processes answer. The environment builds on
    ``base_env``, this process's own by default.

    Raises:
        AskError: a port or a number of workers out of range.
    """
    _check(port=port, workers=workers)
    root = Path(__file__).resolve().parent.parent
    store = store.resolve()
    argv = [sys.executable, "-m", "bentoml", "serve", TARGET, "--working-dir", str(root)]
    # BentoML binds an address, not a name.
    argv += ["--host", "127.0.0.1" if host == "localhost" else host, "--port", str(port)]
    argv += ["--timeout-graceful-shutdown", str(GRACE_SECONDS)]
    env = dict(os.environ if base_env is None else base_env)
    env |= {
        STORE: str(store),
        "BENTOML_HOME": str(store / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_CONFIG_OVERRIDES": json.dumps({"services": {SERVICE: {"workers": workers}}}),
        # Fits run one to a thread; idle OpenMP threads that spin would take the cores from them.
        "OMP_WAIT_POLICY": "passive",
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
    }
    return argv, env


def _check(*, port: int, workers: int) -> None:
    for name, value, high in (("port", port, 65535), ("workers", workers, 64)):
        if not 1 <= value <= high:
            raise AskError(
                f"{name}-out-of-range",
                found=f"{name} {value}",
                expected=f"1 to {high}",
                remedy=f"choose another {name}",
            )


def become(argv: list[str], environment: dict[str, str]) -> NoReturn:
    """Turn this process into ``argv``, so that signals reach it directly."""
    sys.stdout.flush()
    os.execve(argv[0], argv, environment)  # noqa: S606  # our own argument list, no shell
