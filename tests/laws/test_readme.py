"""The README's commands run, its requests are answered, its examples have the shape of the true answer.

In README.md a block ```sh run``` is run line by line on a temporary store; in any other ```sh``` block,
`make` targets and `forecarbon` commands must exist, and a `curl` is sent to the production server, whose
answer must have every field of the ```json``` block that follows.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any, Final

import pytest

from tests import warm
from tests.laws.pages import Block, blocks, ran

RETRAIN: Final = ["forecarbon", "retrain"]
NOT_OURS: Final = {"cd", "git", "make", "curl", "forecarbon", ".venv/bin/forecarbon"}


@pytest.fixture(scope="module")
def page(root: Path) -> list[Block]:
    return blocks((root / "README.md").read_text())


def test_the_page_has_what_a_newcomer_needs(page: list[Block]) -> None:
    words = [command for block in page if block.language == "sh" for command in block.commands()]
    named = {command[0] for command in words}
    assert {"make", "curl", "forecarbon"} <= named
    assert named <= NOT_OURS
    assert ["make", "run"] in [command[:2] for command in words]


def test_make_targets_exist(page: list[Block], root: Path) -> None:
    for block in page:
        for words in block.commands() if block.language == "sh" else ():
            if words[0] == "make":
                targets = [word for word in words[1:] if "=" not in word]
                plan = subprocess.run(
                    ["make", "--dry-run", *targets],
                    cwd=root,
                    capture_output=True,
                    text=True,
                    timeout=60,
                    check=False,
                )
                assert plan.returncode == 0, plan.stderr


def test_commands_exist(page: list[Block], root: Path, shell_env: dict[str, str]) -> None:
    named = {
        words[1]
        for block in page
        if block.language == "sh"
        for words in block.commands()
        if words[0].endswith("forecarbon")
    }
    assert named
    for command in sorted(named):
        asked = warm.run(["forecarbon", command, "--help"], cwd=root, env=shell_env)
        assert asked.returncode == 0, command


def test_marked_blocks_run(page: list[Block], root: Path, trained_store: Path, shell_env: dict[str, str],
                           tmp_path: Path) -> None:  # fmt: skip
    """In order, on a copy of the store that the README's own retrain has made."""
    marked = [words for block in page if block.runs for words in block.commands()]
    assert marked[0] == RETRAIN
    # Commands run where a person would type them, so that relative files mean what they say there.
    for name in ("docs", "training", "features"):
        (tmp_path / name).symlink_to(root / name)
    store = tmp_path / "store"
    shutil.copytree(trained_store, store)
    for words in marked[1:]:
        assert words[0] == "forecarbon"
        ran(words, tmp_path, {**shell_env, "FORECARBON_STORE": str(store)})


def request_of(words: list[str], address: str) -> urllib.request.Request:
    """The request that a ``curl`` of the page would send, at ``address``."""
    url, data, method, headers = "", None, None, {}
    rest = iter(words[1:])
    for word in rest:
        if word in {"-d", "--data", "--json"}:
            data = next(rest)
            headers["Content-Type"] = "application/json"
        elif word in {"-H", "--header"}:
            key, _, value = next(rest).partition(": ")
            headers[key] = value
        elif word in {"-X", "--request"}:
            method = next(rest)
        elif not word.startswith("-"):
            url = word
    path = re.sub(r"^(?:https?://)?localhost:\d+", "", url)
    assert path != url, f"{url} is not the server of the page"
    return urllib.request.Request(
        address + path, data=None if data is None else data.encode(), headers=headers, method=method
    )


@pytest.mark.parametrize("name", ["README.md", "docs/tutorials/operator.md"])
def test_requests_are_answered_in_the_shape_shown(name: str, root: Path, served: str) -> None:
    asked, page = 0, blocks((root / name).read_text())
    for block, following in zip(page, [*page[1:], Block("", (), "")], strict=True):
        calls = [words for words in block.commands() if words[0] == "curl"] if block.language == "sh" else []
        for words in calls:
            with urllib.request.urlopen(request_of(words, served), timeout=30) as reply:
                told = json.load(reply)
            asked += 1
            if following.language == "json":
                assert differences(json.loads(following.text), told) == []
    assert asked


def differences(shown: Any, told: Any, at: str = "answer") -> list[str]:
    """Where the shape of the example is not that of the answer: fields, kinds of value, first items."""
    if isinstance(shown, dict) and isinstance(told, dict):
        gone = [f"{at}.{key} is not in the answer" for key in shown if key not in told]
        return gone + [
            line for key in shown if key in told for line in differences(shown[key], told[key], f"{at}.{key}")
        ]
    if isinstance(shown, list) and isinstance(told, list):
        if not shown:
            return []
        return differences(shown[0], told[0], f"{at}[0]") if told else [f"{at} is empty in the answer"]
    same = kind(shown) == kind(told)
    return [] if same else [f"{at} is {kind(told)} in the answer, {kind(shown)} on the page"]


def kind(value: Any) -> str:
    """The JSON kind of a value; whole numbers and others are one kind."""
    names = {bool: "boolean", int: "number", float: "number", str: "text", dict: "object", list: "list"}
    return names.get(type(value), "null")


def test_the_comparison_sees() -> None:
    shown = {"a": [{"b": 1.5}], "c": "x"}
    assert differences(shown, {"a": [{"b": 2}], "c": "y", "more": 1}) == []
    assert differences(shown, {"a": [{}], "c": 1}) == [
        "answer.a[0].b is not in the answer",
        "answer.c is number in the answer, text on the page",
    ]
