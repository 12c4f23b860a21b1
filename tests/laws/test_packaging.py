"""What is declared is locked, what is locked is hashed and names no place, what is needed is shipped."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pytest

PIN: Final = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9._-]*)(?:\[[a-z0-9,_-]+\])?==(?P<version>\S+)", re.MULTILINE
)
PLACE: Final = re.compile(r"://|@ |file:|--(?:extra-)?index|--find-links|--trusted|(?<![\w.])/\w+/\w")


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    with (root / "pyproject.toml").open("rb") as stream:
        return tomllib.load(stream)


@pytest.fixture(scope="module")
def lock(root: Path) -> str:
    return (root / "requirements.lock").read_text()


def plain(requirement: str) -> str:
    """Name of a requirement, as the lock spells it."""
    return re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-")


def test_everything_declared_is_locked(project: dict[str, Any], lock: str) -> None:
    asked = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"]]
    pinned = {match["name"] for match in PIN.finditer(lock)}
    assert {plain(item) for item in asked} - pinned == set()


def test_everything_locked_is_hashed(lock: str) -> None:
    blocks = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert len(blocks) > 50
    bare = [
        block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block or not PIN.match(block)
    ]
    assert bare == []


def test_the_lock_names_no_place(lock: str) -> None:
    assert [line for line in lock.splitlines() if PLACE.search(line)] == []


def test_the_lock_serves_both_versions(project: dict[str, Any], lock: str) -> None:
    """A name with several pins has a marker on each; a pin without marker serves both."""
    assert project["project"]["requires-python"] == ">=3.11,<3.13"
    heads = [line for line in lock.splitlines() if PIN.match(line)]
    names = [plain(line) for line in heads]
    twice = [line for line in heads if names.count(plain(line)) > 1 and "python_full_version" not in line]
    assert twice == []


def test_the_command_is_declared(project: dict[str, Any]) -> None:
    assert project["project"]["scripts"] == {"forecarbon": "forecarbon:main"}
    roots = ["forecarbon", "operations", "questions", "upkeep"]
    assert project["tool"]["setuptools"]["py-modules"] == roots


def test_data_files_are_shipped(project: dict[str, Any], root: Path) -> None:
    patterns = [
        (package.replace(".", "/"), glob)
        for package, globs in project["tool"]["setuptools"]["package-data"].items()
        for glob in globs
    ]
    found = [
        path.relative_to(root).as_posix()
        for floor in ("features", "models", "training", "insights", "serving")
        for path in sorted((root / floor).rglob("*"))
        if path.is_file() and path.suffix not in {".py", ".pyc", ".md"}
    ]
    assert len(found) > 5
    left = [name for name in found
            if not any(PurePosixPath(name).match(f"{place}/{glob}") for place, glob in patterns)]  # fmt: skip
    assert left == []


def test_warnings_are_errors(project: dict[str, Any]) -> None:
    """Every exception is for a named third party: none is a bare category."""
    filters = project["tool"]["pytest"]["ini_options"]["filterwarnings"]
    assert filters[0] == "error"
    assert [line for line in filters[1:] if not re.match(r"ignore:[^:]{12,}", line)] == []
