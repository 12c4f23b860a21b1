"""The source as the laws read it: parsed, never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

FLOORS: Final = ("features", "models", "training", "insights", "serving")


@dataclass(frozen=True)
class Source:
    """One module of the product.

    Attributes:
        name: path from the root, with slashes.
        module: dotted name.
        text: its source.
        tree: its syntax tree.
    """

    name: str
    module: str
    text: str
    tree: ast.Module

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every imported module or name, dotted, with its line; lazy imports too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for item in node.names:
                    yield item.name, node.lineno
            elif isinstance(node, ast.ImportFrom):
                for item in node.names:
                    yield f"{'.' * node.level}{node.module or ''}.{item.name}", node.lineno


def read(path: Path, root: Path) -> Source:
    """``path`` as a source of the checkout ``root``."""
    name = path.relative_to(root).as_posix()
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    text = path.read_text(encoding="utf-8")
    return Source(name, module, text, ast.parse(text, filename=name))


@pytest.fixture(scope="session")
def sources(root: Path) -> list[Source]:
    """Every module of the five floors, and the command line."""
    found = [read(path, root) for floor in FLOORS for path in sorted((root / floor).rglob("*.py"))]
    lines = ("forecarbon.py", "operations.py", "questions.py", "upkeep.py")
    found += [read(root / name, root) for name in lines]
    return found
