"""The documents: what they tell to type runs, what they cite is there, what they list is whole."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pandas as pd
import pytest

from insights.lever_kinds import KINDS
from models.kinds import MEMBERS
from serving.routes import GETS, NAMED, POSTS
from tests import warm
from tests.laws.pages import blocks, ran, written

TUTORIALS: Final = ("cluster-manager", "data-scientist", "operator")
CARDS: Final = ("model-card.md", "data-card.md")
LINK: Final = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
RESULT: Final = re.compile(r"\]\(([^)]*result[^)]*\.md)\)")
MODULE: Final = re.compile(r"`((?:features|models|training|insights|serving)/[\w/]+\.py)`")
FIGURE: Final = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")
ROUTE: Final = re.compile(
    r"`(?:(?P<method>GET|POST) )?(?P<path>/[\w{}./-]*)(?:\?[^`]*)?`|`(?P<again>GET|POST)` of the same"
)
PANELS: Final = {"plants of the EU ETS": "plants (EU ETS)"}
SVG: Final = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def desk(root: Path, trained_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store and the checkout's files, where a reader would type."""
    desk = tmp_path_factory.mktemp("desk")
    for name in ("docs", "training", "features"):
        (desk / name).symlink_to(root / name)
    shutil.copytree(trained_store, desk / "store")
    return desk


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_works(name: str, root: Path, desk: Path, shell_env: dict[str, str]) -> None:
    page = blocks((root / "docs" / "tutorials" / f"{name}.md").read_text())
    written(page, desk)
    env = {**shell_env, "FORECARBON_STORE": str(desk / "store"), "PYTHONPATH": str(root)}
    marked = [block for block in page if block.runs]
    assert len(marked) >= 3
    for block in marked:
        if block.language == "python":
            ran([sys.executable, "-c", block.text], desk, env)
            continue
        for words in block.commands():
            assert words[0] == "forecarbon"
            ran(words, desk, env)


@pytest.mark.parametrize("name", TUTORIALS)
def test_what_a_tutorial_only_shows_exists(name: str, root: Path, shell_env: dict[str, str]) -> None:
    page = blocks((root / "docs" / "tutorials" / f"{name}.md").read_text())
    shown = [
        words for block in page if block.language == "sh" and not block.runs for words in block.commands()
    ]
    for words in shown:
        assert words[0] in {"forecarbon", "make", "curl"}, words
        if words[0] == "forecarbon":
            done = warm.run(["forecarbon", words[1], "--help"], env=shell_env)
            assert done.returncode == 0, words


def cited(page: Path) -> Iterator[tuple[str, str, Path]]:
    """(row, figure, result it is said to stand in) of every row of a table that names a result."""
    for line in page.read_text().splitlines():
        found = RESULT.search(line)
        if line.startswith("|") and found:
            figures = FIGURE.findall(line.split("|")[2].replace(", ", " "))
            assert figures, f"no figure: {line}"
            for figure in figures:
                yield line, figure, (page.parent / found[1]).resolve()


@pytest.mark.parametrize("card", CARDS)
def test_every_figure_of_a_card_stands_in_the_result_it_names(card: str, root: Path) -> None:
    told = list(cited(root / "docs" / card))
    assert len(told) >= 4
    absent = [
        (row, figure)
        for row, figure, result in told
        if not re.search(rf"(?<![\d.,]){re.escape(figure)}(?![\d]|[.,]\d)", result.read_text())
    ]
    assert absent == []


def untouched(root: Path) -> dict[str, dict[str, list[str]]]:
    """Panel -> "ours" and "naive" -> cells of its table of untouched origins in the result of skill."""
    text = (root / "benchmarks" / "skill" / "result.md").read_text()
    found = {}
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        table = part.partition("### Untouched")[2].partition("\n### ")[0].splitlines()
        cells = [[cell.strip("* ") for cell in line.split("|")[1:]] for line in table if line.startswith("|")]
        rows = {row[0].lower(): row for row in cells}
        found[part.splitlines()[0]] = {name: rows[name] for name in ("ours", "naive") if name in rows}
    return found


def test_the_model_card_shows_the_row_it_says(root: Path) -> None:
    """Skill, ours and then naive, of the untouched origins of each panel."""
    card = (root / "docs" / "model-card.md").read_text()
    text = card[card.index("## How good it was") : card.index("## Known failures")]
    panels, panel, shown = untouched(root), "", 0
    for line in (line for line in text.splitlines() if "[skill]" in line):
        what, figures = (cell.strip() for cell in line.split("|")[1:3])
        panel = panel if what.startswith("the same") else what.partition(", untouched")[0]
        ours, naive = panels[PANELS.get(panel, panel)]["ours"], panels[PANELS.get(panel, panel)]["naive"]
        if "inside" in what:
            expected = f"{ours[5]}, {ours[6]}"
        else:
            column = 2 if "MASE" in what else 4
            expected = f"{ours[column]}, {naive[column]}"
        assert figures == expected, what
        shown += 1
    assert shown >= 8


