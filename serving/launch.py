"""How the production server is started; imports neither BentoML nor anything heavy."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from features.errors import AskError

STORE: Final = "FORECARBON_STORE"
AUTH: Final = "FORECARBON_AUTH"
CORS: Final = "FORECARBON_CORS"
ACCESS_LOG: Final = "FORECARBON_ACCESS_LOG"
TRACING: Final = "FORECARBON_TRACING"
WORKERS: Final = "FORECARBON_WORKERS"
METERS: Final = "PROMETHEUS_MULTIPROC_DIR"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
TARGET: Final = "serving.service:Forecarbon"
SERVICE: Final = "forecarbon"
TRAFFIC_SECONDS: Final = 10
GRACE_SECONDS: Final = 15


def auth_mode(*, host: str, no_keys: bool, with_keys: bool, keys: int) -> str:
    """How callers are told apart: "auto" on this machine alone, "keys" beyond it, "open" if so wanted.

    Args:
        no_keys, with_keys: what the operator asked for.
        keys: how many keys there are.

    Raises:
        AskError: both are asked for, or other machines may ask and there is neither a key nor a word that
            none is wanted.
    """
    if no_keys and with_keys:
        raise AskError(
            "keys-or-not",
            found="both --no-keys and --keys",
            expected="one of them",
            remedy="leave one out",
        )
    if no_keys:
        return "open"
    if host in LOOPBACK and not with_keys:
        return "auto"
    if not keys:
        raise AskError(
            "no-keys",
            found=f"no API key in the store, and {host} to listen on",
            expected="a key, for other machines may ask",
            remedy="make one (forecarbon keys add NAME --scope read --scope forecast), listen on 127.0.0.1, "
            "or give --no-keys if anybody may ask",
        )
    return "keys"


def serve_command(
    *,
    host: str,
    port: int,
    workers: int,
    store: Path,
    base_env: Mapping[str, str] | None = None,
    auth: str = "auto",
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
        AUTH: auth,
        WORKERS: str(workers),
        "BENTOML_HOME": str(store / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_CONFIG_OVERRIDES": json.dumps({"services": {SERVICE: {"workers": workers}}}),
        # Fits run one to a thread; idle OpenMP threads that spin would take the cores from them.
        "OMP_WAIT_POLICY": "passive",
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
    }
    if workers > 1:
        env[METERS] = str(_fresh_meters(store, port))
    return argv, env


def _fresh_meters(store: Path, port: int) -> Path:
    """An empty folder in which the workers of this server add up their figures."""
    folder = store / "meters" / str(port)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


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
