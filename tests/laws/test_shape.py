"""The shape of the source: short modules, plain names, no side doors."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import reduce
from pathlib import Path
from typing import Any, Final

LONGEST_MODULE: Final = 300
VAGUE: Final = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "manager"}
UNFINISHED: Final = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
LEFT_OUT: Final = re.compile(r"pytest\.(skip|xfail|importorskip)\b|mark\.(skip|skipif|xfail)\b")
# What a test may lack: the public records, which are no part of the checkout, PostgreSQL, and a browser.
NO_RECORDS: Final = 'pytest.skip("no public records here: set FORECARBON_SHARED'
NO_DATABASE: Final = 'pytest.skip("no PostgreSQL here: install'
NO_BROWSER: Final = 'pytest.skip("no browser here: install'
LACKING: Final = (NO_RECORDS, NO_DATABASE, NO_BROWSER)
# A folder of one person's machine.
HOME: Final = re.compile(r"(?<![\w.:/$])/(?:home|root|Users|mnt|work)/\w")
TEXT: Final = {".py", ".md", ".toml", ".html", ".js", ".css", ".lock", ""}
FOLDERS: Final = ("features", "models", "training", "insights", "serving", "tests", "docs", "benchmarks")


def texts(root: Path) -> list[Path]:
    """Every text file a person wrote."""
    inside = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*"))]
    whole = [*inside, *sorted(path for path in root.iterdir() if not path.name.startswith("."))]
    return [
        path
        for path in whole
        if path.is_file()
        and path.suffix in TEXT
        and "__pycache__" not in path.parts
        and path.name != "LICENSE"
    ]


def test_modules_are_short(sources: list[Any]) -> None:
    long = {source.name: source.text.count("\n") for source in sources}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_MODULE} == {}


def test_names_say_something(sources: list[Any]) -> None:
    vague = [s.name for s in sources if VAGUE & set(re.split(r"[/_.]", s.name.removesuffix(".py")))]
    assert vague == []


def test_packages_hold_a_text_and_nothing_else(sources: list[Any]) -> None:
    full = [
        source.name
        for source in sources
        if source.name.endswith("__init__.py")
        and not (len(source.tree.body) == 1 and ast.get_docstring(source.tree))
    ]
    assert full == []


def test_public_things_have_a_text(sources: list[Any]) -> None:
    silent = [source.name for source in sources if not ast.get_docstring(source.tree)]
    assert silent == []


def test_source_does_not_check_with_assert(sources: list[Any]) -> None:
    """An assert vanishes under -O: what must hold raises an error of the family."""
    found = [f"{s.name}:{n.lineno}" for s in sources for n in ast.walk(s.tree) if isinstance(n, ast.Assert)]
    assert found == []


def test_nothing_is_left_unfinished_or_out(root: Path) -> None:
    here = Path(__file__).resolve()
    python = [path for path in texts(root) if path.suffix == ".py" and path != here]
    found = [
        path.relative_to(root).as_posix()
        for path in python
        for text in [reduce(lambda text, told: text.replace(told, "", 1), LACKING, path.read_text("utf-8"))]
        if UNFINISHED.search(text) or LEFT_OUT.search(text)
    ]
    assert found == []


def test_no_file_names_a_machine(root: Path) -> None:
    here = Path(__file__).resolve()
    named = [
        f"{path.relative_to(root)}: {found.group()}"
        for path in texts(root)
        if path != here and (found := HOME.search(path.read_text("utf-8")))
    ]
    assert named == []


def test_git_keeps_the_source_and_not_the_runtime(root: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, capture_output=True)
    (tmp_path / ".gitignore").write_text((root / ".gitignore").read_text())
    runtime = [
        "store/mlflow.db",
        ".venv/bin/python",
        "models/__pycache__/naive.pyc",
        "forecarbon.egg-info/PKG-INFO",
    ]
    kept = [
        *(
            "models/naive.py",
            "models/new/deep.py",
            "features/series/panel.py",
            "features/reference/clusters.csv",
        ),
        *("training/plans/annual.toml", "serving/pages/shell.html", "requirements.lock"),
    ]
    asked = subprocess.run(
        ["git", "check-ignore", "--no-index", *runtime, *kept],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.stdout.split() == runtime
