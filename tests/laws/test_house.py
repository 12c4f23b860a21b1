"""The house as a whole: no cycles, no long functions, no dead code, every package says what it may import."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

LONGEST_FUNCTION: Final = 50
# By floor, the floors it stands on; the one door from serving to training is told by its own package.
BELOW: Final = {
    "features": (),
    "models": ("features",),
    "training": ("features", "models"),
    "insights": ("features", "models"),
    "serving": ("features", "models", "insights"),
}


def graph_of(sources: list[Any]) -> dict[str, set[str]]:
    """Module -> modules of ours that it imports, lazily or not."""
    modules = {source.module for source in sources}

    def module_of(name: str) -> str:
        return name if name in modules else name.rpartition(".")[0]

    return {
        source.module: {module_of(name) for name, _ in source.imports()} & modules - {source.module}
        for source in sources
    }


def cycles(graph: dict[str, set[str]]) -> list[str]:
    """Modules that cannot be put in an order in which each comes after those it imports."""
    left = {name: set(needs) for name, needs in graph.items()}
    while free := [name for name, needs in left.items() if not needs]:
        for name in free:
            del left[name]
        for needs in left.values():
            needs.difference_update(free)
    return sorted(left)


def test_no_module_imports_itself_by_a_round_trip(sources: list[Any]) -> None:
    graph = graph_of(sources)
    assert sum(map(len, graph.values())) > 500
    assert cycles(graph) == []


def test_a_cycle_is_seen() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}) == ["a", "b", "c", "d"]
    assert cycles({"a": {"b"}, "b": set()}) == []


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its text."""
    told = function.body[0] if ast.get_docstring(function, clean=False) is not None else None
    text = (told.end_lineno or 0) - told.lineno + 1 if told is not None else 0
    return (function.end_lineno or 0) - function.lineno + 1 - text


def test_functions_are_short(sources: list[Any]) -> None:
    long = {
        f"{source.name}:{node.name}": lines_of(node)
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of(node) > LONGEST_FUNCTION
    }
    assert long == {}


def test_every_package_says_what_it_knows_and_may_import(sources: list[Any]) -> None:
    packages = {s.module: ast.get_docstring(s.tree) or "" for s in sources if s.name.endswith("__init__.py")}
    for name, text in packages.items():
        assert len(text.splitlines()[0]) > 20, name
        assert "import" in text.lower(), f"{name} does not say what it may import"
    for floor, below in BELOW.items():
        assert all(f"``{name}``" in packages[floor] for name in below), floor


def vulture(folder: Path, *more: str) -> str:
    """What vulture says of dead code in ``folder``, by the settings of its pyproject.toml."""
    done = subprocess.run(
        [sys.executable, "-m", "vulture", *more],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_nothing_is_dead(root: Path) -> None:
    assert vulture(root) == ""


def test_dead_code_is_seen(root: Path, tmp_path: Path) -> None:
    """And every exception is needed: a name that is dead no more does not stay excused."""
    with (root / "pyproject.toml").open("rb") as stream:
        settings = tomllib.load(stream)["tool"]["vulture"]
    for name in settings["paths"]:
        (tmp_path / name).symlink_to(root / name)
    (tmp_path / "models_planted.py").write_text("def never_called() -> None:\n    pass\n")
    told = vulture(tmp_path, *settings["paths"], "models_planted.py", "--min-confidence", "60")
    assert "never_called" in told
    excused = [name for name in settings["ignore_names"] if f"'{name}'" not in told]
    assert excused == []
