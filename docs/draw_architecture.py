"""Draws docs/architecture.svg from pyproject's contracts, the packages' texts and the imports that there are.

python docs/draw_architecture.py
"""

from __future__ import annotations

import ast
import html
import textwrap
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
PICTURE: Final = "docs/architecture.svg"
WIDE, HIGH, GAP, MARGIN, TOP = 880, 92, 56, 40, 96
SIGNS_A_LINE: Final = {1: 118, 2: 58}
INK, PAPER, LINE, DOOR = "#1b2a33", "#eef3f5", "#5b7482", "#b3541e"
ABOVE: Final = (
    "people and programs: pages, HTTP (serving/edge.py), the command line (forecarbon.py calls any floor)"
)
UNDER: Final = "public registers, projects and targets (features/reference), your own inventory"
STORE: Final = "store/, made when it runs: lake of snapshots, saved models, runs, promotions, packs, journal"
HOW_TO_READ: Final = "An arrow points from a floor to one that it imports; figures flow the other way."
SLOTS: Final = 12
# Where to begin reading each floor.
BEGIN: Final = {
    "serving": ("serving/edge.py", "serving/answer.py", "serving/shelf.py", "serving/pack.py"),
    "training": ("training/retrain.py", "training/gate.py"),
    "insights": ("insights/resolve.py", "insights/lever_kinds.py"),
    "models": ("models/kinds.py", "models/fitted.py", "models/engine.py", "models/saved.py"),
    "features": ("features/sources/readers.py", "features/series/panel.py", "features/matrix/build.py"),
}


def layers(root: Path) -> list[list[str]]:
    """The floors from the top down, those side by side together, as import-linter holds them."""
    with (root / "pyproject.toml").open("rb") as stream:
        contracts: list[dict[str, Any]] = tomllib.load(stream)["tool"]["importlinter"]["contracts"]
    told = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in told]


@cache
def imports(root: Path) -> set[tuple[str, str]]:
    """(floor, floor it imports) of every pair of floors of which one imports the other, lazily or not."""
    floors = {name for layer in layers(root) for name in layer}
    found = set()
    for floor in floors:
        for path in (root / floor).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names = [item.name for item in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                found |= {(floor, name.split(".")[0]) for name in names}
    return {(a, b) for a, b in found if b in floors and a != b}


def about(root: Path, floor: str) -> str:
    """What the package's text says it is, without its number."""
    text = ast.get_docstring(ast.parse((root / floor / "__init__.py").read_text("utf-8"))) or ""
    first = " ".join(text.split("\n\n")[0].split())
    return (first.partition(": ")[2] or first).replace("``", "")


def draw(root: Path) -> str:
    """The picture as SVG: a box a floor, an arrow an import; the one door is dashed."""
    rows = layers(root)
    boxes: dict[str, tuple[float, float, float]] = {}
    for k, row in enumerate(rows):
        width = (WIDE - 40 * (len(row) - 1)) / len(row)
        for i, name in enumerate(row):
            boxes[name] = (MARGIN + i * (width + 40), TOP + k * (HIGH + GAP), width)
    height = TOP + len(rows) * (HIGH + GAP) + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE + 2 * MARGIN} {height}" role="img" '
        f'font-family="sans-serif" font-size="13" fill="{INK}">',
        "<title>Floors of Forecarbon and what imports what</title>",
        f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{LINE}"/></marker></defs>',
        f'<rect width="100%" height="100%" fill="white"/>{_text(MARGIN, 40, ABOVE)}',
        _text(MARGIN, 62, HOW_TO_READ, 12),
        *_arrows(boxes, sorted(imports(root)), rows),
        *(_box(root, name, place, len(row)) for row in rows for name in row for place in [boxes[name]]),
        _text(MARGIN, height - 88, UNDER),
        _text(MARGIN, height - 64, STORE),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _box(root: Path, name: str, place: tuple[float, float, float], beside: int) -> str:
    x, y, width = place
    lines = textwrap.wrap(about(root, name), SIGNS_A_LINE[beside])
    lines += textwrap.wrap("begin at " + ", ".join(BEGIN[name]), SIGNS_A_LINE[beside])
    told = "".join(_text(x + 16, y + 47 + 17 * k, line) for k, line in enumerate(lines))
    return (
        f'<g class="floor"><rect x="{x:g}" y="{y:g}" width="{width:g}" height="{HIGH}" rx="6" fill="{PAPER}" '
        f'stroke="{LINE}"/>{_text(x + 16, y + 27, name, 17, "bold")}{told}</g>'
    )


def _arrows(
    boxes: dict[str, tuple[float, float, float]], edges: list[tuple[str, str]], rows: list[list[str]]
) -> list[str]:
    """One line an import, from box to box; what lies between hides its middle."""
    narrow = {name for row in rows if len(row) > 1 for name in row}
    made, free = [], [MARGIN + WIDE * (slot + 0.5) / SLOTS for slot in range(SLOTS)]
    # Those with a narrow box at an end choose first: their line must stand over it.
    for above, below in sorted(edges, key=lambda edge: not narrow & {*edge}):
        x, _, width = boxes[next(iter(narrow & {above, below}), below)]
        across = next(place for place in free if x < place < x + width)
        free.remove(across)
        start, end = boxes[above][1] + HIGH, boxes[below][1]
        door = above == "serving" and below == "training"
        style = f'stroke="{DOOR}" stroke-dasharray="5 4"' if door else f'stroke="{LINE}"'
        made.append(
            f'<path class="import" data-from="{above}" data-to="{below}" {style} stroke-width="1.6" '
            f'marker-end="url(#tip)" d="M{across:g} {start:g}V{end - 2:g}"/>'
        )
        if door:
            made.append(_text(across + 8, end - 20, "one door: serving/pack.py", 11))
    return made


def _text(x: float, y: float, words: str, size: int = 13, weight: str = "normal") -> str:
    told = html.escape(words)
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}">{told}</text>'


if __name__ == "__main__":
    (ROOT / PICTURE).write_text(draw(ROOT), encoding="utf-8")