def test_a_figure_that_is_not_there_is_seen(tmp_path: Path) -> None:
    (tmp_path / "result.md").write_text("| 1.25 | 1,250 |")
    (tmp_path / "card.md").write_text("| a | 1.25, 125 | [x](result.md) |\n| words | none |\n")
    assert [(figure, place.name) for _, figure, place in cited(tmp_path / "card.md")] == [
        ("1.25", "result.md"),
        ("125", "result.md"),
    ]


def test_the_data_card_counts_what_is_embedded(root: Path) -> None:
    card = (root / "docs" / "data-card.md").read_text()
    reference = root / "features" / "reference"
    rows = pd.read_csv(reference / "sector_emissions.csv")
    own = rows[rows["kind"] == "cluster"]["area"].nunique()
    clusters = len(pd.read_csv(reference / "clusters.csv"))
    assert f"{own} of the {clusters} clusters have a series" in card
    assert f"The other {len(pd.read_csv(reference / 'absent_series.csv'))} are listed" in card
    for scheme, name in (("eu-ets", "EU ETS"), ("uk-ets", "UK ETS"), ("us-ghgrp", "US GHGRP")):
        years = rows.loc[rows["source"] == scheme, "year"].astype(int).tolist()
        row = next(line for line in card.splitlines() if line.startswith(f"| {name}"))
        assert f"| {min(years)} to {max(years)} |" in row


def test_the_method_names_its_modules_and_leaves_none_of_the_tables_out(root: Path) -> None:
    text = (root / "docs" / "method.md").read_text()
    named = set(MODULE.findall(text))
    assert len(named) > 25
    assert [name for name in sorted(named) if not (root / name).is_file()] == []
    modules = {MEMBERS[name].__code__.co_names[0] for name in MEMBERS}
    table = text[text.index("## 2. Members") : text.index("## 3. Blend")].lower()
    for name in MEMBERS:
        assert f"| {name.replace('-', ' ')} |" in table, name
    assert len(modules) == len(MEMBERS)
    levers = text[text.index("## 9. Levers") :].lower()
    assert [kind for kind in KINDS if f"| {kind} |" not in levers] == []


def told_routes(text: str) -> set[tuple[str, str]]:
    """(method, path) of every route a page tells, method "" where it names none; "of the same" is the path
    before it."""
    told, path = set(), ""
    for found in ROUTE.finditer(text):
        path = found["path"] or path
        told.add((found["method"] or found["again"] or "", path))
    return told


def test_the_api_page_has_every_route(root: Path) -> None:
    told = told_routes((root / "docs" / "api.md").read_text())
    asked = [("GET", path) for path in GETS] + [("POST", path) for path in POSTS]
    assert len(asked) > 25
    absent = [f"{method} {path}" for method, path in asked if not {(method, path), ("", path)} & told]
    absent += [path for path in NAMED if not any(name.startswith(path + "{") for _, name in told)]
    assert absent == []


def test_routes_are_read_from_a_page() -> None:
    text = "`GET /v1/a?x=`, `POST` of the same; `/v1/b` and `POST /v1/c/{id}`"
    assert told_routes(text) == {("GET", "/v1/a"), ("POST", "/v1/a"), ("", "/v1/b"), ("POST", "/v1/c/{id}")}


def pages(root: Path) -> list[Path]:
    """Every page that people read."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def anchors(page: Path) -> set[str]:
    """The places in a page that a link can point to."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_links_lead_somewhere(root: Path) -> None:
    dead = []
    for page in pages(root):
        for link in LINK.findall(page.read_text()):
            place, _, anchor = link.partition("#")
            target = page if not place else (page.parent / place).resolve()
            lost = not target.exists() or (
                anchor and target.suffix == ".md" and anchor not in anchors(target)
            )
            dead += [f"{page.relative_to(root)}: {link}"] if lost else []
    assert dead == []


def test_the_index_names_every_page(root: Path) -> None:
    docs = root / "docs"
    named = {
        (docs / link.partition("#")[0]).resolve() for link in LINK.findall((docs / "README.md").read_text())
    }
    own = {*docs.glob("*.md"), *(docs / "tutorials").glob("*.md")} - {docs / "README.md"}
    assert sorted(page.name for page in own - named) == []


@pytest.fixture(scope="module")
def drawing(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("drawing", root / "docs" / "draw_architecture.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_picture_is_of_this_house(root: Path, drawing: ModuleType) -> None:
    """Floors as import-linter holds them, arrows as the code imports, and no older drawing."""
    text = (root / drawing.PICTURE).read_text()
    assert text == drawing.draw(root), "draw it again: python docs/draw_architecture.py"
    picture = ET.fromstring(text)
    arrows = {(a.get("data-from"), a.get("data-to")) for a in picture.iter(f"{SVG}path") if a.get("class")}
    assert arrows == drawing.imports(root)
    floors = [group.findall(f"{SVG}text")[0].text for group in picture.iter(f"{SVG}g")]
    assert floors == [name for layer in drawing.layers(root) for name in layer]
    begun: list[Any] = [name for names in drawing.BEGIN.values() for name in names]
    assert [name for name in begun if not (root / name).is_file()] == []
