"""Floors and fences: the contracts hold, and each of them bites."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

FLOORS: Final = ("features", "models", "training", "insights", "serving")
# For each contract, a file that breaks it and, of all contracts, it alone or it first.
PLANTED: Final = {
    "floors": ("features/planted.py", "import models.planted_above\n"),
    "command-line": ("models/planted_line.py", "import forecarbon\n"),
    "one-door": ("serving/planted_door.py", "import training.planted_above\n"),
    "mlflow": ("training/planted_mlflow.py", "def later():\n    import mlflow.pyfunc\n"),
    "request-path": ("serving/planted_path.py", "import training.tracking\n"),
    "web": ("insights/planted_web.py", "from starlette.requests import Request\n"),
    "statsmodels": ("models/planted_stats.py", "import statsmodels.api\n"),
    "lightgbm": ("training/planted_boost.py", "from lightgbm import Booster\n"),
    "matplotlib": ("insights/planted_pictures.py", "import matplotlib.pyplot\n"),
    "optuna": ("training/planted_search.py", "def later():\n    import optuna\n"),
    "apscheduler": ("serving/planted_clockwork.py", "from apscheduler.triggers.cron import CronTrigger\n"),
    "dask": ("serving/planted_cluster.py", "def later():\n    from distributed import Client\n"),
    "sqlalchemy": ("training/planted_tables.py", "import sqlalchemy.engine\n"),
    "alembic": ("training/planted_steps.py", "def later():\n    import alembic.op\n"),
    "typer": ("serving/planted_typer.py", "import typer\n"),
    "pint": ("serving/planted_units.py", "def later():\n    import pint\n"),
    "vl-convert": ("training/planted_charts.py", "def later():\n    import vl_convert\n"),
    "typst": ("serving/planted_press.py", "def later():\n    import typst\n"),
    "jinja2": ("insights/planted_pages.py", "from jinja2 import Template\n"),
    "pickle": ("features/planted_pickle.py", "import pickle\n"),
}
FENCED_FOR_THE_COMMAND_LINE: Final = (
    *("mlflow", "bentoml", "starlette", "uvicorn", "statsmodels", "lightgbm", "matplotlib", "pickle"),
    *("apscheduler", "sqlalchemy", "alembic", "optuna", "pint", "vl_convert", "typst", "jinja2"),
    *("dask", "distributed", "joblib"),
)


@pytest.fixture(scope="module")
def contracts(root: Path) -> list[dict[str, Any]]:
    with (root / "pyproject.toml").open("rb") as stream:
        declared: list[dict[str, Any]] = tomllib.load(stream)["tool"]["importlinter"]["contracts"]
    return declared


def judged(folder: Path) -> dict[str, str]:
    """Verdict of import-linter on each contract of ``folder``, by contract name."""
    code = "import sys, importlinter.cli as cli; sys.exit(cli.lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    printed = " ".join(done.stdout.split())
    verdicts = dict(re.findall(r"((?:floors|fence|one door): .+?) (KEPT|BROKEN)", printed))
    assert verdicts, done.stdout + done.stderr
    assert (done.returncode == 0) == ("BROKEN" not in verdicts.values())
    return verdicts


def test_contracts_are_kept(root: Path, contracts: list[dict[str, Any]]) -> None:
    assert judged(root) == {contract["name"]: "KEPT" for contract in contracts}


def test_every_contract_bites(root: Path, contracts: list[dict[str, Any]], tmp_path: Path) -> None:
    for floor in FLOORS:
        shutil.copytree(root / floor, tmp_path / floor, ignore=shutil.ignore_patterns("__pycache__", "*.csv"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    for above in ("models/planted_above.py", "training/planted_above.py"):
        (tmp_path / above).write_text("")
    tracking = tmp_path / "training" / "tracking.py"
    tracking.write_text("import mlflow\n")
    for name, text in PLANTED.values():
        (tmp_path / name).write_text(text)
    assert {contract["id"] for contract in contracts} == set(PLANTED)
    assert judged(tmp_path) == {contract["name"]: "BROKEN" for contract in contracts}


def test_the_command_line_keeps_outside_the_fences(sources: list[Any]) -> None:
    roots = ("forecarbon.py", "operations.py", "questions.py", "upkeep.py")
    lines = [source for source in sources if source.name in roots]
    assert len(lines) == len(roots)
    crossed = [
        f"{line.name}: {name} (line {at})"
        for line in lines
        for name, at in line.imports()
        if name.split(".")[0] in FENCED_FOR_THE_COMMAND_LINE
    ]
    assert crossed == []


def test_no_pickle_in_any_dress(sources: list[Any]) -> None:
    """Beyond the fence: pandas and numpy can pickle without an import of the name."""
    dress = re.compile(
        r"\b(to_pickle|read_pickle|allow_pickle\s*=\s*True|joblib\.(dump|load)|cloudpickle|dill)\b"
    )
    assert [source.name for source in sources if dress.search(source.text)] == []
