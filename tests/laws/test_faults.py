"""The page of faults is whole, and every test it names is there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.faults.promises import PROMISED

BOUNDARIES: Final = {
    *("Network", "Disk full", "Read-only", "Clock jump", "DST", "Killed process", "Corrupt file"),
    *("Locked or lost database", "Wrong permissions", "Two writers"),
}
JOBS: Final = (
    *("ingest", "retrain", "forecast", "serve", "schedule", "watch", "promote", "keys", "reproduce"),
    *("backup", "restore", "vacuum"),
)
NAMED: Final = re.compile(r"`([\w/]+\.py)::(\w+)(\[[\w-]+\])?`")
CODE: Final = re.compile(r"`([a-z]+(?:-[a-z]+)+)`")
CANNOT: Final = re.compile(r"cannot occur: \w.{15,}")


@pytest.fixture(scope="module")
def sections(root: Path) -> dict[str, list[list[str]]]:
    """Boundary -> rows of its table, each as its cells."""
    page = (root / "docs" / "faults.md").read_text()
    found = {}
    for part in page.split("\n## ")[1:]:
        name, _, text = part.partition("\n")
        rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
        found[name] = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return found


def test_no_cell_is_missing_or_empty(sections: dict[str, list[list[str]]]) -> None:
    assert set(sections) == BOUNDARIES
    for name, rows in sections.items():
        assert [row[0] for row in rows] == list(JOBS), name
        for job, promised, shown in rows:
            assert NAMED.search(shown) or CANNOT.fullmatch(shown), (name, job)
            assert len(promised) > 5 or CANNOT.fullmatch(shown), (name, job)


def test_every_test_named_is_there(root: Path, sections: dict[str, list[list[str]]]) -> None:
    named = {found for rows in sections.values() for row in rows for found in NAMED.findall(row[2])}
    assert len(named) > 120
    absent = [
        f"{file}::{test}" for file, test, _ in sorted(named) if test not in names_in(root / "tests" / file)
    ]
    assert absent == []


def test_every_case_named_is_collected(
    root: Path, sections: dict[str, list[list[str]]], request: pytest.FixtureRequest
) -> None:
    named = {f"tests/{file}::{test}{case}" for rows in sections.values() for row in rows
             for file, test, case in NAMED.findall(row[2]) if case}  # fmt: skip
    held = {item.nodeid for item in request.session.items}
    if named <= held:
        return
    # Not the whole suite runs, but this file, say: then the folder is asked.
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "tests/faults"],
        cwd=root, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert sorted(named - set(told.stdout.split())) == []


def test_every_code_that_is_promised_is_asserted(root: Path, sections: dict[str, list[list[str]]]) -> None:
    """By the table that the tests of faults hold their jobs to, or in words of a test that the cell names."""
    for name, rows in sections.items():
        for job, promised, shown in rows:
            held = PROMISED[name][job].codes if "faults/test_" in shown else ()
            told = set(CODE.findall(promised))
            assert set(held) <= told, (name, job, "held by the table, not said on the page")
            words = "".join(text_of(root / "tests" / file, test) for file, test, _ in NAMED.findall(shown))
            assert [code for code in told - set(held) if f'{code}"' not in words] == [], (name, job)


def text_of(file: Path, test: str) -> str:
    """The source of a test."""
    text = file.read_text("utf-8")
    found = [node for node in ast.parse(text).body if getattr(node, "name", "") == test]
    return "".join(ast.get_source_segment(text, node) or "" for node in found)


def names_in(file: Path) -> set[str]:
    """Names of the tests in a file."""
    if not file.exists():
        return set()
    tree = ast.parse(file.read_text("utf-8"))
    return {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
