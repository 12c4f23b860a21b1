"""A newcomer's way: what CONTRIBUTING.md says, done to the letter in a copy of the tree, and then used."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.laws.pages import Block, blocks, ran, written

COPIED: Final = ("features", "models", "training", "insights", "serving", "docs")
LAWS: Final = "tests/laws/test_forecasters.py"
NEW_MODEL: Final = "recent-median"
# New files; the tables that got rows, with how many lines each (an import and a row, where both are needed).
NEW: Final = ("features/sources/site_register.py", "models/recent_median.py", "insights/kinds/biomass.py")
TABLES: Final = {"features/sources/readers.py": 1, "models/kinds.py": 2, "insights/lever_kinds.py": 2}


@pytest.fixture(scope="module")
def page(root: Path) -> list[Block]:
    return blocks((root / "CONTRIBUTING.md").read_text())


@pytest.fixture(scope="module")
def tree(root: Path, page: list[Block], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source with what the page asks for in it."""
    tree = tmp_path_factory.mktemp("extended")
    for name in COPIED:
        shutil.copytree(root / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (*root.glob("*.py"), root / "pyproject.toml"):
        shutil.copy(path, tree)
    written(page, tree)
    return tree


@pytest.fixture(scope="module")
def told(tree: Path, page: list[Block], trained_store: Path, shell_env: dict[str, str]) -> dict[str, str]:
    """What each command of the page printed, by its words."""
    shutil.copytree(trained_store, tree / "store")
    env = {**shell_env, "PYTHONPATH": str(tree), "FORECARBON_STORE": str(tree / "store")}
    return {
        " ".join(words): ran([sys.executable, str(tree / "forecarbon.py"), *words[1:]], tree, env)
        for block in page
        if block.runs
        for words in block.commands()
    }


def test_each_is_one_file_and_one_row(root: Path, tree: Path, page: list[Block]) -> None:
    python = {block.file for block in page if block.language == "python"}
    assert python == set(NEW)
    assert not any((root / name).exists() for name in NEW)
    grown = {
        name: len((tree / name).read_text().splitlines()) - len((root / name).read_text().splitlines())
        for name in {block.file for block in page if block.language == "diff"}
    }
    assert grown == TABLES


def test_the_source_is_read_into_the_lake(told: dict[str, str]) -> None:
    printed = told["forecarbon ingest site-register --file sites.csv --known-at 2024-04-01"]
    assert "read by site-register/1" in printed
    assert "3 figures" in printed
    assert "figure-unreadable" in printed
    assert "row 5" in printed
    assert "site-register" in told["forecarbon lake list"]


def test_the_model_speaks_and_is_backtested(told: dict[str, str]) -> None:
    forecast = told["forecarbon forecast --history docs/example-history.csv --steps 3 --model recent-median"]
    assert "recent-median" in forecast
    scores = told["forecarbon backtest --plan recent-median.toml"].splitlines()
    assert {"naive", "recent-median", "with-median"} <= {line.split()[1] for line in scores if "│" in line}


def test_the_laws_hold_the_new_model(tree: Path, root: Path, shell_env: dict[str, str]) -> None:
    """The laws of every forecaster find it in the table by themselves."""
    shutil.copytree(root / "tests", tree / "tests", ignore=shutil.ignore_patterns("__pycache__", "fixtures"))
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", LAWS, "-k", NEW_MODEL]
    done = subprocess.run(
        words, cwd=tree, env={**shell_env, "PYTHONPATH": str(tree)}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    held = re.search(r"(\d+) passed", printed)
    assert held is not None
    assert int(held[1]) >= 4, printed


def test_the_lever_acts_on_the_paths(told: dict[str, str], tree: Path, shell_env: dict[str, str]) -> None:
    printed = told["forecarbon scenario biomass.toml"].splitlines()
    assert any("boilers" in line and "biomass" in line for line in printed)
    # 2 TWh of coal a year at its factor, once the ramp is over.
    factors = (tree / "features" / "reference" / "factors.csv").read_text().splitlines()
    coal = next(float(line.split(",")[1]) for line in factors if line.startswith("ef_coal,"))
    env = {**shell_env, "PYTHONPATH": str(tree), "FORECARBON_STORE": str(tree / "store")}
    words = [sys.executable, str(tree / "forecarbon.py"), "scenario", "biomass.toml", "--json"]
    answer = json.loads(ran(words, tree, env))
    (measure,) = (answer[0] if isinstance(answer, list) else answer)["measures"]
    assert measure["in_year"]["direct"] == pytest.approx(2e6 * coal, rel=0.02)
    assert measure["in_year"]["elsewhere"] == pytest.approx(2e6 * 0.03, rel=0.02)


def test_the_extended_tree_keeps_its_form(tree: Path) -> None:
    """What the page shows is written as the house writes: ruff finds nothing in it."""
    made = [str(tree / name) for name in (*NEW, *TABLES)]
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [str(Path(sys.executable).parent / "ruff"), *words, *made],
            cwd=tree, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
